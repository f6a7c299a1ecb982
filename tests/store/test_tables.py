"""The tables as they are described, against the tables that the migrations make."""

from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from app.store.tables import metadata
from app.store.tables.jobs import procrastinate
from tests.conftest import fresh_database

DESCRIBED = tuple(sorted(metadata.tables))

COLUMNS = """
SELECT attrelid::regclass::text, attname, format_type(atttypid, atttypmod), attnotnull, attidentity::text,
    pg_get_expr(adbin, adrelid)
FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE attnum > 0 AND NOT attisdropped AND attrelid = ANY(%s::regclass[])
"""
# Uniques are among the indexes, by the names that PostgreSQL gives them.
INDEXES = "SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = ANY(%s::regclass[])"
CONSTRAINTS = """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid = ANY(%s::regclass[])
"""
OPTIONS = "SELECT oid::regclass::text, reloptions FROM pg_class WHERE oid = ANY(%s::regclass[])"


@pytest.fixture(scope="module")
def migrated(module_database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(module_database_url, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def described(server: str) -> Iterator[psycopg.Connection]:
    """A database that is made from the descriptions alone."""
    with fresh_database(server, template="template0") as url:
        engine = create_engine(
            "postgresql+psycopg://", creator=lambda: psycopg.connect(url), poolclass=NullPool
        )
        metadata.create_all(engine)
        with psycopg.connect(url, autocommit=True) as connection:
            yield connection


def test_every_table_is_described(migrated: psycopg.Connection) -> None:
    found = migrated.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    ours = {name for (name,) in found if not name.startswith("procrastinate_")} - {"alembic_version"}
    assert set(DESCRIBED) == ours


@pytest.mark.parametrize("question", [COLUMNS, INDEXES, CONSTRAINTS, OPTIONS])
def test_they_are_the_tables_that_the_migrations_make(
    described: psycopg.Connection, migrated: psycopg.Connection, question: str
) -> None:
    as_described, as_migrated = (
        sorted(map(repr, connection.execute(question.encode(), [list(DESCRIBED)])))
        for connection in (described, migrated)
    )
    assert as_described == as_migrated


def test_procrastinate_has_the_columns_that_we_read(migrated: psycopg.Connection) -> None:
    for table in procrastinate.tables.values():
        found = migrated.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass", [table.name]
        ).fetchall()
        assert set(table.c.keys()) <= {name for (name,) in found}
