"""Whole calls, as two people would have them. ``pytest tests/ivr/test_calls.py -rP`` prints what was said."""

from uuid import uuid4

import pytest

from app.rehearsal.twilio.faults import Faults
from tests.calls import Document, Handset, counts, rehearse, settled
from tests.chatbot.chatting import invited
from tests.chatbot.chatting import post as write
from tests.line import Line, eventually
from tests.rows import rows

pytestmark = pytest.mark.asyncio(loop_scope="module")

CALLS = {
    "en": "say: definitely not a ten | 6# | waited for half an hour | say: yes please",
    "pl": "say: dziewięć | szybko i konkretnie",
    "nb": "say: jeg vil si åtte | say: ja | veldig hyggelige folk",
    "fr": "say: dix | say: oui | très aimable",
}


@pytest.mark.parametrize("language", CALLS)
async def test_a_whole_call_in_each_language(line: Line, language: str) -> None:
    survey_id, number, _ = await rehearse(line, CALLS[language], language=language)
    story = await line.until(survey_id, "completed")
    (call,) = line.carrier.calls.find(lambda call: call.to == number)
    print(call.transcript)  # noqa: T201 - shown with pytest -rP
    assert call.alerts == []
    assert {each.language[:2] for each in call.transcript if each.language} == {language}
    assert (story["response"]["language"], story["response"]["channel"]) == (language, "voice")
    assert story["response"]["comment_source"] == "speech"


@pytest.mark.parametrize("language", ["en", "pl", "nb", "fr"])
@pytest.mark.parametrize(
    ("script", "question"),
    [
        ("*", "ask_score"),
        ("!*", "ask_score"),
        ("5 | *", "ask_reason_detractor"),
        ("5 | slow | *", "ask_callback"),
    ],
)
async def test_star_is_an_opt_out_at_every_question(
    line: Line, language: str, script: str, question: str
) -> None:
    await opts_out(line, language, script, question)


STOPS = {
    "en": "please stop calling me",
    "pl": "proszę nie dzwonić",
    "nb": "slutt å ringe",
    "fr": "arrêtez de m'appeler",
}


@pytest.mark.parametrize("language", STOPS)
@pytest.mark.parametrize(("before", "question"), [("", "ask_score"), ("5 | ", "ask_reason_detractor")])
async def test_a_word_is_an_opt_out_at_every_question(
    line: Line, language: str, before: str, question: str
) -> None:
    await opts_out(line, language, f"{before}say: {STOPS[language]}", question)
    await opts_out(line, language, f"{before}say: stop", question)


async def opts_out(line: Line, language: str, script: str, question: str) -> None:
    survey_id, number, queue = await rehearse(line, script, language=language)
    story = await line.until(survey_id, "opted_out")
    asked, goodbye = story["turns"][-2:]
    assert question in asked["said"]
    assert goodbye["said"] == ["opted_out"]
    crm_id = (await rows(line.services.pool, "SELECT crm_id FROM interactions WHERE phone = %s", (number,)))[
        0
    ]["crm_id"]
    suppressed = await rows(
        line.services.pool,
        "SELECT address FROM suppressions WHERE survey_id = %s AND lifted_at IS NULL ORDER BY address",
        (survey_id,),
    )
    assert [each["address"] for each in suppressed] == [f"crm:{crm_id}", f"phone:{number}"]
    for customer in ({"crm_id": crm_id}, {"phone": number}):
        answer = await line.trigger(
            queue=queue, customer={"phone": "+48221999999", "consent": True} | customer
        )
        assert answer["reason"] == "opted_out"


async def test_an_opt_out_cancels_the_persons_other_surveys(line: Line) -> None:
    """One phone, two customers: whoever picks up speaks for the phone."""
    waiting, number, _ = await rehearse(line, faults=Faults(pickup="busy"), times=1)
    await settled(line, waiting)
    token, survey_id = await invited(
        line, survey_by="chat", customer={"crm_id": uuid4().hex, "phone": number, "consent": True}
    )
    await write(line.http, token)
    await write(line.http, token, "stop")
    assert (await line.story(survey_id))["status"] == "opted_out"
    assert (await line.story(waiting))["status"] == "opted_out"


@pytest.mark.parametrize(
    ("script", "score"), [("1#", 1), ("10", 10), ("0#", 0), ("1", 1), ("!7#", 7), ("!10", 10)]
)
async def test_one_and_ten_and_nought_are_told_apart_on_the_keypad(
    line: Line, script: str, score: int
) -> None:
    survey_id, _, _ = await rehearse(line, script)
    story = await settled(line, survey_id)
    assert story["response"]["score"] == score


@pytest.mark.parametrize("score", [0, 1, 6, 9])
async def test_what_was_pressed_right_before_hanging_up_counts_where_the_carrier_submits_it(
    line: Line, score: int
) -> None:
    survey_id, _, queue = await rehearse(line, f"{score} | +1.5 /hangup", Faults(submits_at_hang_up=True))
    story = await settled(line, survey_id)
    assert (story["status"], story["response"]["score"]) == ("partial", score)
    assert (await counts(line, queue))["responses"] == 1


@pytest.mark.parametrize(("digits", "status", "score"), [("6", "partial", 6), ("1", "partial", 1)])
async def test_it_counts_though_the_hang_up_was_told_before(
    line: Line, digits: str, status: str, score: int
) -> None:
    handset = await Handset.called(line)
    await handset.open()
    await handset.status("completed")
    await handset.turn(1, Digits=digits)
    story = await handset.story()
    assert (story["status"], story["response"]["score"]) == (status, score)


async def test_star_and_hanging_up_is_an_opt_out_in_either_order(line: Line) -> None:
    survey_id, _, _ = await rehearse(line, "* | +1.5 /hangup", Faults(submits_at_hang_up=True))
    await line.until(survey_id, "opted_out")
    handset = await Handset.called(line)
    await handset.open()
    await handset.status("completed")
    await handset.turn(1, Digits="*")
    assert (await handset.story())["status"] == "opted_out"


async def test_star_at_the_goodbye_opts_out_and_leaves_the_answers_as_they_are(line: Line) -> None:
    handset = await Handset.called(line)
    await handset.open()
    await handset.turn(1, Digits="9")
    await handset.turn(2, SpeechResult="cheap and fast")
    page = Document.of(await handset.send(f"{handset.path}/opt-out", Digits="*"))
    assert (page.status, page.asks) == (200, None)
    story = await handset.story()
    assert (story["status"], story["response"]["score"]) == ("completed", 9)
    answer = await line.trigger(customer={"phone": handset.number, "consent": True})
    assert answer["reason"] == "opted_out"


@pytest.mark.parametrize(
    "script", ["9# | cheap and fast", "2# | too slow | 1", "say: seven or eight | 8# | fine"]
)
async def test_every_webhook_may_come_twice(line: Line, script: str) -> None:
    once, _, _ = await rehearse(line, script)
    first = await line.until(once, "completed")
    faults = Faults(turns_twice=True, callbacks="twice")
    survey_id, number, queue = await rehearse(line, script, faults)
    story = await line.until(survey_id, "completed")
    await line.carrier.quiet()
    (call,) = line.carrier.calls.find(lambda call: call.to == number)
    assert call.alerts == []
    heard = [(turn["number"], turn["heard"], turn["said"]) for turn in story["turns"]]
    assert heard == [(turn["number"], turn["heard"], turn["said"]) for turn in first["turns"]]
    assert sum((await counts(line, queue)).values()) == 4


async def test_who_says_nothing_at_all_is_left_in_peace_and_not_reached(line: Line) -> None:
    survey_id, _, queue = await rehearse(line, faults=Faults(silent=True))
    story = await settled(line, survey_id)
    assert (story["status"], story["response"]) == ("partial", None)
    assert await counts(line, queue) == {"invited": 1}


async def test_a_slow_line_is_the_same_call(line: Line) -> None:
    survey_id, _, _ = await rehearse(line, faults=Faults(network_seconds=0.05))
    assert (await line.until(survey_id, "completed"))["response"]["score"] == 9


async def test_a_carrier_with_the_wrong_token_hears_nothing_and_changes_nothing(line: Line) -> None:
    survey_id, number, queue = await rehearse(line, faults=Faults(forged=True))

    async def placed() -> bool:
        return bool(line.carrier.calls.find(lambda call: call.to == number))

    await eventually(placed)
    await line.carrier.quiet()
    (call,) = line.carrier.calls.find(lambda call: call.to == number)
    assert call.ended_by == "error"
    story = await line.story(survey_id)
    assert (story["turns"], story["response"]) == ([], None)
    assert await counts(line, queue) == {"invited": 1}
