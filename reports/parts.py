"""What of a plan a workbook shows: all of it, or what one owner answers for.

A part keeps the plan's digest: what comes back in it is about the whole plan.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from msgspec.structs import replace

from readiness.model.ids import ResourceId
from readiness.model.plan import Batch, Plan, PlanException, Wave

T = TypeVar("T")

NOBODY = "no owner"
"""Whose part holds the VMs that no application with a planned VM claims."""


@dataclass(frozen=True)
class Part:
    """A plan reduced to some VMs, and what of the whole plan it takes to understand them."""

    plan: Plan
    places: Mapping[ResourceId, int]
    """The wave of every planned VM of the whole plan."""
    whole: int
    """How many VMs the whole plan has."""
    owner: str = ""
    """Whose part it is; empty for all of the plan."""

    @classmethod
    def whole_of(cls, plan: Plan) -> "Part":
        """Return all of a plan."""
        return cls(plan=plan, places={vm.id: vm.wave for vm in plan.vms}, whole=plan.inventory)


def by_owner(plan: Plan) -> list[Part]:
    """Return the plan's parts, one an owner, by name: together they hold every VM exactly once."""
    whole = Part.whole_of(plan)
    deal = _Deal(plan)
    return [
        Part(plan=deal.hand(key), places=whole.places, whole=whole.whole, owner=name)
        for key, name in sorted(deal.names.items())
    ]


class _Deal:
    """Deals everything in a plan to its owners in one pass: an estate can have thousands of them."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.names: dict[str, str] = {}
        """How each owner is written, by what the owner is known by."""
        self.holder: dict[ResourceId, str] = {}
        owner_of = {vm.application: vm.owner for vm in plan.vms}
        for vm in plan.vms:
            self._give(vm.id, vm.owner)
        for entry in plan.left_out:
            self._give(entry.id, owner_of.get(entry.application or "", ""))
        self._waves = self._deal_waves()
        self._left = self._dealt(plan.left_out, lambda entry: (entry.id,))
        self._order = self._dealt(plan.order, lambda edge: (edge.before, edge.after))
        self._hints = self._dealt(plan.hints, lambda edge: (edge.before, edge.after))
        self._together = self._dealt(plan.together, lambda group: group.members)
        self._apart = self._dealt(plan.apart, lambda group: group.members)
        self._hubs = self._dealt(plan.hubs, lambda hub: (hub.id,))
        self._preparation = self._dealt(plan.preparation, lambda action: action.vms)
        self._closure = self._dealt(plan.closure, lambda action: action.vms)
        self._pins = self._dealt(plan.pins, lambda pin: (pin.vm,))
        self._exceptions = self._deal_exceptions()
        self._decisions = self._dealt(plan.decisions, lambda entry: (entry.vm,))

    def hand(self, key: str) -> Plan:
        """Return what one owner is dealt."""
        waves = tuple(self._waves[key])
        left_out = tuple(self._left[key])
        return replace(
            self.plan,
            waves=waves,
            left_out=left_out,
            inventory=sum(len(wave.vms) for wave in waves) + len(left_out),
            order=tuple(self._order[key]),
            hints=tuple(self._hints[key]),
            together=tuple(self._together[key]),
            apart=tuple(self._apart[key]),
            hubs=tuple(self._hubs[key]),
            preparation=tuple(self._preparation[key]),
            closure=tuple(self._closure[key]),
            pins=tuple(self._pins[key]),
            exceptions=tuple(self._exceptions[key]),
            decisions=tuple(self._decisions[key]),
        )

    def _give(self, vm: ResourceId, owner: str) -> None:
        # People write the same owner in different ways; one owner gets one workbook.
        key = " ".join(owner.split()).casefold()
        self.names.setdefault(key, owner or NOBODY)
        self.holder[vm] = key

    def _dealt(
        self, items: Iterable[T], members: Callable[[T], Iterable[ResourceId]]
    ) -> defaultdict[str, list[T]]:
        hands: defaultdict[str, list[T]] = defaultdict(list)
        for item in items:
            for key in dict.fromkeys(self.holder[vm] for vm in members(item) if vm in self.holder):
                hands[key].append(item)
        return hands

    def _deal_exceptions(self) -> defaultdict[str, list[PlanException]]:
        hands: defaultdict[str, list[PlanException]] = defaultdict(list)
        for entry in self.plan.exceptions:
            for key, vms in self._dealt(entry.vms, lambda vm: (vm,)).items():
                hands[key].append(replace(entry, vms=tuple(vms)))
        return hands

    def _deal_waves(self) -> defaultdict[str, list[Wave]]:
        hands: defaultdict[str, list[Wave]] = defaultdict(list)
        for wave in self.plan.waves:
            batches: defaultdict[str, list[Batch]] = defaultdict(list)
            for batch in wave.batches:
                for key, vms in self._dealt(batch.vms, lambda vm: (vm.id,)).items():
                    batches[key].append(replace(batch, vms=tuple(vms)))
            for key, own in batches.items():
                applications = {vm.application for batch in own for vm in batch.vms}
                windows = tuple(window for window in wave.windows if window.application in applications)
                hands[key].append(replace(wave, batches=tuple(own), windows=windows))
        return hands
