"""Where a number is, and the days its country keeps."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.phone_numbers import (
    CONTIGUOUS_STATES,
    PhoneNumber,
    UnusableNumber,
    is_holiday,
    named_zone,
    parse_phone_number,
)


@pytest.mark.parametrize(
    ("phone", "country", "zone"),
    [
        ("+48221234567", "PL", "Europe/Warsaw"),
        ("+48511222333", "PL", "Europe/Warsaw"),
        ("+33612345678", "FR", "Europe/Paris"),
        ("+12125551234", "US", "America/New_York"),
        ("+14155550100", "US", "America/Los_Angeles"),
        ("+16045551234", "CA", "America/Vancouver"),
        ("+18765551234", "JM", "America/Jamaica"),
        ("+17875551234", "PR", "America/Puerto_Rico"),
        ("+77172123456", "KZ", "Asia/Almaty"),
    ],
)
def test_a_number_has_a_country_and_a_zone(phone: str, country: str, zone: str) -> None:
    assert parse_phone_number(phone) == PhoneNumber(phone, country, (zone,))


@pytest.mark.parametrize(
    "written",
    [
        "+48221234567",
        " +48 22 123 45 67 ",
        "+48 (22) 123-45-67",
        "+48-22.123.45.67",
        "+48\u00a022\u2011123 4567",
    ],
)
def test_one_number_has_one_spelling(written: str) -> None:
    assert parse_phone_number(written).e164 == "+48221234567"


def test_a_trunk_zero_in_parentheses_is_left_out() -> None:
    assert parse_phone_number("+44 (0)20 7946 0000").e164 == "+442079460000"


@pytest.mark.parametrize("phone", ["+15550001111", "+18005551234", "+15005550006"])
def test_a_north_american_number_without_a_place_may_be_anywhere_in_the_contiguous_states(phone: str) -> None:
    assert parse_phone_number(phone) == PhoneNumber(phone, "US", CONTIGUOUS_STATES)


def test_a_mobile_number_may_be_in_any_zone_of_its_country() -> None:
    assert {"Australia/Perth", "Australia/Sydney"} <= set(parse_phone_number("+61412345678").zones)


def test_a_number_that_is_not_in_service_still_has_its_country_s_zones() -> None:
    assert parse_phone_number("+48000000000") == PhoneNumber("+48000000000", "PL", ("Europe/Warsaw",))


def test_a_satellite_phone_is_in_no_country() -> None:
    assert parse_phone_number("+870773111632") == PhoneNumber("+870773111632", None, ())


@pytest.mark.parametrize(
    ("phone", "why"),
    [
        ("", "international"),
        ("48221234567", "international"),
        ("0048221234567", "international"),
        ("+1800FLOWERS", "international"),
        ("+48221234567 ext 4", "international"),
        ("++48221234567", "international"),
        ("+٤٨٢٢١٢٣٤٥٦٧", "international"),
        ("+482", "too few"),
        ("+------", "too few"),
        ("+1 555 1234", "area code"),
        ("+33142681", "too few"),
        ("+48221234567890", "too many"),
        ("+" + "4" * 400, "too many"),
        ("+999123456", "calling code"),
    ],
)
def test_a_number_nobody_could_dial_is_refused_with_the_reason_and_without_the_number(
    phone: str, why: str
) -> None:
    with pytest.raises(UnusableNumber, match=why) as refused:
        parse_phone_number(phone)
    digits = "".join(letter for letter in phone if letter.isdigit())
    assert not digits or digits not in str(refused.value)


@settings(deadline=None)
@given(st.text(alphabet="+0123456789 -()x\u00a0", max_size=25) | st.text(max_size=10))
def test_any_text_is_either_placed_or_refused(text: str) -> None:
    try:
        place = parse_phone_number(text)
    except UnusableNumber:
        return
    assert place.e164[0] == "+"
    assert place.e164[1:].isdigit()
    assert parse_phone_number(place.e164) == place
    for zone in place.zones:
        ZoneInfo(zone)


@pytest.mark.parametrize("name", ["Europe/Warsaw", "America/Argentina/Buenos_Aires", "UTC", "Etc/GMT+5"])
def test_a_time_zone_goes_by_its_name(name: str) -> None:
    assert named_zone(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Warsaw",
        "europe/warsaw",
        "localtime",
        "right/UTC",
        "America",
        "../etc/passwd",
        "/etc/localtime",
        "X\0",
        "A" * 9999,
    ],
)
def test_anything_else_is_no_time_zone(name: str) -> None:
    with pytest.raises(ValueError, match="is not a time zone"):
        named_zone(name)


@pytest.mark.parametrize(
    ("country", "day", "off"),
    [
        ("NO", date(2026, 5, 17), True),
        ("NO", date(2026, 5, 18), False),
        ("NO", date(2026, 4, 2), True),
        ("FR", date(2026, 7, 14), True),
        ("FR", date(2026, 4, 3), False),
        ("FR", date(2027, 3, 29), True),
        ("RE", date(2026, 7, 14), True),
        ("XX", date(2026, 1, 1), False),
        ("NO", date(2026, 11, 29), True),
        ("SJ", date(2026, 11, 29), True),
        ("NO", date(2026, 11, 28), False),
        ("SE", date(2026, 11, 29), False),
    ],
)
def test_public_holidays_are_those_of_the_whole_country(country: str, day: date, off: bool) -> None:
    assert is_holiday(country, day) is off
