"""API keys: ``zt_<id>_<secret>``, each with one scope; the secret is shown once and only its digest is kept."""

import hmac
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Literal, get_args

from fastapi import Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import SecretStr

from app.errors import Forbidden, Unauthorized
from app.store import Connection, Pool, keys
from app.store.keys import StoredKey

Scope = Literal["trigger", "chat", "supervisor", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
PREFIX = "zt"
BEARER = HTTPBearer(auto_error=False, description="A key made with `zeroten keys create`.")
Sent = Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)]


async def create(connection: Connection, name: str, scope: Scope) -> str:
    """Make a key and return it; it cannot be shown again."""
    key_id, secret = secrets.token_hex(6), secrets.token_hex(24)
    await keys.write(connection, StoredKey(key_id, name, _digest(secret), scope))
    return f"{PREFIX}_{key_id}_{secret}"


def _digest(secret: str) -> bytes:
    # The secret is 192 random bits, so a fast digest gives nothing away; passwords would need a slow one.
    return sha256(secret.encode()).digest()


@dataclass(frozen=True)
class ApiKeys:
    """Lets requests in by their key. The admin scope opens every door, and so does ``admin_key``."""

    pool: Pool
    admin_key: SecretStr | None

    def require(self, *scopes: Scope) -> Callable[[Sent], Awaitable[None]]:
        """A dependency that raises `Unauthorized` or `Forbidden` unless the request's key has one of these scopes."""

        async def check(sent: Sent) -> None:
            if sent is None:
                raise Unauthorized("Send a key: Authorization: Bearer KEY.")
            held = await self.scope_of(sent.credentials.strip())
            if held is None:
                raise Unauthorized("This key is not known.")
            if held not in (*scopes, "admin"):
                raise Forbidden(f"This key has the scope {held}; {' or '.join(scopes)} is needed.")

        return check

    async def scope_of(self, key: str) -> str | None:
        """The scope this key opens, or None."""
        if self.admin_key is not None:
            wanted = self.admin_key.get_secret_value().encode()
            if hmac.compare_digest(key.encode(), wanted):
                return "admin"
        prefix, _, rest = key.partition("_")
        key_id, _, secret = rest.partition("_")
        if prefix != PREFIX or not secret:
            return None
        async with self.pool.connection() as connection:
            stored = await keys.read(connection, key_id)
        if stored is None or not hmac.compare_digest(stored.digest, _digest(secret)):
            return None
        return stored.scope
