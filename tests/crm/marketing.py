"""What the servers of marketing tools have in common: a customer with tags, and fields with types."""

from abc import abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx

from app.ports import Crm, CrmIdentity, ResponseToPush
from app.services import CRMS
from app.web import GuardedHttp
from tests.crm.answers import EMAIL, PHONE, an_answer
from tests.crm.vendor import Vendor

CUSTOMERS_OWN_TAG = "newsletter"


class MarketingTool(Vendor):
    """Its customer has `CUSTOMERS_OWN_TAG`."""

    @property
    @abstractmethod
    def tags_of_customer(self) -> set[str]:
        """The names of the tags that the customer has now."""

    @property
    @abstractmethod
    def contacts(self) -> int:
        """How many contacts there are."""

    @abstractmethod
    def take_away_tags(self) -> None:
        """Delete every tag there is."""

    @abstractmethod
    def make_dates_of(self, name: str) -> None:
        """Turn a field into one for dates."""


@asynccontextmanager
async def connected(tool: MarketingTool, **options: Any) -> AsyncIterator[Crm]:
    """The connector that leads there; every request must have been one that the description knows."""
    async with httpx.AsyncClient() as http:
        chosen = CRMS[tool.name].configured(tool.options | options)
        yield chosen.connect(GuardedHttp(http, allow_private=True))
    assert tool.violations == []


def answered(
    tool: Vendor, hour: int, band: str = "detractor", comment: str | None = "Why.", **known: Any
) -> ResponseToPush:
    """The customer's answer at this hour of a day."""
    score = {"detractor": 2, "passive": 8, "promoter": 10}[band]
    answer = an_answer(tool.customer_id, score=score, band=band, comment=comment, **known)
    at = datetime(2026, 11, 21, hour, tzinfo=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return ResponseToPush(**vars(answer) | {"columns": dict(answer.columns) | {"answered_at": at}})


def known_by(crm_id: str | None = None, email: str | None = EMAIL, phone: str | None = PHONE) -> CrmIdentity:
    """A customer."""
    return CrmIdentity(crm_id, email, phone, "Ewa Nowak")
