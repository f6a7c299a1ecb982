"""What Zeroten asks of the parts that are plugged into it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

AttemptStatus = Literal["placing", "placed", "ringing", "in_progress", "ended"]
Disposition = Literal[
    "answered", "machine", "busy", "no_answer", "failed", "canceled", "refused", "not_placed"
]


@dataclass(frozen=True)
class Contact:
    """Who is to be reached, and in which attempt. ``address`` is E.164; ``language`` a flow's, such as ``pl``."""

    survey_id: UUID
    attempt_id: UUID
    address: str
    language: str
    ring_seconds: int
    detect_machine: bool


@dataclass(frozen=True)
class Sighting:
    """What the carrier says of an attempt; ``disposition`` is set once it is over."""

    sid: str
    status: AttemptStatus
    disposition: Disposition | None = None
    temporary: bool = False


class Channel(Protocol):
    """A way to reach a person. Adding one: a file with this, and a line in `app.wiring.CHANNELS`.

    Each method raises `CarrierRefused`, `CarrierMisconfigured`, `CarrierBusy` or `CarrierOutcomeUnknown`.
    """

    async def start(self, contact: Contact) -> str:
        """Begin the attempt and return the carrier's id for it. Never called twice for one attempt."""
        ...

    async def find(self, contact: Contact, since: datetime) -> list[Sighting]:
        """Every attempt the carrier knows to this address since then, whoever began it."""
        ...

    async def look(self, sid: str) -> Sighting | None:
        """How the attempt stands, or None where the carrier does not know it."""
        ...

    async def stop(self, sid: str) -> None:
        """End the attempt; one that is over already is left as it is."""
        ...
