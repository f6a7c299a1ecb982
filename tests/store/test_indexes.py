"""Each partial index is found by the statement that it was made for, whatever plan the server uses."""

import json
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
import pytest

from app.config import Settings
from app.store import (
    Connection,
    alert_messages,
    alerts,
    correspondence,
    deliveries,
    destinations,
    pushes,
    recordings,
    suppressions,
    threads,
    turns,
)
from app.store.database import connected
from app.store.statement import Statement
from app.store.tables import metadata

# Where a row of a thousand answers the question, as it is after some months.
MANY_ROWS = """
INSERT INTO interactions (id, channel, queue, ended_at, language, survey_by, decision, attributes)
SELECT n::text, 'voice', 'billing', now(), 'en', 'voice', 'scheduled',
    CASE WHEN n % 2 = 0 THEN jsonb_build_object('conversation_sid', 'CH' || n) ELSE '{}' END
FROM generate_series(1, 5000) AS n;

INSERT INTO surveys (id, interaction_id, person, phone, queue, channel, language, status, due_at)
SELECT lpad(n::text, 32, '0')::uuid, n, 'phone:' || n % 100, n % 100, 'billing', 'voice', 'en',
    CASE WHEN n <= 50 THEN 'contacting' ELSE 'completed' END, now() FROM generate_series(1, 5000) AS n;

INSERT INTO turns (survey_id, number, said, receipt)
SELECT id, 0, '[]', CASE WHEN turn_no % 2 = 0 THEN interaction_id END FROM surveys;

INSERT INTO responses (survey_id, interaction_id, queue, channel, language, score, band, flow_version)
SELECT id, interaction_id, queue, channel, language, 0, 'detractor', 'nps 1' FROM surveys;

INSERT INTO deliveries (survey_id, destination, version, status)
SELECT id, CASE WHEN phone IN ('1', '2') THEN 'crm' ELSE 'sheet ' || phone END, 1,
    CASE phone WHEN '1' THEN 'waiting' WHEN '2' THEN 'refused' ELSE 'delivered' END FROM surveys;

INSERT INTO alerts (survey_id, recipient, rule, due_at, created_at, status, message, taken_at)
SELECT id, 'desk', 'all', now(), now(), CASE phone WHEN '1' THEN 'waiting' WHEN '2' THEN 'sending' ELSE 'sent' END,
    CASE WHEN phone <> '1' THEN id END, CASE WHEN phone <> '1' THEN now() - phone::int * interval '1 day' END
FROM surveys;

INSERT INTO recordings (sid, survey_id, status, delete_after)
SELECT 'RE' || interaction_id, id, CASE phone WHEN '1' THEN 'kept' ELSE 'deleted' END, now() FROM surveys;

ANALYZE;
"""

NOW = datetime.now(UTC)
MADE_FOR: list[tuple[str, Statement[Any], Mapping[str, object]]] = [
    ("alerts_by_message", alert_messages.WORST, {"message": UUID(int=17), "count": 5}),
    ("alerts_sending", alert_messages.MARK_LOST, {"before": NOW, "ended_at": NOW, "reason": "lost"}),
    ("alerts_taken", alerts.LATELY, {"recipient": "desk", "since": NOW}),
    ("alerts_waiting", alerts.DUE, {"recipient": "desk", "now": NOW}),
    ("alerts_waiting", alerts.OVERDUE, {"now": NOW}),
    ("deliveries_delivered", destinations.OVERVIEW, {"names": ["sheet 17"]}),
    ("deliveries_refused", destinations.OVERVIEW, {"names": ["crm"]}),
    ("deliveries_waiting", deliveries.COUNT_WAITING, {"destination": "crm"}),
    ("deliveries_waiting", deliveries.WAITING, {"name": ["crm"]}),
    ("deliveries_waiting", pushes.CLAIM, {"destination": "crm", "count": 5, "counted": 1}),
    ("interactions_by_conversation", threads.READ, {"sid": "CH18"}),
    ("one_open_survey_per_person", suppressions.CANCEL, {"addresses": ["phone:17"], "phones": ["17"]}),
    ("recordings_to_delete", recordings.DELETE_EXPIRED, {}),
    ("turns_by_receipt", correspondence.READ_RECEIPT, {"receipt": "17"}),
    ("turns_by_receipt", turns.KNOWS_RECEIPT, {"receipt": "17"}),
]


@pytest.fixture(scope="module")
def many_rows(module_settings: Settings) -> Settings:
    """Settings on a database in which the indexes are worth their while."""
    assert module_settings.database_url
    with psycopg.connect(module_settings.database_url.get_secret_value(), autocommit=True) as connection:
        connection.execute(MANY_ROWS)
    return module_settings


@pytest.fixture
async def connection(many_rows: Settings) -> AsyncIterator[Connection]:
    """A connection whose changes are taken back."""
    async with connected(many_rows) as opened, opened.transaction(force_rollback=True):
        yield opened


async def plan(connection: Connection, statement: bytes, values: Mapping[str, object] | None = None) -> str:
    cursor = await connection.execute(b"EXPLAIN (FORMAT JSON) " + statement, values)
    return json.dumps(await cursor.fetchall())


cases = pytest.mark.parametrize(
    ("index", "statement", "values"), MADE_FOR, ids=[index for index, *_ in MADE_FOR]
)


@cases
async def test_it_is_found(
    connection: Connection, index: str, statement: Statement[Any], values: Mapping[str, object]
) -> None:
    assert f'"{index}"' in await plan(connection, statement.text, values)


@cases
async def test_it_is_found_by_a_prepared_statement_whose_plan_serves_all_values(
    connection: Connection, index: str, statement: Statement[Any], values: Mapping[str, object]
) -> None:
    await connection.execute("SET plan_cache_mode = force_generic_plan")
    for _ in range((connection.prepare_threshold or 0) + 1):
        await statement.execute(connection, **values)
    cursor = await connection.execute("SELECT name, cardinality(parameter_types) FROM pg_prepared_statements")
    ((name, parameters),) = await cursor.fetchall()
    nulls = f"({', '.join(['NULL'] * parameters)})" if parameters else ""
    assert f'"{index}"' in await plan(connection, f"EXECUTE {name}{nulls}".encode())


def test_each_partial_index_has_its_statement() -> None:
    """Save for those that are there to keep rows apart."""
    indexes = [index for table in metadata.tables.values() for index in table.indexes]
    partial = [index for index in indexes if index.dialect_options["postgresql"]["where"] is not None]
    found = {index for index, *_ in MADE_FOR}
    assert {index.name for index in partial if not index.unique} <= found <= {index.name for index in partial}
