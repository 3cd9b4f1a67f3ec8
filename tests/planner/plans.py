"""Builds small estates for the planner: machines, applications, windows, and the plan made of them."""

from collections.abc import Iterable, Iterator
from datetime import date, time, timedelta
from typing import Any

from playbooks.catalog import ALL_PLAYBOOKS
from readiness.model.context import (
    Application,
    Choice,
    Context,
    Dependency,
    IdentityChoice,
    MaintenanceWindow,
    Match,
    Owner,
    TargetEntry,
    TrustedLaunchChoice,
)
from readiness.model.disk import Disk
from readiness.model.estate import Estate
from readiness.model.ids import ResourceId
from readiness.model.plan import LeftOut, Plan, PlannedVm
from readiness.model.policy import Policy
from readiness.model.virtual_machine import DiskAttachment, VirtualMachine
from readiness.planner.build import Request, build_plan
from readiness.rules.evaluate import evaluate
from tests.builders import ENCRYPTION_SET, disk, estate, rid, vm, vm_id

AS_OF = date(2026, 11, 20)
"""A Friday: Saturday is the first day of the calendar."""

WITHOUT_PILOTS = Policy(pilot=None)
"""Pilots would take the few VMs of a small estate apart."""

EVERYTHING = Choice(
    trusted_launch=TrustedLaunchChoice(),
    disk_encryption_set=ENCRYPTION_SET,
    encryption_at_host=True,
    identity=IdentityChoice(),
)


def window(name: str = "saturday", hours: float = 6, **changes: Any) -> MaintenanceWindow:
    """Return a window on Saturdays at 22:00 in Berlin."""
    facts: dict[str, Any] = {"rrule": "FREQ=WEEKLY;BYDAY=SA", "start": time(22), "timezone": "Europe/Berlin"}
    return MaintenanceWindow(name=name, duration=timedelta(hours=hours), **{**facts, **changes})


def application(name: str, *vms: str, **changes: Any) -> Application:
    """Return a production application of these VMs, with the default window."""
    facts: dict[str, Any] = {"windows": ("saturday",), **changes}
    return Application(name=name, owner=Owner(name=f"{name} owner"), match=Match(names=vms), **facts)


def needs(source: str, target: str, *, hard: bool = False) -> Dependency:
    """Return a dependency between two VMs by name."""
    return Dependency(source=vm_id(source), target=vm_id(target), hard=hard)


def disk_id(name: str) -> ResourceId:
    """Return the id of a managed disk."""
    return rid("Microsoft.Compute/disks", name)


def machine(name: str, *, data_disks: int = 0, **changes: Any) -> VirtualMachine:
    """Return a VM that can take every upgrade, with disks of its own."""
    data = tuple(DiskAttachment(disk=disk_id(f"{name}-data{lun}"), lun=lun) for lun in range(data_disks))
    facts: dict[str, Any] = {"os_disk": DiskAttachment(disk=disk_id(f"{name}-os")), "data_disks": data}
    return vm(name=name, **{**facts, **changes})


def disks_of(vms: Iterable[VirtualMachine]) -> list[Disk]:
    """Return the disks of VMs, each under a platform key."""
    return [disk(id=entry, unique_id=entry.key) for one in vms for entry in one.managed_disks]


def context(*applications: Application, choice: Choice = EVERYTHING, **changes: Any) -> Context:
    """Return a context that chooses the same for every VM, with the default window."""
    facts: dict[str, Any] = {"windows": (window(),), **changes}
    return Context(applications=applications, targets=(TargetEntry(match=Match(), choice=choice),), **facts)


def build(made: Estate, policy: Policy | None = None, as_of: date = AS_OF) -> Plan:
    """Assess an estate and plan it."""
    assessment = evaluate(made, as_of=as_of, release="test")
    return build_plan(
        Request(estate=made, assessment=assessment, playbooks=ALL_PLAYBOOKS, policy=policy or WITHOUT_PILOTS)
    )


def plan(
    *vms: VirtualMachine,
    given: Context | None = None,
    policy: Policy | None = None,
    as_of: date = AS_OF,
    **facts: Any,
) -> Plan:
    """Plan these VMs, all of one application unless a context says otherwise."""
    given = given or context(application("shop", *(one.name for one in vms)))
    facts = {"disks": disks_of(vms), **facts}
    return build(estate(*vms, context=given, **facts), policy, as_of)


def only_left_out(made: Plan) -> LeftOut:
    """Return the one VM that is left out of a plan."""
    assert 1 == len(made.left_out)
    return made.left_out[0]


def only_planned(made: Plan) -> PlannedVm:
    """Return the one VM that is planned."""
    assert 1 == len(list(places(made)))
    return made.waves[0].vms[0]


def places(made: Plan) -> Iterator[tuple[int, int, PlannedVm]]:
    """Yield wave, batch and VM of everything that is planned."""
    for wave in made.waves:
        for batch in wave.batches:
            for entry in batch.vms:
                yield wave.number, batch.number, entry


def names(made: Plan) -> list[list[list[str]]]:
    """Return the names of the planned VMs by wave and batch."""
    return [[[entry.name for entry in batch.vms] for batch in wave.batches] for wave in made.waves]
