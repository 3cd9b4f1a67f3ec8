"""By hand: a VM's power, its model, its identities, and the tag that keeps others away."""

from datetime import UTC
from typing import Any

from readiness.model.ids import ResourceId
from readiness.model.steps import (
    AssignIdentity,
    Deallocate,
    MarkGroup,
    PatchVm,
    PutBackOff,
    ReleaseLease,
    RemoveIdentity,
    Resize,
    Start,
    TakeLease,
    UnmarkGroup,
    words_for,
)
from reports.az import COMPUTE_API, Check, Instruction, Shell, az, fetched, ids, readable, rest
from reports.subject import Subject

LEASE = "readiness-lease"
"""The tag by which a run of the program knows that a VM is not free."""
_POWER = "instanceView.statuses[?starts_with(code, 'PowerState/')].code"
_SYSTEM = "[system]"
_LEASE_TAG = f'tags."{LEASE}"'


def powered(step: Deallocate | Start, subject: Subject) -> Instruction:
    """Stop it and give its host back, or start it; where Azure has no room, as a size that was approved."""
    command, state = ("start", "running") if isinstance(step, Start) else ("deallocate", "deallocated")
    show = az("vm get-instance-view", ids=step.vm, query=_POWER, output="tsv")
    return Instruction(
        does=words_for(step),
        note=_power_note(step, subject),
        commands=(az(f"vm {command}", ids=step.vm),),
        checks=(Check(command=show, sees=f"PowerState/{state}"),),
    )


def _power_note(step: Deallocate | Start, subject: Subject) -> str:
    """Return what is done where Azure refuses a start for want of room, and what is not always done."""
    if isinstance(step, PutBackOff):
        return "Only where it was found deallocated."
    if isinstance(step, Deallocate):
        return ""
    again = "If Azure has no room (AllocationFailed), start it again every minute until the window closes."
    others = [
        f"then as {size}: {az('vm resize', ids=step.vm, size=size)} and, once that has ended, "
        f"{az('vm start', ids=step.vm)}"
        for size in subject.vm.choice.sizes
    ]
    last = "If it is refused even so, tell its owner at once: it must not stay off."
    return "\n".join([again, *others, last])


def resized(step: Resize) -> Instruction:
    """Give it another size while it is deallocated."""
    show = az("vm show", ids=step.vm, query="hardwareProfile.vmSize", output="tsv")
    return Instruction(
        does=words_for(step),
        commands=(az("vm resize", ids=step.vm, size=step.size),),
        checks=(Check(command=show, sees=step.size),),
    )


def patched(step: PatchVm) -> Instruction:
    """Send the one write of the outage, and wait for its end."""
    return Instruction(
        does=words_for(step),
        note="The request returns at once; the second command waits for its end.",
        commands=(
            rest("patch", step.vm, COMPUTE_API, {"properties": step.properties}),
            az("vm wait", ids=step.vm, updated=(), interval="5", timeout="1800"),
        ),
        checks=(shown(step.vm, step.properties),),
    )


def shown(vm: ResourceId, properties: dict[str, Any]) -> Check:
    """Return the check that Azure shows properties of a VM."""
    query = "{" + ", ".join(f"{name}: {name}" for name in sorted(properties)) + "}"
    sees = (
        f"every value of this, among others (null, false and Standard may be absent):\n{readable(properties)}"
    )
    return Check(command=az("vm show", ids=vm, query=query), sees=sees)


def identified(step: AssignIdentity | RemoveIdentity) -> Instruction:
    """Add identities to those it has, or take some away and keep the others."""
    named: tuple[str, ...] = ((_SYSTEM,) if step.system else ()) + ids(step.user_assigned)
    verb, there = ("assign", "") if isinstance(step, AssignIdentity) else ("remove", "not ")
    note = ""
    if isinstance(step, AssignIdentity) and not step.accept_new_default:
        note = (
            "Not where the VM has exactly one user-assigned identity and no other: programs that name none "
            "would lose it as their default. Then its owner answers first."
        )
    own = ["a principalId of its own"] if step.system else []
    sees = f"{there}there: {', '.join([*own, *(one.text for one in step.user_assigned)])}"
    return Instruction(
        does=words_for(step),
        note=note,
        commands=(az(f"vm identity {verb}", ids=step.vm, identities=named),),
        checks=(Check(command=az("vm identity show", ids=step.vm), sees=sees),),
    )


def leased(step: TakeLease | ReleaseLease, subject: Subject) -> Instruction:
    """Mark the VM or shared group as being worked on by hand, or take the mark away."""
    shown = "network nsg show" if isinstance(step, MarkGroup | UnmarkGroup) else "vm show"
    show = az(shown, ids=step.vm, query=_LEASE_TAG, output="tsv")
    if isinstance(step, ReleaseLease):
        # A tag goes only together with the value that it has.
        tag = Shell(f'"{LEASE}=$LEASE"')
        return Instruction(
            does=words_for(step),
            note=f"Only if it begins with by-hand-{subject.plan}: anybody else's stays.",
            commands=(
                fetched("LEASE", shown, ids=step.vm, query=_LEASE_TAG),
                az("tag update", resource_id=step.vm, operation="delete", tags=tag),
            ),
            checks=(Check(command=show, sees="nothing"),),
        )
    until = step.until.astimezone(UTC).isoformat(timespec="seconds")
    mark = f"{LEASE}=by-hand-{subject.plan} manual {until}"
    return Instruction(
        does=words_for(step),
        note="A run of the program that comes back keeps away from the VM until then. If the tag is there "
        "already and its end has not passed, somebody else is at work: stop.",
        commands=(az("tag update", resource_id=step.vm, operation="merge", tags=mark),),
        checks=(Check(command=show, sees=mark.partition("=")[2]),),
    )
