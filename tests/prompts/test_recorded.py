"""Which files are played: those that say what the wording says today."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from app.audio import Sound, read_wav, write_wav
from app.config import load_flows
from app.prompts import PromptImport, Prompts, manifest
from app.prompts.inventory import take_stock
from app.prompts.pieces import needed
from app.survey import Prompt, PromptTexts, Wording
from tests.prompts import sounds

FLOW = load_flows(Path("flows"))["nps"]
GOODBYE = Prompt("goodbye")
GREETING = Prompt("greeting", (("brand", "Acme"),))
SPOKEN = Sound.of(sounds.speech(0.5))
READY = write_wav(SPOKEN)


def worded(**texts: str) -> Wording:
    return replace(
        FLOW.wording("en"), responses={name: PromptTexts({"default": text}) for name, text in texts.items()}
    )


TEXTS = {"goodbye": "Thank you. Goodbye.", "greeting": "Hello from {brand}. Press star to stop."}
WORDING = worded(**TEXTS)


def recorded(directory: Path, wording: Wording = WORDING, *, voice: str = manifest.RECORDING) -> Prompts:
    """Everything that the wording needs, recorded."""
    wanted = needed(wording, wording.responses, ["Acme"])
    studio = PromptImport(directory / "en", wanted)
    for piece in wanted.values():
        studio.keep(piece, [SPOKEN], voice)
    return Prompts.load(directory)


def names(prompts: Prompts, prompt: Prompt, wording: Wording = WORDING) -> list[str] | None:
    found = prompts.find(wording, prompt)
    return None if found is None else [each.name for each in found]


def test_a_prompt_is_found_as_one_file_or_as_its_parts(tmp_path: Path) -> None:
    prompts = recorded(tmp_path)
    assert names(prompts, GOODBYE) == ["goodbye"]
    assert names(prompts, GREETING) == ["greeting.1", "value.brand.acme", "greeting.2"]


def test_a_brand_that_nobody_recorded_leaves_the_whole_prompt_to_the_carrier(tmp_path: Path) -> None:
    prompts = recorded(tmp_path)
    assert names(prompts, Prompt("greeting", (("brand", "Globex"),))) is None
    assert names(prompts, GOODBYE) == ["goodbye"]


@pytest.mark.parametrize("missing", ["greeting.1", "greeting.2", "value.brand.acme"])
def test_a_missing_part_leaves_the_whole_prompt_to_the_carrier(tmp_path: Path, missing: str) -> None:
    recorded(tmp_path)
    (tmp_path / "en" / f"{missing}.wav").unlink()
    assert names(Prompts.load(tmp_path), GREETING) is None


def test_new_words_are_never_answered_with_an_old_recording(tmp_path: Path) -> None:
    prompts = recorded(tmp_path)
    changed = worded(**TEXTS | {"greeting": "Hello from {brand}. Press pound to stop."})
    assert names(prompts, GREETING, changed) is None
    assert names(prompts, GOODBYE, changed) == ["goodbye"]


def test_new_commas_are(tmp_path: Path) -> None:
    changed = worded(**TEXTS | {"goodbye": "Thank you - goodbye!"})
    assert names(recorded(tmp_path), GOODBYE, changed) == ["goodbye"]


def test_another_language_has_its_own_files(tmp_path: Path) -> None:
    prompts = recorded(tmp_path)
    assert prompts.find(FLOW.wording("pl"), FLOW.wording("pl").prompt("goodbye", {})) is None
    assert prompts.clip("pl", "goodbye") is None


def test_a_prompt_that_no_voice_says_is_found_as_silence(tmp_path: Path) -> None:
    silent = replace(WORDING, responses={"goodbye": PromptTexts({"sms": "Bye"})})
    assert names(recorded(tmp_path), GOODBYE, silent) == []


def test_a_file_put_there_by_hand_is_played_though_nobody_knows_what_it_says(tmp_path: Path) -> None:
    sounds.directory_of(tmp_path / "en", goodbye=READY)
    assert names(Prompts.load(tmp_path), GOODBYE) == ["goodbye"]


def test_a_file_exchanged_by_hand_is_not_taken_for_the_one_that_was_recorded(tmp_path: Path) -> None:
    recorded(tmp_path)
    (tmp_path / "en" / "goodbye.wav").write_bytes(READY)
    clip = Prompts.load(tmp_path).clip("en", "goodbye")
    assert clip is not None
    assert clip.entry is None


def test_files_that_no_phone_line_carries_are_left_to_the_carrier_and_named(tmp_path: Path) -> None:
    place = sounds.directory_of(
        tmp_path / "en", goodbye=sounds.wav(sounds.speech(0.5, 44_100), 44_100), greeting__1=b"ID3", x=READY
    )
    prompts = Prompts.load(tmp_path)
    assert set(prompts.languages["en"]) == {"x"}
    assert set(prompts.unusable) == {place / "goodbye.wav", place / "greeting.1.wav"}


def test_a_broken_manifest_silences_nobody(tmp_path: Path) -> None:
    recorded(tmp_path)
    (tmp_path / "en" / manifest.FILE).write_text("{")
    prompts = Prompts.load(tmp_path)
    assert names(prompts, GOODBYE) == ["goodbye"]
    assert set(prompts.unusable) == {tmp_path / "en" / manifest.FILE}


def test_no_directory_is_no_recordings(tmp_path: Path) -> None:
    prompts = Prompts.load(tmp_path / "nowhere")
    assert (prompts.languages, prompts.unusable) == ({}, {})


def test_a_file_is_read_once(tmp_path: Path) -> None:
    prompts = recorded(tmp_path)
    before = prompts.clip("en", "goodbye")
    assert before is not None
    (tmp_path / "en" / "goodbye.wav").unlink()
    assert prompts.clip("en", "goodbye") is before
    assert before.content[:4] == b"RIFF"
    assert before.sound == read_wav(before.content)


def test_stock_tells_what_there_is_of_what_is_needed(tmp_path: Path) -> None:
    recorded(tmp_path)
    place, changed = tmp_path / "en", worded(**TEXTS | {"greeting": "Hi from {brand}. Press star to stop."})
    (place / "value.brand.acme.wav").write_bytes(READY)
    (place / "greeting.2.wav").write_bytes(b"ID3")
    sounds.directory_of(place, old=READY)
    wanted = needed(changed, changed.responses, ["Acme", "Globex"])
    stock = {each.name: each for each in take_stock(Prompts.load(tmp_path), tmp_path, "en", wanted)}
    assert {name: each.status for name, each in stock.items()} == {
        "goodbye": "recorded",
        "greeting.1": "stale",
        "greeting.2": "unusable",
        "value.brand.acme": "unchecked",
        "value.brand.globex": "missing",
        "old": "unneeded",
    }
    assert stock["greeting.1"].remark == "says: Hello from"
    assert stock["goodbye"].level_db == pytest.approx(-20, abs=0.3)
    assert stock["value.brand.globex"].level_db is None


def test_placeholders_are_told_from_recordings(tmp_path: Path) -> None:
    prompts = recorded(tmp_path, voice="espeak-ng:en-us")
    wanted = needed(WORDING, WORDING.responses, ["Acme"])
    assert {each.status for each in take_stock(prompts, tmp_path, "en", wanted)} == {"placeholder"}


def test_the_manifest_is_plain_and_in_order(tmp_path: Path) -> None:
    recorded(tmp_path)
    written = json.loads((tmp_path / "en" / manifest.FILE).read_text())
    assert list(written["files"]) == ["goodbye", "greeting.1", "greeting.2", "value.brand.acme"]
    assert written["files"]["greeting.1"]["text"] == "Hello from"
