"""What a twin says of a wave that was carried out on it: every promise that a kill could have broken.

Read from the twin's resources and its log of accepted writes alone, without any code that is on trial.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from readiness.model.plan import Plan, PlannedVm, Wave
from readiness.model.steps import TakeSnapshot
from readiness.twin.core import Exchange

Resources = Sequence[dict[str, Any]]
_VM, _DISK, _SNAPSHOT = (f"microsoft.compute/{kind}" for kind in ("virtualmachines", "disks", "snapshots"))
_PLAN, _LEASE = "readiness-plan", "readiness-lease"
_NEVER = datetime.max.replace(tzinfo=UTC)


class Outcome:
    """One wave on a twin: how it was before, how it is now, and what was asked for in between."""

    def __init__(self, plan: Plan, wave: Wave, before: Resources, after: Resources, log: Iterable[Exchange]):
        self._plan = plan
        self._wave = wave
        self._before = _by_id(before)
        self._after = _by_id(after)
        self._log = [each for each in log if each.status < 400]
        self._spans = {vm.id.key: _span(vm, self._log) for vm in wave.vms}

    def violations(self, *, snapshots: bool = True) -> list[str]:
        """Return a sentence for every promise that was broken.

        Args:
            snapshots: Whether every VM of the wave went through its outage, and so has its snapshots.
        """
        return [
            *self._machines(),
            *self._disks(),
            *self._leases(),
            *self._peers(),
            *self._order(),
            *self._caps(),
            *(self._snapshots() if snapshots else ()),
        ]

    def _machines(self) -> Iterator[str]:
        for key, resource in self._before.items():
            if not _is(resource, _VM):
                continue
            if key not in self._after:
                yield f"{resource['name']} is lost"
            elif power_of(self._after[key]) != power_of(resource):
                yield f"{resource['name']} was {power_of(resource)} and is {power_of(self._after[key])}"

    def _disks(self) -> Iterator[str]:
        mounted = {disk for vm in self._after.values() if _is(vm, _VM) for disk in _mounted(vm)}
        for key, resource in self._after.items():
            if _is(resource, _DISK) and key not in self._before and key not in mounted:
                yield f"{resource['name']} is a disk that nobody uses"
        for key, resource in self._before.items():
            if _is(resource, _DISK) and key not in self._after:
                yield f"the disk {resource['name']} is lost"

    def _leases(self) -> Iterator[str]:
        for resource in self._after.values():
            if _LEASE in (resource.get("tags") or {}):
                yield f"{resource['name']} still bears a lease: {resource['tags'][_LEASE]}"

    def _snapshots(self) -> Iterator[str]:
        """Each disk of each VM that had its outage has one snapshot of each moment, and no other."""
        found = Counter(
            _source(resource)
            for resource in self._after.values()
            if _is(resource, _SNAPSHOT) and _PLAN in (resource.get("tags") or {})
        )
        wanted = Counter(
            each.step.disk.key
            for vm in self._wave.vms
            if vm.outage is not None
            for each in vm.outage.steps
            if isinstance(each.step, TakeSnapshot)
        )
        for disk in found.keys() | wanted.keys():
            if found[disk] != wanted[disk]:
                name = disk.rsplit("/", 1)[1]
                yield f"{name} has {found[disk]} snapshots of the plan instead of {wanted[disk]}"

    def _peers(self) -> Iterator[str]:
        """Of an availability group never more are away at once than may be."""
        for group in self._plan.apart:
            keys = [vm.key for vm in group.members if vm.key in self._spans]
            away = _most_at_once(span for key in keys for span in self._spans[key][1])
            if away > group.max_unavailable:
                yield f"{away} VMs of {group.evidence} were away at once, and {group.max_unavailable} may be"

    def _order(self) -> Iterator[str]:
        """A consumer goes down only once its providers of the same wave are back."""
        for edge in self._plan.order:
            provider, consumer = self._spans.get(edge.before.key), self._spans.get(edge.after.key)
            if provider is None or consumer is None or not provider[1] or not consumer[1]:
                continue
            if consumer[1][0][0] < provider[1][-1][1]:
                yield f"{edge.after.name} went down before {edge.before.name} was back"

    def _caps(self) -> Iterator[str]:
        limits = self._plan.policy.execution
        worked = {key: [span[0]] for key, span in self._spans.items() if span[0] is not None}
        most = _most_at_once(span for spans in worked.values() for span in spans)
        if most > limits.max_concurrency:
            yield f"{most} VMs were under way at once, and {limits.max_concurrency} may be"
        for word, limit in (("application", limits.max_per_application), ("region", limits.max_per_region)):
            groups = defaultdict(list)
            for vm in self._wave.vms:
                groups[getattr(vm, word)] += worked.get(vm.id.key, [])
            for name, spans in groups.items():
                if limit is not None and _most_at_once(spans) > limit:
                    yield f"more than {limit} VMs of the {word} {name} were under way at once"


def power_of(vm: dict[str, Any]) -> str:
    """Return a VM's power state, as the twin's ground truth has it."""
    view = vm["properties"].get("instanceView") or {}
    codes = [status["code"] for status in view.get("statuses", ())]
    return next((code for code in codes if code.startswith("PowerState/")), "PowerState/unknown")


_Span = tuple[datetime, datetime]


def _span(vm: PlannedVm, log: Iterable[Exchange]) -> tuple[_Span | None, list[_Span]]:
    """Return from when to when a VM was worked on, and the spans in which it was away."""
    prefix = vm.id.key
    mine = [each for each in log if each.path.lower().startswith(prefix)]
    mine = [each for each in mine if len(each.path) == len(prefix) or each.path[len(prefix)] == "/"]
    away: list[_Span] = []
    for each in mine:
        if each.path.lower().endswith("/deallocate"):
            away.append((each.at, _NEVER))
        elif each.path.lower().endswith("/start") and away:
            away[-1] = (away[-1][0], each.at)
    return ((mine[0].at, mine[-1].at) if mine else None), away


def _most_at_once(spans: Iterable[_Span]) -> int:
    """Return how many spans overlap at the worst moment; one that ends as another begins does not."""
    moments = sorted(moment for begin, end in spans for moment in ((begin, 1), (end, -1)))
    most = now = 0
    for _, change in sorted(moments, key=lambda entry: (entry[0], entry[1])):
        now += change
        most = max(most, now)
    return most


def _mounted(vm: dict[str, Any]) -> Iterator[str]:
    storage = vm["properties"].get("storageProfile") or {}
    for entry in (storage.get("osDisk") or {}, *(storage.get("dataDisks") or ())):
        disk = (entry.get("managedDisk") or {}).get("id")
        if disk:
            yield str(disk).lower()


def _source(snapshot: dict[str, Any]) -> str:
    return str(snapshot["properties"]["creationData"]["sourceResourceId"]).lower()


def _is(resource: dict[str, Any], kind: str) -> bool:
    return str(resource.get("type")).lower() == kind


def _by_id(resources: Resources) -> dict[str, dict[str, Any]]:
    return {resource["id"].lower(): resource for resource in resources}
