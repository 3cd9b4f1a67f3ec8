"""A command of PowerShell while it runs, and the error in which it may end."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from readiness.twin.guest.powershell import values
from readiness.twin.guest.powershell.syntax import Body
from readiness.twin.guest.session import Session
from readiness.twin.guest.system import Guest


class CommandError(Exception):
    """An error record: what happened, its category, and what kind of error it is."""

    def __init__(
        self, message: str, category: str, kind: str, *, command: str = "", stops: bool = False
    ) -> None:
        super().__init__(message)
        self.category = category
        self.kind = kind
        self.command = command
        self.stops = stops
        """Whether it ends the script."""

    def stopping(self) -> "CommandError":
        """Return the same error, as one that ends the script."""
        self.stops = True
        return self


class Runtime(ABC):
    """What commands see of the script that they belong to."""

    session: Session
    out: list[str]
    variables: dict[str, Any]

    @abstractmethod
    def gathered(self, body: Body) -> list[Any]:
        """Carry statements out and return what they give."""


@dataclass(slots=True, kw_only=True)
class Invocation:
    """A command that runs."""

    name: str
    given: list[Any]
    """What the stage before it gave."""
    is_first: bool
    evaluator: Runtime
    args: list[Any] = field(default_factory=list)
    parameters: dict[str, Any] = field(default_factory=dict)

    @property
    def session(self) -> Session:
        """Return the run it belongs to."""
        return self.evaluator.session

    @property
    def guest(self) -> Guest:
        """Return the machine it runs on."""
        return self.session.guest

    def parameter(self, name: str, position: int | None = None) -> Any:
        """Return a parameter by its name, of which the beginning is enough, or by its position."""
        for key, value in self.parameters.items():
            if name.startswith(key):
                return value
        return self.args[position] if position is not None and position < len(self.args) else None

    def text(self, name: str, position: int | None = None) -> str:
        """Return a parameter as text, empty where it is not given."""
        return values.shown(self.parameter(name, position))

    def ended(self, code: int, *lines: str) -> list[Any]:
        """End as a program: set `$LASTEXITCODE`, and give what was written."""
        self.evaluator.variables["lastexitcode"] = code
        return list(lines)


Command: TypeAlias = Callable[[Invocation], list[Any]]
