"""What people answered: scores, comments, recordings, and the daily sums."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    REAL,
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    TypedColumns,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from app.store.tables.base import Moment, metadata


class ResponseColumns(TypedColumns):
    """``score`` is 0 to 10; ``version`` counts what became known afterwards, so that destinations are sent it too."""

    survey_id: Column[UUID] = Column(ForeignKey("surveys.id"), primary_key=True)
    interaction_id: Column[str] = Column(Text)
    crm_id: Column[str | None] = Column(Text)
    queue: Column[str] = Column(Text)
    agent: Column[str] = Column(Text, server_default="")
    channel: Column[str] = Column(Text)
    language: Column[str] = Column(Text)
    score: Column[int] = Column(SmallInteger, CheckConstraint("score BETWEEN 0 AND 10"))
    band: Column[str] = Column(Text)
    comment: Column[str | None] = Column(Text)
    comment_source: Column[str | None] = Column(Text)
    comment_confidence: Column[float | None] = Column(REAL)
    callback: Column[bool | None]
    answered_at: Column[datetime] = Column(Moment, server_default=func.now())
    flow_version: Column[str] = Column(Text)
    attributes: Column[dict[str, Any]] = Column(JSONB, server_default="{}")
    version: Column[int] = Column(server_default="1")


responses = Table("responses", metadata, ResponseColumns, postgresql_with={"fillfactor": 90})
Index("responses_by_time", responses.c.answered_at)
Index("responses_by_queue", responses.c.queue, responses.c.answered_at)


class NpsDailyColumns(TypedColumns):
    """Sums of one day, counted in ``ZEROTEN_REPORTING_TIMEZONE``: people invited and reached, and responses by band."""

    day: Column[date]
    queue: Column[str] = Column(Text)
    agent: Column[str] = Column(Text)
    channel: Column[str] = Column(Text)
    language: Column[str] = Column(Text)
    invited: Column[int] = Column(BigInteger, server_default=text("0"))
    reached: Column[int] = Column(BigInteger, server_default=text("0"))
    responses: Column[int] = Column(BigInteger, server_default=text("0"))
    promoters: Column[int] = Column(BigInteger, server_default=text("0"))
    passives: Column[int] = Column(BigInteger, server_default=text("0"))
    detractors: Column[int] = Column(BigInteger, server_default=text("0"))


nps_daily = Table(
    "nps_daily",
    metadata,
    NpsDailyColumns,
    PrimaryKeyConstraint("queue", "day", "agent", "channel", "language"),
    postgresql_with={"fillfactor": 70},
)


class RecordingColumns(TypedColumns):
    """``audio`` is there while it is kept; ``delete_after`` is when it goes."""

    sid: Column[str] = Column(Text, primary_key=True)
    survey_id: Column[UUID] = Column(ForeignKey("surveys.id"))
    status: Column[str] = Column(Text, server_default="announced")
    seconds: Column[int | None]
    audio: Column[bytes | None] = Column(LargeBinary)
    announced_at: Column[datetime] = Column(Moment, server_default=func.now())
    delete_after: Column[datetime | None] = Column(Moment)


recordings = Table("recordings", metadata, RecordingColumns)
Index("recordings_to_delete", recordings.c.delete_after, postgresql_where=recordings.c.status == "kept")
