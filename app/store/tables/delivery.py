"""Responses on their way to a CRM or another destination, and how each destination fares."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import REAL, BigInteger, Column, ForeignKey, Identity, Index, Table, Text, TypedColumns, func

from app.store.tables.base import Moment, metadata


class DeliveryColumns(TypedColumns):
    """``version`` is the response's that is wanted there, ``delivered`` the one that is known to have arrived."""

    survey_id: Column[UUID] = Column(ForeignKey("surveys.id"), primary_key=True)
    destination: Column[str] = Column(Text, primary_key=True)
    status: Column[str] = Column(Text, server_default="waiting")
    version: Column[int]
    delivered: Column[int | None]
    event: Column[str | None] = Column(Text)
    remote_id: Column[str | None] = Column(Text)
    tries: Column[int] = Column(server_default="0")
    uncertain: Column[bool] = Column(server_default="false")
    reason: Column[str | None] = Column(Text)
    wanted_at: Column[datetime] = Column(Moment, server_default=func.now())
    retry_at: Column[datetime | None] = Column(Moment)
    delivered_at: Column[datetime | None] = Column(Moment)


deliveries = Table("deliveries", metadata, DeliveryColumns, postgresql_with={"fillfactor": 70})
Index(
    "deliveries_waiting",
    deliveries.c.destination,
    deliveries.c.wanted_at,
    postgresql_where=deliveries.c.status == "waiting",
)
Index(
    "deliveries_delivered",
    deliveries.c.destination,
    deliveries.c.delivered_at,
    postgresql_where=deliveries.c.status == "delivered",
)
Index(
    "deliveries_refused",
    deliveries.c.destination,
    deliveries.c.wanted_at,
    postgresql_where=deliveries.c.status == "refused",
)
Index("deliveries_by_time", deliveries.c.wanted_at)


class DeliveryLogColumns(TypedColumns):
    """One row each time something was sent; ``seconds`` is how long the destination took."""

    id: Column[int] = Column(BigInteger, Identity(always=True), primary_key=True)
    at: Column[datetime] = Column(Moment, server_default=func.now())
    survey_id: Column[UUID]
    destination: Column[str] = Column(Text)
    event: Column[str] = Column(Text)
    version: Column[int]
    outcome: Column[str] = Column(Text)
    reason: Column[str | None] = Column(Text)
    seconds: Column[float] = Column(REAL)


delivery_log = Table("delivery_log", metadata, DeliveryLogColumns, implicit_returning=False)
Index("delivery_log_by_time", delivery_log.c.at)
Index("delivery_log_by_survey", delivery_log.c.survey_id)


class DestinationColumns(TypedColumns):
    """A destination that fails, since when, and until when nothing is sent to it."""

    name: Column[str] = Column(Text, primary_key=True)
    failures: Column[int]
    failing_since: Column[datetime] = Column(Moment, server_default=func.now())
    held_until: Column[datetime | None] = Column(Moment)
    reason: Column[str] = Column(Text)
    alarmed: Column[bool] = Column(server_default="false")


destinations = Table("destinations", metadata, DestinationColumns)
