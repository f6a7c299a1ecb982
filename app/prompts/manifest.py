"""The record of one language's files: for which text each was made, and by whom."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from app.errors import StartError

FILE = "manifest.json"
RECORDING = "recording"


@dataclass(frozen=True)
class ManifestEntry:
    """One file: the text it says, whose voice it is (``recording``, or the program and its voice), and its digest."""

    text: str
    voice: str
    digest: str

    @property
    def recorded(self) -> bool:
        """A person spoke it; otherwise it is a placeholder."""
        return self.voice == RECORDING


def digest(content: bytes) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    return sha256(content).hexdigest()


def read(directory: Path) -> dict[str, ManifestEntry]:
    """The entries by the files' names, without ``.wav``; none where there is no manifest."""
    path = directory / FILE
    try:
        written = json.loads(path.read_text(encoding="utf-8"))
        return {name: _entry(each) for name, each in written["files"].items()}
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StartError(f"{path}: cannot be read as a manifest: {error}") from None


def write(directory: Path, entries: Mapping[str, ManifestEntry]) -> None:
    """Write the manifest anew, in the order of the names; nobody ever reads half of it."""
    files = {name: asdict(entries[name]) for name in sorted(entries)}
    text = json.dumps({"version": 1, "files": files}, ensure_ascii=False, indent=2) + "\n"
    save(directory / FILE, text.encode())


def save(path: Path, content: bytes) -> None:
    """Write a file so that nobody ever reads half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.name}.new")
    half.write_bytes(content)
    half.replace(path)


def _entry(written: Mapping[str, Any]) -> ManifestEntry:
    return ManifestEntry(str(written["text"]), str(written["voice"]), str(written["digest"]))
