"""The services that messages go out by: apprise, kept at arm's length.

It is imported when a file first names a recipient, since it is slow to import and few need it. What it logs may hold
addresses, keys and the message itself, so none of that reaches our log; a failure is told in words of our own.
"""

import asyncio
import logging
import re
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from app.alerts.message import AlertMessage
from app.web import UnsafeUrl, public_addresses

if TYPE_CHECKING:
    from apprise import AppriseAsset, NotifyBase

LIMIT_SECONDS = 40.0
AT_ONCE = 4
# With one of these, the service may have taken the message before the line broke.
BROKEN = re.compile(
    r"Read timed out|Exception: (The read operation )?timed out|Connection aborted|Connection broken|RemoteDisconnected"
    r"|Connection unexpectedly closed|IncompleteRead|reset by peer|Broken pipe|EOF occurred|raised an exception",
    re.IGNORECASE,
)
# Nothing was handed over yet: there was no connection, or no login.
BEFORE = re.compile(r"Max retries exceeded|Connection error while submitting email", re.IGNORECASE)
STATUS = re.compile(r"error=(\d{3})\b")
REPLY = re.compile(r"\((\d{3}), b['\"]|was refused: (\d{3})\b")
OTHERS = ("Payload", "Response Details")  # lines with what was sent, or what a stranger answered


@dataclass(frozen=True)
class AlertSent:
    """The service answered that it took the message."""


@dataclass(frozen=True)
class AlertRefused:
    """The service did not take it, for certain; ``reason`` holds nothing secret."""

    reason: str


@dataclass(frozen=True)
class AlertOutcomeUnknown:
    """It may or may not have arrived: it is never sent again."""

    reason: str


Outcome = AlertSent | AlertRefused | AlertOutcomeUnknown


class Service(Protocol):
    """One recipient's way to be told."""

    async def send(self, message: AlertMessage) -> Outcome:
        """Send once, and say how that went."""
        ...


@dataclass(frozen=True)
class AppriseService:
    """A recipient whose address apprise understands."""

    plugin: "NotifyBase"
    allow_private: bool
    limit_seconds: float = LIMIT_SECONDS

    @property
    def kind(self) -> str:
        """What kind of service it is, such as Slack."""
        return str(self.plugin.service_name)

    @property
    def host(self) -> str | None:
        """The host that the operator named; None where apprise knows the address by itself."""
        templates: Sequence[str] = self.plugin.templates
        named = any("{host}" in each for each in templates)
        host = str(getattr(self.plugin, "smtp_host", None) or self.plugin.host)
        return host.strip("[]") if named else None

    async def guard(self) -> None:
        """Raise `UnsafeUrl` where the named host leads into a private network and that is not allowed."""
        if self.host is None or self.allow_private:
            return
        try:
            await public_addresses(self.host)
        except OSError:
            return  # then apprise does not find it either
        except UnsafeUrl:  # without the host, for the reason is logged
            raise UnsafeUrl("its host leads into a private network; see ZEROTEN_ALLOW_PRIVATE_URLS") from None

    async def send(self, message: AlertMessage) -> Outcome:
        """Send the message once, in a thread of its own; what came of it is returned, never raised."""
        try:
            await self.guard()
        except UnsafeUrl as unsafe:
            return AlertRefused(str(unsafe))
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(_threads(), _notify, self.plugin, message, self.limit_seconds)


def understand(url: str, *, allow_private: bool) -> AppriseService:
    """The service that a URL names. Raises ValueError with a reason that does not repeat the URL, which is secret."""
    apprise = _library()
    plugin = apprise.Apprise.instantiate(url.strip(), asset=_asset(allow_private=allow_private))
    if plugin is None or not plugin.enabled:
        raise ValueError("is no address that apprise understands and can use here")
    plugin.retry = 0
    plugin.overflow_mode = apprise.OverflowMode.TRUNCATE
    if not allow_private:
        plugin.redirects = False
    if len(plugin) > 1:
        raise ValueError(
            "names several receivers; give each one an address of its own, to be tried by itself"
        )
    return AppriseService(plugin, allow_private)


@cache
def _threads() -> ThreadPoolExecutor:
    """Where apprise works, since it waits for answers while it holds a thread."""
    return ThreadPoolExecutor(AT_ONCE, thread_name_prefix="alerts")


@cache
def _library() -> Any:
    own = logging.getLogger("apprise")
    own.propagate = False
    own.addHandler(logging.NullHandler())
    own.setLevel(logging.DEBUG)  # its results then say what went wrong
    for chatty in ("urllib3", "requests_oauthlib", "oauthlib"):
        logging.getLogger(chatty).setLevel(logging.ERROR)
    with warnings.catch_warnings():
        # One of its services imports a module that later versions of Python do without, as it then does itself.
        warnings.simplefilter("ignore", DeprecationWarning)
        import apprise  # noqa: PLC0415 - slow

        manager: Any = apprise.NotificationManager
        manager().load_modules()
    return apprise


def _asset(*, allow_private: bool) -> "AppriseAsset":
    asset: AppriseAsset = _library().AppriseAsset(
        app_id="Zeroten", app_desc="Zeroten", async_mode=False, http_redirects=allow_private
    )
    return asset


def _notify(plugin: "NotifyBase", message: AlertMessage, limit_seconds: float) -> Outcome:
    apprise = _library()
    one = apprise.Apprise(asset=plugin.asset)
    one.add(plugin)
    result = one.notify(
        title=message.title,
        body=message.body,
        body_format=apprise.NotifyFormat.TEXT,
        timeout=limit_seconds,
        log_level=logging.DEBUG,
    )
    if result:
        return AlertSent()
    if result.status == apprise.AppriseResultStatus.TIMEOUT:
        return AlertOutcomeUnknown(f"no answer within {limit_seconds:g} seconds")
    return _failure([str(entry.message) for entry in result.logs()])


def _failure(said: Sequence[str]) -> AlertRefused | AlertOutcomeUnknown:
    """What apprise's own lines let one know of a failure; they themselves are not repeated."""
    lines = "\n".join(each for each in said if not any(other in each for other in OTHERS))
    if found := STATUS.search(lines):
        return AlertRefused(f"the service answered {found[1]}")
    if found := REPLY.search(lines):
        return AlertRefused(f"the mail server answered {found[1] or found[2]}")
    if BEFORE.search(lines):
        return AlertRefused("no connection to the service")
    if BROKEN.search(lines):
        return AlertOutcomeUnknown("the line broke before the service answered")
    return AlertRefused("the service did not take it")
