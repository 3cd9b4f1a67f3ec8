"""What a context says of one VM, found without trying every entry for every VM.

The answers are those of the entries' own matches, in their order in the context.
"""

from collections.abc import Iterable
from typing import Protocol, TypeVar

from readiness.model.context import (
    Application,
    Attestation,
    Choice,
    Context,
    Estimate,
    Freeze,
    Match,
    Ownership,
    RuleException,
    overlay,
)
from readiness.model.ids import ResourceId
from readiness.model.match_index import MatchIndex
from readiness.model.virtual_machine import VirtualMachine


class _Matched(Protocol):
    @property
    def match(self) -> Match:
        """Of which VMs it speaks."""


_Entry = TypeVar("_Entry", bound=_Matched)


class ContextIndex:
    """The entries of one context by the VMs they speak of."""

    def __init__(self, context: Context) -> None:
        self._applications = _index(context.applications)
        self._targets = _index(context.targets)
        self._exceptions = _index(context.exceptions)
        self._attestations = _index(context.attestations)
        self._freezes = _index(context.freezes)
        self._estimates = _index(context.estimates)
        self._ownership = _index(context.ownership)
        self._application_by_vm: dict[ResourceId, Application | None] = {}
        self._choice_by_vm: dict[ResourceId, Choice] = {}
        self._overlaid: dict[tuple[int, ...], Choice] = {}

    def application_of(self, vm: VirtualMachine) -> Application | None:
        """Return the first application that claims the VM. Remembered, as each rule and report asks again."""
        if vm.id not in self._application_by_vm:
            self._application_by_vm[vm.id] = next(iter(self._applications.hits(vm)), None)
        return self._application_by_vm[vm.id]

    def choice_for(self, vm: VirtualMachine) -> Choice:
        """Return what the VM is to become: all matching targets laid over one another, later ones on top."""
        found = self._choice_by_vm.get(vm.id)
        if found is None:
            entries = self._hits(self._targets, vm)
            key = tuple(map(id, entries))  # of entries that are kept here, and most VMs have the same ones
            if key not in self._overlaid:
                self._overlaid[key] = overlay(entry.choice for entry in entries)
            found = self._choice_by_vm[vm.id] = self._overlaid[key]
        return found

    def exceptions_for(self, vm: VirtualMachine) -> tuple[RuleException, ...]:
        """Return the exceptions that name the VM, expired ones included."""
        return self._hits(self._exceptions, vm)

    def attestations_for(self, vm: VirtualMachine) -> tuple[Attestation, ...]:
        """Return what people have attested of the VM, expired words included."""
        return self._hits(self._attestations, vm)

    def freezes_for(self, vm: VirtualMachine) -> tuple[Freeze, ...]:
        """Return the freezes that hold the VM, whenever they are."""
        return self._hits(self._freezes, vm)

    def estimates_for(self, vm: VirtualMachine) -> tuple[Estimate, ...]:
        """Return how long people say that changes of the VM take."""
        return self._hits(self._estimates, vm)

    def ownership_of(self, vm: VirtualMachine) -> tuple[Ownership, ...]:
        """Return the infrastructure code that owns the VM."""
        return self._hits(self._ownership, vm)

    def _hits(self, index: MatchIndex[_Entry], vm: VirtualMachine) -> tuple[_Entry, ...]:
        if index.is_empty:
            return ()
        application = self.application_of(vm)
        return tuple(index.hits(vm, application.name if application else None))


def _index(entries: Iterable[_Entry]) -> MatchIndex[_Entry]:
    return MatchIndex((entry.match, entry) for entry in entries)
