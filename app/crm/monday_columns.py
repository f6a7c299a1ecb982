"""Columns of a monday.com board, and how each type of them is written."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import phonenumbers

from app.crm.options import Kind, Source, kind, values
from app.crm.table import missing
from app.ports import ResponseToPush

LONGEST_LONG_TEXT = 2_000
TEXTS = frozenset({"text", "long_text", "status", "dropdown"})
TAKES: Mapping[Kind, frozenset[str]] = {
    "text": TEXTS,
    "number": frozenset({"numbers", "text"}),
    "truth": frozenset({"checkbox"}),
    "time": frozenset({"date", "text"}),
    "any": TEXTS | {"numbers", "checkbox"},
}
TAKES_ALSO = {"email": frozenset({"email"}), "phone": frozenset({"phone"})}


@dataclass(frozen=True)
class BoardColumn:
    """A column of the board that a source fills."""

    id: str
    type: str
    source: Source


@dataclass(frozen=True)
class BoardColumns:
    """The board's columns that are filled, and what is wrong with the mapping."""

    filled: Sequence[BoardColumn]
    problems: Sequence[str]

    @property
    def id_column(self) -> str:
        """The column that holds the survey id."""
        return next(each.id for each in self.filled if each.source == "survey_id")

    def values(self, answer: ResponseToPush, *, clear: bool) -> dict[str, Any]:
        """An answer's column values; ``clear`` empties those that have none."""
        given = values(answer)
        filled = {each.id: _written(each.type, given.get(each.source)) for each in self.filled}
        empty = {each.id: "" if each.type in ("text", "numbers") else None for each in self.filled}
        return {
            name: empty[name] if value is None else value
            for name, value in filled.items()
            if clear or value is not None
        }


def columns_of(board: Sequence[Mapping[str, Any]], fields: Mapping[str, Source]) -> BoardColumns:
    """Find the columns that the mapping names by id, else by title."""
    problems: list[str] = []
    filled: list[BoardColumn] = []
    for name, source in fields.items():
        found = [column for column in board if column["id"] == name] or [
            column for column in board if column["title"].strip().casefold() == name.strip().casefold()
        ]
        problems += _problems(name, source, found)
        filled += [BoardColumn(each["id"], each["type"], source) for each in found[:1]]
    return BoardColumns(filled, problems)


def _problems(name: str, source: Source, found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    takes = {"text"} if source == "survey_id" else TAKES[kind(source)] | TAKES_ALSO.get(source, frozenset())
    if not found:
        yield missing(name, "the board")
    elif len(found) > 1:
        yield f"the board has {len(found)} columns {name}: give the id of one, such as {found[0]['id']}"
    elif found[0]["type"] not in takes:
        can = ", ".join(sorted(takes))
        yield f"the column {name} is of type {found[0]['type']}, which cannot take {source}; {can} can"


def _written(type_: str, value: Any) -> Any:
    """A value as the column's type wants it, or None where there is none."""
    if value is None or value == "" or (type_ == "checkbox" and value is not True):
        return None
    return WRITTEN.get(type_, str)(value)


def _date(value: Any) -> dict[str, str]:
    at = datetime.fromisoformat(value).astimezone(UTC)
    return {"date": f"{at:%Y-%m-%d}", "time": f"{at:%H:%M:%S}"}


def _phone(value: Any) -> dict[str, str | None]:
    region = phonenumbers.region_code_for_number(phonenumbers.parse(value))
    return {"phone": value, "countryShortName": region}


WRITTEN: Mapping[str, Callable[[Any], Any]] = {
    "status": lambda value: {"label": str(value)},
    "dropdown": lambda value: {"labels": [str(value)]},
    "long_text": lambda value: {"text": str(value)[:LONGEST_LONG_TEXT]},
    "checkbox": lambda _: {"checked": "true"},
    "date": _date,
    "email": lambda value: {"email": value, "text": value},
    "phone": _phone,
}
"""How the types are written that are not written as text."""
