"""When a person may be called: weekly windows with holes, holidays, and several possible time zones at once."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY = timedelta(days=1)
CLOSED_ON_HOLIDAYS = "not on holidays"
EXAMPLE = "such as 09:00-20:00 or mon-fri 10:00-13:00, 14:00-20:00; not on holidays"

_DAY = "|".join(DAYS)
_PART = re.compile(rf"(?:({_DAY})(?:-({_DAY}))?\s+)?(\d.*)")
_SPAN = re.compile(r"(\d\d):([0-5]\d)\s*-\s*(\d\d):([0-5]\d)")


class Span(NamedTuple):
    """Part of a day: from its opening up to, but without, its closing; from local midnight."""

    opens: timedelta
    closes: timedelta


@dataclass(frozen=True)
class Hours:
    """A week of calling hours on the local clock: Monday to Sunday, each with its spans in order.

    ``anywhere``: they hold without knowing where somebody is, as nothing that is written in hours does.
    """

    week: tuple[tuple[Span, ...], ...]
    open_on_holidays: bool = True
    anywhere: bool = False

    def wait(self, local: datetime, is_holiday: Callable[[date], bool]) -> timedelta:
        """Clock time from a local moment to the day's next opening, or to midnight; zero while open."""
        clock = timedelta(
            hours=local.hour, minutes=local.minute, seconds=local.second, microseconds=local.microsecond
        )
        for span in self._spans(local.date(), is_holiday):
            if clock < span.closes:
                return max(span.opens - clock, timedelta(0))
        return DAY - clock

    def _spans(self, day: date, is_holiday: Callable[[date], bool]) -> tuple[Span, ...]:
        spans = self.week[day.weekday()]
        closed = spans and not self.open_on_holidays and is_holiday(day)
        return () if closed else spans


ALWAYS = Hours(((Span(timedelta(0), DAY),),) * 7, anywhere=True)


def parse_hours(text: str) -> Hours:
    """Read calling hours: parts of ``[days] spans`` between ``;``, such as ``mon-fri 09:00-20:00; sat 10:00-14:00``.

    A part without days is for every day, ``24:00`` is midnight, and ``not on holidays`` is a part of its own. Raises
    ValueError with what is wrong.
    """
    parts = [part.strip() for part in text.lower().split(";")]
    week: list[list[Span]] = [[] for _ in DAYS]
    for part in parts:
        if part == CLOSED_ON_HOLIDAYS:
            continue
        days, spans = _read_part(part)
        for day in days:
            week[day].extend(spans)
    if not any(week):
        raise ValueError(f"opens on no day; write hours {EXAMPLE}")
    return Hours(tuple(_in_order(spans) for spans in week), CLOSED_ON_HOLIDAYS not in parts)


def _read_part(part: str) -> tuple[range, list[Span]]:
    match = _PART.fullmatch(part)
    if match is None:
        raise ValueError(f"cannot read {part!r}; write hours {EXAMPLE}")
    first, last, spans = match.groups()
    days = range(7) if first is None else range(DAYS.index(first), DAYS.index(last or first) + 1)
    if not days:
        raise ValueError(f"{first}-{last} runs backwards; the week starts on Monday")
    return days, [_read_span(span.strip()) for span in spans.split(",")]


def _read_span(text: str) -> Span:
    match = _SPAN.fullmatch(text)
    if match is None:
        raise ValueError(f"cannot read {text!r}; write hours {EXAMPLE}")
    hour, minute, last_hour, last_minute = map(int, match.groups())
    span = Span(timedelta(hours=hour, minutes=minute), timedelta(hours=last_hour, minutes=last_minute))
    if not span.opens < span.closes <= DAY:
        raise ValueError(f"{text} must close after it opens and by 24:00")
    return span


def _in_order(spans: Sequence[Span]) -> tuple[Span, ...]:
    ordered = tuple(sorted(spans))
    if any(earlier.closes > later.opens for earlier, later in pairwise(ordered)):
        raise ValueError("two spans of the same day overlap")
    return ordered


@lru_cache(maxsize=256)
def intersect(one: Hours, other: Hours) -> Hours:
    """The hours that lie in both."""
    return Hours(
        tuple(_shared(spans, others) for spans, others in zip(one.week, other.week, strict=True)),
        one.open_on_holidays and other.open_on_holidays,
        one.anywhere and other.anywhere,
    )


def _shared(spans: Sequence[Span], others: Sequence[Span]) -> tuple[Span, ...]:
    pairs = (
        Span(max(span.opens, other.opens), min(span.closes, other.closes))
        for span in spans
        for other in others
    )
    return tuple(sorted(pair for pair in pairs if pair.opens < pair.closes))


def next_open(
    start: datetime,
    not_after: datetime,
    zones: Sequence[str],
    hours: Hours,
    is_holiday: Callable[[date], bool],
) -> datetime | None:
    """The first moment from ``start`` to ``not_after`` that is open in every one of the zones, in UTC; else None.

    Hours are read on each zone's own clock and holidays on its own date. A clock that is put forward or back is
    followed exactly: an hour that is skipped never opens, and one that comes twice opens twice.
    """
    if not zones and not hours.anywhere:
        raise ValueError("calling hours need at least one time zone")
    moment, last = start.astimezone(UTC), not_after.astimezone(UTC)
    places = [_zone(zone) for zone in zones]
    while moment <= last:
        before = moment
        for place in places:
            moment = _try_next(moment, place, hours, is_holiday)
        if moment == before:
            return moment
    return None


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo:
    # The standard library keeps eight zones and reads the others' files again; one country may have sixteen.
    return ZoneInfo(name)


def _try_next(moment: datetime, zone: ZoneInfo, hours: Hours, is_holiday: Callable[[date], bool]) -> datetime:
    """The moment itself if it is open there, else one before which nothing opens."""
    local = moment.astimezone(zone)
    wait = hours.wait(local, is_holiday)
    if not wait:
        return moment
    later = moment + wait
    if later.astimezone(zone).utcoffset() == local.utcoffset():
        return later
    return _clock_change(moment, later, zone)


def _clock_change(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The second between two moments, at most a day apart, at which the zone's clock is put forward or back."""
    offset = before.astimezone(zone).utcoffset()
    early, late = int(before.timestamp()), int(after.timestamp())
    while late - early > 1:
        middle = (early + late) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == offset:
            early = middle
        else:
            late = middle
    return datetime.fromtimestamp(late, UTC)
