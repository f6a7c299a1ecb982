"""Faults of the rehearsed carrier: what goes wrong with a call, a message or a request, where that is asked for."""

from dataclasses import dataclass
from typing import Literal

from app.rehearsal.people import Pickup

MessageFate = Literal["delivered", "read", "sent", "undelivered", "failed"]
CallbackDelivery = Literal["once", "twice", "reversed", "lost"]
RestBehaviour = Literal[
    "works", "never_answers", "too_many_requests", "breaks", "breaks_afterwards", "refuses"
]


@dataclass(frozen=True)
class Faults:
    """What goes wrong with one call or message; nothing where no value is given.

    ``pickup`` overrides how the phone is met; ``silent`` makes the person say nothing. ``network_seconds`` goes by
    before every webhook, in real time; ``turns_twice`` delivers every one that asks for a document twice, and the
    second answer counts; ``forged`` signs them with a wrong token. ``callbacks`` is how status callbacks arrive.
    ``submits_at_hang_up`` still submits the keys of an entry in the middle of which somebody hangs up.
    ``message`` is where a message ends up, with ``message_error`` where that is not at the person's.
    ``rest`` is what becomes of the request itself: ``never_answers`` and ``breaks_afterwards`` (500) carry it out,
    ``too_many_requests`` (429, 20429), ``breaks`` (500) and ``refuses`` (400 with ``refusal``) do not.
    """

    pickup: Pickup | None = None
    silent: bool = False
    detection_seconds: float = 4.0
    network_seconds: float = 0.0
    turns_twice: bool = False
    forged: bool = False
    submits_at_hang_up: bool = False
    callbacks: CallbackDelivery = "once"
    message: MessageFate = "delivered"
    message_error: int = 30003
    rest: RestBehaviour = "works"
    refusal: int = 21211


@dataclass
class _ToldFaults:
    faults: Faults
    times: int | None


class FaultPlan:
    """Which faults the next call or message to a number has; ``usual`` where nothing else was told."""

    def __init__(self, usual: Faults | None = None) -> None:
        self.usual = usual or Faults()
        self._told: dict[str | None, _ToldFaults] = {}

    def tell(self, faults: Faults, to: str | None = None, times: int | None = None) -> None:
        """Behave so towards ``to``, or towards everybody; for the next ``times`` requests, or from now on."""
        self._told[to] = _ToldFaults(faults, times)

    def take(self, to: str) -> Faults:
        """The faults of one request to ``to``."""
        for key in (to, None):
            told = self._told.get(key)
            if told is not None:
                self._count(key, told)
                return told.faults
        return self.usual

    def _count(self, key: str | None, told: _ToldFaults) -> None:
        if told.times is None:
            return
        told.times -= 1
        if told.times <= 0:
            del self._told[key]
