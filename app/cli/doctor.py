"""``zeroten doctor``: what is missing on this machine, and how to get it."""

from collections.abc import Iterator

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.cli.checks import Check
from app.cli.checks.configuration import (
    check_admin_key,
    check_alerts,
    check_destinations,
    check_flows,
    check_public_url,
    check_twilio,
)
from app.cli.checks.databases import check_database, check_embedded
from app.cli.checks.machine import check_data_dir, check_disk, check_python, check_time_zones
from app.cli.checks.recordings import check_ffmpeg, check_recordings, check_recordings_for_streams
from app.config import Settings


def run_doctor(settings: Settings, console: Console | None = None) -> int:
    """Print every check and return the exit code: 0 where Zeroten can run, 1 where something is missing."""
    checks = list(examine(settings))
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    for _ in ("mark", "name", "detail"):
        table.add_column(overflow="fold")
    for check in checks:
        mark = "[green]✓[/green]" if check.ok else "[red]✗[/red]"
        remedy = f"\n[bold]→[/bold] {escape(check.remedy)}" if check.remedy else ""
        table.add_row(mark, check.name, escape(check.detail) + remedy)
    console = console or Console()
    console.print(table)
    missing = sum(not check.ok for check in checks)
    console.print(f"\n{missing} to mend before Zeroten can call anyone." if missing else "\nAll is well.")
    return 1 if missing else 0


def examine(settings: Settings) -> Iterator[Check]:
    """Every check, in the order in which they are worth mending."""
    yield check_python()
    yield check_data_dir(settings.data_dir)
    yield check_disk(settings.data_dir)
    own = check_embedded(settings.data_dir) if settings.database_url is None else None
    if own is not None:
        yield own
    if own is None or own.ok:
        yield from check_database(settings)
    yield check_flows(settings.flows_dir)
    yield check_recordings(settings.prompts_dir)
    yield check_ffmpeg()
    if settings.recognition == "local":
        yield check_recordings_for_streams(settings)
    yield check_time_zones(settings.reporting_timezone)
    yield check_twilio(settings)
    yield check_public_url(settings)
    yield check_admin_key(settings)
    if settings.crm_file is not None or settings.webhook_url is not None:
        yield check_destinations(settings)
    if settings.alerts_file is not None:
        yield check_alerts(settings, settings.alerts_file)
