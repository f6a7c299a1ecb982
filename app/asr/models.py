"""Recognisers' models on this machine, unpacked from archives whose checksum fits."""

import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import IO
from urllib.parse import urlsplit

import httpx

from app.asr.vosk import is_model as is_vosk
from app.errors import StartError

# The largest models that people use have less than half of it.
MOST_BYTES = 8 * 1024**3
CHUNK = 1024 * 1024


def is_whisper(directory: Path) -> bool:
    """Whether this looks like a model for faster-whisper."""
    return all((directory / part).is_file() for part in ("model.bin", "config.json"))


def install(source: str, target: Path, checksum: str | None, *, replace: bool = False) -> Path:
    """Put the model in the archive (zip, tar) or directory ``source`` at ``target``, whole or not at all.

    An address must be https and needs ``checksum``, the archive's SHA-256 in hexadecimal; a local archive is checked
    where one is given. Raises `StartError`.
    """
    if target.exists() and not replace:
        raise StartError(f"{target} is there already; --replace takes the new one")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".installing-", dir=target.parent) as place:
        model = find(_fetched(source, Path(place), checksum))
        if target.exists():
            target.rename(Path(place) / "replaced")
        model.rename(target)
    return target


def find(directory: Path) -> Path:
    """The model in this directory, at most two levels down. Raises `StartError`."""
    for pattern in (".", "*", "*/*"):
        for path in sorted(directory.glob(pattern)) if pattern != "." else [directory]:
            if path.is_dir() and (is_vosk(path) or is_whisper(path)):
                return path
    raise StartError(
        "there is no model in it: neither am and conf (Vosk), nor model.bin and config.json (Whisper)"
    )


def size(directory: Path) -> int:
    """The bytes of all files in a directory, at any depth."""
    return sum(each.stat().st_size for each in directory.rglob("*") if each.is_file())


def _fetched(source: str, place: Path, checksum: str | None) -> Path:
    """The unpacked archive, or a copy of the directory."""
    if urlsplit(source).scheme in {"http", "https"}:
        archive = _download(source, place, checksum)
    else:
        archive = Path(source)
        if archive.is_dir():
            return Path(shutil.copytree(archive, place / "copied"))
        if not archive.is_file():
            raise StartError(f"{archive}: there is no such file")
    if checksum is not None:
        _check(archive, checksum)
    unpacked = place / "unpacked"
    unpacked.mkdir()
    unpack(archive, unpacked)
    return unpacked


def _download(url: str, place: Path, checksum: str | None) -> Path:
    if not url.startswith("https://"):
        raise StartError("a model is downloaded by https only")
    if checksum is None:
        raise StartError("a download needs --sha256, so that what comes is what was meant")
    archive, count = place / "archive", 0
    try:
        with (
            httpx.stream("GET", url, follow_redirects=True, timeout=60) as answer,
            archive.open("wb") as file,
        ):
            answer.raise_for_status()
            for chunk in answer.iter_bytes(CHUNK):
                count += file.write(chunk)
                if count > MOST_BYTES:
                    raise StartError(f"{url} is larger than {MOST_BYTES} bytes")
    except httpx.HTTPError as problem:
        raise StartError(f"{url}: {problem}") from None
    return archive


def _check(archive: Path, checksum: str) -> None:
    with archive.open("rb") as file:
        found = sha256()
        while chunk := file.read(CHUNK):
            found.update(chunk)
    if found.hexdigest() != checksum.strip().lower():
        raise StartError(f"the checksum does not fit: the archive's SHA-256 is {found.hexdigest()}")


def unpack(archive: Path, target: Path) -> None:
    """Unpack a zip or tar archive into an empty directory, files and directories only, none of them outside it.

    Raises `StartError`; what was unpacked until then is left for the caller to remove.
    """
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as zipped:
            _unpack_zip(zipped, target)
    elif tarfile.is_tarfile(archive):
        with closing(tarfile.open(archive)) as tarred:
            _unpack_tar(tarred, target)
    else:
        raise StartError(f"{archive.name} is neither a zip nor a tar archive")


def _unpack_zip(zipped: zipfile.ZipFile, target: Path) -> None:
    total = 0
    for member in zipped.infolist():
        place = _within(target, member.filename)
        if member.is_dir():
            place.mkdir(parents=True, exist_ok=True)
            continue
        if member.external_attr >> 16 & 0o170000 == 0o120000:
            raise StartError(f"the archive holds a link: {member.filename}")
        with zipped.open(member) as packed:
            total = _write(_chunks(packed), place, total)


def _unpack_tar(tarred: tarfile.TarFile, target: Path) -> None:
    total = 0
    for member in tarred:
        place = _within(target, member.name)
        if member.isdir():
            place.mkdir(parents=True, exist_ok=True)
            continue
        packed = tarred.extractfile(member) if member.isfile() else None
        if packed is None:
            raise StartError(f"the archive holds something else than files: {member.name}")
        total = _write(_chunks(packed), place, total)


def _chunks(packed: IO[bytes]) -> Iterator[bytes]:
    while chunk := packed.read(CHUNK):
        yield chunk


def _write(chunks: Iterator[bytes], place: Path, total: int) -> int:
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("xb") as file:
        for chunk in chunks:
            total += file.write(chunk)
            # What an archive says of its sizes need not be true.
            if total > MOST_BYTES:
                raise StartError(f"the archive holds more than {MOST_BYTES} bytes")
    return total


def _within(target: Path, name: str) -> Path:
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in name:
        raise StartError(f"the archive wants to write outside its directory: {name}")
    return target.joinpath(*path.parts)
