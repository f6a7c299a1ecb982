"""What a whole message may mean outside any survey: stop, start, help."""

from collections.abc import Iterable, Mapping
from typing import Literal

from app.survey import CARRIER_STOPS_WRITTEN, Stop, Vocabulary, Words, is_word
from app.survey.hear import hear
from app.survey.tokens import tokens

Keyword = Literal["stop", "start", "help"]

# What carriers take as a wish to hear from us again. "Yes" is one of theirs, too, but an answer of ours.
STARTS = frozenset({"start", "unstop"})
HELPS = frozenset({"help", "info", "pomoc", "hjelp", "aide"})
_SINGLE: Mapping[Keyword, frozenset[str]] = {"start": STARTS, "help": HELPS, "stop": CARRIER_STOPS_WRITTEN}


def keyword(text: str, vocabularies: Iterable[Vocabulary]) -> Keyword | None:
    """The keyword that a message is. A wish to be left alone counts in every language, whichever the survey's is."""
    words = [each for each in tokens(text) if is_word(each)]
    if len(words) == 1:
        for meant, spellings in _SINGLE.items():
            if words[0] in spellings:
                return meant
    # Heard as a comment, where only a message of nothing but stop words, or a wish in so many words, is one.
    written = Words(text)
    return "stop" if any(hear("comment", written, each) == Stop() for each in vocabularies) else None
