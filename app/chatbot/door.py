"""Who may come in: chat tokens, and how many wrong ones an address may try."""

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from app.chat_tokens import BadToken, ChatTokens
from app.errors import ZerotenError

WRONG_AT_ONCE = 20
WRONG_PER_SECOND = 1 / 6
MOST_ADDRESSES = 10_000


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
class Door:
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
