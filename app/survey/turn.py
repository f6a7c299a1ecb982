"""What the engine gives back: the next state, what to say, what to ask, and what became true."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

Band = Literal["promoter", "passive", "detractor"]
AskKind = Literal["score", "comment", "yes_no"]


@dataclass(frozen=True)
class Prompt:
    """A piece of wording by name, with the values it needs. No channel's markup; hashable, so adapters may cache."""

    name: str
    values: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Ask:
    """What the person is being asked, for the channel to show as it can.

    ``slot`` is where the answer goes; ``silence_seconds`` is how long to wait before silence counts as an answer;
    ``optional`` questions may be skipped; ``keys_only`` asks for the keypad, after speech was misheard.
    ``recorded`` lets a voice channel keep the sound of the answer; ``read_back`` marks a score being read back,
    where yes and no are answers too.
    """

    kind: AskKind
    slot: str
    silence_seconds: float
    optional: bool = False
    keys_only: bool = False
    recorded: bool = False
    read_back: bool = False


@dataclass(frozen=True)
class Scored:
    """The score, 0-10, to be stored at once."""

    score: int


@dataclass(frozen=True)
class Commented:
    """The answer to the open question, trimmed; ``confidence`` as the recogniser gave it."""

    text: str
    confidence: float | None = None


@dataclass(frozen=True)
class CallbackChosen:
    """Whether a detractor wants to be called back by a person."""

    wanted: bool


@dataclass(frozen=True)
class OptedOut:
    """The person asked never to be surveyed again."""


@dataclass(frozen=True)
class Completed:
    """The flow reached its end with the person still there."""


@dataclass(frozen=True)
class Abandoned:
    """The person left, or went silent for good, before the end."""


# Said before anything is recorded.
RECORDING_NOTICE = "recording_notice"

Fact = Scored | Commented | CallbackChosen | OptedOut | Completed | Abandoned


@dataclass(frozen=True)
class State:
    """Where a conversation stands: JSON-able and stored whole after every turn.

    ``step`` is the id of the flow's step that waits for an answer; None once the conversation is over.
    ``slots`` holds the answers so far; ``context`` the values that wording may use (brand, name).
    ``tries`` counts re-asks of the present step and ``turns`` all turns; both bound every loop.
    ``doubtful`` is a score that was heard but awaits the person's yes; ``pressed`` tells that it came by key: then it
    is a lone 1, which may be the beginning of 10.
    """

    flow: str
    language: str
    step: str | None
    slots: Mapping[str, Any] = field(default_factory=dict)
    context: Mapping[str, str] = field(default_factory=dict)
    tries: int = 0
    turns: int = 0
    doubtful: int | None = None
    pressed: bool = False

    def to_json(self) -> dict[str, Any]:
        """The state as plain JSON types."""
        return vars(self) | {"slots": dict(self.slots), "context": dict(self.context)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "State":
        """The state that `to_json` wrote; keys of a later version are left aside."""
        known = {each.name for each in fields(cls)}
        return cls(**{name: value for name, value in stored.items() if name in known})


@dataclass(frozen=True)
class Turn:
    """One turn of the engine. ``ask`` is None for goodbye."""

    state: State
    say: tuple[Prompt, ...]
    ask: Ask | None
    facts: tuple[Fact, ...] = ()

    def around_recording(self, *, record: bool) -> tuple[tuple[Prompt, ...], tuple[Prompt, ...]]:
        """What has to be heard before anything may be recorded, and what may be said from then on.

        Who is not to be recorded needs no notice: then nothing stands before, and all but the notice behind.
        """
        names = [prompt.name for prompt in self.say]
        if not record:
            return (), tuple(prompt for prompt in self.say if prompt.name != RECORDING_NOTICE)
        place = names.index(RECORDING_NOTICE) + 1 if RECORDING_NOTICE in names else 0
        return self.say[:place], self.say[place:]

    def to_json(self) -> dict[str, Any]:
        """The turn as plain JSON types, without its facts: those became rows of their own."""
        return {
            "state": self.state.to_json(),
            "say": [[prompt.name, list(prompt.values)] for prompt in self.say],
            "ask": None if self.ask is None else dict(vars(self.ask)),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Turn":
        """The turn that `to_json` wrote, to be shown once more; it has no facts."""
        return cls(
            state=State.from_json(stored["state"]),
            say=tuple(
                Prompt(name, tuple((key, value) for key, value in values)) for name, values in stored["say"]
            ),
            ask=None if stored["ask"] is None else Ask(**stored["ask"]),
        )
