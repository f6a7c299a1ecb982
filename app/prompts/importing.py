"""Recordings into prompts: each file made ready, checked, and written down with the text it says."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

from app.audio import (
    TARGET_DB,
    Shaped,
    Sound,
    UnusableSound,
    open_recording,
    recordings_in,
    shape,
    write_wav,
)
from app.prompts import manifest
from app.prompts.manifest import RECORDING, ManifestEntry
from app.prompts.pieces import PromptPiece
from app.prompts.recorded import ENDING

FASTEST, SLOWEST = 30.0, 5.0  # letters a second; people read at 10 to 20
ENOUGH_LETTERS = 15
LEVEL_TOLERANCE_DB, MOST_GAIN_DB = 1.5, 20.0


@dataclass(frozen=True)
class ImportOutcome:
    """What became of one file. ``warnings`` are worth a listen; ``shaped`` is there unless it was refused or kept."""

    file: str
    status: Literal["imported", "kept", "refused"]
    reason: str = ""
    shaped: Shaped | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class PromptImport:
    """Where one language's files go. ``needed`` are the files that its wording asks for, by name."""

    directory: Path
    needed: Mapping[str, PromptPiece]

    def take_in(self, source: Path, *, replace: bool) -> Iterator[ImportOutcome]:
        """Import every recording in ``source``; one that is faulty is refused and the others are taken."""
        recordings = recordings_in(source)
        counts = Counter(path.stem for path in recordings)
        for path in recordings:
            if counts[path.stem] > 1:
                yield ImportOutcome(
                    path.name, "refused", "another file has this name: leave only one of them"
                )
            else:
                yield self._take_one(path, replace)

    def keep(self, piece: PromptPiece, channels: Sequence[Sound], voice: str) -> Shaped:
        """Make a recording ready and write it down. Raises `UnusableSound`."""
        shaped = shape(channels)
        ready = write_wav(shaped.sound)
        manifest.save(self.path(piece.name), ready)
        entries = manifest.read(self.directory)
        entries[piece.name] = ManifestEntry(piece.text, voice, manifest.digest(ready))
        manifest.write(self.directory, entries)
        return shaped

    def accept(self, piece: PromptPiece) -> None:
        """Somebody listened: the file says what the wording says today. Raises `FileNotFoundError`."""
        content = self.path(piece.name).read_bytes()
        entries = manifest.read(self.directory)
        voice = entries[piece.name].voice if piece.name in entries else RECORDING
        entries[piece.name] = ManifestEntry(piece.text, voice, manifest.digest(content))
        manifest.write(self.directory, entries)

    def path(self, name: str) -> Path:
        """Where the prompt's file is kept, whether it is there yet or not."""
        return self.directory / f"{name}{ENDING}"

    def _take_one(self, path: Path, replace: bool) -> ImportOutcome:
        piece = self.needed.get(path.stem)
        if piece is None:
            return ImportOutcome(path.name, "refused", self._unknown(path.stem))
        if self.path(piece.name).exists() and not replace:
            return ImportOutcome(path.name, "kept", "there is one already; --replace takes the new one")
        try:
            shaped = self.keep(piece, open_recording(path), RECORDING)
        except UnusableSound as error:
            return ImportOutcome(path.name, "refused", str(error))
        return ImportOutcome(
            path.name, "imported", shaped=shaped, warnings=tuple(warnings(piece.text, shaped))
        )

    def _unknown(self, name: str) -> str:
        if name.startswith("value.brand."):
            return "no brand has this name; name it with --brand"
        close = get_close_matches(name, self.needed, 1)
        if close:
            return f"no prompt has this name; is it {close[0]}{ENDING}?"
        return "no prompt has this name; zeroten prompts sheet lists them"


def warnings(text: str, shaped: Shaped) -> Iterator[str]:
    """What may be wrong with a recording of this text."""
    letters = sum(letter.isalnum() for letter in text)
    seconds = shaped.sound.seconds
    pace = letters / seconds
    if letters >= ENOUGH_LETTERS and not SLOWEST <= pace <= FASTEST:
        yield f"{letters} letters in {seconds:.1f} s: is it the right text, and all of it?"
    if shaped.level_db - shaped.found_db > MOST_GAIN_DB:
        yield f"was recorded at {shaped.found_db:.0f} dBFS: is there a hiss in it now?"
    if abs(shaped.level_db - TARGET_DB) > LEVEL_TOLERANCE_DB:
        yield f"cannot be levelled: {shaped.level_db:.1f} dBFS; its peaks stand too far above its voice"
