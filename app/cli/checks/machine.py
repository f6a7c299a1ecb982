"""The machine: its Python, its disk, its time zones."""

import os
import platform
import shutil
import sys
import time
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.cli.checks import Check

ENOUGH_DISK = 2 * 1024**3


def check_python() -> Check:
    """Whether this Python is new enough."""
    return Check(
        "Python",
        sys.version_info >= (3, 11),
        f"{platform.python_version()} on {platform.system()} {platform.machine()}",
        ""
        if sys.version_info >= (3, 11)
        else "install Python 3.11 or newer, then remove .venv and run make again",
    )


def check_data_dir(data_dir: Path) -> Check:
    """Whether the data directory can be written, or made."""
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


def check_disk(data_dir: Path) -> Check:
    """Whether the data directory's disk has 2 GB left."""
    path = data_dir.expanduser().resolve()
    existing = next(each for each in (path, *path.parents) if each.exists())
    free = shutil.disk_usage(existing).free
    remedy = (
        ""
        if free >= ENOUGH_DISK
        else f"free {ENOUGH_DISK // 1024**3} GB, or set ZEROTEN_DATA_DIR to a larger disk"
    )
    return Check("disk space", free >= ENOUGH_DISK, f"{free / 1024**3:,.1f} GB free", remedy)


def check_time_zones(reporting: str) -> Check:
    """Whether time zones are known here, and the one in which reports count days."""
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
