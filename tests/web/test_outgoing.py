"""Requests to addresses that operators typed: nowhere near our own network, and bounded in time and size."""

import asyncio
import socket
from typing import Any

import httpx
import pytest

from app.web import LARGEST_REPLY, GuardedHttp, ReplyTooLarge, UnsafeUrl
from tests.carrier.peer import Drip, Peer, Reply


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
        "https://[64:ff9b::7f00:1]/",
        "https://[64:ff9b::a00:8]/",
        "https://[64:ff9b:1::5db8:d822]/",
        "https://[2002:7f00:1::]/",
        "https://[2002:a9fe:a9fe::]/",
        "https://[2001::7f00:1]/",
        "https://[::127.0.0.1]/",
        "https://[fec0::1]/",
        "https://[ff02::1]/",
        "https://[ff0e::1]/",
        "https://224.0.0.1/",
        "https://239.255.255.250/",
        "https://240.0.0.1/",
        "https://255.255.255.255/",
        "https://192.0.2.1/",
        "https://198.18.0.1/",
        "https://[2001:db8::1]/",
        "https://[::]/",
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
            await GuardedHttp(http, allow_private=False).send("POST", url, {}, b"{}")


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
            await GuardedHttp(http, allow_private=False).send("POST", "https://rebind.example/", {})


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::5db8:d822", "::ffff:93.184.216.34"]
)
async def test_the_address_that_was_checked_is_the_one_that_is_called(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    asked, sent = resolving(monkeypatch, address), list[httpx.Request]()

    def receive(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(202)

    async with httpx.AsyncClient(transport=httpx.MockTransport(receive)) as http:
        outgoing = GuardedHttp(http, allow_private=False)
        reply = await outgoing.send(
            "PUT", "https://me:hush@crm.example:8443/in?x=1", {"webhook-id": "1"}, b"{}"
        )
    assert reply.status == 202
    (request,) = sent
    assert asked == ["crm.example"]
    assert (request.url.host, request.url.port, request.url.raw_path) == (address, 8443, b"/in?x=1")
    assert request.headers["host"] == "crm.example:8443"
    assert request.extensions["sni_hostname"] == "crm.example"
    assert request.headers["authorization"].startswith("Basic ")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(status: int) -> None:
    async with (
        Peer(Reply(200)) as elsewhere,
        Peer(Reply(status, headers={"Location": elsewhere.url})) as peer,
        httpx.AsyncClient() as http,
    ):
        reply = await GuardedHttp(http, allow_private=True).send("POST", peer.url, {}, b"{}")
        assert (reply.status, len(peer.seen), elsewhere.seen) == (status, 1, [])


async def test_an_answer_that_is_too_large_is_not_read_on() -> None:
    async with Peer(Reply(200, b"x" * (LARGEST_REPLY + 1))) as peer, httpx.AsyncClient() as http:
        with pytest.raises(ReplyTooLarge):
            await GuardedHttp(http, allow_private=True).send("GET", peer.url, {})


async def test_an_answer_without_end_is_not_listened_to_where_only_its_status_counts() -> None:
    async with asyncio.timeout(5), Peer(Drip()) as peer, httpx.AsyncClient() as http:
        reply = await GuardedHttp(http, allow_private=True).send("POST", peer.url, {}, b"{}", read=False)
        assert (reply.status, reply.body) == (200, b"")
