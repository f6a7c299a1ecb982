"""Who is told of what, when, and how often."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from app.alerts import Rule, SendAlerts
from app.alerts import alerts as module
from app.alerts.services import AlertOutcomeUnknown, AlertRefused, AlertSent
from app.alerts.timing import QuietHours, Storm
from app.alerts.words import WordList
from app.store import Pool
from tests.alerts.told import NOON, RULE, WARSAW, Crash, Desk, Recipient, a_desk, jobs_for, name_customer
from tests.rows import execute, row, rows

NIGHT = QuietHours(time(20), time(7), WARSAW)
HELD = replace(RULE, quiet_hours=NIGHT)
DIGEST = replace(RULE, name="digest", digest_at=(time(8), time(16)))
LAWYER = replace(RULE, name="lawyer", words=WordList.of(["lawyer"]))


def warsaw(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=WARSAW).astimezone(UTC)  # type: ignore[misc, arg-type]


# Judging


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        (RULE, True),
        (replace(RULE, queues=frozenset({"billing"})), True),
        (replace(RULE, queues=frozenset({"sales"})), False),
        (replace(RULE, bands=frozenset({"detractor"})), True),
        (replace(RULE, bands=frozenset({"passive", "promoter"})), False),
        (replace(RULE, scores=frozenset({0, 3})), True),
        (replace(RULE, scores=frozenset({4})), False),
        (replace(RULE, languages=frozenset({"pl"})), False),
        (replace(RULE, languages=frozenset({"en"}), words=WordList.of(["rude", "slow"])), True),
        (replace(RULE, words=WordList.of(["lawyer"])), False),
        (replace(RULE, callback=True), False),
    ],
)
async def test_a_rule_is_about_what_it_says(pool: Pool, rule: Rule, told: bool) -> None:
    desk = await a_desk(pool, rule)
    await desk.answered(3, "You were SLOW")
    assert await desk.states() == ["waiting"] * told
    assert len(await jobs_for(pool)) == told


async def test_an_alert_and_its_job_live_and_die_with_the_transaction(pool: Pool) -> None:
    desk = await a_desk(pool)

    async def judged_in_vain(survey_id: UUID) -> None:
        async with pool.connection() as connection, connection.transaction(force_rollback=True):
            await desk.alerts.judge(connection, survey_id)

    survey_id = await desk.answered()
    await execute(pool, "DELETE FROM alerts")
    await execute(pool, "DELETE FROM procrastinate_jobs")
    await judged_in_vain(survey_id)
    assert (await desk.states(), await jobs_for(pool)) == ([], [])


async def test_nobody_is_told_twice_of_one_answer_whatever_rules_match(pool: Pool) -> None:
    desk = await a_desk(
        pool, RULE, replace(RULE, name="second"), replace(RULE, name="third", to=("ewa", "ola"))
    )
    survey_id = await desk.answered()
    await desk.judge(survey_id)
    assert [each["args"] for each in await jobs_for(pool)] == [{"recipient": "ewa"}, {"recipient": "ola"}]
    await desk.send()
    await desk.judge(survey_id)
    await desk.send()
    assert (len(desk.ewa.arrived), len(desk.ola.arrived)) == (1, 1)


async def test_a_late_transcript_may_make_a_rule_match(pool: Pool) -> None:
    desk = await a_desk(pool, LAWYER)
    survey_id = await desk.answered()
    assert await desk.states() == []
    await execute(pool, "UPDATE responses SET comment = 'My lawyer will call', comment_source = 'recording'")
    await desk.judge(survey_id)
    await desk.send()
    (message,) = desk.ewa.arrived
    assert "“My lawyer will call” (automatic transcript)" in message.body


async def test_whoever_is_told_in_a_digest_is_told_at_once_where_a_late_word_says_so(pool: Pool) -> None:
    desk = await a_desk(pool, DIGEST, LAWYER)
    survey_id = await desk.answered()
    await desk.send()
    assert desk.ewa.arrived == []
    await execute(pool, "UPDATE responses SET comment = 'lawyer'")
    await desk.judge(survey_id)
    await desk.send()
    desk.clock.forward(hours=24)
    await desk.send()
    assert len(desk.ewa.arrived) == 1
    assert (await row(pool, "SELECT rule, held_for FROM alerts")) == {"rule": "lawyer", "held_for": None}


async def test_a_survey_without_an_answer_alerts_nobody(pool: Pool) -> None:
    desk = await a_desk(pool)
    await desk.judge(UUID(int=0))
    assert await desk.states() == []


async def test_an_alert_tells_everything_and_the_number_only_where_its_rule_asks_for_it(pool: Pool) -> None:
    desk = await a_desk(pool, RULE, replace(RULE, name="with phone", to=("ola",), phone=True))
    survey_id = await desk.answered(2, "Nobody listened")
    await name_customer(pool, survey_id, "Ewa Nowak", "+48221234567", "0031")
    await execute(pool, "UPDATE responses SET callback = true")
    desk.clock.forward(hours=2, minutes=20)
    await desk.send()
    assert desk.ewa.arrived[0].title == "2 of 10 in billing: please call back"
    assert desk.ewa.arrived[0].body.splitlines() == [
        "Ewa Nowak, CRM 0031",
        "“Nobody listened”",
        "Asked to be called back.",
        "Agent anna, by phone, today 13:00",
        "21 h 40 min left to get in touch, until tomorrow 13:00.",
        f"https://nps.example/api/v1/surveys/{survey_id}",
    ]
    assert desk.ola.arrived[0].body.startswith("Ewa Nowak, CRM 0031, +48221234567\n")


# Failing


async def test_what_was_not_taken_is_sent_again_later_and_later(pool: Pool) -> None:
    desk = await a_desk(pool)
    desk.ewa.answers = [
        AlertRefused("the service answered 500"),
        AlertRefused("the service answered 502"),
        AlertSent(),
    ]
    await desk.answered()
    for minutes in (0, 0.4, 0.2, 0.9, 0.2):
        desk.clock.forward(minutes=minutes)
        await desk.send()
    assert (await desk.states(), len(desk.ewa.arrived)) == (["sent"], 1)
    assert (await row(pool, "SELECT tries FROM alerts"))["tries"] == 3


async def test_after_a_day_of_failing_it_is_given_up(pool: Pool) -> None:
    desk = await a_desk(pool)
    desk.ewa.answers = [AlertRefused("the service answered 404")]
    await desk.answered()
    with capture_logs() as logs:
        while "waiting" in await desk.states():
            await desk.send()
            desk.clock.forward(minutes=30)
    assert await desk.states() == ["failed"]
    assert timedelta(hours=20) < desk.clock.now - NOON < timedelta(hours=30)
    assert [each["event"] for each in logs if each["log_level"] == "error"] == ["alert_given_up"]
    assert (await row(pool, "SELECT reason FROM alerts"))["reason"] == "the service answered 404"


@pytest.mark.parametrize(
    "answer", [AlertOutcomeUnknown("no answer within 40 seconds"), RuntimeError("secret://url")]
)
async def test_what_may_have_arrived_is_never_sent_again(
    pool: Pool, answer: AlertOutcomeUnknown | RuntimeError
) -> None:
    desk = await a_desk(pool)
    desk.ewa.answers = [answer, AlertSent()]
    survey_id = await desk.answered()
    with capture_logs() as logs:
        await desk.send()
    desk.clock.forward(days=1)
    await desk.judge(survey_id)
    await desk.send()
    assert (await desk.states(), desk.ewa.arrived) == (["unknown"], [])
    (error,) = [each for each in logs if each["log_level"] == "error"]
    assert (error["event"], error["recipient"]) == ("alert_unknown", "ewa")
    assert "secret" not in str(logs)


async def test_after_a_crash_while_sending_it_is_shown_as_unknown_and_not_sent_again(pool: Pool) -> None:
    desk = await a_desk(pool)
    desk.ewa.answers = [Crash(), AlertSent()]
    await desk.answered()
    with pytest.raises(Crash):
        await desk.send()
    desk = desk.restarted()
    await desk.send()
    assert await desk.states() == ["sending"]
    desk.clock.forward(minutes=5)
    with capture_logs() as logs:
        await desk.send()
    assert (await desk.states(), desk.ewa.arrived) == (["unknown"], [])
    assert [each["event"] for each in logs if each["log_level"] == "error"] == ["alert_unknown"]


async def test_a_recipient_who_left_the_file_is_no_longer_told(pool: Pool) -> None:
    desk = await a_desk(pool, replace(RULE, to=("gone",)))
    await desk.answered()
    await desk.alerts.send(SendAlerts("gone"))
    assert await desk.states() == ["failed"]


async def test_an_alert_whose_rule_left_the_file_is_sent_without_a_number(pool: Pool) -> None:
    desk = await a_desk(pool, replace(RULE, phone=True, language="pl"))
    await name_customer(pool, await desk.answered(), "Ewa", "+48221234567")
    emptied = replace(desk.alerts, rulebook=replace(desk.alerts.rulebook, rules=()))
    await emptied.send(SendAlerts("ewa"))
    assert desk.ewa.arrived[0].title == "3 of 10 in billing"
    assert "+48" not in desk.ewa.arrived[0].body


async def test_two_workers_at_once_send_nothing_twice(pool: Pool) -> None:
    desk = await a_desk(pool, storm=Storm(more_than=100))
    other = desk.restarted()
    for _ in range(12):
        await desk.answered()
    desk.ewa.before = other_tasks_run
    await asyncio.gather(
        desk.alerts.send(SendAlerts("ewa")),
        other.alerts.send(SendAlerts("ewa")),
        other.alerts.send(SendAlerts("ewa")),
    )
    assert len(desk.ewa.arrived) == 12
    assert len({message.body for message in desk.ewa.arrived}) == 12
    assert await desk.states() == ["sent"] * 12


async def other_tasks_run() -> None:
    await asyncio.sleep(0.005)


async def test_nothing_is_locked_while_it_is_sent(pool: Pool) -> None:
    desk = await a_desk(pool)
    await desk.answered()
    seen: list[object] = []

    async def look() -> None:
        seen.extend(
            await rows(
                pool,
                "SELECT state FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in %%'",
            )
        )
        seen.extend(await rows(pool, "SELECT status FROM alerts FOR UPDATE NOWAIT"))

    desk.ewa.before = look
    await desk.send()
    assert seen == [{"status": "sending"}]


async def test_one_process_sends_to_a_recipient_one_after_another_and_forgets_nothing(pool: Pool) -> None:
    desk = await a_desk(pool)
    at_once, most = 0, 0

    async def count() -> None:
        nonlocal at_once, most
        at_once, most = at_once + 1, max(most, at_once + 1)
        if len(desk.ewa.arrived) == 0:
            await desk.answered()
            await desk.alerts.send(SendAlerts("ewa"))  # returns at once, since somebody is at it
        at_once -= 1

    desk.ewa.before = count
    await desk.answered()
    await desk.alerts.send(SendAlerts("ewa"))
    assert (len(desk.ewa.arrived), most) == (2, 1)


async def test_slow_services_take_only_a_few_of_a_workers_hands(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 1)
    desk = await a_desk(pool, replace(RULE, to=("ewa", "ola")))

    async def meanwhile() -> None:
        await desk.alerts.send(SendAlerts("ola"))

    desk.ewa.before = meanwhile
    await desk.answered()
    await desk.alerts.send(SendAlerts("ewa"))
    assert (len(desk.ewa.arrived), len(desk.ola.arrived)) == (1, 0)
    (*_, put_off) = await jobs_for(pool)
    assert put_off == {"args": {"recipient": "ola"}, "scheduled_at": NOON + module.BUSY_PAUSE}


# Storms


async def test_up_to_a_storm_every_answer_is_a_message_of_its_own(pool: Pool) -> None:
    desk = await a_desk(pool)
    for _ in range(5):
        await desk.answered()
        await desk.send()
        desk.clock.forward(minutes=1)
    assert len(desk.ewa.arrived) == 5


async def test_what_comes_at_once_becomes_one_message_with_counts_and_the_worst_few(pool: Pool) -> None:
    desk = await a_desk(pool)
    for score in (6, 0, 3, 3, 1, 5, 9, 2):
        await desk.answered(score, queue="sales" if score % 3 else "billing")
        desk.clock.forward(seconds=1)
    await desk.send()
    (message,) = desk.ewa.arrived
    assert message.title == "8 answers to look at"
    lines = message.body.splitlines()
    assert lines[:5] == [
        "They came in within minutes, so here they are in one message.",
        "billing: 5, detractors 4",
        "sales: 3, detractors 3",
        "Detractors still within their 24 hours: 7. The first one until tomorrow 13:00, 23 h 59 min left.",
        "",
    ]
    assert [each for each in lines if " of 10, " in each] == [
        "0 of 10, billing", "1 of 10, sales", "2 of 10, sales", "3 of 10, billing", "3 of 10, billing",
    ]  # fmt: skip
    assert lines[-1] == "And 3 more."
    assert len({each["message"] for each in await rows(pool, "SELECT message FROM alerts")}) == 1


async def test_what_comes_on_top_of_a_storm_goes_together_when_it_has_calmed_down(pool: Pool) -> None:
    desk = await a_desk(pool)
    for _ in range(5):
        await desk.answered()
    await desk.send()
    assert len(desk.ewa.arrived) == 5
    for _ in range(9):
        desk.clock.forward(minutes=1)
        await desk.answered()
        await desk.answered()
        await desk.send()
    assert len(desk.ewa.arrived) == 5
    desk.clock.forward(minutes=1)
    await desk.send()
    assert [message.title for message in desk.ewa.arrived[5:]] == ["18 answers to look at"]
    # One that comes now waits again, as do those after it.
    await desk.answered()
    await desk.answered()
    await desk.send()
    desk.clock.forward(minutes=9.9)
    await desk.send()
    assert len(desk.ewa.arrived) == 6
    desk.clock.forward(minutes=0.2)
    await desk.send()
    assert [message.title for message in desk.ewa.arrived[6:]] == ["2 answers to look at"]


async def test_one_recipients_storm_is_not_anothers(pool: Pool) -> None:
    desk = await a_desk(pool, RULE, replace(RULE, name="sales", queues=frozenset({"sales"}), to=("ola",)))
    for queue in ("billing",) * 8 + ("sales",):
        await desk.answered(queue=queue)
    await desk.send()
    assert [message.title for message in desk.ola.arrived] == ["3 of 10 in sales"]


async def test_a_folded_message_that_was_not_taken_is_folded_again_with_what_came_since(pool: Pool) -> None:
    desk = await a_desk(pool)
    desk.ewa.answers = [AlertRefused("the service answered 503"), AlertSent()]
    for _ in range(7):
        await desk.answered()
    await desk.send()
    desk.clock.forward(minutes=1)
    await desk.send()
    assert [message.title for message in desk.ewa.arrived] == ["7 answers to look at"]


# Digests and quiet hours


async def test_a_digest_comes_at_its_times_in_one_message(pool: Pool) -> None:
    desk = await a_desk(pool, DIGEST)
    desk.clock.now = warsaw(2026, 3, 4, 9)
    await desk.answered(9)
    desk.clock.now = warsaw(2026, 3, 4, 15, 59)
    await desk.answered(4)
    await desk.send()
    assert desk.ewa.arrived == []
    desk.clock.now = warsaw(2026, 3, 4, 16)
    await desk.answered(5)
    await desk.send()
    (message,) = desk.ewa.arrived
    assert message.body.startswith("Here is what came in since the last digest.\nbilling: 2, detractors 1\n")
    desk.clock.now = warsaw(2026, 3, 5, 8)
    await desk.send()
    assert desk.ewa.arrived[1].title == "5 of 10 in billing"


async def test_quiet_hours_hold_and_their_end_lets_out_one_message(pool: Pool) -> None:
    desk = await a_desk(pool, HELD)
    desk.clock.now = warsaw(2026, 3, 28, 19, 59)
    await desk.answered()
    await desk.send()
    for at in (warsaw(2026, 3, 28, 20), warsaw(2026, 3, 28, 23, 59), warsaw(2026, 3, 29, 3)):
        desk.clock.now = at
        await desk.answered()
        await desk.send()
    assert len(desk.ewa.arrived) == 1
    desk.clock.now = datetime(2026, 3, 29, 4, 59, 59, tzinfo=UTC)  # clocks went forward
    await desk.send()
    assert len(desk.ewa.arrived) == 1
    desk.clock.now = datetime(2026, 3, 29, 5, tzinfo=UTC)
    await desk.send()
    assert desk.ewa.arrived[1].title == "3 answers to look at"
    assert desk.ewa.arrived[1].body.startswith("Here is what came in during the quiet hours.\n")
    assert "The first one until today 21:00" in desk.ewa.arrived[1].body


async def test_a_rule_may_speak_in_quiet_hours_and_wins_over_one_that_may_not(pool: Pool) -> None:
    desk = await a_desk(pool, HELD, replace(RULE, name="loud", scores=frozenset({0})))
    desk.clock.now = warsaw(2026, 3, 4, 23)
    await desk.answered(0)
    await desk.answered(5)
    await desk.send()
    assert [message.title for message in desk.ewa.arrived] == ["0 of 10 in billing"]


async def test_what_is_to_be_tried_again_in_quiet_hours_waits_for_their_end(pool: Pool) -> None:
    desk = await a_desk(pool, HELD)
    desk.ewa.answers = [AlertRefused("no connection to the service"), AlertSent()]
    desk.clock.now = warsaw(2026, 3, 4, 19, 59, 50)
    await desk.answered()
    await desk.send()
    desk.clock.forward(minutes=5)
    await desk.send()
    assert desk.ewa.arrived == []
    desk.clock.now = warsaw(2026, 3, 5, 7)
    await desk.send()
    assert len(desk.ewa.arrived) == 1


# What waits is found


async def test_what_waited_for_its_time_gets_its_job(pool: Pool) -> None:
    desk = await a_desk(pool, DIGEST)
    await desk.answered()
    await desk.alerts.send_waiting_alerts()
    assert await jobs_for(pool) == []
    desk.clock.forward(hours=4)
    await desk.alerts.send_waiting_alerts()
    assert [each["args"] for each in await jobs_for(pool)] == [{"recipient": "ewa"}]


# Alarms


async def test_an_alarm_reaches_the_operators_at_once_whatever_else_is_held(pool: Pool) -> None:
    desk = await a_desk(pool, operators=("ewa", "ola"))
    for _ in range(9):
        await desk.answered()
    await desk.alerts.alarm("hubspot takes no answers", "Wrong credentials. 312 answers wait.")
    await desk.send()
    assert [message.title for message in desk.ewa.arrived] == [
        "hubspot takes no answers",
        "9 answers to look at",
    ]
    assert desk.ola.arrived[0].body == "Wrong credentials. 312 answers wait."


async def test_an_alarm_that_is_not_taken_is_sent_again(pool: Pool) -> None:
    desk = await a_desk(pool, operators=("ola",))
    desk.ola.answers = [AlertRefused("the service answered 500"), AlertSent()]
    await desk.alerts.alarm("a", "b")
    await desk.send()
    desk.clock.forward(minutes=1)
    await desk.send()
    assert len(desk.ola.arrived) == 1


async def test_an_alarm_never_raises(pool: Pool) -> None:
    desk = await a_desk(pool, operators=("ewa",))
    await pool.close()
    with capture_logs() as logs:
        await desk.alerts.alarm("a", "b")
    assert [each["event"] for each in logs] == ["alarm", "alarm_lost"]


async def test_without_operators_an_alarm_is_in_the_log(pool: Pool) -> None:
    desk: Desk = await a_desk(pool)
    with capture_logs() as logs:
        await desk.alerts.alarm("a", "b")
    assert logs == [{"event": "alarm", "title": "a", "reason": "b", "log_level": "error"}]
    assert Recipient().arrived == []
