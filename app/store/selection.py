"""Which answers a report or an export is about."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Selection:
    """A queue (None: all) and a span of days, both ends included (None: open), counted in ``timezone``."""

    queue: str | None
    first_day: date | None
    last_day: date | None
    timezone: ZoneInfo

    @property
    def begins_at(self) -> datetime | None:
        """The first moment of the first day."""
        return None if self.first_day is None else datetime.combine(self.first_day, time.min, self.timezone)

    @property
    def ends_before(self) -> datetime | None:
        """The first moment after the last day."""
        if self.last_day is None:
            return None
        return datetime.combine(self.last_day + timedelta(days=1), time.min, self.timezone)

    @property
    def values(self) -> dict[str, object]:
        """What the filters compare with, under the names of their parameters."""
        return {
            "queue": self.queue,
            "first_day": self.first_day,
            "last_day": self.last_day,
            "begins_at": self.begins_at,
            "ends_before": self.ends_before,
        }
