"""An office, for the tests of deliveries."""

import pytest

from app.jobs import Jobs
from app.store import Pool
from tests.delivery.ledger import Ledger
from tests.delivery.office import Office, an_office, opened


@pytest.fixture
async def jobs(pool: Pool) -> Jobs:
    return await opened(pool)


@pytest.fixture
async def office(pool: Pool, jobs: Jobs) -> Office:
    return an_office(pool, jobs, Ledger())
