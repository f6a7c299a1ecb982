"""Recorded prompts on a call, and the files behind their addresses."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from app.audio import is_playable
from app.config import load_flows
from tests.calls import Handset, line_on, post, rehearse, settled
from tests.line import Line
from tests.prompts.recorded import file_name, record, sounded

pytestmark = pytest.mark.asyncio(loop_scope="module")
BRAND = "Café Nord"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def line(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Line]:
    """A running product with recordings of all but one prompt."""
    flow = load_flows(Path("flows"))["nps"]
    prompts_dir = record(flow, tmp_path_factory.mktemp("prompts"), BRAND, but="thanks_promoter")
    data_dir = tmp_path_factory.mktemp("line")
    async with line_on(module_database_url, data_dir, prompts_dir=prompts_dir, brand=BRAND) as running:
        yield running


async def test_a_rehearsed_call_hears_recordings_that_a_phone_can_play(line: Line) -> None:
    survey_id, number, _ = await rehearse(line, "9# | cheap and fast")
    story = await settled(line, survey_id)
    assert story["response"]["score"] == 9
    (call,) = line.carrier.calls.find(lambda call: call.to == number)
    assert call.alerts == []
    heard = [each.what.strip("[]") for each in call.transcript.entries if each.who == "line"]
    played = [each for each in heard if each.startswith("http")]
    assert [file_name(each) for each in played][:3] == [
        "greeting.1.wav",
        "value.brand.cafe-nord.wav",
        "greeting.2.wav",
    ]
    assert any(each.startswith("Thank you so much") for each in heard), "what nobody recorded is said"
    for url in played:
        fetched = await line.http.get(url)
        assert fetched.status_code == 200
        assert fetched.headers["content-type"] == "audio/wav"
        assert is_playable(fetched.content)


async def test_a_file_is_kept_for_ever_under_the_address_that_a_call_names(line: Line) -> None:
    handset = await Handset.called(line)
    url = (await handset.open()).said[0]
    first = await line.http.get(url)
    assert first.headers["cache-control"] == "public, max-age=31536000, immutable"
    again = await line.http.get(url, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    weak = f'"something", W/{first.headers["etag"]}'
    assert (await line.http.get(url, headers={"If-None-Match": weak})).status_code == 304
    assert (await line.http.get(url, headers={"If-None-Match": '"something"'})).status_code == 200
    head = await line.http.head(url)
    assert (head.status_code, head.headers["content-length"]) == (200, str(len(first.content)))


@pytest.mark.parametrize("query", ["", "?v=", "?v=0123456789abcdef"])
async def test_under_any_other_address_it_is_asked_for_each_time(line: Line, query: str) -> None:
    fetched = await line.http.get(f"/prompts/en/goodbye.wav{query}")
    assert fetched.status_code == 200
    assert fetched.headers["cache-control"] == "public, no-cache"
    assert fetched.headers["etag"]


async def test_nobody_has_to_say_who_they_are_to_fetch_one(line: Line) -> None:
    fetched = await line.http.get("/prompts/en/goodbye.wav", headers={"Authorization": ""})
    assert fetched.status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "en/nothing.wav",
        "pl/goodbye.wav",
        "en/goodbye",
        "en/manifest.json",
        "en/..%2Fen%2Fgoodbye.wav",
        "..%2Fen/goodbye.wav",
    ],
)
async def test_nothing_but_prompts_is_served(line: Line, path: str) -> None:
    assert (await line.http.get(f"/prompts/{path}")).status_code == 404


async def test_someone_who_calls_back_hears_recordings_too(line: Line) -> None:
    answer = await post(
        line, "/twilio/voice", {"CallSid": "CA1", "From": "+48221112233", "To": "+48221000000"}
    )
    assert [name for _, name in sounded(answer.content)] == [
        "inbound_no_survey.1.wav",
        "value.brand.cafe-nord.wav",
        "inbound_no_survey.2.wav",
    ]


async def test_a_call_that_ends_for_want_of_a_survey_is_ended_by_a_recording(line: Line) -> None:
    unknown = "/twilio/voice/en/00000000-0000-0000-0000-000000000000/1"
    answer = await post(line, unknown, {"CallSid": "CA1"})
    assert sounded(answer.content) == [("Play", "goodbye.wav")]
