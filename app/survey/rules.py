"""The rules a queue asks by: what each country's law asks, the deployment's settings, and the queue's overrides."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, Self, TypeVar

from app.errors import FieldProblem, Invalid
from app.survey.calling_hours import ALWAYS, Hours, intersect, parse_hours

Value = TypeVar("Value")
CallingHours = Hours | Literal["always"] | None
LONGEST_DAYS = 3650


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
_HOURS = {code: parse_hours(row.hours) for code, row in COUNTRIES.items() if row.hours is not None}
_CALL_LIMITS = {
    code: row.calls_in_30_days for code, row in COUNTRIES.items() if row.calls_in_30_days is not None
}
_CONSENT = frozenset(code for code, row in COUNTRIES.items() if row.consent_required)


@dataclass(frozen=True)
class Rules:
    """The rules of one queue; each field is a setting that a queue may override (see `build`).

    ``calling_hours`` None leaves the country's hours, or 9 to 20 where it has none; hours that are set apply within
    the country's; "always" lifts both. ``country_hours``, ``country_call_limits`` (calls to one person in 30 days)
    and ``consent_countries`` are keyed by ISO 3166 code. ``daily_cap`` None is no cap.
    """

    calling_hours: CallingHours = None
    survey_every_days: int = 90
    min_talk_seconds: int = 0
    sample_percent: float = 100.0
    daily_cap: int | None = None
    max_age_hours: float = 48.0
    call_delay_seconds: int = 120
    consent_countries: frozenset[str] = _CONSENT
    country_hours: Mapping[str, Hours] = field(default_factory=lambda: MappingProxyType(_HOURS))
    country_call_limits: Mapping[str, int] = field(default_factory=lambda: MappingProxyType(_CALL_LIMITS))

    def __post_init__(self) -> None:
        if self.call_delay_seconds >= self.max_age_hours * 3600:
            raise Invalid([FieldProblem("call_delay_seconds", "must be shorter than max_age_hours")])

    @classmethod
    def build(cls, settings: Mapping[str, Any], overrides: Mapping[str, Any] = MappingProxyType({})) -> Self:
        """The rules from the deployment's settings with a queue's overrides over them, both as plain JSON values.

        Settings outside `OVERRIDABLE` are passed over; an override outside it, or any bad value, raises `Invalid`
        with a problem per field. The two country mappings change only the countries they name; null removes a row.
        """
        given = {key: value for key, value in settings.items() if key in OVERRIDABLE} | dict(overrides)
        values: dict[str, Any] = {}
        problems: list[FieldProblem] = []
        for key, value in given.items():
            try:
                values[key] = _READERS.get(key, _unknown)(value)
            except ValueError as wrong:
                problems.append(FieldProblem(key, str(wrong)))
        if problems:
            raise Invalid(problems)
        return cls(**values)

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


def _unknown(_: object) -> None:
    raise ValueError(f"is not a rule; the rules are {', '.join(OVERRIDABLE)}")


def _read_calling_hours(value: object) -> CallingHours:
    match value:
        case None:
            return None
        case "always":
            return "always"
        case _:
            return _read_hours(value)


def _read_hours(value: object) -> Hours:
    if isinstance(value, str):
        return parse_hours(value)
    raise ValueError("must be text such as 09:00-20:00")


def _whole(most: int) -> Callable[[object], int]:
    def read(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
            raise ValueError(f"must be a whole number from 0 to {most}")
        return value

    return read


def _number(most: int) -> Callable[[object], float]:
    def read(value: object) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= most:
            raise ValueError(f"must be a number from 0 to {most}")
        return float(value)

    return read


def _read_cap(value: object) -> int | None:
    return None if value is None else _whole(10**9)(value)


def _read_country(code: object) -> str:
    if not isinstance(code, str) or not re.fullmatch("[A-Z]{2}", code):
        raise ValueError(f"{code!r} is not a country code such as PL")
    return code


def _read_countries(value: object) -> frozenset[str]:
    if isinstance(value, list | tuple | set | frozenset):
        return frozenset(_read_country(code) for code in value)
    raise ValueError("must be a list of country codes such as PL")


def _changing(
    table: dict[str, Value], read: Callable[[object], Value]
) -> Callable[[object], Mapping[str, Value]]:
    def change(value: object) -> Mapping[str, Value]:
        if isinstance(value, Mapping):
            removed = {_read_country(code) for code, row in value.items() if row is None}
            added = {_read_country(code): read(row) for code, row in value.items() if row is not None}
            return MappingProxyType(
                {code: row for code, row in (table | added).items() if code not in removed}
            )
        raise ValueError("must be an object keyed by country code")

    return change


_READERS: Mapping[str, Callable[[object], Any]] = {
    "calling_hours": _read_calling_hours,
    "survey_every_days": _whole(LONGEST_DAYS),
    "min_talk_seconds": _whole(24 * 3600),
    "sample_percent": _number(100),
    "daily_cap": _read_cap,
    "max_age_hours": _number(LONGEST_DAYS * 24),
    "call_delay_seconds": _whole(LONGEST_DAYS * 24 * 3600),
    "consent_countries": _read_countries,
    "country_hours": _changing(_HOURS, _read_hours),
    "country_call_limits": _changing(_CALL_LIMITS, _whole(1000)),
}
OVERRIDABLE = tuple(_READERS)
