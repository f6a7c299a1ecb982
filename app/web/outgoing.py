"""Requests to addresses that an operator typed: guarded against our own network, and bounded in time."""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import httpx

from app.errors import ZerotenError

TIMEOUT = httpx.Timeout(10.0, connect=5.0)
DEADLINE_SECONDS = 30
LARGEST_REPLY = 1_000_000
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


@cache
def tls() -> ssl.SSLContext:
    """Whom we trust. Reading it takes 40 ms, so all clients share it."""
    return httpx.create_ssl_context()


class UnsafeUrl(ZerotenError):
    """The address leads somewhere that outgoing requests must not go."""

    code = "unsafe_url"
    status = 422


class ReplyTooLarge(ZerotenError):
    """What was answered is larger than anything that should be answered."""

    code = "reply_too_large"
    status = 502


@dataclass(frozen=True)
class HttpReply:
    """What was answered; ``body`` is empty where it was left unread."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class GuardedHttp:
    """Requests to operators' addresses. ``allow_private`` lifts the guard, for tests and networks of one's own."""

    http: httpx.AsyncClient
    allow_private: bool

    async def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None = None,
        *,
        read: bool = True,
        most: int = LARGEST_REPLY,
    ) -> HttpReply:
        """Send once, following no redirect, and read ``most`` bytes of the answer.

        Raises `UnsafeUrl`, `ReplyTooLarge`, TimeoutError, OSError or httpx's errors.
        """
        async with asyncio.timeout(DEADLINE_SECONDS):
            target, extensions = await self._target(url)
            host = httpx.URL(url).netloc.decode("ascii")
            request = self.http.build_request(
                method, target, content=body, headers={**headers, "Host": host}, timeout=TIMEOUT
            )
            request.extensions |= extensions
            response = await self.http.send(request, stream=True, follow_redirects=False)
            try:
                return HttpReply(
                    response.status_code, response.headers, await _read(response, most) if read else b""
                )
            finally:
                await response.aclose()

    async def _target(self, url: str) -> tuple[httpx.URL, dict[str, str]]:
        """The address to connect to: the very one that was checked, so that DNS cannot answer otherwise later."""
        parts = httpx.URL(url)
        if self.allow_private:
            return parts, {}
        if parts.scheme != "https" or not parts.host:
            raise UnsafeUrl("GuardedHttp addresses must begin with https://.")
        addresses = await public_addresses(parts.host)
        return parts.copy_with(host=addresses[0]), {"sni_hostname": parts.host}


async def public_addresses(host: str) -> list[str]:
    """Where a name leads. Raises `UnsafeUrl` where one of its addresses is in a private network, or OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    addresses = [str(each[4][0]).partition("%")[0] for each in found]
    if not addresses or not all(_leads_out(ipaddress.ip_address(each)) for each in addresses):
        raise UnsafeUrl(f"{host} leads into a private network; see ZEROTEN_ALLOW_PRIVATE_URLS.")
    return addresses


def _leads_out(address: IpAddress) -> bool:
    """Whether an address is somebody else's on the internet, and so is the IPv4 address that it may stand for."""
    inner = _translated(address)
    if inner is not None:
        return _leads_out(inner)
    site_local = isinstance(address, ipaddress.IPv6Address) and address.is_site_local
    return address.is_global and not (address.is_multicast or address.is_reserved or site_local)


def _translated(address: IpAddress) -> ipaddress.IPv4Address | None:
    """The IPv4 address that a machine on the way makes of an IPv6 one."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


async def _read(response: httpx.Response, most: int) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > most:
            raise ReplyTooLarge(f"more than {most} bytes were answered")
    return bytes(body)
