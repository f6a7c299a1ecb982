"""What may go wrong between a response and a CRM, and must neither lose it, nor tell it twice, nor stop the others."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime

import psycopg
import pytest

from app.alerts import Alerts
from app.config import Settings
from app.crm.api import retry_after
from app.delivery import Deliveries, Destination, FollowUp
from app.errors import CrmBusy, CrmMisconfigured, CrmRefused
from app.jobs import Jobs
from app.ports import ResponseToPush
from app.store import Pool, suppressions
from tests.delivery.ledger import Ledger
from tests.delivery.office import NAME, Office, an_office, failing, grow, people
from tests.reports.asked import ask
from tests.rows import execute, row, rows

WELL = failing(CrmBusy("never"), times=0)


# While it is pushed


async def test_what_is_wanted_while_it_is_claimed_is_not_taken_for_told(office: Office) -> None:
    """The claim waits for the row, and gets its new version; what it read of the response is older."""
    (survey_id,) = await ask(office.pool, *people(1))
    await office.want(survey_id)
    async with office.pool.connection() as connection, connection.transaction():
        await connection.execute(
            "UPDATE responses SET comment = 'the transcript', version = version + 1 WHERE survey_id = %s",
            (survey_id,),
        )
        await office.deliveries.want(connection, survey_id)
        delivering = asyncio.create_task(office.deliver())
        await asyncio.sleep(0.3)
    await delivering
    await office.deliver()
    assert office.ledger.pushed[-1].columns["comment"] == "the transcript"
    assert len({each.version for each in office.ledger.pushed}) == len(office.ledger.pushed)


async def test_what_was_told_before_it_was_wanted_is_not_told_again(office: Office) -> None:
    (survey_id,) = await ask(office.pool, *people(1))
    await office.want(survey_id)
    await grow(office.pool, survey_id)
    await office.deliver()
    await office.want(survey_id)
    await office.deliver()
    assert [each.columns["comment"] for each in office.ledger.pushed] == ["the transcript"]


async def test_a_worker_whose_reservation_broke_pushes_no_more(office: Office) -> None:
    asked = await ask(office.pool, *people(40))
    await office.want(*asked)
    office.ledger.seconds = 0.2
    first = asyncio.create_task(office.deliver())
    await office.ledger.begun.wait()
    await execute(
        office.pool,
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND classid = 8811",
    )
    with suppress(psycopg.Error):
        await first
    assert office.ledger.pushes <= 4
    office.ledger.seconds = 0
    await office.deliver()
    assert {survey_id for survey_id, _ in office.ledger.told} == set(asked)
    assert len(office.ledger.told) <= len(asked) + 4


async def test_a_connector_that_loses_count_is_tried_again(pool: Pool, jobs: Jobs) -> None:
    class Forgetful(Ledger):
        async def push(self, answers: Sequence[ResponseToPush]) -> Sequence[str]:
            return (await super().push(answers))[1:]

    office = an_office(pool, jobs, Forgetful(most_at_once=3))
    await office.want(*await ask(pool, *people(3)))
    await office.deliver()
    assert set(await office.stand()) == {("waiting", "the connector broke (ValueError)")}


@pytest.mark.parametrize("words", ["no\0thing", "half \ud83d a sign"])
async def test_words_that_no_database_takes_stop_nothing(office: Office, words: str) -> None:
    await office.want(*await ask(office.pool, *people(1)))
    office.ledger.before = failing(CrmRefused(words, 422))
    await office.deliver()
    ((status, _),) = await office.stand()
    assert status == "refused"


# How it does


async def test_a_crm_that_is_down_for_a_week_is_still_asked(office: Office) -> None:
    await office.want(*await ask(office.pool, *people(2)))
    office.ledger.before = failing(CrmBusy("it answered 503", 503))
    await office.deliver()
    await execute(office.pool, "UPDATE destinations SET failures = 2000")
    await office.later()
    office.ledger.before = WELL
    await office.later()
    await office.later()
    assert len(office.ledger.pushed) == 2


async def test_after_a_day_away_a_stumble_costs_no_response(office: Office) -> None:
    """What was tried while nothing was taken says nothing against the response."""
    (survey_id,) = await ask(office.pool, *people(1))
    await office.want(survey_id)
    office.ledger.before = failing(CrmBusy("it answered 503", 503))
    await office.deliver()
    for _ in range(15):
        await office.later()
    await execute(office.pool, "DELETE FROM destinations")  # another one got through
    await office.later()
    assert [status for status, _ in await office.stand()] == ["waiting"]


async def test_too_many_requests_are_never_the_response_s_fault(office: Office) -> None:
    (survey_id,) = await ask(office.pool, *people(1))
    await office.want(survey_id)
    office.ledger.before = failing(CrmBusy("it answered 429", 429))
    for _ in range(15):
        await office.later()
        await execute(office.pool, "DELETE FROM destinations")
    assert [status for status, _ in await office.stand()] == ["waiting"]


async def test_a_pause_that_was_asked_for_is_no_trouble_once_it_is_over(office: Office) -> None:
    asked = await ask(office.pool, *people(3))

    def slow_down_for_the_first(answers: Sequence[ResponseToPush]) -> None:
        if answers[0].survey_id == asked[0]:
            raise CrmBusy("it answered 429", 429, retry_after=30)

    office.ledger.before = slow_down_for_the_first
    await office.want(*asked)
    await office.deliver()
    assert len(await rows(office.pool, "SELECT 1 FROM destinations")) == 1
    office.ledger.before = WELL
    await office.later()
    assert await rows(office.pool, "SELECT 1 FROM destinations") == []


async def test_one_that_nothing_helps_makes_way_for_the_next(office: Office) -> None:
    """Of two that wait while nothing is taken, the other one asks the next time."""
    asked = await ask(office.pool, *people(2))
    await office.want(asked[0])

    def forbid_the_first(answers: Sequence[ResponseToPush]) -> None:
        if answers[0].survey_id == asked[0]:
            raise CrmMisconfigured("it answered 403: not this contact", 403)

    office.ledger.before = forbid_the_first
    await office.deliver()
    await office.want(asked[1])
    for _ in range(2):
        await execute(office.pool, "UPDATE destinations SET held_until = now() - interval '1 s'")
        await office.deliver()
    assert [survey_id for survey_id, _ in office.ledger.told] == [asked[1]]


async def test_a_batch_that_one_response_breaks_loses_only_that_one(pool: Pool, jobs: Jobs) -> None:
    asked = await ask(pool, *people(20))

    def break_on_the_seventh(answers: Sequence[ResponseToPush]) -> None:
        if asked[7] in {each.survey_id for each in answers}:
            raise CrmBusy("it answered 500", 500)

    office = an_office(pool, jobs, Ledger(most_at_once=20, before=break_on_the_seventh))
    await office.want(*asked)
    for _ in range(12):
        await execute(pool, "DELETE FROM destinations")  # others got through
        await office.later()
    assert {each.survey_id for each in office.ledger.pushed} == set(asked) - {asked[7]}
    refused = [reason or "" for status, reason in await office.stand() if status == "refused"]
    assert len(refused) == 1
    assert refused[0].startswith("given up after")


async def test_a_pause_ends_within_a_day_whatever_was_asked_for(office: Office) -> None:
    assert CrmBusy("", 429, retry_after({"retry-after": "99999999999999999999"})).retry_after == 86_400
    await office.want(*await ask(office.pool, *people(1)))
    office.ledger.before = failing(CrmBusy("slow down", 429, retry_after=1_763_800_000_000))
    await office.deliver()
    held = await row(office.pool, "SELECT held_until FROM destinations")
    assert (held["held_until"] - datetime.now(UTC)).total_seconds() <= 86_400


# At the start


async def test_one_that_cannot_be_checked_keeps_no_other_from_it(pool: Pool, jobs: Jobs) -> None:
    class Broken(Ledger):
        async def check(self) -> Sequence[str]:
            raise KeyError("properties")

    alarms: list[str] = []

    async def alarm(title: str, _: str) -> None:
        alarms.append(title)

    parts = {"broken": Broken(), "wrong": Ledger(problems=["there is no field"])}
    places = {name: Destination(name, each, 5, 1) for name, each in parts.items()}
    await Deliveries(pool, jobs, places, alarm).check()
    assert alarms == ["wrong takes no answers"]


async def test_a_mapping_that_was_mended_is_no_trouble_from_the_next_start_on(office: Office) -> None:
    office.ledger.problems = ["there is no field"]
    await office.deliveries.check()
    office.ledger.problems = []
    await office.deliveries.check()
    assert await rows(office.pool, "SELECT 1 FROM destinations") == []
    assert len(office.alarms) == 2


async def test_what_waited_for_new_credentials_is_tried_at_once_after_the_start(office: Office) -> None:
    await office.want(*await ask(office.pool, *people(1)))
    office.ledger.before = failing(CrmMisconfigured("it answered 401", 401), times=1)
    await office.deliver()
    await execute(office.pool, "UPDATE deliveries SET retry_at = NULL")
    await office.deliveries.check()
    assert len(office.alarms) == 1, "whether it is well, a push shows"
    await office.deliver()
    assert len(office.ledger.pushed) == 1


# At which rate, and in which order


async def test_the_rate_is_kept_from_one_job_to_the_next(pool: Pool, jobs: Jobs) -> None:
    office = an_office(pool, jobs, Ledger(), per_second=4, at_once=1)
    began = time.monotonic()
    for survey_id in await ask(pool, *people(5)):
        await office.want(survey_id)
        await office.deliver()
    assert time.monotonic() - began >= 4 / 4


async def test_a_slow_destination_is_given_no_more_than_a_job_has_time_for(pool: Pool, jobs: Jobs) -> None:
    office = an_office(pool, jobs, Ledger(), per_second=0.5, at_once=4)
    await office.want(*await ask(pool, *people(4)))
    began = time.monotonic()
    await office.deliver()
    assert time.monotonic() - began < 5


async def test_replay_keeps_the_order_of_the_answers(pool: Pool, jobs: Jobs) -> None:
    office = an_office(pool, jobs, Ledger(), at_once=1)
    asked = await ask(pool, *people(40))
    wanted = [asked[(place * 7) % 40] for place in range(40)]
    for place, survey_id in enumerate(wanted):
        await execute(
            pool,
            "UPDATE responses SET answered_at = '2026-01-01'::timestamptz + %s * interval '1 s' WHERE survey_id = %s",
            (place, survey_id),
        )
    await office.deliveries.replay(NAME, since=datetime(2025, 1, 1, tzinfo=UTC))
    await office.deliver()
    assert [survey_id for survey_id, _ in office.ledger.told] == wanted


# The end of a survey


async def test_an_answer_is_told_though_its_survey_ended_by_an_opt_out_elsewhere(
    pool: Pool, jobs: Jobs, settings: Settings
) -> None:
    office = an_office(pool, jobs, Ledger())
    (survey_id,) = await ask(pool, *people(1))
    await execute(pool, "UPDATE surveys SET status = 'in_progress'")
    await execute(pool, "UPDATE responses SET answered_at = now()")
    person = (await row(pool, "SELECT person FROM surveys"))["person"]
    async with pool.connection() as connection:
        await suppressions.add(connection, [person], "sms")
    follow_up = FollowUp(pool, office.deliveries, Alerts.from_settings(settings, pool, jobs))
    for _ in range(2):
        await follow_up.follow_cut_off()
        await office.deliver()
    assert office.ledger.told == [(survey_id, "response.partial")]
