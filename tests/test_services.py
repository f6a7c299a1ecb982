"""The parts of a process, put together."""

import pytest

from app.config import Settings
from app.errors import FlowError
from app.main import create_app
from app.services import running


async def test_flows_without_the_one_for_people_whom_nobody_knows_stop_the_start(settings: Settings) -> None:
    flows = settings.data_dir / "flows"
    flows.mkdir()
    written = (settings.flows_dir / "nps.yml").read_text(encoding="utf-8")
    (flows / "other.yml").write_text(written.replace("\n  nps:\n", "\n  other:\n"), encoding="utf-8")
    (flows / "text").symlink_to(settings.flows_dir.resolve() / "text")
    with pytest.raises(FlowError, match=r"flows: flows\.nps: "):
        async with running(settings.model_copy(update={"flows_dir": flows})):
            pass


async def test_the_parts_of_the_web_application_are_made_once(settings: Settings) -> None:
    async with running(settings) as services:
        create_app(services)
        parts = services.api_keys, services.triggers, services.chats, services.media_streams
        create_app(services)
        assert parts == (services.api_keys, services.triggers, services.chats, services.media_streams)
        assert services.rasa_surveys.chats is services.chats
