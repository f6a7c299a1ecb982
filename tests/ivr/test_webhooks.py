"""The webhooks of a call, whoever sends them, whatever is in them, and whatever is wrong with us."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4

import httpx
import psycopg
import pytest
from psycopg import sql

from app.carrier import sign
from app.config import Settings
from app.survey import Wording
from tests.calls import Document, Handset, calls_to, post, rehearse
from tests.line import TOKEN, Line, a_line
from tests.rows import rows

pytestmark = pytest.mark.asyncio(loop_scope="module")


def apology(line: Line, language: str) -> str:
    return worded(line, language, "apology")


def worded(line: Line, language: str, name: str) -> str:
    wording: Wording = line.services.flows["nps"].wording(language)
    return wording.text(wording.prompt(name, {}), "voice")


async def everything(line: Line) -> list[list[dict[str, Any]]]:
    """Every row that a webhook could change."""
    pool = line.services.pool
    return [
        await rows(pool, "SELECT * FROM surveys ORDER BY id"),
        await rows(pool, "SELECT * FROM attempts ORDER BY id"),
        await rows(pool, "SELECT * FROM turns ORDER BY survey_id, number"),
        await rows(pool, "SELECT * FROM responses ORDER BY survey_id"),
        await rows(pool, "SELECT * FROM recordings ORDER BY sid"),
        await rows(pool, "SELECT * FROM suppressions ORDER BY address"),
        await rows(pool, "SELECT * FROM nps_daily ORDER BY queue, day"),
    ]


FORMS: dict[str, dict[str, str]] = {
    "{survey}/open?attempt={attempt}": {},
    "{survey}/1": {"Digits": "9"},
    "{survey}/1?recorded=1": {"SpeechResult": "nine"},
    "{survey}/recording": {"RecordingSid": "RE" + "1" * 32, "RecordingStatus": "completed"},
    "/twilio/attempts/{attempt}/status": {"CallStatus": "completed"},
    "/twilio/attempts/{attempt}/machine": {"AnsweredBy": "machine_start"},
    "/twilio/voice": {},
    "/twilio/voice/opt-out": {"Digits": "*"},
}


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize("token", ["a-wrong-token", None])
async def test_what_the_carrier_has_not_signed_is_refused_and_changes_nothing(
    line: Line, path: str, token: str | None
) -> None:
    handset = await Handset.called(line)
    await handset.open()
    before = await everything(line)
    address = path.format(survey=handset.path, attempt=handset.attempt_id)
    form = {"CallSid": handset.sid, "From": handset.number} | FORMS[path]
    if token is None:
        answer = await line.http.post(address, data=form)
    else:
        answer = await post(line, address, form, token=token)
    assert answer.status_code == 403
    assert answer.json()["code"] == "forbidden"
    assert await everything(line) == before


async def test_a_signature_of_another_form_or_address_is_refused(line: Line) -> None:
    handset = await Handset.called(line)
    await handset.open()
    good = await post(line, f"{handset.path}/9", {"Digits": "1"})
    signature = good.request.headers["X-Twilio-Signature"]
    for path, form in ((f"{handset.path}/9", {"Digits": "2"}), (f"{handset.path}/1", {"Digits": "1"})):
        answer = await line.http.post(path, data=form, headers={"X-Twilio-Signature": signature})
        assert answer.status_code == 403


async def test_a_forged_call_is_not_answered(line: Line) -> None:
    number = "+48229990001"
    for path in ("/twilio/voice", "/twilio/voice/opt-out"):
        assert (await post(line, path, {"From": number, "Digits": "*"}, token="forged")).status_code == 403
    assert (
        await rows(line.services.pool, "SELECT 1 FROM suppressions WHERE address = %s", (f"phone:{number}",))
        == []
    )


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
@pytest.mark.parametrize("path", ["/twilio/voice", "/twilio/voice/opt-out", "{survey}/1", "{survey}/open"])
async def test_only_a_post_is_heard(line: Line, method: str, path: str) -> None:
    handset = await Handset.called(line)
    answer = await line.http.request(method, path.format(survey=handset.path))
    assert answer.status_code == 405


@pytest.mark.parametrize(
    "path",
    [
        "/twilio/voice/en/{none}/1",
        "/twilio/voice/en/{none}/open?attempt={none}",
        "{survey}/open",
        "{survey}/open?attempt=",
        "{survey}/open?attempt=nonsense",
        "{survey}/open?attempt=%00",
        "{survey}/-1",
        "{survey}/x",
        "{survey}/99999999999999999999999",
        "{survey}/" + "9" * 5000,
        "{survey}/%00",
        "{survey}/é",
        "/twilio/voice/zz/{none}/1",
        "/twilio/voice/%F0%9F%92%A9/{none}/1",
    ],
)
async def test_an_address_that_leads_nowhere_says_goodbye(line: Line, path: str) -> None:
    handset = await Handset.called(line)
    address = str(
        line.http.build_request("POST", path.format(survey=handset.path, none=uuid4())).url.raw_path, "ascii"
    )
    page = Document.of(await handset.send(address))
    assert (page.status, page.said, page.asks) == (200, [worded(line, "en", "goodbye")], None)


@pytest.mark.parametrize("path", ["/twilio/voice/en/nonsense/1", "/twilio/attempts/nonsense/status"])
async def test_an_address_that_is_none_is_not_found(line: Line, path: str) -> None:
    assert (await post(line, path)).status_code == 404


GARBAGE: list[dict[str, str]] = [
    {"Digits": "9" * 5000},
    {"Digits": "\0"},
    {"Digits": "9\0"},
    {"Digits": "٣"},
    {"SpeechResult": "nine " * 2000, "Confidence": "0.9"},
    {"SpeechResult": "ni\0ne", "Confidence": "0.9"},
    {"SpeechResult": "\x01\x02\x7f", "Confidence": "0.9"},
    {"SpeechResult": "   ", "Confidence": "0.9"},
    {"SpeechResult": "nine", "Confidence": "very"},
    {"SpeechResult": "nine", "Confidence": ""},
    {"SpeechResult": "nine", "Confidence": "nan"},
    {"SpeechResult": "nine", "Confidence": "-inf"},
    {"SpeechResult": "nine", "Confidence": "1e999"},
    {"SpeechResult": "nine", "Confidence": "-3"},
    {"Digits": "", "SpeechResult": ""},
    {"Nothing": "known"},
    {},
]


@pytest.mark.parametrize(
    "form", GARBAGE, ids=lambda form: "+".join(f"{k}={v[:8]!a}" for k, v in form.items()) or "empty"
)
async def test_whatever_was_heard_the_turn_is_taken(line: Line, form: dict[str, str]) -> None:
    handset = await Handset.called(line)
    await handset.open()
    page = await handset.turn(1, **form)
    assert page.status == 200
    assert apology(line, "en") not in page.said
    assert page.asks is not None
    assert page.asks.startswith("2")
    assert len((await handset.story())["turns"]) == 2


@pytest.mark.parametrize(
    "body",
    [b"Digits=%ff%fe", b"SpeechResult=\xff\xfe", b"&&&=&%", b"Digits=9&Digits=8", b"\0", b"Digits=%00"],
)
async def test_a_body_that_is_no_form_breaks_nothing(line: Line, body: bytes) -> None:
    handset = await Handset.called(line)
    await handset.open()

    async def sent(signature: bytes) -> httpx.Response:
        headers = {b"X-Twilio-Signature": signature}
        return await line.http.post(f"{handset.path}/1", content=body, headers=headers)

    for forged in (b"AAAA", "ÿ".encode("latin-1")):
        assert (await sent(forged)).status_code == 403
    pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    url = f"{line.services.settings.public_url}{handset.path}/1"
    assert apology(line, "en") not in Document.of(await sent(sign(url, pairs, TOKEN).encode())).said
    assert len((await handset.story())["turns"]) == 2


@pytest.mark.parametrize(
    "form",
    [
        {"CallSid": ""},
        {"CallSid": "\0"},
        {"CallStatus": "nonsense"},
        {"CallStatus": ""},
        {"CallStatus": "failed", "SipResponseCode": "²"},
        {"CallStatus": "failed", "SipResponseCode": "9" * 5000},
        {"CallStatus": "completed", "CallDuration": "x" * 5000},
    ],
    ids=str,
)
async def test_whatever_a_status_says_it_is_noted(line: Line, form: dict[str, str]) -> None:
    handset = await Handset.called(line)
    answer = await handset.send(
        f"/twilio/attempts/{handset.attempt_id}/status", **{"CallStatus": "ringing"} | form
    )
    assert answer.status_code == 204


async def test_a_turn_that_is_delivered_twice_gets_the_same_bytes(line: Line) -> None:
    handset = await Handset.called(line)
    assert (await handset.open()).body == (await handset.open()).body
    first = await handset.turn(1, Digits="9")
    assert (await handset.turn(1, Digits="9")).body == first.body
    again, other = await asyncio.gather(handset.turn(1, Digits="9"), handset.turn(1, Digits="9"))
    assert again.body == other.body == first.body


async def test_two_surveys_are_told_the_same_bytes(line: Line) -> None:
    one, two = await Handset.called(line), await Handset.called(line)
    assert (await one.open()).body == (await two.open()).body
    assert (await one.turn(1, Digits="9")).body == (await two.turn(1, Digits="9")).body


async def test_a_brand_may_have_any_sign_in_it(line: Line) -> None:
    brand = 'Fish & "Chips" <Ltd> \'24'
    handset = await Handset.called(line, brand=brand)
    page = await handset.open()
    assert page.warnings == ()
    assert any(brand in text for text in page.said)


async def test_without_recording_nobody_is_told_of_one(line: Line) -> None:
    handset = await Handset.called(line, record_comments=False)
    await handset.open()
    page = await handset.turn(1, Digits="9")
    assert worded(line, "en", "recording_notice") not in page.said
    assert (page.asks, b"<Start>" in page.body) == ("2", False)


async def test_a_database_that_hangs_is_not_waited_for(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.ivr.routes.ANSWER_SECONDS", 0.5)
    handset = await Handset.called(line, language="fr")
    await handset.open()
    async with line.services.pool.connection() as connection, connection.transaction():
        await connection.execute("SELECT 1 FROM surveys WHERE id = %s FOR UPDATE", (handset.survey_id,))
        page = await handset.turn(1, Digits="9")
    assert (page.said, page.asks) == ([apology(line, "fr")], None)
    # The carrier's repetition, or the same caller calling back, is heard.
    assert apology(line, "fr") not in (await handset.turn(1, Digits="9")).said
    assert (await handset.story())["response"]["score"] == 9


async def test_while_the_database_is_away_callers_hear_an_apology_in_their_language_and_go_on_once_it_is_back(
    settings: Settings, server: str
) -> None:
    async with a_line(settings) as line:
        handsets = [await Handset.called(line, language=language) for language in ("en", "pl", "nb", "fr")]
        await asyncio.gather(*(each.open() for each in handsets))
        with database_away(server, settings):
            started = asyncio.get_running_loop().time()
            pages = await asyncio.gather(*(each.turn(1, Digits="9") for each in handsets))
            assert asyncio.get_running_loop().time() - started < 8
            assert [each.said for each in pages] == [[apology(line, each.language)] for each in handsets]
            assert {(each.status, each.asks) for each in pages} == {(200, None)}
            assert (await handsets[0].status("completed")).status_code == 503
        pages = await asyncio.gather(*(each.turn(1, Digits="9") for each in handsets))
        assert all(each.asks for each in pages)
        assert [(await each.story())["response"]["score"] for each in handsets] == [9] * 4
        survey_id, number, _ = await rehearse(line)
        story = await line.until(survey_id, "completed")
        assert (story["response"]["score"], calls_to(line, number)) == (9, 1)


@contextmanager
def database_away(server: str, settings: Settings) -> Iterator[None]:
    """The database refuses every connection, and drops those that it has."""
    assert settings.database_url is not None
    name = str(psycopg.conninfo.conninfo_to_dict(settings.database_url.get_secret_value())["dbname"])
    switch = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(switch.format(sql.Identifier(name), sql.Literal(False)))
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,)
        )
        try:
            yield
        finally:
            connection.execute(switch.format(sql.Identifier(name), sql.Literal(True)))
