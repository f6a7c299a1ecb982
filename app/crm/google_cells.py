"""Cells of a Google sheet that say themselves what they are, so that nothing is read as a formula or a date."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from app.crm.options import Source, values
from app.ports import ResponseToPush

FIRST_DAY = datetime(1899, 12, 30, tzinfo=UTC)  # from which a sheet counts
LONGEST_TEXT = 50_000  # in one cell

Json = dict[str, Any]


@dataclass(frozen=True)
class SheetColumn:
    """A column by its place, from 0, and what it is filled from."""

    place: int
    source: Source


@dataclass(frozen=True)
class Writer:
    """Requests of a batchUpdate for one sheet, with times as they are told in its ``zone``."""

    sheet_id: int
    columns: Sequence[SheetColumn]
    zone: ZoneInfo
    time_format: str

    def head(self, titles: Sequence[str]) -> Json:
        """Write the first row of an empty sheet."""
        return self._put(0, 0, [_text(each) for each in titles])

    def change(self, row: int, answer: ResponseToPush) -> Iterator[Json]:
        """Fill an answer's columns in its row, from 0, and leave the columns between them alone."""
        given = values(answer)
        for _, run in groupby(enumerate(self.columns), key=lambda each: each[1].place - each[0]):
            columns = [column for _, column in run]
            cells = [self._cell(each.source, given.get(each.source)) for each in columns]
            yield self._put(row, columns[0].place, cells)

    def add(self, answers: Sequence[ResponseToPush]) -> Json:
        """New rows after the last that holds anything; the server finds it, so that no two pushes take the same."""
        return {
            "appendCells": {
                "sheetId": self.sheet_id,
                "rows": [{"values": self._row(each)} for each in answers],
                "fields": "userEnteredValue,userEnteredFormat.numberFormat",
            }
        }

    def _put(self, row: int, place: int, cells: Sequence[Json]) -> Json:
        start = {"sheetId": self.sheet_id, "rowIndex": row, "columnIndex": place}
        return {"updateCells": {"start": start, "rows": [{"values": cells}], "fields": "userEnteredValue"}}

    def _row(self, answer: ResponseToPush) -> list[Json]:
        given = values(answer)
        filled = {each.place: self._cell(each.source, given.get(each.source)) for each in self.columns}
        date = {"numberFormat": {"type": "DATE_TIME", "pattern": self.time_format}}
        for column in self.columns:
            if column.source == "answered_at":
                filled[column.place] |= {"userEnteredFormat": date}
        return [filled.get(place, {}) for place in range(max(filled) + 1)]

    def _cell(self, source: Source, value: Any) -> Json:
        match value:
            case None:
                return {}
            case bool():
                return {"userEnteredValue": {"boolValue": value}}
            case int() | float():
                return {"userEnteredValue": {"numberValue": value}}
            case str() if source == "answered_at":
                return {"userEnteredValue": {"numberValue": _days(datetime.fromisoformat(value), self.zone)}}
            case _:
                return _text(str(value))


def _text(text: str) -> Json:
    return {"userEnteredValue": {"stringValue": text[:LONGEST_TEXT]}}


def _days(at: datetime, zone: ZoneInfo) -> float:
    """A moment as a sheet counts it: days since its first, by the clock on the wall."""
    return (at.astimezone(zone).replace(tzinfo=UTC) - FIRST_DAY) / timedelta(days=1)
