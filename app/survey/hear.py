"""Heard + Vocabulary -> Answer | Skipped | Repeat | Unclear | Stop.

A wrong answer is worse than a question asked again, so whatever is in doubt is unclear:
two numbers ("seven or eight", and also "five, no, six"), a negation that may be about the number ("not a ten"),
a number with a unit, a fraction or another scale. "I don't know" is unclear too where an answer is needed, so that it
is asked for once more, within the dialogue's bounds; "I'd rather not say" is skipping. A stop word said along with a
number is a stop: asking on would be worse than losing the number.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, assert_never

from app.survey.heard import Keys, Silence, Unheard, Words
from app.survey.numbers import has_number, score_in
from app.survey.phrases import Label, PhrasePiece
from app.survey.turn import AskKind
from app.survey.vocabulary import SCALE, Vocabulary

# Defaults, not measurements. Carriers give single words, rightly heard, confidences well below those of sentences:
# a score is read back below the first, and asked again below the second, where a recogniser is guessing.
SURE_CONFIDENCE = 0.5
LEAST_CONFIDENCE = 0.3
LONGEST_COMMENT = 2_000
# What lies further on is not looked at: no channel carries it, and it would only cost time.
LONGEST_HEARD = 10_000

# The words at which carriers themselves stop sending; a person who writes one alone means it.
CARRIER_STOPS = frozenset({"stop", "stopall", "unsubscribe", "cancel", "quit", "revoke", "optout"})
CARRIER_STOPS_WRITTEN = CARRIER_STOPS | {"end"}

_AROUND = Label.FILLER | Label.NOUN
_NOT_SHOWN = frozenset({"Cc", "Cs"})
_DIRECTION_OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e")


@dataclass(frozen=True)
class Answer:
    """What was understood: an int 0-10 for a score, a bool for yes or no, the text of a comment.

    ``doubtful`` is set only where mishearing would matter, and asks for the answer to be read back.
    """

    value: int | bool | str
    doubtful: bool = False


@dataclass(frozen=True)
class Skipped:
    """The person would rather not answer this question."""


@dataclass(frozen=True)
class Repeat:
    """The person asked to hear the question again."""


@dataclass(frozen=True)
class Unclear:
    """Something came, or nothing did, and no answer could be taken from it."""

    reason: Literal[
        "silence",
        "unheard",
        "no_number",
        "two_numbers",
        "negated",
        "out_of_range",
        "low_confidence",
        "no_yes_no",
    ]


@dataclass(frozen=True)
class Stop:
    """The person wants no more surveys."""


Hearing = Answer | Skipped | Repeat | Unclear | Stop


def hear(kind: AskKind, heard: Keys | Words | Silence | Unheard, vocabulary: Vocabulary) -> Hearing:
    """What the person meant in reply to a question of this kind. Pure; never raises, whatever was heard."""
    match heard:
        case Silence():
            return Unclear("silence")
        case Unheard():
            return Unclear("unheard")
        case Keys(digits):
            return _pressed(kind, digits)
        case Words():
            return _said(kind, heard, vocabulary)
        case _:
            assert_never(heard)


def _pressed(kind: AskKind, digits: str) -> Hearing:
    if "*" in digits:
        return Stop()
    if not digits:
        return Unclear("silence")
    entry = digits.strip("#")
    match kind:
        case "score":
            return _pressed_score(entry)
        case "comment":
            return Skipped()
        case "yes_no":
            return Answer(entry == "1") if entry in {"1", "2"} else Unclear("no_yes_no")
        case _:
            assert_never(kind)


def _pressed_score(entry: str) -> Hearing:
    """0 to 10. A nought before another key is two keys, not a score: nobody can tell which one was meant.

    A key pressed twice is one: there is no such number, and fingers tremble. A lone 1 may be the beginning of 10.
    """
    if len(entry) > 1 and len(set(entry)) == 1:
        entry = entry[0]
    if entry in map(str, SCALE):
        return Answer(int(entry), doubtful=entry == "1")
    if not (entry.isascii() and entry.isdigit()):
        return Unclear("no_number")
    return Unclear("two_numbers" if entry.startswith("0") else "out_of_range")


def _said(kind: AskKind, heard: Words, vocabulary: Vocabulary) -> Hearing:
    if not _says_anything(heard.text):
        return Unclear("silence")
    sentence, asked = vocabulary.read(heard.text[:LONGEST_HEARD])
    if asked & Label.OPT_OUT or _is_stop(kind, heard, sentence):
        return Stop()
    if kind != "comment" and heard.confidence is not None and heard.confidence < LEAST_CONFIDENCE:
        return Unclear("low_confidence")
    match kind:
        case "score":
            return _score(heard, sentence, asked, vocabulary)
        case "comment":
            return _comment(heard, sentence)
        case "yes_no":
            return _yes_no(heard, sentence, asked)
        case _:
            assert_never(kind)


def _says_anything(text: str) -> bool:
    return any(each.isalnum() or unicodedata.category(each) == "So" for each in text)


def _is_stop(kind: AskKind, heard: Words, sentence: Sequence[PhrasePiece]) -> bool:
    """Whether there is a stop word and nothing else of substance ("no, please stop"), save a number ("stop, 9")."""
    if len(sentence) > 1 and sentence[0].labels & Label.NO and sentence[1].is_mark:
        sentence = sentence[2:]
    words = [each for each in sentence if not each.is_mark]
    carrier = CARRIER_STOPS if heard.spoken else CARRIER_STOPS_WRITTEN
    if words and all(each.size == 1 and each.key in carrier for each in words):
        return True
    if kind != "comment":
        words = [each for each in words if each.number is None]
    return _is_only(words, Label.STOP)


def _is_only(sentence: Sequence[PhrasePiece], label: Label) -> bool:
    """Whether the sentence is made of such phrases, with nothing but fillers and marks around them."""
    words = [each for each in sentence if not each.is_mark]
    return any(each.labels & label for each in words) and all(
        each.labels & (label | _AROUND) for each in words
    )


def _request(sentence: Sequence[PhrasePiece], asked: Label) -> Hearing | None:
    """A wish to hear the question again or to skip it, in so many words or with nothing else said."""
    if asked & Label.REPEAT or _is_only(sentence, Label.REPEAT):
        return Repeat()
    if asked & Label.SKIP or _is_only(sentence, Label.SKIP):
        return Skipped()
    return None


def _score(heard: Words, sentence: Sequence[PhrasePiece], asked: Label, vocabulary: Vocabulary) -> Hearing:
    found = score_in(sentence)
    if isinstance(found, int):
        return Answer(found, doubtful=heard.spoken and _is_doubtful(found, heard.confidence, vocabulary))
    if found == "no_number" and not has_number(sentence):
        slip = _slip(sentence, vocabulary) if heard.spoken else None
        if slip is not None:
            return Answer(slip, doubtful=True)
        return _request(sentence, asked) or Unclear(found)
    return Unclear(found)


def _is_doubtful(score: int, confidence: float | None, vocabulary: Vocabulary) -> bool:
    unsure = confidence is not None and confidence < SURE_CONFIDENCE
    return unsure or vocabulary.confirm_speech or score in vocabulary.confusable


def _slip(sentence: Sequence[PhrasePiece], vocabulary: Vocabulary) -> int | None:
    """The number that a recogniser wrote as another word ("ate"): only at the end of a sentence of fillers."""
    words = [each for each in sentence if not each.is_mark and not each.labels & Label.SCALE]
    if not words or words[-1].size > 1 or not all(each.labels & _AROUND for each in words[:-1]):
        return None
    return vocabulary.slips.get(words[-1].key)


def _comment(heard: Words, sentence: Sequence[PhrasePiece]) -> Hearing:
    """The text itself, without control characters, cut at 2,000 characters; or that there is none to give."""
    if _is_only(sentence, Label.SKIP | Label.NOTHING | Label.NO | Label.UNKNOWN):
        return Skipped()
    if heard.spoken and _is_only(sentence, Label.REPEAT):
        return Repeat()
    kept = "".join(each for each in heard.text if _is_shown(each)).strip()
    return Answer(kept[:LONGEST_COMMENT].rstrip())


def _is_shown(character: str) -> bool:
    if character in "\n\t":
        return True
    return unicodedata.category(character) not in _NOT_SHOWN and character not in _DIRECTION_OVERRIDES


def _yes_no(heard: Words, sentence: Sequence[PhrasePiece], asked: Label) -> Hearing:
    """Yes or no, not both. A yes that also fills a sentence ("okay", "definitely") gives way to a no.

    Written alone, 1 and 2 are yes and no, as on the keypad.
    """
    if not heard.spoken and heard.text.strip() in {"1", "2"}:
        return Answer(heard.text.strip() == "1")
    if asked & Label.REPEAT:
        return Repeat()
    no = any(each.labels & Label.NO for each in sentence)
    yes = any(each.labels & Label.YES and not (no and each.labels & Label.FILLER) for each in sentence)
    negated = any(each.labels & Label.NEGATION and not each.labels & Label.NO for each in sentence)
    if no and not yes:
        return Answer(value=False)
    if yes and not no and not negated:
        return Answer(value=True)
    request = None if yes or no else _request(sentence, asked)
    return request or Unclear("no_yes_no")
