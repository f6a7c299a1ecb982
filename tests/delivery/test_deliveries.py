"""Responses on their way to a CRM: nothing is lost, nothing is told twice, and trouble is told to people once."""

import asyncio
from collections.abc import Sequence
from typing import Any

from app.errors import CrmBusy, CrmMisconfigured, CrmRefused
from app.jobs import Jobs
from app.ports import ResponseToPush
from app.store import Pool, deliveries, destinations, pushes
from tests.delivery.ledger import Ledger
from tests.delivery.office import NAME, Office, an_office, failing, grow, people
from tests.reports.asked import Asked, ask
from tests.rows import execute, rows

# What is told


async def test_everything_that_waits_is_told_in_its_order(office: Office) -> None:
    asked = await ask(office.pool, *people(30))
    await office.want(*asked)
    await office.deliver()
    assert sorted(office.ledger.told) == sorted((each, "response.completed") for each in asked)
    assert set(await office.stand()) == {("delivered", None)}


async def test_a_job_that_is_run_again_tells_nothing_twice(office: Office) -> None:
    (survey_id,) = await ask(office.pool, *people(1))
    for _ in range(3):
        await office.want(survey_id)
        await office.deliver()
    assert office.ledger.told == [(survey_id, "response.completed")]


async def test_a_response_that_grew_is_told_again_with_what_is_known_of_it(office: Office) -> None:
    (survey_id,) = await ask(office.pool, *people(1))
    await office.want(survey_id)
    await office.deliver()
    await grow(office.pool, survey_id)
    await office.want(survey_id)
    await office.deliver()
    first, second = office.ledger.pushed
    assert (second.event, second.columns["comment"]) == ("response.updated", "the transcript")
    assert (first.remote_id, second.remote_id) == (None, f"record of {survey_id}")
    assert second.version > first.version


async def test_one_that_was_taken_up_again_and_finished_is_told_as_completed(office: Office) -> None:
    (survey_id,) = await ask(office.pool, *people(1))
    await execute(office.pool, "UPDATE surveys SET status = 'partial'")
    await office.want(survey_id)
    await office.deliver()
    await execute(office.pool, "UPDATE surveys SET status = 'completed'")
    await office.want(survey_id)
    await office.deliver()
    assert [event for _, event in office.ledger.told] == ["response.partial", "response.completed"]


async def test_what_grows_while_it_is_told_is_told_again(office: Office) -> None:
    (survey_id,) = await ask(office.pool, *people(1))
    await office.want(survey_id)
    office.ledger.seconds = 0.3
    telling = asyncio.create_task(office.deliver())
    await office.ledger.begun.wait()
    await grow(office.pool, survey_id)
    await office.want(survey_id)
    await telling
    await office.deliver()
    assert [each.columns["comment"] for each in office.ledger.pushed] == ["comment 0", "the transcript"]
    assert await office.stand() == [("delivered", None)]


async def test_a_transcript_that_comes_late_never_makes_way_for_older_text(office: Office) -> None:
    """The first push fails; when it is tried again, it tells what is known by then, and nothing is left to tell."""
    (survey_id,) = await ask(office.pool, *people(1))
    office.ledger.before = failing(CrmBusy("down", 500), times=1)
    await office.want(survey_id)
    await office.deliver()
    await grow(office.pool, survey_id)
    await office.want(survey_id)
    await office.later()
    await office.later()
    assert [each.columns["comment"] for each in office.ledger.pushed] == ["the transcript"]


async def test_only_the_queues_that_were_named(pool: Pool, jobs: Jobs) -> None:
    office = an_office(pool, jobs, Ledger(), queues=["sales"])
    asked = await ask(pool, Asked("billing", 3), Asked("sales", 9))
    await office.want(*asked)
    await office.deliver()
    assert office.ledger.told == [(asked[1], "response.completed")]


async def test_two_workers_share_the_work_and_tell_nothing_twice(pool: Pool, jobs: Jobs) -> None:
    ledger = Ledger(seconds=0.01)
    offices = [an_office(pool, jobs, ledger) for _ in range(3)]
    asked = await ask(pool, *people(20))
    await offices[0].want(*asked)
    await asyncio.gather(*(each.deliver() for each in offices))
    assert sorted(ledger.told) == sorted((each, "response.completed") for each in asked)


# Trouble


async def test_a_crm_that_is_down_for_a_day_is_asked_seldom_and_loses_nothing(office: Office) -> None:
    asked = await ask(office.pool, *people(40))
    office.ledger.before = failing(CrmBusy("no answer (ConnectTimeout)"))
    await office.want(*asked)
    await office.deliver()
    first = office.ledger.pushes
    assert first <= 8, "it is left in peace after a few failures"
    for _ in range(20):
        await office.later()
    assert office.ledger.pushes - first == 20, "one asks whether it takes answers again"
    office.ledger.before = failing(CrmBusy("never"), times=0)
    await office.later()
    await office.later()
    assert sorted(office.ledger.told) == sorted((each, "response.completed") for each in asked)
    assert set(await office.stand()) == {("delivered", None)}
    assert any(each.tried for each in office.ledger.pushed), "they may have been carried out before"


async def test_held_is_held(office: Office) -> None:
    (survey_id,) = await ask(office.pool, *people(1))
    office.ledger.before = failing(CrmBusy("slow down", 429, retry_after=120), times=1)
    await office.want(survey_id)
    await office.deliver()
    for _ in range(5):
        await office.deliver()
        await office.deliveries.deliver_waiting()
    assert office.ledger.pushes == 1
    (held,) = await rows(
        office.pool, "SELECT extract(epoch FROM held_until - now()) AS pause FROM destinations"
    )
    assert 110 < held["pause"] <= 120


async def test_wrong_credentials_are_one_alarm(office: Office) -> None:
    asked = await ask(office.pool, *people(25))
    office.ledger.before = failing(CrmMisconfigured("it answered 401: wrong token", 401))
    await office.want(*asked)
    await office.deliver()
    for _ in range(10):
        await office.later()
    (alarm,) = office.alarms
    assert alarm.startswith(
        "ours takes no answers: Reason: it answered 401: wrong token. 25 answers wait; none is lost."
    )
    office.ledger.before = failing(CrmBusy("never"), times=0)
    await office.later()
    await office.later()
    assert len(office.ledger.pushed) == 25
    assert office.alarms[1:] == [
        "ours takes answers again: What has waited is being delivered now, in its order."
    ]


async def test_a_crm_that_is_down_for_long_is_one_alarm(office: Office) -> None:
    asked = await ask(office.pool, *people(3))
    office.ledger.before = failing(CrmBusy("it answered 503", 503))
    await office.want(*asked)
    await office.deliver()
    assert office.alarms == []
    await execute(office.pool, "UPDATE destinations SET failing_since = now() - interval '16 minutes'")
    for _ in range(5):
        await office.later()
    assert len(office.alarms) == 1


async def test_what_is_refused_is_shown_and_keeps_nobody_waiting(office: Office) -> None:
    asked = await ask(office.pool, *people(6))

    def refuse_the_third(answers: Sequence[ResponseToPush]) -> None:
        if answers[0].survey_id == asked[2]:
            raise CrmRefused("it answered 404: no such contact", 404)

    office.ledger.before = refuse_the_third
    await office.want(*asked)
    await office.deliver()
    await office.later()
    assert len(office.ledger.pushed) == 5
    async with office.pool.connection() as connection:
        (refused,) = await deliveries.find(connection, status="refused")
        (line,) = [each for each in await pushes.read_log(connection) if each.outcome == "refused"]
    assert (refused.survey_id, refused.reason) == (asked[2], "it answered 404: no such contact")
    assert line.survey_id == asked[2]


async def test_one_that_breaks_a_healthy_crm_is_given_up_at_last(office: Office) -> None:
    asked = await ask(office.pool, *people(2))

    def break_on_the_first(answers: Sequence[ResponseToPush]) -> None:
        if answers[0].survey_id == asked[0]:
            raise CrmBusy("it answered 500", 500)

    office.ledger.before = break_on_the_first
    await office.want(*asked)
    for _ in range(12):
        await grow(office.pool, asked[1])
        await office.want(asked[1])
        await office.later()
    ((status, reason),) = [each for each in await office.stand() if each[0] != "delivered"]
    assert status == "refused"
    assert reason is not None
    assert reason.startswith("given up after")


async def test_a_batch_goes_through_without_the_one_that_is_refused(pool: Pool, jobs: Jobs) -> None:
    asked = await ask(pool, *people(50))

    def refuse_with_the_seventh(answers: Sequence[ResponseToPush]) -> None:
        if asked[7] in {each.survey_id for each in answers}:
            raise CrmRefused("it answered 422: one of these", 422)

    office = an_office(pool, jobs, Ledger(most_at_once=10, before=refuse_with_the_seventh))
    await office.want(*asked)
    await office.deliver()
    assert {each.survey_id for each in office.ledger.pushed} == set(asked) - {asked[7]}
    assert office.ledger.pushes < 20
    assert [each for each in await office.stand() if each[0] == "refused"] == [
        ("refused", "it answered 422: one of these")
    ]


async def test_a_worker_that_died_while_it_told_says_so_to_the_next(office: Office) -> None:
    (survey_id,) = await ask(office.pool, *people(1))
    await office.want(survey_id)
    async with office.pool.connection() as connection:
        (claimed,) = await pushes.claim(connection, NAME, 10)
    assert not claimed.answer.tried
    await office.deliver()
    (pushed,) = office.ledger.pushed
    assert pushed.tried


async def test_a_fault_of_our_own_is_tried_again(office: Office) -> None:
    (survey_id,) = await ask(office.pool, *people(1))
    office.ledger.before = failing(KeyError("a bug"), times=1)
    await office.want(survey_id)
    await office.deliver()
    assert await office.stand() == [("waiting", "the connector broke (KeyError)")]
    await office.later()
    assert office.ledger.told == [(survey_id, "response.completed")]


async def test_a_mapping_that_cannot_work_is_said_at_the_start(office: Office) -> None:
    office.ledger.problems = ["fields.zeroten_score: there is no contact property of this name"]
    await office.deliveries.check()
    await office.deliveries.check()
    (alarm,) = office.alarms
    assert "fields.zeroten_score" in alarm


async def test_a_crm_that_quotes_the_customer_gives_nothing_away(office: Office) -> None:
    said = "I waited for forty minutes and then you hung up"
    await office.want(*await ask(office.pool, Asked("billing", 2, said, crm_id="0035g")))
    words = f"it answered 409: note {said} of +48 22 123 45 67"
    office.ledger.before = failing(CrmRefused(words, 409))
    await office.deliver()
    ((status, reason),) = await office.stand()
    assert (status, reason) == ("refused", "it answered 409: note [hidden]")


# Again


async def test_what_was_delivered_is_delivered_again_as_it_was(office: Office) -> None:
    asked = await ask(office.pool, *people(3))
    await office.want(*asked)
    await office.deliver()
    assert await office.deliveries.replay(NAME, survey_id=asked[1]) == 1
    await office.deliver()
    last = office.ledger.pushed[-1]
    assert (last.survey_id, last.event, last.remote_id) == (
        asked[1],
        "response.completed",
        f"record of {asked[1]}",
    )
    assert last.version == next(each.version for each in office.ledger.pushed if each.survey_id == asked[1])


async def test_responses_from_before_a_crm_was_connected_can_be_told_to_it(office: Office) -> None:
    asked = await ask(office.pool, *people(4))
    await execute(office.pool, "UPDATE responses SET answered_at = '2026-01-01' WHERE score = 0")
    assert await office.deliveries.replay(NAME, since=(await moment(office.pool, "2026-02-01"))) == 3
    await office.deliver()
    assert {survey_id for survey_id, _ in office.ledger.told} == set(asked[1:])


async def test_only_the_refused_can_be_told_again(office: Office) -> None:
    asked = await ask(office.pool, *people(3))
    office.ledger.before = failing(CrmRefused("a field was missing"), times=1)
    await office.want(*asked)
    await office.deliver()
    assert await office.deliveries.replay(NAME, refused=True) == 1
    await office.deliver()
    assert len({survey_id for survey_id, _ in office.ledger.told}) == 3


async def test_the_overview_says_how_each_does(office: Office) -> None:
    asked = await ask(office.pool, *people(5))
    office.ledger.before = failing(CrmMisconfigured("it answered 401", 401))
    await office.want(*asked)
    await office.deliver()
    async with office.pool.connection() as connection:
        (ours,) = await destinations.overview(connection, [NAME])
    assert (ours.name, ours.waiting, ours.delivered, ours.refused) == (NAME, 5, 0, 0)
    assert ours.reason == "it answered 401"
    assert ours.failing_since is not None


async def test_the_log_is_kept_for_a_month(office: Office) -> None:
    asked = await ask(office.pool, *people(2))
    await office.want(*asked)
    await office.deliver()
    await execute(office.pool, "UPDATE delivery_log SET at = now() - interval '31 days' WHERE id = 1")
    await office.deliveries.forget()
    async with office.pool.connection() as connection:
        assert len(await pushes.read_log(connection)) == 1


async def moment(pool: Pool, text: str) -> Any:
    (found,) = await rows(pool, f"SELECT '{text}'::timestamptz AS at")
    return found["at"]
