"""The file that names the destinations: which connector, its options, and what its fields are filled from."""

import re
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from app.config import Settings, files, refused_setting
from app.crm import webhook
from app.crm.kinds import ConfiguredCrm, CrmKinds
from app.errors import StartError

NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")


def chosen_destinations(settings: Settings, kinds: CrmKinds) -> dict[str, ConfiguredCrm]:
    """The places that responses are pushed to, by name: those of the file, and the webhook of the settings.

    Raises `StartError` where one is wrong.
    """
    chosen = read_destinations(settings.crm_file, kinds) if settings.crm_file else {}
    if settings.webhook_url is None:
        return chosen
    if "webhook" in chosen:
        raise StartError(
            f"{settings.crm_file}: webhook: ZEROTEN_WEBHOOK_URL names one already; give this another name"
        )
    try:
        ours = webhook.KIND.configured({"url": settings.webhook_url, "secret": settings.webhook_secret})
    except ValidationError as wrong:
        raise refused_setting(wrong, "ZEROTEN_WEBHOOK_") from None
    return {"webhook": ours, **chosen}


def read_destinations(path: Path, kinds: CrmKinds) -> dict[str, ConfiguredCrm]:
    """The destinations by name. Raises `StartError` with file, key and reason."""
    content = files.read(path)
    return {name: _destination(path, name, given, kinds) for name, given in content.items()}


def _destination(path: Path, name: str, given: Any, kinds: CrmKinds) -> ConfiguredCrm:
    if not NAME.fullmatch(name):
        raise StartError(f"{path}: {name}: a name is small letters, digits, - and _")
    if not isinstance(given, dict):
        raise StartError(f"{path}: {name}: must be the destination's options")
    options = {key: value for key, value in given.items() if key != "connector"}
    kind = kinds.get(str(given.get("connector", name)))
    if kind is None:
        raise StartError(f"{path}: {name}.connector: must be one of {', '.join(sorted(kinds))}")
    try:
        return kind.configured(options)
    except ValidationError as wrong:
        raise files.refused(path, wrong, name) from None
