"""What comes between a VM and its window: auto-shutdowns, update schedules and scaling plans.

Each clash is named on the VM with date and time, and counted on its wave. A timetable that cannot be
understood clashes with every window, and says why: somebody has to look. Nothing is moved because of a clash;
people suspend the schedule, or plan the VM for another day.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from readiness.model.estate import Estate
from readiness.model.ids import ResourceId
from readiness.model.monitoring import VmLink
from readiness.model.plan import Batch, PlannedVm, Wave
from readiness.model.schedules import AutoShutdown, ScalingPlan, ScopeFilter, SessionHost, UpdateSchedule
from readiness.model.virtual_machine import VirtualMachine
from readiness.planner.timetables import Span, TimetableError, shutdowns, updates
from readiness.planner.windows import ANY_TIME

AUTO_SHUTDOWN, UPDATES, SCALING = "auto-shutdown", "update-schedule", "scaling-plan"
_VM = "microsoft.compute/virtualmachines"
_ASSIGNMENT = "microsoft.maintenance/configurationassignments"


class Clash(Struct, frozen=True, kw_only=True):
    """A schedule that comes while a VM is to be changed."""

    kind: str
    source: ResourceId
    """The schedule: what people suspend."""
    text: str


def name_conflicts(waves: Sequence[Wave], estate: Estate) -> tuple[Wave, ...]:
    """Return the waves with the clashes of every VM named among its conflicts, and counted on its wave."""
    schedules = _schedules_of(estate)
    if schedules.is_empty:
        return tuple(waves)
    return tuple(_named(wave, estate) for wave in waves)


def clashes(planned: PlannedVm, estate: Estate) -> tuple[Clash, ...]:
    """Return which schedules come while a planned VM may be worked on."""
    vm = estate.vm(planned.id)
    schedules = _schedules_of(estate)
    if vm is None or schedules.is_empty:
        return ()
    zone = planned.occurrence.timezone
    return tuple(schedules.clashes(vm, _time_of(planned), zone))


def _named(wave: Wave, estate: Estate) -> Wave:
    count = 0
    batches: list[Batch] = []
    for batch in wave.batches:
        vms = []
        for vm in batch.vms:
            found = tuple(clash.text for clash in clashes(vm, estate))
            count += bool(found)
            vms.append(replace(vm, conflicts=(*vm.conflicts, *found)) if found else vm)
        batches.append(replace(batch, vms=tuple(vms)))
    if not count:
        return wave
    told = f"{count} of its VMs have schedules of their own within their windows: see their conflicts."
    return replace(wave, batches=tuple(batches), reasons=(*wave.reasons, told))


def _time_of(planned: PlannedVm) -> Span:
    """Return when the VM may be worked on: its window, or its own time in a plan that keeps no windows."""
    occurrence = planned.occurrence
    if occurrence.window != ANY_TIME:
        return Span(occurrence.opens, occurrence.closes)
    begins = planned.start or occurrence.opens
    return Span(begins, begins + timedelta(seconds=planned.reserved_seconds))


class _Schedules:
    """Every schedule of an estate by the VMs it is for. Treated as frozen."""

    def __init__(self, estate: Estate) -> None:
        self._zones = estate.reference.time_zones
        posture = estate.posture
        self._updates = {entry.id: entry for entry in posture.all(UpdateSchedule)}
        self._shutdowns: dict[ResourceId, list[AutoShutdown]] = {}
        for shutdown in sorted(posture.all(AutoShutdown), key=lambda entry: entry.id):
            self._shutdowns.setdefault(shutdown.vm, []).append(shutdown)
        self._assigned: dict[ResourceId, list[ResourceId]] = {}
        self._scopes: list[tuple[VmLink, ResourceId]] = []
        for link in sorted(posture.all(VmLink), key=lambda entry: entry.id):
            if link.id.type != _ASSIGNMENT or link.target is None:
                continue
            if link.vm.type == _VM:
                self._assigned.setdefault(link.vm, []).append(link.target)
            else:
                self._scopes.append((link, link.target))
        self._pools = {entry.vm: entry.id.parent for entry in posture.all(SessionHost)}
        self._plans = sorted(posture.all(ScalingPlan), key=lambda entry: entry.id)
        self._spans: dict[tuple[ResourceId, Span], tuple[Span, ...]] = {}

    @cached_property
    def is_empty(self) -> bool:
        """Whether nothing comes between any VM and its window."""
        return not (self._shutdowns or self._assigned or self._scopes or (self._pools and self._plans))

    def clashes(self, vm: VirtualMachine, within: Span, zone: str) -> Iterator[Clash]:
        """Yield what comes to the VM within a span; times are told in the zone of its window."""
        for shutdown in self._shutdowns.get(vm.id, ()):
            words = f"auto-shutdown {shutdown.id.name} switches it off"
            try:
                found = shutdowns(shutdown, within, self._zones)
            except TimetableError as error:
                text = f"auto-shutdown {shutdown.id.name} may come within its window: {error}; look there"
                yield Clash(kind=AUTO_SHUTDOWN, source=shutdown.id, text=text)
                continue
            if found:
                text = f"{words} {_when(found, zone)}, within its window"
                yield Clash(kind=AUTO_SHUTDOWN, source=shutdown.id, text=text)
        for target in self._targets(vm):
            yield from self._update(target, within, zone)
        pool = self._pools.get(vm.id)
        for plan in self._plans:
            is_left_alone = plan.exclusion_tag is not None and vm.tag(plan.exclusion_tag) is not None
            if pool in plan.pools and not is_left_alone:
                day = _local(within.begins, zone)
                text = f"scaling plan {plan.id.name} starts and stops it as it likes, on {day} too"
                yield Clash(kind=SCALING, source=plan.id, text=text)

    def _update(self, target: ResourceId, within: Span, zone: str) -> Iterator[Clash]:
        try:
            found = self._updates_within(target, within)
        except TimetableError as error:
            text = f"update schedule {target.name} may come within its window: {error}; look there"
            yield Clash(kind=UPDATES, source=target, text=text)
            return
        if found:
            text = f"update schedule {target.name} updates and may restart it {_when(found, zone)}, "
            yield Clash(kind=UPDATES, source=target, text=f"{text}within its window")

    def _updates_within(self, target: ResourceId, within: Span) -> tuple[Span, ...]:
        schedule = self._updates.get(target)
        if schedule is None:
            raise TimetableError("it was not read")
        if (target, within) not in self._spans:  # a schedule has many VMs, and a window too
            self._spans[target, within] = updates(schedule, within, self._zones)
        return self._spans[target, within]

    def _targets(self, vm: VirtualMachine) -> tuple[ResourceId, ...]:
        scoped = (
            target
            for link, target in self._scopes
            if vm.id.is_within(link.vm) and (link.filter is None or _passes(link.filter, vm))
        )
        return tuple(dict.fromkeys((*self._assigned.get(vm.id, ()), *scoped)))


def _schedules_of(estate: Estate) -> _Schedules:
    return estate.remembered(("schedules of VMs",), lambda: _Schedules(estate))


def _passes(narrowed: ScopeFilter, vm: VirtualMachine) -> bool:
    """Tell whether a filter lets the VM pass; a VM of unknown system passes every system."""
    tagged = [vm.tag(name) in values for name, values in narrowed.tags.items()]
    return (
        _holds(narrowed.resource_types, vm.id.type)
        and _holds(narrowed.resource_groups, vm.id.resource_group)
        and _holds(narrowed.locations, vm.location)
        and (vm.os_family is None or _holds(narrowed.systems, vm.os_family))
        and (not tagged or (any(tagged) if narrowed.any_tag else all(tagged)))
    )


def _holds(wanted: tuple[str, ...], value: str) -> bool:
    return not wanted or value.lower() in wanted


def _when(found: Sequence[Span], zone: str) -> str:
    """Return the first time in words, and how many follow."""
    first = found[0]
    until = "" if first.begins == first.ends else f" to {_local(first.ends, zone)}"
    more = f" and {len(found) - 1} times more" if len(found) > 1 else ""
    return f"on {_local(first.begins, zone)}{until} ({zone}){more}"


def _local(at: datetime, zone: str) -> str:
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"
