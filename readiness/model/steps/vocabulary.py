"""The closed vocabulary of steps: frozen values, each safe to perform twice.

A *look* only reads a VM and decides; everything else is asked of Azure, and most of it has an effect there.
Nothing here runs: `azure.perform` turns changes into calls, the engine judges looks.
"""

from msgspec import Struct

from readiness.model.steps.access import (
    AccessChange,
    AssignRole,
    MarkGroup,
    ProveClosed,
    ProveClosedBehind,
    ProveRules,
    RemoveRole,
    RemoveSecurityRule,
    RuleStates,
    SetSecurityRule,
    UnmarkGroup,
)
from readiness.model.steps.disks import (
    DiskChange,
    DropTrial,
    SetDiskEncryption,
    SwapOsDisk,
    TakeSnapshot,
    TryEncryption,
)
from readiness.model.steps.guest import AskGuest, GuestChange, InstallExtension, RemoveExtension, RunInGuest
from readiness.model.steps.just_in_time import (
    JustInTimeChange,
    ProveJustInTime,
    ProveOnRequest,
    RemoveJustInTime,
    RequestedAccess,
    SetJustInTime,
)
from readiness.model.steps.looks import (
    HandOver,
    Look,
    ProveHealth,
    ProveModel,
    ProvePrepared,
    ProveRestored,
    ProveTime,
    Recheck,
    RecordBefore,
)
from readiness.model.steps.machine import (
    AssignIdentity,
    Deallocate,
    MachineChange,
    PatchVm,
    PutBackOff,
    ReleaseLease,
    RemoveIdentity,
    Resize,
    Start,
    StartAs,
    TakeLease,
)
from readiness.model.steps.preflight import Preflight, Work
from readiness.model.steps.protection import (
    BackUp,
    ChangeBackupPolicy,
    ProtectionStep,
    ProveBackup,
    RunHook,
    RunHookAfter,
)

Change = (
    MachineChange | DiskChange | GuestChange | AccessChange | JustInTimeChange | ProtectionStep | Preflight
)
"""What is asked of Azure."""
Hook = RunHook | RunHookAfter
"""What is run on the machine of the runner."""
Step = Look | Change | Hook


class PlannedStep(Struct, frozen=True, kw_only=True):
    """A step with its name, unique within one VM's campaign, and its estimated seconds."""

    name: str
    step: Step
    seconds: int


__all__ = [
    "AccessChange",
    "AskGuest",
    "AssignIdentity",
    "AssignRole",
    "BackUp",
    "Change",
    "ChangeBackupPolicy",
    "Deallocate",
    "DiskChange",
    "DropTrial",
    "GuestChange",
    "HandOver",
    "Hook",
    "InstallExtension",
    "JustInTimeChange",
    "Look",
    "MachineChange",
    "MarkGroup",
    "PatchVm",
    "PlannedStep",
    "Preflight",
    "ProtectionStep",
    "ProveBackup",
    "ProveClosed",
    "ProveClosedBehind",
    "ProveHealth",
    "ProveJustInTime",
    "ProveModel",
    "ProveOnRequest",
    "ProvePrepared",
    "ProveRestored",
    "ProveRules",
    "ProveTime",
    "PutBackOff",
    "Recheck",
    "RecordBefore",
    "ReleaseLease",
    "RemoveExtension",
    "RemoveIdentity",
    "RemoveJustInTime",
    "RemoveRole",
    "RemoveSecurityRule",
    "RequestedAccess",
    "Resize",
    "RuleStates",
    "RunHook",
    "RunHookAfter",
    "RunInGuest",
    "SetDiskEncryption",
    "SetJustInTime",
    "SetSecurityRule",
    "Start",
    "StartAs",
    "Step",
    "SwapOsDisk",
    "TakeLease",
    "TakeSnapshot",
    "TryEncryption",
    "UnmarkGroup",
    "Work",
]
