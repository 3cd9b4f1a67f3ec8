"""What a case of a rule is: a description, the facts, and the expected status and reason."""

from dataclasses import dataclass, field
from typing import Any

from readiness.model.context import Choice, Context, Match, TargetEntry
from readiness.model.virtual_machine import VirtualMachine
from tests.builders import vm


@dataclass(frozen=True)
class Case:
    """Facts that a rule is asked about, and the answer it owes."""

    rule: str
    description: str
    expected: str
    """Status and reason, such as `unmet Generation1`."""
    vm: VirtualMachine = field(default_factory=vm)
    estate: dict[str, Any] = field(default_factory=dict)
    """What differs from the default estate; see `builders.estate`."""

    def __str__(self) -> str:
        return f"{self.rule}: {self.description}"


def chosen(**choice: Any) -> Context:
    """Return a context that chooses this for every VM."""
    return Context(targets=(TargetEntry(match=Match(), choice=Choice(**choice)),))
