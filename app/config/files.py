"""YAML files that operators write: read with what the environment holds, and refused with file, key and reason."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, ValidationError

from app.config.yaml_reader import Fill, YamlReader
from app.errors import FileError, StartError

PLAIN: dict[str, str] = {
    "extra_forbidden": "there is no such key here",
    "missing": "is needed",
    "list_type": "must be a list, such as [one, two]",
    "tuple_type": "must be a list, such as [one, two]",
    "dict_type": "must hold keys with values",
    "model_type": "must hold keys with values",
    "string_type": "must be text; a number, true and false need quotes",
}
"""pydantic's words speak of Python to people who write YAML."""
WHOLE = "whole file"
VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class Strict(BaseModel):
    """A part of such a file: a key that is not known is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def read(path: Path, *, variables: bool = True) -> dict[str, Any]:
    """The file's keys and values, as `YamlReader` reads them.

    With ``variables``, ``${NAME}`` in a value is taken from the environment or ``.env``, so that no secret stands in
    the file. Raises `FileError`, which repeats no value.
    """
    return parse(path, text_of(path), variables=variables)


def text_of(path: Path) -> str:
    """What is written in the file. Raises `FileError`."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise FileError(str(path), WHOLE, "is not text in utf-8") from None
    except OSError as problem:
        raise FileError(str(path), WHOLE, f"cannot be read ({type(problem).__name__})") from None


def parse(path: Path, text: str, *, variables: bool = True) -> dict[str, Any]:
    """The keys and values of a text that stood in this file, as `read` gives them."""
    content = YamlReader(path, _filling(path) if variables else _as_written).read(text)
    if not isinstance(content, dict) or not content:
        raise FileError(str(path), WHOLE, "must hold keys with values")
    return {str(key): value for key, value in content.items()}


def refused(path: Path, wrong: ValidationError, *under: str) -> StartError:
    """The mistakes that were found in what stands ``under`` these keys, without the values, which may be secrets."""
    return StartError(f"{path}: {sentences(wrong, lambda keys: '.'.join([*under, *keys]))}")


def refused_setting(wrong: ValidationError, prefix: str) -> StartError:
    """The mistakes in what the environment holds, each with its variable; its value may be a secret."""
    return StartError(sentences(wrong, lambda keys: "".join(f"{prefix}{key.upper()}" for key in keys[:1])))


def sentences(wrong: ValidationError, name: Callable[[list[str]], str]) -> str:
    """All mistakes in one line, each after the name that ``name`` makes of its keys."""
    return "; ".join(": ".join(filter(None, (name(keys), words))) for keys, words in mistakes(wrong))


def mistakes(wrong: ValidationError) -> Iterator[tuple[list[str], str]]:
    """Each mistake's keys, from the outermost, and what it is in words; the values are not repeated."""
    for error in wrong.errors(include_input=False, include_url=False):
        words = PLAIN.get(error["type"]) or error["msg"].removeprefix("Value error, ")
        yield list(map(str, error["loc"])), words


def _filling(path: Path) -> Fill:
    environment = {**dotenv_values(".env"), **os.environ}

    def fill(text: str, key: str) -> str:
        def value(found: re.Match[str]) -> str:
            if not environment.get(found[1]):
                raise FileError(str(path), key, f"the environment has no {found[1]}")
            return str(environment[found[1]])

        return VARIABLE.sub(value, text)

    return fill


def _as_written(text: str, key: str) -> str:
    del key
    return text
