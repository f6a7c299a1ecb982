"""What docs/security.md says is tested, is."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", PAGE)))


@pytest.mark.parametrize(("file", "test"), NAMED, ids=["::".join(filter(None, named)) for named in NAMED])
def test_what_is_named_is_there(file: str, test: str) -> None:
    written = (ROOT / file).read_text(encoding="utf-8")
    assert re.search(rf"^(?:async )?def {test or 'test_'}", written, re.MULTILINE)


def test_each_section_says_whether_it_is_met() -> None:
    rows = [line.split(" | ") for line in PAGE.splitlines() if re.match(r"\| [0-9]", line)]
    assert len(rows) > 35
    assert {row[1] for row in rows} == {"met", "partly", "no"}
    assert all("tests/" in row[2] for row in rows if row[1] == "met" and not row[0].endswith("documentation"))
