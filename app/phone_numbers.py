"""Where a phone number is: its one spelling, its country, its possible time zones, and the country's holidays.

A place is read off the number's prefix, so it is where the number was given out; a customer's own time zone,
where the integrator sends one, is better and replaces it.
"""

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from zoneinfo import ZoneInfo

from phonenumbers import (
    NumberParseException,
    PhoneNumberFormat,
    ValidationResult,
    format_number,
    is_possible_number_with_reason,
    parse,
    region_code_for_country_code,
    region_code_for_number,
)
from phonenumbers import PhoneNumber as LibraryNumber
from phonenumbers.timezone import UNKNOWN_TIMEZONE, time_zones_for_geographical_number, time_zones_for_number
from phonenumbers.tzdata import TIMEZONE_DATA

NORTH_AMERICA = 1
CONTIGUOUS_STATES = ("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles")
NOT_A_COUNTRY = "001"
# By Norwegian law, which forbids selling by telephone on them as on other holy days.
SUNDAYS_ARE_HOLIDAYS = frozenset({"NO", "SJ"})
SUNDAY = 6

_WRITTEN = re.compile(r"\+[\d ()./\u00a0\u2010-\u2013-]+", re.ASCII)
_WRONG_LENGTH = {
    ValidationResult.TOO_SHORT: "has too few digits for its country",
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "has too few digits for its country; add the area code",
    ValidationResult.TOO_LONG: "has too many digits for its country",
    ValidationResult.INVALID_LENGTH: "has a number of digits that its country does not use",
}


class UnusableNumber(ValueError):
    """A phone number that nobody could dial; the message says why and never repeats the number."""


@dataclass(frozen=True)
class PhoneNumber:
    """A number in E.164, its ISO 3166 country, and every time zone it may be in.

    A satellite or other number of no country has neither country nor zones.
    """

    e164: str
    country: str | None
    zones: tuple[str, ...]


# A number is read twice for each interaction and seldom comes back; thousands that were kept held on to memory that was
# needed once, since they lie scattered over it.
@lru_cache(maxsize=64)
def parse_phone_number(phone: str) -> PhoneNumber:
    """Place a number that begins with ``+``; spaces, dashes, dots, slashes and parentheses do not matter.

    Numbers need only be possible, not in service, so that an operator's test numbers work. Raises `UnusableNumber`.
    """
    number = _read(phone)
    country = region_code_for_number(number) or region_code_for_country_code(number.country_code or 0)
    return PhoneNumber(
        format_number(number, PhoneNumberFormat.E164),
        None if country == NOT_A_COUNTRY else country,
        _zones(number),
    )


def _read(phone: str) -> LibraryNumber:
    if not _WRITTEN.fullmatch(phone.strip()):
        raise UnusableNumber("must be an international number: + and digits, such as +48 22 123 45 67")
    try:
        number = parse(phone)
    except NumberParseException as wrong:
        if wrong.error_type == NumberParseException.INVALID_COUNTRY_CODE:
            raise UnusableNumber("begins with no country's calling code") from None
        raise UnusableNumber("has too few or too many digits for a phone number") from None
    reason = is_possible_number_with_reason(number)
    if reason != ValidationResult.IS_POSSIBLE:
        raise UnusableNumber(_WRONG_LENGTH.get(reason, "is not a possible number"))
    return number


def _zones(number: LibraryNumber) -> tuple[str, ...]:
    everywhere: tuple[str, ...] = TIMEZONE_DATA.get(str(number.country_code), ())
    if number.country_code == NORTH_AMERICA:
        # From Guam to Newfoundland there is no common hour; and here mobile numbers have area codes, too.
        by_area_code = time_zones_for_geographical_number(number)
        return CONTIGUOUS_STATES if by_area_code == everywhere else by_area_code
    zones = time_zones_for_number(number)
    return everywhere if UNKNOWN_TIMEZONE in zones else zones


@lru_cache(maxsize=1024)
def named_zone(name: str) -> str:
    """Check the name of a time zone, such as Europe/Warsaw; raises ValueError where there is none of that name."""
    if name[:1].isupper():  # localtime, posix/... and right/... are files of the machine, not places
        with suppress(ValueError, KeyError, OSError):
            return ZoneInfo(name).key
    raise ValueError("is not a time zone such as Europe/Warsaw")


def is_holiday(country: str, day: date) -> bool:
    """Whether a day is a public holiday in all of a country (ISO 3166); false for a country we know nothing of."""
    return (country in SUNDAYS_ARE_HOLIDAYS and day.weekday() == SUNDAY) or day in _holidays(
        country, day.year
    )


@lru_cache(maxsize=512)
def _holidays(country: str, year: int) -> frozenset[date]:
    from holidays import country_holidays  # noqa: PLC0415  # few countries have a holiday rule; it costs 0.2 s, 18 MB

    try:
        return frozenset(country_holidays(country, years=year))
    except NotImplementedError:
        return frozenset()
