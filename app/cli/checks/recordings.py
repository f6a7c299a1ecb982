"""Recorded prompts, and what opens recordings."""

from pathlib import Path

from app.audio import INSTALL_FFMPEG, ffmpeg_path
from app.cli.checks import Check
from app.config import Settings, load_flows
from app.errors import StartError
from app.prompts import Prompts
from app.prompts.inventory import PLAYED, needed_by, take_stock


def check_recordings(prompts_dir: Path) -> Check:
    """How many prompts are recorded, and which files cannot be played."""
    name, prompts = "recorded prompts", Prompts.load(prompts_dir)
    counts = {language: len(clips) for language, clips in prompts.languages.items()}
    there = ", ".join(f"{language} {count} files" for language, count in counts.items() if count)
    if prompts.unusable:
        path, reason = next(iter(prompts.unusable.items()))
        remedy = "worth knowing: zeroten prompts list shows which; the carrier's voice speaks them"
        return Check(name, True, f"{len(prompts.unusable)} unusable, such as {path}: {reason}", remedy)
    return Check(name, True, there or "none: the carrier's voice speaks")


def check_recordings_for_streams(settings: Settings) -> Check:
    """A stream hears keys while it plays a recording, but is not yet open while the carrier's voice reads."""
    name, prompts = "prompts of streams", Prompts.load(settings.prompts_dir)
    try:
        flows = load_flows(settings.flows_dir)
    except StartError:
        return Check(name, True, "not looked at: the flow files cannot be read")
    languages = sorted({language for flow in flows.values() for language in flow.languages})
    lacking = []
    for language in languages:
        wanted = needed_by(flows.values(), language, [settings.brand])
        stock = take_stock(prompts, settings.prompts_dir, language, wanted)
        missing = sum(each.name in wanted and each.status not in PLAYED for each in stock)
        if missing:
            lacking.append(f"{language} {missing} of {len(wanted)}")
    if not lacking:
        return Check(name, True, "all recorded: keys are heard at any time")
    remedy = (
        "worth knowing: keys pressed while the carrier's voice reads a question are not heard; record the prompts, or"
        " let zeroten prompts render make placeholders (docs/prompts.md)"
    )
    return Check(name, True, f"not recorded: {', '.join(lacking)}", remedy)


def check_ffmpeg() -> Check:
    """Whether recordings may be other files than WAV: ffmpeg opens those, and nothing else here needs it."""
    ffmpeg = ffmpeg_path()
    if ffmpeg is not None:
        return Check("ffmpeg", True, f"{ffmpeg}: recordings may be MP3, Ogg, M4A and FLAC files too")
    remedy = f"worth knowing: ffmpeg opens MP3, Ogg, M4A and FLAC files too; {INSTALL_FFMPEG}"
    return Check("ffmpeg", True, "not installed: recordings have to be WAV files", remedy)
