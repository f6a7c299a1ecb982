"""Being signed in at Salesforce: by client credentials, a refresh token, or a user's password and security token."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr
from requests import Session, TooManyRedirects
from simple_salesforce import Salesforce, SalesforceAuthenticationFailed, SalesforceExpiredSession
from simple_salesforce.exceptions import SalesforceError
from simple_salesforce.login import SalesforceLogin, token_login

from app.crm import bridge
from app.crm.api import TRY_AGAIN, raise_for
from app.crm.salesforce_options import SalesforceOptions
from app.errors import CrmBusy, CrmError, CrmMisconfigured, CrmRefused, NoRecord
from app.web import GuardedHttp, HttpReply

LIMITED_SECONDS = 60.0
NOT_NOW = frozenset(
    {"REQUEST_LIMIT_EXCEEDED", "UNABLE_TO_LOCK_ROW", "SERVER_UNAVAILABLE", "QUERY_TIMEOUT", "unknown_error"}
)
NO_RECORD = frozenset({"NOT_FOUND", "ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY", "MALFORMED_ID"})
OURS_TO_MEND = frozenset(
    {
        "INVALID_FIELD", "INVALID_FIELD_FOR_INSERT_UPDATE", "INVALID_TYPE", "REQUIRED_FIELD_MISSING",
        "API_DISABLED_FOR_ORG", "API_CURRENTLY_DISABLED", "INVALID_SESSION_ID",
    }
)  # fmt: skip


@dataclass
class Login:
    """Signs in when it is first needed, and again once Salesforce has ended the session; one at a time."""

    outgoing: GuardedHttp
    options: SalesforceOptions = field(repr=False)
    threads: Executor = field(repr=False)
    _signed_in: Salesforce | None = field(default=None, repr=False)
    _signing_in: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    async def call(self, do: Callable[[Any], Any]) -> Any:
        """What ``do`` gives, which is called with the library's client, in a thread.

        Raises what follows from Salesforce's errors.
        """
        client = await self._client(instead_of=None)
        try:
            return await self._in_thread(do, client)
        except SalesforceExpiredSession:
            client = await self._client(instead_of=client)
        try:
            return await self._in_thread(do, client)
        except SalesforceExpiredSession:
            raise CrmMisconfigured("Salesforce ends every session at once", 401) from None

    async def _client(self, instead_of: Salesforce | None) -> Salesforce:
        async with self._signing_in:
            if self._signed_in is None or self._signed_in is instead_of:
                self._signed_in = await self._in_thread(self._sign_in, asyncio.get_running_loop())
            return self._signed_in

    async def _in_thread(self, do: Callable[[Any], Any], argument: Any) -> Any:
        """In a thread of our own: the loop's are needed to look up addresses while ours wait for it."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self.threads, do, argument)
        except SalesforceExpiredSession:
            raise
        except SalesforceError as error:
            raise _follows(error) from None
        except TooManyRedirects:
            raise CrmMisconfigured("it answers with a redirect: is this the right address?") from None

    def _sign_in(self, loop: asyncio.AbstractEventLoop) -> Salesforce:
        plain, version = self.options.login_url.startswith("http://"), self.options.api_version
        session = bridge.session(bridge.Bridge(self.outgoing, loop, _judge, plain=plain))
        try:
            session_id, instance = _granted(self.options, session)
        except SalesforceAuthenticationFailed as failed:
            # The code is a word; the message may name the user.
            if failed.code in NOT_NOW:
                raise CrmBusy("Salesforce lets nobody in just now", 401, LIMITED_SECONDS) from None
            raise CrmMisconfigured(f"Salesforce does not let us in ({failed.code})", 401) from None
        return Salesforce(session_id=session_id, instance=instance, version=version, session=session)


def _granted(own: SalesforceOptions, session: Session) -> tuple[str, str]:
    """A session's id and its host."""
    if own.username is not None:
        return SalesforceLogin(
            username=own.username,
            password=_plain(own.password),
            security_token=_plain(own.security_token),
            scratch_url=own.login_url,
            sf_version=own.api_version,
            session=session,
        )
    grant = {"client_id": own.client_id, "client_secret": _plain(own.client_secret)}
    if own.refresh_token is not None:
        grant |= {"grant_type": "refresh_token", "refresh_token": _plain(own.refresh_token)}
    else:
        grant |= {"grant_type": "client_credentials"}
    url = f"{own.login_url}/services/oauth2/token"
    return token_login(url, grant, own.login_url, str(own.client_id), None, None, session)


def _plain(secret: SecretStr | None) -> str:
    return "" if secret is None else secret.get_secret_value()


def _judge(url: str, reply: HttpReply) -> None:
    """What is the same for every request. Where people sign in over SOAP, every refusal is a 500."""
    soap = reply.status == 500 and "/services/Soap/" in url
    if reply.status in TRY_AGAIN or (reply.status >= 500 and not soap):
        raise_for(reply)


def _follows(error: SalesforceError) -> CrmError:
    """Salesforce quotes what it was sent, so only its codes and the fields' names are told."""
    content: Any = error.content
    problems = [each for each in content if isinstance(each, dict)] if isinstance(content, list) else []
    code = str(problems[0].get("errorCode", "")) if problems else ""
    fields = ", ".join(problems[0].get("fields") or ()) if problems else ""
    about = f"it answered {error.status} {code}".rstrip() + (f" about {fields}" if fields else "")
    if code in NOT_NOW:
        return CrmBusy(about, error.status, LIMITED_SECONDS if code == "REQUEST_LIMIT_EXCEEDED" else None)
    if code in OURS_TO_MEND or error.status in (401, 403):
        return CrmMisconfigured(about, error.status)
    if code in NO_RECORD or error.status == 404:
        return NoRecord(about, error.status)
    return CrmRefused(about, error.status)
