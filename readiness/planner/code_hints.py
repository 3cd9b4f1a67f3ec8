"""Hints for infrastructure code in the plan: what code has to follow, said once for all VMs it is alike for.

Only a VM of which somebody declared code, or whose tags speak of it, is hinted at: of others nobody knows.
The report on code says it in full, and for every VM of a plan.
"""

from collections.abc import Hashable, Iterator, Sequence

from msgspec.structs import replace

from readiness.model.codec import encode
from readiness.model.iac import hint_for
from readiness.model.iac_around import changed_of
from readiness.model.plan import PlannedVm, Wave
from readiness.model.steps import AssignIdentity, PatchVm, SetDiskEncryption, SetSecurityRule, TakeSnapshot


def hint_at_code(waves: Sequence[Wave]) -> tuple[tuple[Wave, ...], tuple[str, ...]]:
    """Return the waves with the number of each VM's hint, and the hints."""
    hints = _Hints()
    if not any(vm.iac for wave in waves for vm in wave.vms):
        return tuple(waves), ()
    told = tuple(
        replace(
            wave,
            batches=tuple(
                replace(batch, vms=tuple(replace(vm, iac_hint=hints.number_for(vm)) for vm in batch.vms))
                for batch in wave.batches
            ),
        )
        for wave in waves
    )
    return told, tuple(hints.numbers)


class _Hints:
    """Sentences by number, from 1, and which VMs get the same."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self._known: dict[Hashable, int] = {}

    def number_for(self, vm: PlannedVm) -> int:
        """Return the number of a VM's hint; 0 where no sign of code is known, or it has nothing to follow."""
        if not vm.iac:
            return 0
        kind = tuple(_kind_of(vm))
        if kind not in self._known:
            hint = hint_for(vm)
            self._known[kind] = self.numbers.setdefault(hint, len(self.numbers) + 1) if hint else 0
        return self._known[kind]


def _kind_of(vm: PlannedVm) -> Iterator[Hashable]:
    """Yield all that a hint depends on: what is done, without the names of what it is done to."""
    yield vm.iac.partition(" ")[0]
    os_disk = None
    for planned in (*vm.preparation, *(vm.outage.steps if vm.outage else ()), *vm.closure):
        step = planned.step
        yield step.__struct_config__.tag
        match step:
            case PatchVm():
                yield encode(step.properties)
            case AssignIdentity():
                yield step.system, bool(step.user_assigned)
            case TakeSnapshot():
                os_disk = os_disk or step.disk
                yield step.moment
            case SetDiskEncryption():
                yield step.encryption.uses_customer_key, step.disk == os_disk
            case SetSecurityRule():
                yield step.earlier is None or tuple(changed_of(step.properties, step.earlier))
            case _:
                pass
