"""Text that PostgreSQL can keep: refused where a system sent it, mended where a person wrote it."""

import pytest
from pydantic import TypeAdapter, ValidationError

from app.text import MendedText, Text, mended

WRITTEN = [
    ("a\0b", "ab"),
    ("half \ud83d", "half ?"),
    ("\udfff\0\ud800", "??"),
    ("zażółć 🙂\n", "zażółć 🙂\n"),
    ("", ""),
]


@pytest.mark.parametrize(("written", "kept"), WRITTEN)
def test_what_a_person_wrote_is_kept_without_what_cannot_be(written: str, kept: str) -> None:
    assert mended(written) == TypeAdapter(MendedText).validate_python(written) == kept
    assert TypeAdapter(Text).validate_python(kept) == kept


@pytest.mark.parametrize("sent", ["a\0b", "half \ud83d"])
def test_what_a_system_sent_is_refused(sent: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Text).validate_python(sent)


def test_what_is_no_text_is_no_mended_text() -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(MendedText).validate_python(7)
