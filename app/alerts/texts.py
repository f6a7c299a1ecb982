"""The wording of alerts, by language: one file each in ``texts/``."""

from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from app.config import files

DIRECTORY = Path(__file__).with_name("texts")


@dataclass(frozen=True)
class Texts:
    """One language's wording; what stands in braces is filled in. A test holds the languages to the same braces."""

    title: str
    title_callback: str
    crm: str
    nobody: str
    said: str
    transcript: str
    nothing_said: str
    callback: str
    no_callback: str
    agent: str
    channels: dict[str, str]
    when: str
    today: str
    tomorrow: str
    yesterday: str
    date: str
    hours: str
    minutes: str
    left: str
    over: str
    many: str
    digest: str
    quiet_hours: str
    storm: str
    queue: str
    other_queues: str
    deadlines: str
    worst: str
    entry: str
    more: str
    test: str
    sample: str

    def moment(self, at: datetime, now: datetime) -> str:
        """A moment as people say it; both must be in the readers' time zone."""
        days: dict[date, str] = {
            now.date(): self.today,
            now.date() + timedelta(days=1): self.tomorrow,
            now.date() - timedelta(days=1): self.yesterday,
        }
        day = days.get(at.date()) or at.strftime(self.date)
        return self.when.format(day=day, time=at.strftime("%H:%M"))

    def span(self, span: timedelta) -> str:
        """A time span in hours and minutes, never more than there is."""
        hours, minutes = divmod(int(span.total_seconds()) // 60, 60)
        return (self.hours if hours else self.minutes).format(hours=hours, minutes=minutes)


def languages() -> list[str]:
    """The languages that alerts are worded in."""
    return sorted(path.stem for path in DIRECTORY.glob("*.yml"))


@lru_cache(maxsize=64)
def texts(language: str) -> Texts:
    """The wording in one of the `languages`."""
    content = files.read(DIRECTORY / f"{language}.yml", variables=False)
    return Texts(**{each.name: content[each.name] for each in fields(Texts)})
