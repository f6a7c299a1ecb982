"""Wall-clock times of a place: quiet hours and digests, through midnight and changes of the clocks."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)


@dataclass(frozen=True)
class QuietHours:
    """From ``begin`` until ``end``, which is the next day's where it is earlier."""

    begin: time
    end: time
    zone: ZoneInfo

    def over_at(self, now: datetime) -> datetime | None:
        """When the quiet hours that it is now are over; None where it is not quiet."""
        local = now.astimezone(self.zone)
        if not self.hold(local.time()):
            return None
        return next(each for each in _moments(local.date(), [self.end], self.zone) if each > now)

    def hold(self, clock: time) -> bool:
        """Whether it is quiet when clocks show this."""
        if self.begin < self.end:
            return self.begin <= clock < self.end
        return clock >= self.begin or clock < self.end


def next_of(times: Iterable[time], zone: ZoneInfo, now: datetime) -> datetime:
    """When the clocks there next show one of these times. An hour that comes twice counts once."""
    days = _moments(now.astimezone(zone).date(), sorted(times), zone, folds=(0,))
    return min(each for each in days if each > now)


def _moments(
    day: date, times: Iterable[time], zone: ZoneInfo, folds: tuple[int, ...] = (0, 1)
) -> Iterator[datetime]:
    """When the clocks show these times, that day and the two after; a time that is skipped is the hour after it."""
    wanted = list(times)
    for after in range(3):
        for clock in wanted:
            for fold in folds:
                local = datetime.combine(day + after * DAY, clock.replace(fold=fold), zone)
                yield local.astimezone(UTC)
