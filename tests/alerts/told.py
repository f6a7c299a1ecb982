"""People who are told: recipients that remember, a clock that stands, and answers to tell of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from app.alerts import Alerts, Rule, SendAlerts
from app.alerts.message import AlertMessage
from app.alerts.rules import Rulebook
from app.alerts.services import AlertSent, Outcome
from app.alerts.timing import Storm
from app.jobs import Jobs
from app.store import Pool
from tests.reports.asked import Asked, ask
from tests.rows import execute, rows

WARSAW = ZoneInfo("Europe/Warsaw")
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
RULE = Rule("all", ("ewa",), "en", WARSAW)


class Crash(BaseException):
    """The process ends here."""


@dataclass
class Clock:
    """Shows what it was set to."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **span: float) -> None:
        self.now += timedelta(**span)


@dataclass
class Recipient:
    """Remembers what arrived. ``answers`` are how the next messages end; the last one goes on for ever."""

    answers: list[Outcome | BaseException] = field(
        default_factory=lambda: list[Outcome | BaseException]([AlertSent()])
    )
    arrived: list[AlertMessage] = field(default_factory=list)
    before: Callable[[], Any] | None = None

    async def send(self, message: AlertMessage) -> Outcome:
        if self.before is not None:
            await self.before()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, BaseException):
            raise answer
        if answer == AlertSent():
            self.arrived.append(message)
        return answer


@dataclass
class Desk:
    """Alerts on a database, with a recipient each for the names that rules tell."""

    alerts: Alerts
    clock: Clock
    ewa: Recipient
    ola: Recipient

    @property
    def pool(self) -> Pool:
        return self.alerts.pool

    async def answered(self, score: int = 3, comment: str | None = None, **changes: Any) -> UUID:
        """Somebody answers now, and the answer is judged."""
        (survey_id,) = await ask(
            self.pool, Asked(changes.pop("queue", "billing"), score, comment, self.clock.now, **changes)
        )
        await self.judge(survey_id)
        return survey_id

    async def judge(self, survey_id: UUID) -> None:
        async with self.pool.connection() as connection, connection.transaction():
            await self.alerts.judge(connection, survey_id)

    async def send(self) -> None:
        """Do what the jobs would."""
        await self.alerts.send_waiting_alerts()
        for recipient in ("ewa", "ola"):
            await self.alerts.send(SendAlerts(recipient))

    async def states(self) -> list[str]:
        return [each["status"] for each in await rows(self.pool, "SELECT status FROM alerts ORDER BY id")]

    def restarted(self) -> "Desk":
        """The same after a crash: what a process held in memory is gone."""
        return replace(self, alerts=replace(self.alerts, _sending={}))


async def a_desk(pool: Pool, *rules: Rule, storm: Storm | None = None, operators: Sequence[str] = ()) -> Desk:
    jobs, clock, ewa, ola = Jobs(pool), Clock(), Recipient(), Recipient()
    await jobs.open()
    rulebook = Rulebook(rules or (RULE,), operators, storm or Storm())
    alerts = Alerts(pool, jobs, rulebook, {"ewa": ewa, "ola": ola}, "https://nps.example", clock)
    return Desk(alerts, clock, ewa, ola)


async def name_customer(
    pool: Pool, survey_id: UUID, name: str, phone: str, crm_id: str | None = None
) -> None:
    """Say who answered."""
    await execute(
        pool,
        "UPDATE interactions SET name = %s, phone = %s FROM surveys"
        " WHERE surveys.interaction_id = interactions.id AND surveys.id = %s",
        (name, phone, survey_id),
    )
    await execute(pool, "UPDATE responses SET crm_id = %s WHERE survey_id = %s", (crm_id, survey_id))


async def jobs_for(pool: Pool) -> list[dict[str, Any]]:
    return await rows(
        pool, "SELECT args, scheduled_at FROM procrastinate_jobs WHERE task_name = 'send_alerts' ORDER BY id"
    )
