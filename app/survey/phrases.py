"""Phrases and what they mean for hearing: a table that marks a sentence with the longest phrase at each place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Flag, auto
from typing import Generic, TypeVar

from app.survey.tokens import is_word

ABOVE_TEN = 11

T = TypeVar("T")

_SCALE = frozenset(map(str, range(11)))


class Label(Flag):
    """What a phrase does in a sentence. One phrase may do several things: "sorry" fills, and asks to repeat."""

    NONE = 0
    FILLER = auto()
    NOUN = auto()
    NEGATION = auto()
    HEDGE = auto()
    LOWEST = auto()
    ALTERNATIVE = auto()
    REASON = auto()
    UNIT = auto()
    FRACTION = auto()
    OUT_OF = auto()
    SCALE = auto()
    YES = auto()
    NO = auto()
    SKIP = auto()
    NOTHING = auto()
    UNKNOWN = auto()
    REPEAT = auto()
    STOP = auto()
    OPT_OUT = auto()


DENYING = Label.NEGATION | Label.HEDGE


@dataclass(frozen=True, slots=True)
class Number:
    """What a form stands for. ``weak`` forms are also ordinary words, ``article`` forms the weakest of them."""

    value: int
    weak: bool = False
    article: bool = False


@dataclass(frozen=True, slots=True)
class PhraseItem:
    """A word, a mark or a number. Strong numbers have digits as their key: "ten" and "10" match the same phrases."""

    key: str
    number: Number | None = None


@dataclass(frozen=True, slots=True)
class PhrasePiece:
    """A stretch of a sentence: a known phrase, a number, a mark or an unknown word. ``size`` counts its items."""

    key: str
    labels: Label
    number: Number | None
    size: int

    @property
    def is_mark(self) -> bool:
        """Whether this is punctuation or a symbol without a meaning of its own."""
        return not self.labels and not is_word(self.key)

    @property
    def is_known(self) -> bool:
        """Whether this is something people say around a score, and not a word that may change what a number means."""
        return self.number is not None or self.is_mark or bool(self.labels & ~Label.UNIT)


@dataclass(frozen=True)
class Table(Generic[T]):
    """Phrases by their tokens, and what each is worth. ``longest`` bounds the search for those that begin alike."""

    entries: Mapping[tuple[str, ...], T]
    longest: Mapping[str, int]

    @classmethod
    def of(cls, entries: Mapping[tuple[str, ...], T]) -> "Table[T]":
        """The table that marks these phrases, each with its label."""
        longest: dict[str, int] = {}
        for phrase in entries:
            longest[phrase[0]] = max(len(phrase), longest.get(phrase[0], 0))
        return cls(dict(entries), longest)

    def at(self, keys: Sequence[str], start: int, end: int | None = None) -> tuple[int, T] | None:
        """The length and the worth of the longest phrase that begins at ``start`` and is over at ``end``."""
        room = (len(keys) if end is None else end) - start
        for size in range(min(self.longest.get(keys[start], 0), room), 0, -1):
            found = self.entries.get(tuple(keys[start : start + size]))
            if found is not None:
                return size, found
        return None


def items(words: Sequence[str], numbers: Table[Number]) -> tuple[PhraseItem, ...]:
    """The words with their numbers found."""
    found: list[PhraseItem] = []
    start = 0
    while start < len(words):
        size, number = numbers.at(words, start) or (1, _literal(words[start]))
        found.append(PhraseItem(_key(words[start : start + size], number), number))
        start += size
    return tuple(found)


def pieces(found: Sequence[PhraseItem], phrases: Table[Label]) -> tuple[PhrasePiece, ...]:
    """The items joined into the longest known phrases."""
    keys = [each.key for each in found]
    cut: list[PhrasePiece] = []
    start = 0
    while start < len(keys):
        size, labels = _longest(keys, start, phrases)
        number = found[start].number if size == 1 else None
        cut.append(PhrasePiece(keys[start], labels, number, size))
        start += size
    return tuple(cut)


def _longest(keys: Sequence[str], start: int, phrases: Table[Label]) -> tuple[int, Label]:
    """The longest phrase here, cut short where a denial begins in it and reaches further: "more or | less than"."""
    size, labels = phrases.at(keys, start) or (1, Label.NONE)
    for inner in range(start + 1, start + size):
        later = phrases.at(keys, inner)
        if later is not None and later[1] & DENYING and inner + later[0] > start + size:
            return phrases.at(keys, start, inner) or (1, Label.NONE)
    return size, labels


def _literal(word: str) -> Number | None:
    if not word[0].isdecimal() or any(each.isalpha() for each in word):
        return None
    return Number(int(word) if word in _SCALE else ABOVE_TEN)


def _key(words: Sequence[str], number: Number | None) -> str:
    if number is None or number.weak or number.value == ABOVE_TEN:
        return " ".join(words)
    return str(number.value)
