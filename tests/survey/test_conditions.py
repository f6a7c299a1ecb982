"""The language of conditions: what it says, and what it refuses."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.survey.conditions import ConditionError, parse

VALUES = {
    "slots.score": 9,
    "slots.reason": "The PRICE was fine",
    "slots.callback": True,
    "unclear": "silence",
}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("slots.score >= 9", True),
        ("slots.score > 9", False),
        ("slots.score < 9.5 and slots.score <= 9", True),
        ("slots.score = 9", True),
        ("slots.score == 9", True),
        ("slots.score != 9", False),
        ("slots.score is 9", True),
        ("slots.score is not 9", False),
        ("9 <= slots.score", True),
        ("slots.score>=9", True),
        ("slots.score > -1", True),
        ("slots.callback", True),
        ("not slots.callback", False),
        ("not not slots.callback", True),
        ("slots.callback is true", True),
        ('slots.reason contains "price"', True),
        ("slots.reason contains 'cost'", False),
        ('unclear = "silence"', True),
        ('unclear = "silence" or unclear = "two_numbers"', True),
        ("false or true and false", False),
        ("(false or true) and not false", True),
        ("true or true and false", True),
        ("slots.nothing", False),
        ("slots.nothing is null", True),
        ("slots.nothing < 5", False),
        ("slots.nothing >= 5", False),
        ("not slots.score = 1", True),
    ],
)
def test_a_condition_holds_as_it_reads(source: str, expected: bool) -> None:
    assert parse(source).holds(VALUES) is expected


def test_zero_is_a_number_like_any_other() -> None:
    assert parse("slots.score <= 6").holds({"slots.score": 0})
    assert parse("slots.score = 0").holds({"slots.score": 0})
    assert not parse("slots.score = 0").holds({"slots.score": None})


@pytest.mark.parametrize(
    ("value", "source"), [(True, "slots.x = 1"), (False, "slots.x = 0"), (True, "slots.x >= 1")]
)
def test_true_is_not_one(value: Any, source: str) -> None:
    assert not parse(source).holds({"slots.x": value})


def test_a_condition_knows_the_names_it_needs() -> None:
    names = parse('slots.score >= 9 and (unclear = "x" or not slots.reason contains keys_only)').names
    assert names == {"slots.score", "slots.reason", "unclear", "keys_only"}


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("", "ends too early"),
        ("slots.score >=", "ends too early"),
        ("slots.score >= and 3", "expects a value where 'and' stands"),
        ("(slots.score", "closing bracket"),
        ("slots.score 9", "does not expect '9'"),
        ("slots.score >= 9 >= 3", "does not expect '>='"),
        ("__import__('os').system('true')", "cannot read"),
        ("slots.score; 1", "cannot read"),
        ("slots['score'] > 1", "cannot read"),
        ('slots.reason = "open', "cannot read"),
        ("(" * 50 + "true" + ")" * 50, "nests too deeply"),
        ("not " * 40 + "true", "nests too deeply"),
        ("true or " * 40 + "true", "longer than"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_reason(source: str, reason: str) -> None:
    with pytest.raises(ConditionError, match=reason.replace("(", r"\(")):
        parse(source)


@given(st.text(alphabet="slots.core andtif()<>=!\"'0123456789-", max_size=60))
def test_any_text_is_either_a_condition_or_an_error(source: str) -> None:
    try:
        condition = parse(source)
    except ConditionError:
        return
    assert condition.holds({}) in {True, False}


@given(st.integers(0, 10), st.integers(0, 10))
def test_comparisons_agree_with_arithmetic(left: int, right: int) -> None:
    values = {"a": left, "b": right}
    assert parse("a < b").holds(values) == (left < right)
    assert parse("a <= b").holds(values) == (left <= right)
    assert parse("a = b").holds(values) == (left == right)
    assert parse("not a > b").holds(values) == (left <= right)
