"""Interactions: what ended, what was decided about it, and the survey that came of it, in one statement."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from psycopg.types.json import Jsonb
from sqlalchemy import bindparam, null, select, update

from app.store import Connection
from app.store.statement import Statement, columns, is_any
from app.store.tables import interactions, surveys


@dataclass(frozen=True)
class Decision:
    """What was decided about an interaction, as it stands in the database."""

    interaction_id: str
    survey_id: UUID | None
    survey_by: str
    decision: str
    reason: str | None
    due_at: datetime | None


@dataclass(frozen=True)
class NewInteraction:
    """An interaction that is about to be written with what was decided about it, and its survey, where it gets one.

    ``person`` is whom it was with (`app.intake.InteractionIn.person`); ``attributes`` are the integrator's own.
    """

    id: str
    channel: str
    queue: str
    agent: str | None
    ended_at: datetime
    language: str
    talk_seconds: int | None
    survey_by: str
    person: str
    crm_id: str | None
    phone: str | None
    email: str | None
    name: str | None
    timezone: str | None
    consent: bool | None
    attributes: Mapping[str, object]
    decision: str
    reason: str | None
    due_at: datetime | None
    survey_id: UUID | None

    def to_json(self) -> dict[str, object]:
        """The row as the statement reads it."""
        return vars(self) | {
            "ended_at": self.ended_at.isoformat(),
            "due_at": None if self.due_at is None else self.due_at.isoformat(),
            "survey_id": None if self.survey_id is None else str(self.survey_id),
        }


# Whoever writes the interaction decides; only then comes its survey. Each step is sorted, so that two batches never
# wait for each other.
INSERT = Statement.sql(
    """
    WITH item AS (
        SELECT * FROM jsonb_to_recordset(%(items)s) AS item (
            id text, channel text, queue text, agent text, ended_at timestamptz, language text, talk_seconds integer,
            survey_by text, person text, crm_id text, phone text, email text, name text, timezone text, consent boolean,
            attributes jsonb, decision text, reason text, due_at timestamptz, survey_id uuid)
    ), interaction AS (
        INSERT INTO interactions (id, channel, queue, agent, ended_at, language, talk_seconds, survey_by, person,
            crm_id, phone, email, name, timezone, consent, attributes, decision, reason, due_at)
        SELECT id, channel, queue, agent, ended_at, language, talk_seconds, survey_by, person,
            crm_id, phone, email, name, timezone, consent, attributes, decision, reason, due_at
        FROM item ORDER BY id
        ON CONFLICT (id) DO NOTHING
        RETURNING id, survey_by, decision, reason, due_at
    ), survey AS (
        INSERT INTO surveys (id, interaction_id, person, phone, queue, agent, channel, language, due_at)
        SELECT survey_id, item.id, person, phone, queue, coalesce(agent, ''), item.survey_by, language, item.due_at
        FROM item JOIN interaction ON interaction.id = item.id
        WHERE item.decision = 'scheduled' ORDER BY person
        ON CONFLICT DO NOTHING
        RETURNING id, interaction_id
    )
    SELECT interaction.id AS interaction_id, survey.id AS survey_id, survey_by, decision, reason, due_at
    FROM interaction LEFT JOIN survey ON survey.interaction_id = interaction.id
    """,
    Decision,
)


LATE = Statement.of(
    update(interactions)
    .where(is_any(interactions.c.id, "ids"))
    .values(decision="skipped", reason="survey_open", due_at=null())
)


async def insert(connection: Connection, items: Sequence[NewInteraction]) -> list[Decision]:
    """Write new interactions with their surveys; those whose id is already known are left out of the answer.

    Where someone else has just scheduled a survey of the same person or phone, the interaction is skipped for that.
    """
    written = await INSERT.all(connection, items=Jsonb([item.to_json() for item in items]))
    late = [decision.interaction_id for decision in written if _has_lost_its_survey(decision)]
    if late:
        await LATE.execute(connection, ids=late)
    return [_skipped(decision) if _has_lost_its_survey(decision) else decision for decision in written]


def _has_lost_its_survey(decision: Decision) -> bool:
    return decision.decision == "scheduled" and decision.survey_id is None


def _skipped(decision: Decision) -> Decision:
    return replace(decision, decision="skipped", reason="survey_open", due_at=None)


DECISIONS = Statement.of(
    select(
        interactions.c.id.label("interaction_id"),
        surveys.c.id.label("survey_id"),
        interactions.c.survey_by,
        interactions.c.decision,
        interactions.c.reason,
        interactions.c.due_at,
    )
    .select_from(interactions.outerjoin(surveys))
    .where(is_any(interactions.c.id, "ids")),
    Decision,
)


async def decisions(connection: Connection, ids: Collection[str]) -> dict[str, Decision]:
    """What was decided about the interactions that are already known, by id."""
    return {decision.interaction_id: decision for decision in await DECISIONS.all(connection, ids=list(ids))}


@dataclass(frozen=True)
class Interaction:
    """What a survey needs to know of the interaction it follows."""

    id: str
    channel: str
    queue: str
    agent: str | None
    ended_at: datetime
    language: str
    talk_seconds: int | None
    person: str | None
    crm_id: str | None
    phone: str | None
    email: str | None
    timezone: str | None
    consent: bool | None


READ = Statement.of(
    select(*columns(Interaction, interactions)).where(interactions.c.id == bindparam("id")), Interaction
)


async def read(connection: Connection, interaction_id: str) -> Interaction:
    """The interaction of a survey; a survey never stands without one."""
    return await READ.one(connection, id=interaction_id)
