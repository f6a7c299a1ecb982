"""What people write to our number, and what they are answered."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from app.store import correspondence
from tests.calls import fresh_number, line_on
from tests.chatbot.texting import Texter, messages_in, post
from tests.line import OURS, Line

pytestmark = pytest.mark.asyncio(loop_scope="module")

ASKS_SCORE = "How likely is it that you would recommend"
STOPPED = "All right, we won't ask you again. Thank you."
WHO_WE_ARE = "our company wrote to you about a short survey."


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def line(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Line]:
    data_dir: Path = tmp_path_factory.mktemp("line")
    async with line_on(module_database_url, data_dir, brand="our company") as running:
        yield running


def somebody(line: Line, channel: str = "sms") -> Texter:
    return Texter(line, fresh_number(), channel)


async def decision(texter: Texter, **changes: Any) -> tuple[str, str | None]:
    """What is decided about this person's next interaction."""
    customer = {"crm_id": texter.crm_id, "phone": texter.phone, "consent": True}
    decided = await texter.line.trigger(**({"customer": customer} | changes))
    return decided["decision"], decided["reason"]


async def test_an_answer_that_is_delivered_twice_is_taken_once_and_answered_alike(line: Line) -> None:
    texter = somebody(line)
    survey_id = await texter.asked()
    first, again = [await texter.writes("8", MessageSid="SM" + "1" * 32) for _ in range(2)]
    assert first == again
    assert "main reason" in first
    story = await line.story(survey_id)
    assert [turn["heard"] and turn["heard"]["text"] for turn in story["turns"]] == [None, "8"]


async def test_an_old_message_that_is_delivered_once_more_is_not_answered_any_more(line: Line) -> None:
    texter = somebody(line)
    await texter.asked()
    await texter.writes("8", MessageSid="SM" + "2" * 32)
    assert "Thank you" in await texter.writes("quick", MessageSid="SM" + "3" * 32)
    assert await texter.writes("8", MessageSid="SM" + "2" * 32) == ""
    assert "Thank you" in await texter.writes("quick", MessageSid="SM" + "3" * 32)


@pytest.mark.parametrize("channel", ["sms", "whatsapp"])
async def test_a_message_that_an_earlier_survey_took_is_no_answer_to_the_next(
    line: Line, channel: str
) -> None:
    texter, sid = somebody(line, channel), f"SM{uuid4().hex}"
    templates = {"en": "HX" + "1" * 32}
    await line.http.put(
        "/api/v1/queues/often", json={"survey_every_days": 0, "whatsapp_templates": templates}
    )
    await texter.asked(queue="often")
    await texter.writes("8")
    goodbye = await texter.writes("7", MessageSid=sid)
    survey_id = await texter.triggered(queue="often")
    await texter.got(2)
    assert await texter.writes("7", MessageSid=sid) == goodbye
    story = await line.story(survey_id)
    assert (story["response"], len(story["turns"])) == (None, 1)


@pytest.mark.parametrize(
    "word",
    [
        "STOP",
        "stop.",
        "Stopp",
        "AVSLUTT",
        "arrêt",
        "Rezygnuję",
        "unsubscribe",
        "END",
        "please stop texting me",
    ],
)
async def test_stop_in_any_language_ends_it_on_every_channel(line: Line, word: str) -> None:
    texter = somebody(line)
    survey_id = await texter.asked()
    assert await texter.writes(word) == STOPPED
    story = await line.story(survey_id)
    assert (story["status"], story["response"]) == ("opted_out", None)
    for survey_by in ("voice", "sms", "chat"):
        assert await decision(texter, survey_by=survey_by) == ("skipped", "opted_out")
    others_id = {"crm_id": texter.crm_id, "phone": fresh_number(), "consent": True}
    assert await decision(texter, customer=others_id) == ("skipped", "opted_out")


async def test_stop_after_the_score_keeps_the_score_and_is_no_comment(line: Line) -> None:
    texter = somebody(line)
    survey_id = await texter.asked()
    await texter.writes("6")
    assert await texter.writes("Arrêtez") == STOPPED
    story = await line.story(survey_id)
    assert story["status"] == "opted_out"
    assert (story["response"]["score"], story["response"]["comment"]) == (6, None)


async def test_stop_that_the_carrier_has_answered_gets_no_second_answer(line: Line) -> None:
    texter = somebody(line)
    survey_id = await texter.asked()
    assert await texter.writes("Nope!", OptOutType="STOP") == ""
    assert (await line.story(survey_id))["status"] == "opted_out"
    assert await decision(texter) == ("skipped", "opted_out")


async def test_stop_cancels_a_call_that_is_planned(line: Line) -> None:
    texter = somebody(line)
    await line.http.put("/api/v1/queues/later", json={"call_delay_seconds": 3600})
    survey_id = await texter.triggered(survey_by="voice", queue="later")
    assert await texter.writes("STOP") == STOPPED
    assert (await line.story(survey_id))["status"] == "opted_out"
    assert await decision(texter, customer={"crm_id": texter.crm_id, "consent": True}, survey_by="chat") == (
        "skipped",
        "opted_out",
    )


async def test_stop_from_somebody_we_never_wrote_to_counts_as_well(line: Line) -> None:
    texter = somebody(line)
    assert await texter.writes("stop") == STOPPED
    assert await decision(texter) == ("skipped", "opted_out")


@pytest.mark.parametrize(("word", "field"), [("START", {}), ("unstop", {}), ("oui", {"OptOutType": "START"})])
async def test_start_lifts_a_stop_and_is_no_answer(line: Line, word: str, field: dict[str, str]) -> None:
    texter = somebody(line)
    await texter.asked()
    await texter.writes("STOP")
    answer = await texter.writes(word, **field)
    assert answer == ("" if field else "There is nothing to answer just now. Thank you for writing to us.")
    kept = {"crm_id": texter.crm_id, "phone": texter.phone, "consent": True}
    await line.http.put("/api/v1/queues/again", json={"survey_every_days": 0})
    assert (await decision(texter, queue="again", customer=kept))[0] == "scheduled"


async def test_a_wish_that_is_posted_again_is_not_granted_again(line: Line) -> None:
    """The carrier repeats a webhook that got no answer; whoever has seen a signed one may, too, and much later."""
    texter = somebody(line)
    start, stop = "SM" + uuid4().hex, "SM" + uuid4().hex
    answered = await texter.writes("START", MessageSid=start)
    assert await texter.writes("STOP", MessageSid=stop) == STOPPED
    assert await texter.writes("START", MessageSid=start) == answered
    assert await decision(texter) == ("skipped", "opted_out")
    await texter.writes("START")
    assert await texter.writes("STOP", MessageSid=stop) == STOPPED
    assert await decision(texter) == ("scheduled", None)


async def test_start_in_a_survey_repeats_the_question(line: Line) -> None:
    texter = somebody(line)
    survey_id = await texter.asked()
    assert ASKS_SCORE in await texter.writes("START")
    assert len((await line.story(survey_id))["turns"]) == 1


@pytest.mark.parametrize("word", ["HELP", "info", "Pomoc!", "hjelp", "aide"])
async def test_help_says_who_we_are(line: Line, word: str) -> None:
    texter = somebody(line)
    assert (await texter.writes(word)).startswith(WHO_WE_ARE)
    survey_id = await texter.asked()
    assert (await texter.writes(word)).startswith(WHO_WE_ARE)
    assert await texter.writes(word, OptOutType="HELP") == ""
    assert len((await line.story(survey_id))["turns"]) == 1


async def test_whoever_writes_unasked_or_afterwards_gets_no_answer(line: Line) -> None:
    texter = somebody(line)
    assert await texter.writes("hello?") == ""
    survey_id = await texter.asked()
    await texter.writes("10")
    await texter.writes("no comment")
    assert (await line.story(survey_id))["status"] == "completed"
    assert await texter.writes("oh, and one more thing") == ""
    assert await texter.writes("9") == ""


async def test_an_answer_from_another_channel_or_number_is_not_this_surveys(line: Line) -> None:
    texter = somebody(line)
    survey_id = await texter.asked()
    assert await Texter(line, texter.phone, "whatsapp").writes("9") == ""
    assert await somebody(line).writes("9") == ""
    assert (await line.story(survey_id))["response"] is None


@pytest.mark.parametrize(
    ("body", "asks_again"),
    [
        ("", True),
        ("🙂🙂", True),
        ("<b>x</b>", True),
        ("\x00\x07", True),
        ("מאוד", True),
        ("9\x00", False),
        ("9️⃣", False),
    ],
)
async def test_whatever_is_written_has_an_answer(line: Line, body: str, asks_again: bool) -> None:
    texter = somebody(line)
    survey_id = await texter.asked()
    answer = await texter.writes(body, NumMedia="1")
    assert ("main reason" in answer) != asks_again
    assert answer
    assert (await line.story(survey_id))["status"] == "in_progress"


async def test_ten_thousand_characters_are_kept_as_a_comment_of_two_thousand(line: Line) -> None:
    texter = somebody(line)
    survey_id = await texter.asked()
    await texter.writes("3")
    assert "call you back" in await texter.writes("ź" * 10_000)
    assert (await line.story(survey_id))["response"]["comment"] == "ź" * 2_000


async def test_of_messages_that_come_at_once_none_is_lost(line: Line) -> None:
    for _ in range(5):
        texter = somebody(line)
        survey_id = await texter.asked()
        await asyncio.gather(*(texter.writes(each) for each in ("3", "2", "4")))
        story = await line.story(survey_id)
        heard = [turn["heard"]["text"] for turn in story["turns"] if turn["heard"]]
        assert sorted(heard) == ["2", "3", "4"]


async def test_a_forged_message_changes_nothing(line: Line) -> None:
    texter = somebody(line)
    survey_id = await texter.asked()
    assert (await texter.posts({"Body": "9"}, token="wrong")).status_code == 403
    assert len((await line.story(survey_id))["turns"]) == 1


@pytest.mark.parametrize("sender", ["12345", "Northwind", "messenger:4711", ""])
async def test_a_sender_nobody_can_answer_is_passed_over(line: Line, sender: str) -> None:
    form = {"MessageSid": "SM" + "4" * 32, "From": sender, "To": OURS, "Body": "stop"}
    assert messages_in(await post(line, "/twilio/messages", form)) == []


async def test_an_answer_to_a_survey_in_norwegian_is_heard_in_norwegian(line: Line) -> None:
    texter = somebody(line)
    survey_id = await texter.asked(language="nb")
    assert "oppringt" not in await texter.writes("ni")
    assert (await line.story(survey_id))["response"]["score"] == 9


async def test_while_the_database_is_away_an_apology_is_written(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> UUID:
        raise TimeoutError

    monkeypatch.setattr(correspondence, "read_receipt", away)
    answer = await somebody(line).writes("9")
    assert answer.startswith("Sorry, we have a technical problem")
