"""Our actions in rasa-sdk's own server: `make test-rasa` runs this where rasa-sdk is installed."""

import asyncio
import json
import sys
import zlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from app.config import Settings
from tests.chatbot.rasa.assistant import DOMAIN, START, Assistant
from tests.chatbot.rasa.processes import a_process
from tests.transcripts import DIRECTORY, load

ROOT = DIRECTORY.parents[1]
RECORDED = [
    json.loads(line)
    for line in (Path(__file__).parent / "recorded-requests.jsonl").read_text(encoding="utf-8").splitlines()
]


pytestmark = [
    pytest.mark.rasa_sdk,
    pytest.mark.skipif(
        find_spec("rasa_sdk") is None, reason="rasa-sdk has an environment of its own: make test-rasa"
    ),
]


@pytest.fixture
async def http(settings: Settings, database_url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with an_action_server(settings, database_url) as running:
        yield running


def an_action_server(settings: Settings, database_url: str) -> AbstractAsyncContextManager[httpx.AsyncClient]:
    """``python -m rasa_sdk --actions app.chatbot.rasa_actions`` on a free port."""
    environment = {
        "ZEROTEN_DATABASE_URL": database_url,
        "ZEROTEN_DATA_DIR": str(settings.data_dir),
        "SANIC_HOST": "127.0.0.1",
    }
    command = [sys.executable, "-m", "rasa_sdk", "--actions", "app.chatbot.rasa_actions"]
    return a_process(command, ROOT, environment, "/health", settings.data_dir / "action-server.log")


async def test_it_hosts_the_survey_and_speaks_the_protocol(
    http: httpx.AsyncClient, database_url: str
) -> None:
    names = [each["name"] for each in (await http.get("/actions")).json()]
    assert names == DOMAIN["actions"]
    await check_recorded(http)
    await check_refusals(http)
    for transcript in load():
        if transcript.name in {"en_promoter", "pl_detractor_callback", "stop_midway"}:
            assistant = Assistant(http)
            await assistant.say(START, {"language": transcript.language, "queue": transcript.name})
            for exchange in transcript.exchanges[1:]:
                assert exchange.caller is not None
                await assistant.say(exchange.caller.text)
            assert assistant.form is None
            assert score_of(database_url, transcript.name) == transcript.result.score


async def check_recorded(http: httpx.AsyncClient) -> None:
    for recorded in RECORDED:
        plain = json.dumps(recorded["req"]).encode()
        for content, encoding in ((plain, {}), (zlib.compress(plain), {"content-encoding": "deflate"})):
            answer = await http.post(
                "/webhook", content=content, headers={"content-type": "application/json", **encoding}
            )
            known = recorded["req"]["next_action"] in DOMAIN["actions"]
            assert answer.status_code == (recorded["status"] if known else 404)
            assert not known or set(answer.json()) == {"events", "responses"}


async def check_refusals(http: httpx.AsyncClient) -> None:
    call = Assistant(http).request("action_nps_finish")
    for changes, status in (
        ({"next_action": "unknown"}, 404),
        ({"domain": None}, 449),
        ({"tracker": {}}, 500),
    ):
        answer = await http.post("/webhook", json=call | changes)
        assert answer.status_code == status
        assert answer.json()["error"]


def score_of(database_url: str, queue: str) -> Any:
    with psycopg.connect(database_url) as connection:
        row = connection.execute("SELECT score FROM responses WHERE queue = %s", (queue,)).fetchone()
    return row and row[0]


async def test_with_no_database_it_apologises(settings: Settings) -> None:
    nowhere = "postgresql://nobody@127.0.0.1:1/none?connect_timeout=1"
    async with an_action_server(settings, nowhere) as http:
        assistant = Assistant(http)
        await assistant.say(START)
        assert assistant.texts == [
            "Sorry, we have a technical problem and have to stop here. Thank you for your time."
        ]
        assert assistant.form is None
        assert assistant.slots["nps_answer"] is None
        log = await asyncio.to_thread((settings.data_dir / "action-server.log").read_text)
        assert '"event": "rasa_action_failed"' in log, "it is logged as everything else of ours is"
