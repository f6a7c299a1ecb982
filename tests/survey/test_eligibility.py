"""Each rule with its reason, their order, the due time, and the documentation of all of it."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.config import Settings, effective
from app.survey import Candidate, Eligible, History, Rules, Skip, SurveyBy, decide, recheck
from app.survey.calling_hours import parse_hours
from app.survey.eligibility import Reason, drawn
from app.survey.rules import COUNTRIES, DEFAULT_HOURS

WARSAW = ZoneInfo("Europe/Warsaw")
ENDED = datetime(2026, 11, 19, 11, 0, tzinfo=WARSAW)  # a Thursday
NOW = ENDED + timedelta(seconds=5)
ANSWERED = Candidate(
    interaction_id="call-1",
    survey_by="voice",
    ended_at=ENDED,
    talk_seconds=212,
    consent=True,
    address="+48221234567",
    country="PL",
    zones=("Europe/Warsaw",),
)
STRANGER = History()
DOCUMENT = (Path(__file__).parents[2] / "docs" / "eligibility.md").read_text(encoding="utf-8")


def rules_with(own: Mapping[str, Any] | None = None) -> Rules:
    """The rules of a queue with these settings of its own."""
    return effective(Settings(_env_file=None), own or {}).rules


RULES = rules_with()


def no_holidays(_country: str, _day: date) -> bool:
    return False


def sundays(country: str, day: date) -> bool:
    return country == "FR" and day.weekday() == 6


def reason_of(decision: Eligible | Skip) -> Reason | None:
    return decision.reason if isinstance(decision, Skip) else None


# One way to fail each check, in the order in which they are looked at; each is added to the ones after it.
FAILINGS: dict[Reason, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "opted_out": ({}, {"opted_out": True}, {}),
    "consent_refused": ({"consent": False}, {}, {}),
    "consent_required": ({"consent": None}, {}, {}),
    "no_address": ({"address": None}, {}, {}),
    "no_such_number": ({}, {"no_such_number": True}, {}),
    "no_time_zone": ({"zones": ()}, {}, {}),
    "too_many_calls": ({}, {"calls_last_30_days": 4}, {"country_call_limits": {"PL": 4}}),
    "too_old": ({"ended_at": ENDED - timedelta(hours=49)}, {}, {}),
    "too_short": ({"talk_seconds": 19}, {}, {"min_talk_seconds": 20}),
    "survey_open": ({}, {"survey_open": True}, {}),
    "surveyed_recently": ({}, {"last_surveyed_at": ENDED - timedelta(days=89)}, {}),
    "sampled_out": ({}, {}, {"sample_percent": 0}),
    "daily_cap": ({}, {"scheduled_today": 10}, {"daily_cap": 10}),
    "no_common_hours": ({}, {}, {"calling_hours": "20:00-21:00", "country_hours": {"PL": "09:00-20:00"}}),
    "outside_calling_hours": ({}, {}, {"calling_hours": "sun 09:00-20:00"}),
}
TRIGGER_ONLY = {"survey_open", "sampled_out", "daily_cap"}


def failing(*reasons: Reason) -> tuple[Candidate, History, Rules]:
    candidate, history = ANSWERED, STRANGER
    overrides: dict[str, Any] = {}
    for reason in reversed(reasons):
        interaction, before, rules = FAILINGS[reason]
        candidate, history = replace(candidate, **interaction), replace(history, **before)
        overrides |= rules
    return candidate, history, rules_with(overrides)


def test_an_answered_call_is_surveyed_after_the_delay() -> None:
    assert decide(ANSWERED, STRANGER, RULES, NOW, no_holidays) == Eligible(ENDED + timedelta(seconds=120))


@pytest.mark.parametrize("reason", get_args(Reason))
def test_each_rule_skips_with_its_own_reason(reason: Reason) -> None:
    candidate, history, rules = failing(reason)
    assert decide(candidate, history, rules, NOW, no_holidays) == Skip(reason)


# The last two exclude each other: hours that never open cannot open too late.
@pytest.mark.parametrize(("first", "second"), list(pairwise(get_args(Reason)))[:-1])
def test_of_two_rules_the_more_binding_one_is_named(first: Reason, second: Reason) -> None:
    candidate, history, rules = failing(first, second)
    assert decide(candidate, history, rules, NOW, no_holidays) == Skip(first)


@pytest.mark.parametrize("reason", get_args(Reason))
def test_a_recheck_leaves_out_the_rules_of_the_trigger_only(reason: Reason) -> None:
    candidate, history, rules = failing(reason)
    skipped = reason_of(recheck(candidate, history, rules, NOW, no_holidays))
    assert skipped == (None if reason in TRIGGER_ONLY else reason)


def test_a_holiday_on_the_only_open_day_is_no_reason_to_say_that_there_is_never_one() -> None:
    weekly = rules_with({"calling_hours": "tue 10:00-11:00; not on holidays"})
    holiday = datetime(2026, 11, 24, tzinfo=WARSAW).date()
    decided = decide(ANSWERED, STRANGER, weekly, NOW, lambda _, day: day == holiday)
    assert decided == Skip("outside_calling_hours")


def test_only_always_needs_no_time_zone() -> None:
    nowhere = replace(ANSWERED, zones=(), country=None)
    all_day = rules_with({"calling_hours": "00:00-24:00"})
    assert decide(nowhere, STRANGER, all_day, NOW, no_holidays) == Skip("no_time_zone")
    always = rules_with({"calling_hours": "always"})
    assert reason_of(decide(nowhere, STRANGER, always, NOW, no_holidays)) is None


def test_a_recheck_in_the_window_is_due_now_and_at_night_moves_on() -> None:
    noon = ENDED + timedelta(hours=1)
    night = ENDED + timedelta(hours=10)
    assert recheck(ANSWERED, STRANGER, RULES, noon, no_holidays) == Eligible(noon)
    assert recheck(ANSWERED, STRANGER, RULES, night, no_holidays) == Eligible(
        datetime(2026, 11, 20, 9, 0, tzinfo=WARSAW)
    )


@pytest.mark.parametrize("survey_by", get_args(SurveyBy))
def test_refused_consent_skips_in_every_channel_and_country(survey_by: SurveyBy) -> None:
    refused = replace(ANSWERED, survey_by=survey_by, consent=False, country="NO")
    assert decide(refused, STRANGER, RULES, NOW, no_holidays) == Skip("consent_refused")


def test_unknown_consent_skips_only_where_it_is_required() -> None:
    unknown = replace(ANSWERED, consent=None)
    assert reason_of(decide(unknown, STRANGER, RULES, NOW, no_holidays)) == "consent_required"
    for country in ("NO", "US", None):
        elsewhere = replace(unknown, country=country)
        assert reason_of(decide(elsewhere, STRANGER, RULES, NOW, no_holidays)) is None
    lifted = rules_with({"consent_countries": []})
    assert reason_of(decide(unknown, STRANGER, lifted, NOW, no_holidays)) is None


def test_a_chat_survey_needs_no_address_and_knows_no_hours() -> None:
    midnight = datetime(2026, 11, 20, 0, 0, tzinfo=WARSAW)
    chat = Candidate(interaction_id="chat-1", survey_by="chat", ended_at=midnight)
    assert decide(chat, STRANGER, RULES, midnight, no_holidays) == Eligible(midnight)
    assert decide(chat, History(no_such_number=True), RULES, midnight, no_holidays) == Eligible(midnight)


@pytest.mark.parametrize("survey_by", ["sms", "whatsapp"])
def test_a_message_waits_for_the_window_like_a_call(survey_by: SurveyBy) -> None:
    late = ENDED.replace(hour=22)
    message = replace(ANSWERED, survey_by=survey_by, ended_at=late)
    assert decide(message, STRANGER, RULES, late, no_holidays) == Eligible(
        datetime(2026, 11, 20, 9, 0, tzinfo=WARSAW)
    )


@pytest.mark.parametrize(("country", "limit"), [("FR", 4), ("US", 3)])
def test_a_country_s_calls_in_30_days_are_counted_for_calls_alone(country: str, limit: int) -> None:
    customer = replace(ANSWERED, country=country)
    texted = replace(customer, survey_by="sms")
    last_one, too_many = History(calls_last_30_days=limit - 1), History(calls_last_30_days=limit)
    assert reason_of(decide(customer, last_one, RULES, NOW, no_holidays)) is None
    assert reason_of(decide(customer, too_many, RULES, NOW, no_holidays)) == "too_many_calls"
    assert reason_of(decide(texted, too_many, RULES, NOW, no_holidays)) is None


def test_the_last_day_of_the_cadence_still_counts_and_the_next_does_not() -> None:
    in_full = NOW.astimezone(UTC) - timedelta(days=90)
    for last, reason in ((in_full + timedelta(seconds=1), "surveyed_recently"), (in_full, None)):
        decision = decide(ANSWERED, History(last_surveyed_at=last), RULES, NOW, no_holidays)
        assert reason_of(decision) == reason


def test_unknown_talk_time_is_not_too_short_and_the_exact_time_is_enough() -> None:
    rules = rules_with({"min_talk_seconds": 20})
    for seconds in (None, 20, 21):
        assert (
            reason_of(decide(replace(ANSWERED, talk_seconds=seconds), STRANGER, rules, NOW, no_holidays))
            is None
        )


def test_an_end_slightly_in_the_future_is_a_clock_that_is_off() -> None:
    assert decide(ANSWERED, STRANGER, RULES, ENDED - timedelta(seconds=30), no_holidays) == Eligible(
        ENDED + timedelta(seconds=120)
    )


def test_french_hours_have_a_lunch_hole_and_norwegian_ones_no_saturday() -> None:
    lunch = datetime(2026, 11, 20, 13, 30, tzinfo=ZoneInfo("Europe/Paris"))
    french = replace(ANSWERED, country="FR", zones=("Europe/Paris",), ended_at=lunch)
    assert decide(french, STRANGER, RULES, lunch, no_holidays) == Eligible(lunch.replace(hour=14, minute=0))
    saturday = datetime(2026, 11, 21, 11, 0, tzinfo=ZoneInfo("Europe/Oslo"))
    norwegian = replace(ANSWERED, country="NO", zones=("Europe/Oslo",), ended_at=saturday)
    assert decide(norwegian, STRANGER, RULES, saturday, no_holidays) == Eligible(
        saturday.replace(day=23, hour=9)
    )


def test_holidays_are_asked_for_the_number_s_country_on_the_local_date() -> None:
    asked: list[tuple[str, date]] = []

    def new_year(country: str, day: date) -> bool:
        asked.append((country, day))
        return (day.month, day.day) == (1, 1)

    eve = datetime(2026, 12, 31, 20, 30, tzinfo=ZoneInfo("Europe/Oslo"))
    norwegian = replace(ANSWERED, country="NO", zones=("Asia/Tokyo",), ended_at=eve)
    # In Tokyo it is already New Year's Day, a Friday; the next open day is Monday the 4th.
    assert reason_of(decide(norwegian, STRANGER, RULES, eve, new_year)) == "outside_calling_hours"
    patient = rules_with({"max_age_hours": 120})
    assert decide(norwegian, STRANGER, patient, eve, new_year) == Eligible(
        datetime(2027, 1, 4, 9, 0, tzinfo=ZoneInfo("Asia/Tokyo"))
    )
    assert ("NO", date(2027, 1, 1)) in asked


def test_always_lifts_every_window_and_the_need_for_a_zone() -> None:
    night = ENDED.replace(hour=2)
    rules = rules_with({"calling_hours": "always"})
    for country, zones in (("FR", ("Europe/Paris",)), ("NO", ("Europe/Oslo",)), (None, ())):
        candidate = replace(ANSWERED, country=country, zones=zones, ended_at=night)
        assert decide(candidate, STRANGER, rules, night, sundays) == Eligible(night + timedelta(seconds=120))


def test_set_hours_apply_within_the_country_s_and_unset_ones_leave_it_its_own() -> None:
    assert RULES.hours_in("US") == parse_hours("08:00-21:00")
    assert RULES.hours_in("DE") == RULES.hours_in(None) == DEFAULT_HOURS
    narrow = rules_with({"calling_hours": "07:00-11:00"})
    assert narrow.hours_in("FR") == parse_hours("mon-fri 10:00-11:00; not on holidays")
    assert narrow.hours_in("DE") == parse_hours("07:00-11:00")


def test_all_day_is_still_within_the_country_s_hours() -> None:
    assert rules_with({"calling_hours": "00:00-24:00"}).hours_in("US") == parse_hours("08:00-21:00")


def test_delays_are_real_time_when_the_clocks_change() -> None:
    before = datetime(2026, 10, 25, 2, 30, tzinfo=WARSAW, fold=0)  # an hour later it is 02:30 again
    rules = rules_with({"calling_hours": "always", "call_delay_seconds": 3600})
    decision = decide(replace(ANSWERED, ended_at=before), STRANGER, rules, before, no_holidays)
    assert decision == Eligible(datetime(2026, 10, 25, 1, 30, tzinfo=UTC))


def test_the_cadence_is_real_time_when_the_clocks_change() -> None:
    last = datetime(2026, 10, 24, 12, 0, tzinfo=WARSAW)
    rules = rules_with({"survey_every_days": 1})
    for hour, reason in ((10, "surveyed_recently"), (11, None)):
        ended = datetime(2026, 10, 25, hour, 30, tzinfo=WARSAW)
        decision = decide(
            replace(ANSWERED, ended_at=ended), History(last_surveyed_at=last), rules, ended, no_holidays
        )
        assert reason_of(decision) == reason


def test_due_times_are_in_utc_whatever_zone_they_came_in() -> None:
    chat = replace(ANSWERED, survey_by="chat")
    for candidate in (ANSWERED, chat):
        decision = decide(candidate, STRANGER, RULES, NOW, no_holidays)
        assert isinstance(decision, Eligible)
        assert decision.due_at.tzinfo is UTC


# Rules


def test_country_changes_leave_the_other_countries_as_they_are() -> None:
    rules = rules_with(
        {"country_hours": {"GB": "mon-sat 09:00-19:00", "US": None}, "country_call_limits": {"FR": 2}}
    )
    assert rules.hours_in("GB") == parse_hours("mon-sat 09:00-19:00")
    assert rules.hours_in("US") == DEFAULT_HOURS
    assert rules.hours_in("FR") == RULES.hours_in("FR")
    assert (rules.call_limit_in("FR"), rules.call_limit_in("US"), rules.call_limit_in(None)) == (2, 3, None)
    assert rules_with({"country_call_limits": {"FR": None}}).call_limit_in("FR") is None


# Properties


def day(text: str) -> datetime:
    return datetime.combine(date.fromisoformat(text), time())


zones = st.sampled_from(
    ["Europe/Warsaw", "Europe/Paris", "Europe/Oslo", "America/New_York", "America/Denver", "Asia/Kolkata"]
)
candidates = st.builds(
    Candidate,
    interaction_id=st.text(max_size=20),
    survey_by=st.sampled_from(get_args(SurveyBy)),
    ended_at=st.datetimes(day("2026-01-01"), day("2027-12-31"), timezones=zones.map(ZoneInfo)),
    talk_seconds=st.none() | st.integers(0, 600),
    consent=st.sampled_from([None, True, True, False]),
    address=st.sampled_from([None, "+48221234567", "+48221234567"]),
    country=st.none() | st.sampled_from(["PL", "FR", "NO", "US", "DE"]),
    zones=st.lists(zones, max_size=3, unique=True).map(tuple),
)
histories = st.builds(
    History,
    opted_out=st.booleans(),
    last_surveyed_at=st.none() | st.datetimes(day("2025-06-01"), day("2027-12-31"), timezones=st.just(UTC)),
    survey_open=st.booleans(),
    scheduled_today=st.integers(0, 20),
    calls_last_30_days=st.integers(0, 5),
)
overrides = st.fixed_dictionaries(
    {},
    optional={
        "calling_hours": st.sampled_from(
            [None, "09:00-20:00", "08:00-10:30", "mon-fri 11:00-13:00; sat 10:00-12:00"]
        ),
        "survey_every_days": st.integers(0, 365),
        "min_talk_seconds": st.integers(0, 300),
        "sample_percent": st.floats(0, 100),
        "daily_cap": st.none() | st.integers(0, 30),
        "max_age_hours": st.floats(2, 100),
        "call_delay_seconds": st.integers(0, 7199),
        "consent_countries": st.lists(st.sampled_from(["PL", "DE", "FR"])),
        "country_hours": st.dictionaries(
            st.sampled_from(["PL", "US"]), st.sampled_from([None, "tue 07:00-22:00"])
        ),
        "country_call_limits": st.dictionaries(st.sampled_from(["PL", "US"]), st.none() | st.integers(0, 9)),
    },
)
lateness = st.timedeltas(timedelta(minutes=-2), timedelta(hours=120))


@settings(deadline=None)
@given(candidates, histories, overrides, lateness)
def test_nobody_who_opted_out_or_refused_is_ever_asked(
    candidate: Candidate, history: History, given_rules: dict[str, Any], late: timedelta
) -> None:
    now = candidate.ended_at.astimezone(UTC) + late
    rules = rules_with(given_rules)
    for judge in (decide, recheck):
        gone = judge(candidate, replace(history, opted_out=True), rules, now, sundays)
        assert gone == Skip("opted_out")
        refused = judge(replace(candidate, consent=False), history, rules, now, sundays)
        assert isinstance(refused, Skip)


def _within(clock: datetime, rules: Rules, candidate: Candidate) -> bool:
    hours = rules.hours_in(candidate.country)
    if not hours.open_on_holidays and sundays(candidate.country or "", clock.date()):
        return False
    since_midnight = timedelta(
        hours=clock.hour, minutes=clock.minute, seconds=clock.second, microseconds=clock.microsecond
    )
    return any(span.opens <= since_midnight < span.closes for span in hours.week[clock.weekday()])


@settings(max_examples=400, deadline=None)
@given(candidates, overrides, lateness)
def test_a_due_time_is_in_the_window_of_every_zone_and_neither_too_early_nor_too_late(
    candidate: Candidate, given_rules: dict[str, Any], late: timedelta
) -> None:
    ended = candidate.ended_at.astimezone(UTC)
    rules = rules_with(given_rules | {"sample_percent": 100, "daily_cap": None})
    for judge in (decide, recheck):
        decision = judge(candidate, STRANGER, rules, ended + late, sundays)
        if isinstance(decision, Skip):
            continue
        due = decision.due_at
        assert due.tzinfo is UTC
        assert ended + late <= due <= ended + timedelta(hours=rules.max_age_hours)
        if candidate.survey_by != "chat":
            assert due >= ended + timedelta(seconds=rules.call_delay_seconds)
            assert candidate.zones
            assert all(_within(due.astimezone(ZoneInfo(zone)), rules, candidate) for zone in candidate.zones)


@settings(deadline=None)
@given(candidates, histories, overrides, lateness, st.randoms())
def test_the_order_of_settings_and_zones_changes_nothing(
    candidate: Candidate, history: History, given_rules: dict[str, Any], late: timedelta, random: Any
) -> None:
    def shuffled(mapping: Mapping[str, Any]) -> dict[str, Any]:
        return dict(random.sample(list(mapping.items()), len(mapping)))

    now = candidate.ended_at.astimezone(UTC) + late
    elsewhere = replace(candidate, zones=tuple(random.sample(candidate.zones, len(candidate.zones))))
    other_rules = rules_with(shuffled(given_rules))
    assert decide(candidate, history, rules_with(given_rules), now, sundays) == decide(
        elsewhere, history, other_rules, now, sundays
    )


@settings(deadline=None)
@given(candidates, histories, overrides, lateness)
def test_whatever_passes_the_trigger_passes_a_recheck_at_its_due_time(
    candidate: Candidate, history: History, given_rules: dict[str, Any], late: timedelta
) -> None:
    rules = rules_with(given_rules)
    decision = decide(candidate, history, rules, candidate.ended_at.astimezone(UTC) + late, sundays)
    if isinstance(decision, Eligible):
        assert recheck(candidate, history, rules, decision.due_at, sundays) == decision


# The sample


def test_the_draw_is_fixed_for_ever() -> None:
    # SHA-256 of "call-8841" begins with 0x793c1f, that is at 47.357%: a change here would redraw every sample.
    assert not drawn("call-8841", 47.35)
    assert drawn("call-8841", 47.36)


@settings(deadline=None)
@given(st.text(), st.floats(0, 100), st.floats(0, 100))
def test_a_larger_sample_holds_the_smaller_one(interaction_id: str, one: float, other: float) -> None:
    smaller, larger = sorted((one, other))
    assert drawn(interaction_id, larger) or not drawn(interaction_id, smaller)
    assert drawn(interaction_id, 100)
    assert not drawn(interaction_id, 0)


@given(st.text(alphabet="abcdefghij-/:0123456789", max_size=12), st.integers(1, 99))
@settings(max_examples=30, deadline=None)
def test_the_sample_is_as_large_as_asked_whatever_the_ids_look_like(prefix: str, percent: int) -> None:
    n = 4000
    share = sum(drawn(f"{prefix}{number}", percent) for number in range(n)) / n
    assert abs(share - percent / 100) < 5 * (percent / 100 * (1 - percent / 100) / n) ** 0.5


# The documentation


def rows(heading: str) -> list[list[str]]:
    section = DOCUMENT.split(f"## {heading}\n")[1].split("\n## ")[0]
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in section.splitlines()
        if line[:1] == "|"
    ][2:]


def test_every_reason_is_documented_in_the_order_of_the_checks() -> None:
    assert [row[0].strip("`") for row in rows("Reasons")] == list(get_args(Reason))


def test_every_country_is_documented_as_it_is() -> None:
    documented = {row[1].strip("`"): row for row in rows("Countries")}
    names = {row[0]: row for row in rows("Countries")}
    assert set(documented) == set(COUNTRIES)
    for code, country in COUNTRIES.items():
        _, _, hours, calls, consent = documented[code]
        same_as = re.fullmatch("as (.+)", hours)
        text = names[same_as[1]][2] if same_as else hours
        assert text.strip("`") == (country.hours or ""), code
        assert calls == str(country.calls_in_30_days or ""), code
        assert consent == ("required" if country.consent_required else ""), code
