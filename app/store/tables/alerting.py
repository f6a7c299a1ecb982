"""Alerts: who is told of what, and when."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Identity,
    Index,
    Table,
    Text,
    TypedColumns,
    UniqueConstraint,
)

from app.store.tables.base import Moment, metadata


class AlertColumns(TypedColumns):
    """``message`` is shared by the alerts that were sent as one; an alert without a survey has its own words."""

    id: Column[int] = Column(BigInteger, Identity(always=True), primary_key=True)
    survey_id: Column[UUID | None] = Column(ForeignKey("surveys.id"))
    recipient: Column[str] = Column(Text)
    rule: Column[str] = Column(Text)
    status: Column[str] = Column(Text, server_default="waiting")
    held_for: Column[str | None] = Column(Text)
    due_at: Column[datetime] = Column(Moment)
    tries: Column[int] = Column(server_default="0")
    message: Column[UUID | None]
    taken_at: Column[datetime | None] = Column(Moment)
    ended_at: Column[datetime | None] = Column(Moment)
    reason: Column[str | None] = Column(Text)
    title: Column[str | None] = Column(Text)
    body: Column[str | None] = Column(Text)
    created_at: Column[datetime] = Column(Moment)


alerts = Table(
    "alerts",
    metadata,
    AlertColumns,
    UniqueConstraint("survey_id", "recipient"),
    implicit_returning=False,
    postgresql_with={"fillfactor": 80},
)
Index("alerts_waiting", alerts.c.recipient, alerts.c.due_at, postgresql_where=alerts.c.status == "waiting")
Index("alerts_sending", alerts.c.taken_at, postgresql_where=alerts.c.status == "sending")
Index("alerts_taken", alerts.c.recipient, alerts.c.taken_at, postgresql_where=alerts.c.taken_at.is_not(None))
Index("alerts_by_message", alerts.c.message, postgresql_where=alerts.c.message.is_not(None))
