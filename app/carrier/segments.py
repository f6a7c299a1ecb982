"""How many segments a text message is billed as: GSM 03.38, or UCS-2 as soon as one character is outside it."""

from dataclasses import dataclass
from typing import Literal

# 3GPP TS 23.038, 6.2.1: the default alphabet, and the table behind its escape character, whose characters take two.
BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = frozenset("\f^{}\\[~]|€")
# Each of several parts gives six octets to the header that joins them.
LIMITS = {"GSM-7": (160, 153), "UCS-2": (70, 67)}

Encoding = Literal["GSM-7", "UCS-2"]


@dataclass(frozen=True)
class Segments:
    """``units`` are septets in GSM-7 and 16-bit code units in UCS-2."""

    encoding: Encoding
    units: int
    count: int


def segments(text: str) -> Segments:
    """What a message of this text is sent as. No character is torn apart between two segments."""
    encoding: Encoding = "GSM-7" if set(text) <= BASIC | EXTENSION else "UCS-2"
    sizes = [_size(each, encoding) for each in text]
    whole, part = LIMITS[encoding]
    units = sum(sizes)
    return Segments(encoding, units, 1 if units <= whole else _parts(sizes, part))


def _size(character: str, encoding: Encoding) -> int:
    if encoding == "GSM-7":
        return 2 if character in EXTENSION else 1
    return 2 if ord(character) > 0xFFFF else 1


def _parts(sizes: list[int], room: int) -> int:
    parts, used = 1, 0
    for size in sizes:
        if used + size > room:
            parts, used = parts + 1, 0
        used += size
    return parts
