"""Which hosts the demo answers to. It has no keys, so a page of another site must not reach it through its visitor."""

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send


@dataclass(frozen=True)
class KnownHosts:
    """Answers requests to an address, to localhost, or to ``host``: any other name may be made to lead here."""

    app: ASGIApp
    host: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in {"http", "websocket"} and not self.knows(Headers(scope=scope).get("host", "")):
            await PlainTextResponse("The demo answers to its own address only.", 421)(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def knows(self, host: str) -> bool:
        """Whether a ``Host`` header, with or without its port, is one of ours."""
        name = _name(host)
        return name in {"localhost", self.host.lower()} or _is_address(name)


def _name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
