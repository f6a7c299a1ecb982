"""Surveys inside conversations that Twilio hosts."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio

from app.rehearsal.twilio.conversations import ConversationLine as Said
from tests.calls import line_on
from tests.chatbot.texting import post
from tests.line import DONE, Line, eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def line(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Line]:
    data_dir: Path = tmp_path_factory.mktemp("line")
    async with line_on(module_database_url, data_dir, brand="our company") as running:
        yield running


class Thread:
    """A conversation at the carrier, with a customer and an agent in it."""

    def __init__(self, line: Line) -> None:
        self.line, self.sid = line, f"CH{uuid4().hex}"

    async def surveyed(self, **attributes: str) -> str:
        """The interaction in it has ended, and its survey's first question stands in it."""
        decided = await self.line.trigger(
            survey_by="chat",
            channel="chat",
            customer={"crm_id": uuid4().hex},
            attributes={"conversation_sid": self.sid, **attributes},
        )
        await self.ours(1)
        return str(decided["survey_id"])

    async def ours(self, count: int) -> str:
        """Wait for our so-manieth message, and give its text."""

        def written() -> list[Said]:
            said = self.line.carrier.conversations.lines(self.sid)
            return [each for each in said if each.author == "zeroten"]

        async def there() -> bool:
            return len(written()) >= count

        await eventually(there, written)
        assert len(written()) == count
        return written()[count - 1].body

    async def says(self, body: str, author: str = "ewa", times: int = 1) -> None:
        """Somebody writes in it."""
        url = f"{self.line.services.settings.public_url}/twilio/conversations"
        await self.line.carrier.conversations.say(self.sid, author, body, url, times)


async def test_a_survey_is_asked_and_answered_in_its_conversation(line: Line) -> None:
    thread = Thread(line)
    survey_id = await thread.surveyed()
    assert "How likely is it that you would recommend our company" in await thread.ours(1)
    await thread.says("I'd say nine")
    assert "main reason" in await thread.ours(2)
    await thread.says("friendly people")
    assert "Thank you" in await thread.ours(3)
    story = await line.until(survey_id, *DONE)
    assert (story["status"], story["response"]["score"], story["response"]["channel"]) == (
        "completed",
        9,
        "chat",
    )
    [row] = [each for each in await line.report(group_by="channel") if each["group"] == "chat"]
    assert (row["invited"], row["reached"]) == (1, 1)


async def test_a_message_that_is_told_of_twice_is_answered_once(line: Line) -> None:
    thread = Thread(line)
    survey_id = await thread.surveyed()
    await thread.says("8", times=2)
    await thread.ours(2)
    await thread.says("fast", times=2)
    await thread.ours(3)
    assert (await line.until(survey_id, *DONE))["response"]["comment"] == "fast"


async def test_a_message_that_another_conversation_took_is_no_answer(line: Line) -> None:
    first, second = Thread(line), Thread(line)
    await first.surveyed()
    survey_id = await second.surveyed()
    form = {"EventType": "onMessageAdded", "Author": "ewa", "MessageSid": f"IM{uuid4().hex}", "Body": "8"}
    for thread in (first, second):
        answer = await post(line, "/twilio/conversations", form | {"ConversationSid": thread.sid})
        assert answer.status_code == 204
    await first.ours(2)
    assert len((await line.story(survey_id))["turns"]) == 1


async def test_our_own_messages_and_other_events_are_no_answers(line: Line) -> None:
    thread = Thread(line)
    survey_id = await thread.surveyed()
    await thread.says("8", author="zeroten")
    form = {"EventType": "onMessageUpdated", "ConversationSid": thread.sid, "MessageSid": "IM1", "Body": "8"}
    assert (await post(line, "/twilio/conversations", form)).status_code == 204
    assert len((await line.story(survey_id))["turns"]) == 1


async def test_only_the_named_author_answers_where_one_is_named(line: Line) -> None:
    thread = Thread(line)
    survey_id = await thread.surveyed(conversation_author="ewa")
    await thread.says("8", author="agent anna")
    assert len((await line.story(survey_id))["turns"]) == 1
    await thread.says("stop")
    await thread.ours(2)
    assert (await line.story(survey_id))["status"] == "opted_out"


async def test_a_conversation_without_a_survey_is_left_alone(line: Line) -> None:
    thread = Thread(line)
    await thread.says("hello?")
    assert len(line.carrier.conversations.lines(thread.sid)) == 1


async def test_a_forged_message_in_a_conversation_changes_nothing(line: Line) -> None:
    thread = Thread(line)
    survey_id = await thread.surveyed()
    form = {"EventType": "onMessageAdded", "ConversationSid": thread.sid, "MessageSid": "IM2", "Body": "8"}
    assert (await post(line, "/twilio/conversations", form, token="wrong")).status_code == 403
    assert len((await line.story(survey_id))["turns"]) == 1
