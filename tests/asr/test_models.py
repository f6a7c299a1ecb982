"""Models, installed from archives that are what they should be."""

import io
import tarfile
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

from app.asr.models import install, size, unpack
from app.errors import StartError

FILES = {
    "model-1.0/am/final.mdl": b"am",
    "model-1.0/conf/model.conf": b"conf",
    "model-1.0/README": b"read me",
}


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def tarred(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_a_model_is_installed_from_a_local_archive(tmp_path: Path, pack: object) -> None:
    assert callable(pack)
    archive = pack(tmp_path / "archive", FILES)
    target = tmp_path / "models" / "pl"
    assert install(str(archive), target, sha256(archive.read_bytes()).hexdigest()) == target
    assert (target / "am" / "final.mdl").read_bytes() == b"am"
    assert size(target) == sum(map(len, FILES.values()))
    assert [each.name for each in target.parent.iterdir()] == ["pl"], "nothing is left beside it"


def test_a_model_is_installed_from_a_directory(tmp_path: Path) -> None:
    unpacked = tmp_path / "unpacked"
    unpacked.mkdir()
    unpack(zipped(tmp_path / "archive.zip", FILES), unpacked)
    install(str(unpacked), tmp_path / "models" / "pl", None)
    assert (tmp_path / "models" / "pl" / "conf" / "model.conf").is_file()
    assert (unpacked / "model-1.0").is_dir(), "the source stays"


def test_another_checksum_installs_nothing(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "archive.zip", FILES)
    with pytest.raises(StartError, match="checksum does not fit"):
        install(str(archive), tmp_path / "models" / "pl", "0" * 64)
    assert list((tmp_path / "models").iterdir()) == []


def test_one_that_is_there_is_replaced_only_when_told_to(tmp_path: Path) -> None:
    target = tmp_path / "models" / "pl"
    install(str(zipped(tmp_path / "one.zip", FILES)), target, None)
    other = zipped(tmp_path / "two.zip", FILES | {"model-1.0/am/final.mdl": b"another"})
    with pytest.raises(StartError, match="--replace"):
        install(str(other), target, None)
    install(str(other), target, None, replace=True)
    assert (target / "am" / "final.mdl").read_bytes() == b"another"


@pytest.mark.parametrize(
    "name", ["../outside", "/etc/outside", "model/../../outside", "..\\outside", "C:\\outside"]
)
@pytest.mark.parametrize("pack", [zipped, tarred])
def test_an_archive_writes_nowhere_else(tmp_path: Path, pack: object, name: str) -> None:
    assert callable(pack)
    archive = pack(tmp_path / "archive", FILES | {name: b"!"})
    target = tmp_path / "a" / "b"
    target.mkdir(parents=True)
    with pytest.raises(StartError, match="outside its directory"):
        unpack(archive, target)
    assert not list(tmp_path.rglob("outside"))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_an_archive_holds_files_only(tmp_path: Path, kind: bytes) -> None:
    archive = tmp_path / "archive.tar"
    with tarfile.open(archive, "w") as packed:
        member = tarfile.TarInfo("model/am")
        member.type, member.linkname = kind, "/etc"
        packed.addfile(member)
    with pytest.raises(StartError, match=r"something else than files|outside"):
        unpack(archive, tmp_path / "target")


def test_a_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "archive.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        link = zipfile.ZipInfo("model/am")
        link.external_attr = 0o120777 << 16
        packed.writestr(link, "/etc")
    with pytest.raises(StartError, match="holds a link"):
        unpack(archive, tmp_path)


def test_an_archive_that_unpacks_into_too_much_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.asr.models.MOST_BYTES", 1000)
    with pytest.raises(StartError, match="more than 1000 bytes"):
        install(
            str(zipped(tmp_path / "bomb.zip", FILES | {"large": bytes(2000)})), tmp_path / "m" / "pl", None
        )
    assert list((tmp_path / "m").iterdir()) == []


@pytest.mark.parametrize(
    ("source", "said"),
    [("http://example.com/model.zip", "https only"), ("https://example.com/model.zip", "needs --sha256"),
     ("nowhere.zip", "no such file")],
)  # fmt: skip
def test_what_cannot_be_trusted_or_found_is_refused(tmp_path: Path, source: str, said: str) -> None:
    with pytest.raises(StartError, match=said):
        install(source, tmp_path / "models" / "pl", None)


def test_an_archive_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="no model in it"):
        install(str(zipped(tmp_path / "archive.zip", {"README": b"?"})), tmp_path / "models" / "pl", None)
