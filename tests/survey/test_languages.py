"""By which names people ask for a language."""

import pytest

from app.survey import Languages
from app.survey.languages import primary

LANGUAGES = Languages.of({"nb": ["no", "nn", "Norsk", "bokmål"], "zh": [], "yue": ["zh-HK"], "en": []})


@pytest.mark.parametrize(
    ("given", "language"),
    [
        ("nb", "nb"), ("NB_no", "nb"), ("no-NO", "nb"), ("nn", "nb"), ("norsk", "nb"), ("NORSK (nynorsk)", "nb"),
        ("Bokma\u030al", "nb"), (" en ", "en"), ("en_US.UTF-8", "en"), ("en-", "en"), ("zh-Hant-TW", "zh"),
        ("zh_hk", "yue"), ("zh-HK-x", "yue"),
    ],
)  # fmt: skip
def test_a_language_is_found_by_its_longest_known_name(given: str, language: str) -> None:
    assert LANGUAGES.find(given) == language


@pytest.mark.parametrize(
    "given", ["", "-", "*", "n", "nob", "english", "xx-nb", "\0", "\ud800", "a-" * 50_000 + "nb"]
)
def test_what_nobody_claims_is_not_found(given: str) -> None:
    assert LANGUAGES.find(given) is None


def test_the_languages_themselves_are_told_from_their_names() -> None:
    assert LANGUAGES.codes == {"nb", "zh", "yue", "en"}


def test_a_language_that_is_not_offered_goes_by_its_first_part() -> None:
    assert [primary(given) for given in ("de_AT", "Klingon", "tlh")] == ["de", "klingon", "tlh"]
