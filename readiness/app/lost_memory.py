"""What stands against beginning a run anew: its own lease on VMs, of which only a lost journal knows.

Begun anew, such a run would find them changed, decline them, and leave off what it had taken down itself.
Reads only. What cannot be read here is left to the run's own checks.
"""

from concurrent.futures import ThreadPoolExecutor

from readiness.app.next_steps import Words, recovering
from readiness.azure.connect import Connection
from readiness.azure.group_lease import group_tags
from readiness.azure.marks import lease_of, tags_of
from readiness.azure.plain import vm_body
from readiness.errors import CloudError, JournalError
from readiness.model.plan import PlannedVm, Wave
from readiness.model.run import RunInfo
from readiness.model.steps import SetSecurityRule

_AT_ONCE = 8
_SHOWN = 5


def insist_on_memory(connection: Connection, wave: Wave, info: RunInfo, words: Words) -> None:
    """Refuse to begin a run anew that was begun before.

    Args:
        connection: To where the run is carried out.
        wave: What it carries out.
        info: The run as it would be begun.
        words: Its plan, place and state folder, in the words of commands.

    Raises:
        JournalError: Something bears its lease.
    """
    with ThreadPoolExecutor(_AT_ONCE) as executor:
        marked = executor.map(lambda vm: _bears_lease_of(info.id, connection, vm), wave.vms)
        names = [vm.name for vm, is_marked in zip(wave.vms, marked, strict=True) if is_marked]
    if not names:
        return
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    raise JournalError(
        f"{info.id} was begun before, and its journal is not here.",
        details=f"Its lease is on {', '.join(names[:_SHOWN])}{more}: that may be off, or half changed.",
        remedy="Where another process carries it out, leave it to that. Where its machine or state folder is "
        f"gone, rebuild the journal first: {recovering(info, words)}",
    )


def _bears_lease_of(run: str, connection: Connection, vm: PlannedVm) -> bool:
    if vm.is_shared and not any(isinstance(planned.step, SetSecurityRule) for planned in vm.closure):
        return False  # a just-in-time policy bears no mark
    try:
        tags = group_tags(connection, vm.id) if vm.is_shared else tags_of(vm_body(connection, vm.id))
    except CloudError:
        return False
    lease = lease_of(tags or {})
    return lease is not None and lease.run == run
