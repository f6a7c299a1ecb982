"""Which of a recipient's due alerts go now, which go together, and which wait."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.alerts.rules import Storm
from app.store.alerts import HeldFor, Row


@dataclass(frozen=True)
class Take:
    """Send these now, in one message."""

    alerts: Sequence[Row]
    held_for: HeldFor | None = None


@dataclass(frozen=True)
class Hold:
    """Keep these until then, to go in one message."""

    alerts: Sequence[Row]
    until: datetime
    held_for: HeldFor


@dataclass(frozen=True)
class Lately:
    """How many alerts this recipient was sent within a storm's time, and when the last one went."""

    count: int
    last_at: datetime | None


def plan(due: Sequence[Row], lately: Lately, storm: Storm) -> Take | Hold | None:
    """The next thing to be done; None where nothing is due.

    What would be one too many is kept until the recipient has been left in peace for a storm's time. So a storm ends
    in one message, not in many, and no alert is kept longer than that.
    """
    alarms = [each for each in due if each.alarm]
    if alarms:
        return Take(alarms[:1])
    together = [each for each in due if each.held_for is not None]
    if together:
        return Take(together, together[0].held_for)
    if not due:
        return None
    if lately.count + len(due) <= storm.more_than:
        return Take(due[:1])
    if lately.last_at is None:
        return Take(due, "storm")
    return Hold(due, lately.last_at + storm.within, "storm")
