"""Another program's idea of the carrier: streamdouble plays the caller, with its own frames, marks and clears."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio
import websockets

from app.audio import Sound, telephone, write_wav
from app.carrier import sign
from app.config import Settings, load_flows
from app.prompts.inventory import needed_by
from tests.asr import voice
from tests.asr.voice import PitchRecogniser
from tests.calls import Handset
from tests.line import TOKEN, Line, a_line

pytest.importorskip("webrtcvad")
session = pytest.importorskip("streamdouble.session")
scenario = pytest.importorskip("streamdouble.scenario")
protocol = pytest.importorskip("streamdouble.protocol")
pytestmark = pytest.mark.asyncio(loop_scope="module")

BRAND = "Northwind"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def line(module_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Line]:
    prompts = tmp_path_factory.mktemp("prompts")
    (prompts / "en").mkdir()
    for name in needed_by(load_flows(module_settings.flows_dir).values(), "en", [BRAND]):
        (prompts / "en" / f"{name}.wav").write_bytes(write_wav(Sound(voice.say(0, 1.0))))
    async with a_line(
        module_settings, worker=False, recognition="local", brand=BRAND, prompts_dir=prompts
    ) as running:
        running.services.recognisers.recognisers = [PitchRecogniser()]
        yield running


async def test_a_caller_of_another_make_is_heard_cuts_prompts_off_and_presses_keys(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    handset = await Handset.called(line)
    await handset.open()
    address = (
        f"ws{str(line.http.base_url).rstrip('/').removeprefix('http')}/twilio/stream/{handset.survey_id}/1"
    )
    headers = {"X-Twilio-Signature": sign(address, {}, TOKEN)}
    monkeypatch.setattr(
        websockets, "connect", partial(websockets.connect, additional_headers=headers, proxy=None)
    )
    steps = [
        scenario.WaitFor("audio"),
        scenario.Say(Path("nine.wav"), telephone.frames(voice.spoken(voice.say(9, 0.8)))),
        scenario.WaitFor("clear"),
        scenario.Wait(2.5),
        scenario.Dtmf("5"),
        scenario.Wait(1.0),
    ]
    calling = session.Session(
        address,
        scenario=scenario.Scenario("a caller", steps),
        identity=protocol.StreamIdentity(call_sid=handset.sid),
        config=session.SessionConfig(quiet_period_s=0.2, max_drain_s=3),
    )
    result = await calling.run()
    assert result.violations == []
    story = await handset.story()
    assert [each["heard"] and each["heard"]["heard"] for each in story["turns"]] == [None, "words", "keys"]
    assert story["response"]["score"] == 9
