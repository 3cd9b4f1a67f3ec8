"""Template expressions: what stands in brackets in a template, read into a tree. Pure.

Learn, "Syntax and expressions in ARM templates": a string that starts with `[` and ends with `]` is an
expression; `[[` is a bracket. An expression is a string in single quotes, a number, or a call of a function,
followed by any number of `.name` and `[index]`.
"""

import re
from dataclasses import dataclass
from typing import TypeAlias

from readiness.twin.messages import ArmError

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+)|(?P<name>[A-Za-z_]\w*)|(?P<sign>[()\[\],.]))"
)

_DEEPEST = 200
"""Brackets in one expression; no template that people write comes near."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A string or a number."""

    value: str | int


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its arguments."""

    name: str
    arguments: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Member:
    """What stands at a key of a value."""

    of: "Node"
    key: "Node"


Node: TypeAlias = Literal | Call | Member


def invalid(message: str, usage: str = "arm-template") -> ArmError:
    """Refuse a template."""
    return ArmError(
        400,
        "InvalidTemplate",
        f"Deployment template validation failed: '{message} Please see https://aka.ms/{usage} for usage "
        "details.'.",
        info=[
            {"type": "TemplateViolation", "info": {"lineNumber": 0, "linePosition": 0, "path": ""}},
        ],
    )


def is_expression(value: object) -> bool:
    """Tell whether a value of a template is an expression."""
    return isinstance(value, str) and value.startswith("[") and value.endswith("]") and value[1:2] != "["


def parse(text: str) -> Node:
    """Read an expression, brackets included."""
    parser = _Parser(text)
    node = parser.node()
    if parser.rest:
        raise parser.refusal()
    return node


class _Parser:
    """One pass over the signs of an expression."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.rest: list[tuple[str, str]] = []
        if text.count("(") + text.count("[") > _DEEPEST:
            raise self.refusal()
        position, end = 1, len(text) - 1
        while position < end and text[position:end].strip():
            found = _TOKEN.match(text, position, end)
            if found is None:
                raise self.refusal()
            self.rest.append((str(found.lastgroup), found[str(found.lastgroup)]))
            position = found.end()

    def refusal(self) -> ArmError:
        """Refuse an expression that cannot be read."""
        return invalid(
            f"The language expression '{self._text[1:-1]}' is not valid: it cannot be parsed.",
            "arm-template-expressions",
        )

    def node(self) -> Node:
        """Read a value and everything that is taken out of it."""
        kind, word = self._next()
        if kind == "text":
            found: Node = Literal(word[1:-1].replace("''", "'"))
        elif kind == "number":
            found = Literal(int(word))
        elif kind == "name":
            found = Call(word, self._arguments())
        else:
            raise self.refusal()
        while self.rest and self.rest[0][1] in ".[":
            if self._next()[1] == ".":
                kind, word = self._next()
                if kind != "name":
                    raise self.refusal()
                found = Member(found, Literal(word))
            else:
                found = Member(found, self.node())
                self._expect("]")
        return found

    def _arguments(self) -> tuple[Node, ...]:
        self._expect("(")
        arguments: list[Node] = []
        while self.rest and self.rest[0][1] != ")":
            if arguments:
                self._expect(",")
            arguments.append(self.node())
        self._expect(")")
        return tuple(arguments)

    def _next(self) -> tuple[str, str]:
        if not self.rest:
            raise self.refusal()
        return self.rest.pop(0)

    def _expect(self, sign: str) -> None:
        if self._next() != ("sign", sign):
            raise self.refusal()
