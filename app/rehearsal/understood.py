"""A call's transcript with what was understood of the caller beside it."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

from app.rehearsal.people.caller import Nothing
from app.rehearsal.transcript import Entry, Transcript, describe


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


def _is_silent(entries: list[Entry]) -> bool:
    return all(each.what == describe(Nothing()) for each in entries)


def _line(heard: Mapping[str, Any]) -> str:
    return str(Entry("caller", _described(heard))).replace("caller", "heard ", 1)


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
