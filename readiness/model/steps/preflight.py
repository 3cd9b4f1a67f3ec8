"""The look ahead: everything that Azure would refuse of a campaign, asked before its first effect."""

from typing import ClassVar

from readiness.model.ids import ResourceId
from readiness.model.steps.access import AccessChange
from readiness.model.steps.disks import DiskChange, SetDiskEncryption
from readiness.model.steps.guest import GuestChange
from readiness.model.steps.just_in_time import JustInTimeChange
from readiness.model.steps.kinds import COMPUTE, LOOK, StepBase
from readiness.model.steps.machine import MachineChange
from readiness.model.steps.protection import ProtectionStep

Work = MachineChange | DiskChange | GuestChange | AccessChange | JustInTimeChange | ProtectionStep
"""What Azure may refuse."""


class Preflight(StepBase, frozen=True, kw_only=True, tag="preflight"):
    """Ask for everything that Azure would refuse later: permissions, locks, policies, quotas, backups."""

    words: ClassVar[str] = "ask what Azure would refuse"
    duration: ClassVar[str] = "look"
    actions: ClassVar[tuple[str, ...]] = (
        *LOOK,
        "Microsoft.Authorization/permissions/read",
        "Microsoft.Authorization/locks/read",
        "Microsoft.Authorization/denyAssignments/read",
        "Microsoft.Authorization/policyAssignments/read",
        "Microsoft.Authorization/policyDefinitions/read",
        "Microsoft.Authorization/policySetDefinitions/read",
        "Microsoft.Authorization/policyExemptions/read",
        "Microsoft.PolicyInsights/checkPolicyRestrictions/read",
        f"{COMPUTE}/snapshots/read",
        f"{COMPUTE}/locations/usages/read",
        f"{COMPUTE}/skus/read",
        "Microsoft.Network/networkInterfaces/read",
        "Microsoft.RecoveryServices/vaults/backupJobs/read",
    )

    work: tuple[Work, ...]
    """What the campaign does, in its order."""
    spare: tuple[Work, ...] = ()
    """What it may have to do besides: a weaker setting, the swap of a disk on the way back, another size."""
    item: ResourceId | None = None
    """Its protected item of Azure Backup, if it has one."""

    @property
    def needed(self) -> tuple[str, ...]:
        """ARM actions that the campaign's steps need, wherever it is."""
        return tuple(sorted({action for step in (*self.work, *self.spare) for action in step.actions}))

    @property
    def disks(self) -> tuple[ResourceId, ...]:
        """Disks whose encryption changes: none may have incremental snapshots."""
        return tuple(step.disk for step in self.work if isinstance(step, SetDiskEncryption))
