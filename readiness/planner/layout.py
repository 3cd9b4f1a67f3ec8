"""Everything that waves are made of and have to respect, indexed by number: estates have many VMs.

VMs and move groups are small integers here. What a wave may hold is a table of *dimensions*: VMs, minutes,
each subscription, each redundant group that wants separate waves, and so on. A group that is larger than a
limit may still go, if nothing else in its wave counts on that limit.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date

from readiness.model.context import Freeze
from readiness.model.ids import ResourceId
from readiness.model.plan import ApartGroup, Hub, OrderEdge, Strictness
from readiness.model.policy import Policy
from readiness.planner.eligibility import Candidate
from readiness.planner.graph import MoveGroup
from readiness.planner.policy import VmPins
from readiness.planner.windows import Calendar

Dimension = tuple[str, str]


class Layout:
    """What waves are made of and have to respect."""

    def __init__(  # noqa: PLR0913  one argument for each thing that binds
        self,
        *,
        candidates: Mapping[ResourceId, Candidate],
        groups: Sequence[MoveGroup],
        edges: Sequence[OrderEdge],
        apart: Sequence[ApartGroup],
        hubs: Sequence[Hub],
        pins: Mapping[ResourceId, VmPins],
        calendar: Calendar,
        policy: Policy,
    ) -> None:
        self.calendar = calendar
        self.policy = policy
        self.apart = apart
        self.edges = edges
        self.vms: list[Candidate] = [candidates[vm] for group in groups for vm in group]
        """Candidates, providers first."""
        self.index = {entry.vm.id: number for number, entry in enumerate(self.vms)}
        self.groups: list[tuple[int, ...]] = [tuple(self.index[vm] for vm in group) for group in groups]
        self.group_of = [number for number, group in enumerate(self.groups) for _ in group]
        self.pins = {self.index[vm]: pin for vm, pin in pins.items() if vm in self.index}
        self.hubs = {self.index[hub.id]: hub for hub in hubs if hub.cut and hub.id in self.index}
        self._order(edges)
        self._redundancy(apart)
        self._applications()
        self._capacity(policy)

    def _order(self, edges: Sequence[OrderEdge]) -> None:
        self.providers: list[tuple[int, ...]] = []
        """Per VM the VMs of other move groups that it needs."""
        providers: list[set[int]] = [set() for _ in self.vms]
        self.before: list[dict[int, bool]] = [{} for _ in self.groups]
        """Per group the groups that go in no later wave; True where they go in an earlier one."""
        self.after: list[set[int]] = [set() for _ in self.groups]
        self.hard_before: list[set[int]] = [set() for _ in self.groups]
        for edge in edges:
            before, after = self.index.get(edge.before), self.index.get(edge.after)
            if before is None or after is None or self.group_of[before] == self.group_of[after]:
                continue
            first, second = self.group_of[before], self.group_of[after]
            providers[after].add(before)
            strict = edge.strict is Strictness.NEXT_WAVE
            self.before[second][first] = strict or self.before[second].get(first, False)
            self.after[first].add(second)
            if edge.hard:
                self.hard_before[second].add(first)
        self.providers = [tuple(sorted(found)) for found in providers]

    def _redundancy(self, apart: Sequence[ApartGroup]) -> None:
        self.apart_of: list[tuple[int, ...]] = []
        found: dict[int, list[int]] = defaultdict(list)
        for position, redundant in enumerate(apart):
            for member in redundant.members:
                number = self.index.get(member)
                if number is not None:
                    found[number].append(position)
        self.apart_of = [tuple(found.get(number, ())) for number in range(len(self.vms))]

    def _applications(self) -> None:
        names = sorted({entry.application.name for entry in self.vms})
        numbers = {name: number for number, name in enumerate(names)}
        self.applications = names
        self.application_of = [numbers[entry.application.name] for entry in self.vms]
        self.planned = [entry.planned_seconds for entry in self.vms]
        self.reserved = [entry.reserved_seconds for entry in self.vms]
        self.frozen: list[tuple[Freeze, ...]] = [entry.freezes for entry in self.vms]
        self.not_before: list[date | None] = [
            self.pins[number].not_before if number in self.pins else None for number in range(len(self.vms))
        ]
        lockout = self.policy.lockout_minutes * 60
        self.needed = [max(reserved, lockout + 1) for reserved in self.reserved]
        """Seconds that a window has to have to hold a VM at all."""
        self.fits: dict[object, str] = {}
        """Why VMs of the same windows and needs fit nowhere; found once."""

    def _capacity(self, policy: Policy) -> None:
        limits = policy.limits
        limited = {
            "VMs": limits.max_vms_per_wave,
            "work minutes": limits.max_work_minutes_per_wave,
            "VMs of subscription": limits.max_vms_per_subscription,
            "VMs in region": limits.max_vms_per_region,
            "VMs of application": limits.max_vms_per_application,
            "snapshots in subscription": limits.max_snapshots_per_subscription,
            "vCPUs in region": limits.max_vcpus_per_region,
        }
        per_kind = {kind: cap for kind, cap in limited.items() if cap is not None}
        self.caps: dict[Dimension, int] = {}
        self.weights: list[dict[Dimension, int]] = []
        for group in self.groups:
            weights = self._weights(group, per_kind)
            for kind, key in weights:
                is_peers = kind == "peers of"
                self.caps[kind, key] = self.apart[int(key)].max_unavailable if is_peers else per_kind[kind]
            self.weights.append(weights)

    def _weights(self, group: tuple[int, ...], per_kind: Mapping[str, int]) -> dict[Dimension, int]:
        """Return what a group takes of each limit that there is."""
        weights: dict[Dimension, int] = defaultdict(int)
        for number in group:
            entry = self.vms[number]
            for kind, key, amount in (
                ("VMs", "", 1),
                ("VMs of subscription", entry.vm.id.subscription, 1),
                ("VMs in region", entry.vm.location, 1),
                ("VMs of application", entry.application.name, 1),
                ("snapshots in subscription", entry.vm.id.subscription, entry.snapshot_count),
                ("vCPUs in region", entry.vm.location, entry.vcpus),
            ):
                if kind in per_kind and amount:
                    weights[kind, key] += amount
            for position in self.apart_of[number]:
                if self.apart[position].separate_waves:
                    weights["peers of", str(position)] += 1
        if "work minutes" in per_kind:
            weights["work minutes", ""] = -(-sum(self.planned[number] for number in group) // 60)
        return dict(weights)

    def named(self, dimension: Dimension) -> str:
        """Return what a limit is called, for people."""
        kind, key = dimension
        if kind == "peers of":
            return f"peers of {self.apart[int(key)].evidence}"
        return f"{kind} {key}".strip()


class Load:
    """What a wave holds so far, by dimension."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._held: dict[Dimension, int] = {}

    def takes(self, group: int) -> bool:
        """Tell whether a group may join: within every limit, or alone on one that it exceeds by itself."""
        caps, held = self._layout.caps, self._held
        return all(
            held.get(dimension, 0) + amount <= caps[dimension] or dimension not in held
            for dimension, amount in self._layout.weights[group].items()
        )

    def exceeded_by(self, group: int) -> Dimension | None:
        """Return the first limit for which a group may not join, or None if it may."""
        caps, held = self._layout.caps, self._held
        for dimension, amount in sorted(self._layout.weights[group].items()):
            if dimension in held and held[dimension] + amount > caps[dimension]:
                return dimension
        return None

    def add(self, group: int) -> None:
        """Count a group in."""
        for dimension, amount in self._layout.weights[group].items():
            self._held[dimension] = self._held.get(dimension, 0) + amount

    def remove(self, group: int) -> None:
        """Take a group out again."""
        for dimension, amount in self._layout.weights[group].items():
            left = self._held[dimension] - amount
            if left:
                self._held[dimension] = left
            else:
                del self._held[dimension]

    def over(self) -> list[Dimension]:
        """Return the limits that are exceeded, because one group alone exceeds them."""
        caps = self._layout.caps
        return sorted(dimension for dimension, held in self._held.items() if held > caps[dimension])

    @property
    def is_full(self) -> bool:
        """Whether no VM at all fits any more."""
        cap = self._layout.caps.get(("VMs", ""))
        return cap is not None and self._held.get(("VMs", ""), 0) >= cap
