"""The survey inside an assistant: what is asked, of whom, and that nothing of it is lost."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from app.config import Settings
from app.store import Pool
from tests.chatbot.rasa.assistant import START, Assistant
from tests.line import Line, a_line


@pytest.fixture
async def line(settings: Settings) -> AsyncIterator[Line]:
    async with a_line(settings, worker=False, brand="Fjord Power") as running:
        yield running


@pytest.fixture
def pool(line: Line) -> Pool:
    return line.services.pool


async def fetch(pool: Pool, query: str, *values: object) -> list[Any]:
    async with pool.connection() as connection:
        return await (await connection.execute(query.encode(), values)).fetchall()


async def statuses(pool: Pool) -> list[str]:
    return [each[0] for each in await fetch(pool, "SELECT status FROM surveys ORDER BY created_at")]


def buttons(assistant: Assistant) -> list[str]:
    return [button["payload"] for button in assistant.said[-1]["buttons"]]


async def test_the_buttons_are_the_scores_then_skipping(line: Line) -> None:
    assistant = Assistant(line.http)
    await assistant.say(START)
    assert buttons(assistant) == [str(score) for score in range(11)]
    await assistant.say("0")
    [skip] = buttons(assistant)
    await assistant.say(skip)
    assert buttons(assistant) == ["yes", "no"]
    rows = await fetch(line.services.pool, "SELECT score, comment FROM responses")
    assert rows == [(0, None)]


async def test_the_metadata_become_the_interaction(line: Line, pool: Pool) -> None:
    assistant = Assistant(line.http)
    metadata = {
        "queue": "billing",
        "agent": "anna",
        "crm_id": "0035g",
        "phone": "+48 22 123 45 67",
        "email": "a@b.pl",
        "name": "Ewa",
        "timezone": "Europe/Warsaw",
        "language": "pl",
        "consent": True,
        "talk_seconds": 212,
        "attributes": {"segment": "smb"},
        "page": "/of/somebody/else",
    }
    await assistant.say(START, metadata)
    assert assistant.texts[0].startswith("Dzień dobry")
    await assistant.say("dziewięć")
    rows = await fetch(
        pool,
        "SELECT interactions.channel, survey_by, interactions.queue, interactions.agent, crm_id, phone, email, name,"
        " timezone, interactions.language, consent, talk_seconds, attributes, decision FROM interactions",
    )
    assert rows == [
        ("chat", "chat", "billing", "anna", "0035g", "+48221234567", "a@b.pl", "Ewa", "Europe/Warsaw", "pl", True, 212,
         {"segment": "smb"}, "scheduled")
    ]  # fmt: skip
    [report] = await line.report()
    assert (report["group"], report["invited"], report["reached"], report["promoters"]) == (
        "billing",
        1,
        1,
        1,
    )


@pytest.mark.parametrize("language", ["no", "nn-NO", "Norsk"])
async def test_the_language_may_have_any_of_its_names(line: Line, pool: Pool, language: str) -> None:
    assistant = Assistant(line.http)
    await assistant.say(START, {"language": language})
    assert assistant.texts[0].startswith("Hei!")
    assert await fetch(pool, "SELECT language FROM surveys") == [("nb",)]
    await assistant.say("nei takk")
    assert await assistant.say("take the survey", {"language": language}, intent="start_survey") != []


async def test_metadata_of_an_earlier_message_of_the_session_count_and_later_ones_win(
    line: Line, pool: Pool
) -> None:
    assistant = Assistant(line.http)
    await assistant.say("hello", {"queue": "sales", "agent": "anna"})
    await assistant.say("thanks", {"queue": "billing", "agent": None})
    await assistant.say(START)
    assert await fetch(pool, "SELECT queue, agent FROM interactions") == [("billing", "anna")]


async def test_metadata_of_an_earlier_session_do_not_count(line: Line, pool: Pool) -> None:
    assistant = Assistant(line.http)
    await assistant.say("hello", {"queue": "sales"})
    assistant.begin_session({})
    await assistant.say(START)
    assert await fetch(pool, "SELECT queue FROM interactions") == [("rasa",)]


async def test_who_may_not_be_asked_is_asked_nothing(
    line: Line, pool: Pool, subtests: pytest.Subtests
) -> None:
    refused: list[dict[str, object]] = [
        {"consent": False},
        {"consent": "no"},
        {"phone": "not a number"},
        {"queue": ""},
        {"queue": ["billing"]},
        {"language": "xx"},
        {"language": 7},
        {"attributes": "none"},
        {"token": "made up"},
        {"token": 7},
        {"crm_id": "a\0b"},
    ]
    for metadata in refused:
        with subtests.test(metadata=metadata):
            assistant = Assistant(line.http)
            assert await assistant.say(START, metadata) == []
            assert assistant.form is None
            assert assistant.slots["nps_answer"] is None
            assert await statuses(pool) == []


async def test_who_asks_for_the_survey_in_words_is_told_that_there_is_none(line: Line) -> None:
    assistant = Assistant(line.http)
    said = await assistant.say("take the survey", {"consent": False, "language": "fr"}, intent="start_survey")
    wording = line.services.flows["nps"].wording("fr")
    assert assistant.texts == [wording.responses["not_now"].variant("chat")]
    assert said[0]["buttons"] == []


async def test_a_triggers_token_opens_the_triggers_survey(line: Line, pool: Pool) -> None:
    decided = await line.trigger(channel="chat", survey_by="chat", queue="billing", language="nb")
    assistant = Assistant(line.http)
    metadata = {"token": decided["chat"]["token"], "queue": "ignored"}
    await assistant.say(START, metadata)
    await assistant.say("10", metadata)
    await assistant.say("hopp over", metadata)
    story = await line.story(decided["survey_id"])
    assert (story["status"], story["response"]["score"]) == ("completed", 10)
    assert await fetch(pool, "SELECT queue FROM interactions") == [("billing",)]
    assert await assistant.say(START, metadata) == [], "it has been answered"
    assert await statuses(pool) == ["completed"]


async def test_the_same_person_is_not_asked_again_soon_and_neither_is_the_same_sender(
    line: Line, pool: Pool
) -> None:
    for metadata in ({"crm_id": "c1"}, {}):
        sender = uuid4().hex
        first = Assistant(line.http, sender)
        await first.say(START, metadata)
        await first.say("9", metadata)
        await first.say("skip", metadata)
        assert await first.say(START, metadata) == [], "the same session"
        first.begin_session(metadata)
        assert await first.say(START, metadata) == [], "another session"
        other = Assistant(line.http, sender if not metadata else uuid4().hex)
        assert await other.say(START, metadata) == [], "a Rasa server that has forgotten everything"
    assert await statuses(pool) == ["completed", "completed"]
    reasons = {
        each[0] for each in await fetch(pool, "SELECT reason FROM interactions WHERE decision = 'skipped'")
    }
    assert reasons == {"surveyed_recently"}


async def test_one_sender_has_a_survey_for_each_interaction_where_the_rules_allow_it(
    settings: Settings,
) -> None:
    async with a_line(settings, worker=False, survey_every_days=0) as line:
        assistant = Assistant(line.http)
        for number in ("1", "2", "1"):
            await assistant.say(START, {"interaction": number})
            if assistant.form:
                await assistant.say("9")
                await assistant.say("skip")
        assistant.begin_session({})
        await assistant.say(START)
        assert await statuses(line.services.pool) == ["completed", "completed", "in_progress"]


async def test_stop_is_remembered_of_a_sender_of_whom_nothing_else_is_known(settings: Settings) -> None:
    async with a_line(settings, worker=False, survey_every_days=0) as line:
        assistant = Assistant(line.http)
        await assistant.say(START)
        await assistant.say("stop")
        wording = line.services.flows["nps"].wording("en")
        assert assistant.texts == [wording.responses["opted_out"].variant("chat")]
        assistant.begin_session({})
        assert await assistant.say(START) == []
        rows = await fetch(line.services.pool, "SELECT reason FROM interactions WHERE decision = 'skipped'")
        assert rows == [("opted_out",)]


async def test_a_survey_that_a_session_left_behind_is_taken_up_again(line: Line, pool: Pool) -> None:
    assistant = Assistant(line.http)
    await assistant.say(START)
    await assistant.say("3")
    question = assistant.texts[-1]
    assistant.begin_session({})
    await assistant.say(START)
    assert assistant.texts == [question]
    await assistant.say("too slow")
    assert await fetch(pool, "SELECT score, comment FROM responses") == [(3, "too slow")]
    assert await statuses(pool) == ["in_progress"]


async def test_a_message_that_is_delivered_twice_is_heard_once(line: Line, pool: Pool) -> None:
    assistant = Assistant(line.http)
    await assistant.say(START)
    await assistant.say("7", message_id="m1")
    question = assistant.texts
    await assistant.say("7", message_id="m1")
    assert assistant.texts == question
    assert await fetch(pool, "SELECT score, comment FROM responses") == [(7, None)]


async def test_an_id_that_another_conversation_uses_too_is_another_message(line: Line, pool: Pool) -> None:
    for number in ("1", "2"):
        assistant = Assistant(line.http)
        await assistant.say(START)
        await assistant.say(number, message_id="m1")
        question = assistant.texts
        await assistant.say("too slow", message_id="m1")
        assert assistant.texts == question
    assert await fetch(pool, "SELECT score, comment FROM responses ORDER BY score") == [(1, None), (2, None)]


@pytest.mark.parametrize("message_id", ["".join(uuid4().hex for _ in range(300)), "\0", "\ud800", " "])
async def test_a_message_with_an_odd_id_is_heard(line: Line, pool: Pool, message_id: str) -> None:
    assistant = Assistant(line.http)
    await assistant.say(START)
    await assistant.say("7", message_id=message_id)
    assert buttons(assistant) == ["skip"]
    assert await fetch(pool, "SELECT score FROM responses") == [(7,)]


async def test_an_action_that_is_called_twice_answers_the_same(line: Line, pool: Pool) -> None:
    assistant = Assistant(line.http)
    await assistant.say(START)
    for _ in range(2):
        await assistant.call("validate_nps_form")
        again = await assistant.call("action_ask_nps_answer")
        assert again.json()["responses"] == assistant.said
    assert await statuses(pool) == ["in_progress"]


async def test_a_survey_that_a_dashboard_starts(line: Line, pool: Pool) -> None:
    assistant = Assistant(line.http)
    await assistant.say("hello", {"queue": "billing"})
    await assistant.trigger()
    assert buttons(assistant)[-1] == "10"
    question = assistant.texts
    await assistant.trigger()
    assert assistant.texts == question, "to be asked for it once more is no answer"
    await assistant.say("9")
    await assistant.say("fast")
    assert await fetch(pool, "SELECT queue, score, comment FROM responses") == [("billing", 9, "fast")]
    assert await assistant.trigger() == [], "asked already"


async def test_what_is_no_message_gets_the_question_once_more(line: Line, pool: Pool) -> None:
    assistant = Assistant(line.http)
    await assistant.say(START)
    question = assistant.texts
    for text in ("", "\0", "/start_survey", "/restart", "/something{}"):
        await assistant.say(text)
        assert assistant.texts == question
    assert await fetch(pool, "SELECT count(*) FROM turns") == [(1,)]


async def test_odd_messages_are_asked_about_once_then_left_in_peace(
    line: Line, pool: Pool, subtests: pytest.Subtests
) -> None:
    odd = ["a\0b", "x" * 10_000, "👍🏽", "\u202eשלום", "<img src=x onerror=alert()>", "\x07\x1b[2J", "\ud800"]
    for text in odd:
        with subtests.test(text=text[:10]):
            assistant = Assistant(line.http)
            await assistant.say(START)
            await assistant.say(text)
            asked_again = assistant.form
            await assistant.say(text)
            assert (asked_again, assistant.form) == ("nps_form", None)
            assert assistant.texts
            assert all("<" not in each for each in assistant.texts)
    assert await statuses(pool) == ["partial"] * len(odd)


async def test_the_form_goes_on_after_something_else_was_answered(line: Line, pool: Pool) -> None:
    assistant = Assistant(line.http)
    await assistant.say(START)
    question = assistant.texts
    assistant.latest = assistant.latest | {"text": "when do you open?", "message_id": uuid4().hex}
    await assistant.come_back()
    assert assistant.texts == question
    assert await fetch(pool, "SELECT count(*) FROM turns") == [(1,)]


async def test_a_survey_that_was_closed_elsewhere_ends_the_form(line: Line, pool: Pool) -> None:
    assistant = Assistant(line.http)
    await assistant.say(START)
    await fetch(pool, "UPDATE surveys SET status = 'opted_out' RETURNING id")
    await assistant.say("9")
    assert assistant.form is None
    assert await fetch(pool, "SELECT count(*) FROM responses") == [(0,)]


async def test_an_action_that_fails_apologises_and_ends_the_form(
    line: Line, pool: Pool, capsys: pytest.CaptureFixture[str]
) -> None:
    assistant = Assistant(line.http)
    await assistant.say(START, {"language": "pl"})
    async with pool.connection() as connection:
        await connection.execute("ALTER TABLE surveys RENAME TO moved")
    await assistant.say("9", {"language": "pl"})
    wording = line.services.flows["nps"].wording("pl")
    assert assistant.texts == [wording.responses["apology"].variant("chat")]
    assert assistant.form is None
    assert await assistant.say(START, {"language": "pl"}) == assistant.said
    assert assistant.texts == [wording.responses["apology"].variant("chat")]
    assert "rasa_action_failed" in capsys.readouterr().out


async def test_a_survey_goes_on_in_rasa_where_the_web_chat_left_it(line: Line) -> None:
    decided = await line.trigger(channel="chat", survey_by="chat", language="en")
    token = decided["chat"]["token"]
    await line.http.post("/webhooks/rest/webhook", json={"sender": token, "message": "/start"})
    await line.http.post("/webhooks/rest/webhook", json={"sender": token, "message": "4"})
    assistant = Assistant(line.http)
    await assistant.say(START, {"token": token})
    await assistant.say("rude")
    story = await line.story(decided["survey_id"])
    assert (story["response"]["score"], story["response"]["comment"]) == (4, "rude")


async def test_neither_senders_nor_messages_are_logged(
    line: Line, capsys: pytest.CaptureFixture[str]
) -> None:
    sender = "whatsapp:+48221234567"
    await Assistant(line.http, sender).say(START, {"phone": "+48221234567", "token": "made-up-token"})
    await Assistant(line.http, sender).say(START, {"phone": "+482212345678888888"})
    logged = capsys.readouterr().out
    assert "rasa_token_refused" in logged
    assert "rasa_metadata_refused" in logged
    assert "48221234567" not in logged
    assert "made-up-token" not in logged
