"""The signed webhook, from a call to the receiver: for every system that there is no connector for."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import httpx
import pytest
from pydantic import SecretStr, ValidationError
from standardwebhooks import Webhook, WebhookVerificationError

from app.config import Settings
from app.crm.webhook import KIND, WebhookOptions
from app.delivery import Deliver
from app.errors import CrmMisconfigured, StartError
from app.web import GuardedHttp
from tests.carrier.peer import Drop, Peer, Reply, Seen
from tests.crm.answers import an_answer
from tests.crm.receiver import SECRET
from tests.line import Line, a_line, eventually
from tests.rows import execute, rows

NEWER = "whsec_" + base64.b64encode(b"another secret, of this month").decode()
COLUMNS = [
    "interaction_id", "survey_id", "crm_id", "queue", "agent", "channel", "language",
    "score", "band", "comment", "answered_at", "flow_version", "attributes",
]  # fmt: skip


def verified(seen: Seen, secret: str = SECRET) -> dict[str, Any]:
    """The message, as a receiver with the standard's own library reads it."""
    return dict(Webhook(secret).verify(seen.body, dict(seen.headers)))


@asynccontextmanager
async def a_line_with_a_webhook(settings: Settings, peer: Peer, **changes: Any) -> AsyncIterator[Line]:
    hook: dict[str, Any] = {
        "webhook_url": peer.url,
        "webhook_secret": SecretStr(SECRET),
        "allow_private_urls": True,
    }
    async with a_line(settings, **(hook | changes)) as line:
        yield line


async def told(peer: Peer, count: int = 1) -> None:
    async def enough() -> bool:
        return len(peer.seen) >= count

    await eventually(enough, lambda: peer.seen)


async def standing(line: Line, status: str) -> list[dict[str, Any]]:
    """Wait until the only delivery stands so, and give all there is to say of it."""
    found: list[dict[str, Any]] = []

    async def reached() -> bool:
        answer = await line.http.get("/api/v1/deliveries", params={"destination": "webhook"})
        assert answer.status_code == 200, answer.text
        found[:] = answer.json()
        return [each["status"] for each in found] == [status]

    await eventually(reached, lambda: found)
    return found


async def test_a_finished_call_is_told_signed_with_the_columns_of_the_export(settings: Settings) -> None:
    async with Peer(Reply(204)) as peer, a_line_with_a_webhook(settings, peer) as line:
        attributes = {"segment": "smb", "visits": 2}
        story = await line.survey(script="10# | świetna obsługa, 👍", language="pl", attributes=attributes)
        await told(peer)
        message = verified(peer.seen[0])
        assert list(message) == ["type", "timestamp", "data"]
        assert message["type"] == "response.completed"
        assert datetime.fromisoformat(message["timestamp"]).tzinfo is not None
        assert list(message["data"]) == COLUMNS
        exported = await line.http.get("/api/v1/exports/responses.jsonl")
        assert [message["data"]] == [json.loads(each) for each in exported.text.splitlines()]
        assert message["data"]["survey_id"] == story["survey_id"]
        assert (message["data"]["score"], message["data"]["attributes"]) == (10, attributes)
        (seen,) = peer.seen
        assert (seen.method, seen.headers["content-type"]) == ("POST", "application/json")
        (delivery,) = await standing(line, "delivered")
        story = await line.story(story["survey_id"])
        assert [each["status"] for each in story["deliveries"]] == ["delivered"]
        assert delivery["remote_id"] == seen.headers["webhook-id"]


async def test_a_caller_who_hangs_up_after_the_score_is_told_of_as_partial(settings: Settings) -> None:
    async with Peer(Reply(200)) as peer, a_line_with_a_webhook(settings, peer) as line:
        story = await line.survey(script="3# | /hangup")
        assert story["status"] == "partial"
        await told(peer)
        message = verified(peer.seen[0])
        assert message["type"] == "response.partial"
        assert (message["data"]["score"], message["data"]["comment"]) == (3, None)


async def test_nobody_is_told_of_a_call_without_a_score(settings: Settings) -> None:
    async with Peer(Reply(200)) as peer, a_line_with_a_webhook(settings, peer) as line:
        await line.survey(script="/hangup")
        await line.survey("+48221234568", script="*")
        await line.survey("+48221234569")
        await told(peer)
        assert len(peer.seen) == 1


async def test_a_receiver_that_fails_is_asked_again_under_the_same_id_with_a_new_signature(
    settings: Settings,
) -> None:
    async with (
        Peer(Reply(500), Drop(), Reply(200)) as peer,
        a_line_with_a_webhook(settings, peer) as line,
    ):
        await line.survey()
        for tries in (2, 3):

            async def tried_again(tries: int = tries) -> bool:
                # The pause grows with each try; the test does not wait for it.
                await execute(
                    line.services.pool, "UPDATE deliveries SET retry_at = now() WHERE retry_at > now()"
                )
                await line.services.deliveries.deliver(Deliver("webhook"))
                return len(peer.seen) >= tries

            await eventually(tried_again)
        await standing(line, "delivered")
        assert len({seen.headers["webhook-id"] for seen in peer.seen}) == 1
        assert [verified(seen)["data"] for seen in peer.seen] == [verified(peer.seen[0])["data"]] * 3


async def test_a_receiver_that_says_no_is_not_asked_again_until_somebody_says_so(settings: Settings) -> None:
    async with Peer(Reply(410), Reply(200)) as peer, a_line_with_a_webhook(settings, peer) as line:
        story = await line.survey()
        (refused,) = await standing(line, "refused")
        assert refused["reason"] == "it answered 410"
        assert len(peer.seen) == 1
        replayed = await line.http.post(
            "/api/v1/deliveries:replay", json={"destination": "webhook", "survey_id": story["survey_id"]}
        )
        assert (replayed.status_code, replayed.json()) == (202, {"waiting": 1})
        await standing(line, "delivered")
        log = (await line.http.get("/api/v1/deliveries/log", params={"destination": "webhook"})).json()
        assert [each["outcome"] for each in log] == ["delivered", "refused"]
        first, second = peer.seen
        assert first.headers["webhook-id"] == second.headers["webhook-id"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"destination": "hubspot", "refused": True}, "destination"),
        ({"destination": "webhook"}, "since"),
        ({"destination": "webhook", "since": "yesterday"}, "since"),
        ({"destination": "webhook", "since": "2026-11-01T00:00:00"}, "since"),
        ({"destination": "webhook", "everything": True}, "everything"),
    ],
)
async def test_a_replay_that_makes_no_sense_names_the_field(
    settings: Settings, body: dict[str, Any], field: str
) -> None:
    async with Peer(Reply(200)) as peer, a_line_with_a_webhook(settings, peer) as line:
        answer = await line.http.post("/api/v1/deliveries:replay", json=body)
        assert answer.status_code == 422
        assert [each["field"] for each in answer.json()["errors"]] == [field]


async def test_the_overview_names_every_destination(settings: Settings) -> None:
    async with Peer(Reply(200)) as peer, a_line_with_a_webhook(settings, peer) as line:
        await line.survey()
        await standing(line, "delivered")
        (webhook,) = (await line.http.get("/api/v1/destinations")).json()
        assert (webhook["name"], webhook["delivered"], webhook["waiting"]) == ("webhook", 1, 0)
        metrics = (await line.http.get("/metrics")).text
        assert 'zeroten_deliveries_waiting{destination="webhook"} 0.0' in metrics
        assert 'zeroten_deliveries_total{destination="webhook",outcome="delivered"}' in metrics


async def test_a_private_address_gets_nothing_unless_that_is_allowed(settings: Settings) -> None:
    async with Peer(Reply(200)) as peer:
        async with a_line_with_a_webhook(settings, peer, allow_private_urls=False) as line:
            await line.survey()
            (waiting,) = await standing(line, "waiting")

            async def held() -> bool:
                return bool(await rows(line.services.pool, "SELECT FROM destinations WHERE alarmed"))

            await eventually(held)
            (waiting,) = await standing(line, "waiting")
            assert "https" in waiting["reason"]
        assert peer.seen == []


# One push


async def push(url: str, secret: str = SECRET, **changes: Any) -> None:
    configured = KIND.configured({"url": url, "secret": secret})
    async with httpx.AsyncClient() as http:
        await configured.connect(GuardedHttp(http, allow_private=True)).push([an_answer("c1", **changes)])


async def test_what_was_changed_on_the_way_does_not_verify() -> None:
    async with Peer(Reply(200)) as peer:
        await push(peer.url)
    (seen,) = peer.seen
    forged = seen.body.replace(b'"score": 3', b'"score": 9')
    assert forged != seen.body
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(forged, dict(seen.headers))


async def test_while_a_secret_is_replaced_both_verify() -> None:
    async with Peer(Reply(200)) as peer:
        await push(peer.url, f"{NEWER} {SECRET}")
    (seen,) = peer.seen
    assert verified(seen, NEWER) == verified(seen, SECRET)


async def test_a_message_kept_for_later_is_too_old_to_verify() -> None:
    async with Peer(Reply(200)) as peer:
        await push(peer.url)
    (seen,) = peer.seen
    old = dict(seen.headers) | {"webhook-timestamp": str(int(seen.headers["webhook-timestamp"]) - 600)}
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(seen.body, old)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_refused_not_followed(status: int) -> None:
    async with (
        Peer(Reply(200)) as elsewhere,
        Peer(Reply(status, headers={"Location": elsewhere.url})) as peer,
    ):
        with pytest.raises(CrmMisconfigured, match=str(status)):  # the address is at fault, not the answer
            await push(peer.url)
    assert elsewhere.seen == []


@pytest.mark.parametrize("secret", ["whsec_###", "whsec_abc", "whsec_", "", SECRET.removeprefix("whsec_")])
async def test_a_secret_that_cannot_sign_stops_the_start(settings: Settings, secret: str) -> None:
    async with Peer(Reply(200)) as peer:
        with pytest.raises(StartError, match="ZEROTEN_WEBHOOK_SECRET") as refused:
            async with a_line_with_a_webhook(settings, peer, webhook_secret=SecretStr(secret)):
                pass
    assert "###" not in str(refused.value)


async def test_an_address_that_is_none_stops_the_start_under_its_own_name(settings: Settings) -> None:
    async with Peer(Reply(200)) as peer:
        with pytest.raises(StartError, match="ZEROTEN_WEBHOOK_URL: must be an address"):
            async with a_line_with_a_webhook(settings, peer, webhook_url="hooks.example"):
                pass


def test_a_third_secret_is_one_too_many() -> None:
    with pytest.raises(ValidationError):
        WebhookOptions(url="https://a.example", secret=SecretStr(f"{SECRET} {NEWER} {SECRET}"))
