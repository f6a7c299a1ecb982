"""API keys: ``zt_<id>_<secret>``, each with one scope; the secret is shown once and only its digest is kept.

A key is checked before anything of the request's body is read (`app.web.routing.ApiRoute`). Wrong ones are limited for
each address, and logged by their id. Right ones are always let in: behind a proxy or in an office many people share an
address, and nobody may lock the others out.
"""

import asyncio
import hmac
import re
import secrets
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Annotated, Literal, get_args

import structlog
from fastapi import Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import SecretStr

from app.errors import Forbidden, TooMany, Unauthorized
from app.store import Connection, Pool, keys
from app.store.keys import StoredKey
from app.web.throttle import Throttle

log = structlog.get_logger(__name__)
Scope = Literal["trigger", "chat", "supervisor", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
PREFIX = "zt"
KEY = re.compile(rf"{PREFIX}_([0-9a-f]{{12}})_([0-9a-f]{{48}})")
BEARER = HTTPBearer(auto_error=False, description="A key made with `zeroten keys create`.")
Sent = Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)]
HELD = "zeroten.scope"
NOWHERE = "unknown"


class TooManyWrongKeys(TooMany):
    """This address has tried too many wrong keys."""

    code = "too_many_wrong_keys"


async def create(connection: Connection, name: str, scope: Scope) -> str:
    """Make a key and return it; it cannot be shown again."""
    key_id, secret = secrets.token_hex(6), secrets.token_hex(24)
    await keys.write(connection, StoredKey(key_id, name, _digest(secret), scope))
    return f"{PREFIX}_{key_id}_{secret}"


def _digest(secret: str) -> bytes:
    # The secret is 192 random bits, so a fast digest gives nothing away; passwords would need a slow one.
    return sha256(secret.encode()).digest()


@dataclass(frozen=True, eq=False)
class ApiKeys:
    """Checks the key of a request against a scope. A key of the scope admin, and ``admin_key``, have every scope."""

    pool: Pool
    admin_key: SecretStr | None
    wrong: Throttle = field(default_factory=Throttle)
    # Whoever has sent too many wrong keys waits here for the database, so that nobody else has to.
    turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))

    def require(self, *scopes: Scope) -> "KeyRequirement":
        """A dependency that gives the scope of the request's key, which must be among these, or admin."""
        return KeyRequirement(self, scopes)

    async def scope_of(self, key: str, address: str = NOWHERE) -> str:
        """The scope this key opens; raises `Unauthorized`, or `TooManyWrongKeys` where ``address`` sent too many."""
        if self.admin_key is not None:
            wanted = self.admin_key.get_secret_value().encode()
            if hmac.compare_digest(key.encode(), wanted):
                return "admin"
        parts = KEY.fullmatch(key)
        stored = await self._stored(parts[1], address) if parts else None
        if parts is None or stored is None or not hmac.compare_digest(stored.digest, _digest(parts[2])):
            raise self._refusal(parts[1] if parts else None, address)
        return stored.scope

    async def _stored(self, key_id: str, address: str) -> StoredKey | None:
        if not self.wrong.is_full(address):
            return await self._read(key_id)
        async with self.turn:
            return await self._read(key_id)

    async def _read(self, key_id: str) -> StoredKey | None:
        async with self.pool.connection() as connection:
            return await keys.read(connection, key_id)

    def _refusal(self, key_id: str | None, address: str) -> Unauthorized | TooManyWrongKeys:
        seconds = self.wrong.note(address)
        if seconds:
            return TooManyWrongKeys("Too many wrong keys came from this address.", seconds)
        # What is refused with a 429 is not logged, or the log would grow with the attack.
        log.warning(
            "key_refused", key_id=key_id, client=address, more_allowed=not self.wrong.is_full(address)
        )
        return Unauthorized("This key is not known.")


@dataclass(frozen=True, eq=False)
class KeyRequirement:
    """A dependency that raises `Unauthorized` or `Forbidden` unless the request's key has one of these scopes.

    It gives the scope that the key has. The key is looked up once, however often a request is asked for it.
    """

    keys: ApiKeys
    scopes: tuple[Scope, ...]

    async def __call__(self, request: Request, sent: Sent) -> str:
        """The scope of the request's key."""
        if HELD not in request.scope:
            if sent is None:
                raise Unauthorized("Send a key: Authorization: Bearer KEY.")
            address = request.client.host if request.client else NOWHERE
            request.scope[HELD] = await self.keys.scope_of(sent.credentials.strip(), address)
        held: str = request.scope[HELD]
        if held not in (*self.scopes, "admin"):
            raise Forbidden(f"This key has the scope {held}; {' or '.join(self.scopes)} is needed.")
        return held
