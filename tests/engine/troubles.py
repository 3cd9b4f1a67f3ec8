"""Every trouble at every write of a case, and what may have become of the VM when the run has ended."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from readiness.model.lifecycle import FINAL, SUCCEEDED, Phase
from readiness.model.run import UnitState
from readiness.model.steps import TakeSnapshot
from readiness.twin.core import Exchange
from tests.engine.cases import Case, resources_of, undisturbed
from tests.engine.rig import Rig, Truth, planned

TROUBLES: dict[str, dict[str, object]] = {
    "refused": {"kind": "fail", "status": 409, "code": "OperationNotAllowed"},
    "refused-for-good": {"kind": "fail", "status": 409, "code": "OperationNotAllowed", "times": 1000},
    "no-rights": {"kind": "denied"},
    "server-error": {"kind": "server-error", "times": 2},
    "internal-error": {"kind": "fail", "status": 500, "code": "InternalError", "times": 5},
    "reset": {"kind": "reset", "times": 2},
    "lost-answer": {"kind": "lost-answer"},
    "operation-fails": {"kind": "fail", "at": "end", "code": "InternalOperationError"},
    "operation-never-ends": {"kind": "stuck"},
    "no-headers": {"kind": "no-headers"},
    "throttled": {"kind": "throttle", "times": 3, "retry_after": 20},
    "changed": {"kind": "changed", "change": {"tags": {"somebody": "else"}}},
}
AT_START: dict[str, dict[str, object]] = {
    "no-capacity-for-a-while": {"kind": "capacity", "times": 3},
    "no-capacity": {"kind": "capacity", "times": 100_000},
    "no-capacity-in-the-end": {"kind": "capacity", "at": "end", "times": 2},
}
AT_BOOT: dict[str, dict[str, object]] = {
    "agent-silent": {"kind": "agent-silent"},
    "agent-silent-once": {"kind": "agent-silent", "boots": 2},
    "agent-silent-under-trusted-launch": {"kind": "agent-silent", "while_security_type": "TrustedLaunch"},
    "no-boot-under-secure-boot": {"kind": "boot-fails"},
}
_VERB = re.compile(r"(?i)/(deallocate|start|backup)$")
_LEASE = "readiness-lease"


class Trouble(NamedTuple):
    """A case, and what goes wrong in it."""

    case: Case
    name: str
    operation: str
    resource: str
    nth: int

    def __str__(self) -> str:
        """Return the trouble's name in a table."""
        place = f"{self.operation}#{self.nth}:{self.resource.rsplit('/', 1)[-1][:24]}"
        return f"{self.case.vm}-{self.case.stage}-{self.name}-{place}"

    @property
    def faults(self) -> list[dict[str, object]]:
        """The trouble as a twin takes it."""
        if self.name in AT_BOOT:
            return [{**AT_BOOT[self.name], "resource": self.resource}]
        known = TROUBLES | AT_START
        aim = {"operation": self.operation, "resource": self.resource, "nth": self.nth}
        return [{**known[self.name], **aim}]


def troubles_of(case: Case) -> Iterator[Trouble]:
    """Yield every trouble at every write of a case, and at the VM's boots."""
    seen: Counter[tuple[str, str]] = Counter()
    for exchange in undisturbed(case).log:
        operation, resource = operation_of(exchange)
        seen[operation, resource] += 1
        known = TROUBLES | (AT_START if operation == "virtualMachines/start" else {})
        for name in known:
            yield Trouble(case, name, operation, resource, seen[operation, resource])
    if ("virtualMachines/start", planned(case.vm).id.text.lower()) in {(a, b.lower()) for a, b in seen}:
        for name in AT_BOOT:
            yield Trouble(case, name, "boot", planned(case.vm).id.text, 1)


def operation_of(exchange: Exchange) -> tuple[str, str]:
    """Return how faults name the operation of a write, and the resource it is on."""
    verb = _VERB.search(exchange.path)
    resource = exchange.path[: verb.start()] if verb else exchange.path
    kinds = resource.rsplit("/providers/", 1)[1].split("/")[1::2]
    word = verb[1].lower() if verb else {"DELETE": "delete"}.get(exchange.method, "write")
    return f"{'/'.join(kinds)}/{word}", resource


def carried_out(trouble: Trouble) -> tuple[Rig, UnitState]:
    """Carry the case out with its trouble."""
    with TemporaryDirectory() as folder:
        case = trouble.case
        rig = case.rig(Path(folder), trouble.faults)
        unit = rig.process(stage=case.stage).units[0]
        rig.clock.sleep(3600)
        return rig, unit


def violations(trouble: Trouble, rig: Rig, unit: UnitState) -> list[str]:
    """Return a sentence for everything that may not be so, whatever went wrong."""
    now, quiet = resources_of(rig), undisturbed(trouble.case)
    vm = Truth(rig.twin.resources(), trouble.case.vm)
    before = quiet.before[trouble.case.vm]
    found = []
    if unit.phase not in FINAL and unit.phase is not Phase.UNDECIDED:
        found.append(f"it stands at {unit.phase}")
    if unit.phase not in SUCCEEDED and not unit.reason:
        found.append(f"nobody is told why it is {unit.phase}")
    if unit.phase is not Phase.STRANDED and vm.power != before:
        found.append(f"it was {before} and is {vm.power}")
    if unit.phase is Phase.STRANDED and vm.power != before and not _could_not_start(trouble):
        found.append(f"it is stranded {vm.power} although nothing kept it from starting")
    if unit.phase in SUCCEEDED and "Secure Boot is off" not in unit.note:
        left = [key for key in _others(now, quiet.after) if not _is_left_behind(trouble, key)]
        found += [f"{key} is not as after a quiet run" for key in left]
    if unit.phase in (Phase.DECLINED, Phase.BLOCKED, Phase.ROLLED_BACK):
        ours = _machine(now, trouble.case.vm)
        found += [
            f"{key} is not as before"
            for key, value in _machine(quiet.before, trouble.case.vm).items()
            if ours.get(key) != value
        ]
    most = Counter(vm.snapshots)
    outage = planned(trouble.case.vm).outage
    steps = [each.step for each in outage.steps] if outage else []
    allowed = Counter(step.disk.name for step in steps if isinstance(step, TakeSnapshot))
    found += [f"{most[name]} snapshots of {name}" for name in most if most[name] > allowed[name]]
    if _LEASE in (vm.vm.get("tags") or {}) and unit.phase in FINAL and not _keeps_lease(trouble):
        found.append("the lease is still on it")
    return found


_WRITE = "virtualMachines/write"


def _keeps_lease(trouble: Trouble) -> bool:
    """Tell whether the lease could not be taken off: nothing else is written during what never ends."""
    return trouble.operation == _WRITE or trouble.name == "operation-never-ends"


def _is_left_behind(trouble: Trouble, key: str) -> bool:
    """Tell whether a run command's resource stays because its own deletion was what went wrong."""
    return "/runcommands/" in key and trouble.operation.startswith("virtualMachines/runCommands/")


def _could_not_start(trouble: Trouble) -> bool:
    return trouble.operation in ("virtualMachines/start", "virtualMachines/deallocate", _WRITE)


def _others(now: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return sorted(key for key in now.keys() | after.keys() if now.get(key) != after.get(key))


def _machine(resources: dict[str, Any], name: str) -> dict[str, Any]:
    """Return what a way back restores of a VM: its security profile, and the keys of its disks."""
    vm = next(
        value
        for value in resources.values()
        if isinstance(value, dict)
        and value.get("name") == name
        and str(value["type"]).lower().endswith("/virtualmachines")
    )
    storage = vm["properties"]["storageProfile"]
    disks = [storage["osDisk"], *storage.get("dataDisks", ())]
    ids = [str(disk["managedDisk"]["id"]).lower() for disk in disks]
    keys = {
        f"the key of disk {n}": resources[key]["properties"].get("encryption") for n, key in enumerate(ids)
    }
    profile = vm["properties"].get("securityProfile") or {}
    kept = {key: value for key, value in profile.items() if value not in (None, False, "Standard", {})}
    return {"its security profile": kept, **keys}
