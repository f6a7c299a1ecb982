"""What a chat shows, as Rasa's channels write it."""

from typing import Any

from app.chatbot.chat import Chats, Hints
from app.chatbot.message import messages
from app.chatbot.progress import progress
from app.conversation import CurrentTurn
from app.survey import LONGEST_COMMENT

Reply = dict[str, Any]


def rest_replies(
    chats: Chats, current: CurrentTurn, recipient: str, hints: Hints, *, opening: bool
) -> list[Reply]:
    """The messages of the REST channel; for our own widget the last one tells how to show the question."""
    replies: list[Reply] = []
    for message in messages(current.turn, chats.wording_of(current), "chat"):
        reply: Reply = {"recipient_id": recipient, "text": message.text}
        if message.buttons:
            reply["buttons"] = [vars(button) for button in message.buttons]
        replies.append(reply)
    if hints.widget:
        replies = replies or [{"recipient_id": recipient}]
        replies[-1]["custom"] = custom(chats, current, opening=opening)
    return replies


def custom(chats: Chats, current: CurrentTurn, *, opening: bool) -> Reply:
    """What our widget needs besides: the kind of question, the turn to answer, and on opening the words it shows."""
    turn, wording = current.turn, chats.wording_of(current)
    known: Reply = {
        "kind": None if turn.ask is None else turn.ask.kind,
        "turn": current.turn_no,
        "progress": progress(chats.flows[turn.state.flow], turn),
        "score": turn.state.slots.get("score"),
        "done": turn.ask is None,
    }
    if opening:
        known |= {"labels": dict(wording.labels), "locale": wording.locale, "longest": LONGEST_COMMENT}
    return known


def socket_replies(chats: Chats, current: CurrentTurn) -> list[Reply]:
    """The messages of the socket.io channel."""
    replies: list[Reply] = []
    for message in messages(current.turn, chats.wording_of(current), "chat"):
        reply: Reply = {"text": message.text}
        if message.buttons:
            reply["quick_replies"] = [
                {"content_type": "text", "title": button.title, "payload": button.payload}
                for button in message.buttons
            ]
        replies.append(reply)
    return replies
