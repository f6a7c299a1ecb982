"""The YAML that operators write: every kind of it is read alike, and refused alike."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.alerts import read_alerts
from app.config import Settings, files, load_flows
from app.crm import read_destinations
from app.errors import FileError
from app.services import CRMS

SECRET = "TheSecretOfTheHook"
CRM = f"""
on: {{connector: webhook, url: https://hook.example/, secret: whsec_{"A" * 32}}}
other:
  connector: webhook
  url: https://other.example/
  secret: whsec_{"A" * 32}
"""
ALERTS = """
recipients: {on: json://hook.example/}
rules:
  - name: no
    to: [on]
    words: [no, yes]
    send: digest
    digest_at: [8:00]
"""


def crm(path: Path) -> object:
    return read_destinations(path, CRMS)


def alerts(path: Path) -> object:
    return read_alerts(path, Settings(_env_file=None))


def flow(path: Path) -> object:
    (path.parent / "text").mkdir(exist_ok=True)
    shutil.copy("flows/text/en.yml", path.parent / "text")
    return load_flows(path.parent)


def wording(path: Path) -> object:
    (path.parent / "text").mkdir(exist_ok=True)
    shutil.copy("flows/nps.yml", path.parent)
    shutil.move(path, path.parent / "text" / "en.yml")
    return load_flows(path.parent)


KINDS: dict[str, tuple[Callable[[Path], object], str]] = {
    "crm": (crm, CRM),
    "alerts": (alerts, ALERTS),
    "flow": (flow, Path("flows/nps.yml").read_text(encoding="utf-8")),
    "wording": (wording, Path("flows/text/en.yml").read_text(encoding="utf-8")),
}


def refusal(tmp_path: Path, kind: str, text: str | bytes) -> FileError:
    path = tmp_path / "written.yml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(FileError) as refused:
        KINDS[kind][0](path)
    assert SECRET not in str(refused.value)
    return refused.value


@pytest.mark.parametrize("kind", KINDS)
def test_a_good_one_of_every_kind_is_read(tmp_path: Path, kind: str) -> None:
    read, text = KINDS[kind]
    (tmp_path / "written.yml").write_text(text, encoding="utf-8")
    assert read(tmp_path / "written.yml")


WRONG: list[tuple[str, str]] = [
    ("extra: {a: 1, b: {c: 1, c: 2}}", "'extra.b.c' is there twice"),
    ("extra: [{a: 1, a: 1}]", "'extra.0.a' is there twice"),
    ("extra: {a: 1\n", "is not YAML"),
    (f"extra: &{SECRET}", "text that begins with & needs quotes"),
    (f"extra: *{SECRET}", "text that begins with * needs quotes"),
    (f"extra: !{SECRET} x", "text that begins with ! needs quotes"),
    (f"extra: @{SECRET}", "cannot start any token"),
    ("extra: &again [*again]", "text that begins with * needs quotes"),
    ("? [a, b]\n: c", "a key must be text"),
    ("---\nextra: 1", "a second document begins here"),
    ("extra: \x07", "not allowed"),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("more", "reason"), WRONG)
def test_what_yaml_would_lose_or_cannot_read_is_refused(
    tmp_path: Path, kind: str, more: str, reason: str
) -> None:
    text = KINDS[kind][1]
    refused = refusal(tmp_path, kind, f"{text}\n{more}")
    assert Path(refused.file).suffix == ".yml"
    assert refused.key.startswith("line ") or "allowed" in reason
    assert reason in refused.reason


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_written_twice_is_named_with_its_line(tmp_path: Path, kind: str) -> None:
    text = KINDS[kind][1].strip("\n")
    first = next(line.partition(":")[0] for line in text.splitlines() if not line.startswith("#"))
    refused = refusal(tmp_path, kind, f"{text}\n{first}: again\n")
    assert (refused.key, refused.reason) == (
        f"line {len(text.splitlines()) + 1}",
        f"'{first}' is there twice",
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"\xff\xfe", "is not text in utf-8"),
        ("", "must hold keys"),
        ("# nothing\n", "must hold keys"),
        ("[]", "must hold"),
        ("on", "must hold"),
    ],
)
def test_a_file_of_another_kind_is_refused_as_a_whole(
    tmp_path: Path, kind: str, text: str | bytes, reason: str
) -> None:
    refused = refusal(tmp_path, kind, text)
    assert refused.key == "whole file"
    assert reason in refused.reason


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="whole file: cannot be read"):
        files.read(tmp_path / "nowhere.yml")


def test_words_stay_words_as_keys_and_values(tmp_path: Path) -> None:
    (tmp_path / "crm.yml").write_text(CRM, encoding="utf-8")
    assert list(read_destinations(tmp_path / "crm.yml", CRMS)) == ["on", "other"]
    (tmp_path / "alerts.yml").write_text(ALERTS, encoding="utf-8")
    found = read_alerts(tmp_path / "alerts.yml", Settings(_env_file=None))
    (rule,) = found.rulebook.rules
    assert (rule.name, list(found.services)) == ("no", ["on"])
    assert rule.words is not None
    assert list(rule.words.written) == ["no", "yes"]


def values(tmp_path: Path, text: str, *, variables: bool = True) -> dict[str, Any]:
    path = tmp_path / "values.yml"
    path.write_text(text, encoding="utf-8")
    return files.read(path, variables=variables)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("on", "on"), ("Off", "Off"), ("yes", "yes"), ("N", "N"), ("true", True), ("FALSE", False), ("tRue", "tRue"),
        ("null", None), ("~", None), ("", None), ("'null'", "null"), ('"7"', "7"), ("7", 7), ("-7", -7), ("0", 0),
        ("007", "007"), ("0x1F", "0x1F"), ("1_000", "1_000"), ("+48221234567", "+48221234567"), ("12e4", "12e4"),
        ("0.5", 0.5), ("1.", "1."), (".inf", ".inf"), ("22:00", "22:00"), ("2026-11-28", "2026-11-28"),
        ("2026-11-28T10:00:00Z", "2026-11-28T10:00:00Z"), ("9" * 5000, "9" * 5000), ("|\n  a\n  b", "a\nb"), ("[]", []),
        ("{7: on, true: no, ~: 1}", {7: "on", "true": "no", "~": 1}),
    ],
)  # fmt: skip
def test_a_value_is_what_its_author_meant(tmp_path: Path, written: str, meant: object) -> None:
    found = values(tmp_path, f"it: {written}")["it"]
    assert (found, type(found)) == (meant, type(meant))


def test_what_is_named_once_may_stand_in_several_places(tmp_path: Path) -> None:
    text = "one: &common {a: 1, b: [x]}\ntwo: {<<: *common, a: 2}\nthree: *common\n"
    common = {"a": 1, "b": ["x"]}
    assert values(tmp_path, text) == {"one": common, "two": common | {"a": 2}, "three": common}


def test_variables_are_filled_in_where_a_file_may_have_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN_OF_TEST", "${x}: *&!")
    text = 'a: ${TOKEN_OF_TEST}\nb: {c: ["<${TOKEN_OF_TEST}>"]}\n${TOKEN_OF_TEST}: d\n'
    filled = {"a": "${x}: *&!", "b": {"c": ["<${x}: *&!>"]}, "${TOKEN_OF_TEST}": "d"}
    assert values(tmp_path, text) == filled
    assert values(tmp_path, text, variables=False)["a"] == "${TOKEN_OF_TEST}"
    with pytest.raises(FileError, match=r"b\.c\.0: the environment has no NOBODY_SET_THIS"):
        values(tmp_path, "b: {c: ['${NOBODY_SET_THIS}']}")
