"""Expressions of PowerShell: operators, values, and what stands in quotes, parentheses and braces."""

import re
from abc import ABC, abstractmethod

from readiness.twin.guest.powershell.syntax import (
    Binary,
    Block,
    Body,
    Expression,
    Index,
    Inner,
    Literal,
    Member,
    PowerShellSyntaxError,
    Several,
    Statement,
    Table,
    Text,
    Unary,
    Variable,
)

_WORD = re.compile(r"[A-Za-z_][\w-]*")
VARIABLE = re.compile(r"\$(?:\{([^}]+)\}|((?:env:|global:|script:)?\w+|\?|_))", re.IGNORECASE)
NUMBER = re.compile(r"0x[0-9a-fA-F]+|\d+(?:\.\d+)?(?:[kmg]b)?", re.IGNORECASE)
CAST = re.compile(r"\[[\w.\[\]]+\]")
_OPERATORS = (
    ("-or", "-and", "-xor"),
    (
        *("-eq", "-ne", "-gt", "-ge", "-lt", "-le", "-match", "-notmatch", "-like", "-notlike"),
        *("-contains", "-notcontains", "-in", "-notin", "-replace", "-split", "-join", "-ceq", "-ieq"),
    ),
    ("+", "-"),
    ("*", "/", "%"),
    ("-f",),
)
_SIZES = {"kb": 1024, "mb": 1024**2, "gb": 1024**3}


class ExpressionReader(ABC):
    """Reads expressions; what statements are, the reader above it says."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0

    @property
    def rest(self) -> str:
        """Return what is still to be read."""
        return self._text[self._at :]

    def failure(self) -> PowerShellSyntaxError:
        """Refuse what stands here."""
        line = self._text.count("\n", 0, self._at) + 1
        shown = self.rest.split("\n", 1)[0][:40]
        return PowerShellSyntaxError(
            f"At line:{line}: Unexpected token '{shown}' in expression or statement."
        )

    def _skip(self, *, lines: bool = False) -> None:
        blank = re.compile(r"(?:[ \t]|#[^\n]*" + (r"|\n|;)*" if lines else ")*"))
        found = blank.match(self._text, self._at)
        self._at = found.end() if found else self._at

    def _take(self, text: str) -> bool:
        self._skip()
        if self._text.startswith(text, self._at):
            self._at += len(text)
            return True
        return False

    def _need(self, text: str) -> None:
        self._skip(lines=True)
        if not self._take(text):
            raise self.failure()

    def _peek_word(self) -> str:
        found = _WORD.match(self._text, self._at)
        return found[0].lower() if found else ""

    @abstractmethod
    def body(self, end: str) -> Body:
        """Read statements up to a closing mark."""

    @abstractmethod
    def statement(self) -> Statement:
        """Read one statement."""

    def braces(self) -> Body:
        """Read statements in braces."""
        self._need("{")
        return self.body("}")

    def expression(self, level: int = 0) -> Expression:
        """Read an expression whose operators bind at least so tightly."""
        if level == len(_OPERATORS):
            return self._commas()
        left = self.expression(level + 1)
        while (operator := self._operator(level)) is not None:
            self._skip(lines=True)
            left = Binary(operator, left, self.expression(level + 1))
        return left

    def _operator(self, level: int) -> str | None:
        self._skip()
        for operator in _OPERATORS[level]:
            found = re.match(
                re.escape(operator) + (r"(?!\w)" if operator[-1].isalpha() or operator == "-" else ""),
                self.rest,
                re.I,
            )
            if found is not None:
                self._at += found.end()
                return operator
        return None

    def _commas(self) -> Expression:
        items = [self._unary()]
        while self._take(","):
            self._skip(lines=True)
            items.append(self._unary())
        return items[0] if len(items) == 1 else Several(tuple(items))

    def _unary(self) -> Expression:
        self._skip()
        found = re.match(r"(-not\b|!)", self.rest, re.IGNORECASE)
        if found is not None:
            self._at += found.end()
            return Unary("-not", self._unary())
        if re.match(r"-\d", self.rest):
            self._at += 1
            return Unary("-", self._unary())
        cast = CAST.match(self._text, self._at)
        if cast is not None:
            self._at = cast.end()
            return Unary(cast[0].lower(), self._unary())
        return self._postfix(self._primary())

    def _postfix(self, target: Expression) -> Expression:
        while True:
            found = re.match(r"\.([A-Za-z_]\w*)(\()?", self.rest)
            if found is not None:
                self._at += found.end()
                args = self._call_arguments() if found[2] else None
                target = Member(target, found[1], args)
            elif self.rest.startswith("[") and not isinstance(target, Literal):
                self._at += 1
                target = Index(target, self.expression())
                self._need("]")
            else:
                return target

    def _call_arguments(self) -> tuple[Expression, ...]:
        if self._take(")"):
            return ()
        found = self.expression()
        self._need(")")
        return found.items if isinstance(found, Several) else (found,)

    def _primary(self) -> Expression:
        rest = self.rest
        if rest.startswith("'"):
            found = re.match(r"'((?:[^']|'')*)'", rest)
            if found is None:
                raise self.failure()
            self._at += found.end()
            return Literal(found[1].replace("''", "'"))
        if rest.startswith('"'):
            return self._text_in_quotes()
        if rest.startswith("@{"):
            return self._table()
        for mark, is_list in (("@(", True), ("$(", False), ("(", False)):
            if rest.startswith(mark):
                self._at += len(mark)
                return Inner(self.body(")"), is_list)
        if rest.startswith("{"):
            return Block(self.braces())
        variable = VARIABLE.match(self._text, self._at)
        if variable is not None:
            self._at = variable.end()
            return Variable((variable[1] or variable[2]).lower())
        number = NUMBER.match(self._text, self._at)
        if number is None:
            raise self.failure()
        self._at = number.end()
        return Literal(number_of(number[0]))

    def _table(self) -> Table:
        self._at += len("@{")
        pairs: list[tuple[str, Expression]] = []
        while True:
            self._skip(lines=True)
            if self._take("}"):
                return Table(tuple(pairs))
            found = re.match(r"['\"]?([\w ]+?)['\"]?\s*=\s*", self.rest)
            if found is None:
                raise self.failure()
            self._at += found.end()
            statement = self.statement()
            pairs.append((found[1], Inner((statement,))))

    def _text_in_quotes(self) -> Text:
        parts: list[Expression] = []
        plain = ""
        self._at += 1
        while True:
            char = self.rest[:1]
            if not char:
                raise self.failure()
            if char == "`":
                plain += {"n": "\n", "t": "\t", "r": "\r"}.get(
                    self._text[self._at + 1], self._text[self._at + 1]
                )
                self._at += 2
            elif self.rest.startswith('""'):
                plain += '"'
                self._at += 2
            elif char == '"':
                self._at += 1
                return Text((*parts, Literal(plain)))
            elif self.rest.startswith("$(") or VARIABLE.match(self._text, self._at):
                parts += [Literal(plain), self._primary()]
                plain = ""
            else:
                plain += char
                self._at += 1


def number_of(text: str) -> int | float:
    """Read a number, with a unit of bytes where it has one."""
    lowered = text.lower()
    if lowered.startswith("0x"):
        return int(lowered, 16)
    for unit, size in _SIZES.items():
        if lowered.endswith(unit):
            return int(float(lowered[:-2]) * size)
    return float(text) if "." in text else int(text)
