"""How much a request may bring, and how many may be under way for one address; both are known before any of it is read.

A body is refused when somebody asks for it, so whoever has no right to send one is told that instead, unread.
"""

from collections import Counter

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import TooMany
from app.web import problems
from app.web.throttle import network_of

KB, MB = 1 << 10, 1 << 20

# The first prefix that fits counts. The larger ones are read only once their key has been accepted.
LARGEST_BODY: tuple[tuple[str, int], ...] = (
    ("/twilio", 64 * KB),
    ("/socket.io", 64 * KB),
    ("/webhooks/rest", 32 * MB),  # of which the chat reads 64 kB, and says so itself
    ("/webhook", 8 * MB),  # Rasa tells a conversation from its beginning, and its domain, with every call
    ("/api/v1/interactions:batch", 32 * MB),
    ("/", 1 * MB),
)
# A carrier's webhooks come from few addresses, are signed, and are answered at once.
UNCOUNTED = "/twilio"
AT_ONCE = 200
AGAIN_SECONDS = 1


def largest_body(path: str) -> int:
    """How many bytes a request to this path may bring."""
    return next((most for prefix, most in LARGEST_BODY if path.startswith(prefix)), MB)


class Limits:
    """Holds every HTTP request to `LARGEST_BODY`, and each address to `AT_ONCE` requests under way."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.under_way: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(UNCOUNTED):
            await self.app(scope, bounded(scope, receive), send)
            return
        address = network_of(scope["client"][0]) if scope["client"] else ""
        if self.under_way[address] >= AT_ONCE:
            await problems.answer_to(_too_many())(scope, receive, send)
            return
        self.under_way[address] += 1
        try:
            await self.app(scope, bounded(scope, receive), send)
        finally:
            self.under_way[address] -= 1
            if not self.under_way[address]:
                del self.under_way[address]


def bounded(scope: Scope, receive: Receive) -> Receive:
    """``receive`` up to what the path allows; then it raises a 413. What is announced as too large is not begun."""
    if scope["type"] != "http":
        return receive
    most, received = largest_body(scope["path"]), 0
    announced = Headers(scope=scope).get("content-length", "")

    async def receive_some() -> Message:
        nonlocal received
        if announced.isdecimal() and int(announced) > most:
            raise _too_large(most)
        message = await receive()
        received += len(message.get("body", b""))
        if received > most:
            raise _too_large(most)
        return message

    return receive_some


def _too_large(most: int) -> HTTPException:
    return HTTPException(413, f"This address takes at most {most} bytes.")


def _too_many() -> TooMany:
    return TooMany(f"More than {AT_ONCE} requests of this address are under way.", AGAIN_SECONDS)
