"""What was measured, and the one table it is shown in."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Literal

from rich.table import Table

Bound = Literal["at least", "at most"]


@dataclass(frozen=True)
class Figure:
    """One line of the table: ``value`` in ``unit``, beside its ``target`` where there is one."""

    room: str
    name: str
    value: float
    unit: str
    target: float | None = None
    bound: Bound = "at most"
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without one."""
        if self.target is None:
            return None
        return self.value >= self.target if self.bound == "at least" else self.value <= self.target


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least ``share`` (0-1) of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, ceil(len(ordered) * share) - 1)]


def shown(value: float) -> str:
    """A number with as many digits as say something."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def table(figures: Iterable[Figure]) -> Table:
    """All figures as one table."""
    made = Table("What", "Measured", "Target", "", "How", title="Zeroten, measured", title_justify="left")
    room = ""
    for figure in figures:
        if figure.room != room:
            made.add_section()
            made.add_row(f"[bold]{figure.room}[/bold]", "", "", "", "")
            room = figure.room
        target = "" if figure.target is None else f"{figure.bound} {shown(figure.target)} {figure.unit}"
        verdict = {None: "", True: "[green]met[/green]", False: "[red]missed[/red]"}[figure.met]
        made.add_row(f"  {figure.name}", f"{shown(figure.value)} {figure.unit}", target, verdict, figure.note)
    return made


def markdown(figures: Iterable[Figure]) -> str:
    """The same table for a page of the documentation."""
    lines = ["| what | measured | target | | how |", "|---|---|---|---|---|"]
    for each in figures:
        target = "" if each.target is None else f"{each.bound} {shown(each.target)} {each.unit}"
        verdict = {None: "", True: "met", False: "**missed**"}[each.met]
        lines.append(
            f"| {each.room}: {each.name} | {shown(each.value)} {each.unit} | {target} | {verdict} | {each.note} |"
        )
    return "\n".join(lines)
