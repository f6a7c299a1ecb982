"""Those columns of procrastinate's own tables that we read; it describes and migrates them itself."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, MetaData, Table, Text, TypedColumns
from sqlalchemy.dialects.postgresql import JSONB

from app.store.tables.base import Moment

procrastinate = MetaData()


class JobColumns(TypedColumns):
    """``status`` is ``todo`` until a worker takes it; ``args`` are the job's own fields; ``attempts`` were made."""

    task_name: Column[str] = Column(Text)
    args: Column[dict[str, Any]] = Column(JSONB)
    status: Column[str] = Column(Text)
    scheduled_at: Column[datetime | None] = Column(Moment)
    attempts: Column[int]


procrastinate_jobs = Table("procrastinate_jobs", procrastinate, JobColumns)


class WorkerColumns(TypedColumns):
    """``last_heartbeat`` is when a worker last showed to be alive."""

    last_heartbeat: Column[datetime] = Column(Moment)


procrastinate_workers = Table("procrastinate_workers", procrastinate, WorkerColumns)
