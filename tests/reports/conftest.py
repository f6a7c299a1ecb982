"""The product over HTTP, counting its days in Warsaw."""

from collections.abc import AsyncIterator

import pytest_asyncio

from app.config import Settings
from tests.line import Line, a_line


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def line(module_settings: Settings) -> AsyncIterator[Line]:
    async with a_line(module_settings, worker=False, reporting_timezone="Europe/Warsaw") as running:
        yield running
