"""POST /api/v1/interactions: what ended, and whether anyone is asked about it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends
from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    field_validator,
)

from app import metrics
from app.aftermath import start_job
from app.candidates import Candidates, candidate_of, history_of
from app.errors import FieldProblem, Invalid
from app.jobs import Jobs
from app.places import is_holiday, locate, named_zone
from app.problems import problem_fields
from app.queue_settings import effective
from app.store import Connection, Pool, history, interactions, queues
from app.store.history import Past
from app.store.interactions import Decision
from app.store.suppressions import addresses_of
from app.survey.eligibility import Eligible, decide

Name = Annotated[str, Field(min_length=1, max_length=200)]
ChannelName = Literal["voice", "chat", "sms", "whatsapp"]
CLOCK_TOLERANCE = timedelta(minutes=5)
LARGEST_BATCH = 5000


class Customer(BaseModel):
    """Who the interaction was with."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    crm_id: Name | None = None
    phone: Annotated[str, Field(max_length=40)] | None = None
    email: Annotated[str, Field(max_length=320, pattern=r"^[^@\s]+@[^@\s]+$")] | None = None
    name: Annotated[str, Field(max_length=200)] | None = None
    timezone: str | None = None
    consent: bool | None = None

    @field_validator("phone")
    @classmethod
    def _one_spelling(cls, phone: str | None) -> str | None:
        return locate(phone).e164 if phone else None

    @field_validator("timezone")
    @classmethod
    def _real_zone(cls, timezone: str | None) -> str | None:
        return named_zone(timezone) if timezone else None


class InteractionIn(BaseModel):
    """A call or chat that ended."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    id: Name
    channel: ChannelName
    queue: Name
    agent: Name | None = None
    ended_at: AwareDatetime
    language: Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]+)*$")] | None = None
    talk_seconds: Annotated[int, Field(ge=0, le=7 * 24 * 3600)] | None = None
    survey_by: ChannelName | None = None
    customer: Customer = Field(default_factory=Customer)
    attributes: dict[str, str | int | float | bool | None] = Field(default_factory=dict, max_length=50)

    @field_validator("ended_at")
    @classmethod
    def _not_ahead(cls, ended_at: datetime) -> datetime:
        if ended_at > datetime.now(UTC) + CLOCK_TOLERANCE:
            raise ValueError("lies in the future")
        return ended_at


class Chat(BaseModel):
    """How a survey inside a chat is reached."""

    token: str
    url: str


class Accepted(BaseModel):
    """What was decided."""

    interaction_id: str
    survey_id: UUID | None
    decision: Literal["scheduled", "skipped"]
    reason: str | None
    due_at: datetime | None
    chat: Chat | None = None


class Refused(BaseModel):
    """An item of a batch that could not be read; the others are not affected."""

    interaction_id: str | None
    status: Literal[422] = 422
    code: Literal["invalid_fields"] = "invalid_fields"
    errors: list[dict[str, Any]]


@dataclass(frozen=True)
class Triggers:
    """Decides about interactions, one or thousands, in one transaction."""

    pool: Pool
    jobs: Jobs
    candidates: Candidates
    languages: frozenset[str]
    channels: frozenset[str]
    timezone: ZoneInfo

    async def accept(self, items: Sequence[InteractionIn]) -> list[Decision]:
        """The decision for each item, in their order; an id that is known already keeps its first decision."""
        ids = [item.id for item in items]
        async with self.pool.connection() as connection:
            known = await interactions.decisions(connection, ids)
            fresh = {item.id: item for item in items if item.id not in known}
            if fresh:
                async with connection.transaction():
                    known |= await self._decide(connection, list(fresh.values()))
        return [known[each] for each in ids]

    async def _decide(self, connection: Connection, items: list[InteractionIn]) -> dict[str, Decision]:
        overrides = await queues.read_many(connection, {item.queue for item in items})
        capped = {name for name in overrides if self.candidates.rules(overrides[name]).daily_cap is not None}
        if self.candidates.settings.daily_cap is not None:
            capped |= {item.queue for item in items}
        await history.lock_queues(connection, capped)
        midnight = datetime.now(self.timezone).replace(hour=0, minute=0, second=0, microsecond=0)
        today = await history.scheduled_since(connection, capped, midnight)
        pasts = await history.read(connection, [_person(item) for item in items])
        rows = await asyncio.to_thread(self._rows, items, overrides, today, pasts)
        written = await interactions.insert(connection, rows)
        await self.jobs.defer(
            connection,
            *(
                start_job(each.survey_id, 1, each.due_at)
                for each in written
                if each.survey_id is not None and each.survey_by != "chat"
            ),
        )
        for each in written:
            metrics.DECISIONS.labels(each.decision, each.reason or "").inc()
        missing = {item.id for item in items} - {each.interaction_id for each in written}
        elsewhere = await interactions.decisions(connection, missing) if missing else {}
        return {each.interaction_id: each for each in written} | elsewhere

    def _rows(
        self,
        items: list[InteractionIn],
        overrides: Mapping[str, Mapping[str, Any]],
        today: dict[str, int],
        pasts: dict[str, Past],
    ) -> list[dict[str, Any]]:
        """A row for each item. Within a batch an earlier item counts for the later ones, as if sent one by one."""
        rows: list[dict[str, Any]] = []
        open_now: set[str] = set()
        for item in sorted(items, key=lambda item: item.ended_at):
            row = self._row(
                item, overrides.get(item.queue, {}), today.get(item.queue, 0), pasts[_person(item)[0]]
            )
            if row["decision"] == "scheduled" and row["person"] in open_now:
                row |= {"decision": "skipped", "reason": "survey_open", "due_at": None, "survey_id": None}
            if row["decision"] == "scheduled":
                open_now.add(row["person"])
                today[item.queue] = today.get(item.queue, 0) + 1
            rows.append(row)
        return rows

    def _row(
        self, item: InteractionIn, overrides: Mapping[str, Any], scheduled_today: int, past: Past
    ) -> dict[str, Any]:
        queue = effective(self.candidates.settings, overrides)
        survey_by = item.survey_by or queue.survey_by or ("chat" if item.channel == "chat" else "voice")
        language = (
            (item.language or self.candidates.settings.default_language)
            .replace("_", "-")
            .split("-")[0]
            .lower()
        )
        candidate = candidate_of(
            interaction_id=item.id,
            survey_by=survey_by,
            ended_at=item.ended_at,
            talk_seconds=item.talk_seconds,
            consent=item.customer.consent,
            place=locate(item.customer.phone) if item.customer.phone else None,
            timezone=item.customer.timezone,
        )
        verdict = decide(
            candidate, history_of(past, scheduled_today), queue.rules, datetime.now(UTC), is_holiday
        )
        reason = None if isinstance(verdict, Eligible) else str(verdict.reason)
        if language not in self.languages:
            reason = reason or "language_not_offered"
        elif survey_by not in self.channels:
            reason = reason or "channel_not_offered"
        due_at = verdict.due_at.isoformat() if isinstance(verdict, Eligible) and reason is None else None
        customer = item.customer.model_dump(exclude={"consent"})
        return {
            **item.model_dump(mode="json", exclude={"customer", "language", "survey_by"}),
            **customer,
            "consent": item.customer.consent,
            "person": _person(item)[0],
            "language": language,
            "survey_by": survey_by,
            "decision": "skipped" if reason else "scheduled",
            "reason": reason,
            "due_at": due_at,
            "survey_id": None if reason else str(uuid4()),
        }


def _person(item: InteractionIn) -> tuple[str, str | None, str | None]:
    customer = item.customer
    known = addresses_of(customer.crm_id, customer.phone, customer.email)
    return (known[0] if known else f"interaction:{item.id}", customer.phone, customer.email)


ITEM = TypeAdapter(InteractionIn)


def router(triggers: Triggers, may_trigger: Any) -> APIRouter:
    """The endpoints; ``may_trigger`` is the dependency that checks the caller's key."""
    routes = APIRouter(prefix="/api/v1", tags=["interactions"], dependencies=[Depends(may_trigger)])

    @routes.post("/interactions", status_code=202)
    async def post_interaction(item: InteractionIn) -> Accepted:
        """Decide whether this person is asked, and schedule it. The same id again gets the same answer."""
        return _accepted((await triggers.accept([item]))[0])

    @routes.post("/interactions:batch", status_code=202)
    async def post_interactions(items: list[dict[str, Any]]) -> list[Accepted | Refused]:
        """Decide about up to 5,000 interactions at once; one that cannot be read does not hold up the others."""
        if len(items) > LARGEST_BATCH:
            raise Invalid([FieldProblem("", f"at most {LARGEST_BATCH} interactions at once")])
        read = await asyncio.to_thread(lambda: [_read(item) for item in items])
        decided = await triggers.accept([item for item in read if isinstance(item, InteractionIn)])
        by_id = {decision.interaction_id: decision for decision in decided}
        return [item if isinstance(item, Refused) else _accepted(by_id[item.id]) for item in read]

    return routes


def _read(item: dict[str, Any]) -> InteractionIn | Refused:
    try:
        return ITEM.validate_python(item)
    except ValidationError as wrong:
        given = item.get("id")
        return Refused(
            interaction_id=given if isinstance(given, str) else None, errors=problem_fields(wrong.errors())
        )


def _accepted(decision: Decision) -> Accepted:
    return Accepted(
        interaction_id=decision.interaction_id,
        survey_id=decision.survey_id,
        decision="scheduled" if decision.decision == "scheduled" else "skipped",
        reason=decision.reason,
        due_at=decision.due_at,
    )
