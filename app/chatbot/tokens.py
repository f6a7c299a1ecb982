"""Chat tokens: signed, expiring, bound to one survey; and how many wrong ones an address may try."""

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from itsdangerous import BadData, URLSafeSerializer

from app.errors import ZerotenError

SALT = "zeroten.chat"
WRONG_AT_ONCE = 20
WRONG_PER_SECOND = 1 / 6
MOST_ADDRESSES = 10_000


class BadToken(ZerotenError):
    """The token was not made here, or was tampered with."""

    code = "bad_token"
    status = 401


class ExpiredToken(ZerotenError):
    """The token was good once, for ``survey_id``."""

    code = "expired_token"
    status = 401

    def __init__(self, survey_id: UUID) -> None:
        super().__init__("This chat link has expired.")
        self.survey_id = survey_id


@dataclass(frozen=True)
class ChatTokens:
    """Makes and reads the tokens by which a chat reaches its survey."""

    secret: bytes
    lifetime_seconds: int

    def make(self, survey_id: UUID, at: datetime) -> str:
        """The token for this survey that is good from ``at``; the same each time it is made."""
        return self._serializer().dumps([survey_id.hex, int(at.timestamp()) + self.lifetime_seconds])

    def read(self, token: str) -> UUID:
        """The survey that the token opens. Raises `BadToken` or `ExpiredToken`."""
        try:
            survey, expires_at = self._serializer().loads(token)
        except (BadData, ValueError):
            raise BadToken("This chat link is not valid.") from None
        if time.time() > expires_at:
            raise ExpiredToken(UUID(survey))
        return UUID(survey)

    def _serializer(self) -> URLSafeSerializer:
        return URLSafeSerializer(self.secret, salt=SALT)


class TooManyWrongTokens(ZerotenError):
    """This address has tried too many wrong tokens; it may try one more in ``seconds``."""

    code = "too_many_wrong_tokens"
    status = 429

    def __init__(self, seconds: int) -> None:
        super().__init__("Too many wrong chat tokens came from this address.")
        self.seconds = seconds


@dataclass
class WrongTokens:
    """A leaky bucket of wrong tokens for each address; the addresses heard of longest ago are forgotten first."""

    clock: Callable[[], float] = time.monotonic
    _buckets: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)

    def note(self, address: str) -> None:
        """One more wrong token came. Raises `TooManyWrongTokens` where it was one too many."""
        now, network = self.clock(), _network(address)
        level, since = self._buckets.pop(network, (0.0, now))
        level = max(0.0, level - (now - since) * WRONG_PER_SECOND)
        full = level + 1 > WRONG_AT_ONCE
        self._buckets[network] = (level if full else level + 1, now)
        if len(self._buckets) > MOST_ADDRESSES:
            self._buckets.popitem(last=False)
        if full:
            raise TooManyWrongTokens(math.ceil((level + 1 - WRONG_AT_ONCE) / WRONG_PER_SECOND))

    def __len__(self) -> int:
        return len(self._buckets)


def _network(address: str) -> str:
    """The address itself, or the network that one subscriber of IPv6 has."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(known, ipaddress.IPv6Address) and known.ipv4_mapped is None:
        return str(ipaddress.ip_network((known, 64), strict=False))
    return address


@dataclass(frozen=True)
class TokenGate:
    """Lets a chat in by its token.

    Right tokens are always let in, however many wrong ones their address has sent: behind a proxy or in an office many
    people share one.
    """

    tokens: ChatTokens
    wrong: WrongTokens = field(default_factory=WrongTokens)

    def admit(self, token: str, address: str) -> UUID:
        """The token's survey. Raises `BadToken`, `TooManyWrongTokens` or `ExpiredToken`."""
        try:
            return self.tokens.read(token)
        except BadToken:
            self.wrong.note(address)
            raise
