"""The roll-up that every response keeps up to date: how many were invited, reached and answered, day by day."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, LiteralString

from psycopg.rows import class_row
from sqlalchemy import Select
from sqlalchemy.dialects.postgresql import Insert, insert

from app.store import Connection
from app.store.selection import Selection
from app.store.tables import nps_daily

GroupBy = Literal["queue", "agent", "channel", "language", "day", "week", "month"]
GROUPS: Mapping[GroupBy, LiteralString] = {
    "queue": "queue",
    "agent": "agent",
    "channel": "channel",
    "language": "language",
    "day": "to_char(day, 'YYYY-MM-DD')",
    "week": "to_char(day, 'IYYY-\"W\"IW')",
    "month": "to_char(day, 'YYYY-MM')",
}
FILTER: LiteralString = """
    (%(queue)s::text IS NULL OR queue = %(queue)s)
    AND (%(first_day)s::date IS NULL OR day >= %(first_day)s) AND (%(last_day)s::date IS NULL OR day <= %(last_day)s)
"""


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
    group = GROUPS[group_by]
    async with connection.cursor(row_factory=class_row(GroupCounts)) as cursor:
        await cursor.execute(
            f"""SELECT {group} AS "group", sum(invited)::bigint AS invited, sum(reached)::bigint AS reached,
                sum(responses)::bigint AS responses, sum(promoters)::bigint AS promoters,
                sum(passives)::bigint AS passives, sum(detractors)::bigint AS detractors
            FROM nps_daily WHERE {FILTER} GROUP BY 1 ORDER BY 1""",
            {"queue": selection.queue, "first_day": selection.first_day, "last_day": selection.last_day},
        )
        return await cursor.fetchall()
