"""Every example in the page about destinations is one that works."""

import re
from pathlib import Path

import pytest

from app.crm import read_destinations
from app.services import CRMS
from tests.crm.receiver import SECRET

PAGE = Path("docs/crm.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: each.partition(":")[0])
def test_an_example_is_a_file_that_can_be_read(
    example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in re.findall(r"\$\{(\w+)\}", example):
        monkeypatch.setenv(name, SECRET if name in ("HOOK_SECRET", "NEW", "OLD") else "secret-us1")
    file = tmp_path / "crm.yml"
    file.write_text(example, encoding="utf-8")
    assert read_destinations(file, CRMS)


def test_every_connector_has_an_example() -> None:
    shown = {
        name
        for example in EXAMPLES
        for name in re.findall(r"^(?:  connector: )?(\w+):?", example, re.MULTILINE)
    }
    assert CRMS.keys() <= shown


@pytest.mark.parametrize("connector", CRMS)
def test_every_option_is_explained(connector: str) -> None:
    for name, field in CRMS[connector].options.model_fields.items():
        assert field.description, name
        assert f"`{name}`" in PAGE or f"{name}:" in PAGE, name
