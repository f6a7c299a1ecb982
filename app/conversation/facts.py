"""What a turn's facts mean for a survey's row."""

from typing import Any, assert_never

from app.survey import (
    Abandoned,
    CallbackChosen,
    Commented,
    Completed,
    Fact,
    Heard,
    Keys,
    Left,
    OptedOut,
    Scored,
    Silence,
    Unheard,
    Words,
    heard,
    nps,
)
from app.survey.hear import LONGEST_HEARD
from app.text import mended


def status_after(facts: tuple[Fact, ...]) -> str:
    """Where a survey stands once a turn brought these facts."""
    for fact in facts:
        match fact:
            case OptedOut():
                return "opted_out"
            case Completed():
                return "completed"
            case Abandoned():
                return "partial"
    return "in_progress"


def shows_a_person(said: Heard | None, facts: tuple[Fact, ...]) -> bool:
    """Whether this turn proves that a person is there.

    What is spoken counts only once it was understood or ended the call: a machine's greeting is words, too.
    """
    match said:
        case Keys() | Left() | Words(spoken=False):
            return True
        case Words():
            return bool(facts)
        case Silence() | Unheard() | None:
            return not set(map(type, facts)) <= {Abandoned}
        case _:
            assert_never(said)


def response_columns(facts: tuple[Fact, ...], said: Heard | None) -> dict[str, Any]:
    """The columns of the response that these facts fill."""
    columns: dict[str, Any] = {}
    for fact in facts:
        match fact:
            case Scored(score):
                columns |= {"score": score, "band": nps.band(score)}
            case Commented(text, confidence):
                source = "speech" if isinstance(said, Words) and said.spoken else "text"
                columns |= {"comment": text, "comment_source": source, "comment_confidence": confidence}
            case CallbackChosen(wanted):
                columns |= {"callback": wanted}
            case OptedOut() | Completed() | Abandoned():
                pass
            case _:
                assert_never(fact)
    return columns


def heard_to_json(said: Heard) -> dict[str, Any]:
    """What was heard as JSON, its texts cut at `LONGEST_HEARD` and without characters that PostgreSQL refuses."""
    return {
        key: mended(value[:LONGEST_HEARD]) if isinstance(value, str) else value
        for key, value in heard.to_json(said).items()
    }
