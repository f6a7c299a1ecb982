"""Nobody is called twice: by a wrong clock, a process that stood still, or under another name on the same phone."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from uuid import UUID, uuid4

import httpx
import pytest
import pytest_asyncio

from app.carrier import transport
from app.config import Settings
from app.errors import CarrierBusy
from app.outreach import LookUpAttempt, Pacer, ReconcileAttempt, StartAttempt, starting
from app.outreach.pacing import Start
from app.process import working
from app.store import clock
from tests.calls import Handset, calls_to, fresh_number, line_on, make_due, waiting
from tests.line import Line, a_line, interaction
from tests.rows import execute, row, rows

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def line(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Line]:
    async with line_on(module_database_url, tmp_path_factory.mktemp("line")) as running:
        running.services.carrier._http.timeout = httpx.Timeout(0.5)
        yield running


async def scheduled(line: Line) -> tuple[UUID, str]:
    """A survey that is due in an hour, and the number it will call."""
    number, queue = fresh_number(), f"queue-{uuid4().hex}"
    await line.http.put(f"/api/v1/queues/{queue}", json={"call_delay_seconds": 3600})
    customer = {"crm_id": uuid4().hex, "phone": number, "consent": True}
    decided = await line.trigger(queue=queue, customer=customer)
    await line.http.put(f"/api/v1/queues/{queue}", json={})
    return UUID(decided["survey_id"]), number


@dataclass(frozen=True)
class Killed(Pacer):
    """The pacer of a process that dies in its slot, before or after it has begun the attempt."""

    begun: bool = False

    async def next_slot(self, start: Start) -> bool:
        if self.begun:
            async with self.pool.connection() as connection:
                assert await start.begin(connection)
        raise SystemExit


async def die_in_slot(line: Line, survey_id: UUID, *, begun: bool) -> None:
    pacer = line.services.starter.pacers["voice"]
    dying = Killed(pacer.pool, pacer.sender, pacer.per_second, begun=begun)
    starter = replace(line.services.starter, pacers={"voice": dying})
    with pytest.raises(SystemExit):
        await starter.start(StartAttempt(survey_id, 1))


async def test_an_attempt_that_nobody_had_begun_goes_on_at_once_after_a_kill(line: Line) -> None:
    survey_id, number = await scheduled(line)
    await die_in_slot(line, survey_id, begun=False)
    before = await row(line.services.pool, "SELECT id FROM attempts WHERE survey_id = %s", (survey_id,))
    await line.services.starter.start(StartAttempt(survey_id, 1))
    await line.until(str(survey_id), "completed")
    after = await row(line.services.pool, "SELECT id FROM attempts WHERE survey_id = %s", (survey_id,))
    assert (after, calls_to(line, number)) == (before, 1)


async def test_an_attempt_that_was_begun_before_a_kill_is_looked_up(line: Line) -> None:
    survey_id, number = await scheduled(line)
    await die_in_slot(line, survey_id, begun=True)
    await line.services.starter.start(StartAttempt(survey_id, 1))
    assert calls_to(line, number) == 0
    assert len(await jobs_about(line, survey_id, "look_up_attempt")) == 1


async def jobs_about(line: Line, survey_id: UUID, name: str) -> list[dict[str, object]]:
    return await rows(
        line.services.pool,
        "SELECT args, scheduled_at FROM procrastinate_jobs WHERE task_name = %s AND args->>'attempt_id' IN"
        " (SELECT id::text FROM attempts WHERE survey_id = %s)",
        (name, survey_id),
    )


async def test_a_start_that_is_repeated_by_many_at_once_calls_once(line: Line) -> None:
    survey_id, number = await scheduled(line)
    await die_in_slot(line, survey_id, begun=False)
    await asyncio.gather(*(line.services.starter.start(StartAttempt(survey_id, 1)) for _ in range(5)))
    await line.until(str(survey_id), "completed")
    assert calls_to(line, number) == 1


@pytest.mark.parametrize("look", [ReconcileAttempt, LookUpAttempt])
async def test_an_attempt_that_was_just_begun_is_never_taken_for_not_placed(
    line: Line, look: type[ReconcileAttempt | LookUpAttempt]
) -> None:
    """However wrong the clock of the worker that looks too early: its request may be on its way."""
    call = await Handset.called(line)
    if look is ReconcileAttempt:
        await line.services.tracking.reconcile(ReconcileAttempt(call.attempt_id, 1))
    else:
        await line.services.tracking.look_up(LookUpAttempt(call.attempt_id, 3))
    attempt = await row(
        line.services.pool, "SELECT disposition FROM attempts WHERE id = %s", (call.attempt_id,)
    )
    assert attempt["disposition"] is None
    starts = await waiting(line, call.survey_id, StartAttempt)
    assert [job["args"]["number"] for job in starts] == [1]


async def test_a_call_that_was_placed_after_all_takes_the_place_of_its_retry(line: Line) -> None:
    call = await Handset.called(line)
    pool, tracking = line.services.pool, line.services.tracking
    await execute(
        pool, "UPDATE attempts SET begun_at = now() - interval '3 minutes' WHERE id = %s", (call.attempt_id,)
    )
    await tracking.look_up(LookUpAttempt(call.attempt_id, 3))
    assert (await line.story(call.survey_id))["status"] == "scheduled"
    await tracking.placed(call.attempt_id, call.sid)
    await line.services.starter.start(StartAttempt(UUID(call.survey_id), 2))
    story = await line.story(call.survey_id)
    assert (story["status"], [each["disposition"] for each in story["attempts"]]) == ("contacting", [None])
    assert calls_to(line, call.number) == 0


async def test_a_process_that_stood_still_asks_the_rules_again(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be night by now: what it had checked long ago is checked anew before anybody is called."""
    survey_id, number = await scheduled(line)
    monkeypatch.setattr(starting, "CHECKED_FOR", timedelta(0))
    await line.services.starter.start(StartAttempt(survey_id, 1))
    story = await line.story(str(survey_id))
    assert (story["status"], story["attempts"], calls_to(line, number)) == ("scheduled", [], 0)
    monkeypatch.undo()
    await line.until(str(survey_id), "completed")
    assert calls_to(line, number) == 1


async def test_a_request_that_stood_still_too_long_never_leaves(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    survey_id, number = await scheduled(line)
    monkeypatch.setattr(transport, "LEAVES_WITHIN_SECONDS", -1.0)
    await line.services.starter.start(StartAttempt(survey_id, 1))
    story = await line.story(str(survey_id))
    assert (story["status"], story["attempts"], calls_to(line, number)) == ("scheduled", [], 0)
    with pytest.raises(CarrierBusy):
        await line.services.carrier.place_call(
            to=number, voice_url="http://x/", status_url="http://x/", ring_seconds=5, time_limit_seconds=60
        )


async def test_a_survey_whose_job_was_lost_goes_on(line: Line) -> None:
    fresh, number = await scheduled(line)
    died, other = await scheduled(line)
    await die_in_slot(line, died, begun=False)
    ids = [str(fresh), str(died)]
    await execute(
        line.services.pool, "DELETE FROM procrastinate_jobs WHERE args->>'survey_id' = ANY(%s)", (ids,)
    )
    await execute(
        line.services.pool,
        "DELETE FROM procrastinate_jobs WHERE args->>'attempt_id' IN"
        " (SELECT id::text FROM attempts WHERE survey_id = %s)",
        (died,),
    )
    await line.services.recovery.take_up_stranded()
    assert await waiting(line, str(fresh), StartAttempt) == []  # it is not due
    await execute(
        line.services.pool,
        "UPDATE surveys SET due_at = now() - interval '1 hour', updated_at = now() - interval '1 hour'"
        " WHERE id = ANY(%s::uuid[])",
        (ids,),
    )
    await line.services.recovery.take_up_stranded()
    await line.services.recovery.take_up_stranded()
    for survey_id in ids:
        await make_due(line, survey_id, ReconcileAttempt)
        await line.until(survey_id, "completed")
    assert (calls_to(line, number), calls_to(line, other)) == (1, 1)


class SlowClock(datetime):
    """A clock that is 12 minutes behind."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        return datetime.now(tz) - timedelta(minutes=12)


async def test_a_worker_with_a_wrong_clock_takes_no_job_until_it_is_right(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.worker.CLOCK_CHECK_SECONDS", 0.1)
    async with a_line(settings, worker=False) as alone:
        monkeypatch.setattr(clock, "datetime", SlowClock)
        async with working(alone.services):
            survey_id, number = await scheduled(alone)
            await make_due(alone, str(survey_id), StartAttempt)
            await asyncio.sleep(1)
            assert calls_to(alone, number) == 0
            ready = await alone.http.get("/readyz")
            assert (ready.status_code, ready.json()["checks"]["clock"]) == (503, False)
            monkeypatch.setattr(clock, "datetime", datetime)
            await alone.until(str(survey_id), "completed")
            assert (await alone.http.get("/readyz")).json()["checks"]["clock"]
            monkeypatch.setattr(clock, "datetime", SlowClock)
            await asyncio.sleep(0.5)
            survey_id, number = await scheduled(alone)
            await make_due(alone, str(survey_id), StartAttempt)
            await asyncio.sleep(1)
            assert calls_to(alone, number) == 0


async def test_one_phone_under_five_names_is_asked_once(line: Line) -> None:
    survey_id, phone = await scheduled(line)
    decided = [
        await line.trigger(customer={"crm_id": f"crm-{n}-{phone}", "phone": phone, "consent": True})
        for n in range(4)
    ]
    assert [each["reason"] for each in decided] == ["survey_open"] * 4
    await make_due(line, str(survey_id), StartAttempt)
    await line.until(str(survey_id), "completed")
    again = await line.trigger(customer={"crm_id": f"crm-9-{phone}", "phone": phone, "consent": True})
    assert (again["reason"], calls_to(line, phone)) == ("surveyed_recently", 1)


async def test_one_phone_under_five_names_at_the_same_moment_is_asked_once(line: Line) -> None:
    phone = fresh_number()
    decided = await asyncio.gather(
        *(
            line.trigger(customer={"crm_id": f"at-once-{n}-{phone}", "phone": phone, "consent": True})
            for n in range(5)
        )
    )
    assert sorted(each["reason"] or "" for each in decided) == ["", *["survey_open"] * 4]


async def test_one_phone_under_five_names_in_one_batch_is_asked_once(line: Line) -> None:
    phone = fresh_number()
    items = [
        interaction(customer={"crm_id": f"batch-{n}-{phone}", "phone": phone, "consent": True})
        for n in range(5)
    ]
    answer = await line.http.post("/api/v1/interactions:batch", json=items)
    assert sorted(each["reason"] or "" for each in answer.json()) == ["", *["survey_open"] * 4]


async def test_a_chat_with_somebody_else_of_the_household_goes_on(line: Line) -> None:
    phone = fresh_number()
    called = await line.trigger(customer={"crm_id": f"a-{phone}", "phone": phone, "consent": True})
    chat = await line.trigger(
        channel="chat", survey_by="chat", customer={"crm_id": f"b-{phone}", "phone": phone, "consent": True}
    )
    assert (called["decision"], chat["decision"]) == ("scheduled", "scheduled")
