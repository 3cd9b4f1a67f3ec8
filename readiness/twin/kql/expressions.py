"""Scalar expressions: paths into a row, literals, comparisons, `and`, `or`, `not`, and a dozen functions.

Text is compared with case by `==`, `contains_cs` and `in`, and without it by `=~`, `contains`, `has` and
`in~`, as Kusto does. What leads nowhere is null; null equals nothing, and a text operator sees it as empty.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from readiness.twin.kql.lexer import QueryError, Reader, unquoted

Row = dict[str, Any]
Value = Callable[[Row], Any]


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression, the columns it needs, and the name its column has where it is given none."""

    value: Value
    columns: frozenset[str]
    name: str = ""


def _lower(value: Any) -> str:
    return text_of(value).lower()


def text_of(value: Any) -> str:
    """Return a value as `tostring` does."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return json.dumps(value, separators=(",", ":"))
    return str(value)


def _equal(left: Any, right: Any) -> bool:
    if left is None or right is None:
        return False
    if isinstance(left, bool) or isinstance(right, bool):
        return _lower(left) == _lower(right)
    return bool(left == right)


def _less(left: Any, right: Any) -> bool:
    if isinstance(left, int | float) and isinstance(right, int | float):
        return left < right
    return left is not None and right is not None and text_of(left) < text_of(right)


def _has(left: Any, right: Any) -> bool:
    word = re.escape(_lower(right))
    return re.search(rf"(?<![a-z0-9]){word}(?![a-z0-9])", _lower(left)) is not None


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": _equal,
    "!=": lambda left, right: not _equal(left, right),
    "=~": lambda left, right: _lower(left) == _lower(right),
    "!~": lambda left, right: _lower(left) != _lower(right),
    "<": _less,
    ">": lambda left, right: _less(right, left),
    "<=": lambda left, right: _less(left, right) or _equal(left, right),
    ">=": lambda left, right: _less(right, left) or _equal(left, right),
    "contains": lambda left, right: _lower(right) in _lower(left),
    "contains_cs": lambda left, right: text_of(right) in text_of(left),
    "startswith": lambda left, right: _lower(left).startswith(_lower(right)),
    "startswith_cs": lambda left, right: text_of(left).startswith(text_of(right)),
    "endswith": lambda left, right: _lower(left).endswith(_lower(right)),
    "endswith_cs": lambda left, right: text_of(left).endswith(text_of(right)),
    "has": _has,
}
_SIGNS = ("==", "!=", "=~", "!~", "<=", ">=", "<", ">")
_NEGATED = ("contains", "startswith", "endswith", "has", "contains_cs", "startswith_cs", "endswith_cs", "in")


def _bool(value: Any) -> bool | None:
    if isinstance(value, bool | int):
        return bool(value)
    return {"true": True, "false": False, "1": True, "0": False}.get(_lower(value))


def _int(value: Any) -> int | None:
    try:
        return None if value is None else int(float(value))
    except (TypeError, ValueError):
        return None


def _substring(text: Any, start: Any, length: Any = None) -> str:
    whole, first = text_of(text), int(start or 0)
    return whole[first:] if length is None else whole[first : first + int(length)]


def _split(text: Any, separator: Any, index: Any = None) -> list[str]:
    parts = text_of(text).split(text_of(separator))
    return parts if index is None else parts[int(index) : int(index) + 1]


def _is_empty(value: Any) -> bool:
    return value is None or value == ""


def _first(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


_FUNCTIONS: dict[str, tuple[Callable[..., Any], int, int]] = {
    "tostring": (text_of, 1, 1),
    "tolower": (_lower, 1, 1),
    "toupper": (lambda value: text_of(value).upper(), 1, 1),
    "tobool": (_bool, 1, 1),
    "toint": (_int, 1, 1),
    "tolong": (_int, 1, 1),
    "isnull": (lambda value: value is None, 1, 1),
    "isnotnull": (lambda value: value is not None, 1, 1),
    "isempty": (_is_empty, 1, 1),
    "isnotempty": (lambda value: not _is_empty(value), 1, 1),
    "not": (lambda value: not value, 1, 1),
    "strlen": (lambda value: len(text_of(value)), 1, 1),
    "strcat": (lambda *values: "".join(map(text_of, values)), 1, 64),
    "substring": (_substring, 2, 3),
    "indexof": (lambda text, inner: text_of(text).find(text_of(inner)), 2, 2),
    "split": (_split, 2, 3),
    "iff": (lambda test, yes, no: yes if test else no, 3, 3),
    "iif": (lambda test, yes, no: yes if test else no, 3, 3),
    "coalesce": (_first, 1, 64),
    "array_length": (lambda value: len(value) if isinstance(value, list) else None, 1, 1),
}
"""Functions with the fewest and the most arguments they take."""


def expression(reader: Reader) -> Expression:
    """Read an expression: `or` binds least, then `and`, then comparisons."""
    return _joined(reader, "or", _conjunction, any)


def _conjunction(reader: Reader) -> Expression:
    return _joined(reader, "and", _comparison, all)


def _joined(
    reader: Reader,
    word: str,
    inner: Callable[[Reader], Expression],
    decide: Callable[[Iterator[bool]], bool],
) -> Expression:
    terms = [inner(reader)]
    while reader.takes(word):
        terms.append(inner(reader))
    if len(terms) == 1:
        return terms[0]
    values = [term.value for term in terms]
    return Expression(lambda row: decide(bool(value(row)) for value in values), _needs(terms))


def _comparison(reader: Reader) -> Expression:
    left = _path(reader)
    sign = reader.takes(*_SIGNS)
    if sign is not None:
        return _compared(left, _path(reader), _COMPARISONS[sign])
    is_negated = reader.takes("!") is not None
    word = reader.takes(*_NEGATED)
    if word == "in":
        return _contained(reader, left, is_negated=is_negated)
    if word is not None:
        decide = _COMPARISONS[word]
        return _compared(left, _path(reader), _inverted(decide) if is_negated else decide)
    if is_negated:
        raise reader.unexpected("'in', 'contains', 'has', 'startswith' or 'endswith'")
    return left


def _inverted(decide: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda left, right: not decide(left, right)


def _compared(left: Expression, right: Expression, decide: Callable[[Any, Any], bool]) -> Expression:
    one, other = left.value, right.value
    return Expression(lambda row: decide(one(row), other(row)), left.columns | right.columns)


def _contained(reader: Reader, left: Expression, *, is_negated: bool) -> Expression:
    """Read `in (...)` or, with a tilde, `in~ (...)`, whose values are literals."""
    ignores_case = reader.takes("~") is not None
    options = _arguments(reader)
    fold = _lower if ignores_case else text_of
    wanted = {fold(option.value({})) for option in options if not option.columns}
    others = [option.value for option in options if option.columns]
    one = left.value

    def decide(row: Row) -> bool:
        own = fold(one(row))
        return (own in wanted or any(own == fold(other(row)) for other in others)) != is_negated

    return Expression(decide, left.columns | _needs(options))


def _arguments(reader: Reader) -> list[Expression]:
    reader.need("(")
    found: list[Expression] = []
    if reader.takes(")"):
        return found
    while True:
        found.append(expression(reader))
        if reader.need(",", ")") == ")":
            return found


def _path(reader: Reader) -> Expression:
    """Read a term and what is looked up in it: `properties.extended['instanceView'][0]`."""
    found = _term(reader)
    while (sign := reader.takes(".", "[")) is not None:
        if sign == ".":
            key: Any = reader.name()
        else:
            token = reader.take()
            if token.kind not in ("text", "number"):
                raise QueryError("ParserFailure", f"'{token.text}' is no key or place in a list.", token)
            key = unquoted(token) if token.kind == "text" else int(float(token.text))
            reader.need("]")
        named = f"{found.name}_{key}" if found.name else ""
        found = Expression(_looked_up(found.value, key), found.columns, named)
    return found


def _looked_up(inner: Value, key: Any) -> Value:
    def value(row: Row) -> Any:
        found = inner(row)
        if isinstance(found, dict):
            return found.get(key)
        if isinstance(found, list) and isinstance(key, int) and key < len(found):
            return found[key]
        return None

    return value


def _term(reader: Reader) -> Expression:
    token = reader.next
    if token.kind == "text":
        reader.take()
        return _constant(unquoted(token))
    if token.kind == "number" or token.text == "-":
        is_negative = reader.takes("-") is not None
        number = reader.take()
        if number.kind != "number":
            raise QueryError("ParserFailure", f"'{number.text}' stands where a number is expected.", number)
        amount = float(number.text) if "." in number.text else int(number.text)
        return _constant(-amount if is_negative else amount)
    if reader.takes("("):
        found = expression(reader)
        reader.need(")")
        return found
    if token.kind != "word":
        raise reader.unexpected("a column or a value")
    reader.take()
    if token.text.lower() in ("true", "false", "null"):
        return _constant({"true": True, "false": False}.get(token.text.lower()))
    if reader.next.text == "(":
        return _called(reader, token.text)
    column = token.text
    return Expression(lambda row: row.get(column), frozenset({column}), column)


def _constant(value: Any) -> Expression:
    return Expression(lambda _row: value, frozenset())


def _called(reader: Reader, name: str) -> Expression:
    known = _FUNCTIONS.get(name)
    if known is None:
        raise QueryError("UnsupportedFunction", f"The function '{name}' is not modelled.", reader.next)
    function, fewest, most = known
    place = reader.next
    given = _arguments(reader)
    if not fewest <= len(given) <= most:
        brief = f"The function '{name}' takes {fewest} to {most} arguments, not {len(given)}."
        raise QueryError("ParserFailure", brief, place)
    values = [argument.value for argument in given]
    # The column of a conversion is named after what is converted, as Kusto does.
    named = given[0].name if len(given) == 1 else ""
    return Expression(lambda row: function(*(value(row) for value in values)), _needs(given), named)


def _needs(expressions: list[Expression]) -> frozenset[str]:
    return frozenset().union(*(each.columns for each in expressions))
