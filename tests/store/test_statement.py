"""Statements: what their text becomes, and what they give."""

from contextlib import aclosing

import psycopg
import pytest
from psycopg.pq import TransactionStatus
from sqlalchemy import bindparam, func, literal, select
from sqlalchemy.dialects.postgresql import insert

from app.store import Pool
from app.store.keys import StoredKey
from app.store.statement import Statement, columns, given, parameters
from app.store.tables import api_keys, delivery_log, surveys

WRITE = Statement.of(
    insert(api_keys).values(parameters("id", "name", "digest", "scope")).on_conflict_do_nothing()
)
READ = Statement.of(select(*columns(StoredKey, api_keys)).where(api_keys.c.id == bindparam("id")), StoredKey)
READ_ALL = Statement.sql("SELECT id, name, digest, scope FROM api_keys ORDER BY id", StoredKey)
NAMES = Statement.of(select(api_keys.c.name).order_by(api_keys.c.name))
COUNT = Statement.of(select(func.count()).select_from(api_keys))

DESK = StoredKey("k1", "desk", b"digest", "read")
SOURCE = StoredKey("k2", "source", b"digest", "write")


def test_constants_stand_in_the_text_and_what_comes_from_outside_does_not() -> None:
    statement = Statement.of(
        select(surveys.c.id).where(
            surveys.c.status.in_(["scheduled", "contacting"]),
            surveys.c.turn_no > 3,
            surveys.c.queue == bindparam("queue"),
        )
    )
    assert statement.text.decode().partition("WHERE ")[2] == (
        "surveys.status IN ('scheduled', 'contacting') AND surveys.turn_no > 3 AND surveys.queue = %(queue)s::VARCHAR"
    )


def test_an_insert_asks_for_nothing_back_unless_it_says_so() -> None:
    statement = Statement.of(insert(delivery_log).values(parameters("destination")))
    assert b"RETURNING" not in statement.text


@pytest.mark.parametrize("constant", ["50%", "%(id)s", "it's", "a\\b", "Łódź 😀", ":name"])
async def test_a_constant_reaches_the_server_as_it_is(pool: Pool, constant: str) -> None:
    async with pool.connection() as connection:
        assert await Statement.of(select(literal(constant))).one(connection) == constant


async def test_rows_become_what_the_statement_says(pool: Pool) -> None:
    async with pool.connection() as connection:
        assert await READ.first(connection, id="k1") is None
        assert [await WRITE.execute(connection, **vars(key)) for key in (DESK, DESK, SOURCE)] == [1, 0, 1]
        assert await READ.first(connection, id="k1") == await READ.one(connection, id="k1") == DESK
        assert await READ_ALL.all(connection) == [DESK, SOURCE]
        assert await NAMES.all(connection) == ["desk", "source"]
        assert await NAMES.first(connection) == "desk"
        assert await COUNT.one(connection) == 2


async def test_a_missing_value_is_refused(pool: Pool) -> None:
    async with pool.connection() as connection:
        with pytest.raises(psycopg.ProgrammingError, match="parameter missing: id"):
            await READ.first(connection)


async def test_rows_come_in_batches_and_whoever_leaves_early_leaves_no_transaction(pool: Pool) -> None:
    numbers = Statement.sql("SELECT generate_series(1, %(last)s)", int)
    async with pool.connection() as connection:
        async with aclosing(numbers.batches(connection, 2, last=5)) as batches:
            assert [batch async for batch in batches] == [[1, 2], [3, 4], [5]]
        async with aclosing(numbers.batches(connection, 2, last=5)) as batches:
            assert await anext(batches) == [1, 2]
        assert connection.info.transaction_status == TransactionStatus.IDLE


def test_a_filter_without_a_value_is_left_out() -> None:
    filters = {name: surveys.c[name] == bindparam(name) for name in ("queue", "channel", "turn_no")}
    chosen = given(filters, {"queue": None, "channel": "", "turn_no": 0})
    assert [str(condition) for condition in chosen] == [
        "surveys.channel = :channel",
        "surveys.turn_no = :turn_no",
    ]
