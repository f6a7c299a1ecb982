"""Jobs on the wire: what waits in a running system outlives every upgrade."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import structlog

from app import worker
from app.alerts import SendAlerts
from app.config import Settings
from app.conversation import FollowResponse, TranscribeRecording
from app.delivery import Deliver
from app.ivr import FetchRecording
from app.jobs import QUEUE, Job, Jobs
from app.outreach import (
    CollectRecordings,
    ExpireAttempt,
    ExpireSurvey,
    HangUp,
    LookUpAttempt,
    ReconcileAttempt,
    SendReminder,
    StartAttempt,
    WriteToConversation,
)
from app.services import running
from app.store import Pool
from tests.rows import execute, row, rows

SURVEY = UUID("7d3c1f0e-52a8-4b7e-9a55-0c1f6d5b8e21")
ATTEMPT = UUID("09af33c2-8e0d-4c52-b4a9-6a1f2f0e7d10")
# As version 0.1.0 wrote them.
WRITTEN_BEFORE: list[tuple[str, str, Job]] = [
    (
        "start_attempt",
        f'{{"survey_id": "{SURVEY}", "number": 2, "in_line": false}}',
        StartAttempt(SURVEY, 2),
    ),
    (
        "start_attempt",
        f'{{"survey_id": "{SURVEY}", "number": 1, "in_line": true}}',
        StartAttempt(SURVEY, 1, in_line=True),
    ),
    ("look_up_attempt", f'{{"attempt_id": "{ATTEMPT}", "tries": 3}}', LookUpAttempt(ATTEMPT, 3)),
    ("reconcile_attempt", f'{{"attempt_id": "{ATTEMPT}", "tries": 12}}', ReconcileAttempt(ATTEMPT, 12)),
    ("hang_up", f'{{"attempt_id": "{ATTEMPT}", "sid": "CA1"}}', HangUp(ATTEMPT, "CA1")),
    ("collect_recordings", f'{{"attempt_id": "{ATTEMPT}"}}', CollectRecordings(ATTEMPT)),
    ("send_reminder", f'{{"attempt_id": "{ATTEMPT}"}}', SendReminder(ATTEMPT)),
    ("send_reminder", f'{{"attempt_id": "{ATTEMPT}", "in_line": false}}', SendReminder(ATTEMPT)),
    ("send_reminder", f'{{"attempt_id": "{ATTEMPT}", "in_line": true}}', SendReminder(ATTEMPT, in_line=True)),
    ("expire_attempt", f'{{"attempt_id": "{ATTEMPT}"}}', ExpireAttempt(ATTEMPT)),
    ("write_to_conversation", f'{{"survey_id": "{SURVEY}"}}', WriteToConversation(SURVEY)),
    ("write_to_conversation", f'{{"survey_id": "{SURVEY}", "turn_no": 4}}', WriteToConversation(SURVEY, 4)),
    ("fetch_recording", '{"sid": "RE1"}', FetchRecording("RE1")),
    ("transcribe_recording", '{"sid": "own-1"}', TranscribeRecording("own-1")),
    ("follow_response", f'{{"survey_id": "{SURVEY}"}}', FollowResponse(SURVEY)),
    ("deliver", '{"destination": "hubspot"}', Deliver("hubspot")),
    ("send_alerts", '{"recipient": "ewa"}', SendAlerts("ewa")),
    ("expire_survey", f'{{"survey_id": "{SURVEY}"}}', ExpireSurvey(SURVEY)),
]


@pytest.fixture
async def jobs(pool: Pool) -> Jobs:
    return await opened(pool)


async def opened(pool: Pool) -> Jobs:
    made = Jobs(pool)
    await made.open()
    return made


async def write(pool: Pool, name: str, arguments: str, attempts: int = 0) -> None:
    """A job as it stands in the table."""
    await execute(
        pool,
        "INSERT INTO procrastinate_jobs (queue_name, task_name, args, attempts) VALUES (%s, %s, %s, %s)",
        (QUEUE, name, arguments, attempts),
    )


async def run_all(jobs: Jobs) -> None:
    """Run what is due."""
    await jobs.app.run_worker_async(
        queues=[QUEUE],
        wait=False,
        listen_notify=False,
        delete_jobs="successful",
        install_signal_handlers=False,
    )


def noting(ran: list[Job]) -> Callable[[Job], Awaitable[None]]:
    async def note(job: Job) -> None:
        ran.append(job)

    return note


async def standing(pool: Pool) -> list[dict[str, Any]]:
    return await rows(pool, "SELECT task_name, status::text, attempts, scheduled_at FROM procrastinate_jobs")


async def test_every_job_that_was_written_before_is_read_and_run(pool: Pool, jobs: Jobs) -> None:
    ran: list[Job] = []
    for kind in {type(job) for _, _, job in WRITTEN_BEFORE}:
        jobs.register(kind, noting(ran))
    for name, arguments, _ in WRITTEN_BEFORE:
        await write(pool, name, arguments)
    await run_all(jobs)
    assert ran == [job for _, _, job in WRITTEN_BEFORE]
    assert await standing(pool) == []


@pytest.mark.parametrize(("name", "arguments", "job"), WRITTEN_BEFORE)
def test_a_worker_of_the_version_before_reads_what_is_written_now(
    name: str, arguments: str, job: Job
) -> None:
    """It passes every key on as an argument of a function, whose optional ones have the same defaults."""
    assert job.name == name
    optional = {"in_line": False, "turn_no": None}
    ours, theirs = job.to_json(), json.loads(arguments)
    assert {**theirs, **ours} == ours
    assert all(ours[key] == optional[key] for key in ours.keys() - theirs.keys())


async def test_the_worker_runs_every_kind_of_job(settings: Settings) -> None:
    async with running(settings) as services:
        worker.register(services)
        assert services.jobs.kinds.keys() == {name for name, _, _ in WRITTEN_BEFORE}


async def test_a_job_of_a_newer_version_is_run_without_what_is_not_known_of_it(
    pool: Pool, jobs: Jobs
) -> None:
    ran: list[Job] = []
    jobs.register(Deliver, noting(ran))
    await write(pool, "deliver", '{"destination": "hubspot", "urgently": true}')
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as logs:
        await run_all(jobs)
    assert ran == [Deliver("hubspot")]
    assert logs == [
        {"event": "job_keys_unknown", "job": "deliver", "keys": ["urgently"], "log_level": "info"}
    ]


@pytest.mark.parametrize("arguments", ["{}", '{"sid": null}', '{"recording": "RE1"}'])
async def test_a_job_that_cannot_be_read_waits_for_a_worker_that_can(
    arguments: str, pool: Pool, jobs: Jobs
) -> None:
    ran: list[Job] = []
    jobs.register(FetchRecording, noting(ran))
    await write(pool, "fetch_recording", arguments, attempts=10)
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as logs:
        await run_all(jobs)
    assert {
        "event": "job_unreadable",
        "job": "fetch_recording",
        "keys": ["sid"],
        "log_level": "error",
    } in logs
    [waits] = await standing(pool)
    assert (ran, waits["status"], waits["attempts"]) == ([], "todo", 11)
    assert waits["scheduled_at"] > datetime.now(UTC) + timedelta(minutes=4)


async def test_a_job_that_an_older_worker_did_not_know_is_taken_up_by_a_newer_one(pool: Pool) -> None:
    older, newer, ran = await opened(pool), await opened(pool), list[Job]()
    newer.register(Deliver, noting(ran))
    newer.register(FetchRecording, noting(ran))
    await write(pool, "deliver", '{"destination": "hubspot"}')
    await write(pool, "fetch_recording", '{"sid": "RE1"}')
    await run_all(older)
    assert {each["status"] for each in await standing(pool)} == {"failed"}
    await newer.retry_unknown_jobs()
    await run_all(newer)
    assert ran == [Deliver("hubspot"), FetchRecording("RE1")]
    assert await standing(pool) == []


async def test_a_job_that_was_tried_often_enough_is_given_up(pool: Pool, jobs: Jobs) -> None:
    async def fail(_: FetchRecording) -> None:
        raise RuntimeError("no")

    jobs.register(FetchRecording, fail)
    await write(pool, "fetch_recording", '{"sid": "RE1"}', attempts=10)
    await run_all(jobs)
    await jobs.retry_unknown_jobs()
    [given_up] = await standing(pool)
    assert (given_up["status"], given_up["attempts"]) == ("failed", 11)


async def test_a_failure_is_logged_with_its_job_and_ids_and_tried_again(pool: Pool, jobs: Jobs) -> None:
    async def fail(_: StartAttempt) -> None:
        raise RuntimeError("no")

    jobs.register(StartAttempt, fail)
    async with pool.connection() as connection:
        await jobs.defer(connection, StartAttempt(SURVEY, 1))
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as logs:
        await run_all(jobs)
    [line] = [each for each in logs if each["event"] == "job_failed"]
    assert (line["job"], line["survey_id"], line["log_level"]) == ("start_attempt", str(SURVEY), "warning")
    assert (await row(pool, "SELECT status::text FROM procrastinate_jobs"))["status"] == "todo"


@dataclass(frozen=True)
class Later(Job):
    name = "later"

    number: int

    @property
    def delay(self) -> timedelta:
        return timedelta(minutes=self.number)


async def test_jobs_are_due_at_the_given_time_else_after_their_own_delay(pool: Pool, jobs: Jobs) -> None:
    at = datetime(2030, 1, 1, tzinfo=UTC)
    async with pool.connection() as connection:
        await jobs.defer(connection, Later(3))
        await jobs.defer(connection, Later(3), at=at)
        await jobs.defer_planned(connection, [(Later(0), None), (Later(1), at)])
    found = await rows(pool, "SELECT scheduled_at FROM procrastinate_jobs ORDER BY id")
    first, *others = [each["scheduled_at"] for each in found]
    assert timedelta(minutes=2) < first - datetime.now(UTC) < timedelta(minutes=4)
    assert others == [at, None, at]


async def test_a_rollback_leaves_no_job(pool: Pool, jobs: Jobs) -> None:
    async with pool.connection() as connection, connection.transaction(force_rollback=True):
        await jobs.defer(connection, Deliver("hubspot"), Deliver("zendesk"))
    assert await standing(pool) == []
