"""What a channel witnessed. Silence is never an empty string, and hanging up is never silence."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Keys:
    """Keys pressed on a phone, in order: digits, ``*`` and ``#``; the key that ended the entry is not among them."""

    digits: str


@dataclass(frozen=True)
class Words:
    """Something said or written.

    ``spoken`` tells speech from text: a recogniser's slips ("ate" for eight) are forgiven only where there was one.
    ``confidence`` is the recogniser's own, 0.0-1.0; None where nobody measured it.
    """

    text: str
    spoken: bool = False
    confidence: float | None = None


@dataclass(frozen=True)
class Silence:
    """The time for an answer went by and nothing came."""


@dataclass(frozen=True)
class Unheard:
    """Something was said, and no recogniser could tell in time what it was."""


@dataclass(frozen=True)
class Left:
    """The person hung up or closed the chat."""


Heard = Keys | Words | Silence | Unheard | Left


def to_json(heard: Heard) -> dict[str, Any]:
    """What was heard as plain JSON types, for the survey's story."""
    return {"heard": type(heard).__name__.lower(), **vars(heard)}
