"""Who calls us, as far as the carrier's form tells: a number, or the interaction that a transfer names."""

import re
from collections.abc import Mapping
from urllib.parse import unquote

from app.phone_numbers import UnusableNumber, parse_phone_number

# What a PBX writes on a call that it transfers, and the carrier's name for it.
INTERACTION_HEADER = "SipHeader_X-Interaction"
LONGEST_INTERACTION_ID = 200
# The carrier's numbers for callers who withhold theirs, spelled on the keypad: ANONYMOUS, RESTRICTED, BLOCKED, UNKNOWN,
# UNAVAILABLE. Source: https://www.twilio.com/docs/voice/twiml, "From".
WITHHELD = frozenset({"+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253"})
_ADDRESS = re.compile(r"(?:sips?|tel):(?P<user>[^@;?]+)", re.IGNORECASE)


def caller_number(form: Mapping[str, str]) -> str | None:
    """The caller's number in E.164, from ``+44...``, ``sip:+44...@pbx`` or ``tel:+44...``; None where it is withheld,
    unknown, or no number that the whole world could dial.
    """
    written = form.get("From", "").strip()
    address = _ADDRESS.match(written)
    user = unquote(address["user"]) if address else written
    number = f"+{user[2:]}" if user.startswith("00") else user
    try:
        return None if number in WITHHELD else parse_phone_number(number).e164
    except UnusableNumber:
        return None


def transferred_interaction(form: Mapping[str, str]) -> str | None:
    """The id of the interaction that the caller comes from, where the PBX named it in the header ``X-Interaction``."""
    named = next((value for name, value in form.items() if name.lower() == INTERACTION_HEADER.lower()), "")
    return unquote(named).strip()[:LONGEST_INTERACTION_ID].replace("\0", "") or None
