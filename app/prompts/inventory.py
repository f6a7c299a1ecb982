"""The files that a language's prompts need, and for each whether it is there and may be played."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import structlog

from app.audio import speech_level
from app.prompts.pieces import PromptPiece, needed
from app.prompts.recorded import Clip, Prompts
from app.survey import Flow

log = structlog.get_logger(__name__)

Status = Literal["recorded", "placeholder", "unchecked", "stale", "unusable", "missing", "unneeded"]
PLAYED = frozenset({"recorded", "placeholder", "unchecked"})


@dataclass(frozen=True)
class StockedPrompt:
    """One file: whether it is played, and why not; with its sound, where there is one."""

    name: str
    status: Status
    text: str
    remark: str = ""
    clip: Clip | None = None

    @property
    def level_db(self) -> float | None:
        """Its active speech level in dBFS, measured anew: about a millisecond for each second of sound."""
        return None if self.clip is None else speech_level(self.clip.sound.samples)


def load_prompts(directory: Path, flows: Collection[Flow], brand: str) -> Prompts:
    """Every recording of ``directory``; logs for each language how many of those that the flows need are played."""
    prompts = Prompts.load(directory)
    for language in sorted(prompts.languages):
        wanted = needed_by(flows, language, [brand])
        stock = take_stock(prompts, directory, language, wanted)
        log.info(
            "prompts_loaded",
            language=language,
            played=sum(each.status in PLAYED for each in stock),
            needed=len(wanted),
            stale=[each.name for each in stock if each.status == "stale"],
        )
    return prompts


def needed_by(flows: Iterable[Flow], language: str, brands: Iterable[str]) -> Mapping[str, PromptPiece]:
    """Every file that the flows need in a language, by name."""
    pieces: dict[str, PromptPiece] = {}
    for flow in flows:
        if language in flow.languages:
            pieces |= needed(flow.languages[language], flow.prompts(), brands)
    return pieces


def take_stock(
    prompts: Prompts, directory: Path, language: str, wanted: Mapping[str, PromptPiece]
) -> list[StockedPrompt]:
    """Every file that is needed or there, the needed ones first."""
    there = prompts.languages.get(language, {})
    broken = {path.stem: why for path, why in prompts.unusable.items() if path.parent == directory / language}
    items = [_item(piece, there.get(piece.name), broken.get(piece.name)) for piece in wanted.values()]
    items += [
        StockedPrompt(name, "unneeded", "", _spoken(clip), clip)
        for name, clip in there.items()
        if name not in wanted
    ]
    items += [StockedPrompt(name, "unusable", "", why) for name, why in broken.items() if name not in wanted]
    return items


def _item(piece: PromptPiece, clip: Clip | None, broken: str | None) -> StockedPrompt:
    if broken is not None:
        return StockedPrompt(piece.name, "unusable", piece.text, broken)
    if clip is None:
        return StockedPrompt(piece.name, "missing", piece.text)
    if clip.entry is None:
        return StockedPrompt(
            piece.name, "unchecked", piece.text, "put there by hand: what it says is not known", clip
        )
    if not clip.says(piece.text):
        return StockedPrompt(piece.name, "stale", piece.text, _spoken(clip), clip)
    if clip.entry.recorded:
        return StockedPrompt(piece.name, "recorded", piece.text, "", clip)
    return StockedPrompt(piece.name, "placeholder", piece.text, clip.entry.voice, clip)


def _spoken(clip: Clip) -> str:
    return f"says: {clip.entry.text}" if clip.entry else ""
