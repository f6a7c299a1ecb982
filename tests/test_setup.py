"""What makes a fresh machine ready: requirements, Makefile, container files, settings."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from pydantic import SecretStr

from app.config import Settings

ROOT = Path(__file__).parents[1]
ENVIRONMENTS = ("base", "crm", "dev", "rasa", "rasa-dev", "speech", "speech-dev", "whisper")
PIN = re.compile(r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>[\w.!+]+)( ; [^\\]+?)? \\")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")


def lines(path: str) -> list[str]:
    return (ROOT / path).read_text(encoding="utf-8").splitlines()


def pins(name: str) -> set[tuple[str, str]]:
    """Each package of an environment with its version; some have one for each of several Pythons."""
    found = [match for line in lines(f"requirements/{name}.txt") if (match := PIN.fullmatch(line))]
    return {(match["name"].lower().replace("_", "-"), match["version"]) for match in found}


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_requirements_are_pins_with_hashes_and_nothing_else(name: str) -> None:
    path = f"requirements/{name}.txt"
    assert [line for line in lines(path) if not PIN.fullmatch(line) and not HASH.fullmatch(line)] == []
    for line, following in zip(lines(path), [*lines(path)[1:], ""], strict=True):
        assert not PIN.fullmatch(line) or HASH.fullmatch(following), f"{line} has no hash"


def test_tests_run_on_the_versions_that_people_run() -> None:
    assert pins("rasa") <= pins("rasa-dev")
    assert pins("base") <= pins("crm") <= pins("dev")
    assert pins("speech") <= pins("whisper") <= pins("speech-dev")
    for name in {name for name, _ in pins("dev")} & {name for name, _ in pins("speech-dev")}:
        both = [{pin for pin in pins(environment) if pin[0] == name} for environment in ("dev", "speech-dev")]
        assert both[0] == both[1], f"{name} has several versions"


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_what_is_asked_for_is_pinned(name: str) -> None:
    asked = {re.split(r"[\s\[<>=;]", requirement)[0].lower() for requirement in asked_for(name)}
    assert asked - {"zeroten"} <= {pinned for pinned, _ in pins(name)}


def asked_for(name: str) -> list[str]:
    """What pyproject.toml says of an environment: what Zeroten runs on, and its extras and groups."""
    document = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras, groups = document["project"]["optional-dependencies"], document["dependency-groups"]
    more = [*extras.get(name.removesuffix("-dev"), []), *groups.get(name, [])]
    return [*document["project"]["dependencies"], *more]


def test_every_ignored_rule_has_its_reason() -> None:
    inside = re.search(
        r"^ignore = \[\n(.*?)^\]", (ROOT / "pyproject.toml").read_text(), re.DOTALL | re.MULTILINE
    )
    assert inside is not None
    assert [line for line in inside[1].splitlines() if not re.search(r'",\s+# \w+', line)] == []


def test_the_example_settings_are_all_settings_with_their_meaning_and_defaults() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8")
    example = {
        name: (" ".join(meaning.replace("# ", "").split()), default)
        for meaning, name, default in re.findall(
            r'((?:^# .*\n)+)^#ZEROTEN_(\w+)="?(.*?)"?$', lines, re.MULTILINE
        )
    }
    assert example == {
        name.upper(): (field.description, written(field.default))
        for name, field in Settings.model_fields.items()
    }


def written(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case SecretStr():
            return value.get_secret_value()
        case _:
            return str(value)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What `make` reads on its first run, in a directory of its own, with no Python on the way."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    (tmp_path / "bin").mkdir()
    return tmp_path


def make(clone: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("make")
    assert program is not None
    return subprocess.run(
        [program, "-C", clone, *arguments],
        env={"PATH": str(clone / "bin")},
        capture_output=True,
        text=True,
        check=False,
    )


def python(clone: Path, name: str, script: str) -> None:
    path = clone / "bin" / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_make_without_python_says_how_to_get_one(clone: Path) -> None:
    result = make(clone, "demo")
    assert result.returncode != 0
    assert "Zeroten needs Python 3.11 or newer." in result.stderr
    assert "apt-get install python3 python3-venv" in result.stderr


def test_make_refuses_an_old_python_that_was_named(clone: Path) -> None:
    python(clone, "python-old", "exit 1")
    result = make(clone, "demo", "PYTHON=python-old")
    assert "python-old is not that" in result.stderr


def test_make_says_which_package_brings_virtual_environments(clone: Path) -> None:
    python(clone, "python3", 'case "$2" in *ensurepip*) exit 1;; esac')
    result = make(clone, "demo")
    assert result.returncode != 0
    assert "python3 cannot make virtual environments" in result.stderr
    assert "apt-get install python3-venv" in result.stderr


def test_make_takes_the_newer_python_where_the_first_is_old(clone: Path) -> None:
    python(clone, "python3", "exit 1")
    python(clone, "python3.12", 'case "$1" in -c) exit 0;; esac; echo "made by 3.12: $*" >&2; exit 3')
    assert "made by 3.12: -m venv --clear .venv" in make(clone, "demo").stderr


def test_ci_runs_what_people_run() -> None:
    bare, *rest = re.findall(r"^.*\bmake (?:test|check)\b.*$", (ROOT / ".ci/run").read_text(), re.MULTILINE)
    assert bare == "PATH=$path make test"
    skipped = 'make test ARGS="--last-skipped --numprocesses=0"'
    simulated = 'SIMULATE_SECONDS=60 make test ARGS="tests/simulation -m simulation"'
    assert rest == [skipped, simulated, "make test-rasa", "make check"]
    assert (ROOT / ".ci/run").stat().st_mode & 0o111


def test_the_image_copies_only_what_is_there_and_let_through() -> None:
    let_through = {line[1:] for line in lines(".dockerignore") if line.startswith("!")}
    copying = [line.split()[1:-1] for line in lines("Dockerfile") if re.match(r"COPY (?!--from)", line)]
    copied = [source for sources in copying for source in sources]
    assert len(copied) >= 5
    for source in copied:
        assert (ROOT / source).exists(), source
        assert source in let_through, source


def test_the_image_runs_as_an_ordinary_user_on_checked_packages() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert re.findall(r"^USER (.*)$", text, re.MULTILINE) == ["10001:10001"]
    assert "--require-hashes" in text
    assert not re.search(r"(PASSWORD|TOKEN|SECRET|KEY)\s*=", text)


def test_the_command_is_the_applications() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["scripts"] == {"zeroten": "app.cli.main:main"}
