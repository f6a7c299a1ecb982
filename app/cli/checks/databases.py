"""The database, and the embedded one."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from app.cli.checks import Check
from app.config import Settings
from app.errors import StartError
from app.store import cluster, database, embedded
from app.store.account import NAME as SERVER_ACCOUNT
from app.store.clock import TRUSTED


def check_embedded(data_dir: Path) -> Check:
    """Whether the embedded PostgreSQL can run here, and as which account."""
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


def check_database(settings: Settings) -> Iterator[Check]:
    """Whether the database answers, its migrations, and its clock. Stops an embedded one again."""
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
        if apart < TRUSTED.total_seconds()
        else "set both machines' clocks by network time; a worker that differs more than 2 s runs no jobs"
    )
    return Check("clock", apart < TRUSTED.total_seconds(), f"{apart:.1f} s from the database's", remedy)
