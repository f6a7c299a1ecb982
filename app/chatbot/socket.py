"""The chat over socket.io, as Rasa's socket.io channel speaks it.

What a conversation is lives in the token and the database, so any process answers any message; a process keeps nothing
but its open connections.
"""

import logging
import secrets
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import socketio
import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import metrics
from app.chatbot.accepted_language import preferred
from app.chatbot.chat import Chats, Hints, SurveyEnded
from app.chatbot.rasa_format import socket_replies
from app.chatbot.tokens import BadToken, TooManyWrongTokens
from app.survey import Wording

log = structlog.get_logger(__name__)
PATH = "/socket.io"
LARGEST_MESSAGE = 64 * 1024
LONGEST_SESSION_ID = 500
UNREADABLE = 1007


@dataclass(frozen=True)
class Connected:
    """What is known of a connection: where it comes from, and a token that it may have brought along."""

    address: str
    language: str | None
    token: str | None


def application(chats: Chats, admits_origin: Callable[[str | None, str | None], bool]) -> ASGIApp:
    """The socket.io server, to be mounted at `PATH`. ``admits_origin`` takes an origin and our own host.

    The messages of one connection are taken one after another.
    """
    server = socketio.AsyncServer(
        async_mode="asgi",
        cors_allowed_origins=lambda origin, environ: admits_origin(origin, environ.get("HTTP_HOST")),
        cors_credentials=False,
        max_http_buffer_size=LARGEST_MESSAGE,
        always_connect=True,
        async_handlers=False,
        logger=logging.getLogger("socketio"),
        engineio_logger=PacketLog(logging.getLogger("engineio"), {}),
    )
    server.register_namespace(ChatNamespace(chats))
    return Packets(socketio.ASGIApp(server, socketio_path=None))


class PacketLog(logging.LoggerAdapter[logging.Logger]):
    """What engineio says. Its only exceptions are packets that cannot be read, and anybody can send those."""

    def exception(self, msg: object, *args: object, **options: Any) -> None:
        """One more packet that could not be read; its traceback would hold what was sent."""
        del args, options
        refused(str(msg), sys.exc_info()[1])


def refused(what: str, error: BaseException | None) -> None:
    """Count a packet that could not be read."""
    metrics.CHAT_PACKETS_REFUSED.inc()
    log.debug("chat_packet_refused", what=what, error=type(error).__name__)


@dataclass(frozen=True)
class Packets:
    """The server behind a whole body, so that one that is too large is refused at once and not read on for ever."""

    server: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self.server(scope, await buffered(receive), send)
            return
        try:
            await self.server(scope, receive, send)
        except Exception as error:  # noqa: BLE001 - a packet that engineio cannot read ends its connection
            refused("websocket", error)
            with suppress(RuntimeError):
                await send({"type": "websocket.close", "code": UNREADABLE})


async def buffered(receive: Receive) -> Receive:
    """``receive`` with the whole body in its first message; raises what reading the body raises."""
    message, body = await receive(), bytearray()
    while message["type"] == "http.request":
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
        message = await receive()
    whole: list[Message] = [{**message, "body": bytes(body), "more_body": False}]

    async def receive_whole() -> Message:
        return whole.pop() if whole else await receive()

    return receive_whole


class ChatNamespace(socketio.AsyncNamespace):  # type: ignore[misc]  # the library ships no types
    """The events of the channel. None of them raises: whatever happens, the person gets a polite answer."""

    def __init__(self, chats: Chats) -> None:
        super().__init__("/")
        self.chats = chats

    async def on_connect(self, sid: str, environ: Mapping[str, Any], auth: object = None) -> None:
        """Remember where the connection comes from."""
        client = environ["asgi.scope"].get("client")
        language = preferred(environ.get("HTTP_ACCEPT_LANGUAGE"), self.chats.flows.languages)
        known = Connected(client[0] if client else "unknown", language, _token_in(auth))
        await self.save_session(sid, known)

    async def on_session_request(self, sid: str, data: object = None) -> None:
        """Confirm the session that was asked for, or a new one. One that comes back sees its question again."""
        asked = data.get("session_id") if isinstance(data, dict) else None
        known = isinstance(asked, str) and asked.isprintable() and 0 < len(asked) <= LONGEST_SESSION_ID
        session_id = asked if known else secrets.token_urlsafe(24)
        await self.emit("session_confirm", session_id, to=sid)
        if known:
            await self._resume(sid, data)

    async def on_user_uttered(self, sid: str, data: object = None) -> None:
        """Take what the customer wrote as a turn, and answer with ``bot_uttered``."""
        text = data.get("message") if isinstance(data, dict) else None
        token = await self._token(sid, data) or (data.get("session_id") if isinstance(data, dict) else None)
        await self._say(
            sid, token if isinstance(token, str) else "", text if isinstance(text, str) else "", data
        )

    async def _resume(self, sid: str, data: object) -> None:
        """The answer to its last message may have been lost with the connection, so the question comes once more."""
        token, connected = await self._token(sid, data), await self.get_session(sid)
        try:
            if token and await self.chats.is_under_way(token, connected.address):
                await self._say(sid, token, "", data)
        except (BadToken, TooManyWrongTokens):
            pass
        except Exception:
            log.exception("chat_not_resumed")

    async def _token(self, sid: str, data: object) -> str | None:
        given = _token_in(data.get("customData")) if isinstance(data, dict) else None
        connected: Connected = await self.get_session(sid)
        return given or connected.token

    async def _say(self, sid: str, token: str, text: str, data: object) -> None:
        connected: Connected = await self.get_session(sid)
        hints = Hints.read(data.get("customData") if isinstance(data, dict) else None)
        wording = self.chats.wording(hints.language or connected.language)
        for reply in await self._replies(sid, token, text, hints, connected, wording):
            await self.emit("bot_uttered", reply, to=sid)

    async def _replies(
        self, sid: str, token: str, text: str, hints: Hints, connected: Connected, wording: Wording
    ) -> list[dict[str, Any]]:
        try:
            current = await self.chats.hear(token, connected.address, text, hints)
        except BadToken:
            return [{"text": wording.labels["expired"]}]
        except TooManyWrongTokens:
            await self.disconnect(sid)
            return []
        except SurveyEnded as ended:
            return [{"text": ended.words}]
        except Exception:
            log.exception("chat_turn_failed")
            metrics.TURNS_FAILED.labels("chat").inc()
            return [{"text": wording.labels["failed"]}]
        return socket_replies(self.chats, current)


def _token_in(given: object) -> str | None:
    token = given.get("token") if isinstance(given, dict) else None
    return token if isinstance(token, str) and token else None
