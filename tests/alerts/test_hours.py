"""Quiet hours and digests by a place's clocks."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.alerts.timing import QuietHours, next_of

WARSAW, NEW_YORK = ZoneInfo("Europe/Warsaw"), ZoneInfo("America/New_York")
NIGHT = QuietHours(time(22), time(7), WARSAW)
LUNCH = QuietHours(time(12), time(13, 30), WARSAW)


def local(*parts: int, zone: ZoneInfo = WARSAW, fold: int = 0) -> datetime:
    return datetime(*parts, tzinfo=zone, fold=fold).astimezone(UTC)  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("quiet", "now", "over"),
    [
        (NIGHT, local(2026, 3, 4, 21, 59), None),
        (NIGHT, local(2026, 3, 4, 22, 0), local(2026, 3, 5, 7)),
        (NIGHT, local(2026, 3, 4, 23, 59), local(2026, 3, 5, 7)),
        (NIGHT, local(2026, 3, 5, 0, 0), local(2026, 3, 5, 7)),
        (NIGHT, local(2026, 3, 5, 6, 59), local(2026, 3, 5, 7)),
        (NIGHT, local(2026, 3, 5, 7, 0), None),
        (LUNCH, local(2026, 3, 5, 12, 0), local(2026, 3, 5, 13, 30)),
        (LUNCH, local(2026, 3, 5, 13, 30), None),
        # The night is an hour shorter, or longer, where clocks are changed in it.
        (NIGHT, local(2026, 3, 28, 22, 30), datetime(2026, 3, 29, 5, tzinfo=UTC)),
        (NIGHT, local(2026, 10, 24, 22, 30), datetime(2026, 10, 25, 6, tzinfo=UTC)),
    ],
)
def test_quiet_hours_are_over_when_their_places_clocks_say_so(
    quiet: QuietHours, now: datetime, over: datetime | None
) -> None:
    assert quiet.over_at(now) == over


def test_an_hour_that_comes_twice_is_quiet_twice() -> None:
    quiet = QuietHours(time(1), time(2, 30), WARSAW)
    assert quiet.over_at(local(2026, 10, 25, 2, 15)) == local(2026, 10, 25, 2, 30)
    assert quiet.over_at(local(2026, 10, 25, 2, 45)) is None
    assert quiet.over_at(local(2026, 10, 25, 2, 15, fold=1)) == local(2026, 10, 25, 2, 30, fold=1)


def test_a_time_that_is_skipped_comes_an_hour_later() -> None:
    quiet = QuietHours(time(1), time(2, 30), WARSAW)
    assert quiet.over_at(local(2026, 3, 29, 1, 59)) == local(2026, 3, 29, 3, 30)
    assert next_of([time(2, 30)], WARSAW, local(2026, 3, 29, 1)) == local(2026, 3, 29, 3, 30)


def test_a_digest_comes_at_its_next_time_and_once_in_a_repeated_hour() -> None:
    times = [time(16), time(8)]
    assert next_of(times, WARSAW, local(2026, 3, 4, 7, 59)) == local(2026, 3, 4, 8)
    assert next_of(times, WARSAW, local(2026, 3, 4, 8, 0)) == local(2026, 3, 4, 16)
    assert next_of(times, WARSAW, local(2026, 3, 4, 16, 0)) == local(2026, 3, 5, 8)
    assert next_of([time(2, 30)], WARSAW, local(2026, 10, 25, 2, 30)) == local(2026, 10, 26, 2, 30)


moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
clocks = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 59]))


@given(moments, clocks, clocks, st.sampled_from([WARSAW, NEW_YORK, ZoneInfo("Asia/Kolkata")]))
def test_after_quiet_hours_it_is_not_quiet_and_they_never_last_a_day(
    now: datetime, begin: time, end: time, zone: ZoneInfo
) -> None:
    if begin == end:
        return
    quiet = QuietHours(begin, end, zone)
    over = quiet.over_at(now)
    if over is not None:
        assert now < over <= now + timedelta(hours=25)
    else:
        assert not quiet.hold(now.astimezone(zone).time())


@given(moments, st.lists(clocks, min_size=1, max_size=4), st.sampled_from([WARSAW, NEW_YORK]))
def test_a_digest_is_always_ahead_and_within_a_day(now: datetime, times: list[time], zone: ZoneInfo) -> None:
    assert now < next_of(times, zone, now) <= now + timedelta(hours=26)
