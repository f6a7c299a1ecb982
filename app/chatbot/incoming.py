"""A message that somebody wrote to us, as the carrier posts it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from app.phone_numbers import UnusableNumber, parse_phone_number

MessageChannelName = Literal["sms", "whatsapp"]
CarrierKeyword = Literal["STOP", "START", "HELP"]
WHATSAPP = "whatsapp:"
LONGEST_TEXT = 10_000


@dataclass(frozen=True)
class Incoming:
    """``sid`` is the carrier's id, the same however often it posts the message; ``phone`` is E.164.

    ``handled`` is the keyword that the carrier itself has already answered (Advanced Opt-Out), if any. A picture
    without words has an empty ``text``.
    """

    sid: str
    channel: MessageChannelName
    phone: str = field(repr=False)
    text: str = field(repr=False)
    handled: CarrierKeyword | None = None


def incoming(form: Mapping[str, str]) -> Incoming | None:
    """The message in a webhook's form; None where nobody could be answered: a short code, a name, another network."""
    sender = form.get("From", "")
    handled: CarrierKeyword | None
    match form.get("OptOutType", "").upper():
        case "STOP" | "START" | "HELP" as handled:
            pass
        case _:
            handled = None
    try:
        phone = parse_phone_number(sender.removeprefix(WHATSAPP)).e164
    except UnusableNumber:
        return None
    return Incoming(
        sid=form.get("MessageSid", ""),
        channel="whatsapp" if sender.startswith(WHATSAPP) else "sms",
        phone=phone,
        text=(form.get("Body", "") or form.get("ButtonText", ""))[:LONGEST_TEXT],
        handled=handled,
    )
