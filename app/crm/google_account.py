"""A Google service account: its key file is google-auth's business, what is sent is ours."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from pydantic import SecretStr

from app.crm.api import send
from app.errors import CrmBusy, CrmMisconfigured, StartError
from app.web import GuardedHttp

NEEDED = ("client_email", "private_key", "token_uri")


def read_key(given: SecretStr) -> dict[str, Any]:
    """A service account's key, given as its file's path or content. Raises `StartError`."""
    text = given.get_secret_value().strip()
    try:
        content = json.loads(text if text.startswith("{") else Path(text).read_text(encoding="utf-8"))
    except OSError as problem:
        raise StartError(f"service_account: the key file cannot be read ({type(problem).__name__})") from None
    except ValueError:
        raise StartError("service_account: is neither a key file's path nor its JSON") from None
    if not isinstance(content, dict) or not all(content.get(name) for name in NEEDED):
        raise StartError(f"service_account: is no service account's key, which has {', '.join(NEEDED)}")
    return content


@dataclass(frozen=True)
class ServiceAccount:
    """Who we are at Google, with an access token that is fetched when one is needed."""

    outgoing: GuardedHttp
    credentials: Any = field(repr=False)
    errors: Any = field(repr=False)
    _one: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    @classmethod
    def of(cls, key: SecretStr, scope: str, outgoing: GuardedHttp) -> "ServiceAccount":
        """The account of this key. Raises `StartError`."""
        content = read_key(key)
        try:
            accounts = import_module("google.oauth2.service_account")
            errors = import_module("google.auth.exceptions")
        except ImportError:
            raise StartError("Google Sheets needs google-auth, which make crm installs") from None
        try:
            credentials = accounts.Credentials.from_service_account_info(content, scopes=[scope])
        except ValueError:
            raise StartError("service_account: its private_key is not a PEM key") from None
        return cls(outgoing, credentials, errors)

    async def headers(self, *, anew: bool = False) -> Mapping[str, str]:
        """What authorises a request; ``anew`` where the token at hand was not taken.

        Raises `CrmMisconfigured` where Google does not know the key, and `CrmBusy`.
        """
        async with self._one:
            if anew or not self.credentials.valid:
                await self._fetch()
            return {"Authorization": f"Bearer {self.credentials.token}"}

    async def _fetch(self) -> None:
        ask = partial(self._ask, asyncio.get_running_loop())
        try:
            await asyncio.to_thread(self.credentials.refresh, ask)
        except self.errors.GoogleAuthError as problem:
            if getattr(problem, "retryable", False):
                raise CrmBusy("Google gives no access token just now") from None
            raise CrmMisconfigured("Google does not take the service account's key") from None

    def _ask(
        self,
        loop: asyncio.AbstractEventLoop,
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        **_: Any,
    ) -> Any:
        """A request as google-auth makes it, from its thread, through our guarded HTTP."""
        sent = asyncio.run_coroutine_threadsafe(send(self.outgoing, method, url, headers or {}, body), loop)
        reply = sent.result()
        return SimpleNamespace(status=reply.status, headers=reply.headers, data=reply.body)
