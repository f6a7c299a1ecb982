"""YAML files that operators write: read with what the environment holds, and refused with file, key and reason."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, ValidationError

from app.errors import StartError

PLAIN: dict[str, str] = {
    "extra_forbidden": "there is no such key here",
    "missing": "is needed",
    "list_type": "must be a list, such as [one, two]",
    "tuple_type": "must be a list, such as [one, two]",
    "dict_type": "must hold keys with values",
    "model_type": "must hold keys with values",
}
"""pydantic's words speak of Python to people who write YAML."""
VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class Strict(BaseModel):
    """A part of such a file: a key that is not known is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def read(path: Path) -> dict[str, Any]:
    """The file's content. ``${NAME}`` in a value is taken from the environment or ``.env``, so that no secret stands
    in the file.

    Raises `StartError`.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as problem:
        raise StartError(f"{path}: cannot be read ({type(problem).__name__})") from None
    except yaml.YAMLError as problem:
        where = getattr(problem, "problem_mark", None)
        line = f", line {where.line + 1}" if where else ""
        raise StartError(f"{path}: is not YAML{line}; inside braces, ${{NAME}} needs quotes") from None
    if not isinstance(content, dict) or not content:
        raise StartError(f"{path}: must hold keys with values")
    environment = {**dotenv_values(".env"), **os.environ}
    return {str(key): _filled(path, str(key), value, environment) for key, value in content.items()}


def refused(path: Path, wrong: ValidationError, *under: str) -> StartError:
    """The mistakes that were found in what stands ``under`` these keys, without the values, which may be secrets."""
    found = (f"{'.'.join([*under, *keys])}: {words}" for keys, words in mistakes(wrong))
    return StartError(f"{path}: {'; '.join(found)}")


def mistakes(wrong: ValidationError) -> Iterator[tuple[list[str], str]]:
    """Each mistake's keys, from the outermost, and what it is in words; the values are not repeated."""
    for each in wrong.errors(include_input=False, include_url=False):
        words = PLAIN.get(each["type"]) or each["msg"].removeprefix("Value error, ")
        yield list(map(str, each["loc"])), words


def _filled(path: Path, key: str, value: Any, environment: dict[str, str | None]) -> Any:
    match value:
        case str():
            return VARIABLE.sub(lambda found: _variable(path, key, found[1], environment), value)
        case dict():
            return {name: _filled(path, f"{key}.{name}", each, environment) for name, each in value.items()}
        case list():
            return [_filled(path, f"{key}.{place}", each, environment) for place, each in enumerate(value)]
        case _:
            return value


def _variable(path: Path, key: str, name: str, environment: dict[str, str | None]) -> str:
    value = environment.get(name)
    if not value:
        raise StartError(f"{path}: {key}: the environment has no {name}")
    return value
