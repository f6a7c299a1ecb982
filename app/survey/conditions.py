"""Conditions of flow files: a small language that is parsed, checked at the start, and never evaluated as code."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, assert_never

LONGEST = 200
DEEPEST = 20

TOKEN = re.compile(
    r"""\s*(?:
        (?P<number>-?\d+(?:\.\d+)?)
      | (?P<text>"[^"]*"|'[^']*')
      | (?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)
      | (?P<mark><=|>=|!=|==|=|<|>|\(|\))
    )""",
    re.VERBOSE,
)
WORDS = frozenset({"and", "or", "not", "is", "contains", "true", "false", "null"})
CONSTANTS: Mapping[str, bool | None] = {"true": True, "false": False, "null": None}


class ConditionError(ValueError):
    """A condition that cannot be read; the message says where it goes wrong."""


@dataclass(frozen=True)
class Constant:
    """A number, a text, true, false or null."""

    value: Any


@dataclass(frozen=True)
class Name:
    """A value looked up when the condition is asked; null where there is none."""

    name: str


@dataclass(frozen=True)
class Compare:
    """Two values and the mark between them."""

    left: "Expression"
    mark: str
    right: "Expression"


@dataclass(frozen=True)
class Not:
    """True where the other is not."""

    other: "Expression"


@dataclass(frozen=True)
class All:
    """``and``: true where every part is."""

    parts: tuple["Expression", ...]


@dataclass(frozen=True)
class Either:
    """``or``: true where at least one part is."""

    parts: tuple["Expression", ...]


Expression = Constant | Name | Compare | Not | All | Either


@dataclass(frozen=True)
class Condition:
    """A parsed condition. ``source`` is what the file says."""

    source: str
    expression: Expression

    @property
    def names(self) -> frozenset[str]:
        """Every name the condition looks up, such as ``slots.score``."""
        return frozenset(_names(self.expression))

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Whether the condition is true of these values. A missing name is null."""
        return bool(_value(self.expression, values))


def parse(source: str) -> Condition:
    """Read ``slots.score >= 9 and not slots.reason contains "price"``.

    ``or`` binds loosest, then ``and``, ``not``, and the comparisons ``= == is != is not < <= > >= contains``;
    round brackets group. Values are names, numbers, quoted text, true, false and null; ordering anything but
    numbers is false. Raises `ConditionError`.
    """
    if len(source) > LONGEST:
        raise ConditionError(f"is longer than {LONGEST} characters")
    reader = _ConditionReader(list(_tokens(source)))
    expression = reader.either()
    if reader.ahead:
        raise ConditionError(f"does not expect {reader.ahead!r}")
    return Condition(source, expression)


def _tokens(source: str) -> Iterator[str]:
    position, source = 0, source.rstrip()
    while position < len(source):
        found = TOKEN.match(source, position)
        if found is None:
            raise ConditionError(f"cannot read {source[position:].strip()!r}")
        yield found[0].strip()
        position = found.end()


class _ConditionReader:
    """Recursive descent over the tokens."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens, self.position, self.depth = tokens, 0, 0

    @property
    def ahead(self) -> str:
        return self.tokens[self.position] if self.position < len(self.tokens) else ""

    def take(self, *wanted: str) -> str:
        token = self.ahead
        if wanted and token not in wanted:
            return ""
        self.position += 1
        return token

    def either(self) -> Expression:
        parts = [self.all()]
        while self.take("or"):
            parts.append(self.all())
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def all(self) -> Expression:
        parts = [self.negation()]
        while self.take("and"):
            parts.append(self.negation())
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def negation(self) -> Expression:
        if self.take("not"):
            return Not(self.nested(self.negation))
        return self.comparison()

    def comparison(self) -> Expression:
        left = self.operand()
        mark = self.take("=", "==", "!=", "<", "<=", ">", ">=", "is", "contains")
        if not mark:
            return left
        if mark == "is":
            mark = "!=" if self.take("not") else "="
        return Compare(left, "=" if mark == "==" else mark, self.operand())

    def operand(self) -> Expression:
        if self.take("("):
            inner = self.nested(self.either)
            if not self.take(")"):
                raise ConditionError("lacks a closing bracket")
            return inner
        token = self.take()
        if token in CONSTANTS:
            return Constant(CONSTANTS[token])
        if not token or token in WORDS or not (token[0].isalnum() or token[0] in "_-\"'"):
            raise ConditionError(f"expects a value where {token!r} stands" if token else "ends too early")
        if token[0] in "\"'":
            return Constant(token[1:-1])
        return Constant(float(token)) if token[0] in "-0123456789" else Name(token)

    def nested(self, inside: Callable[[], Expression]) -> Expression:
        self.depth += 1
        if self.depth > DEEPEST:
            raise ConditionError("nests too deeply")
        inner = inside()
        self.depth -= 1
        return inner


def _names(expression: Expression) -> Iterator[str]:
    match expression:
        case Constant():
            return
        case Name(name):
            yield name
        case Compare(left, _, right):
            yield from _names(left)
            yield from _names(right)
        case Not(other):
            yield from _names(other)
        case All(parts) | Either(parts):
            for part in parts:
                yield from _names(part)
        case _:
            assert_never(expression)


def _value(expression: Expression, values: Mapping[str, Any]) -> Any:
    match expression:
        case Constant(value):
            return value
        case Name(name):
            return values.get(name)
        case Compare(left, mark, right):
            return _compare(_value(left, values), mark, _value(right, values))
        case Not(other):
            return not _value(other, values)
        case All(parts):
            return all(_value(part, values) for part in parts)
        case Either(parts):
            return any(_value(part, values) for part in parts)
        case _:
            assert_never(expression)


def _compare(left: Any, mark: str, right: Any) -> bool:
    match mark:
        case "=":
            return _same(left, right)
        case "!=":
            return not _same(left, right)
        case "contains":
            return isinstance(left, str) and isinstance(right, str) and right.casefold() in left.casefold()
    if not (_is_number(left) and _is_number(right)):
        return False
    match mark:
        case "<":
            return bool(left < right)
        case "<=":
            return bool(left <= right)
        case ">":
            return bool(left > right)
        case _:
            return bool(left >= right)


def _same(left: Any, right: Any) -> bool:
    return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
