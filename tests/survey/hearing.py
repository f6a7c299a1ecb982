"""The shipped vocabularies, and short words for what a test says and expects."""

from pathlib import Path

from app.config import load_flows
from app.survey import Answer, AskKind, Stop, Vocabulary, Words
from app.survey.hear import Hearing, Repeat, Skipped, Unclear, hear

FLOWS = load_flows(Path(__file__).parents[2] / "flows")
LANGUAGES = ("en", "pl", "nb", "fr")

REPEAT = Repeat()
SKIPPED = Skipped()
STOP = Stop()
SILENCE = Unclear("silence")
NO_NUMBER = Unclear("no_number")
TWO = Unclear("two_numbers")
NEGATED = Unclear("negated")
OUTSIDE = Unclear("out_of_range")
NO_YES_NO = Unclear("no_yes_no")
YES = Answer(True)
NO = Answer(False)


def vocabulary(language: str) -> Vocabulary:
    """The vocabulary of a shipped wording file."""
    return FLOWS.vocabularies[language]


def written(language: str, kind: AskKind, text: str) -> Hearing:
    """What is understood from a text message."""
    return hear(kind, Words(text), vocabulary(language))


def spoken(language: str, kind: AskKind, text: str, confidence: float | None = None) -> Hearing:
    """What is understood from recognised speech."""
    return hear(kind, Words(text, spoken=True, confidence=confidence), vocabulary(language))


def meant(hearing: Hearing) -> object:
    """The value of an answer, or the hearing itself."""
    return hearing.value if isinstance(hearing, Answer) else hearing
