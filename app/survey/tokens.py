"""Text -> tokens: one plain form for every way of writing the same word, digit or mark."""

import re
import unicodedata

STRONG_MARKS = frozenset(".!?;:")
SPOILING_MARKS = frozenset("%‰+<>≤≥−×÷±*^°@⭐★")

_FRACTIONS = re.compile("[\u00bc-\u00be\u2150-\u215f\u2189]")
_SMILEYS = re.compile(r"(?<!\S)(?:[:;]-?[03]|8-?\))(?!\S)")
_MINUS = re.compile(r"(?<!\w)[-–](?=\d)|\A[\s.,]*[-–—]\s*(?=\d)")
_TOKEN = re.compile(r"\d+(?:[.,:]\d+)+|[^\W_]+|\S")
_HYPHEN = re.compile(r"(?<=\w)-(?=[^\W\d])|(?<=[^\W\d])-(?=\w)")
_LINES = re.compile(r"[\r\n\u2028\u2029]+")
_APOSTROPHES = str.maketrans(dict.fromkeys("’‘ʼ`´′＇", "'"))
_CONTRACTED_NOT = re.compile(r"(?<=n)'(?=t\b)")
_UNDECOMPOSED = str.maketrans(
    {"ł": "l", "ø": "o", "æ": "ae", "œ": "oe", "đ": "d", "ð": "d", "\\": "/", "⁄": "/", "∕": "/"}
)
_DROPPED = frozenset({"Mn", "Me", "Cf", "Sk", "Cs"})


def tokens(text: str) -> tuple[str, ...]:
    """The words, numbers and single marks of a text, in order.

    Case, accents, full-width forms, keycaps, apostrophes and the hyphens inside words are gone; every script's digits
    are ASCII; a line break is ``;``. A minus sign is ``−`` and a fraction character ``÷``, so that neither looks like
    punctuation. A decimal, a time or a date stays one token: ``7.5``, ``9:30``.
    """
    return tuple(_TOKEN.findall(_plain(text)))


def is_word(token: str) -> bool:
    """Whether the token is a word or a number, not a mark."""
    return token[0].isalnum()


def is_spoiling(token: str) -> bool:
    """Whether a number beside this mark is no score: 9%, <5, $9, 5⭐."""
    return token in SPOILING_MARKS or unicodedata.category(token[0]) == "Sc"


def _plain(text: str) -> str:
    text = _FRACTIONS.sub(" ÷ ", text).replace("🔟", " 10 ")
    text = unicodedata.normalize("NFKC", text.translate(_APOSTROPHES)).casefold()
    text = _CONTRACTED_NOT.sub("", text).replace("'", " ")
    text = "".join(map(_letter, unicodedata.normalize("NFKD", text)))
    text = _SMILEYS.sub(" ☺ ", text.translate(_UNDECOMPOSED))
    text = _HYPHEN.sub(" ", _MINUS.sub(" − ", text))
    return _LINES.sub(" ; ", text)


def _letter(character: str) -> str:
    if character.isascii():
        return character
    if unicodedata.category(character) in _DROPPED:
        return ""
    return str(unicodedata.digit(character, character))
