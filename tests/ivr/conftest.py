"""One line for the tests of a file."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.calls import line_on
from tests.line import Line


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def line(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Line]:
    """A running product that the tests of one file share."""
    data_dir: Path = tmp_path_factory.mktemp("line")
    async with line_on(module_database_url, data_dir) as running:
        yield running
