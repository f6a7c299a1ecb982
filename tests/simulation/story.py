"""What happened in a simulation, so that a failure can be read."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.simulation import clock

LONGEST_LINES = 3000


@dataclass
class Story:
    """Lines with their times."""

    lines: list[tuple[datetime, str]] = field(default_factory=list)

    def tell(self, line: str) -> None:
        """Something happened now."""
        now = clock.now()
        self.lines.append((now, line))
        del self.lines[:-LONGEST_LINES]

    def of_last_day(self) -> str:
        """The last 24 hours, a line each."""
        since = clock.now() - timedelta(days=1)
        return "\n".join(f"{at:%a %m-%d %H:%M:%S.%f} {line}" for at, line in self.lines if at >= since)
