"""NPS by group, from the roll-up that every response keeps up to date."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, LiteralString

from psycopg.rows import class_row

from app.reports.period import Selection
from app.store import Connection
from app.survey import Tally, rounded

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


@dataclass(frozen=True)
class Counts:
    """A group's funnel."""

    group: str
    invited: int
    reached: int
    responses: int
    promoters: int
    passives: int
    detractors: int


@dataclass(frozen=True)
class NpsRow:
    """A line of the report. ``nps`` and ``margin95`` are points with two decimals, None where nobody has answered;
    ``response_rate`` is responses over invited, 0-1.
    """

    group: str
    invited: int
    reached: int
    responses: int
    promoters: int
    passives: int
    detractors: int
    nps: float | None
    margin95: float | None
    response_rate: float | None


async def nps(connection: Connection, group_by: GroupBy, selection: Selection) -> list[NpsRow]:
    """A row for each group that has anything to show, in their order."""
    group = GROUPS[group_by]
    async with connection.cursor(row_factory=class_row(Counts)) as cursor:
        await cursor.execute(
            f"""SELECT {group} AS "group", sum(invited)::bigint AS invited, sum(reached)::bigint AS reached,
                sum(responses)::bigint AS responses, sum(promoters)::bigint AS promoters,
                sum(passives)::bigint AS passives, sum(detractors)::bigint AS detractors
            FROM nps_daily WHERE {FILTER} GROUP BY 1 ORDER BY 1""",
            {"queue": selection.queue, "first_day": selection.first_day, "last_day": selection.last_day},
        )
        return [_row(counts) for counts in await cursor.fetchall()]


def _row(counts: Counts) -> NpsRow:
    tally = Tally(counts.promoters, counts.passives, counts.detractors)
    return NpsRow(
        **vars(counts),
        nps=rounded(tally.nps, 2),
        margin95=rounded(tally.margin95, 2),
        response_rate=round(counts.responses / counts.invited, 4) if counts.invited else None,
    )
