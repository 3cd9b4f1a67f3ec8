"""What the commands for one VM rest on: the plan, the VM as it was planned on, and names of our own."""

import hashlib

from msgspec import Struct

from readiness.model.ids import ResourceId
from readiness.model.observation import Observation
from readiness.model.plan import PlannedVm
from readiness.model.steps import Step, SwapOsDisk, TakeSnapshot

_LONGEST_NAME = 80


class Subject(Struct, frozen=True, kw_only=True):
    """One VM of a runbook."""

    plan: str
    """The digest that people read out."""
    vm: PlannedVm
    seen: Observation
    """The VM and its disks as they were planned on."""
    slug: str
    """Its name in names of files."""
    prepared: tuple[Step, ...] = ()
    """What its preparation brings."""
    wanted: tuple[Step, ...] = ()
    """What its outage brings."""

    @property
    def location(self) -> str:
        """Where it lies, and so everything that is made for it."""
        return self.seen.vm.location

    def named(self, name: str, tail: str) -> str:
        """Return a name for something made by hand: `<name>-<tail>-<plan>`, cut to fit."""
        whole = f"{name}-{tail}-{self.plan}"
        if len(whole) <= _LONGEST_NAME:
            return whole
        end = f"-{hashlib.sha256(name.encode()).hexdigest()[:8]}-{tail}-{self.plan}"
        return name[: _LONGEST_NAME - len(end)] + end

    def snapshot(self, step: TakeSnapshot | SwapOsDisk) -> ResourceId:
        """Return the snapshot by hand of a disk, beside it."""
        tail = f"manual-{step.moment}" if step.moment else "manual"
        name = self.named(f"{step.vm.name}-{step.disk.name}", tail)
        return step.disk.sibling("Microsoft.Compute/snapshots", name)
