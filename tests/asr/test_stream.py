"""Calls that are heard here: the whole product, a rehearsed carrier, and a stream of real frames between them."""

from typing import Any

import pytest

from app import metrics
from app.audio import read_wav
from tests.asr import voice
from tests.asr.conftest import Record
from tests.asr.voice import PitchRecogniser
from tests.calls import fresh_number
from tests.line import Line, eventually
from tests.rows import rows

pytest.importorskip("webrtcvad")
pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.usefixtures("recogniser")]


def fell_back(reason: str) -> float:
    return metrics.REGISTRY.get_sample_value("zeroten_recognition_fell_back_total", {"reason": reason}) or 0.0


def heard(story: dict[str, Any]) -> list[str]:
    """What was heard, turn by turn: words, keys or what else."""
    found = [turn["heard"] for turn in story["turns"] if turn["heard"]]
    return [each.get("text") or each.get("digits") or each["heard"] for each in found]


def transcript(line: Line, number: str) -> list[str]:
    (call,) = line.carrier.calls.find(lambda each: each.to == number)
    assert call.alerts == []
    return [str(each) for each in call.transcript]


async def test_a_spoken_score_and_comment_are_heard_here_and_become_a_response(
    line: Line, recogniser: PitchRecogniser, record: Record
) -> None:
    number = fresh_number()
    story = await line.survey(number, f"{record('nine', voice.say(9))} | {record('seven', voice.say(7))}")
    assert (story["status"], heard(story)) == ("completed", ["nine", "seven"])
    assert (story["response"]["score"], story["response"]["comment"]) == (9, "seven")
    assert [kind for _, kind in recogniser.begun] == ["score", "comment"]
    assert "en-US" in transcript(line, number)[0], "the carrier's voice said what is not recorded"


async def test_recorded_prompts_are_played_down_one_stream_and_only_the_goodbye_by_the_carrier(
    recorded_line: Line, record: Record
) -> None:
    number = fresh_number()
    script = f"{record('nine', voice.say(9))} | {record('seven', voice.say(7))}"
    story = await recorded_line.survey(number, script)
    assert heard(story) == ["nine", "seven"]
    await recorded_line.carrier.quiet()
    said = transcript(recorded_line, number)
    assert [each.count("stream, ") for each in said if "[stream" in each] == [1, 1, 1]
    assert "/prompts/en/" in said[-1]


async def test_whoever_speaks_while_the_prompt_plays_cuts_it_off(recorded_line: Line, record: Record) -> None:
    script = f"!{record('ten', voice.quiet(0.5), voice.say(10))} | {record('two', voice.say(2))}"
    story = await recorded_line.survey(fresh_number(), script)
    assert heard(story) == ["ten", "two"]


async def test_keys_are_taken_while_the_prompt_plays(recorded_line: Line, record: Record) -> None:
    story = await recorded_line.survey(fresh_number(), f"!10 | {record('two', voice.say(2))}")
    assert heard(story) == ["10", "two"]


async def test_star_and_an_early_score_count_while_the_carrier_greets(line: Line, record: Record) -> None:
    story = await line.survey(fresh_number(), "!*")
    assert (story["status"], heard(story)) == ("opted_out", ["*"])
    story = await line.survey(fresh_number(), f"!10 | {record('two', voice.say(2))}")
    assert heard(story) == ["10", "two"]
    story = await line.survey(fresh_number(), f"!9# | {record('two', voice.say(2))}")
    assert heard(story) == ["9", "two"]


async def test_a_one_waits_for_the_nought_of_a_ten_and_is_a_one_without_it(
    line: Line, record: Record
) -> None:
    comment = record("two", voice.say(2))
    assert (await line.survey(fresh_number(), f"10 | {comment}"))["response"]["score"] == 10
    assert (await line.survey(fresh_number(), f"1 | | {comment} | 2"))["response"]["score"] == 1
    assert (await line.survey(fresh_number(), f"0# | {comment} | 2"))["response"]["score"] == 0


async def test_whoever_says_nothing_is_asked_again_by_our_own_clock(line: Line, record: Record) -> None:
    script = f"| {record('eight', voice.say(8))} | {record('two', voice.say(2))}"
    story = await line.survey(fresh_number(), script)
    assert heard(story) == ["silence", "eight", "two"]


async def test_a_cough_is_no_answer_and_costs_no_try(line: Line, record: Record) -> None:
    coughing = record("coughing", voice.cough(), voice.quiet(1.5), voice.say(6))
    story = await line.survey(fresh_number(), f"{coughing} | {record('two', voice.say(2))} | 2")
    assert heard(story)[:2] == ["six", "two"]


async def test_what_is_said_before_hanging_up_still_counts(line: Line, record: Record) -> None:
    story = await line.survey(fresh_number(), f"{record('nine', voice.say(9))} /hangup")
    assert story["status"] == "partial"

    async def counted() -> bool:
        # The hang-up may be told before what was said is understood.
        story.update(await line.story(story["survey_id"]))
        return story["response"] is not None

    await eventually(counted, lambda: story)
    assert story["response"]["score"] == 9


async def test_whoever_hangs_up_has_left(line: Line) -> None:
    story = await line.survey(fresh_number(), "/hangup")
    assert heard(story) == ["left"]


async def test_without_a_model_keys_and_the_carriers_recogniser_take_over(
    line: Line, recogniser: PitchRecogniser
) -> None:
    recogniser.languages = ()
    before = fell_back("unavailable")
    story = await line.survey(fresh_number(), "nine | cheap and fast")
    assert heard(story) == ["nine", "cheap and fast"]
    assert fell_back("unavailable") == before + 2


async def test_with_every_place_taken_so_they_do(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line.services.recognisers, "most_streams", 0)
    before = fell_back("full")
    story = await line.survey(fresh_number(), "nine | cheap and fast")
    assert heard(story) == ["nine", "cheap and fast"]
    assert fell_back("full") == before + 2


async def test_a_queue_that_fills_while_somebody_speaks_leaves_the_question_to_the_carrier(
    line: Line, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    nine = record("nine", voice.say(9))
    before = fell_back("unheard")
    monkeypatch.setattr(line.services.recognisers.pool, "most_waiting", 0)
    monkeypatch.setattr(line.services.recognisers, "unable", lambda *_: None)
    monkeypatch.setattr(line.services.recognisers, "unable_now", lambda *_: None)
    story = await line.survey(fresh_number(), f"{nine} | nine | | cheap and fast")
    assert story["response"]["score"] == 9
    assert fell_back("unheard") > before


async def test_a_recogniser_that_breaks_leaves_the_question_to_the_carrier(
    line: Line, recogniser: PitchRecogniser, record: Record
) -> None:
    recogniser.breaks = True
    before = fell_back("recogniser_error")
    story = await line.survey(fresh_number(), f"{record('nine', voice.say(9))} | 8# | | nothing")
    assert story["response"]["score"] == 8
    assert fell_back("recogniser_error") > before


async def test_a_queue_that_asks_for_the_carriers_recogniser_gets_it(
    line: Line, recogniser: PitchRecogniser
) -> None:
    queue = f"carrier-{fresh_number()}"
    answer = await line.http.put(f"/api/v1/queues/{queue}", json={"recognition": "carrier"})
    assert answer.status_code == 200
    story = await line.survey(fresh_number(), "nine | cheap and fast", queue=queue)
    assert heard(story) == ["nine", "cheap and fast"]
    assert recogniser.begun == []


async def test_who_may_be_recorded_is_recorded_here_and_not_at_the_carrier(
    line: Line, record: Record
) -> None:
    story = await line.survey(
        fresh_number(), f"{record('nine', voice.say(9))} | {record('seven', voice.say(7, 1.5))}"
    )

    async def kept() -> list[dict[str, Any]]:
        query = "SELECT sid, status, seconds, audio FROM recordings WHERE survey_id = %s"
        return await rows(line.services.pool, query, (story["survey_id"],))

    async def is_kept() -> bool:
        return bool(await kept())

    await eventually(is_kept)
    (recording,) = await kept()
    assert recording["sid"].startswith("own-")
    assert recording["status"] == "kept"
    assert read_wav(recording["audio"]).seconds == pytest.approx(3.4, abs=0.5)
