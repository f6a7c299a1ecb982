"""Responses are announced to the operator's own systems: signed, repeated where it helps, and nowhere else."""

import asyncio
import base64
import json
import socket
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from pydantic import SecretStr
from standardwebhooks import Webhook, WebhookVerificationError

from app.effects import Announcements, DeliveryFailed
from app.errors import StartError
from app.outgoing import Outgoing, UnsafeUrl
from app.settings import Settings
from app.store import Pool
from tests.carrier.peer import Drip, Drop, Peer, Reply, Seen
from tests.dashboard.asked import Asked, ask
from tests.line import Line, a_line, eventually
from tests.rows import execute, rows

SECRET = "whsec_" + base64.b64encode(b"the secret that both sides know!").decode()
COLUMNS = [
    "interaction_id", "survey_id", "crm_id", "queue", "agent", "channel", "language",
    "score", "band", "comment", "answered_at", "flow_version", "attributes",
]  # fmt: skip


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient() as client:
        yield client


def announcements(pool: Pool, http: httpx.AsyncClient, url: str, *, private: bool = True) -> Announcements:
    return Announcements(pool, Outgoing(http, allow_private=private), url, SECRET)


def verified(seen: Seen) -> dict[str, Any]:
    """The message, as a receiver with the standard's own library reads it."""
    return dict(Webhook(SECRET).verify(seen.body, dict(seen.headers)))


def a_line_that_announces(settings: Settings, peer: Peer, **changes: Any) -> Any:
    hook: dict[str, Any] = {
        "webhook_url": peer.url,
        "webhook_secret": SecretStr(SECRET),
        "allow_private_urls": True,
    }
    return a_line(settings, **(hook | changes))


async def exported(line: Line) -> list[dict[str, Any]]:
    answer = await line.http.get("/api/v1/exports/responses.jsonl")
    return [json.loads(each) for each in answer.text.splitlines()]


async def announced(peer: Peer, count: int = 1) -> None:
    async def enough() -> bool:
        return len(peer.seen) >= count

    await eventually(enough, lambda: peer.seen)


async def waiting(line: Line) -> list[dict[str, Any]]:
    return await rows(
        line.services.pool,
        "SELECT status::text, attempts FROM procrastinate_jobs WHERE task_name = 'announce_response'",
    )


async def none_waiting(line: Line) -> None:
    async def none() -> bool:
        return not await waiting(line)

    await eventually(none)


# From a call to the receiver


async def test_a_finished_call_is_announced_signed_with_the_columns_of_the_export(settings: Settings) -> None:
    async with Peer(Reply(204)) as peer, a_line_that_announces(settings, peer) as line:
        story = await line.survey(
            script="10# | świetna obsługa, 👍", language="pl", attributes={"segment": "smb", "visits": 2}
        )
        await announced(peer)
        message = verified(peer.seen[0])
        assert list(message) == ["type", "timestamp", "data"]
        assert message["type"] == "response.completed"
        assert datetime.fromisoformat(message["timestamp"]).tzinfo is not None
        assert list(message["data"]) == COLUMNS
        assert [message["data"]] == await exported(line)
        assert message["data"]["survey_id"] == story["survey_id"]
        assert (message["data"]["score"], message["data"]["attributes"]) == (
            10,
            {"segment": "smb", "visits": 2},
        )
        (seen,) = peer.seen
        assert (seen.method, seen.headers["content-type"]) == ("POST", "application/json")
        await none_waiting(line)


async def test_a_caller_who_hangs_up_after_the_score_is_announced_as_partial(settings: Settings) -> None:
    async with Peer(Reply(200)) as peer, a_line_that_announces(settings, peer) as line:
        story = await line.survey(script="3# | /hangup")
        assert story["status"] == "partial"
        await announced(peer)
        message = verified(peer.seen[0])
        assert message["type"] == "response.partial"
        assert [message["data"]] == await exported(line)
        assert (message["data"]["score"], message["data"]["comment"]) == (3, None)


async def test_nobody_is_told_of_a_call_without_a_score(settings: Settings) -> None:
    async with Peer(Reply(200)) as peer, a_line_that_announces(settings, peer) as line:
        await line.survey(script="/hangup")
        await line.survey("+48221234568", script="*")
        await none_waiting(line)
        assert peer.seen == []


async def test_a_receiver_that_fails_is_asked_again_with_the_same_message(settings: Settings) -> None:
    async with (
        Peer(Reply(500), Reply(503), Reply(200)) as peer,
        a_line_that_announces(settings, peer) as line,
    ):
        await line.survey()
        for tries in (2, 3):
            # The pause grows with each try; the test does not wait for it.
            async def tried_again(tries: int = tries) -> bool:
                await execute(
                    line.services.pool,
                    "UPDATE procrastinate_jobs SET scheduled_at = now()"
                    " WHERE task_name = 'announce_response' AND status = 'todo'",
                )
                return len(peer.seen) >= tries

            await eventually(tried_again)
        await none_waiting(line)
        assert len(peer.seen) == 3
        assert len({seen.headers["webhook-id"] for seen in peer.seen}) == 1
        assert [verified(seen)["data"] for seen in peer.seen] == [verified(peer.seen[0])["data"]] * 3


async def test_a_receiver_that_says_no_is_not_asked_again(settings: Settings) -> None:
    async with Peer(Reply(410)) as peer, a_line_that_announces(settings, peer) as line:
        await line.survey()
        await announced(peer)
        await none_waiting(line)
        assert len(peer.seen) == 1


async def test_a_private_address_gets_nothing_unless_that_is_allowed(settings: Settings) -> None:
    async with Peer(Reply(200)) as peer:
        async with a_line_that_announces(settings, peer, allow_private_urls=False) as line:
            await line.survey()
            await none_waiting(line)
        assert peer.seen == []


# One announcement


async def test_what_was_changed_on_the_way_does_not_verify(pool: Pool, http: httpx.AsyncClient) -> None:
    (survey_id,) = await ask(pool, Asked("billing", 9))
    async with Peer(Reply(200)) as peer:
        await announcements(pool, http, peer.url).announce(survey_id)
    (seen,) = peer.seen
    forged = seen.body.replace(b'"score": 9', b'"score": 0')
    assert forged != seen.body
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(forged, dict(seen.headers))


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
async def test_these_answers_are_worth_another_try(pool: Pool, http: httpx.AsyncClient, status: int) -> None:
    (survey_id,) = await ask(pool, Asked("billing", 9))
    async with Peer(Reply(status)) as peer:
        with pytest.raises(DeliveryFailed, match=str(status)):
            await announcements(pool, http, peer.url).announce(survey_id)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 400, 401, 403, 404, 410, 422])
async def test_these_answers_are_final(pool: Pool, http: httpx.AsyncClient, status: int) -> None:
    (survey_id,) = await ask(pool, Asked("billing", 9))
    async with Peer(Reply(status)) as peer:
        await announcements(pool, http, peer.url).announce(survey_id)
    assert len(peer.seen) == 1


async def test_a_line_that_breaks_is_worth_another_try(pool: Pool, http: httpx.AsyncClient) -> None:
    (survey_id,) = await ask(pool, Asked("billing", 9))
    async with Peer(Drop()) as peer:
        with pytest.raises(httpx.TransportError):
            await announcements(pool, http, peer.url).announce(survey_id)
    with pytest.raises(httpx.ConnectError):
        await announcements(pool, http, peer.url).announce(survey_id)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(pool: Pool, http: httpx.AsyncClient, status: int) -> None:
    (survey_id,) = await ask(pool, Asked("billing", 9))
    async with (
        Peer(Reply(200)) as elsewhere,
        Peer(Reply(status, headers={"Location": elsewhere.url})) as peer,
    ):
        await announcements(pool, http, peer.url).announce(survey_id)
    assert len(peer.seen) == 1
    assert elsewhere.seen == []


async def test_an_answer_without_end_is_not_listened_to(pool: Pool, http: httpx.AsyncClient) -> None:
    (survey_id,) = await ask(pool, Asked("billing", 9))
    async with asyncio.timeout(5), Peer(Drip()) as peer:
        await announcements(pool, http, peer.url).announce(survey_id)


async def test_a_survey_without_a_response_is_not_announced(pool: Pool, http: httpx.AsyncClient) -> None:
    (survey_id,) = await ask(pool, Asked("billing", reached=True))
    async with Peer(Reply(200)) as peer:
        for each in (survey_id, UUID(int=0), uuid4()):
            await announcements(pool, http, peer.url).announce(each)
    assert peer.seen == []


@pytest.mark.parametrize("secret", ["whsec_###", "whsec_abc", "whsec_", "", SECRET.removeprefix("whsec_")])
async def test_a_secret_that_cannot_sign_stops_the_start(
    pool: Pool, http: httpx.AsyncClient, secret: str
) -> None:
    with pytest.raises(StartError, match="ZEROTEN_WEBHOOK_SECRET") as refused:
        Announcements(pool, Outgoing(http, allow_private=True), "https://a.example", secret)
    assert "###" not in str(refused.value)


# Where requests may go


@pytest.mark.parametrize(
    "url",
    [
        "http://93.184.216.34/",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://0.0.0.0/",
        "https://10.0.0.8:8443/",
        "https://172.16.3.4/",
        "https://192.168.1.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://100.64.0.1/",
        "https://[fd00::1]/",
        "https://[fe80::1]/",
        "https://user:password@127.0.0.1/",
        "ftp://93.184.216.34/",
        "file:///etc/passwd",
        "https:///nowhere",
        "",
    ],
)
async def test_no_request_leaves_for_a_private_address(url: str) -> None:
    def never(_: httpx.Request) -> httpx.Response:
        raise AssertionError("a request was sent")

    async with httpx.AsyncClient(transport=httpx.MockTransport(never)) as http:
        with pytest.raises(UnsafeUrl):
            await Outgoing(http, allow_private=False).post(url, b"{}", {})


def resolving(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """Let every name lead to these addresses; gives the names that were asked for."""
    asked: list[str] = []

    async def getaddrinfo(_: object, host: str, port: int, **__: object) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)
    return asked


async def test_a_name_that_leads_both_out_and_in_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, "93.184.216.34", "10.0.0.8")
    async with httpx.AsyncClient() as http:
        with pytest.raises(UnsafeUrl, match="rebind"):
            await Outgoing(http, allow_private=False).post("https://rebind.example/", b"", {})


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1"])
async def test_the_address_that_was_checked_is_the_one_that_is_called(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    asked, sent = resolving(monkeypatch, address), list[httpx.Request]()

    def receive(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(202)

    async with httpx.AsyncClient(transport=httpx.MockTransport(receive)) as http:
        outgoing = Outgoing(http, allow_private=False)
        assert (
            await outgoing.post("https://me:hush@crm.example:8443/in?x=1", b"{}", {"webhook-id": "1"}) == 202
        )
    (request,) = sent
    assert asked == ["crm.example"]
    assert (request.url.host, request.url.port, request.url.raw_path) == (address, 8443, b"/in?x=1")
    assert request.headers["host"] == "crm.example:8443"
    assert request.extensions["sni_hostname"] == "crm.example"
    assert request.headers["authorization"].startswith("Basic ")
