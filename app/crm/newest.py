"""What the marketing tools share: a contact holds its newest answer in custom fields, and a tag that says its band."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, Protocol
from weakref import WeakValueDictionary

from pydantic import Field

from app.config import Strict
from app.crm.matching import match
from app.crm.options import By, Kind, Matching, Source, filled, misfits
from app.errors import CrmMisconfigured, NoRecord
from app.ports import ResponseToPush

KNOWN_SECONDS = 300.0

TagName = Annotated[str, Field(min_length=1, max_length=100)] | None


class BandTags(Strict):
    """The tag of each band. The others' are taken away; a band without one has only that."""

    promoter: TagName = "nps_promoter"
    passive: TagName = "nps_passive"
    detractor: TagName = "nps_detractor"

    @property
    def names(self) -> frozenset[str]:
        """The names of the tags, at most one for each band."""
        return frozenset(filter(None, (self.promoter, self.passive, self.detractor)))

    def of(self, band: str) -> frozenset[str]:
        """What a contact of this band has: one, or none."""
        return frozenset(filter(None, (getattr(self, band),)))


@dataclass(frozen=True)
class MarketingContact:
    """A contact as the tool has it now: custom fields and tags by name, and its whole ``record``."""

    contact_id: str
    fields: Mapping[str, Any] = field(repr=False)
    tags: frozenset[str]
    record: Any = field(repr=False)


EVERYTHING: tuple[Kind, ...] = ("text", "number", "truth", "time")
"""What a field for text holds."""
NUMBERS: tuple[Kind, ...] = ("number",)


class MarketingContacts(Protocol):
    """A marketing tool's contacts. None is ever created, and none subscribed to anything."""

    @property
    def takes(self) -> Mapping[str, Collection[Kind]]:
        """What each type of custom field that can be written to holds."""
        ...

    async def fields(self) -> Mapping[str, str]:
        """The custom fields there are, by name, each with its type."""
        ...

    async def find(self, by: By, value: str) -> Sequence[str]:
        """The ids of the contacts that have this value, the newest first."""
        ...

    async def read(self, contact_id: str) -> MarketingContact | None:
        """The contact, or None where it is gone."""
        ...

    async def write(
        self, contact: MarketingContact, fields: Mapping[str, Any], add: frozenset[str], take: frozenset[str]
    ) -> None:
        """Set the fields (None clears one), and add and take away tags. What is not named stays as it is."""
        ...


@dataclass
class Ids:
    """The ids of ``names``, asked for anew after a while and whenever one is missing: people rename and delete."""

    what: str
    names: frozenset[str]
    ask: Callable[[], Awaitable[Mapping[str, str]]]
    _known: Mapping[str, str] = field(default_factory=dict)
    _until: float = 0.0
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def known(self) -> Mapping[str, str]:
        """By name. Raises `CrmMisconfigured` where one does not exist."""
        async with self._asking:
            if time.monotonic() >= self._until:
                self._known = await self.ask()
                if lacking := sorted(self.names - self._known.keys()):
                    raise CrmMisconfigured(f"there is no {self.what} {', '.join(lacking)}")
                self._until = time.monotonic() + KNOWN_SECONDS
            return self._known

    def forget(self) -> None:
        """Have them asked for anew the next time."""
        self._until = 0.0


@dataclass(frozen=True)
class NewestAnswer:
    """Writes each answer to its contact, unless the contact holds a later one by then."""

    contacts: MarketingContacts
    mapping: Mapping[str, Source]
    tags: BandTags
    matching: Matching
    most_at_once: int = 1
    _turns: WeakValueDictionary[str, asyncio.Lock] = field(
        default_factory=WeakValueDictionary, repr=False, compare=False
    )

    async def check(self) -> Sequence[str]:
        """A sentence for each mapped field that is missing or of an unfit type. Tags are made when they are needed."""
        there = await self.contacts.fields()
        return list(misfits("custom field", self.mapping, there, self.contacts.takes))

    async def push(self, answers: Sequence[ResponseToPush]) -> Sequence[str]:
        """Write each response to its contact, unless that holds a later one; gives the contacts' ids, in order.

        Raises `NoRecord` where `match` finds no contact, or it is gone.
        """
        return [await self._push(each) for each in answers]

    async def _push(self, answer: ResponseToPush) -> str:
        contact_id = answer.remote_id or await match(self.matching, answer.customer, self.contacts.find)
        async with self._turns.setdefault(contact_id, asyncio.Lock()):
            contact = await self.contacts.read(contact_id)
            if contact is None:
                raise NoRecord("the contact is gone")
            if not self._overtaken(answer, contact):
                wanted = self.tags.of(answer.columns["band"])
                await self.contacts.write(
                    contact,
                    filled(self.mapping, answer),
                    wanted - contact.tags,
                    (self.tags.names - wanted) & contact.tags,
                )
        return contact_id

    def _overtaken(self, answer: ResponseToPush, contact: MarketingContact) -> bool:
        """Whether the contact holds a later answer, by the field that the time of the answer is written to."""
        ours = moment(answer.columns["answered_at"])
        theirs = [
            moment(contact.fields.get(name))
            for name, source in self.mapping.items()
            if source == "answered_at"
        ]
        return ours is not None and any(held is not None and held > ours for held in theirs)


def moment(written: Any) -> datetime | None:
    """The time that a field holds; without a zone it is taken as UTC. None where it holds none."""
    try:
        at = datetime.fromisoformat(written)
    except (TypeError, ValueError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def as_text(value: Any) -> str:
    """A value as a text field takes it."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case _:
            return str(value)
