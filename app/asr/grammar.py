"""The phrases that a recogniser is to expect: the very words that the survey understands. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

from app.survey import ABOVE_TEN, AskKind, Vocabulary

# With these a number is not simply a score; without them in the grammar "not a nine" would be heard as a nine.
AROUND_A_SCORE = ("negations", "alternatives", "out_of", "lowest", "fractions", "says_yes", "says_no")
COMMANDS = ("stop", "opt_out", "skip", "repeat", "unknown")
UNKNOWN = "[unk]"


@dataclass(frozen=True)
class Grammar:
    """The phrases that a model can hear; ``missing`` are the others, with a word that it does not know."""

    phrases: tuple[str, ...]
    missing: tuple[str, ...]


@lru_cache(maxsize=64)
def phrases(vocabulary: Vocabulary, kind: AskKind) -> tuple[str, ...]:
    """Every phrase that may answer such a question, spelt as recognisers do: lower case, without marks or digits.

    A yes-or-no question has numbers in it too: the score may be corrected in reply to its being read back.
    """
    if kind == "comment":
        return ()
    above = tuple(
        " ".join(words) for words, number in vocabulary.numbers.entries.items() if number.value == ABOVE_TEN
    )
    others = (vocabulary.written[key] for key in (*AROUND_A_SCORE, *COMMANDS))
    lists = (vocabulary.score_phrases(), above, *others)
    spelt = (_spelt(phrase) for each in lists for phrase in each)
    return tuple(dict.fromkeys(each for each in spelt if each))


def within(wanted: Iterable[str], knows: Callable[[str], bool]) -> Grammar:
    """The grammar for a model that knows these words; it has a phrase for all other words too, where the model has."""
    known: dict[str, bool] = {}
    kept: list[str] = []
    missing: list[str] = []
    for phrase in wanted:
        words = phrase.split()
        for word in words:
            if word not in known:
                known[word] = knows(word)
        (kept if all(known[word] for word in words) else missing).append(phrase)
    if knows(UNKNOWN):
        kept.append(UNKNOWN)
    return Grammar(tuple(kept), tuple(missing))


def _spelt(phrase: str) -> str:
    lowered = phrase.lower().replace("’", "'")
    spelt = "".join(each if each.isalpha() or each == "'" else " " for each in lowered)
    return "" if any(map(str.isdigit, lowered)) else " ".join(spelt.split())
