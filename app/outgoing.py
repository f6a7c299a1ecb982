"""Requests to addresses that an operator typed: guarded against our own network, bounded in time and size."""

import asyncio
import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from app.errors import ZerotenError

TIMEOUT = httpx.Timeout(10.0, connect=5.0)


class UnsafeUrl(ZerotenError):
    """The address leads somewhere that outgoing requests must not go."""

    code = "unsafe_url"
    status = 422


@dataclass(frozen=True)
class Outgoing:
    """Posts to operators' addresses. ``allow_private`` lifts the guard, for tests and networks of one's own."""

    http: httpx.AsyncClient
    allow_private: bool

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
        """Post once, following no redirect. Raises `UnsafeUrl`, or httpx's errors."""
        target, extensions = await self._target(url)
        request = self.http.build_request(
            "POST", target, content=body, headers=headers | {"Host": urlsplit(url).netloc}, timeout=TIMEOUT
        )
        request.extensions |= extensions
        return await self.http.send(request, follow_redirects=False)

    async def _target(self, url: str) -> tuple[httpx.URL, dict[str, str]]:
        """The address to connect to: the very one that was checked, so that DNS cannot answer otherwise later."""
        parts = httpx.URL(url)
        if self.allow_private:
            return parts, {}
        if parts.scheme != "https" or not parts.host:
            raise UnsafeUrl("Outgoing addresses must begin with https://.")
        found = await asyncio.get_running_loop().getaddrinfo(
            parts.host, parts.port or 443, type=socket.SOCK_STREAM
        )
        addresses = [str(each[4][0]) for each in found]
        if not addresses or not all(ipaddress.ip_address(each).is_global for each in addresses):
            raise UnsafeUrl(f"{parts.host} leads into a private network; see ZEROTEN_ALLOW_PRIVATE_URLS.")
        return parts.copy_with(host=addresses[0]), {"sni_hostname": parts.host}
