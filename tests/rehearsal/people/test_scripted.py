"""A script reads as people would write it."""

import pytest

from app.rehearsal.people import HungUp, Nothing, Pressed, Reaction, Spoken, read_reaction, read_script
from app.rehearsal.people.scripted import Interrupts


@pytest.mark.parametrize(
    ("text", "reaction"),
    [
        ("9", Pressed("9")),
        ("10#", Pressed("10#")),
        ("*", Pressed("*")),
        ("", Nothing()),
        ("  ", Nothing()),
        ("say: 9", Spoken("9")),
        ("nine out of ten", Spoken("nine out of ten")),
        ("/hangup", HungUp()),
        ("too slow /hangup", Spoken("too slow", then_hangs_up=True)),
    ],
)
def test_a_line_is_keys_words_silence_or_hanging_up(text: str, reaction: Reaction) -> None:
    assert read_reaction(text) == reaction


def test_a_script_is_its_steps_in_order() -> None:
    assert read_script("9 | | !cheap and fast") == (
        Pressed("9"),
        Nothing(),
        Interrupts(Spoken("cheap and fast")),
    )
    assert read_script("") == ()
