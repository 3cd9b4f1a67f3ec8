"""What was observed of controls beside the VMs themselves, filed so that each lookup is one step.

A fact that was not observed is absent here; whether it was looked for is the estate's to say.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import cached_property
from typing import TypeVar

from readiness.model.fact import Fact
from readiness.model.governance import ImageVersion, PolicyAssignment, PolicyExemption
from readiness.model.ids import ResourceId
from readiness.model.monitoring import FlowLog, GuestAssignment, PatchResult, Recommendation, VmLink

_Kind = TypeVar("_Kind", bound=Fact)


class Posture:
    """Facts about controls, in no particular order. Treated as frozen."""

    def __init__(self, facts: Iterable[Fact] = ()) -> None:
        self._by_kind: dict[type, list[Fact]] = {}
        for fact in facts:
            self._by_kind.setdefault(type(fact), []).append(fact)

    def all(self, kind: type[_Kind]) -> list[_Kind]:
        """Return every fact of that kind."""
        return [fact for fact in self._by_kind.get(kind, ()) if isinstance(fact, kind)]

    def within(self, kind: type[_Kind], subscription: str) -> tuple[_Kind, ...]:
        """Return the facts of that kind in one subscription."""
        if kind not in self._by_subscription:
            found: dict[str, list[Fact]] = {}
            for fact in self._by_kind.get(kind, ()):
                found.setdefault(fact.id.subscription, []).append(fact)
            self._by_subscription[kind] = found
        kept = self._by_subscription[kind].get(subscription, ())
        return tuple(fact for fact in kept if isinstance(fact, kind))

    def by_id(self, kind: type[_Kind], fact_id: ResourceId) -> _Kind | None:
        """Return the fact of that kind and id."""
        if kind not in self._by_id:
            self._by_id[kind] = {fact.id: fact for fact in self._by_kind.get(kind, ())}
        found = self._by_id[kind].get(fact_id)
        return found if isinstance(found, kind) else None

    def recommendation(self, resource: ResourceId, keys: Iterable[str]) -> Recommendation | None:
        """Return what Defender for Cloud found on a resource for the first of these keys that it answered."""
        found = self._recommendations.get(resource, {})
        return next((found[key] for key in keys if key in found), None)

    def guest_assignments(self, vm: ResourceId) -> tuple[GuestAssignment, ...]:
        """Return what guest configuration found inside the VM."""
        return self._guests.get(vm, ())

    def guest_assignment(self, vm: ResourceId, name: str) -> GuestAssignment | None:
        """Return what the guest configuration assignment of that name found inside the VM.

        Two assignments of the same name may disagree: whoever found fault is right, then who found none.
        """
        named = [entry for entry in self.guest_assignments(vm) if entry.configuration == name.lower()]
        return min(named, key=lambda entry: (_TRUST.get(entry.status.lower(), 2), entry.id), default=None)

    def policies_on(
        self, resource: ResourceId, definitions: Iterable[str], at: datetime
    ) -> tuple[PolicyAssignment, ...]:
        """Return the enforced assignments of these definitions that act on the resource at that moment."""
        wanted = tuple(definitions)
        if wanted not in self._enforced_of:  # few sets of definitions are asked about, for every VM and disk
            listed = (entry for one in wanted for entry in self._enforced.get(one, ()))
            self._enforced_of[wanted] = tuple(listed)
        return tuple(
            entry
            for entry in self._enforced_of[wanted]
            if entry.covers(resource)
            and not any(one.frees(resource, entry, at) for one in self._exemptions.get(entry.id, ()))
        )

    def patch_result(self, vm: ResourceId) -> PatchResult | None:
        """Return what the last look for updates found on the VM."""
        return self._patches.get(vm)

    def linked(self, kind: str, vm: ResourceId) -> VmLink | None:
        """Return one association of that resource type, in lower case, with the VM."""
        return self._links.get((kind, vm))

    def flow_log(self, targets: Iterable[ResourceId]) -> FlowLog | None:
        """Return an enabled flow log of the first of these targets that has one."""
        return next((self._flow_logs[target] for target in targets if target in self._flow_logs), None)

    def image_version(self, image: str) -> ImageVersion | None:
        """Return the version of a gallery's image that a VM names; one that names none cannot be told."""
        return self.by_id(ImageVersion, ResourceId(image))

    @cached_property
    def _by_subscription(self) -> dict[type, dict[str, list[Fact]]]:
        return {}

    @cached_property
    def _by_id(self) -> dict[type, dict[ResourceId, Fact]]:
        return {}

    @cached_property
    def _recommendations(self) -> dict[ResourceId, dict[str, Recommendation]]:
        found: dict[ResourceId, dict[str, Recommendation]] = {}
        for fact in self.all(Recommendation):
            found.setdefault(fact.resource, {})[fact.key] = fact
        return found

    @cached_property
    def _guests(self) -> dict[ResourceId, tuple[GuestAssignment, ...]]:
        found: dict[ResourceId, tuple[GuestAssignment, ...]] = {}
        for fact in self.all(GuestAssignment):
            found[fact.vm] = (*found.get(fact.vm, ()), fact)
        return found

    @cached_property
    def _enforced(self) -> dict[str, tuple[PolicyAssignment, ...]]:
        found: dict[str, tuple[PolicyAssignment, ...]] = {}
        for fact in self.all(PolicyAssignment):
            if fact.is_enforced:
                found[fact.definition] = (*found.get(fact.definition, ()), fact)
        return found

    @cached_property
    def _enforced_of(self) -> dict[tuple[str, ...], tuple[PolicyAssignment, ...]]:
        return {}

    @cached_property
    def _exemptions(self) -> dict[ResourceId, tuple[PolicyExemption, ...]]:
        found: dict[ResourceId, tuple[PolicyExemption, ...]] = {}
        for fact in self.all(PolicyExemption):
            if fact.assignment is not None:
                found[fact.assignment] = (*found.get(fact.assignment, ()), fact)
        return found

    @cached_property
    def _patches(self) -> dict[ResourceId, PatchResult]:
        return {fact.vm: fact for fact in self.all(PatchResult)}

    @cached_property
    def _links(self) -> dict[tuple[str, ResourceId], VmLink]:
        return {(fact.id.type, fact.vm): fact for fact in self.all(VmLink)}

    @cached_property
    def _flow_logs(self) -> dict[ResourceId, FlowLog]:
        found = [fact for fact in self.all(FlowLog) if fact.is_enabled]
        return {fact.target: fact for fact in found if fact.target is not None}


_TRUST = {"noncompliant": 0, "compliant": 1}
