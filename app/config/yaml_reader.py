"""One way to read YAML: as its author meant it, and with the line and the key of whatever is wrong.

``on``, ``yes``, ``007``, ``22:00`` and ``2026-11-28`` are text; only true, false, null and plain numbers are not. A key
written twice is refused, and so is what YAML would lose in silence: text that begins with ``&``, ``*`` or ``!``.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from app.errors import FileError

Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
WORDS: Mapping[str, bool | None] = {"": None, "~": None} | {
    spelling: value
    for word, value in (("null", None), ("true", True), ("false", False))
    for spelling in (word, word.capitalize(), word.upper())
}
NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(\.[0-9]{1,17})?")
MERGE = "<<"
Fill = Callable[[str, str], str]
"""Takes a text and its key, and gives the text that is meant."""


class YamlReader:
    """Reads one file's text. ``fill`` may change each text that stands in it, keys excepted."""

    def __init__(self, path: Path, fill: Fill) -> None:
        self._path, self._fill = path, fill
        self._events: Iterator[Event] = iter(())
        self._anchors: dict[str, Any] = {}
        self._unused: dict[str, Event] = {}

    def read(self, text: str) -> Any:
        """The file's one document: mappings, lists, text, numbers, true, false and None. Raises `FileError`."""
        self._events = yaml.parse(text, Loader)
        try:
            return self._document()
        except yaml.YAMLError as problem:
            raise self._not_yaml(problem, text) from None

    def _document(self) -> Any:
        next(self._events)
        if isinstance(next(self._events), StreamEndEvent):
            return None
        value = self._value(next(self._events), "")
        next(self._events)
        after = next(self._events)
        if isinstance(after, DocumentStartEvent):
            raise self._wrong(after, "a second document begins here; a file holds one")
        for event in self._unused.values():
            raise self._wrong(event, "text that begins with & needs quotes")
        return value

    def _value(self, event: Event, key: str) -> Any:
        match event:
            case AliasEvent():
                return self._named(event)
            case ScalarEvent():
                value: Any = self._scalar(event, key)
            case SequenceStartEvent():
                value = list(self._items(key))
            case MappingStartEvent():
                value = self._mapping(key)
            case _:
                raise AssertionError(f"{event} is no value")
        self._check_tag(event)
        if anchor := getattr(event, "anchor", None):
            self._anchors[anchor], self._unused[anchor] = value, event
        return value

    def _scalar(self, event: ScalarEvent, key: str) -> str | int | float | bool | None:
        plain = _plain(event)
        return self._fill(plain, key) if isinstance(plain, str) else plain

    def _items(self, key: str) -> Iterator[Any]:
        place = 0
        while not isinstance(event := next(self._events), SequenceEndEvent):
            yield self._value(event, f"{key}.{place}")
            place += 1

    def _mapping(self, under: str) -> dict[str | int, Any]:
        own: dict[str | int, Any] = {}
        inherited: dict[str | int, Any] = {}
        while not isinstance(event := next(self._events), MappingEndEvent):
            key = self._key(event)
            dotted = f"{under}.{key}" if under else str(key)
            if key in own:
                raise self._wrong(event, f"{dotted!r} is there twice")
            value = self._value(next(self._events), dotted)
            if key == MERGE and isinstance(value, dict):
                inherited |= value
            else:
                own[key] = value
        return inherited | own

    def _key(self, event: Event) -> str | int:
        if not isinstance(event, ScalarEvent):
            raise self._wrong(event, "a key must be text")
        self._check_tag(event)
        plain = _plain(event)
        return plain if isinstance(plain, int) and not isinstance(plain, bool) else str(event.value)

    def _named(self, event: AliasEvent) -> Any:
        if event.anchor not in self._anchors:
            raise self._wrong(event, "text that begins with * needs quotes")
        self._unused.pop(event.anchor, None)
        return self._anchors[event.anchor]

    def _check_tag(self, event: Event) -> None:
        if getattr(event, "tag", None) is not None:
            raise self._wrong(event, "text that begins with ! needs quotes")

    def _not_yaml(self, problem: yaml.YAMLError, text: str) -> FileError:
        mark = getattr(problem, "problem_mark", None)
        where = f"line {mark.line + 1}" if mark else "whole file"
        found = getattr(problem, "problem", None) or getattr(problem, "reason", "")
        hint = "; inside braces, ${NAME} needs quotes" if "${" in text else ""
        return FileError(str(self._path), where, f"is not YAML: {found}{hint}")

    def _wrong(self, event: Event, reason: str) -> FileError:
        where = f"line {event.start_mark.line + 1}" if event.start_mark else "whole file"
        return FileError(str(self._path), where, reason)


def _plain(event: ScalarEvent) -> str | int | float | bool | None:
    """What a scalar says by itself: quoted ones are always text."""
    text = str(event.value)
    if not event.implicit[0]:
        return text
    if text in WORDS:
        return WORDS[text]
    number = NUMBER.fullmatch(text)
    if number is None:
        return text
    return float(text) if number[1] else int(text)
