"""Rules: which answers people are told of, who is told, and when."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from zoneinfo import ZoneInfo

from app.alerts.timing import QuietHours, Storm, next_of
from app.alerts.words import WordList
from app.store.alerts import AlertedResponse, HeldFor
from app.survey import Band


@dataclass(frozen=True)
class Rule:
    """One rule. What is empty or None holds for every answer; a digest has its times."""

    name: str
    to: tuple[str, ...]
    language: str
    zone: ZoneInfo
    queues: frozenset[str] = frozenset()
    bands: frozenset[Band] = frozenset()
    scores: frozenset[int] = frozenset()
    languages: frozenset[str] = frozenset()
    words: WordList | None = None
    callback: bool | None = None
    phone: bool = False
    digest_at: tuple[time, ...] = ()
    quiet_hours: QuietHours | None = None

    def matches(self, answer: AlertedResponse) -> bool:
        """Whether this is an answer to be told of."""
        return (
            (not self.queues or answer.queue in self.queues)
            and (not self.bands or answer.band in self.bands)
            and (not self.scores or answer.score in self.scores)
            and (not self.languages or answer.language in self.languages)
            and (self.callback is None or answer.callback is self.callback)
            and (self.words is None or self.words.found_in(answer.comment))
        )

    def when(self, now: datetime) -> tuple[datetime, HeldFor | None]:
        """When an answer that is given now is told of, and what it waits for until then."""
        if self.digest_at:
            return next_of(self.digest_at, self.zone, now), "digest"
        over = self.quiet_until(now)
        return (now, None) if over is None else (over, "quiet_hours")

    def quiet_until(self, now: datetime) -> datetime | None:
        """When this rule may speak again; None where it may now."""
        return None if self.quiet_hours is None else self.quiet_hours.over_at(now)


@dataclass(frozen=True)
class Notification:
    """Somebody who is to be told of an answer."""

    recipient: str
    rule: str
    due_at: datetime
    held_for: HeldFor | None


@dataclass(frozen=True)
class Rulebook:
    """What an operator's file says. ``operators`` are told when Zeroten itself is in trouble."""

    rules: Sequence[Rule] = ()
    operators: Sequence[str] = ()
    storm: Storm = field(default_factory=Storm)

    def judge(self, answer: AlertedResponse, now: datetime) -> list[Notification]:
        """Whom to tell of this answer: each recipient once, by the rule that tells them soonest."""
        told: dict[str, Notification] = {}
        for rule in self.rules:
            if rule.matches(answer):
                due_at, held_for = rule.when(now)
                for recipient in rule.to:
                    if recipient not in told or due_at < told[recipient].due_at:
                        told[recipient] = Notification(recipient, rule.name, due_at, held_for)
        return list(told.values())

    def rule(self, name: str) -> Rule | None:
        """The rule of this name, where there still is one."""
        return next((each for each in self.rules if each.name == name), None)
