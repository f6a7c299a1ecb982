"""Exports that are downloaded slowly, or not at all, and what else goes on meanwhile."""

import socket
from collections.abc import AsyncIterator
from contextlib import ExitStack

import httpx
import pytest
import pytest_asyncio

from app.services import EXPORTS_AT_ONCE
from tests.line import ADMIN, Line, eventually
from tests.rows import execute

pytestmark = pytest.mark.asyncio(loop_scope="module")

DOWNLOADS = 25
# More than the buffers between the server and somebody who reads nothing.
LARGE = """
INSERT INTO responses (survey_id, interaction_id, crm_id, queue, agent, channel, language, score, band, comment,
    answered_at, flow_version, attributes)
SELECT gen_random_uuid(), 'large-' || n, 'crm', 'large', 'anna', 'voice', 'en', 9, 'promoter', repeat('slowly ', 250),
    now(), '1.0', '{}'
FROM generate_series(1, 20000) AS n
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def large(line: Line) -> AsyncIterator[None]:
    """35 MB of responses."""
    async with line.services.pool.connection() as connection, connection.transaction():
        await connection.execute("SET LOCAL session_replication_role = replica")  # without their surveys
        await connection.execute(LARGE)
    yield
    await execute(line.services.pool, "DELETE FROM responses WHERE queue = 'large'")


def begin(line: Line, form: str) -> socket.socket:
    """Ask for an export, and read none of it."""
    host, port = line.http.base_url.host, line.http.base_url.port
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    narrow.connect((host, port))
    asked = [f"GET /api/v1/exports/responses.{form}?queue=large HTTP/1.1", f"Host: {host}"]
    narrow.sendall("\r\n".join([*asked, f"Authorization: Bearer {ADMIN}", "", ""]).encode())
    return narrow


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize("form", ["csv", "jsonl"])
async def test_slow_downloads_keep_nobody_else_waiting(line: Line, form: str) -> None:
    with ExitStack() as stack:
        for _ in range(DOWNLOADS):
            stack.enter_context(begin(line, form))

        async def all_taken() -> bool:
            return bool(line.services.export_pool.get_stats()["requests_waiting"])

        await eventually(all_taken)
        for _ in range(10):
            assert (await line.http.get("/api/v1/reports/nps")).status_code == 200
        await line.trigger()
        assert line.services.export_pool.get_stats()["pool_size"] == EXPORTS_AT_ONCE
        answer = await line.http.get("/api/v1/exports/responses.csv?queue=large")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")

    async def free_again() -> bool:
        answer = await line.http.get("/api/v1/exports/responses.csv?queue=nobody")
        return answer.status_code == httpx.codes.OK

    await eventually(free_again)
