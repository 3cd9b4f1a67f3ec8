"""A rule: one question about a VM, with its text, level, remedy, source and check in one place."""

import inspect
from collections.abc import Callable
from enum import StrEnum

from msgspec import Struct

from readiness.model.assessment import Source
from readiness.model.estate import Estate
from readiness.model.verdict import Dimension, Verdict
from readiness.model.virtual_machine import VirtualMachine

Check = Callable[[VirtualMachine, Estate], Verdict]


class Role(StrEnum):
    """What it means for a VM's standing when a rule is not met."""

    GOAL = "goal"
    """Part of what *satisfied* means."""
    BLOCKER = "blocker"
    """Nothing that is done to this VM in place can help: blocked."""
    WORK = "work"
    """Somebody has to do what the remedy says first: ready with work."""


class Rule(Struct, frozen=True, kw_only=True):
    """One question about a VM. `rationale` is the docstring of its check, shown to the user."""

    id: str
    title: str
    dimension: Dimension
    level: int
    role: Role
    remedy: str
    source: Source
    rationale: str
    check: Check
    requires: tuple[str, ...] = ()
    """Rules of the same dimension that must not be unmet or unknown, or this one is not asked."""


def rule(  # noqa: PLR0913  the facts of a rule are read side by side
    *,
    id: str,  # noqa: A002  a rule's id is its name everywhere
    title: str,
    dimension: Dimension,
    level: int,
    role: Role,
    remedy: str,
    source: Source,
    requires: tuple[str, ...] = (),
) -> Callable[[Check], Rule]:
    """Make a rule of a check. Registers nothing: families list their rules, the catalogue lists families."""

    def made(check: Check) -> Rule:
        return Rule(
            id=id,
            title=title,
            dimension=dimension,
            level=level,
            role=role,
            remedy=remedy,
            source=source,
            rationale=inspect.cleandoc(check.__doc__ or ""),
            check=check,
            requires=requires,
        )

    return made
