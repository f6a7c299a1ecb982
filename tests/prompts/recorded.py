"""A directory of recorded prompts, and how a page that plays them sounds."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

from app.audio import Sound
from app.prompts import PromptImport
from app.prompts.inventory import needed_by
from app.prompts.manifest import RECORDING
from app.survey import Flow
from tests.prompts import sounds


def record(flow: Flow, directory: Path, brand: str, *, but: str) -> Path:
    """English prompts for one brand, all recorded but one."""
    studio = PromptImport(directory / "en", needed_by([flow], "en", [brand]))
    channels = [Sound.of(sounds.speech(0.3))]
    for name, piece in studio.needed.items():
        if name != but:
            studio.keep(piece, channels, RECORDING)
    return directory


def file_name(address: str) -> str:
    """The last part of an address, without its version."""
    return re.sub(r".*/([^/?]+)\?.*", r"\1", address)


def sounded(page: bytes) -> list[tuple[str, str]]:
    """What the caller hears of a document: the tag, and the text or the file's name."""
    root = ET.fromstring(page)  # noqa: S314 - our own document
    heard = [(each.tag, each.text or "") for each in root.iter() if each.tag in {"Say", "Play"}]
    return [(tag, file_name(text) if tag == "Play" else text) for tag, text in heard]
