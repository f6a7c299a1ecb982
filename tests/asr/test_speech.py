"""Where speech begins and ends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.asr.speech import CLICK_FRAMES, ONSET, Speech, detector, in_frames
from tests.asr import voice

HANGOVER = 30


def events(speech: Speech, frames: str, *, over_prompt: bool = False) -> list[tuple[int, str]]:
    """What happens at which frame; ``#`` is a voiced one."""
    found = ((place, speech.hear(each == "#", over_prompt=over_prompt)) for place, each in enumerate(frames))
    return [(place, event) for place, event in found if event is not None]


def test_speech_begins_after_a_moment_and_ends_after_the_hangover() -> None:
    found = events(Speech(HANGOVER), "." * 10 + "#" * 40 + "." * 40)
    assert found == [(10 + ONSET - 1, "begun"), (10 + 40 + HANGOVER - 1, "ended")]


def test_a_pause_within_the_hangover_does_not_end_it() -> None:
    found = events(Speech(HANGOVER), "#" * 20 + "." * (HANGOVER - 1) + "#" * 20 + "." * HANGOVER)
    assert [event for _, event in found] == ["begun", "ended"]


def test_a_click_neither_begins_speech_nor_prolongs_it() -> None:
    assert events(Speech(HANGOVER), "..#.....#....." * 5) == []
    speech = Speech(HANGOVER)
    found = events(speech, "#" * 20 + "." * 15 + "#" * (CLICK_FRAMES - 1) + "." * 20)
    assert found[-1] == (20 + HANGOVER, "ended")


def test_over_a_prompt_it_takes_more_to_begin() -> None:
    assert events(Speech(HANGOVER), "#" * 8 + "." * 20, over_prompt=True) == []
    assert events(Speech(HANGOVER), "#" * 20, over_prompt=True) == [(11, "begun")]


@given(st.lists(st.booleans(), max_size=400), st.integers(1, 60))
def test_beginnings_and_ends_alternate_whatever_is_heard(frames: list[bool], hangover: int) -> None:
    speech = Speech(hangover)
    found = [event for each in frames if (event := speech.hear(each))]
    assert found == [("begun", "ended")[place % 2] for place in range(len(found))]
    assert speech.speaking == (len(found) % 2 == 1)
    assert speech.voiced_frames <= sum(frames)


def test_the_detector_hears_a_voice_and_not_a_quiet_line() -> None:
    pytest.importorskip("webrtcvad")
    voiced = detector()
    said, nothing = voice.say(5, 0.4), voice.quiet(0.4)
    assert sum(voiced(said[place : place + 320]) for place in range(0, len(said), 320)) >= in_frames(0.3)
    voiced = detector()
    assert not any(voiced(nothing[place : place + 320]) for place in range(0, len(nothing), 320))
