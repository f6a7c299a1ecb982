"""How often an address may do something wrong: a leaky bucket for each, in this process."""

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

AT_ONCE = 20
PER_SECOND = 1 / 6
MOST_ADDRESSES = 10_000


@dataclass(eq=False)
class Throttle:
    """Each address may err ``at_once`` times, and ``per_second`` (times a second) from then on.

    The addresses heard of longest ago are forgotten first.
    """

    at_once: int = AT_ONCE
    per_second: float = PER_SECOND
    clock: Callable[[], float] = time.monotonic
    _buckets: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)

    def note(self, address: str) -> int:
        """One more error came from there: 0 while there is room for it, else the seconds until there is."""
        network = network_of(address)
        level = self._level(network)
        excess = level + 1 - self.at_once
        self._buckets[network] = (level if excess > 0 else level + 1, self.clock())
        self._buckets.move_to_end(network)
        if len(self._buckets) > MOST_ADDRESSES:
            self._buckets.popitem(last=False)
        return math.ceil(excess / self.per_second) if excess > 0 else 0

    def is_full(self, address: str) -> bool:
        """Whether there is no room for one more error of this address now."""
        return self._level(network_of(address)) + 1 > self.at_once

    def _level(self, network: str) -> float:
        level, since = self._buckets.get(network, (0.0, 0.0))
        return max(0.0, level - (self.clock() - since) * self.per_second)

    def __len__(self) -> int:
        return len(self._buckets)


def network_of(address: str) -> str:
    """The address itself, or the network that one subscriber of IPv6 has; what is no address stays as it is."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(known, ipaddress.IPv6Address) and known.ipv4_mapped is None:
        return str(ipaddress.ip_network((known, 64), strict=False))
    return address
