"""Tabular operators: a query is a table and the operators that rows go through, one after the other."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cmp_to_key
from itertools import islice
from typing import Any

from readiness.twin.kql.expressions import Expression, Row, expression, text_of
from readiness.twin.kql.lexer import QueryError, Reader, Token

Rows = Iterable[Row]
Columns = tuple[str, ...]
Stage = Callable[[Rows], Rows]

_REFUSED = (
    *(
        "join",
        "union",
        "mv-expand",
        "mvexpand",
        "mv-apply",
        "parse",
        "make-series",
        "let",
        "lookup",
        "render",
    ),
    *(
        "invoke",
        "sample",
        "project-keep",
        "project-rename",
        "project-reorder",
        "search",
        "find",
        "parse-where",
    ),
)
_AGGREGATES: dict[str, Callable[[list[Any]], Any]] = {
    "count": len,
    "min": lambda values: min((value for value in values if value is not None), default=None, key=text_of),
    "max": lambda values: max((value for value in values if value is not None), default=None, key=text_of),
}


@dataclass(frozen=True, slots=True)
class Result:
    """What a query answers, all of it."""

    rows: list[Row]
    columns: Columns


@dataclass(frozen=True, slots=True)
class Query:
    """A query that was understood."""

    table: str
    """As it is written; empty where the query names none."""
    compile: Callable[[Columns], tuple[list[Stage], Columns]]
    is_limited: bool
    """Whether a `limit` or `take` says how many rows are wanted."""

    def run(self, rows: Rows, columns: Columns) -> Result:
        """Let the rows of its table go through the query.

        Raises:
            QueryError: It names a column that there is not.
        """
        stages, named = self.compile(columns)
        for stage in stages:
            rows = stage(rows)
        return Result(list(rows), named)


Operator = Callable[[Columns], tuple[Stage, Columns]]


def parse(text: str) -> Query:
    """Read a query.

    Raises:
        QueryError: It is malformed, or uses what is not modelled.
    """
    reader = Reader(text)
    table = ""
    operators: list[Operator] = []
    is_limited = False
    if reader.next.kind == "word" and reader.next.text.lower() not in (*_OPERATORS, *_REFUSED):
        table = reader.take().text
    elif reader.next.kind == "word":
        operators.append(_operator(reader))
    while reader.next.kind != "end":
        if reader.takes(";") and reader.next.kind == "end":
            break
        reader.need("|")
        is_limited = is_limited or reader.next.text.lower() in ("limit", "take", "top")
        operators.append(_operator(reader))
    if not table and not operators:
        raise reader.unexpected("a table or an operator")

    def compiled(columns: Columns) -> tuple[list[Stage], Columns]:
        stages = []
        for operator in operators:
            stage, columns = operator(columns)
            stages.append(stage)
        return stages, columns

    return Query(table, compiled, is_limited)


def _operator(reader: Reader) -> Operator:
    token = reader.next
    name = token.text.lower()
    if name in _REFUSED:
        raise QueryError("UnsupportedOperator", f"The operator '{token.text}' is not modelled.", token)
    read = _OPERATORS.get(name)
    if read is None or token.kind != "word":
        raise reader.unexpected("an operator")
    reader.take()
    return read(reader, token)


def _where(reader: Reader, token: Token) -> Operator:
    test = expression(reader)

    def operator(columns: Columns) -> tuple[Stage, Columns]:
        _check(columns, [test], token)
        return lambda rows: (row for row in rows if test.value(row)), columns

    return operator


def _named(reader: Reader) -> list[tuple[str, Expression]]:
    """Read `a, b = expression, c`."""
    found: list[tuple[str, Expression]] = []
    while True:
        value = expression(reader)
        if reader.next.text == "=":
            if not value.name:
                raise reader.unexpected("',' or '|'")
            reader.take()
            found.append((value.name, expression(reader)))
        else:
            found.append((value.name or f"Column{len(found) + 1}", value))
        if not reader.takes(","):
            return found


def _project(reader: Reader, token: Token) -> Operator:
    wanted = _named(reader)

    def operator(columns: Columns) -> tuple[Stage, Columns]:
        _check(columns, [value for _, value in wanted], token)
        return (
            lambda rows: ({name: value.value(row) for name, value in wanted} for row in rows),
            tuple(name for name, _ in wanted),
        )

    return operator


def _project_away(reader: Reader, token: Token) -> Operator:
    unwanted = _names(reader)

    def operator(columns: Columns) -> tuple[Stage, Columns]:
        _check(columns, [Expression(lambda _: None, frozenset(unwanted))], token)
        kept = tuple(name for name in columns if name not in unwanted)
        return lambda rows: ({name: row.get(name) for name in kept} for row in rows), kept

    return operator


def _extend(reader: Reader, token: Token) -> Operator:
    added = _named(reader)

    def operator(columns: Columns) -> tuple[Stage, Columns]:
        known = columns
        for name, value in added:
            _check(known, [value], token)
            known = known if name in known else (*known, name)

        def extended(row: Row) -> Row:
            result = dict(row)
            for name, value in added:
                result[name] = value.value(result)
            return result

        return lambda rows: map(extended, rows), known

    return operator


def _names(reader: Reader) -> list[str]:
    found = [reader.name()]
    while reader.takes(","):
        found.append(reader.name())
    return found


def _order(reader: Reader, token: Token) -> Operator:
    reader.need("by")
    return _ordered(reader, token, most=None)


def _top(reader: Reader, token: Token) -> Operator:
    most = _amount(reader)
    reader.need("by")
    return _ordered(reader, token, most=most)


def _ordered(reader: Reader, token: Token, *, most: int | None) -> Operator:
    keys: list[tuple[Expression, bool]] = []
    while True:
        key = expression(reader)
        is_rising = reader.takes("asc", "desc") == "asc"
        if reader.takes("nulls"):
            raise QueryError("UnsupportedOperator", "'nulls first' and 'nulls last' are not modelled.", token)
        keys.append((key, is_rising))
        if not reader.takes(","):
            break

    def compare(one: list[Any], other: list[Any]) -> int:
        for (_, is_rising), left, right in zip(keys, one, other, strict=True):
            if left != right:
                is_less = _sortable(left) < _sortable(right)
                return -1 if is_less == is_rising else 1
        return 0

    def stage(rows: Rows) -> Rows:
        found = list(rows)
        if len(keys) == 1:
            value, is_rising = keys[0][0].value, keys[0][1]
            found.sort(key=lambda row: _sortable(value(row)), reverse=not is_rising)
        else:
            by = cmp_to_key(compare)
            found.sort(key=lambda row: by([key.value(row) for key, _ in keys]))
        return found[:most]

    def operator(columns: Columns) -> tuple[Stage, Columns]:
        _check(columns, [key for key, _ in keys], token)
        return stage, columns

    return operator


def _sortable(value: Any) -> tuple[int, Any]:
    if isinstance(value, int | float):
        return (1, value)
    return (0, "") if value is None else (2, text_of(value))


def _limit(reader: Reader, _token: Token) -> Operator:
    most = _amount(reader)
    return lambda columns: ((lambda rows: islice(rows, most)), columns)


def _amount(reader: Reader) -> int:
    if reader.next.kind != "number":
        raise reader.unexpected("a number of rows")
    return int(float(reader.take().text))


def _count(_reader: Reader, _token: Token) -> Operator:
    return lambda _columns: ((lambda rows: [{"Count": sum(1 for _ in rows)}]), ("Count",))


def _distinct(reader: Reader, token: Token) -> Operator:
    wanted = _named(reader)
    return _grouped([], wanted, token)


def _summarize(reader: Reader, token: Token) -> Operator:
    aggregates: list[tuple[str, str, Expression | None]] = []
    while reader.next.kind == "word" and reader.next.text.lower() != "by":
        aggregates.append(_aggregate(reader))
        if not reader.takes(","):
            break
    keys = _named(reader) if reader.takes("by") else []
    return _grouped(aggregates, keys, token)


def _aggregate(reader: Reader) -> tuple[str, str, Expression | None]:
    name, token = "", reader.next
    function = reader.name()
    if reader.takes("="):
        name, token, function = function, reader.next, reader.name()
    if function.lower() not in _AGGREGATES:
        brief = f"The aggregation '{function}' is not modelled."
        raise QueryError("UnsupportedFunction", brief, token)
    reader.need("(")
    value = None if reader.next.text == ")" else expression(reader)
    reader.need(")")
    if (value is None) != (function.lower() == "count"):
        raise QueryError("ParserFailure", f"'{function}' has the wrong number of arguments.", token)
    return name or f"{function}_{value.name if value else ''}", function.lower(), value


def _grouped(
    aggregates: Sequence[tuple[str, str, Expression | None]],
    keys: Sequence[tuple[str, Expression]],
    token: Token,
) -> Operator:
    def stage(rows: Rows) -> Rows:
        groups: dict[tuple[str, ...], tuple[Row, list[Row]]] = {}
        for row in rows:
            shown = {name: value.value(row) for name, value in keys}
            group = groups.setdefault(tuple(map(text_of, shown.values())), (shown, []))
            group[1].append(row)
        if not keys and not groups:
            groups[()] = ({}, [])
        for shown, members in groups.values():
            yield shown | {
                name: _AGGREGATES[function]([value.value(row) if value else None for row in members])
                for name, function, value in aggregates
            }

    def operator(columns: Columns) -> tuple[Stage, Columns]:
        _check(columns, [value for _, value in keys], token)
        _check(columns, [value for _, _, value in aggregates if value], token)
        return stage, (*(name for name, _ in keys), *(name for name, _, _ in aggregates))

    return operator


def _check(columns: Columns, expressions: Iterable[Expression], token: Token) -> None:
    for name in sorted(frozenset().union(*(each.columns for each in expressions))):
        if name not in columns:
            brief = f"'{token.text}' operator: Failed to resolve column or scalar expression named '{name}'"
            raise QueryError("UnresolvedEntity", brief, token)


_OPERATORS: dict[str, Callable[[Reader, Token], Operator]] = {
    "where": _where,
    "filter": _where,
    "project": _project,
    "project-away": _project_away,
    "extend": _extend,
    "order": _order,
    "sort": _order,
    "top": _top,
    "limit": _limit,
    "take": _limit,
    "count": _count,
    "distinct": _distinct,
    "summarize": _summarize,
}
