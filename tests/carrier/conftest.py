from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import httpx
import pytest

from app.carrier import Carrier
from tests.carrier.description import CONVERSATIONS, Description, DescriptionMissing, load
from tests.carrier.peer import ACCOUNT_SID, AUTH_TOKEN, FROM_NUMBER

PATIENT = httpx.Timeout(10.0)
IMPATIENT = httpx.Timeout(connect=1.0, read=0.1, write=0.1, pool=0.1)


@pytest.fixture(scope="session")
def description() -> Description:
    try:
        return load()
    except DescriptionMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def conversations_description() -> Description:
    try:
        return load(CONVERSATIONS)
    except DescriptionMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture
async def carrier_at() -> AsyncIterator[Callable[[str], Carrier]]:
    """Makes a carrier client for an address, and closes it after the test; an impatient one waits 0.1 s."""
    async with AsyncExitStack() as stack:

        def make(
            url: str, transport: httpx.AsyncBaseTransport | None = None, *, impatient: bool = False
        ) -> Carrier:
            carrier = Carrier(
                ACCOUNT_SID,
                auth_token=AUTH_TOKEN,
                from_number=FROM_NUMBER,
                api_url=url,
                timeout=IMPATIENT if impatient else PATIENT,
                deadline_seconds=0.3 if impatient else 10.0,
                transport=transport,
            )
            stack.push_async_callback(carrier.aclose)
            return carrier

        yield make
