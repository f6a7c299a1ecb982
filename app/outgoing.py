"""Requests to addresses that an operator typed: guarded against our own network, and bounded in time."""

import asyncio
import ipaddress
import socket
from dataclasses import dataclass

import httpx

from app.errors import ZerotenError

TIMEOUT = httpx.Timeout(10.0, connect=5.0)
DEADLINE_SECONDS = 30


class UnsafeUrl(ZerotenError):
    """The address leads somewhere that outgoing requests must not go."""

    code = "unsafe_url"
    status = 422


@dataclass(frozen=True)
class Outgoing:
    """Posts to operators' addresses. ``allow_private`` lifts the guard, for tests and networks of one's own."""

    http: httpx.AsyncClient
    allow_private: bool

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> int:
        """Post once, following no redirect, and give the status; what else is answered is left unread.

        Raises `UnsafeUrl`, TimeoutError, OSError or httpx's errors.
        """
        async with asyncio.timeout(DEADLINE_SECONDS):
            target, extensions = await self._target(url)
            host = httpx.URL(url).netloc.decode("ascii")
            request = self.http.build_request(
                "POST", target, content=body, headers=headers | {"Host": host}, timeout=TIMEOUT
            )
            request.extensions |= extensions
            response = await self.http.send(request, stream=True, follow_redirects=False)
            await response.aclose()
            return response.status_code

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
