"""NPS by group, from the roll-up that every response keeps up to date."""

from dataclasses import dataclass

from app.store import Connection, nps_daily
from app.store.nps_daily import GroupBy, GroupCounts
from app.store.selection import Selection
from app.survey import Tally, rounded


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
    return [_row(counts) for counts in await nps_daily.count(connection, group_by, selection)]


def _row(counts: GroupCounts) -> NpsRow:
    tally = Tally(counts.promoters, counts.passives, counts.detractors)
    return NpsRow(
        **vars(counts),
        nps=rounded(tally.nps, 2),
        margin95=rounded(tally.margin95, 2),
        response_rate=round(counts.responses / counts.invited, 4) if counts.invited else None,
    )
