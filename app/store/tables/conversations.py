"""What ended, the survey that came of it, and what was said in that."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ForeignKey, Index, Table, Text, TypedColumns, func
from sqlalchemy.dialects.postgresql import JSONB

from app.store.tables.base import Moment, metadata

# The statuses of a survey whose conversation goes on. As text it is what follows IN.
OPEN = ("scheduled", "contacting", "in_progress")


class QueueColumns(TypedColumns):
    """``settings`` holds what the queue overrides."""

    name: Column[str] = Column(Text, primary_key=True)
    settings: Column[dict[str, Any]] = Column(JSONB, server_default="{}")
    updated_at: Column[datetime] = Column(Moment, server_default=func.now())


queues = Table("queues", metadata, QueueColumns)


class InteractionColumns(TypedColumns):
    """``id`` is the source's own; ``decision`` and ``reason`` say whether a survey came of it, and why not."""

    id: Column[str] = Column(Text, primary_key=True)
    channel: Column[str] = Column(Text)
    queue: Column[str] = Column(Text)
    agent: Column[str | None] = Column(Text)
    ended_at: Column[datetime] = Column(Moment)
    language: Column[str] = Column(Text)
    talk_seconds: Column[int | None]
    survey_by: Column[str] = Column(Text)
    person: Column[str | None] = Column(Text)
    crm_id: Column[str | None] = Column(Text)
    phone: Column[str | None] = Column(Text)
    email: Column[str | None] = Column(Text)
    name: Column[str | None] = Column(Text)
    timezone: Column[str | None] = Column(Text)
    consent: Column[bool | None]
    attributes: Column[dict[str, Any]] = Column(JSONB, server_default="{}")
    decision: Column[str] = Column(Text)
    reason: Column[str | None] = Column(Text)
    due_at: Column[datetime | None] = Column(Moment)
    received_at: Column[datetime] = Column(Moment, server_default=func.now())


interactions = Table("interactions", metadata, InteractionColumns)
Index("interactions_by_queue", interactions.c.queue, interactions.c.received_at)
Index(
    "interactions_by_conversation",
    interactions.c.attributes["conversation_sid"].astext,
    postgresql_where=interactions.c.attributes.has_key("conversation_sid"),
)


class SurveyColumns(TypedColumns):
    """``turn_no`` counts the turns said; ``conversation`` is the dialogue's state after the last of them."""

    id: Column[UUID] = Column(primary_key=True)
    interaction_id: Column[str] = Column(Text, ForeignKey("interactions.id"), unique=True)
    person: Column[str] = Column(Text)
    phone: Column[str | None] = Column(Text)
    queue: Column[str] = Column(Text)
    agent: Column[str] = Column(Text, server_default="")
    channel: Column[str] = Column(Text)
    language: Column[str] = Column(Text)
    status: Column[str] = Column(Text, server_default="scheduled")
    reason: Column[str | None] = Column(Text)
    due_at: Column[datetime] = Column(Moment)
    contacted_at: Column[datetime | None] = Column(Moment)
    reached_at: Column[datetime | None] = Column(Moment)
    turn_no: Column[int] = Column(server_default="0")
    opened_by: Column[str | None] = Column(Text)
    conversation: Column[dict[str, Any] | None] = Column(JSONB)
    created_at: Column[datetime] = Column(Moment, server_default=func.now())
    updated_at: Column[datetime] = Column(Moment, server_default=func.now())


surveys = Table("surveys", metadata, SurveyColumns, postgresql_with={"fillfactor": 70})
Index(
    "one_open_survey_per_person",
    surveys.c.person,
    unique=True,
    postgresql_where=surveys.c.status.in_(OPEN),
)
Index(
    "one_open_survey_per_phone",
    surveys.c.phone,
    unique=True,
    postgresql_where=surveys.c.status.in_(OPEN) & (surveys.c.channel != "chat"),
)
Index("surveys_by_person", surveys.c.person, surveys.c.contacted_at)
Index("surveys_by_phone", surveys.c.phone, surveys.c.created_at)
Index("surveys_by_queue", surveys.c.queue, surveys.c.created_at)


class TurnColumns(TypedColumns):
    """``receipt`` is the provider's id of the message that was heard, so that it is taken once."""

    survey_id: Column[UUID] = Column(ForeignKey("surveys.id"), primary_key=True)
    number: Column[int] = Column(primary_key=True)
    heard: Column[dict[str, Any] | None] = Column(JSONB)
    said: Column[list[Any]] = Column(JSONB)
    receipt: Column[str | None] = Column(Text)
    at: Column[datetime] = Column(Moment, server_default=func.now())


turns = Table("turns", metadata, TurnColumns)
Index("turns_by_receipt", turns.c.receipt, unique=True, postgresql_where=turns.c.receipt.is_not(None))
