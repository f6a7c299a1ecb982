"""A product that hears callers itself, for the tests of its streams."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from pydantic import SecretStr

from app.audio import Sound, write_wav
from app.config import Settings, load_flows
from app.prompts.inventory import needed_by
from tests.asr import voice
from tests.asr.voice import PitchRecogniser
from tests.conftest import fresh_database
from tests.line import Line, a_line

Record = Callable[..., str]
BRAND = "Northwind"
PROMPT_SECONDS = 3.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def line(module_settings: Settings) -> AsyncIterator[Line]:
    """A product without recorded prompts: the carrier says them all, the streams only listen."""
    async with a_line(module_settings, recognition="local", prompts_dir=Path("none")) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def recorded_line(
    server: str, module_settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Line]:
    """Another one, whose English prompts are all recorded, so that the streams play them."""
    directory = tmp_path_factory.mktemp("prompts")
    (directory / "en").mkdir()
    for name in needed_by(load_flows(module_settings.flows_dir).values(), "en", [BRAND]):
        (directory / "en" / f"{name}.wav").write_bytes(write_wav(Sound(voice.quiet(PROMPT_SECONDS))))
    changes: dict[str, Any] = {"recognition": "local", "brand": BRAND, "prompts_dir": directory}
    with fresh_database(server) as url:
        async with a_line(module_settings, database_url=SecretStr(url), **changes) as running:
            yield running


@pytest.fixture
def recogniser(line: Line, recorded_line: Line) -> PitchRecogniser:
    """The only recogniser of this test."""
    pitch = PitchRecogniser()
    for product in (line, recorded_line):
        product.services.recognisers.recognisers = [pitch]
    return pitch


@pytest.fixture
def record(tmp_path: Path) -> Record:
    """Writes PCM down as a file, for a script to say it."""

    def write(name: str, *parts: bytes) -> str:
        path = tmp_path / f"{name}.wav"
        path.write_bytes(write_wav(Sound(b"".join(parts))))
        return f"@{path}"

    return write
