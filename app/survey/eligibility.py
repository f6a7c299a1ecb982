"""Who may be asked, and when: an interaction, the person's history and the rules become a due time or a reason."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Literal

from app.survey.calling_hours import next_open
from app.survey.rules import Rules

SurveyBy = Literal["voice", "sms", "whatsapp", "chat"]
Reason = Literal[
    "opted_out",
    "consent_refused",
    "consent_required",
    "no_address",
    "no_such_number",
    "no_time_zone",
    "too_many_calls",
    "too_old",
    "too_short",
    "survey_open",
    "surveyed_recently",
    "sampled_out",
    "daily_cap",
    "no_common_hours",
    "outside_calling_hours",
]
IsHoliday = Callable[[str, date], bool]
A_WEEK_AND_A_DAY = timedelta(days=8)


@dataclass(frozen=True)
class Candidate:
    """An interaction that ended, and the person in it.

    ``ended_at`` is aware; ``talk_seconds`` and ``consent`` are None where unknown; ``address`` and ``country`` (E.164
    and ISO 3166) are None without a phone number; ``zones`` are the time zones the person may be in, all of them.
    """

    interaction_id: str
    survey_by: SurveyBy
    ended_at: datetime
    talk_seconds: int | None = None
    consent: bool | None = None
    address: str | None = None
    country: str | None = None
    zones: tuple[str, ...] = ()


@dataclass(frozen=True)
class History:
    """What went before with this person, and today in this queue.

    ``last_surveyed_at`` and ``survey_open`` leave the survey under decision out; ``calls_last_30_days`` counts every
    call placed to the person, its own among them; ``scheduled_today`` counts the queue's surveys. ``no_such_number``: a
    carrier has said that nobody has the person's number.
    """

    opted_out: bool = False
    no_such_number: bool = False
    last_surveyed_at: datetime | None = None
    survey_open: bool = False
    scheduled_today: int = 0
    calls_last_30_days: int = 0


@dataclass(frozen=True)
class Eligible:
    """The person may be asked, from ``due_at`` (UTC) on."""

    due_at: datetime


@dataclass(frozen=True)
class Skip:
    """The person is not asked, for this reason."""

    reason: Reason


@dataclass(frozen=True)
class _Case:
    """All that a check looks at; every time is in UTC, because sums on a local clock go wrong when it changes."""

    candidate: Candidate
    history: History
    rules: Rules
    now: datetime

    @property
    def in_chat(self) -> bool:
        return self.candidate.survey_by == "chat"

    @property
    def earliest(self) -> datetime:
        delay = timedelta(seconds=self.rules.call_delay_seconds)
        return self.now if self.in_chat else max(self.now, self.candidate.ended_at + delay)

    @property
    def deadline(self) -> datetime:
        return self.candidate.ended_at + timedelta(hours=self.rules.max_age_hours)


def drawn(interaction_id: str, percent: float) -> bool:
    """Whether an interaction is in the sample: a uniform draw on its id, the same for ever and on every machine."""
    draw = int.from_bytes(sha256(interaction_id.encode(errors="surrogatepass")).digest()[:6]) / 2**48
    return draw * 100 < percent


def _needs_consent(case: _Case) -> bool:
    return case.candidate.consent is None and case.candidate.country in case.rules.consent_countries


def _no_address(case: _Case) -> bool:
    return not case.in_chat and case.candidate.address is None


def _no_time_zone(case: _Case) -> bool:
    hours = case.rules.hours_in(case.candidate.country)
    return not case.in_chat and not case.candidate.zones and not hours.anywhere


def _too_many_calls(case: _Case) -> bool:
    limit = case.rules.call_limit_in(case.candidate.country)
    return (
        case.candidate.survey_by == "voice" and limit is not None and case.history.calls_last_30_days >= limit
    )


def _too_short(case: _Case) -> bool:
    talked = case.candidate.talk_seconds
    return talked is not None and talked < case.rules.min_talk_seconds


def _surveyed_recently(case: _Case) -> bool:
    last = case.history.last_surveyed_at
    return last is not None and case.now < last + timedelta(days=case.rules.survey_every_days)


def _over_cap(case: _Case) -> bool:
    return case.rules.daily_cap is not None and case.history.scheduled_today >= case.rules.daily_cap


_Check = tuple[Reason, Callable[[_Case], bool]]
_CHECKS: tuple[_Check, ...] = (
    ("opted_out", lambda case: case.history.opted_out),
    ("consent_refused", lambda case: case.candidate.consent is False),
    ("consent_required", _needs_consent),
    ("no_address", _no_address),
    ("no_such_number", lambda case: case.history.no_such_number and case.candidate.survey_by != "chat"),
    ("no_time_zone", _no_time_zone),
    ("too_many_calls", _too_many_calls),
    ("too_old", lambda case: case.now > case.deadline),
    ("too_short", _too_short),
    ("survey_open", lambda case: case.history.survey_open),
    ("surveyed_recently", _surveyed_recently),
    ("sampled_out", lambda case: not drawn(case.candidate.interaction_id, case.rules.sample_percent)),
    ("daily_cap", _over_cap),
)
_AT_THE_TRIGGER_ONLY = ("survey_open", "sampled_out", "daily_cap")
_RECHECKS = tuple(check for check in _CHECKS if check[0] not in _AT_THE_TRIGGER_ONLY)


def decide(
    candidate: Candidate, history: History, rules: Rules, now: datetime, is_holiday: IsHoliday
) -> Eligible | Skip:
    """Decide when the interaction ends. The first check that fails names the reason; docs/eligibility.md lists them.

    ``is_holiday`` takes an ISO 3166 country and a local date.
    """
    return _judge(_in_utc(candidate, history, rules, now), _CHECKS, is_holiday)


def recheck(
    candidate: Candidate, history: History, rules: Rules, now: datetime, is_holiday: IsHoliday
) -> Eligible | Skip:
    """Decide again when an attempt starts: now if ``due_at`` is ``now``, later if it has moved on.

    The checks of the trigger alone (an open survey, the sample, the cap) are left out. To plan another attempt, give
    the planned time as ``now``.
    """
    return _judge(_in_utc(candidate, history, rules, now), _RECHECKS, is_holiday)


def _in_utc(candidate: Candidate, history: History, rules: Rules, now: datetime) -> _Case:
    last = history.last_surveyed_at
    return _Case(
        replace(candidate, ended_at=candidate.ended_at.astimezone(UTC)),
        replace(history, last_surveyed_at=last and last.astimezone(UTC)),
        rules,
        now.astimezone(UTC),
    )


def _judge(case: _Case, checks: tuple[_Check, ...], is_holiday: IsHoliday) -> Eligible | Skip:
    failed = next((reason for reason, fails in checks if fails(case)), None)
    if failed is not None:
        return Skip(failed)
    return Eligible(case.earliest) if case.in_chat else _next_due(case, is_holiday)


def _next_due(case: _Case, is_holiday: IsHoliday) -> Eligible | Skip:
    country, zones = case.candidate.country, case.candidate.zones
    hours = case.rules.hours_in(country)

    def closed(day: date) -> bool:
        return country is not None and is_holiday(country, day)

    due_at = next_open(case.earliest, case.deadline, zones, hours, closed)
    if due_at is not None:
        return Eligible(due_at)
    # A holiday on the only open day of this week says nothing of the next one.
    ever = next_open(case.earliest, case.earliest + A_WEEK_AND_A_DAY, zones, hours, lambda _: False)
    return Skip("no_common_hours" if ever is None else "outside_calling_hours")
