"""Calls for tests: rehearsed from end to end, or driven by hand, one webhook at a time."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode
from uuid import UUID, uuid4

import httpx
from pydantic import SecretStr

from app.carrier import sign
from app.config import Settings
from app.ivr.twiml import OPT_OUT
from app.jobs import Job
from app.rehearsal.twilio.document import read
from app.rehearsal.twilio.faults import Faults
from app.rehearsal.twilio.verbs import Gather, Play, Redirect, Say
from app.store import attempt_starts, attempts, clock, surveys
from tests.line import OURS, TOKEN, Line, a_line, eventually
from tests.rows import execute, row, rows

_numbers = count(2_000_000)


def fresh_number() -> str:
    """A Polish number that nobody else in this process has."""
    return f"+4822{next(_numbers)}"


@asynccontextmanager
async def line_on(database_url: str, data_dir: Path, **changes: Any) -> AsyncIterator[Line]:
    """A line that many tests share; each keeps to a queue and numbers of its own."""
    settings = Settings(_env_file=None, database_url=SecretStr(database_url), data_dir=data_dir)
    async with a_line(settings, **changes) as line:
        yield line


@dataclass
class Document:
    """An answer to a voice webhook, as a phone would take it."""

    status: int
    body: bytes
    said: list[str] = field(default_factory=list)
    asks: str | None = None
    goes_on_at: str | None = None
    warnings: tuple[object, ...] = ()

    @classmethod
    def of(cls, answer: httpx.Response) -> Self:
        """Read it; one that is no TwiML has said nothing."""
        page = cls(answer.status_code, answer.content)
        if answer.headers["content-type"].startswith("text/xml"):
            document = read(answer.content)
            page.warnings = document.warnings
            for verb in document.verbs:
                sounds = verb.prompts if isinstance(verb, Gather) else (verb,)
                page.said += [each.text for each in sounds if isinstance(each, Say)]
                page.said += [each.url for each in sounds if isinstance(each, Play)]
                if isinstance(verb, Gather) and verb.action != OPT_OUT:  # a goodbye asks nothing
                    page.asks = verb.action
                if isinstance(verb, Redirect) and page.asks is None:
                    page.goes_on_at = verb.url
        return page


async def post(
    line: Line, path: str, form: Mapping[str, str] | None = None, *, token: str = TOKEN
) -> httpx.Response:
    """A webhook as the carrier sends it; ``token`` signs it."""
    body = urlencode(form or {})
    headers = {
        "X-Twilio-Signature": sign(f"{line.http.base_url}".rstrip("/") + path, form or {}, token),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    return await line.http.post(path, content=body, headers=headers)


@dataclass
class Handset:
    """A call that the carrier took, whose webhooks the test sends itself: late, twice, or never."""

    line: Line
    survey_id: str
    attempt_id: UUID
    number: str
    queue: str
    language: str
    sid: str = field(default_factory=lambda: f"CA{uuid4().hex}")

    @classmethod
    async def called(cls, line: Line, language: str = "en", **settings: Any) -> Self:
        """A person whose phone is about to ring; ``settings`` are the queue's."""
        number, queue = fresh_number(), f"queue-{uuid4().hex}"
        answer = await line.http.put(f"/api/v1/queues/{queue}", json={"call_delay_seconds": 3600} | settings)
        assert answer.status_code == 200, answer.text
        customer = {"crm_id": uuid4().hex, "phone": number, "consent": True}
        decided = await line.trigger(queue=queue, language=language, customer=customer)
        handset = cls(line, decided["survey_id"], uuid4(), number, queue, language)
        async with line.services.pool.connection() as connection:
            await attempts.write(connection, handset.attempt_id, UUID(handset.survey_id), 1, "voice")
            await surveys.move(connection, UUID(handset.survey_id), "contacting")
            soon = await clock.now(connection) + timedelta(minutes=1)
            assert await attempt_starts.begin(connection, handset.attempt_id, soon)
        return handset

    @property
    def path(self) -> str:
        return f"/twilio/voice/{self.language}/{self.survey_id}"

    async def send(self, path: str, **form: str) -> httpx.Response:
        """Any webhook of this call."""
        given = {"CallSid": self.sid, "From": OURS, "To": self.number, "Direction": "outbound-api"}
        return await post(self.line, path, given | form)

    async def open(self) -> Document:
        """The person answered."""
        return Document.of(await self.send(f"{self.path}/open?attempt={self.attempt_id}"))

    async def turn(self, number: int, query: str = "", **form: str) -> Document:
        """Something was heard, or nothing."""
        return Document.of(await self.send(f"{self.path}/{number}{query}", **form))

    async def status(self, status: str, **form: str) -> httpx.Response:
        """How the call stands."""
        return await self.send(f"/twilio/attempts/{self.attempt_id}/status", CallStatus=status, **form)

    async def machine(self, answered_by: str = "machine_start") -> httpx.Response:
        """Who picked up."""
        return await self.send(f"/twilio/attempts/{self.attempt_id}/machine", AnsweredBy=answered_by)

    async def story(self) -> dict[str, Any]:
        """The survey's story."""
        return await self.line.story(self.survey_id)

    async def counts(self) -> dict[str, Any]:
        """What the roll-up has for this person's queue."""
        return await counts(self.line, self.queue)


COUNTED = ("invited", "reached", "responses", "promoters", "passives", "detractors")


async def counts(line: Line, queue: str) -> dict[str, int]:
    """What the roll-up has for a queue, without the zeros."""
    found = await rows(line.services.pool, "SELECT * FROM nps_daily WHERE queue = %s", (queue,))
    sums = {name: sum(each[name] for each in found) for name in COUNTED}
    return {name: number for name, number in sums.items() if number}


async def make_due(line: Line, survey_id: str, job: type[Job]) -> None:
    """Let the waiting jobs of a survey start now."""
    await execute(
        line.services.pool,
        "UPDATE procrastinate_jobs SET scheduled_at = now() WHERE status = 'todo' AND task_name = %s AND ("
        " args->>'survey_id' = %s OR args->>'attempt_id' IN (SELECT id::text FROM attempts WHERE survey_id = %s))",
        (job.name, survey_id, survey_id),
    )


async def waiting(line: Line, survey_id: str, job: type[Job]) -> list[dict[str, Any]]:
    """The waiting jobs of a survey."""
    return await rows(
        line.services.pool,
        "SELECT args, scheduled_at FROM procrastinate_jobs WHERE status = 'todo' AND task_name = %s AND ("
        " args->>'survey_id' = %s OR args->>'attempt_id' IN (SELECT id::text FROM attempts WHERE survey_id = %s))",
        (job.name, survey_id, survey_id),
    )


async def settled(line: Line, survey_id: str, attempts_over: int = 1) -> dict[str, Any]:
    """The story once so many attempts are over."""
    story: dict[str, Any] = {}

    async def over() -> bool:
        story.update(await line.story(survey_id))
        return len([each for each in story["attempts"] if each["disposition"]]) >= attempts_over

    await eventually(over, lambda: story)
    return story


async def rehearse(
    line: Line,
    script: str = "9# | cheap and fast",
    faults: Faults | None = None,
    times: int | None = None,
    **changes: Any,
) -> tuple[str, str, str]:
    """Trigger a survey of somebody who follows the script: the survey, its number and its queue."""
    person = {"crm_id": uuid4().hex, "phone": fresh_number(), "consent": True} | changes.pop("customer", {})
    number, queue = person["phone"], changes.pop("queue", f"queue-{uuid4().hex}")
    line.scripts[number] = script
    if faults is not None:
        line.carrier.fault_plan.tell(faults, number, times)
    decided = await line.trigger(customer=person, queue=queue, **changes)
    assert decided["decision"] == "scheduled", decided
    return decided["survey_id"], number, queue


def calls_to(line: Line, number: str) -> int:
    """How often the carrier called this number."""
    return len(line.carrier.calls.find(lambda call: call.to == number))


async def survey_row(line: Line, survey_id: str) -> dict[str, Any]:
    """The survey as it stands."""
    return await row(line.services.pool, "SELECT * FROM surveys WHERE id = %s", (survey_id,))
