"""Turn -> text and quick replies, for every channel that writes. Pure."""

from dataclasses import dataclass
from typing import Literal

from app.survey import Button, Turn, Wording

WrittenChannel = Literal["chat", "sms", "whatsapp"]
BETWEEN_PROMPTS = {"sms": " ", "whatsapp": "\n"}


@dataclass(frozen=True)
class WrittenMessage:
    """One message: its text, which is never empty, and the quick replies to it (none where the channel shows none)."""

    text: str
    buttons: tuple[Button, ...] = ()


def messages(turn: Turn, wording: Wording, channel: WrittenChannel) -> list[WrittenMessage]:
    """What is written for a turn: in a chat one message for each prompt, elsewhere one for all of them.

    Prompts that the channel says nothing for are left out; a turn of nothing else gives an empty list. The last
    message of a chat's turn carries the quick replies.
    """
    texts = [text for prompt in turn.say if (text := wording.text(prompt, channel))]
    if not texts:
        return []
    if channel != "chat":
        return [WrittenMessage(BETWEEN_PROMPTS[channel].join(texts))]
    buttons = () if turn.ask is None else wording.buttons(turn.ask)
    return [*(WrittenMessage(text) for text in texts[:-1]), WrittenMessage(texts[-1], buttons)]


def text_of(turn: Turn, wording: Wording, channel: WrittenChannel) -> str:
    """All that is written for a turn, as the text of one message; empty where the channel says nothing."""
    return "\n".join(message.text for message in messages(turn, wording, channel))
