"""Days on a place's calendar."""

from datetime import datetime
from zoneinfo import ZoneInfo


def today(timezone: ZoneInfo) -> str:
    """The date there now, such as 2026-11-28."""
    return datetime.now(timezone).date().isoformat()


def midnight(timezone: ZoneInfo) -> datetime:
    """The moment at which today began there."""
    return datetime.now(timezone).replace(hour=0, minute=0, second=0, microsecond=0)
