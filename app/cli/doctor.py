"""``zeroten doctor``: what is missing on this machine, and how to get it."""

import os
import platform
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.alerts import read_alerts
from app.config import Settings, load_flows
from app.errors import StartError
from app.prompts import Prompts
from app.prompts.inventory import PLAYED, needed_by, take_stock
from app.services import chosen_destinations
from app.store import cluster, database, embedded
from app.store.account import NAME as SERVER_ACCOUNT

LOOPBACK = {"localhost", "127.0.0.1", "::1"}
ENOUGH_DISK = 2 * 1024**3
CLOCK_SECONDS = 30


@dataclass(frozen=True)
class Check:
    """One thing looked at. ``remedy`` says what to do; with ``ok`` it is only worth knowing, and may be empty."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""


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
    yield _python()
    yield _data_dir(settings.data_dir)
    yield _disk(settings.data_dir)
    own = _embedded(settings.data_dir) if settings.database_url is None else None
    if own is not None:
        yield own
    if own is None or own.ok:
        yield from _database(settings)
    yield _flows(settings.flows_dir)
    yield _recordings(settings.prompts_dir)
    if settings.recognition == "local":
        yield _recordings_for_streams(settings)
    yield _time_zones(settings.reporting_timezone)
    yield _twilio(settings)
    yield _public_url(settings)
    yield _admin_key(settings)
    if settings.crm_file is not None or settings.webhook_url is not None:
        yield _destinations(settings)
    if settings.alerts_file is not None:
        yield _alerts(settings, settings.alerts_file)


def _python() -> Check:
    return Check(
        "Python",
        sys.version_info >= (3, 11),
        f"{platform.python_version()} on {platform.system()} {platform.machine()}",
        ""
        if sys.version_info >= (3, 11)
        else "install Python 3.11 or newer, then remove .venv and run make again",
    )


def _data_dir(data_dir: Path) -> Check:
    name, path = "data directory", data_dir.expanduser().resolve()
    existing = next(each for each in (path, *path.parents) if each.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        return Check(
            name,
            False,
            f"{path} cannot be written",
            f"get the right to write {existing}, or set ZEROTEN_DATA_DIR",
        )
    return Check(name, True, f"{path}{'' if path.exists() else ' (made at the first start)'}")


def _disk(data_dir: Path) -> Check:
    path = data_dir.expanduser().resolve()
    existing = next(each for each in (path, *path.parents) if each.exists())
    free = shutil.disk_usage(existing).free
    remedy = (
        ""
        if free >= ENOUGH_DISK
        else f"free {ENOUGH_DISK // 1024**3} GB, or set ZEROTEN_DATA_DIR to a larger disk"
    )
    return Check("disk space", free >= ENOUGH_DISK, f"{free / 1024**3:,.1f} GB free", remedy)


def _embedded(data_dir: Path) -> Check:
    name = "embedded PostgreSQL"
    try:
        programs = cluster.programs()
        embedded.check_length(data_dir)
    except StartError as error:
        return Check(name, False, str(error), "set ZEROTEN_DATABASE_URL to a PostgreSQL 14 or newer")
    if os.geteuid() == 0:
        return Check(
            name,
            True,
            f"PostgreSQL {cluster.VERSION}, as the account {SERVER_ACCOUNT}",
            f"worth knowing: as root, other accounts get the right to pass through the directories above {data_dir} "
            f"and {programs}, since PostgreSQL refuses to be root; an ordinary user needs none of this",
        )
    return Check(name, True, f"PostgreSQL {cluster.VERSION}, as yourself, in {data_dir}")


def _database(settings: Settings) -> Iterator[Check]:
    try:
        address = database.conninfo(settings)
        connection = database.connect(address)
    except StartError as error:
        yield Check("database", False, str(error), "mend what the message names, or set ZEROTEN_DATABASE_URL")
        return
    with connection:
        version = connection.info.server_version
        yield Check(
            "database",
            True,
            f"PostgreSQL {version // 10_000}.{version % 10_000} at {database.describe(address)}",
        )
        yield _migrations(database.revision(connection))
        yield _clock(database.clock(connection))
    if settings.database_url is None:
        embedded.stop(settings.data_dir)


def _migrations(found: str | None) -> Check:
    newest = database.newest_revision()
    if found is not None and found > newest:
        return Check(
            "migrations", False, f"{found}, made by a newer Zeroten", f"run a Zeroten that knows {found}"
        )
    if found == newest:
        return Check("migrations", True, found)
    return Check(
        "migrations", True, f"{found or 'none yet'}, of {newest}", "the next start brings them up to date"
    )


def _clock(theirs: datetime) -> Check:
    apart = abs((datetime.now(UTC) - theirs).total_seconds())
    remedy = (
        ""
        if apart < CLOCK_SECONDS
        else "set both machines' clocks by network time; jobs start by the database's"
    )
    return Check("clock", apart < CLOCK_SECONDS, f"{apart:.1f} s from the database's", remedy)


def _flows(flows_dir: Path) -> Check:
    try:
        flows = load_flows(flows_dir)
    except StartError as error:
        return Check("flow files", False, str(error), "correct the file; the message names it and the key")
    return Check("flow files", True, ", ".join(sorted(flows)))


def _recordings(prompts_dir: Path) -> Check:
    name, prompts = "recorded prompts", Prompts.load(prompts_dir)
    counts = {language: len(clips) for language, clips in prompts.languages.items()}
    there = ", ".join(f"{language} {count} files" for language, count in counts.items() if count)
    if prompts.unusable:
        path, reason = next(iter(prompts.unusable.items()))
        remedy = "worth knowing: zeroten prompts list shows which; the carrier's voice speaks them"
        return Check(name, True, f"{len(prompts.unusable)} unusable, such as {path}: {reason}", remedy)
    return Check(name, True, there or "none: the carrier's voice speaks")


def _recordings_for_streams(settings: Settings) -> Check:
    """A stream hears keys while it plays a recording, but is not yet open while the carrier's voice reads."""
    name, prompts = "prompts of streams", Prompts.load(settings.prompts_dir)
    try:
        flows = load_flows(settings.flows_dir)
    except StartError:
        return Check(name, True, "not looked at: the flow files cannot be read")
    languages = sorted({language for flow in flows.values() for language in flow.languages})
    lacking = []
    for language in languages:
        wanted = needed_by(flows.values(), language, [settings.brand])
        stock = take_stock(prompts, settings.prompts_dir, language, wanted)
        missing = sum(each.name in wanted and each.status not in PLAYED for each in stock)
        if missing:
            lacking.append(f"{language} {missing} of {len(wanted)}")
    if not lacking:
        return Check(name, True, "all recorded: keys are heard at any time")
    remedy = (
        "worth knowing: keys pressed while the carrier's voice reads a question are not heard; record the prompts, or"
        " let zeroten prompts render make placeholders (docs/prompts.md)"
    )
    return Check(name, True, f"not recorded: {', '.join(lacking)}", remedy)


def _time_zones(reporting: str) -> Check:
    try:
        ZoneInfo("Europe/Warsaw")
        ZoneInfo(reporting)
    except (ZoneInfoNotFoundError, ValueError):
        return Check(
            "time zones",
            False,
            f"{reporting} is unknown",
            "set ZEROTEN_REPORTING_TIMEZONE to a name like Europe/Oslo",
        )
    return Check(
        "time zones", True, f"reports count days in {reporting}; here it is {time.strftime('%H:%M %Z')}"
    )


def _twilio(settings: Settings) -> Check:
    given = {
        "ZEROTEN_TWILIO_ACCOUNT_SID": settings.twilio_account_sid,
        "ZEROTEN_TWILIO_AUTH_TOKEN": settings.twilio_auth_token.get_secret_value(),
        "ZEROTEN_TWILIO_FROM": settings.twilio_from,
    }
    missing = [name for name, value in given.items() if not value]
    if missing:
        return Check("Twilio", False, "no account is set", f"set {', '.join(missing)}; make demo needs none")
    return Check("Twilio", True, f"calls from {settings.twilio_from} through {settings.twilio_api_url}")


def _public_url(settings: Settings) -> Check:
    name, url = "public address", urlsplit(settings.public_url)
    if urlsplit(settings.twilio_api_url).hostname in LOOPBACK:
        return Check(name, True, f"{settings.public_url}, for the carrier on this machine")
    if url.scheme != "https" or url.hostname in LOOPBACK:
        remedy = "set ZEROTEN_PUBLIC_URL to the https address at which Twilio reaches this server"
        return Check(name, False, settings.public_url, remedy)
    return Check(name, True, settings.public_url)


def _destinations(settings: Settings) -> Check:
    name = "CRM"
    try:
        chosen = chosen_destinations(settings)
    except StartError as error:
        return Check(name, False, str(error), "correct it; the message names what is wrong")
    remedy = "worth knowing: zeroten crm test NAME shows whether one takes answers"
    return Check(name, True, f"answers go to {', '.join(chosen)}", remedy)


def _alerts(settings: Settings, path: Path) -> Check:
    name = "alerts"
    try:
        read = read_alerts(path, settings)
    except StartError as error:
        return Check(name, False, str(error), "correct the file; the message names it and the key")
    return Check(name, True, f"{len(read.rulebook.rules)} rules, {len(read.services)} recipients")


def _admin_key(settings: Settings) -> Check:
    if settings.admin_key is None:
        return Check("admin key", True, "none", "worth knowing: make keys with zeroten keys create")
    short = len(settings.admin_key.get_secret_value()) < 24
    remedy = "use 24 characters or more, such as: openssl rand -hex 24" if short else ""
    return Check("admin key", not short, "set" if not short else "too easy to guess", remedy)
