"""The roll-up that every response keeps up to date: how many were invited, reached and answered, day by day."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import BigInteger, ColumnElement, Select, bindparam, cast, func, select
from sqlalchemy.dialects.postgresql import Insert, insert

from app.store import Connection
from app.store.selection import Selection
from app.store.statement import Statement, given
from app.store.tables import nps_daily

GroupBy = Literal["queue", "agent", "channel", "language", "day", "week", "month"]
GROUPS: Mapping[GroupBy, ColumnElement[str]] = {
    "queue": nps_daily.c.queue,
    "agent": nps_daily.c.agent,
    "channel": nps_daily.c.channel,
    "language": nps_daily.c.language,
    "day": func.to_char(nps_daily.c.day, "YYYY-MM-DD"),
    "week": func.to_char(nps_daily.c.day, 'IYYY-"W"IW'),
    "month": func.to_char(nps_daily.c.day, "YYYY-MM"),
}
FILTERS = {
    "queue": nps_daily.c.queue == bindparam("queue"),
    "first_day": nps_daily.c.day >= bindparam("first_day"),
    "last_day": nps_daily.c.day <= bindparam("last_day"),
}
COUNTS = ("invited", "reached", "responses", "promoters", "passives", "detractors")


def upsert(counts: Select[*tuple[Any, ...]]) -> Insert:
    """What adds a selection to its days' sums: all columns of the key, and each sum that grows under its own name."""
    new = insert(nps_daily)
    key = nps_daily.primary_key.columns
    names = counts.selected_columns.keys()
    sums = {name: nps_daily.c[name] + new.excluded[name] for name in names if name not in key}
    return new.from_select(names, counts).on_conflict_do_update(index_elements=key, set_=sums)


@dataclass(frozen=True)
class GroupCounts:
    """How many people of a group were invited, reached, and gave which answer."""

    group: str
    invited: int
    reached: int
    responses: int
    promoters: int
    passives: int
    detractors: int


async def count(connection: Connection, group_by: GroupBy, selection: Selection) -> list[GroupCounts]:
    """A row for each group that has anything to show, in their order."""
    group = GROUPS[group_by].label("group")
    written = (
        select(group, *(cast(func.sum(nps_daily.c[name]), BigInteger).label(name) for name in COUNTS))
        .where(*given(FILTERS, selection.values))
        .group_by(group)
        .order_by(group)
    )
    return await Statement.of(written, GroupCounts).all(connection, **selection.values)
