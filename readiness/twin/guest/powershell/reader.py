"""Reads PowerShell: statements, pipelines, arguments and expressions.

Functions, classes, `switch`, `while` and here-strings are not understood, and are syntax errors.
"""

import re

from readiness.twin.guest.powershell.expressions import CAST, NUMBER, VARIABLE, ExpressionReader, number_of
from readiness.twin.guest.powershell.syntax import (
    Assigned,
    Body,
    Expression,
    ForEach,
    If,
    Invoked,
    Leave,
    Literal,
    Piped,
    Several,
    Statement,
    Try,
)

_BARE = re.compile(r"[^\s;|(){}'\"$,`]+")
_ASSIGNMENT = re.compile(r"\$(\w+)\s*(\+?=)(?!=)")
_REDIRECTION = re.compile(r"(\d|\*)?>(&1|\s*\$null)", re.IGNORECASE)
_UNKNOWN = {"function", "class", "switch", "while", "do", "for", "filter", "param", "workflow"}
SWITCHES = {"force", "recurse", "compress", "passthru", "quiet", "unique", "descending", "raw", "list"}
SWITCHES |= {"nonewline", "autosize", "wait", "includetotalcount"}


def read(text: str) -> Body:
    """Read a script."""
    plain = re.sub(r"<#.*?#>", "", text.replace("\r\n", "\n"), flags=re.DOTALL).replace("`\n", " ")
    reader = _Reader(plain)
    body = reader.body("")
    if reader.rest:
        raise reader.failure()
    return body


class _Reader(ExpressionReader):
    def body(self, end: str) -> Body:
        """Read statements up to a closing mark, which is taken, or to the end."""
        statements: list[Statement] = []
        while True:
            self._skip(lines=True)
            if end and self._take(end):
                return tuple(statements)
            if not self.rest:
                if end:
                    raise self.failure()
                return tuple(statements)
            statements.append(self.statement())
            self._skip()
            if self.rest and self.rest[0] not in ";\n" and not (end and self.rest.startswith(end)):
                raise self.failure()

    def statement(self) -> Statement:
        """Read one statement."""
        word = self._peek_word()
        if word in _UNKNOWN:
            raise self.failure()
        if word == "if":
            return self._if()
        if word == "foreach" and re.match(r"foreach\s*\(", self.rest, re.IGNORECASE):
            return self._for_each()
        if word == "try":
            return self._try()
        if word in ("exit", "return", "throw"):
            self._at += len(word)
            self._skip()
            is_bare = not self.rest or self.rest[0] in ";\n})"
            return Leave(word, None if is_bare else self.statement())
        found = _ASSIGNMENT.match(self._text, self._at)
        if found is not None:
            self._at = found.end()
            self._skip()
            return Assigned(found[1].lower(), found[2], self.statement())
        return self._pipeline()

    def _if(self) -> If:
        branches: list[tuple[Statement, Body]] = []
        otherwise: Body = ()
        self._at += len("if")
        while True:
            branches.append((self._condition(), self.braces()))
            mark = self._at
            self._skip(lines=True)
            word = self._peek_word()
            if word == "elseif":
                self._at += len(word)
                continue
            if word == "else":
                self._at += len(word)
                otherwise = self.braces()
            else:
                self._at = mark
            return If(tuple(branches), otherwise)

    def _condition(self) -> Statement:
        self._need("(")
        self._skip(lines=True)
        statement = self.statement()
        self._need(")")
        return statement

    def _for_each(self) -> ForEach:
        self._at += len("foreach")
        self._need("(")
        self._skip()
        found = VARIABLE.match(self._text, self._at)
        if found is None:
            raise self.failure()
        self._at = found.end()
        self._skip()
        if self._peek_word() != "in":
            raise self.failure()
        self._at += len("in")
        self._skip()
        values = self.statement()
        self._need(")")
        return ForEach((found[2] or found[1]).lower(), values, self.braces())

    def _try(self) -> Try:
        self._at += len("try")
        body = self.braces()
        parts: dict[str, Body] = {"catch": (), "finally": ()}
        while True:
            mark = self._at
            self._skip(lines=True)
            word = self._peek_word()
            if word not in parts:
                self._at = mark
                return Try(body, parts["catch"], parts["finally"])
            self._at += len(word)
            self._skip()
            found = CAST.match(self._text, self._at)
            self._at = found.end() if found else self._at
            parts[word] = self.braces()

    def _pipeline(self) -> Piped:
        stages: list[Expression | Invoked] = [self._stage()]
        while self._take("|"):
            self._skip(lines=True)
            stages.append(self._stage())
        return Piped(tuple(stages))

    def _stage(self) -> Expression | Invoked:
        self._skip()
        if self._take("&") or self._take(". "):
            self._skip()
            return self._invoked(self._argument())
        if re.match(r"[A-Za-z_.\\]|[?%]\s*\{", self.rest):
            found = _BARE.match(self._text, self._at)
            if found is not None:
                self._at = found.end()
                return self._invoked(Literal(found[0]))
        return self.expression()

    def _invoked(self, name: Expression) -> Invoked:
        args: list[Expression | tuple[str, Expression | None]] = []
        marks = set()
        while True:
            self._skip()
            if not self.rest or self.rest[0] in ";|\n)}":
                break
            redirection = _REDIRECTION.match(self._text, self._at)
            if redirection is not None:
                self._at = redirection.end()
                marks.add((redirection[1] or "1", "&1" in redirection[2]))
                continue
            args.append(self._parameter() if re.match(r"-[A-Za-z]", self.rest) else self._arguments())
        return Invoked(
            name,
            tuple(args),
            drops_errors=("2", False) in marks or ("*", False) in marks,
            drops_output=("1", False) in marks or ("*", False) in marks,
        )

    def _parameter(self) -> tuple[str, Expression | None] | Expression:
        found = re.compile(r"-([A-Za-z][\w-]*):?").match(self._text, self._at)
        if found is None:
            raise self.failure()
        self._at = found.end()
        if found[1].lower() in SWITCHES:
            return found[1].lower(), None
        self._skip()
        if not self.rest or self.rest[0] in ";|\n)}" or re.match(r"-[A-Za-z]", self.rest):
            return found[1].lower(), None
        return found[1].lower(), self._arguments()

    def _arguments(self) -> Expression:
        items = [self._argument()]
        while self._take(","):
            self._skip(lines=True)
            items.append(self._argument())
        return items[0] if len(items) == 1 else Several(tuple(items))

    def _argument(self) -> Expression:
        char = self.rest[:1]
        if char in "'\"$(@{" and char:
            return self._postfix(self._primary())
        found = _BARE.match(self._text, self._at)
        if found is None:
            raise self.failure()
        self._at = found.end()
        number = NUMBER.fullmatch(found[0])
        return Literal(number_of(found[0])) if number else Literal(found[0])
