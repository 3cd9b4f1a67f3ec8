"""The parts a PowerShell script is made of, as far as they are understood."""

from dataclasses import dataclass
from typing import Any, TypeAlias


class PowerShellSyntaxError(Exception):
    """A script that PowerShell, or the twin's part of it, cannot read."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A value that stands for itself."""

    value: Any


@dataclass(frozen=True, slots=True)
class Text:
    """Text in double quotes: parts that stand for themselves, and parts that are put in."""

    parts: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable, `env:` ones included."""

    name: str


@dataclass(frozen=True, slots=True)
class Member:
    """A property of a value, or a method that is called on it."""

    target: "Expression"
    name: str
    args: tuple["Expression", ...] | None = None


@dataclass(frozen=True, slots=True)
class Index:
    """One of several values."""

    target: "Expression"
    at: "Expression"


@dataclass(frozen=True, slots=True)
class Unary:
    """`-not` and the minus sign."""

    operator: str
    operand: "Expression"


@dataclass(frozen=True, slots=True)
class Binary:
    """An operator between two values."""

    operator: str
    left: "Expression"
    right: "Expression"


@dataclass(frozen=True, slots=True)
class Several:
    """Values with commas between them."""

    items: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Table:
    """`@{...}`."""

    pairs: tuple[tuple[str, "Expression"], ...]


@dataclass(frozen=True, slots=True)
class Inner:
    """Statements in parentheses; `@(...)` makes a list of whatever they give."""

    body: "Body"
    is_list: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """Statements in braces, as an argument."""

    body: "Body"


Expression: TypeAlias = (
    Literal | Text | Variable | Member | Index | Unary | Binary | Several | Table | Inner | Block
)


@dataclass(frozen=True, slots=True)
class Invoked:
    """A command with its arguments; of a parameter, name and value."""

    name: Expression
    args: tuple[Expression | tuple[str, Expression | None], ...]
    drops_errors: bool = False
    drops_output: bool = False


@dataclass(frozen=True, slots=True)
class Piped:
    """Commands, each of which takes what the one before it gave."""

    stages: tuple[Expression | Invoked, ...]


@dataclass(frozen=True, slots=True)
class Assigned:
    """A variable that is set."""

    name: str
    operator: str
    value: "Statement"


@dataclass(frozen=True, slots=True)
class If:
    """Conditions with what follows from each."""

    branches: tuple[tuple["Statement", "Body"], ...]
    otherwise: "Body"


@dataclass(frozen=True, slots=True)
class ForEach:
    """A loop over values."""

    name: str
    values: "Statement"
    body: "Body"


@dataclass(frozen=True, slots=True)
class Try:
    """Statements, and what is done where they fail."""

    body: "Body"
    caught: "Body"
    finally_: "Body"


@dataclass(frozen=True, slots=True)
class Leave:
    """`exit`, `return` and `throw`."""

    word: str
    value: "Statement | None"


Statement: TypeAlias = Piped | Assigned | If | ForEach | Try | Leave
Body: TypeAlias = tuple[Statement, ...]
