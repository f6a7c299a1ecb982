"""Windows with holes, holidays, clock changes, and several time zones at once."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.survey.calling_hours import ALWAYS, Hours, intersect, next_open, parse_hours

NINE_TO_EIGHT = parse_hours("09:00-20:00")
MINUTE = timedelta(minutes=1)


def no_holidays(_: date) -> bool:
    return False


def at(text: str, zone: str = "UTC", fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)


def opening(
    start: datetime,
    hours: str,
    *zones: str,
    days: float = 7,
    is_holiday: Callable[[date], bool] = no_holidays,
) -> datetime | None:
    return next_open(start, start + timedelta(days=days), zones, parse_hours(hours), is_holiday)


def is_open(moment: datetime, zones: Sequence[str], hours: Hours, is_holiday: Callable[[date], bool]) -> bool:
    """The same rule said the slow way: is the clock on the wall within a span, in each zone?"""
    for zone in zones:
        local = moment.astimezone(ZoneInfo(zone))
        if not hours.open_on_holidays and is_holiday(local.date()):
            return False
        clock = datetime.combine(date.min, local.time()) - datetime.combine(date.min, time())
        if not any(span.opens <= clock < span.closes for span in hours.week[local.weekday()]):
            return False
    return True


def test_inside_the_window_is_at_once() -> None:
    start = at("2026-11-21T10:15:30.5", "Europe/Warsaw")
    assert opening(start, "09:00-20:00", "Europe/Warsaw") == start


def test_before_the_window_waits_for_it_to_open() -> None:
    assert opening(at("2026-11-21T06:00", "Europe/Warsaw"), "09:00-20:00", "Europe/Warsaw") == at(
        "2026-11-21T09:00", "Europe/Warsaw"
    )


def test_the_closing_minute_is_closed() -> None:
    assert opening(at("2026-11-21T20:00", "Europe/Warsaw"), "09:00-20:00", "Europe/Warsaw") == at(
        "2026-11-22T09:00", "Europe/Warsaw"
    )


def test_a_lunch_hole_is_stepped_over() -> None:
    french = "mon-fri 10:00-13:00, 14:00-20:00; not on holidays"
    friday_noon = at("2026-11-20T13:00", "Europe/Paris")
    assert opening(friday_noon, french, "Europe/Paris") == at("2026-11-20T14:00", "Europe/Paris")


def test_a_weekend_is_stepped_over() -> None:
    friday_evening = at("2026-11-20T20:30", "Europe/Oslo")
    assert opening(friday_evening, "mon-fri 09:00-21:00", "Europe/Oslo") == friday_evening
    assert opening(friday_evening + timedelta(hours=1), "mon-fri 09:00-21:00", "Europe/Oslo") == at(
        "2026-11-23T09:00", "Europe/Oslo"
    )


def test_a_holiday_is_stepped_over_where_the_hours_say_so() -> None:
    def armistice_day(day: date) -> bool:
        return (day.month, day.day) == (11, 11)

    early = at("2026-11-11T06:00", "Europe/Paris")
    assert opening(early, "09:00-20:00", "Europe/Paris", is_holiday=armistice_day) == at(
        "2026-11-11T09:00", "Europe/Paris"
    )
    assert opening(early, "09:00-20:00; not on holidays", "Europe/Paris", is_holiday=armistice_day) == at(
        "2026-11-12T09:00", "Europe/Paris"
    )


def test_several_zones_must_all_be_open() -> None:
    coasts = ("America/New_York", "America/Los_Angeles")
    assert opening(at("2026-11-20T09:00", "America/New_York"), "08:00-21:00", *coasts) == at(
        "2026-11-20T11:00", "America/New_York"
    )
    assert opening(at("2026-11-20T18:30", "America/Los_Angeles"), "08:00-21:00", *coasts) == at(
        "2026-11-21T08:00", "America/Los_Angeles"
    )


def test_zones_too_far_apart_never_open() -> None:
    assert opening(at("2026-11-20T09:00"), "09:00-20:00", "Pacific/Pago_Pago", "Europe/Athens") is None


def test_zones_of_half_and_quarter_hours_open_on_their_own_clock() -> None:
    assert opening(at("2026-11-20T00:00"), "09:00-20:00", "Asia/Kolkata") == at("2026-11-20T03:30")
    assert opening(at("2026-11-20T00:00"), "09:00-20:00", "Asia/Kathmandu") == at("2026-11-20T03:15")


def test_after_the_last_moment_is_nothing() -> None:
    evening = at("2026-11-20T21:00", "Europe/Warsaw")
    assert opening(evening, "09:00-20:00", "Europe/Warsaw", days=0.5) == at(
        "2026-11-21T09:00", "Europe/Warsaw"
    )
    assert opening(evening - MINUTE, "09:00-20:00", "Europe/Warsaw", days=0.5) is None
    assert next_open(evening, evening - MINUTE, ["Europe/Warsaw"], ALWAYS, no_holidays) is None


def test_the_morning_after_the_clocks_change_still_opens_at_nine() -> None:
    for evening in ("2026-03-28T22:00", "2026-10-24T22:00"):
        opened = opening(at(evening, "Europe/Warsaw"), "09:00-20:00", "Europe/Warsaw")
        assert opened is not None
        assert opened.astimezone(ZoneInfo("Europe/Warsaw")).time() == time(9)


def test_an_hour_that_is_skipped_never_opens() -> None:
    # In Warsaw on 29 March 2026 two o'clock is followed by three.
    night = at("2026-03-29T01:00", "Europe/Warsaw")
    assert opening(night, "02:15-02:45", "Europe/Warsaw") == at("2026-03-30T02:15", "Europe/Warsaw")
    assert opening(night, "02:15-03:30", "Europe/Warsaw") == at("2026-03-29T03:00", "Europe/Warsaw")


def test_an_hour_that_comes_twice_opens_twice() -> None:
    # In Warsaw on 25 October 2026 three o'clock is two o'clock again.
    closed_the_first_time = at("2026-10-25T02:45", "Europe/Warsaw", fold=0)
    assert opening(closed_the_first_time, "01:00-02:30", "Europe/Warsaw") == datetime(
        2026, 10, 25, 1, 0, tzinfo=UTC
    )


def test_a_country_that_skips_a_whole_day_opens_after_it() -> None:
    # Samoa went from Thursday the 29th to Saturday the 31st of December 2011.
    thursday_night = at("2011-12-29T23:00", "Pacific/Apia")
    assert opening(thursday_night, "fri 09:00-20:00; sat 10:00-12:00", "Pacific/Apia") == at(
        "2011-12-31T10:00", "Pacific/Apia"
    )


def test_always_needs_no_zone_and_anything_else_does() -> None:
    now = at("2026-11-21T03:00")
    assert next_open(now, now, (), ALWAYS, no_holidays) == now
    with pytest.raises(ValueError, match="at least one time zone"):
        next_open(now, now, (), NINE_TO_EIGHT, no_holidays)


clock = st.integers(0, 24 * 4).map(lambda quarter: f"{quarter // 4:02}:{quarter % 4 * 15:02}")


@st.composite
def hours_texts(draw: st.DrawFn) -> str:
    times = sorted(draw(st.lists(clock, min_size=2, max_size=4, unique=True)))
    spans = ", ".join(f"{a}-{b}" for a, b in zip(times[::2], times[1::2], strict=False))
    days = draw(st.sampled_from(["", "mon-fri ", "mon-sat ", "tue ", "sat-sun "]))
    return days + spans + draw(st.sampled_from(["", "; not on holidays"]))


zone_names = st.sampled_from(
    [
        "UTC", "Europe/Warsaw", "Europe/London", "America/New_York", "America/Los_Angeles", "America/St_Johns",
        "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Chatham", "Pacific/Kiritimati",
        "Pacific/Pago_Pago", "Africa/Casablanca",
    ]
)  # fmt: skip
# Around the clock changes of both hemispheres in 2026, to the minute.
moments = st.builds(
    lambda day, minute: day + timedelta(minutes=minute),
    st.sampled_from(
        [datetime(2026, month, day, tzinfo=UTC) for month, day in ((3, 7), (3, 28), (4, 3), (10, 24))]
    ),
    st.integers(0, 4 * 24 * 60),
)


@settings(max_examples=150, deadline=None)
@given(moments, st.lists(zone_names, min_size=1, max_size=3, unique=True), hours_texts(), st.integers(1, 31))
def test_the_due_time_is_open_everywhere_and_no_earlier_minute_is(
    start: datetime, zones: list[str], text: str, holiday: int
) -> None:
    hours, last = parse_hours(text), start + timedelta(hours=40)

    def is_holiday(day: date) -> bool:
        return day.day == holiday

    minutes = (start + MINUTE * count for count in range(40 * 60 + 1))
    expected = next((each for each in minutes if is_open(each, zones, hours, is_holiday)), None)
    assert next_open(start, last, zones, hours, is_holiday) == expected


@settings(deadline=None)
@given(hours_texts(), hours_texts(), moments)
def test_an_intersection_is_open_where_both_are(one: str, other: str, moment: datetime) -> None:
    first, second = parse_hours(one), parse_hours(other)

    def sundays(day: date) -> bool:
        return day.weekday() == 6

    both = is_open(moment, ["UTC"], first, sundays) and is_open(moment, ["UTC"], second, sundays)
    assert is_open(moment, ["UTC"], intersect(first, second), sundays) == both
    assert intersect(first, second) == intersect(second, first)
    assert intersect(first, ALWAYS) == first


def test_days_and_spans_are_read_as_written() -> None:
    assert parse_hours("Mon-Fri 09:00 - 20:00; SAT 10:00-14:00") == parse_hours(
        "sat 10:00-14:00 ;mon-wed 09:00-20:00;thu-fri 09:00-20:00"
    )
    assert parse_hours("14:00-20:00, 10:00-13:00") == parse_hours("10:00-13:00; 14:00-20:00")
    assert parse_hours("00:00-24:00").week == ALWAYS.week
    assert not parse_hours("00:00-24:00").anywhere


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "cannot read"),
        ("nine to five", "cannot read"),
        ("9:00-20:00", "cannot read"),
        ("09:00-20:60", "cannot read"),
        ("09:00-25:00", "by 24:00"),
        ("20:00-09:00", "after it opens"),
        ("09:00-09:00", "after it opens"),
        ("09:00-20:00, 19:00-21:00", "overlap"),
        ("fri-mon 09:00-20:00", "backwards"),
        ("monday 09:00-20:00", "cannot read"),
        ("09:00-20:00;", "cannot read"),
        ("not on holidays", "no day"),
    ],
)
def test_hours_that_cannot_be_meant_are_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_hours(text)
