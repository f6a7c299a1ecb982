"""The file that names the destinations: which connector, its options, and what its fields are filled from."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from app.config import files
from app.crm.options import Options
from app.errors import StartError

NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")

Connectors = Mapping[str, type[Options]]


def read_destinations(path: Path, connectors: Connectors) -> dict[str, Options]:
    """The destinations by name. Raises `StartError` with file, key and reason."""
    content = files.read(path)
    return {name: _destination(path, name, given, connectors) for name, given in content.items()}


def _destination(path: Path, name: str, given: Any, connectors: Connectors) -> Options:
    if not NAME.fullmatch(name):
        raise StartError(f"{path}: {name}: a name is small letters, digits, - and _")
    if not isinstance(given, dict):
        raise StartError(f"{path}: {name}: must be the destination's options")
    options = {key: value for key, value in given.items() if key != "connector"}
    connector = connectors.get(str(given.get("connector", name)))
    if connector is None:
        raise StartError(f"{path}: {name}.connector: must be one of {', '.join(sorted(connectors))}")
    try:
        return connector.model_validate(options)
    except ValidationError as wrong:
        raise files.refused(path, wrong, name) from None
