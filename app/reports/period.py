"""The filters that reports and exports share."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from app.errors import FieldProblem, Invalid
from app.store.selection import Selection

YEARS = range(1900, 3000)


def select(queue: str | None, from_: str | None, to: str | None, timezone: ZoneInfo) -> Selection:
    """Read the filters as they stand in a URL; raises `Invalid` with the field."""
    first_day, last_day = _day("from", from_, timezone), _day("to", to, timezone)
    if first_day and last_day and last_day < first_day:
        raise Invalid([FieldProblem("to", "lies before from")])
    return Selection(queue or None, first_day, last_day, timezone)


def _day(field: str, text: str | None, timezone: ZoneInfo) -> date | None:
    if not text:
        return None
    try:
        day = _read(text, timezone)
    except (ValueError, OverflowError):
        day = None
    if day is None or day.year not in YEARS:
        raise Invalid([FieldProblem(field, "must be a day such as 2026-11-21")])
    return day


def _read(text: str, timezone: ZoneInfo) -> date:
    if len(text) == len("2026-11-21"):
        return date.fromisoformat(text)
    moment = datetime.fromisoformat(text.replace(" ", "+"))
    return (moment.astimezone(timezone) if moment.tzinfo else moment).date()
