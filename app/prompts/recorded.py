"""The recorded prompts of a deployment, read once at the start and held in memory."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import structlog

from app.audio import Sound, UnusableSound, is_playable, read_wav
from app.errors import StartError
from app.prompts import manifest
from app.prompts.pieces import PromptPiece, pieces, same_words
from app.survey import Prompt, Wording

log = structlog.get_logger(__name__)
ENDING = ".wav"
LANGUAGE = re.compile(r"[a-z]{2,3}")


@dataclass(frozen=True, eq=False)
class Clip:
    """One file that may be played. ``entry`` is None for one that was put there by hand: what it says is not known."""

    name: str
    content: bytes
    entry: manifest.ManifestEntry | None = None

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of the file."""
        return manifest.digest(self.content)

    @cached_property
    def sound(self) -> Sound:
        """What is in the file, at 8 kHz."""
        return read_wav(self.content)

    def says(self, text: str) -> bool:
        """Whether the clip was recorded for these words; True where nobody wrote down what it says."""
        return self.entry is None or same_words(self.entry.text, text)


@dataclass(frozen=True, eq=False)
class Prompts:
    """Every file that may be played, by language and name; ``unusable`` are the others, with the reason."""

    languages: Mapping[str, Mapping[str, Clip]]
    unusable: Mapping[Path, str]

    @classmethod
    def load(cls, directory: Path) -> "Prompts":
        """Read ``directory/<language>/*.wav``. One that cannot be played is logged and left to the carrier."""
        languages: dict[str, Mapping[str, Clip]] = {}
        unusable: dict[Path, str] = {}
        for place in sorted(directory.iterdir()) if directory.is_dir() else ():
            if place.is_dir() and LANGUAGE.fullmatch(place.name):
                languages[place.name] = {clip.name: clip for clip in _clips(place, unusable)}
        for path, reason in unusable.items():
            log.warning("prompt_unusable", file=str(path), reason=reason)
        return cls(languages, unusable)

    def clip(self, language: str, name: str) -> Clip | None:
        """One file, by its name without the ending."""
        return self.languages.get(language, {}).get(name)

    def find(self, wording: Wording, prompt: Prompt) -> tuple[Clip, ...] | None:
        """The files that say this prompt, in order.

        None where one is missing, or was recorded for other words than the prompt has today: then the carrier's voice
        speaks, or whoever else can. Empty where the prompt has no words for a voice.
        """
        found = [self._for(wording.language, each) for each in pieces(wording, prompt)]
        clips = tuple(each for each in found if each is not None)
        return clips if len(clips) == len(found) else None

    def _for(self, language: str, piece: PromptPiece) -> Clip | None:
        clip = self.clip(language, piece.name)
        return clip if clip is not None and clip.says(piece.text) else None


def _clips(place: Path, unusable: dict[Path, str]) -> Iterator[Clip]:
    try:
        entries = manifest.read(place)
    except StartError as error:
        unusable[place / manifest.FILE] = str(error)
        entries = {}
    for path in sorted(place.glob(f"*{ENDING}")):
        try:
            yield _clip(path, entries)
        except (UnusableSound, OSError) as error:
            unusable[path] = str(error)


def _clip(path: Path, entries: Mapping[str, manifest.ManifestEntry]) -> Clip:
    content = path.read_bytes()
    if not is_playable(content):
        raise UnusableSound("is not 8 kHz mono 16-bit PCM: let zeroten prompts import make it so")
    clip, entry = Clip(path.stem, content), entries.get(path.stem)
    return clip if entry is None or entry.digest != clip.digest else Clip(path.stem, content, entry)
