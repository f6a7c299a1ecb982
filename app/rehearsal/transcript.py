"""What was said and pressed on a line, in the one format that terminal, tests and documents print."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Literal, assert_never

from app.rehearsal.line_time import LineTime
from app.rehearsal.people import HeardPrompt, HungUp, Nothing, Pressed, Reaction, Spoken

Speaker = Literal["line", "caller"]


@dataclass(frozen=True, slots=True)
class TranscriptLine:
    """One thing that happened, ``at`` so many seconds after the call was answered: where a prompt begins, where a
    reaction ends. ``language`` is BCP 47 where it is known. ``str()`` is its line of text.
    """

    who: Speaker
    what: str
    language: str | None = None
    at: float = 0.0

    def __str__(self) -> str:
        match self.who:
            case "line":
                return f"line    {self.language or '':5}  {self.what}"
            case "caller":
                return f"caller         {self.what}"
            case _:
                assert_never(self.who)


@dataclass
class Transcript:
    """What both sides of one call said and did, in order, and how its ``time`` was spent; ``str()`` is its text."""

    entries: list[TranscriptLine] = field(default_factory=list)
    time: LineTime = field(default_factory=LineTime)

    def heard(self, utterance: HeardPrompt) -> None:
        """The line begins to say this."""
        self._add("line", spoken_text(utterance), utterance.language)

    def noted(self, what: str) -> None:
        """The line did something that makes no sentence: a beep, an end."""
        self._add("line", f"({what})")

    def reacted(self, reaction: Reaction) -> None:
        """The caller has done this."""
        self._add("caller", describe(reaction))

    def went_unheard(self, reaction: Reaction) -> None:
        """The caller has done this while the line took no notice."""
        self._add("caller", f"{describe(reaction)} (not heard)")

    def said_by_line(self) -> list[str]:
        """Only what the line said, in order, without its notes."""
        return [each.what for each in self.entries if each.who == "line" and each.language]

    def _add(self, who: Speaker, what: str, language: str | None = None) -> None:
        self.entries.append(TranscriptLine(who, what, language, self.time.now))

    def __iter__(self) -> Iterator[TranscriptLine]:
        return iter(self.entries)

    def __str__(self) -> str:
        return "\n".join(str(each) for each in self.entries)


def spoken_text(utterance: HeardPrompt) -> str:
    """An utterance as text: a played file is named by its address."""
    return utterance.text or f"[{utterance.audio_url}]"


def describe(reaction: Reaction) -> str:
    """A reaction as text: ``[9#]`` for keys, quotes for speech; where it is sound, how long that lasts."""
    match reaction:
        case Pressed(keys):
            return f"[{keys}]"
        case Spoken(text, _, then_hangs_up, sound):
            spoken = f" ({sound.seconds:.1f} s of sound)" if sound else ""
            return f'"{text}"{spoken}' + (" (hangs up)" if then_hangs_up else "")
        case Nothing():
            return "(silence)"
        case HungUp():
            return "(hangs up)"
        case _:
            assert_never(reaction)


def with_understood(transcript: Transcript, heard: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The transcript's lines; after each answer, what was ``heard`` of it: `app.survey.heard.to_json` in its order.

    Who says nothing where nothing was asked is left out.
    """
    understood = deque(heard)
    for who, group in groupby(transcript, key=lambda each: each.who):
        entries = list(group)
        if (
            who == "caller"
            and _is_silent(entries)
            and not (understood and understood[0]["heard"] == "silence")
        ):
            continue
        yield from map(str, entries)
        if who == "caller" and understood:
            yield _line(understood.popleft())
    yield from map(_line, understood)


def _is_silent(entries: list[TranscriptLine]) -> bool:
    return all(each.what == describe(Nothing()) for each in entries)


def _line(heard: Mapping[str, Any]) -> str:
    return str(TranscriptLine("caller", _described(heard))).replace("caller", "heard ", 1)


def _described(heard: Mapping[str, Any]) -> str:
    match heard:
        case {"heard": "words", "text": text, "confidence": None}:
            return f'"{text}"'
        case {"heard": "words", "text": text, "confidence": confidence}:
            return f'"{text}" ({confidence:.1%} sure)'
        case {"heard": "keys", "digits": digits}:
            return f"[{digits}]"
        case {"heard": kind}:
            return f"({kind})"
        case _:
            raise ValueError(f"nothing that is heard: {heard}")
