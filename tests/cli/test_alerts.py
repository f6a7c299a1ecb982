"""``zeroten alerts``: what operators see of their rules."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import yaml
from typer.testing import CliRunner, Result

from app.alerts.services import AlertOutcomeUnknown, AlertRefused
from app.cli import alerts
from app.cli.alerts import alerts_cli
from app.config import Settings
from app.errors import StartError
from app.store import Pool
from tests.alerts.test_alerts import DIGEST
from tests.alerts.told import RULE, a_desk
from tests.carrier.peer import Peer, Reply


def run(settings: Settings, *arguments: str) -> Result:
    alerts.console.width = 160
    return CliRunner().invoke(alerts_cli, list(arguments), obj=lambda: settings, catch_exceptions=False)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "alerts.yml"


def with_file(file: Path, content: Mapping[str, Any], **changes: Any) -> Settings:
    file.write_text(yaml.safe_dump(dict(content)), encoding="utf-8")
    return Settings(_env_file=None, alerts_file=file, **changes)


def content(url: str) -> dict[str, Any]:
    rules = [
        {"name": "angry", "to": ["ewa"], "queues": ["billing"], "scores": "0-2", "words": ["cancel*"], "callback": True,
         "phone": True, "language": "pl"},
        {"name": "morning", "to": ["ewa"], "send": "digest", "digest_at": ["08:00"],
         "quiet_hours": {"from": "20:00", "until": "07:00"}, "time_zone": "Europe/Oslo"},
        {"name": "all", "to": ["ewa"]},
    ]  # fmt: skip
    return {"recipients": {"ewa": url}, "operators": ["ewa"], "rules": rules}


def test_check_says_every_rule_in_a_sentence(file: Path) -> None:
    shown = run(with_file(file, content("json://hook.example/TheSecret"), allow_private_urls=True), "check")
    assert shown.exit_code == 0
    assert shown.output.splitlines() == [
        "ewa: JSON, an operator",
        "angry: queues billing; scores 0, 1, 2; words cancel*; a call back was asked for. Tells ewa at once, in pl,"
        " with the customer's number.",
        "morning: every answer. Tells ewa in a digest at 08:00, held from 20:00 until 07:00 (Europe/Oslo), in en.",
        "all: every answer. Tells ewa at once, in en.",
        "More than 5 alerts to one recipient within 10 minutes become one message.",
    ]


def test_check_finds_an_address_in_a_private_network(file: Path) -> None:
    shown = run(with_file(file, content("json://127.0.0.1/TheSecret")), "check")
    assert shown.exit_code == 1
    assert "ewa: JSON, an operator: its host leads into a private network" in shown.output
    assert "TheSecret" not in shown.output


def test_without_a_file_there_is_nothing_to_check(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="ZEROTEN_ALERTS_FILE"):
        run(Settings(_env_file=None, data_dir=tmp_path), "check")


async def test_a_test_alert_is_marked_and_what_happened_is_said(file: Path) -> None:
    async with Peer(Reply(200), Reply(403)) as peer:
        settings = with_file(
            file, content(f"{peer.url.replace('http', 'json')}/TheSecret"), allow_private_urls=True
        )
        sent = await asyncio.to_thread(run, settings, "test", "angry")
        refused = await asyncio.to_thread(run, settings, "test", "angry")
    assert (sent.exit_code, sent.output) == (0, "ewa (JSON): sent; the service took it\n")
    assert (refused.exit_code, refused.output) == (1, "ewa (JSON): not sent: the service answered 403\n")
    posted = json.loads(peer.seen[0].body)
    assert posted["title"] == "TEST: 0 na 10, kolejka billing: prośba o telefon"
    assert "To tylko próba" in posted["message"]


def test_a_rule_that_is_not_there_is_named_with_those_that_are(file: Path) -> None:
    with pytest.raises(StartError, match="there is no rule calm; there are: angry, morning, all"):
        run(with_file(file, content("json://hook.example/TheSecret")), "test", "calm")


async def test_list_shows_how_each_alert_stands_and_nobodys_name(pool: Pool, settings: Settings) -> None:
    desk = await a_desk(pool, replace(RULE, to=("ola",)), DIGEST, operators=("ewa",))
    desk.ola.answers = [
        AlertRefused("the service answered 500"),
        AlertOutcomeUnknown("no answer within 40 seconds"),
    ]
    first = await desk.answered(1, "secret words")
    await desk.send()
    desk.clock.forward(minutes=1)
    await desk.alerts.alarm("hubspot takes nothing", "at all")
    await desk.send()
    shown = (await asyncio.to_thread(run, settings, "list")).output
    assert "unknown 12:01 after 2 tries: no answer within 40 seconds" in shown
    assert "waiting for its digest until 15:00" in shown
    assert "operators" in shown
    assert "1 in billing" in shown
    assert str(UUID(str(first))) in shown
    assert "secret words" not in shown
