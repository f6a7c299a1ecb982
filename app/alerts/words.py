"""Finding an operator's words in what somebody said: whole words, whatever their case and accents."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

# Letters of their own that Unicode does not take apart, as people write them without the right keyboard.
LETTERS = str.maketrans({"ł": "l", "ø": "o", "æ": "ae", "œ": "oe", "đ": "d", "ð": "d", "þ": "th", "ı": "i"})
BETWEEN = r"[\W_]+"


def folded(text: str) -> str:
    """The text without case and accents: "Zażalenie" and "ZAZALENIE" are one word."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(each for each in apart if not unicodedata.combining(each))
    return bare.casefold().translate(LETTERS)


@dataclass(frozen=True)
class WordList:
    """Words and phrases, any of which is enough. One that ends in ``*`` stands for all that begin so."""

    written: tuple[str, ...]
    pattern: re.Pattern[str]

    @classmethod
    def of(cls, words: Sequence[str]) -> "WordList":
        """Raises ValueError where one holds no letter and no digit."""
        return cls(tuple(words), re.compile(r"(?<![^\W_])(?:" + "|".join(map(_written, words)) + r")"))

    def found_in(self, text: str | None) -> bool:
        """Whether one of them was said."""
        return text is not None and self.pattern.search(folded(text)) is not None


def _written(word: str) -> str:
    parts = re.findall(r"[^\W_]+", folded(word))
    if not parts:
        raise ValueError(f"{word!r} is no word")
    return BETWEEN.join(map(re.escape, parts)) + ("" if word.rstrip().endswith("*") else r"(?![^\W_])")
