"""A survey as its files describe it: steps to walk, questions to ask, and the words of each language."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from app.survey.conditions import Condition
from app.survey.languages import Languages
from app.survey.turn import RECORDING_NOTICE, AskKind
from app.survey.wording import Wording

END = "END"
STANDARD_PROMPTS = frozenset(
    {
        "resume_greeting",
        RECORDING_NOTICE,
        "goodbye",
        "opted_out",
        "inbound_unknown",
        "inbound_no_survey",
        "apology",
        "not_now",
        "answer_after_tone",
    }
)


@dataclass(frozen=True)
class Branch:
    """Where a step leads: ``then`` is a step's id or END; ``condition`` is None for the way taken otherwise."""

    then: str
    condition: Condition | None = None


@dataclass(frozen=True)
class SayStep:
    """A prompt that needs no answer."""

    id: str
    utter: str
    next: tuple[Branch, ...]


@dataclass(frozen=True)
class NoopStep:
    """A step that says and asks nothing; only its branches lead on."""

    id: str
    next: tuple[Branch, ...]


@dataclass(frozen=True)
class Rejection:
    """What to say when no answer could be taken; the first whose condition holds is said."""

    condition: Condition
    utter: str


@dataclass(frozen=True)
class CollectStep:
    """A question whose answer fills ``slot``."""

    id: str
    slot: str
    utter: str
    rejections: tuple[Rejection, ...]
    next: tuple[Branch, ...]


Step = SayStep | NoopStep | CollectStep


@dataclass(frozen=True)
class Question:
    """What a slot takes and how patiently it is asked for.

    ``max_tries`` bounds the re-asks of a question, ``max_tries_written`` those after an answer in writing; from re-ask
    number ``keys_only_after`` on, the keypad is asked for (None: never). ``read_back`` names the prompt that repeats
    a doubtful score, ``one_or_ten`` that which asks whether a 1 on the keypad is all.
    """

    kind: AskKind
    silence_seconds: float
    max_tries: int = 2
    max_tries_written: int = 1
    optional: bool = False
    recorded: bool = False
    keys_only_after: int | None = None
    read_back: str | None = None
    one_or_ten: str | None = None


@dataclass(frozen=True, eq=False)
class Flow:
    """One survey. The first of ``steps`` begins it; ``max_turns`` bounds one conversation."""

    id: str
    version: str
    description: str
    max_turns: int
    default_language: str
    steps: Mapping[str, Step]
    questions: Mapping[str, Question]
    languages: Mapping[str, Wording] = field(repr=False)

    @property
    def first(self) -> str:
        """The id of the step that begins the survey."""
        return next(iter(self.steps))

    def wording(self, language: str | None) -> Wording:
        """The wording for a tag or a name of a language.

        The default language's where none is known, or the flow does not speak it.
        """
        return self.languages[self.offered.find(language or "") or self.default_language]

    @cached_property
    def offered(self) -> Languages:
        """The languages that it speaks, under all their names."""
        return Languages.of({language: wording.aliases for language, wording in self.languages.items()})

    def prompts(self) -> frozenset[str]:
        """Every prompt that a language must word."""
        return STANDARD_PROMPTS | frozenset(self._named())

    def _named(self) -> Iterator[str]:
        for step in self.steps.values():
            if isinstance(step, SayStep | CollectStep):
                yield step.utter
            if isinstance(step, CollectStep):
                yield from (each.utter for each in step.rejections)
        for question in self.questions.values():
            yield from (each for each in (question.read_back, question.one_or_ten) if each)


def follow(branches: tuple[Branch, ...], slots: Mapping[str, Any]) -> str:
    """The step that comes next, given the answers so far. The last branch has no condition."""
    values = {f"slots.{name}": value for name, value in slots.items()}
    return next(each.then for each in branches if each.condition is None or each.condition.holds(values))
