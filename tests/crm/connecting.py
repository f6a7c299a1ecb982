"""A connector that leads to a vendor's test server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, TypeVar

import httpx

from app.ports import Crm, ResponseToPush
from app.services import CRMS
from app.web import GuardedHttp
from tests.crm.vendor import Vendor

V = TypeVar("V", bound=Vendor)


@asynccontextmanager
async def serving(kind: type[V]) -> AsyncIterator[V]:
    """A vendor's server, which was asked for nothing that its description does not know."""
    async with kind() as vendor:
        yield vendor
        assert vendor.violations == []


@asynccontextmanager
async def connected(vendor: Vendor, **changes: Any) -> AsyncIterator[Crm]:
    """The vendor's connector, with these options in the place of the vendor's own."""
    configured = CRMS[vendor.name].configured({**vendor.options, **changes})
    async with httpx.AsyncClient() as http:
        yield configured.connect(GuardedHttp(http, allow_private=True))


def with_attributes(answer: ResponseToPush, **attributes: str) -> ResponseToPush:
    """The answer of an interaction with these attributes."""
    return replace(answer, columns={**answer.columns, "attributes": attributes})


def later(answer: ResponseToPush, answered_at: str) -> ResponseToPush:
    """The answer, given at this time."""
    return replace(answer, columns={**answer.columns, "answered_at": answered_at})
