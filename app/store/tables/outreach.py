"""Trying to reach people: the attempts, the pace of each sender, and who is not to be asked."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Column, ForeignKey, Table, Text, TypedColumns, UniqueConstraint, func

from app.store.tables.base import Moment, metadata


class AttemptColumns(TypedColumns):
    """``carrier_sid`` is the carrier's id of the call or message; ``disposition`` is how it ended.

    ``begun_at`` is when the carrier was about to be asked for it: without it, nobody was rung or written to.
    """

    id: Column[UUID] = Column(primary_key=True)
    survey_id: Column[UUID] = Column(ForeignKey("surveys.id"))
    number: Column[int]
    channel: Column[str] = Column(Text)
    direction: Column[str] = Column(Text, server_default="outbound")
    status: Column[str] = Column(Text, server_default="placing")
    disposition: Column[str | None] = Column(Text)
    carrier_sid: Column[str | None] = Column(Text, unique=True)
    answered_by: Column[str | None] = Column(Text)
    error_code: Column[int | None]
    created_at: Column[datetime] = Column(Moment, server_default=func.now())
    placed_at: Column[datetime | None] = Column(Moment)
    ended_at: Column[datetime | None] = Column(Moment)
    begun_at: Column[datetime | None] = Column(Moment, server_default=func.now())


attempts = Table(
    "attempts",
    metadata,
    AttemptColumns,
    UniqueConstraint("survey_id", "number"),
    postgresql_with={"fillfactor": 80},
)


class PacingColumns(TypedColumns):
    """``next_at`` is the sender's next free slot; ``line_at`` is when whoever joins its line now may expect one."""

    sender: Column[str] = Column(Text, primary_key=True)
    next_at: Column[datetime] = Column(Moment, server_default="-infinity")
    line_at: Column[datetime] = Column(Moment, server_default="-infinity")
    gap_seconds: Column[float]
    held_until: Column[datetime | None] = Column(Moment)
    held_reason: Column[str | None] = Column(Text)


pacing = Table("pacing", metadata, PacingColumns)


class SuppressionColumns(TypedColumns):
    """``address`` is ``phone:``, ``email:`` or ``crm:`` and the value; ``survey_id`` is where they opted out.

    ``reason`` is ``opted_out``, or ``no_such_number`` for a number that nobody has.
    """

    address: Column[str] = Column(Text, primary_key=True)
    channel: Column[str] = Column(Text)
    survey_id: Column[UUID | None]
    reason: Column[str] = Column(Text, server_default="opted_out")
    since: Column[datetime] = Column(Moment, server_default=func.now())
    lifted_at: Column[datetime | None] = Column(Moment)


suppressions = Table("suppressions", metadata, SuppressionColumns)


class ReceiptColumns(TypedColumns):
    """``receipt`` is the provider's id of a message or call whose wish was granted; those of answers are in turns."""

    receipt: Column[str] = Column(Text, primary_key=True)
    at: Column[datetime] = Column(Moment, server_default=func.now())


receipts = Table("receipts", metadata, ReceiptColumns)


class InboundColumns(TypedColumns):
    """``last_at`` is when the person last wrote to us on that channel."""

    channel: Column[str] = Column(Text, primary_key=True)
    phone: Column[str] = Column(Text, primary_key=True)
    last_at: Column[datetime] = Column(Moment)


inbound = Table("inbound", metadata, InboundColumns)
