"""From a call to the supervisor's phone, through the whole product."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import yaml

from app.config import Settings
from app.conversation import FollowResponse
from tests.carrier.peer import Peer, Reply
from tests.line import Line, a_line, eventually
from tests.rows import execute, rows


def alerting(settings: Settings, peer: Peer, tmp_path: Path, *rules: dict[str, Any]) -> Any:
    content = {
        "recipients": {"ewa": f"{peer.url.replace('http', 'json')}/hook"},
        "operators": ["ewa"],
        "rules": [{"name": f"rule {place}", "to": ["ewa"], **each} for place, each in enumerate(rules)],
    }
    path = tmp_path / "alerts.yml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return a_line(settings, alerts_file=path, allow_private_urls=True)


async def told(peer: Peer, count: int = 1) -> list[dict[str, Any]]:
    async def enough() -> bool:
        return len(peer.seen) >= count

    await eventually(enough, lambda: peer.seen)
    return [json.loads(each.body) for each in peer.seen]


async def settled(line: Line) -> None:
    async def nothing_waits() -> bool:
        return not await rows(
            line.services.pool,
            "SELECT 1 FROM procrastinate_jobs WHERE task_name IN ('follow_response', 'send_alerts')",
        )

    await eventually(nothing_waits)


async def test_a_detractors_call_is_told_of_while_there_is_time(settings: Settings, tmp_path: Path) -> None:
    rule = {"bands": ["detractor"], "phone": True}
    async with Peer(Reply(200)) as peer, alerting(settings, peer, tmp_path, rule) as line:
        happy = await line.survey("+48221234567", script="9# | lovely")
        story = await line.survey("+48221234568", script="2# | you charged me twice | 1")
        (posted,) = await told(peer)
        await settled(line)
        assert len(peer.seen) == 1
        assert posted["title"].startswith("2 of 10 in billing")
        assert "+48221234568" in posted["message"]
        assert "“you charged me twice” (automatic transcript)" in posted["message"]
        assert "23 h 59 min left to get in touch" in posted["message"]
        assert posted["message"].endswith(f"/api/v1/surveys/{story['survey_id']}")
        assert happy["survey_id"] not in posted["message"]


async def test_a_transcript_that_comes_later_is_told_of_and_only_once(
    settings: Settings, tmp_path: Path
) -> None:
    async with (
        Peer(Reply(200)) as peer,
        alerting(settings, peer, tmp_path, {"words": ["lawyer"]}) as line,
    ):
        story = await line.survey(script="3# | /hangup")
        await settled(line)
        assert peer.seen == []
        for _ in range(3):
            await execute(
                line.services.pool, "UPDATE responses SET comment = 'My Lawyer', comment_source = 'recording'"
            )
            again = FollowResponse(UUID(story["survey_id"]))
            async with line.services.pool.connection() as connection:
                await line.services.jobs.defer(connection, again)
            await settled(line)
        (posted,) = await told(peer)
        assert "“My Lawyer” (automatic transcript)" in posted["message"]


async def test_operators_hear_of_an_alarm(settings: Settings, tmp_path: Path) -> None:
    async with Peer(Reply(503), Reply(200)) as peer, alerting(settings, peer, tmp_path, {}) as line:
        await line.services.alerts.alarm("hubspot takes no answers", "Wrong credentials. 312 answers wait.")
        await told(peer)
        await settled(line)
        await execute(line.services.pool, "UPDATE alerts SET due_at = now() WHERE status = 'waiting'")
        await line.services.alerts.send_waiting_alerts()
        (_, second) = await told(peer, 2)
        assert (second["title"], second["message"]) == (
            "hubspot takes no answers", "Wrong credentials. 312 answers wait.",
        )  # fmt: skip


async def test_waiting_alerts_are_counted_for_prometheus(settings: Settings, tmp_path: Path) -> None:
    rule = {"send": "digest", "digest_at": ["08:00"]}
    async with Peer(Reply(200)) as peer, alerting(settings, peer, tmp_path, rule) as line:
        await line.survey()
        await settled(line)
        assert "zeroten_alerts_waiting 1.0" in (await line.http.get("/metrics")).text
        assert peer.seen == []
