"""What the logs say, and what they never say: numbers, names, comments, secrets."""

import asyncio
import base64
import json
import logging
import os
import re
import re._parser as parser  # type: ignore[import-not-found]  # the standard library's own, without types
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import httpx
import psycopg
import pytest
import socketio
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from app import logs
from app.config import Settings
from app.errors import StartError
from app.rehearsal.clock import PacedClock
from app.rehearsal.people import Phone, ScriptedCaller, read_script
from app.rehearsal.twilio import RehearsedCarrier, serving
from app.rehearsal.twilio.faults import Faults
from tests.carrier.peer import Peer, Reply
from tests.line import ACCOUNT, DONE, OURS, TOKEN, a_line, eventually, interaction
from tests.ports import free_port

ROOT = Path(__file__).parents[1]
NUMBER, UNLUCKY, LOST = "+48601234567", "+48609876543", "+48605550199"
COMMENT = "the invoice of mister Grzegorz was wrong again"
NAME, EMAIL, CRM_ID = "Grzegorz Brzęczyszczykiewicz", "grzegorz@private.example", "crm-0035g00000XyZ"
ADMIN = "the-admin-key-that-nobody-may-read"
PASSWORD = "the-password-of-the-database"
HOOK_SECRET = base64.b64encode(b"a secret of thirty-two bytes ...").decode()
SECRETS = [
    *(each.lstrip("+") for each in (NUMBER, UNLUCKY, LOST)),
    *(quote(each, safe="") for each in (NUMBER, UNLUCKY, LOST)),
    COMMENT, "Grzegorz", "mister", "Brz", EMAIL, quote(EMAIL, safe=""), TOKEN, ADMIN, PASSWORD, HOOK_SECRET,
    base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode(),
]  # fmt: skip


# A running process


@dataclass
class Process:
    """``zeroten serve`` with everything it has said so far."""

    http: httpx.AsyncClient
    said: bytearray

    @property
    def lines(self) -> list[str]:
        return self.said.decode().splitlines()

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(each) for each in self.lines]


@asynccontextmanager
async def serving_process(environment: dict[str, str], directory: Path) -> AsyncIterator[Process]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "from app.cli.main import main; main()", "serve", "--port", str(port),
        cwd=directory,
        env=os.environ | environment | {"ZEROTEN_PUBLIC_URL": url, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    assert process.stdout is not None
    said = bytearray()

    async def listen(stream: asyncio.StreamReader) -> None:
        while block := await stream.read(65536):
            said.extend(block)

    listening = asyncio.create_task(listen(process.stdout))
    headers = {"Authorization": f"Bearer {ADMIN}"}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=20) as http:

        async def up() -> bool:
            assert process.returncode is None, said.decode()
            try:
                return (await http.get("/readyz")).status_code == 200
            except httpx.TransportError:
                return False

        try:
            await eventually(up, said.decode)
            yield Process(http, said)
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
            await process.wait()
            await listening


def a_carrier() -> RehearsedCarrier:
    def phone(number: str) -> Phone:
        clock = PacedClock(0)
        script = f"9# | {COMMENT}" if number != UNLUCKY else f"3# | {COMMENT}"
        return Phone(ScriptedCaller(read_script(script), clock), clock)

    return RehearsedCarrier(ACCOUNT, TOKEN, phone)


def customer(number: str) -> dict[str, Any]:
    return {
        "crm_id": f"{CRM_ID}-{number}",
        "phone": number,
        "name": NAME,
        "email": f"{number[-4:]}{EMAIL}",
        "consent": True,
    }


async def surveyed(process: Process, number: str, *statuses: str) -> str:
    item = interaction(customer=customer(number), attributes={"note": COMMENT})
    decided = (await process.http.post("/api/v1/interactions", json=item)).json()
    survey_id = str(decided["survey_id"])

    async def done() -> bool:
        await asyncio.sleep(0.1)
        return (await process.http.get(f"/api/v1/surveys/{survey_id}")).json()["status"] in statuses

    await eventually(done, process.said.decode)
    return survey_id


async def test_a_process_that_has_seen_everything_has_told_nothing(database_url: str, tmp_path: Path) -> None:
    carrier = a_carrier()
    carrier.fault_plan.tell(Faults(rest="breaks_afterwards"), LOST)
    async with Peer(Reply(500), Reply(400)) as receiver, serving.running(carrier) as carrier_url:
        environment = {
            "ZEROTEN_DATABASE_URL": database_url.replace("postgres@", f"postgres:{PASSWORD}@"),
            "ZEROTEN_DATA_DIR": str(tmp_path),
            "ZEROTEN_FLOWS_DIR": str(ROOT / "flows"),
            "ZEROTEN_TWILIO_ACCOUNT_SID": ACCOUNT,
            "ZEROTEN_TWILIO_AUTH_TOKEN": TOKEN,
            "ZEROTEN_TWILIO_API_URL": carrier_url,
            "ZEROTEN_TWILIO_FROM": OURS,
            "ZEROTEN_ADMIN_KEY": ADMIN,
            "ZEROTEN_CALLING_HOURS": "always",
            "ZEROTEN_CALL_DELAY_SECONDS": "0",
            "ZEROTEN_CALLS_PER_SECOND": "20",
            "ZEROTEN_WEBHOOK_URL": f"{receiver.url}/hook?token={ADMIN}",
            "ZEROTEN_WEBHOOK_SECRET": f"whsec_{HOOK_SECRET}",
            "ZEROTEN_ALLOW_PRIVATE_URLS": "true",
            "ZEROTEN_LOG_LEVEL": "DEBUG",
        }
        rules = "[{name: all, to: [ewa], phone: true}, {name: again, words: [invoice], to: [ola]}]"
        (tmp_path / "alerts.yml").write_text(
            f"recipients: {{ewa: json://{receiver.url[7:]}/{ADMIN}, ola: json://127.0.0.1:1/{ADMIN}}}\nrules: {rules}\n"
        )
        environment["ZEROTEN_ALERTS_FILE"] = str(tmp_path / "alerts.yml")
        async with serving_process(environment, tmp_path) as process:
            lost = asyncio.create_task(surveyed(process, LOST, *DONE))
            answered = await surveyed(process, NUMBER, "completed")
            with psycopg.connect(database_url, autocommit=True) as database:
                # From now on PostgreSQL refuses comments, and quotes the whole row in its error.
                database.execute("ALTER TABLE responses ADD CHECK (comment IS NULL) NOT VALID")
                unlucky = await surveyed(process, UNLUCKY, "partial")
                database.execute("ALTER TABLE surveys ADD CHECK (phone IS NULL) NOT VALID")
            bad = interaction(customer=customer("+48601112233"))
            assert (await process.http.post("/api/v1/interactions", json=bad)).status_code == 500
            bad = interaction(customer=customer(NUMBER) | {"phone": f"{NUMBER}99999"})
            assert (await process.http.post("/api/v1/interactions", json=bad)).status_code == 422
            await process.http.get("/api/v1/reports/nps", params={"queue": NUMBER, "from": EMAIL})
            await process.http.get("/", headers={"Authorization": f"Bearer x{ADMIN}"})
            await lost
    text = process.said.decode()
    for secret in [*SECRETS, "601112233"]:
        around = [
            text[max(0, found.start() - 300) : found.end() + 100]
            for found in re.finditer(re.escape(secret), text)
        ]
        assert not around, around[0]
    events = process.events
    assert {"event", "level", "logger", "timestamp"} <= set.intersection(*(set(each) for each in events))
    by_name = {each["event"]: each for each in events}
    assert logs.HIDDEN in by_name["voice_turn_failed"]["exception"]
    assert "CheckViolation" in by_name["voice_turn_failed"]["exception"]
    requests = {each["request_id"]: each for each in events if each["event"] == "answered"}
    assert requests[by_name["voice_turn_failed"]["request_id"]]["path"].startswith(
        f"/twilio/voice/en/{unlucky}/"
    )
    assert requests[by_name["unexpected_error"]["request_id"]]["status"] == 500
    assert by_name["alert_refused"]["recipient"] in ("ewa", "ola")
    assert by_name["outcome_unknown"]["survey_id"] not in (answered, unlucky)
    assert by_name["delivery_refused"]["survey_id"] in (answered, unlucky)


async def test_whoever_chats_leaves_no_token_in_the_log(database_url: str, tmp_path: Path) -> None:
    environment = {
        "ZEROTEN_DATABASE_URL": database_url,
        "ZEROTEN_DATA_DIR": str(tmp_path),
        "ZEROTEN_FLOWS_DIR": str(ROOT / "flows"),
        "ZEROTEN_ADMIN_KEY": ADMIN,
        "ZEROTEN_LOG_LEVEL": "DEBUG",
    }
    async with serving_process(environment, tmp_path) as process:
        item = interaction(channel="chat", survey_by="chat", customer={"crm_id": "chatting"})
        token = str((await process.http.post("/api/v1/interactions", json=item)).json()["chat"]["token"])
        assert (await process.http.get(f"/chat/{token}")).status_code == 200
        posted = {"sender": token, "message": COMMENT}
        assert (await process.http.post("/webhooks/rest/webhook", json=posted)).status_code == 200
        async with aiohttp.ClientSession() as http:
            client = socketio.AsyncClient(reconnection=False, http_session=http)
            await client.connect(str(process.http.base_url), transports=["websocket"], auth={"token": token})
            await client.call("user_uttered", {"message": COMMENT, "customData": {"token": token}})
            await client.disconnect()
            for path in (f"/{'x' * 4000}?token={token}", "/twilio/stream/" + "y" * 4000):
                with pytest.raises(aiohttp.WSServerHandshakeError):
                    await http.ws_connect(f"{process.http.base_url}{path}")
    text = process.said.decode()
    assert token.partition(".")[0] not in text
    assert COMMENT not in text
    assert max(len(each) for each in process.lines) < 2000
    paths = [each["path"] for each in process.events if each["event"] == "answered"]
    assert f"/chat/{logs.HIDDEN}" in paths


async def test_the_libraries_tell_nothing_even_when_everything_is_logged(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """Without our processors in between: what reaches the log at all."""
    for name in ("procrastinate", "psycopg", "psycopg.pool", "httpx", "twilio", "uvicorn"):
        caplog.set_level(logging.DEBUG, logger=name)
    caplog.set_level(logging.DEBUG)
    secret = SecretStr(f"whsec_{HOOK_SECRET}")
    async with Peer(Reply(200)) as receiver:
        hook: dict[str, Any] = {
            "webhook_url": f"{receiver.url}/hook",
            "webhook_secret": secret,
            "allow_private_urls": True,
        }
        async with a_line(settings, **hook) as line:
            await line.survey(NUMBER, f"9# | {COMMENT}", customer=customer(NUMBER))

            async def announced() -> bool:
                return bool(receiver.seen)

            await eventually(announced)
    loggers = {each.name.split(".")[0] for each in caplog.records}
    assert {"procrastinate", "httpx"} <= loggers
    for secret_text in SECRETS:
        around = [each.getMessage() for each in caplog.records if secret_text in each.getMessage()]
        assert not around, around[0]


async def test_what_holds_every_part_is_shown_without_them(settings: Settings) -> None:
    async with a_line(settings, worker=False) as line:
        assert len(repr(line)) < 1_000


async def test_an_unknown_level_stops_the_start() -> None:
    with pytest.raises(StartError, match="ZEROTEN_LOG_LEVEL"):
        logs.set_up("LOUD")


# One line


def hidden(**event: Any) -> dict[str, Any]:
    return dict(logs.hide_private(None, "info", event))


@pytest.mark.parametrize(
    "text",
    [
        "calling +48221234567",
        "calling +48 22 123 45 67 now",
        "calling +1 (555) 010-9999",
        "calling 0048221234567",
        "GET /Calls.json?To=%2B48221234567&From=x",
        "GET /Calls.json?To=%2b48221234567",
        "from ewa.k+x@example.co.uk to us",
        "?email=ewa%40example.com",
        "postgresql://zeroten:48221234567hush@db/x",
    ],
)
async def test_numbers_addresses_and_passwords_are_taken_out_of_any_text(text: str) -> None:
    told = logs.hide(text)
    assert logs.HIDDEN in told
    for private in ("221234567", "22 123 45 67", "9999", "ewa", "hush"):
        assert private not in told


@pytest.mark.parametrize(
    "text",
    [
        "3f0a1c52-0012-4f3c-9a00-001234567890",
        "2026-11-21T10:15:00.001234+00:00",
        "HTTP 200 in 0.00123 s",
        "postgresql://zeroten@db:5432/zeroten",
        "call-8841 CA00000000000000000000000000000000",
        "9#",
    ],
)
async def test_what_is_no_ones_stays(text: str) -> None:
    assert logs.hide(text) == text


@given(st.from_regex(r"\+[1-9][0-9]{8,13}", fullmatch=True), st.sampled_from(["", " ", "-", ".", " ("]))
async def test_a_number_is_hidden_however_it_is_spaced(number: str, space: str) -> None:
    spaced = number[:3] + space + space.join(number[place : place + 3] for place in range(3, len(number), 3))
    told = logs.hide(f"to {spaced}, then")
    assert told == f"to {logs.HIDDEN}, then"


# What was searched for before a search had to be quick.
FORMER = (
    re.compile(r"(://[^:/@\s]+:)[^@/\s]+@"),
    re.compile(r"[\w.+-]+(?:@|%40)[\w-]+\.[\w.-]+", re.IGNORECASE),
)
PIECES = st.sampled_from(
    ["ewa", "a.b+c", "@", "%40", "x.pl", ".", "-", "://", ":", "/", " ", "+48221234567", "é", "%"]
)


@given(st.lists(PIECES | st.text(max_size=3), max_size=12).map("".join))
async def test_the_quick_searches_find_what_the_slow_ones_found(text: str) -> None:
    password, email = FORMER
    without_passwords = password.sub(rf"\1{logs.HIDDEN}@", text)
    assert logs.URL_PASSWORD.sub(rf"\1{logs.HIDDEN}@", text) == without_passwords
    assert logs.EMAIL.sub(logs.HIDDEN, text) == email.sub(logs.HIDDEN, text)


def repeats(parsed: Any) -> Iterator[tuple[Any, Any]]:
    """Every repetition in a parsed pattern: its kind, and how often at the most."""
    for kind, arguments in parsed:
        if kind in (parser.MAX_REPEAT, parser.MIN_REPEAT, parser.POSSESSIVE_REPEAT):
            yield kind, arguments[1]
        for each in arguments if isinstance(arguments, tuple) else (arguments,):
            for inner in each if isinstance(each, list) else (each,):
                if isinstance(inner, parser.SubPattern):
                    yield from repeats(inner)


@pytest.mark.parametrize("pattern", [logs.NUMBER, logs.EMAIL, logs.URL_PASSWORD])
async def test_no_search_goes_back_over_what_repeats_without_an_end(pattern: re.Pattern[str]) -> None:
    found = list(repeats(parser.parse(pattern.pattern)))
    assert found
    assert all(kind is parser.POSSESSIVE_REPEAT or most <= 15 for kind, most in found), found


async def test_private_fields_are_hidden_whole_and_the_rest_is_searched_however_deep() -> None:
    event = hidden(
        event="turn",
        comment="slow",
        to=48221234567,
        phone=None,
        seconds=0.25,
        form={
            "SpeechResult": "I am +48221234567",
            "body": "hush",
            "inner": [{"text": "hush"}, "ewa@example.com"],
        },
        error=ValueError("no +48221234567"),
        pair=("a", "+48221234567"),
    )
    assert event == {
        "event": "turn",
        "comment": logs.HIDDEN,
        "to": logs.HIDDEN,
        "phone": None,
        "seconds": 0.25,
        "form": {
            "SpeechResult": f"I am {logs.HIDDEN}",
            "body": logs.HIDDEN,
            "inner": [{"text": logs.HIDDEN}, logs.HIDDEN],
        },
        "error": f"no {logs.HIDDEN}",
        "pair": ["a", logs.HIDDEN],
    }


async def test_what_the_database_quotes_is_hidden_and_the_traceback_goes_on() -> None:
    text = (
        "psycopg.errors.CheckViolation: new row violates check\nDETAIL:  Failing row contains (slow\n\nand rude, 3).\n"
        "\nThe above exception was the direct cause of the following exception:\n\nTraceback: x\nRuntimeError: y"
    )
    told = logs.hide(text)
    assert "rude" not in told
    assert "slow" not in told
    assert "new row violates check" in told
    assert told.endswith("RuntimeError: y")


async def test_a_librarys_lines_pass_the_same_way(capfd: pytest.CaptureFixture[str]) -> None:
    """In a process of its own, because logging is the process's."""
    program = (
        "import logging, structlog\nfrom app import logs\nlogs.set_up('debug')\n"
        "structlog.contextvars.bind_contextvars(request_id='r1')\n"
        "library = logging.getLogger('some.library')\n"
        "library.debug('to %s', '+48221234567')\n"
        "library.info('form %s', {'body': 'x', 'From': '+48221234567'})\n"
        "try:\n    raise ValueError('ewa@example.com')\n"
        "except ValueError:\n    library.exception('failed')\n"
        "    structlog.get_logger('ours').exception('failed', sid='CA1')\n"
        "logging.getLogger('httpx').info('GET https://a.example/?To=%2B48221234567')\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, cwd=ROOT, stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate()
    assert process.returncode == 0, said.decode()
    lines = [json.loads(each) for each in said.decode().splitlines()]
    assert [each["event"] for each in lines] == [
        f"to {logs.HIDDEN}", f"form {{'body': 'x', 'From': '{logs.HIDDEN}'}}", "failed", "failed",
    ]  # fmt: skip
    assert {each["request_id"] for each in lines} == {"r1"}
    assert [each["level"] for each in lines] == ["debug", "info", "error", "error"]
    assert all(logs.HIDDEN in each["exception"] for each in lines[2:])
    assert "ewa" not in said.decode()
    assert capfd.readouterr().out == ""
    assert logging.getLogger().handlers != []
