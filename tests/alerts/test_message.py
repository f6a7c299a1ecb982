"""What people read, word for word."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from string import Formatter
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.alerts.message import AlertDigest, AlertReader, as_test, of_many, of_one, plain
from app.alerts.texts import Texts, languages, texts
from app.store.alert_messages import AlertStory, QueueCount

WARSAW = ZoneInfo("Europe/Warsaw")
ANSWERED = datetime(2026, 3, 4, 13, 5, tzinfo=UTC)
STORY = AlertStory(
    survey_id=UUID("3f0a1c52-0000-4f3c-9a00-000000000001"),
    rule="all",
    queue="billing",
    agent="anna",
    channel="voice",
    score=2,
    band="detractor",
    comment="You charged me twice.",
    comment_source="recording",
    callback=True,
    answered_at=ANSWERED,
    name="Ewa Nowak",
    crm_id="0031",
    phone="+48221234567",
)
LINK = "https://nps.example/api/v1/surveys/3f0a1c52-0000-4f3c-9a00-000000000001"


def reader(language: str = "en", **later: float) -> AlertReader:
    return AlertReader(texts(language), WARSAW, ANSWERED + timedelta(**later), "https://nps.example")


GOLDEN = {
    "en": f"""2 of 10 in billing: please call back
Ewa Nowak, CRM 0031, +48221234567
“You charged me twice.” (automatic transcript)
Asked to be called back.
Agent anna, by phone, today 14:05
21 h 40 min left to get in touch, until tomorrow 14:05.
{LINK}""",
    "pl": f"""2 na 10, kolejka billing: prośba o telefon
Ewa Nowak, CRM 0031, +48221234567
„You charged me twice.” (zapis automatyczny)
Prosi o oddzwonienie.
Konsultant: anna, telefonicznie, dziś o 14:05
Na kontakt zostało 21 godz. 40 min, termin: jutro o 14:05.
{LINK}""",
    "nb": f"""2 av 10 i billing: ønsker å bli ringt
Ewa Nowak, CRM 0031, +48221234567
«You charged me twice.» (automatisk transkripsjon)
Ønsker å bli ringt tilbake.
Kundebehandler anna, på telefon, i dag kl. 14:05
21 t 40 min igjen til å ta kontakt, fristen er i morgen kl. 14:05.
{LINK}""",
    "fr": f"""2 sur 10, file billing : à rappeler
Ewa Nowak, CRM 0031, +48221234567
« You charged me twice. » (transcription automatique)
Demande un rappel.
Conseiller : anna, par téléphone, aujourd'hui à 14:05
Il reste 21 h 40 min pour reprendre contact, au plus tard demain à 14:05.
{LINK}""",
}
GOLDEN_MANY = {
    "en": f"""9 answers to look at
They came in within minutes, so here they are in one message.
billing: 7, detractors 5
sales: 2, detractors 0
Detractors still within their 24 hours: 5. The first one until tomorrow 14:05, 21 h 40 min left.

The lowest scores:

2 of 10, billing
Ewa Nowak, CRM 0031
“You charged me twice.” (automatic transcript)
Asked to be called back.
21 h 40 min left to get in touch, until tomorrow 14:05.
{LINK}

And 8 more.""",
    "pl": f"""Odpowiedzi, którym warto się przyjrzeć: 9
Przyszły w ciągu kilku minut, więc są w jednej wiadomości.
billing: 7, w tym krytycy: 5
sales: 2, w tym krytycy: 0
Krytycy, którym nie minęły jeszcze 24 godziny: 5. Pierwszy termin: jutro o 14:05, zostało 21 godz. 40 min.

Najniższe oceny:

2 na 10, billing
Ewa Nowak, CRM 0031
„You charged me twice.” (zapis automatyczny)
Prosi o oddzwonienie.
Na kontakt zostało 21 godz. 40 min, termin: jutro o 14:05.
{LINK}

I jeszcze 8.""",
    "nb": f"""9 svar å se på
De kom i løpet av få minutter, så her er de i én melding.
billing: 7, kritikere 5
sales: 2, kritikere 0
Kritikere som fortsatt er innenfor 24 timer: 5. Første frist er i morgen kl. 14:05, 21 t 40 min igjen.

De laveste karakterene:

2 av 10, billing
Ewa Nowak, CRM 0031
«You charged me twice.» (automatisk transkripsjon)
Ønsker å bli ringt tilbake.
21 t 40 min igjen til å ta kontakt, fristen er i morgen kl. 14:05.
{LINK}

Og 8 til.""",
    "fr": f"""9 réponses à regarder
Elles sont arrivées en quelques minutes, les voici donc en un seul message.
billing : 7, dont détracteurs : 5
sales : 2, dont détracteurs : 0
Détracteurs encore dans leurs 24 heures : 5. Première échéance : demain à 14:05, il reste 21 h 40 min.

Les notes les plus basses :

2 sur 10, billing
Ewa Nowak, CRM 0031
« You charged me twice. » (transcription automatique)
Demande un rappel.
Il reste 21 h 40 min pour reprendre contact, au plus tard demain à 14:05.
{LINK}

Et 8 de plus.""",
}


@pytest.mark.parametrize("language", GOLDEN)
def test_one_answer_reads_well(language: str) -> None:
    message = of_one(STORY, reader(language, hours=2, minutes=20), phone=True)
    assert f"{message.title}\n{message.body}" == GOLDEN[language]


@pytest.mark.parametrize("language", GOLDEN_MANY)
def test_many_answers_read_well(language: str) -> None:
    queues = [QueueCount("billing", 7, 5), QueueCount("sales", 2, 0)]
    many = AlertDigest("storm", queues, [(STORY, False)], 5, ANSWERED)
    message = of_many(many, reader(language, hours=2, minutes=20))
    assert f"{message.title}\n{message.body}" == GOLDEN_MANY[language]


def body(story: AlertStory, **later: float) -> list[str]:
    return of_one(story, reader("en", **later), phone=False).body.splitlines()


def test_what_is_not_known_is_left_out() -> None:
    bare = replace(
        STORY, name=None, crm_id=None, comment=None, callback=None, agent="", channel="sms", band="passive"
    )
    assert body(bare) == [
        "A customer without a name",
        "Gave no reason.",
        "by text message, today 14:05",
        LINK,
    ]
    assert of_one(bare, reader(), phone=False).title == "2 of 10 in billing"
    assert body(replace(STORY, callback=False))[2] == "Would rather not be called back."
    assert body(replace(STORY, comment_source="text"))[1] == "“You charged me twice.”"


@pytest.mark.parametrize(
    ("later", "line"),
    [
        ({"minutes": 0}, "24 h 0 min left to get in touch, until tomorrow 14:05."),
        ({"hours": 20}, "4 h 0 min left to get in touch, until today 14:05."),
        ({"hours": 23, "minutes": 30, "seconds": 1}, "29 min left to get in touch, until today 14:05."),
        ({"hours": 24}, "The 24 hours to get in touch ended today 14:05."),
        ({"hours": 36}, "The 24 hours to get in touch ended yesterday 14:05."),
        ({"days": 5}, "The 24 hours to get in touch ended on 2026-03-05 14:05."),
    ],
)
def test_how_long_is_left_is_said_until_it_is_over(later: dict[str, float], line: str) -> None:
    assert body(STORY, **later)[4] == line


def test_the_24_hours_are_hours_even_where_clocks_are_changed() -> None:
    evening = replace(STORY, answered_at=datetime(2026, 3, 28, 19, tzinfo=UTC))
    read = replace(reader(), now=datetime(2026, 3, 28, 19, tzinfo=UTC))
    assert "24 h 0 min left to get in touch, until tomorrow 21:00." in of_one(evening, read, phone=False).body


def test_many_queues_and_long_comments_are_cut() -> None:
    queues = [QueueCount(f"queue {number}", 1, 0) for number in range(20)]
    many = AlertDigest("digest", queues, [(replace(STORY, comment="x" * 5000), True)], 0, None)
    message = of_many(many, reader())
    assert "Other queues: 13, detractors 0" in message.body
    assert "+48221234567" in message.body
    assert "within their 24 hours" not in message.body
    assert len(message.body) < 1200
    assert len(body(replace(STORY, comment="y" * 5000))[1]) < 640


def test_a_test_is_marked() -> None:
    assert as_test(of_one(STORY, reader("pl"), phone=False), texts("pl")).title.startswith("TEST: 2 na 10")


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("two\nlines\r\n\tand\u2028more", "two lines and more"),
        ("safe \u202egnp.exe\u200b", "safe gnp.exe"),
        ("hello @everyone and @HERE", "hello @\u200beveryone and @\u200bHERE"),
        ("<!channel> <@U123>", "<\u200b!channel> <\u200b@\u200bU123>".replace("@\u200bU", "@U")),
        ("mail me@here.example", "mail me@\u200bhere.example"),
        ("price < 3 {score} %s", "price < 3 {score} %s"),
    ],
)
def test_a_customers_text_is_one_line_that_calls_nobody(said: str, shown: str) -> None:
    assert plain(said) == shown


@given(st.text(), st.text(min_size=1), st.text())
def test_whatever_a_customer_says_a_message_keeps_its_lines(comment: str, name: str, queue: str) -> None:
    message = of_one(replace(STORY, comment=comment, name=name, queue=queue), reader(), phone=False)
    assert len(message.body.split("\n")) == 6
    assert "\n" not in message.title


def places(text: object) -> list[str]:
    values = text.values() if isinstance(text, dict) else [text]
    return sorted(
        name for each in values for _, name, _, _ in Formatter().parse(str(each)) if name is not None
    )


@pytest.mark.parametrize("language", languages())
def test_every_language_has_every_text_with_the_same_places(language: str) -> None:
    english, other = texts("en"), texts(language)
    for each in fields(Texts):
        mine, theirs = getattr(other, each.name), getattr(english, each.name)
        assert places(mine) == places(theirs), each.name
        assert type(mine) is type(theirs)
        assert mine
    assert english.channels.keys() == other.channels.keys() == {"voice", "sms", "whatsapp", "chat"}
