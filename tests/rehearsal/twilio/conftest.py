"""A running carrier, a running stand-in for the product, and Twilio's own library between them."""

import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from twilio.http import AsyncHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from app.rehearsal.twilio import RehearsedCarrier
from app.rehearsal.twilio.control import scripted_phone
from app.rehearsal.twilio.serving import running
from tests.rehearsal.twilio.product import Product, running_product

SID = "AC" + "1" * 32
TOKEN = "the account's token"
DOCUMENTS = {
    "/voice": '<Response><Gather numDigits="1" action="/heard"><Say>Score?</Say></Gather></Response>',
    "/heard": "<Response><Say>Thanks.</Say></Response>",
    "/status": "<Response/>",
}


class ToTheCarrier(AsyncHttpClient):  # type: ignore[misc]  # the library ships no types
    """Sends what the library would send to Twilio to the carrier instead, and passes on whatever it answers."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        super().__init__(logging.getLogger(__name__), is_async=True)
        self._http = http

    async def request(self, method: str, uri: str, **given: Any) -> Response:
        asked = {name: given.get(name) for name in ("params", "data", "headers", "auth")}
        answer = await self._http.request(method, httpx.URL(uri).raw_path.decode(), **asked)  # type: ignore[arg-type]
        return Response(answer.status_code, answer.text, answer.headers)


@pytest.fixture
async def product() -> AsyncIterator[Product]:
    """What the carrier's webhooks reach."""
    async with running_product(Product(dict(DOCUMENTS))) as stand_in:
        yield stand_in


@pytest.fixture
async def carrier() -> AsyncIterator[RehearsedCarrier]:
    """A carrier over real HTTP at which everybody presses 9."""
    carrier = RehearsedCarrier(SID, TOKEN, scripted_phone("9", 0.0))
    async with running(carrier):
        yield carrier


@pytest.fixture
async def http(carrier: RehearsedCarrier) -> AsyncIterator[httpx.AsyncClient]:
    """Plain HTTP to the carrier, with the account's credentials."""
    async with httpx.AsyncClient(base_url=carrier.base_url, auth=(SID, TOKEN)) as client:
        yield client


@pytest.fixture
async def twilio(carrier: RehearsedCarrier) -> AsyncIterator[Client]:
    """Twilio's library, talking to the carrier."""
    async with httpx.AsyncClient(base_url=carrier.base_url) as client:
        yield Client(SID, TOKEN, http_client=ToTheCarrier(client))
