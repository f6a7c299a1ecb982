"""What a prompt is made of as sound: one file, or parts with the values between them.

A prompt without values is ``<prompt>.wav``. One with values is cut at its placeholders: ``<prompt>.1.wav`` and so on
for what is said around them, ``value.<placeholder>.<value>.wav`` for the values themselves, which all prompts share.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from string import Formatter

from app.survey import Prompt, Wording

VOICE = "voice"
SCORES = tuple(str(score) for score in range(11))


@dataclass(frozen=True)
class PromptPiece:
    """One file: its ``name`` without the ending, the ``text`` to be read, and for a part the sentence it belongs to."""

    name: str
    text: str
    context: str = ""


def pieces(wording: Wording, prompt: Prompt) -> tuple[PromptPiece, ...]:
    """The files that say this prompt, in order; empty where the voice says nothing."""
    values = dict(prompt.values)
    cut = _cut(prompt.name, wording.responses[prompt.name].variant(VOICE))
    return tuple(each if isinstance(each, PromptPiece) else value(each.placeholder, values) for each in cut)


def needed(wording: Wording, prompts: Iterable[str], brands: Iterable[str]) -> Mapping[str, PromptPiece]:
    """Every file that these prompts need, by name, for these brands and for each score."""
    known = {"brand": tuple(brands), "score": SCORES}
    parts: dict[str, PromptPiece] = {}
    values: dict[str, PromptPiece] = {}
    for name in sorted(prompts):
        for part in _cut(name, wording.responses[name].variant(VOICE)):
            if isinstance(part, PromptPiece):
                parts[part.name] = part
            else:
                gap = part.placeholder
                found = (value(gap, {gap: known_value}) for known_value in known[gap])
                values |= {piece.name: piece for piece in found}
    return parts | values


def value(placeholder: str, values: Mapping[str, str]) -> PromptPiece:
    """The piece that says a value: ``value.<placeholder>.<slug of the value>``, for every prompt with it."""
    return PromptPiece(f"value.{placeholder}.{slug(values[placeholder])}", values[placeholder])


def slug(text: str) -> str:
    """A value as a file's name: "Café Nord" is ``cafe-nord``. What Latin letters cannot hold adds a short digest."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    letters = [each for each in decomposed if not unicodedata.combining(each)]
    plain = re.sub(r"[^a-z0-9]+", "-", "".join(letters)).strip("-")
    if all(each.isascii() or not each.isalnum() for each in letters) and plain:
        return plain
    digest = sha256(unicodedata.normalize("NFC", text.casefold()).encode()).hexdigest()[:8]
    return f"{plain}-{digest}".lstrip("-")


def same_words(one: str, other: str) -> bool:
    """Whether a recording of one text still says the other: only letters and digits count."""
    return _words(one) == _words(other)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", unicodedata.normalize("NFC", text).casefold())


@dataclass(frozen=True)
class _Gap:
    placeholder: str


def _cut(name: str, text: str) -> Iterator[PromptPiece | _Gap]:
    cuts = list(Formatter().parse(text))
    whole = all(placeholder is None for _, placeholder, _, _ in cuts)
    number = 0
    for literal, placeholder, _, _ in cuts:
        said = _without_loose_ends(literal)
        if said:
            number += 1
            yield PromptPiece(name, said) if whole else PromptPiece(f"{name}.{number}", said, text)
        if placeholder is not None:
            yield _Gap(placeholder)


def _without_loose_ends(literal: str) -> str:
    """What is to be read of a literal: no punctuation in front, and nothing where there is punctuation only."""
    said = re.sub(r"^[\s.,;:!?…)»”]+", "", literal).strip()
    return said if any(each.isalnum() for each in said) else ""
