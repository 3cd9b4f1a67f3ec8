"""Which waiting VMs may start now: windows, limits of concurrency, redundant peers, and room in Azure. Pure.

A VM that may not start now is waited for, or its run is held, as `Answer` says. Stopping means to stop
starting: nothing here ever touches a VM that has begun.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct

from readiness.engine.advance import Position
from readiness.engine.peers import GroupAsFound
from readiness.model.execution import Execution
from readiness.model.ids import ResourceId
from readiness.model.lifecycle import UNAVAILABLE, Phase, Stage
from readiness.model.plan import ApartGroup, PlannedVm

_RESTED = timedelta(minutes=30)
"""After a refusal for lack of room nothing more of that size is started for so long."""


class Decision(StrEnum):
    """What becomes of a VM that wants to start."""

    START = "start"
    WAIT = "wait"
    """Something has to end first."""
    HOLD = "hold"
    """Nothing in this run will change it."""


class Answer(Struct, frozen=True):
    """A decision and why."""

    decision: Decision
    why: str = ""
    until: datetime | None = None
    """When it may be asked again, where time alone changes it."""


_START = Answer(Decision.START)


class Gate:
    """Decides for the VMs of one wave; told about room in Azure, it remembers."""

    def __init__(
        self,
        vms: Sequence[PlannedVm],
        execution: Execution,
        stage: Stage,
        apart: Iterable[ApartGroup] = (),
        not_before: Mapping[ResourceId, datetime] | None = None,
    ) -> None:
        self._vms = {vm.id: vm for vm in vms}
        self._groups = {vm.id: _groups(vm) for vm in vms}
        self._execution = execution
        self._stage = stage
        self._not_before = not_before or {}
        self._apart: dict[ResourceId, list[ApartGroup]] = defaultdict(list)
        for group in apart:
            for member in group.members:
                self._apart[member].append(group)
        self._full: dict[tuple[str, ...], datetime] = {}

    def refused_for_room(self, vm: PlannedVm, size: str, now: datetime) -> None:
        """Take note that Azure had no room for a size where a VM stands: in its zone, or in its region."""
        self._full[_room(vm, size)] = now + _RESTED

    def found_room(self, vm: PlannedVm, size: str) -> None:
        """Take note that Azure had room again."""
        self._full.pop(_room(vm, size), None)

    def ask(
        self,
        vm: PlannedVm,
        under_way: Collection[ResourceId],
        positions: Mapping[ResourceId, Position],
        now: datetime,
    ) -> Answer:
        """Decide whether a waiting VM may start now, beside those that are under way."""
        for answer in (
            self._window(vm, now),
            self._room_left(vm, now),
            self._concurrency(vm, under_way),
            self._peers(vm, under_way, positions),
        ):
            if answer.decision is not Decision.START:
                return answer
        return _START

    def ask_back(
        self,
        vm: PlannedVm,
        under_way: Collection[ResourceId],
        positions: Mapping[ResourceId, Position],
        *,
        serves: bool = True,
    ) -> Answer:
        """Decide whether a VM may be taken back now: its window does not matter, and peers if it serves."""
        busy = self._concurrency(vm, under_way)
        if busy.decision is not Decision.START or not serves:
            return busy
        return self._peers(vm, under_way, positions)

    def _window(self, vm: PlannedVm, now: datetime) -> Answer:
        soaked = self._not_before.get(vm.id)
        if soaked is not None and now < soaked:
            why = f"{vm.name} is left alone until {soaked:%Y-%m-%d %H:%M} UTC, when its soak is over"
            return Answer(Decision.HOLD, why, soaked)
        if self._stage is not Stage.OUTAGE or vm.outage is None:
            return _START
        occurrence = vm.occurrence
        if now < occurrence.opens:
            why = f"the window {occurrence.window} opens at {occurrence.opens:%Y-%m-%d %H:%M} UTC"
            return Answer(Decision.HOLD, why, occurrence.opens)
        latest = occurrence.closes - timedelta(seconds=vm.reserved_seconds)
        if now > latest:
            why = (
                f"the window {occurrence.window} had to be entered by {latest:%Y-%m-%d %H:%M} UTC: "
                "what is left of it does not hold the change and the way back"
            )
            return Answer(Decision.HOLD, why)
        return _START

    def _room_left(self, vm: PlannedVm, now: datetime) -> Answer:
        until = self._full.get(_room(vm, vm.size))
        if until is None or now >= until or vm.outage is None:
            return _START
        where = f"zone {vm.zone} of {vm.region}" if vm.zone else vm.region
        return Answer(Decision.WAIT, f"Azure had no room for {vm.size} in {where}", until)

    def _concurrency(self, vm: PlannedVm, under_way: Collection[ResourceId]) -> Answer:
        limits = self._execution
        if len(under_way) >= limits.max_concurrency:
            return Answer(Decision.WAIT, f"{limits.max_concurrency} VMs are under way")
        own = self._groups[vm.id]
        for number, limit, what in (
            (0, limits.max_per_subscription, "of its subscription"),
            (1, limits.max_per_region, "of its region"),
            (2, limits.max_per_application, "of its application"),
        ):
            if limit is None:
                continue
            if sum(self._groups[one][number] == own[number] for one in under_way) >= limit:
                return Answer(Decision.WAIT, f"{limit} VMs {what} are under way")
        return _START

    def _peers(
        self, vm: PlannedVm, under_way: Collection[ResourceId], positions: Mapping[ResourceId, Position]
    ) -> Answer:
        if vm.outage is None or self._stage is not Stage.OUTAGE:
            return _START
        for group in self._apart.get(vm.id, ()):
            down = [
                one
                for one in group.members
                if one != vm.id and one in positions and _is_down(positions[one], one in under_way)
            ]
            outside = group.down if isinstance(group, GroupAsFound) else ()
            if len(down) + len(outside) >= group.max_unavailable:
                names = ", ".join((*outside, *(self._vms[one].name for one in down)))
                lasting = all(positions[one].phase is Phase.STRANDED for one in down)
                why = f"{names} of {group.evidence} is down, and no more than {group.max_unavailable} may be"
                return Answer(Decision.HOLD if lasting else Decision.WAIT, why)
        return _START


def _is_down(position: Position, is_under_way: bool) -> bool:  # noqa: FBT001  whether it was let through
    early = position.phase in (Phase.CHECKING, Phase.READYING)
    just_started = is_under_way and position.phase is Phase.WAITING
    return position.phase in UNAVAILABLE or position.end is Phase.STRANDED or early or just_started


def _room(vm: PlannedVm, size: str) -> tuple[str, ...]:
    """Return what a refusal for want of room speaks of.

    Each zone has room of its own, and a number of a zone means another one in another subscription. A VM
    that is in no zone is put anywhere in its region: a refusal of it says nothing of any zone.
    """
    return vm.id.subscription, vm.region.lower(), vm.zone or "", size.lower()


def _groups(vm: PlannedVm) -> tuple[str, str, str]:
    """Return what a VM counts for beside the whole: its subscription, region and application."""
    return vm.id.subscription.lower(), vm.region.lower(), vm.application
