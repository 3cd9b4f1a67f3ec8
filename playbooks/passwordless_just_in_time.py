"""Just-in-time access: ports that are closed to everybody, and open for a while to whoever asks and may.

Source, Microsoft Learn: "Understanding just-in-time VM access"
(https://learn.microsoft.com/azure/defender-for-cloud/just-in-time-access-overview). Several VMs hang on one
policy, so that it is written once for all of them. Rules from before a policy stand in front of its own: that
is why each VM is asked afterwards whether the internet still reaches it.
"""

from collections.abc import Iterable, Iterator

from readiness.model.playbook import JustInTimeTarget
from readiness.model.steps import (
    Change,
    ProveOnRequest,
    RemoveJustInTime,
    RequestedAccess,
    SetJustInTime,
    Step,
)


def opened_on_request(target: JustInTimeTarget) -> tuple[Change, ...]:
    """Return what puts VMs into a policy, and its proof at each."""
    machines = tuple(RequestedAccess(vm=vm, ports=ports) for vm, ports in sorted(target.ports.items()))
    if not machines:
        return ()
    proofs = (ProveOnRequest(vm=access.vm, ports=access.ports) for access in machines)
    return (SetJustInTime(vm=target.policy, machines=machines, creates=target.creates), *proofs)


def taken_out(begun: Iterable[Step]) -> Iterator[RemoveJustInTime]:
    """Yield what takes VMs out of their policies again; whoever else is in one stays."""
    for step in begun:
        if isinstance(step, SetJustInTime):
            yield RemoveJustInTime(vm=step.vm, machines=step.machines, creates=step.creates)
