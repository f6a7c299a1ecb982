"""The survey in a real Rasa server: `make test-rasa-server`. It needs Python 3.10 and about 2.4 GB.

``RASA_SERVER_PYTHON`` (set by make) is the Python that has requirements/rasa-server.txt.
"""

import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from app.config import Settings
from app.web import access
from tests.chatbot.rasa.assistant import FLOWS
from tests.chatbot.rasa.processes import a_process
from tests.line import Line, a_line

PYTHON = os.environ.get("RASA_SERVER_PYTHON", "")
TRAINING_SECONDS = 300
QUIET = {
    "RASA_TELEMETRY_ENABLED": "false",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
}

pytestmark = [
    pytest.mark.rasa_server,
    pytest.mark.skipif(not PYTHON, reason="needs a Rasa server: make test-rasa-server"),
]


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Rasa project that is flows/rasa/ and nothing else, trained."""
    directory = tmp_path_factory.mktemp("rasa") / "project"
    shutil.copytree(FLOWS, directory)
    rasa = [PYTHON, "-m", "rasa"]
    for command in (["data", "validate", "--fail-on-warnings"], ["train", "--fixed-model-name", "nps"]):
        done = subprocess.run(
            [*rasa, *command], cwd=directory, env=os.environ | QUIET, timeout=TRAINING_SECONDS,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
    return directory


@pytest.fixture
async def line(settings: Settings) -> AsyncIterator[Line]:
    async with a_line(settings, worker=False) as running:
        yield running


@pytest.fixture
async def rasa(line: Line, project: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with line.services.pool.connection() as connection:
        key = await access.create(connection, "rasa", "chat")
    environment = QUIET | {"ZEROTEN_URL": str(line.http.base_url).rstrip("/"), "ZEROTEN_KEY": key}
    command = [PYTHON, "-m", "rasa", "run", "--enable-api", "--interface", "127.0.0.1"]
    async with a_process(command, project, environment, "/webhooks/rest/", project / "rasa.log") as http:
        yield http


async def say(http: httpx.AsyncClient, sender: str, text: str, **metadata: Any) -> list[dict[str, Any]]:
    body = {"sender": sender, "message": text, "metadata": metadata}
    answer = await http.post("/webhooks/rest/webhook", json=body)
    assert answer.status_code == 200
    return list(answer.json())


def texts(said: list[dict[str, Any]]) -> list[str]:
    return [each["text"] for each in said]


async def responses(line: Line) -> list[tuple[Any, ...]]:
    async with line.services.pool.connection() as connection:
        cursor = await connection.execute(
            "SELECT queue, agent, language, score, comment FROM responses ORDER BY answered_at"
        )
        return await cursor.fetchall()


async def test_a_real_rasa_server_hosts_the_survey(line: Line, rasa: httpx.AsyncClient) -> None:
    wording = line.services.flows["nps"].wording("en")
    known = {"queue": "billing", "agent": "anna"}
    sender = uuid4().hex

    greeting = await say(rasa, sender, "start the survey", **known)
    assert [each["payload"] for each in greeting[-1]["buttons"]] == [str(score) for score in range(11)]
    assert texts(await say(rasa, sender, "maybe, who knows")) == [
        wording.responses["score_unclear"].variant("chat")
    ]
    assert texts(await say(rasa, sender, "nine")) == [
        wording.responses["ask_reason_promoter"].variant("chat")
    ]
    assert texts(await say(rasa, sender, "I start the survey and it is fast")) == [
        wording.responses["thanks_promoter"].variant("chat").format(brand="our company")
    ]
    assert await responses(line) == [("billing", "anna", "en", 9, "I start the survey and it is fast")]
    assert await say(rasa, sender, "/start_survey", **known) == [], "asked already"
    tracker = (await rasa.get(f"/conversations/{sender}/tracker")).json()
    assert tracker["active_loop"] == {}
    assert tracker["slots"]["nps_answer"] is tracker["slots"]["nps_survey"] is None

    sender = uuid4().hex
    await say(rasa, sender, "/start_survey", language="pl", queue="billing")
    stopped = texts(await say(rasa, sender, "stop"))
    assert stopped == [line.services.flows["nps"].wording("pl").responses["opted_out"].variant("chat")]

    sender = uuid4().hex
    await say(rasa, sender, "hello", queue="sales")
    await rasa.post(
        f"/conversations/{sender}/trigger_intent",
        params={"output_channel": "latest"},
        json={"name": "start_survey"},
    )
    await say(rasa, sender, "0")
    assert (await responses(line))[-1][:4] == ("sales", "", "en", 0)

    sender = uuid4().hex
    assert await say(rasa, sender, "/start_survey", consent=False) == []
    assert texts(await say(rasa, sender, "start the survey", consent=False)) == [
        wording.responses["not_now"].variant("chat")
    ]

    sender = uuid4().hex
    await say(rasa, sender, "/start_survey")
    async with line.services.pool.connection() as connection:
        await connection.execute("ALTER TABLE surveys RENAME TO moved")
    apology = [wording.responses["apology"].variant("chat")]
    assert texts(await say(rasa, sender, "9")) == apology
    async with line.services.pool.connection() as connection:
        await connection.execute("ALTER TABLE moved RENAME TO surveys")
    again = texts(await say(rasa, sender, "/start_survey"))
    assert again == texts(greeting), "the form had ended, and the survey is still there"
