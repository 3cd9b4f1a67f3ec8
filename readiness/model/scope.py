"""What an answer is narrowed to: `--scope`, and what makes it a failure: `--fail-on`.

A scope is a list of criteria. Criteria of one kind are alternatives, different kinds must all hold; tags of
different names are different kinds. A criterion that speaks of nothing in the estate is refused, because a
misspelt scope would otherwise look like an estate without problems.
"""

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from fnmatch import fnmatchcase

from msgspec import Struct

from readiness.errors import UsageError
from readiness.model.assessment import Assessment, Classification, VmAssessment
from readiness.model.estate import Estate
from readiness.model.estate_info import Gap
from readiness.model.ids import ResourceId
from readiness.model.verdict import Dimension
from readiness.model.virtual_machine import VirtualMachine

KINDS = ("subscription", "group", "tag", "app", "name")
_GRAMMAR = "Write subscription:ID|NAME, group:NAME, tag:NAME=VALUE, app:NAME or name:PATTERN."


class Criterion(Struct, frozen=True):
    """One criterion of a scope, in lower case where Azure compares without case."""

    kind: str
    value: str
    tag: str = ""
    """The tag's name, where the kind is `tag`."""

    @property
    def key(self) -> str:
        """Criteria of one key are alternatives."""
        return f"tag:{self.tag}" if self.tag else self.kind


class Scope(Struct, frozen=True):
    """Which VMs an answer speaks of."""

    asked: tuple[str, ...]
    criteria: tuple[Criterion, ...]

    def hits(self, vm: VirtualMachine, estate: Estate) -> bool:
        """Tell whether the VM is in scope."""
        return self._all(lambda criterion: _hits(criterion, vm, estate))

    def may_hit(self, gap: Gap, estate: Estate) -> bool:
        """Tell whether a VM that could not be read may be in scope: what is not known of it counts as yes."""
        vm = ResourceId(gap.resource)
        return self._all(lambda criterion: _may_hit(criterion, vm, estate))

    def _all(self, holds: Callable[[Criterion], bool]) -> bool:
        by_key: dict[str, bool] = {}
        for criterion in self.criteria:
            by_key[criterion.key] = by_key.get(criterion.key, False) or holds(criterion)
        return all(by_key.values())


class ScopeReport(Struct, frozen=True, kw_only=True):
    """What a scope left of an estate. `in_scope` and `out_of_scope` add up to every VM that was found."""

    asked: tuple[str, ...]
    in_scope: int
    out_of_scope: int
    subscriptions: dict[str, int]
    """VMs out of scope in each subscription that has any."""


def parse_scope(asked: Iterable[str]) -> Scope:
    """Read criteria as they are typed.

    Raises:
        UsageError: One is not of the grammar.
    """
    texts = tuple(asked)
    return Scope(texts, tuple(_criterion(text) for text in texts))


def _criterion(text: str) -> Criterion:
    kind, colon, value = text.partition(":")
    kind, value = kind.strip().lower(), value.strip()
    if not colon or kind not in KINDS or not value:
        close = get_close_matches(kind, KINDS, n=1)
        hint = f"Did you mean '{close[0]}:'? " if close and kind not in KINDS else ""
        raise UsageError(f"--scope '{text}' is not understood.", remedy=hint + _GRAMMAR)
    if kind == "tag":
        name, sign, wanted = value.partition("=")
        if not (name.strip() and sign):
            raise UsageError(f"--scope '{text}' names no value.", remedy="Write tag:NAME=VALUE.")
        # Azure compares the names of tags without case, their values with it.
        return Criterion(kind, wanted.strip(), tag=name.strip().lower())
    return Criterion(kind, value.lower())


def _hits(criterion: Criterion, vm: VirtualMachine, estate: Estate) -> bool:
    match criterion.kind:
        case "app":
            application = estate.application_of(vm)
            return application is not None and application.name.lower() == criterion.value
        case "tag":
            return vm.tag(criterion.tag) == criterion.value
        case _:
            return _may_hit(criterion, vm.id, estate)


def _may_hit(criterion: Criterion, vm: ResourceId, estate: Estate) -> bool:
    match criterion.kind:
        case "subscription":
            names = {entry.id.lower(): entry.name.lower() for entry in estate.info.subscriptions}
            return criterion.value in (vm.subscription, names.get(vm.subscription))
        case "group":
            return vm.resource_group.lower() == criterion.value
        case "name":
            return fnmatchcase(vm.name.lower(), criterion.value)
        case _:
            return True


# Failing --------------------------------------------------------------------------------------------


class FailOn(Struct, frozen=True):
    """A classification, in one dimension or in any, that makes the answer a failure."""

    classification: Classification
    dimension: Dimension | None = None


def parse_fail_on(asked: Iterable[str]) -> tuple[FailOn, ...]:
    """Read what is to fail as it is typed: `blocked`, or `cmk:blocked`.

    Raises:
        UsageError: One is not of the grammar.
    """
    return tuple(_fail_on(text) for text in asked)


def _fail_on(text: str) -> FailOn:
    head, colon, tail = text.strip().lower().rpartition(":")
    classification = {str(entry): entry for entry in Classification}.get(tail.replace("_", "-"))
    dimension = {str(entry): entry for entry in Dimension}.get(head.replace("-", "_")) if colon else None
    if classification is None or (colon and dimension is None):
        raise UsageError(
            f"--fail-on '{text}' is not understood.",
            details=f"Dimensions: {', '.join(Dimension)}.",
            remedy=f"Write [DIMENSION:]CLASS, where CLASS is one of {', '.join(Classification)}.",
        )
    return FailOn(classification, dimension)


def failures(assessment: Assessment, wanted: tuple[FailOn, ...]) -> int:
    """Count the VMs that are what must not be; one that could not be read is *unknown* everywhere."""
    found = sum(1 for vm in assessment.vms if any(_fails(vm, entry) for entry in wanted))
    unread = sum(coverage.unknown for coverage in assessment.coverage)
    counts = any(entry.classification is Classification.UNKNOWN for entry in wanted)
    return found + (unread if counts else 0)


def _fails(vm: VmAssessment, wanted: FailOn) -> bool:
    return any(
        standing.classification is wanted.classification
        for dimension, standing in vm.dimensions.items()
        if wanted.dimension in (None, dimension)
    )
