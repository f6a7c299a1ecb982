"""Days of a contact centre under faults that a seed draws: the product is real, time and everybody else are ours."""

import asyncio
import math
import os
import random
import time
from collections import Counter
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import urlencode, urlsplit

import httpx
import yaml
from pydantic import SecretStr

from app.carrier import sign
from app.config import Settings
from tests.line import ACCOUNT, ADMIN, OURS, TOKEN
from tests.simulation import clock
from tests.simulation.carrier import Line, Placement, SimulatedCarrier
from tests.simulation.database import Database
from tests.simulation.faults import Faults
from tests.simulation.model import Model
from tests.simulation.people import Person, draw_people
from tests.simulation.phones import Phones
from tests.simulation.process import WORKER_PAUSE_SECONDS, Killed, Life, Process
from tests.simulation.story import Story

ADDRESS = "http://simulated.example"
# Clocks are put back and forward, there are holidays, and a year ends.
STARTS = (
    datetime(2026, 10, 23, 5, tzinfo=UTC), datetime(2026, 10, 30, 5, tzinfo=UTC), datetime(2026, 11, 9, 5, tzinfo=UTC),
    datetime(2026, 12, 23, 5, tzinfo=UTC), datetime(2026, 12, 30, 5, tzinfo=UTC), datetime(2027, 3, 12, 5, tzinfo=UTC),
    datetime(2027, 3, 24, 5, tzinfo=UTC), datetime(2027, 5, 3, 5, tzinfo=UTC), datetime(2027, 5, 14, 5, tzinfo=UTC),
)  # fmt: skip
QUEUES: dict[str, dict[str, Any]] = {
    "billing": {"survey_every_days": 90},
    "support": {"survey_every_days": 1, "retry_after_minutes": 30, "max_attempts": 3},
    "sales": {"survey_every_days": 2, "channels": ["voice", "sms"], "retry_after_minutes": 60},
    "chatty": {"survey_every_days": 1, "survey_by": "sms"},
}
BUSY_DAYS = 3
LONGEST_DAYS = 14
PROCESSES = 3
RECOVERY_SECONDS = 600.0
STRUCK_SECONDS = 120.0
LOOK_SECONDS = 3600.0
WAIT_SECONDS = 0.1
CLOCK_MOVES = (*[timedelta(0)] * 8, timedelta(minutes=-4), timedelta(minutes=4), timedelta(hours=1))
OWN_CLOCKS = ("app.store.clock", "app.intake.interaction", "app.chatbot.message_channel")


@dataclass(frozen=True)
class Outcome:
    """How a simulation went; ``broken`` says what did not hold."""

    seed: int
    days: float
    broken: list[str]
    drawn: Counter[str]
    placed: Counter[str]
    surveys: Counter[str]
    story: str


class Simulation:
    """One contact centre, from its first interaction until its last survey has ended."""

    def __init__(self, address: str, data_dir: Path, seed: int, severity: float, until: float) -> None:
        self.until = until
        self.seed, self.random = seed, random.Random(seed)
        self.start = self.random.choice(STARTS)
        self.story = Story()
        self.database = Database(address)
        self.faults = Faults(random.Random(f"{seed} faults"), 0.0)
        self.severity = severity
        rate = self.random.choice((0.2, 1.0, 3.0))
        self.settings = _settings(address, data_dir, rate)
        self.model = Model(self.database, self.story, rate)
        self.model.every_days = {name: own["survey_every_days"] for name, own in QUEUES.items()}
        self.carrier = SimulatedCarrier(random.Random(f"{seed} carrier"), self.faults, self._taken)
        self.background: set[asyncio.Task[None]] = set()
        self.phones = Phones(
            random.Random(f"{seed} people"),
            self.faults,
            self.model,
            self._post,
            _questions(),
            self.background,
        )
        self.people = draw_people(self.random, 120)
        self.processes: list[Process] = []
        self.news = asyncio.Event()

    async def run(self) -> Outcome:
        """Let the days go by; the story of the last one is told where something does not hold."""
        clock.START.set(self.start)
        self.processes = [
            Process(f"process {n}", self.settings, self.database, self.faults, self.story)
            for n in range(PROCESSES)
        ]
        for process in self.processes:
            await process.start(self._line(process))
        await self._set_queues()
        self.faults.severity = self.severity
        self._spawn(self._trigger())
        self._spawn(self._disturb())
        self._spawn(self._look_after())
        await self._dispatch()
        if not self.model.broken and self._has_time:
            self.model.check_end()
        return self._outcome()

    @property
    def _has_time(self) -> bool:
        return time.monotonic() < self.until

    def _line(self, process: Process) -> Line:
        return Line(self.carrier, Life(process, process.life))

    def _outcome(self) -> Outcome:
        placed = Counter[str](each.kind for each in self.model.placements)
        surveys = Counter(row["status"] for row in self.database.rows("SELECT status FROM surveys"))
        days = clock.loop_seconds() / 86400
        return Outcome(
            self.seed, days, self.model.broken, self.faults.drawn, placed, surveys, self.story.of_last_day()
        )

    async def _dispatch(self) -> None:
        """Give each job that is due to one of the processes that are up, until nothing is left to be done."""
        end = timedelta(days=LONGEST_DAYS).total_seconds()
        while clock.loop_seconds() < end and not self.model.broken and self._has_time:
            up = [each for each in self.processes if each.is_up]
            wait = self._until_due() if up else self._until_up()
            if wait <= 0 and up and await self._take_job(self.random.choice(up)):
                await asyncio.sleep(0)
            elif self._is_done():
                return
            else:
                self.news.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.news.wait(), max(wait, WAIT_SECONDS))

    async def _take_job(self, process: Process) -> bool:
        if process.down_until and await self._start_again(process):
            return True
        fetching = process.run(process.fetch())
        await asyncio.wait({fetching})
        job = _result(fetching)
        if job is None:
            if not fetching.cancelled() and isinstance(fetching.exception(), Exception):
                process.down_until = clock.loop_seconds() + WORKER_PAUSE_SECONDS
            return False
        self._run(process, process.work(job))
        return True

    def _run(self, process: Process, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        """Run something in a process; once it has ended, there may be jobs."""

        def ended(task: "asyncio.Task[Any]") -> None:
            _result(task)
            self.news.set()

        task = process.run(work)
        task.add_done_callback(ended)
        return task

    async def _start_again(self, process: Process) -> bool:
        """After a kill the process is made anew."""
        process.down_until = 0.0
        if not process.pool.is_broken:
            return False
        severity, self.faults.severity = self.faults.severity, 0.0
        await process.start(self._line(process))
        self.faults.severity = severity
        return True

    def _until_up(self) -> float:
        return min(max(each.frozen_until, each.down_until) for each in self.processes) - clock.loop_seconds()

    def _until_due(self) -> float:
        found = self.database.rows(
            "SELECT min(coalesce(scheduled_at, simulated.now())) AS at FROM procrastinate_jobs WHERE status = 'todo'"
        )
        at = found[0]["at"]
        return LOOK_SECONDS if at is None else min((at - clock.now()).total_seconds(), LOOK_SECONDS)

    def _is_done(self) -> bool:
        if clock.loop_seconds() < BUSY_DAYS * 86400:
            return False
        left = self.database.rows(
            "SELECT 1 FROM surveys WHERE status IN ('scheduled', 'contacting', 'in_progress')"
            " UNION ALL SELECT 1 FROM procrastinate_jobs WHERE status IN ('doing')"
            " OR scheduled_at < simulated.now() + interval '1 hour' LIMIT 1"
        )
        return not left

    async def _look_after(self) -> None:
        """What the workers do by the clock: their heartbeats, and the jobs of those that have none."""
        checked = 0.0
        while True:
            now = clock.loop_seconds()
            struck = any(not each.is_up or now - each.struck_at < STRUCK_SECONDS for each in self.processes)
            await asyncio.sleep(5 if struck else RECOVERY_SECONDS)
            up = [each for each in self.processes if each.is_up and not each.pool.is_broken]
            for process in up:
                process.beat()
            is_time = clock.loop_seconds() - checked >= RECOVERY_SECONDS
            if up:
                process = self.random.choice(up)
                self._run(process, process.recover(also_surveys=is_time))
            if is_time:
                checked = clock.loop_seconds()
                self.model.check_rows()

    async def _trigger(self) -> None:
        """Conversations end, more of them by day; sources post them, sometimes twice, sometimes in batches."""
        number = 0
        while clock.loop_seconds() < BUSY_DAYS * 86400:
            quiet = clock.now().hour >= 22 or clock.now().hour < 6
            await asyncio.sleep(self.random.expovariate(1 / (6000 if quiet else 1200)))
            people = [self.random.choice(self.people) for _ in range(self.random.choice((1, 1, 1, 2, 12)))]
            items = [self._interaction(f"talk-{number + n}", person) for n, person in enumerate(people)]
            number += len(items)
            self._spawn(self._send(items))

    def _interaction(self, interaction_id: str, person: Person) -> dict[str, Any]:
        self.model.people[interaction_id] = person
        return {
            "id": interaction_id,
            "channel": "voice",
            "queue": self.random.choice(list(QUEUES)),
            "ended_at": (clock.now() - timedelta(seconds=self.random.randrange(0, 7200))).isoformat(),
            "language": "en",
            "customer": {"crm_id": person.crm_id, "phone": person.phone, "consent": True},
        }

    async def _send(self, items: list[dict[str, Any]]) -> None:
        """A source posts until it is answered, and now and then once more."""
        for _ in range(self.random.choice((1, 1, 1, 2))):
            for _ in range(20):
                answer = await self._request("POST", "/api/v1/interactions:batch", json=items)
                if answer is not None and answer.status_code == 202:
                    self._note(answer.json())
                    break
                await asyncio.sleep(self.random.uniform(1, 60))

    def _note(self, decided: list[dict[str, Any]]) -> None:
        for each in decided:
            decision = (each["decision"], each["reason"]) if "decision" in each else ("refused", str(each))
            known = self.model.decisions.setdefault(each["interaction_id"], decision)
            if known != decision:
                self.model.report(f"{each['interaction_id']} was {known}, and is {decision}")

    async def _disturb(self) -> None:
        """Clocks of processes go wrong and right, operators change queues, and people write without being asked."""
        while clock.loop_seconds() < BUSY_DAYS * 86400:
            await asyncio.sleep(self.random.uniform(600, 7200))
            process = self.random.choice(self.processes)
            process.ahead = self.random.choice(CLOCK_MOVES)
            name = self.random.choice(list(QUEUES))
            changed = QUEUES[name] | {
                "retry_after_minutes": self.random.choice((10, 60, 240)),
                "max_attempts": self.random.choice((1, 2, 3)),
                "daily_cap": self.random.choice((None, None, 40)),
            }
            await self._request("PUT", f"/api/v1/queues/{name}", json=changed)
            if self.random.random() < 0.2:
                await self.phones.write(self.random.choice(self.people).phone, "STOP")

    async def _set_queues(self) -> None:
        for name, own in QUEUES.items():
            answer = await self._request("PUT", f"/api/v1/queues/{name}", json=own)
            assert answer is not None
            assert answer.status_code == 200, answer.text

    def _taken(self, placement: Placement) -> None:
        self.model.taken(placement)
        self._spawn(
            self.phones.ring(placement) if placement.kind == "call" else self.phones.receive(placement)
        )

    async def _post(self, address: str, form: Mapping[str, str], honest: bool) -> httpx.Response | None:
        parts = urlsplit(address)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        signature = sign(ADDRESS + path, form, TOKEN if honest else "somebody else's")
        headers = {"X-Twilio-Signature": signature, "Content-Type": "application/x-www-form-urlencoded"}
        return await self._request("POST", path, content=urlencode(form), headers=headers)

    async def _request(self, method: str, path: str, **parts: Any) -> httpx.Response | None:
        """The answer of one of the processes; None where it could give none."""
        up = [each for each in self.processes if each.is_up and not each.pool.is_broken]
        if not up:
            return None
        process = self.random.choice(up)
        asking = self._run(process, _ask(process, method, path, parts))
        await asyncio.wait({asking})
        answer = _result(asking)
        return answer if isinstance(answer, httpx.Response) else None

    def _spawn(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self.background.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self.background.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.model.report(f"the simulation itself failed: {error!r}")


async def _ask(process: Process, method: str, path: str, parts: dict[str, Any]) -> httpx.Response:
    transport = httpx.ASGITransport(process.app, raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {ADMIN}"} | parts.pop("headers", {})
    async with httpx.AsyncClient(transport=transport, base_url=ADDRESS) as client:
        return await client.request(method, path, headers=headers, **parts)


def _result(task: "asyncio.Task[Any]") -> Any:
    """What a task of a process gave; None where the process was struck."""
    with suppress(asyncio.CancelledError, Killed, Exception):
        return task.result()
    return None


def _settings(address: str, data_dir: Path, rate: float) -> Settings:
    return Settings(
        _env_file=None,
        database_url=SecretStr(address),
        data_dir=data_dir,
        public_url=ADDRESS,
        twilio_account_sid=ACCOUNT,
        twilio_auth_token=SecretStr(TOKEN),
        twilio_from=OURS,
        admin_key=SecretStr(ADMIN),
        calls_per_second=rate,
        messages_per_second=rate,
    )


def _questions() -> frozenset[str]:
    """What is asked once a score is known."""
    texts = yaml.safe_load(Path("flows/text/en.yml").read_text())
    prompts = texts.get("prompts", texts)
    asked = [name for name in prompts if name.startswith("ask_reason_")]
    return frozenset(variant["text"] for name in asked for variant in prompts[name])


def _utcnow() -> datetime:
    now: datetime = clock.ProcessClock.now(UTC)
    return now


@contextmanager
def _ruled(seed: int) -> Iterator[None]:
    """Chance and the processes' own clocks are ours."""
    with ExitStack() as stack:
        draw = random.Random(f"{seed} identifiers")
        stack.enter_context(mock.patch.object(os, "urandom", draw.randbytes))
        for module in OWN_CLOCKS:
            stack.enter_context(mock.patch(f"{module}.datetime", clock.ProcessClock))
        stack.enter_context(mock.patch("app.carrier.transport._clock", clock.loop_seconds))
        stack.enter_context(mock.patch("procrastinate.utils.utcnow", _utcnow))
        yield


def simulate(
    address: str, data_dir: Path, seed: int, severity: float = 1.0, *, until: float = math.inf
) -> Outcome:
    """Run one simulation on a database of `make_template`, which is spent afterwards.

    It is broken off, and its end not checked, once ``time.monotonic()`` is ``until``.
    """
    loop = clock.SimulatedLoop()
    loop.set_exception_handler(lambda *_: None)
    simulation = Simulation(address, data_dir, seed, severity, until)
    try:
        with _ruled(seed):
            return loop.run_until_complete(simulation.run())
    finally:
        for process in simulation.processes:
            process.pool.break_off()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        with suppress(BaseException):
            loop.run_until_complete(asyncio.sleep(0))
        simulation.database.close()
        loop.close()
