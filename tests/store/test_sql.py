"""No SQL stands outside the store: no statement, no call that runs one, nothing that writes one."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

APP = Path(__file__).parents[2] / "app"
# Salesforce has a query language of its own, which goes over HTTP.
OTHER_LANGUAGES = {"crm/salesforce_contacts.py", "crm/salesforce_records.py"}
STATEMENT = re.compile(
    r"\s*(SELECT|INSERT|UPDATE|DELETE|MERGE|WITH|COPY|TRUNCATE|CREATE|ALTER|DROP|SET|SHOW|LOCK|NOTIFY|LISTEN)\s"
)
CALLS = {"cursor", "execute", "executemany", "exec_driver_sql"}
WRITERS = {"alembic", "psycopg.rows", "psycopg.sql", "psycopg.types", "sqlalchemy"}


def sql_in(source: str) -> Iterator[str]:
    """What is SQL in a module: its line, and what it is."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Constant(value=str(text)) if STATEMENT.match(text):
                yield f"{node.lineno}: {text.strip()[:40]}"
            case ast.Constant(value=bytes(text)) if STATEMENT.match(text.decode(errors="replace")):
                yield f"{node.lineno}: {text[:40]!r}"
            case ast.Call(func=ast.Attribute(attr=name)) if name in CALLS:
                yield f"{node.lineno}: .{name}()"
            case ast.Import(names=names):
                yield from _writers(node.lineno, *(imported.name for imported in names))
            case ast.ImportFrom(module=str(module), names=names):
                yield from _writers(node.lineno, *(f"{module}.{imported.name}" for imported in names))
            case _:
                pass


def _writers(line: int, *modules: str) -> Iterator[str]:
    for module in modules:
        if any(module == writer or module.startswith(f"{writer}.") for writer in WRITERS):
            yield f"{line}: imports {module}"


@pytest.mark.parametrize(
    "source",
    [
        '"SELECT 1"',
        'f"SELECT {column} FROM responses"',
        '"""\n    WITH due AS (SELECT 1)\n"""',
        'b"DELETE FROM responses"',
        "connection.execute(STATEMENT)",
        "connection.cursor()",
        "from psycopg import sql",
        "from sqlalchemy import select",
        "import sqlalchemy.sql",
    ],
)
def test_sql_is_recognised(source: str) -> None:
    assert len(list(sql_in(source))) == 1


@pytest.mark.parametrize(
    "source", ['"""Delete every response."""', '"DELETE"', 'api.call("DELETE", path)', "import psycopg"]
)
def test_what_is_no_sql_is_let_pass(source: str) -> None:
    assert not list(sql_in(source))


def test_sql_stands_in_the_store_alone() -> None:
    modules = {path.relative_to(APP).as_posix(): path for path in APP.rglob("*.py")}
    found = {
        name: list(sql_in(path.read_text()))
        for name, path in modules.items()
        if not name.startswith("store/") and name not in OTHER_LANGUAGES
    }
    assert "reports/nps.py" in found
    assert {name: places for name, places in found.items() if places} == {}
