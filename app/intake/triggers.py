"""What ended, and whether anyone is asked about it: decided and scheduled in one transaction."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from app import metrics
from app.config import QueueSettings, effective
from app.intake.interaction import InteractionIn
from app.jobs import Job, Jobs
from app.outreach import (
    LIFETIME,
    ExpireSurvey,
    Planner,
    StartAttempt,
    WriteToConversation,
    candidate_of,
    history_of,
)
from app.phone_numbers import is_holiday, parse_phone_number
from app.store import Connection, Pool, clock, history, interactions, queues
from app.store.history import PersonAsked, PersonHistory
from app.store.interactions import Decision, NewInteraction
from app.survey import Eligible, Languages, decide, primary


@dataclass(frozen=True)
class Triggers:
    """Decides about interactions, one or thousands, in one transaction."""

    pool: Pool
    jobs: Jobs
    planner: Planner
    languages: Languages
    channels: frozenset[str]
    timezone: ZoneInfo

    async def accept(self, items: Sequence[InteractionIn]) -> list[Decision]:
        """The decision for each item, in their order; an id that is known already keeps its first decision."""
        ids = [item.id for item in items]
        async with self.pool.connection() as connection:
            known = await interactions.decisions(connection, ids)
            fresh: dict[str, InteractionIn] = {}
            for item in items:
                if item.id not in known:
                    fresh.setdefault(item.id, item)
            if fresh:
                async with connection.transaction():
                    made = await self._decide(connection, list(fresh.values()))
                for decision in made:
                    metrics.DECISIONS.labels(decision.decision, decision.reason or "").inc()
                known |= {each.interaction_id: each for each in made}
            if elsewhere := fresh.keys() - known.keys():
                known |= await interactions.decisions(connection, elsewhere)
        return [known[each] for each in ids]

    async def _decide(self, connection: Connection, items: list[InteractionIn]) -> list[Decision]:
        """Decide and write; an item that another transaction has just written is left out."""
        overrides = await queues.read_many(connection, {item.queue for item in items})
        capped = {name for name in overrides if self.planner.rules(overrides[name]).daily_cap is not None}
        if self.planner.settings.daily_cap is not None:
            capped |= {item.queue for item in items}
        await history.lock_queues(connection, capped)
        now = await clock.now(connection)
        midnight = now.astimezone(self.timezone).replace(hour=0, minute=0, second=0, microsecond=0)
        today = await history.scheduled_since(connection, capped, midnight)
        items = sorted(items, key=lambda item: item.ended_at)
        people = [self._asked(item, overrides.get(item.queue, {})) for item in items]
        pasts = await history.read(connection, people)
        rows = await asyncio.to_thread(self._rows, items, overrides, today, people, pasts, now)
        written = await interactions.insert(connection, rows)
        by_id = {item.id: item for item in items}
        started = (job for each in written for job in _jobs_of(each, by_id[each.interaction_id]))
        await self.jobs.defer_planned(connection, started)
        return written

    def _asked(self, item: InteractionIn, overrides: Mapping[str, Any]) -> PersonAsked:
        survey_by = _survey_by(item, effective(self.planner.settings, overrides))
        return PersonAsked(item.person, item.customer.phone, item.customer.email, survey_by != "chat")

    def _rows(
        self,
        items: list[InteractionIn],
        overrides: Mapping[str, Mapping[str, Any]],
        today: dict[str, int],
        people: list[PersonAsked],
        pasts: list[PersonHistory],
        now: datetime,
    ) -> list[NewInteraction]:
        """A row for each item. Within a batch an earlier item counts for the later ones, as if sent one by one."""
        rows: list[NewInteraction] = []
        being_asked = BeingAsked(set(), set())
        for item, asked, past in zip(items, people, pasts, strict=True):
            known = replace(past, survey_open=past.survey_open or being_asked.meets(asked))
            row = self._row(item, overrides.get(item.queue, {}), today.get(item.queue, 0), known, now)
            if row.survey_id is not None:
                being_asked.add(asked)
                today[item.queue] = today.get(item.queue, 0) + 1
            rows.append(row)
        return rows

    def _row(
        self,
        item: InteractionIn,
        overrides: Mapping[str, Any],
        scheduled_today: int,
        past: PersonHistory,
        now: datetime,
    ) -> NewInteraction:
        queue = effective(self.planner.settings, overrides)
        survey_by = _survey_by(item, queue)
        given = item.language or self.planner.settings.default_language
        language = self.languages.find(given)
        candidate = candidate_of(
            interaction_id=item.id,
            survey_by=survey_by,
            ended_at=item.ended_at,
            talk_seconds=item.talk_seconds,
            consent=item.customer.consent,
            place=parse_phone_number(item.customer.phone) if item.customer.phone else None,
            timezone=item.customer.timezone,
        )
        verdict = decide(candidate, history_of(past, scheduled_today), queue.rules, now, is_holiday)
        reason = None if isinstance(verdict, Eligible) else str(verdict.reason)
        if language is None:
            reason = reason or "language_not_offered"
        elif survey_by not in self.channels:
            reason = reason or "channel_not_offered"
        return NewInteraction(
            id=item.id,
            channel=item.channel,
            queue=item.queue,
            agent=item.agent,
            ended_at=item.ended_at,
            language=language or primary(given),
            talk_seconds=item.talk_seconds,
            survey_by=survey_by,
            person=item.person,
            crm_id=item.customer.crm_id,
            phone=item.customer.phone,
            email=item.customer.email,
            name=item.customer.name,
            timezone=item.customer.timezone,
            consent=item.customer.consent,
            attributes=item.attributes,
            decision="skipped" if reason else "scheduled",
            reason=reason,
            due_at=verdict.due_at if isinstance(verdict, Eligible) and reason is None else None,
            survey_id=None if reason else uuid4(),
        )


@dataclass(frozen=True)
class BeingAsked:
    """Who is asked in this batch, under the rule by which `app.store.history` knows people again."""

    persons: set[str]
    phones: set[str]

    def add(self, asked: PersonAsked) -> None:
        """This person is going to be asked."""
        self.persons.add(asked.person)
        if asked.phone and asked.by_phone:
            self.phones.add(asked.phone)

    def meets(self, asked: PersonAsked) -> bool:
        """Whether the person is among them, or the phone on which they would be reached."""
        known = {asked.person, f"phone:{asked.phone}"}
        return not known.isdisjoint(self.persons) or (
            asked.phone in self.phones and (asked.by_phone or asked.person == f"phone:{asked.phone}")
        )


def _survey_by(item: InteractionIn, queue: QueueSettings) -> str:
    return item.survey_by or queue.survey_by or ("chat" if item.channel == "chat" else "voice")


def _jobs_of(decision: Decision, item: InteractionIn) -> Iterator[tuple[Job, datetime | None]]:
    """What a decision sets in motion. In a chat the person is there; only one at the carrier's is written to."""
    if decision.survey_id is None or decision.due_at is None:
        return
    if decision.survey_by != "chat":
        yield StartAttempt(decision.survey_id, 1), decision.due_at
        return
    yield ExpireSurvey(decision.survey_id), decision.due_at + LIFETIME
    if item.attributes.get("conversation_sid"):
        yield WriteToConversation(decision.survey_id), None
