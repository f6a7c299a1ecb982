"""When alerts go: quiet hours and digests by a place's clocks, and storms that become one message."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from app.store.alerts import DueAlert, HeldFor


@dataclass(frozen=True)
class Storm:
    """More alerts than this to one recipient within this time become one message."""

    more_than: int = 5
    within: timedelta = timedelta(minutes=10)


@dataclass(frozen=True)
class SendNow:
    """Send these now, in one message."""

    alerts: Sequence[DueAlert]
    held_for: HeldFor | None = None


@dataclass(frozen=True)
class KeepUntil:
    """Keep these until then, to go in one message."""

    alerts: Sequence[DueAlert]
    until: datetime
    held_for: HeldFor


@dataclass(frozen=True)
class RecentlySent:
    """How many alerts this recipient was sent within a storm's time, and when the last one went."""

    count: int
    last_at: datetime | None


def plan(due: Sequence[DueAlert], lately: RecentlySent, storm: Storm) -> SendNow | KeepUntil | None:
    """The next thing to be done; None where nothing is due.

    What would be one too many is kept until the recipient has been left in peace for a storm's time. So a storm ends
    in one message, not in many, and no alert is kept longer than that.
    """
    alarms = [each for each in due if each.alarm]
    if alarms:
        return SendNow(alarms[:1])
    together = [each for each in due if each.held_for is not None]
    if together:
        return SendNow(together, together[0].held_for)
    if not due:
        return None
    if lately.count + len(due) <= storm.more_than:
        return SendNow(due[:1])
    if lately.last_at is None:
        return SendNow(due, "storm")
    return KeepUntil(due, lately.last_at + storm.within, "storm")


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
