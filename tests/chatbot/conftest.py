"""A product to chat with, shared by the tests of one file."""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from pydantic import SecretStr

from app.config import Settings
from tests.chatbot.chatting import SITE
from tests.line import Line, a_line


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def line(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Line]:
    """The product without a worker, for the pages of one site."""
    settings = Settings(
        _env_file=None,
        database_url=SecretStr(module_database_url),
        data_dir=tmp_path_factory.mktemp("data"),
        chat_origins=SITE,
        brand="Northwind",
    )
    async with a_line(settings, worker=False) as running_line:
        yield running_line


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def visitor(line: Line) -> AsyncIterator[httpx.AsyncClient]:
    """Someone without a key."""
    async with httpx.AsyncClient(base_url=line.http.base_url, timeout=30) as http:
        yield http
