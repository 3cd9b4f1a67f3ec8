"""A step value as what a person does by hand: exact commands of the Azure CLI, and how they are proven.

Guarantees: there is no step without an answer, since the type checker insists on every kind; every value is
taken from the step that the engine would carry out, and from the state that was planned on.
Does not: run anything, or judge what the commands show. That is the operator's part.
"""

from typing import assert_never

from readiness.model.steps import (
    AskGuest,
    AssignIdentity,
    AssignRole,
    BackUp,
    ChangeBackupPolicy,
    Deallocate,
    DropTrial,
    HandOver,
    InstallExtension,
    PatchVm,
    Preflight,
    ProveBackup,
    ProveClosed,
    ProveHealth,
    ProveJustInTime,
    ProveModel,
    ProvePrepared,
    ProveRestored,
    ProveRules,
    ProveTime,
    Recheck,
    RecordBefore,
    ReleaseLease,
    RemoveExtension,
    RemoveIdentity,
    RemoveJustInTime,
    RemoveRole,
    RemoveSecurityRule,
    Resize,
    RunHook,
    RunHookAfter,
    RunInGuest,
    SetDiskEncryption,
    SetJustInTime,
    SetSecurityRule,
    Start,
    Step,
    SwapOsDisk,
    TakeLease,
    TakeSnapshot,
    TryEncryption,
)
from reports import (
    commands_access,
    commands_disks,
    commands_guest,
    commands_just_in_time,
    commands_looks,
    commands_machine,
)
from reports import commands_protection as protection
from reports.az import Instruction
from reports.subject import Subject


def instruction_for(step: Step, subject: Subject) -> Instruction:  # noqa: C901, PLR0911, PLR0912  one kind a line
    """Return how a person carries a step out.

    Raises:
        ValueError: A value of it cannot be handed to the Azure CLI as plain text.
    """
    match step:
        case Recheck() | RecordBefore() | ProvePrepared() | ProveHealth() | ProveModel() | ProveRestored():
            return commands_looks.looked(step, subject)
        case ProveTime():
            return commands_looks.timed(step)
        case HandOver():
            return commands_looks.handed_over(step)
        case Deallocate() | Start():
            return commands_machine.powered(step, subject)
        case Resize():
            return commands_machine.resized(step)
        case PatchVm():
            return commands_machine.patched(step)
        case AssignIdentity() | RemoveIdentity():
            return commands_machine.identified(step)
        case TakeLease() | ReleaseLease():
            return commands_machine.leased(step, subject)
        case TakeSnapshot():
            return commands_disks.snapped(step, subject)
        case SetDiskEncryption():
            return commands_disks.encrypted(step)
        case TryEncryption() | DropTrial():
            return commands_disks.tried(step, subject)
        case SwapOsDisk():
            return commands_disks.swapped(step, subject)
        case InstallExtension() | RemoveExtension():
            return commands_guest.extended(step)
        case RunInGuest() | AskGuest():
            return commands_guest.scripted(step, subject)
        case AssignRole() | RemoveRole():
            return commands_access.entitled(step)
        case SetSecurityRule() | RemoveSecurityRule():
            return commands_access.ruled(step)
        case ProveRules():
            return commands_access.ruled_before(step)
        case SetJustInTime():
            return commands_just_in_time.opened_on_request(step)
        case RemoveJustInTime():
            return commands_just_in_time.taken_out(step)
        case ProveJustInTime():
            return commands_just_in_time.looked_at(step)
        case ProveClosed():
            return commands_access.closed(step, subject)
        case Preflight():
            return protection.asked_before(step, subject)
        case BackUp() | ProveBackup():
            return protection.backed_up(step)
        case ChangeBackupPolicy():
            return protection.policed(step)
        case RunHook() | RunHookAfter():
            return protection.hooked(step)
        case _:
            assert_never(step)
