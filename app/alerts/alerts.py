"""Judging answers by the rules, and telling people: never twice of one answer, never in a flood."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import assert_never
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import structlog

from app import metrics
from app.alerts.file import read_alerts
from app.alerts.jobs import SendAlerts
from app.alerts.message import TO_HEAR_BACK, AlertDigest, AlertMessage, AlertReader, of_many, of_one
from app.alerts.rules import Rule, Rulebook
from app.alerts.services import AT_ONCE, AlertOutcomeUnknown, AlertRefused, AlertSent, Outcome, Service
from app.alerts.texts import texts
from app.alerts.timing import KeepUntil, RecentlySent, SendNow, plan
from app.config import Settings
from app.jobs import Jobs
from app.store import Connection, Pool, alert_messages
from app.store import alerts as rows

log = structlog.get_logger(__name__)

FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)
MOST_TRIES = 30  # a day, as it comes about
LOST_AFTER = timedelta(minutes=3)  # well over what one sending may take
BUSY_PAUSE = timedelta(seconds=2)
WORST = 5
LOST = "the worker stopped while it was being sent"
FORGOTTEN = Rule("", (), "en", ZoneInfo("UTC"))


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class MessageBeingSent:
    """A message that is marked as being sent."""

    id: UUID
    message: AlertMessage
    alerts: int
    tries: int


@dataclass(frozen=True)
class Alerts:
    """Who is told of which answers. ``services`` are the recipients by name."""

    pool: Pool
    jobs: Jobs
    rulebook: Rulebook
    services: Mapping[str, Service]
    public_url: str
    clock: Callable[[], datetime] = _now
    # Whom this process is sending to, and whether something came for them meanwhile.
    _sending: dict[str, bool] = field(default_factory=dict)

    @classmethod
    def from_settings(cls, settings: Settings, pool: Pool, jobs: Jobs) -> "Alerts":
        """By the deployment's file; without one nobody is told of anything. Raises `StartError`."""
        if settings.alerts_file is None:
            return cls(pool, jobs, Rulebook(), {}, settings.public_url)
        read = read_alerts(settings.alerts_file, settings)
        return cls(pool, jobs, read.rulebook, read.services, settings.public_url)

    async def judge(self, connection: Connection, survey_id: UUID) -> None:
        """Write down who is to be told of a response as it stands, in the transaction of ``connection``.

        Safe to repeat: whoever was told of it, or is to be, is not told again.
        """
        if not self.rulebook.rules:
            return
        answer = await rows.read_answer(connection, survey_id)
        if answer is None:
            return
        now = self.clock()
        told = self.rulebook.judge(answer, now)
        if not told:
            return
        written = [vars(each) | {"due_at": each.due_at.isoformat()} for each in told]
        due = await rows.write(connection, survey_id, written, now)
        # What is for later, `send_waiting_alerts` finds in its time.
        await self.jobs.defer(
            connection, *(SendAlerts(recipient) for recipient, due_at in due if due_at <= now)
        )

    async def send(self, job: SendAlerts) -> None:
        """Send a recipient all that is due. One after another in this process, and each once in all processes."""
        recipient = job.recipient
        if recipient in self._sending:
            self._sending[recipient] = True
            return
        if len(self._sending) >= AT_ONCE:
            async with self.pool.connection() as connection:
                await self.jobs.defer(connection, job, at=self.clock() + BUSY_PAUSE)
            return
        self._sending[recipient] = False
        try:
            while await self._send_next(recipient) or self._sending[recipient]:
                self._sending[recipient] = False
        finally:
            del self._sending[recipient]

    async def send_waiting_alerts(self) -> None:
        """Start the jobs of alerts that have become due, and mark as unknown the messages that were never settled.

        Run by the clock; see `app.worker`.
        """
        now = self.clock()
        async with self.pool.connection() as connection, connection.transaction():
            for message in await alert_messages.mark_lost(connection, now - LOST_AFTER, now, LOST):
                log.error("alert_unknown", message=str(message), reason=LOST)
                metrics.ALERTS.labels("unknown").inc()
            await self.jobs.defer(connection, *map(SendAlerts, await rows.overdue(connection, now)))

    async def alarm(self, title: str, body: str) -> None:
        """Tell the operators that something of Zeroten's own needs them. Never raises."""
        log.error("alarm", title=title, reason=body)
        if not self.rulebook.operators:
            return
        try:
            async with self.pool.connection() as connection, connection.transaction():
                await rows.write_alarm(connection, self.rulebook.operators, title, body, self.clock())
                await self.jobs.defer(connection, *map(SendAlerts, self.rulebook.operators))
        except Exception as problem:  # noqa: BLE001 - whoever raises an alarm has trouble enough
            log.error("alarm_lost", error=type(problem).__name__)  # noqa: TRY400 - it may quote the alarm

    async def _send_next(self, recipient: str) -> bool:
        """Send one message; False where nothing is due any more."""
        service = self.services.get(recipient)
        if service is None:
            await self._give_up(recipient)
            return False
        taken = await self._take(recipient)
        if taken is None:
            return False
        try:
            outcome = await service.send(taken.message)
        except Exception as problem:  # noqa: BLE001 - a service's fault may quote its address
            outcome = AlertOutcomeUnknown(f"the service's library broke ({type(problem).__name__})")
        await self._settle(recipient, taken, outcome)
        return True

    async def _take(self, recipient: str) -> MessageBeingSent | None:
        """The next message, marked as being sent before it is: after a crash it is known that it may have been."""
        now, storm = self.clock(), self.rulebook.storm
        async with self.pool.connection() as connection, connection.transaction():
            due = await self._audible(connection, await rows.due(connection, recipient, now), now)
            lately = RecentlySent(*await rows.lately(connection, recipient, now - storm.within))
            match plan(due, lately, storm):
                case None:
                    return None
                case KeepUntil(held, until, why):
                    await rows.hold(connection, _ids(held), until, why)
                    return None
                case SendNow(chosen, why):
                    return await self._compose(connection, chosen, why, now)

    async def _audible(
        self, connection: Connection, due: Sequence[rows.DueAlert], now: datetime
    ) -> list[rows.DueAlert]:
        """Those that may be heard now; the others are kept until their quiet hours are over."""
        audible: list[rows.DueAlert] = []
        quiet: defaultdict[datetime, list[rows.DueAlert]] = defaultdict(list)
        for row in due:
            until = None if row.alarm else self._rule(row.rule).quiet_until(now)
            (audible if until is None else quiet[until]).append(row)
        for until, held in quiet.items():
            await rows.hold(connection, _ids(held), until, "quiet_hours")
        return audible

    async def _compose(
        self,
        connection: Connection,
        chosen: Sequence[rows.DueAlert],
        held_for: rows.HeldFor | None,
        now: datetime,
    ) -> MessageBeingSent:
        message_id = uuid4()
        await alert_messages.take(connection, _ids(chosen), message_id, held_for, now)
        message = await self._message(connection, message_id, chosen, held_for or "storm")
        return MessageBeingSent(message_id, message, len(chosen), max(each.tries for each in chosen) + 1)

    async def _message(
        self,
        connection: Connection,
        message_id: UUID,
        chosen: Sequence[rows.DueAlert],
        held_for: rows.HeldFor,
    ) -> AlertMessage:
        alarm = await alert_messages.read_alarm(connection, message_id)
        if alarm is not None:
            return AlertMessage(*alarm)
        reader = self._reader(self._rule(chosen[0].rule))
        worst = await alert_messages.worst(connection, message_id, WORST)
        if len(chosen) == 1:
            return of_one(worst[0], reader, phone=self._rule(worst[0].rule).phone)
        waiting, first_at = await alert_messages.first_detractor(
            connection, message_id, reader.now - TO_HEAR_BACK
        )
        queues = await alert_messages.count_by_queue(connection, message_id)
        with_phones = [(story, self._rule(story.rule).phone) for story in worst]
        return of_many(AlertDigest(held_for, queues, with_phones, waiting, first_at), reader)

    async def _settle(self, recipient: str, taken: MessageBeingSent, outcome: Outcome) -> None:
        told = log.bind(recipient=recipient, message=str(taken.id), alerts=taken.alerts)
        now = self.clock()
        async with self.pool.connection() as connection:
            match outcome:
                case AlertSent():
                    await alert_messages.end(connection, taken.id, "sent", now)
                    _count("sent", taken)
                    told.info("alert_sent")
                case AlertRefused(reason) if taken.tries < MOST_TRIES:
                    await alert_messages.retry(connection, taken.id, now + _pause(taken.tries), reason)
                    told.warning("alert_refused", reason=reason, tries=taken.tries)
                case AlertRefused(reason):
                    await alert_messages.end(connection, taken.id, "failed", now, reason)
                    _count("failed", taken)
                    told.error("alert_given_up", reason=reason, tries=taken.tries)
                case AlertOutcomeUnknown(reason):
                    await alert_messages.end(connection, taken.id, "unknown", now, reason)
                    _count("unknown", taken)
                    told.error("alert_unknown", reason=reason)
                case _:
                    assert_never(outcome)

    async def _give_up(self, recipient: str) -> None:
        reason = "this recipient is no longer in the alerts file"
        async with self.pool.connection() as connection:
            count = await rows.give_up(connection, recipient, self.clock(), reason)
        if count:
            metrics.ALERTS.labels("failed").inc(count)
            log.error("alert_given_up", recipient=recipient, alerts=count, reason=reason)

    def _rule(self, name: str) -> Rule:
        """The rule that an alert came of; one that has left the file speaks English, and tells no number."""
        return self.rulebook.rule(name) or FORGOTTEN

    def _reader(self, rule: Rule) -> AlertReader:
        return AlertReader(texts(rule.language), rule.zone, self.clock(), self.public_url)


def _ids(alerts: Sequence[rows.DueAlert]) -> list[int]:
    return [each.id for each in alerts]


def _count(outcome: str, taken: MessageBeingSent) -> None:
    metrics.ALERTS.labels(outcome).inc(taken.alerts)
    if outcome == "sent" and taken.alerts > 1:
        metrics.ALERTS_FOLDED.inc(taken.alerts)


def _pause(tries: int) -> timedelta:
    return min(FIRST_PAUSE * 2.0 ** min(tries - 1, 10), LONGEST_PAUSE)
