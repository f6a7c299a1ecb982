"""The rules a queue asks by, what each country's law asks, and how both are written."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeVar

from app.survey.calling_hours import ALWAYS, Hours, intersect, parse_hours

Value = TypeVar("Value")
MOST_CALLS = 1000
CallingHours = Hours | Literal["always"] | None


@dataclass(frozen=True)
class Country:
    """What a country asks of whoever calls people there: a product default, not legal advice."""

    hours: str | None = None
    calls_in_30_days: int | None = None
    consent_required: bool = False


_FRANCE = Country("mon-fri 10:00-13:00, 14:00-20:00; not on holidays", calls_in_30_days=4)
_NORWAY = Country("mon-fri 09:00-21:00; not on holidays")
_UNITED_STATES = Country("08:00-21:00", calls_in_30_days=3)

COUNTRIES: Mapping[str, Country] = MappingProxyType(
    dict.fromkeys(("FR", "BL", "GF", "GP", "MF", "MQ", "PM", "RE", "YT"), _FRANCE)
    | dict.fromkeys(("NO", "SJ"), _NORWAY)
    | dict.fromkeys(("US", "AS", "GU", "MP", "PR", "VI"), _UNITED_STATES)
    | {"PL": Country(consent_required=True)}
)
DEFAULT_HOURS = parse_hours("09:00-20:00")
COUNTRY_HOURS: Mapping[str, Hours] = MappingProxyType(
    {code: parse_hours(row.hours) for code, row in COUNTRIES.items() if row.hours is not None}
)
COUNTRY_CALL_LIMITS: Mapping[str, int] = MappingProxyType(
    {code: row.calls_in_30_days for code, row in COUNTRIES.items() if row.calls_in_30_days is not None}
)
CONSENT_COUNTRIES = frozenset(code for code, row in COUNTRIES.items() if row.consent_required)


@dataclass(frozen=True)
class Rules:
    """The rules of one queue. What each means, and what it is where nobody has set it: `app.config.QueueSettings`.

    ``calling_hours`` None leaves the country's hours, or 9 to 20 where it has none; hours that are set apply within
    the country's; "always" lifts both. ``country_hours``, ``country_call_limits`` (calls to one person in 30 days)
    and ``consent_countries`` are keyed by ISO 3166 code. ``daily_cap`` None is no cap.
    """

    calling_hours: CallingHours
    survey_every_days: int
    min_talk_seconds: int
    sample_percent: float
    daily_cap: int | None
    max_age_hours: float
    call_delay_seconds: int
    consent_countries: frozenset[str]
    country_hours: Mapping[str, Hours]
    country_call_limits: Mapping[str, int]

    def hours_in(self, country: str | None) -> Hours:
        """The hours that hold for a person in a country; None where it is unknown."""
        lawful = self.country_hours.get(country) if country is not None else None
        if self.calling_hours == "always":
            return ALWAYS
        if self.calling_hours is None:
            return lawful or DEFAULT_HOURS
        return intersect(self.calling_hours, lawful) if lawful else self.calling_hours

    def call_limit_in(self, country: str | None) -> int | None:
        """How many calls one person may get in 30 days; None is no limit."""
        return self.country_call_limits.get(country) if country is not None else None


def read_calling_hours(value: object) -> CallingHours:
    """Hours as they are written, ``always`` or None; what was read already stays. Raises ValueError."""
    match value:
        case None:
            return None
        case "always":
            return "always"
        case Hours():
            return value
        case _:
            return _read_hours(value)


def read_countries(value: object) -> frozenset[str]:
    """A list of ISO 3166 codes. Raises ValueError."""
    if isinstance(value, list | tuple | set | frozenset):
        return frozenset(_read_country(code) for code in value)
    raise ValueError("must be a list of country codes such as PL")


def read_country_hours(value: object) -> Mapping[str, Hours]:
    """The countries' hours with changes such as ``{"GB": "mon-sat 09:00-19:00", "US": None}``. Raises ValueError."""
    return _changed(COUNTRY_HOURS, value, _read_hours)


def read_country_call_limits(value: object) -> Mapping[str, int]:
    """The countries' limits with changes such as ``{"FR": 2, "US": None}``. Raises ValueError."""
    return _changed(COUNTRY_CALL_LIMITS, value, _read_limit)


def _read_hours(value: object) -> Hours:
    if isinstance(value, str):
        return parse_hours(value)
    raise ValueError("must be text such as 09:00-20:00")


def _read_limit(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_CALLS:
        return value
    raise ValueError(f"must be a whole number from 0 to {MOST_CALLS}")


def _read_country(code: object) -> str:
    if not isinstance(code, str) or not re.fullmatch("[A-Z]{2}", code):
        raise ValueError(f"{code!r} is not a country code such as PL")
    return code


def _changed(
    table: Mapping[str, Value], changes: object, read: Callable[[object], Value]
) -> Mapping[str, Value]:
    """The table without the rows that are None in ``changes``, and with its other rows."""
    match changes:
        case Mapping():
            rows = {
                **table,
                **{_read_country(code): None if row is None else read(row) for code, row in changes.items()},
            }
            return MappingProxyType({code: row for code, row in rows.items() if row is not None})
        case _:
            raise ValueError("must be an object keyed by country code")
