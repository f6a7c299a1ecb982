"""The chat over socket.io, as Rasa's socket.io channel speaks it.

What a conversation is lives in the token and the database, so any process answers any message; a process keeps nothing
but its open connections.
"""

import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import socketio
import structlog
from starlette.types import ASGIApp

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


@dataclass(frozen=True)
class Connected:
    """What is known of a connection: where it comes from, and a token that it may have brought along."""

    address: str
    language: str | None
    token: str | None


def application(chats: Chats, admits_origin: Callable[[str | None, str | None], bool]) -> ASGIApp:
    """The socket.io server, to be mounted at `PATH`. ``admits_origin`` takes an origin and our own host."""
    server = socketio.AsyncServer(
        async_mode="asgi",
        cors_allowed_origins=lambda origin, environ: admits_origin(origin, environ.get("HTTP_HOST")),
        cors_credentials=False,
        max_http_buffer_size=LARGEST_MESSAGE,
        always_connect=True,
    )
    server.register_namespace(ChatNamespace(chats))
    application: ASGIApp = socketio.ASGIApp(server, socketio_path=None)
    return application


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
        with suppress(BadToken, TooManyWrongTokens):
            if token and await self.chats.is_under_way(token, connected.address):
                await self._say(sid, token, "", data)

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
            told = await self.chats.hear(token, connected.address, text, hints)
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
        return socket_replies(self.chats, told)


def _token_in(given: object) -> str | None:
    token = given.get("token") if isinstance(given, dict) else None
    return token if isinstance(token, str) and token else None
