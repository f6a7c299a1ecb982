"""Golden transcripts: whole conversations as people have them, written once and played through every channel.

A file in tests/conversations names prompts, never their words, so that one file serves every channel and every wording:

    title: what it shows
    language: pl
    needs: voice                 # or text; absent: any channel can play it
    conversation:
      - zeroten: [greeting, ask_score]
      - caller: {say: "osiem"}   # or {press: "8"}, {silence: true}, {hang_up: true}; say may carry a confidence
    result: {score: 8, comment: null, callback: null, ended: completed}
    seconds: {talk: 14.2, wait: 1.8, dead_air: 4.0}     # of the call, where a voice plays it

Each answer comes `THINKS_SECONDS` after its prompt. ``python -m tests.transcripts`` writes the seconds anew, after a
change of wording or of the times that a call waits.
"""

import asyncio
import re
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, Self

import yaml

from app.config import load_flows
from app.ivr import Voice
from app.rehearsal.clock import PacedClock
from app.rehearsal.flow_call import PlayedCall, play
from app.rehearsal.line_time import LineTime
from app.rehearsal.people import HungUp, Nothing, Pressed, Reaction, ScriptedCaller, Spoken
from app.rehearsal.timing import THINKS_SECONDS
from app.survey import Flow, Flows, Heard, Keys, Left, Silence, Words

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
class Seconds:
    """How the time of a call is spent: see `app.rehearsal.line_time.LineTime`."""

    talk: float
    wait: float
    dead_air: float

    @classmethod
    def of(cls, time: LineTime) -> Self:
        """Those of a call that was rehearsed."""
        return cls(time.total("talk"), time.total("wait"), time.total("dead_air"))


@dataclass(frozen=True)
class Transcript:
    """One conversation. ``name`` is the file's."""

    name: str
    title: str
    language: str
    needs: Needs
    exchanges: tuple[Exchange, ...]
    result: Result
    seconds: Seconds | None = None

    def steps(self) -> list[Reaction]:
        """What its caller does, as a script for a rehearsed phone."""
        return [_does(each.caller) for each in self.exchanges if each.caller is not None]

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
    document = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
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
        seconds=Seconds(**document["seconds"]) if "seconds" in document else None,
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


def _does(line: Line) -> Reaction:
    match line.action:
        case "say":
            return Spoken(line.text) if line.confidence is None else Spoken(line.text, line.confidence)
        case "press":
            return Pressed(line.text)
        case "silence":
            return Nothing()
        case "hang_up":
            return HungUp()


async def played(transcript: Transcript) -> PlayedCall:
    """The transcript as a call, by the engine and the double alone."""
    clock = PacedClock(0)
    caller = ScriptedCaller(transcript.steps(), clock, thinks_seconds=THINKS_SECONDS)
    flow, context = _flow(), {"brand": "Acme", "record": "yes"}
    return await play(flow, context, transcript.language, Voice(Flows({flow.id: flow})), caller, clock)


@cache
def _flow() -> Flow:
    return load_flows(Path("flows"))["nps"]


def write_seconds() -> None:
    """Let every transcript state the seconds that its call takes today."""
    for transcript in load():
        if transcript.plays_on("voice"):
            time = asyncio.run(played(transcript)).transcript.time
            stated = ", ".join(f"{name}: {value}" for name, value in asdict(Seconds.of(time)).items())
            path = DIRECTORY / f"{transcript.name}.yml"
            text = re.sub(r"\nseconds: .*\n", "\n", path.read_text(encoding="utf-8"))
            path.write_text(f"{text}seconds: {{{stated}}}\n", encoding="utf-8")


if __name__ == "__main__":
    write_seconds()
