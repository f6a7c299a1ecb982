"""Golden transcripts: whole conversations as people have them, written once and played through every channel.

A file in tests/conversations names prompts, never their words, so that one file serves every channel and every wording:

    title: what it shows
    language: pl
    needs: voice                 # or text; absent: any channel can play it
    conversation:
      - zeroten: [greeting, ask_score]
      - caller: {say: "osiem"}   # or {press: "8"}, {silence: true}, {hang_up: true}; say may carry a confidence
    result: {score: 8, comment: null, callback: null, ended: completed}
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from app.survey import Heard, Keys, Left, Silence, Words

DIRECTORY = Path(__file__).parent / "conversations"

Medium = Literal["voice", "text"]
Needs = Literal["any", "voice", "text"]
Ended = Literal["completed", "abandoned", "opted_out"]


@dataclass(frozen=True)
class Line:
    """One thing the caller does. ``text`` is what is said or pressed."""

    action: Literal["say", "press", "silence", "hang_up"]
    text: str = ""
    confidence: float | None = None

    def heard(self, spoken: bool) -> Heard:
        """What a channel witnesses; one that writes gets keys as typed characters."""
        match self.action:
            case "press" if spoken:
                return Keys(self.text)
            case "say" | "press":
                return Words(self.text, spoken=spoken, confidence=self.confidence if spoken else None)
            case "silence":
                return Silence()
            case "hang_up":
                return Left()


@dataclass(frozen=True)
class Exchange:
    """What the caller does (None: the conversation opens) and the prompts that Zeroten answers with."""

    caller: Line | None
    zeroten: tuple[str, ...]


@dataclass(frozen=True)
class Result:
    """What must have become true in the end."""

    ended: Ended
    score: int | None = None
    comment: str | None = None
    callback: bool | None = None


@dataclass(frozen=True)
class Transcript:
    """One conversation. ``name`` is the file's."""

    name: str
    title: str
    language: str
    needs: Needs
    exchanges: tuple[Exchange, ...]
    result: Result

    def plays_on(self, medium: Medium) -> bool:
        """Whether a channel of this medium can play it."""
        return self.needs in {"any", medium}


@dataclass(frozen=True)
class Outcome:
    """What a person saw or heard, text by text, and the survey's story in the end."""

    texts: list[str]
    story: dict[str, Any]


def load() -> tuple[Transcript, ...]:
    """Every golden transcript, by name."""
    return tuple(_transcript(path) for path in sorted(DIRECTORY.glob("*.yml")))


def _transcript(path: Path) -> Transcript:
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    turns = document["conversation"]
    callers = [None, *(_line(turn["caller"]) for turn in turns[1::2])]
    prompts = [tuple(turn["zeroten"]) for turn in turns[::2]]
    return Transcript(
        name=path.stem,
        title=document["title"],
        language=document["language"],
        needs=document.get("needs", "any"),
        exchanges=tuple(Exchange(*pair) for pair in zip(callers, prompts, strict=True)),
        result=Result(**document["result"]),
    )


def _line(written: dict[str, Any]) -> Line:
    confidence = written.get("confidence")
    [(action, what)] = ((key, value) for key, value in written.items() if key != "confidence")
    match action:
        case "say" | "press":
            return Line(action, str(what), confidence)
        case "silence" | "hang_up":
            return Line(action)
        case _:
            raise ValueError(f"a caller cannot {action!r}")
