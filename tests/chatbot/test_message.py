"""How a turn is written."""

from pathlib import Path

import pytest

from app.chatbot import messages
from app.chatbot.message import WrittenMessage
from app.config import load_flows
from app.survey import Button, Flow, Turn, Words, dialogue


@pytest.fixture(scope="module")
def flow() -> Flow:
    return load_flows(Path("flows"))["nps"]


@pytest.fixture
def opening(flow: Flow) -> Turn:
    return dialogue.begin(flow, "en", {"brand": "Northwind", "record": "no"})


def test_a_chat_gets_a_message_for_each_prompt_and_the_buttons_under_the_last(
    flow: Flow, opening: Turn
) -> None:
    greeting, question = messages(opening, flow.wording("en"), "chat")
    assert "Northwind" in greeting.text
    assert greeting.buttons == ()
    assert "0" in question.text
    assert question.buttons == tuple(Button(str(score), str(score)) for score in range(11))


@pytest.mark.parametrize("channel", ["sms", "whatsapp"])
def test_a_phone_gets_one_message_without_buttons(flow: Flow, opening: Turn, channel: str) -> None:
    wording = flow.wording("en")
    [message] = messages(opening, wording, channel)  # type: ignore[arg-type]  # one of the literals
    assert message.buttons == ()
    for prompt in opening.say:
        assert wording.text(prompt, channel) in message.text


def test_a_prompt_for_voices_alone_is_not_written(flow: Flow, opening: Turn) -> None:
    asked_why = dialogue.step(flow, opening.state, Words("9"))
    assert "recording_notice" in [prompt.name for prompt in asked_why.say]
    written = messages(asked_why, flow.wording("en"), "chat")
    assert [message.buttons for message in written] == [(Button("Skip", "skip"),)]


def test_a_turn_that_says_nothing_is_no_message(flow: Flow, opening: Turn) -> None:
    stopped = dialogue.step(flow, opening.state, Words("stop"))
    assert messages(stopped, flow.wording("en"), "chat") == [
        WrittenMessage("All right, we won't ask you again. Thank you.")
    ]
    assert messages(dialogue.step(flow, stopped.state, Words("9")), flow.wording("en"), "chat") == []
