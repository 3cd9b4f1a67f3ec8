"""Backups on demand: the request, the snapshot, the transfer to the vault, and how each of them fails.

Learn, "Troubleshoot backup errors with Azure VMs" and "Troubleshoot Azure Backup failure: Issues with the
agent or extension" name the codes and sentences of most failures; "Troubleshoot restore point failures" that
of a machine that was changed meanwhile. Scheduled backups are not modelled: a backup runs when somebody asks
for one.
"""

from datetime import datetime, timedelta
from typing import Any

from readiness.twin import gates
from readiness.twin.arm import disk_keys, security
from readiness.twin.arm.recovery_services import recovery_points, snapshot_tier
from readiness.twin.arm.recovery_services.jobs import Order, Task, answer, behind, running
from readiness.twin.arm.recovery_services.kinds import ITEM, is_deleted, need_item, stamp, vault_of
from readiness.twin.arm.recovery_services.vaults import key_refusal
from readiness.twin.documents import Json, duplicate, look, same
from readiness.twin.machine import Power
from readiness.twin.messages import ArmError, Response
from readiness.twin.paths import parse
from readiness.twin.state import State
from readiness.twin.world import Call, Routes, World

_USUAL_DAYS = 30
_ATTEMPTS = 9
_SETTLED = (Power.RUNNING, Power.STOPPED, Power.DEALLOCATED)


def trigger(world: World, call: Call) -> Response:
    """Begin a backup now."""
    item = need_item(world.state, call.address)
    ticket = world.admit(call, "vaults/backupFabrics/protectionContainers/protectedItems/backup", item["id"])
    given: Any = call.body().get("properties") or {}
    if not same(given.get("objectType"), "IaasVMBackupRequest"):
        raise ArmError(
            400,
            "BMSUserErrorInvalidInput",
            "The backup request of an Azure virtual machine must be of type IaasVMBackupRequest.",
            unverified=True,
        )
    if is_deleted(item) or same(look(item, "properties.protectionState"), "ProtectionStopped"):
        raise ArmError(
            400,
            "UserErrorBackupNotAllowedInProtectionStoppedState",
            "Backup cannot be triggered as the protection of this item has been stopped.",
            unverified=True,
        )
    check_idle(world, item)
    expires = _expiry(given.get("recoveryPointExpiryTimeInUTC"), call.now)
    _count_attempt(world.state, item, call.now)
    return answer(world, call, ticket, item, lambda when: order(world, item, when, expires=expires))


def check_idle(world: World, item: Json) -> None:
    """Refuse while a job of an item is under way, or about to begin."""
    if world.operations.running(item["id"]) is not None or running(world.state, item) is not None:
        # Learn has the words as those of a failed job.
        raise ArmError(
            400,
            "UserErrorBackupOperationInProgress",
            "Unable to initiate backup as another backup operation is currently in progress",
            unverified=True,
        )


def _expiry(given: object, now: datetime) -> datetime:
    if given is None:
        return now + timedelta(days=_USUAL_DAYS)
    try:
        expires = datetime.fromisoformat(str(given))
    except ValueError:
        expires = now
    if expires.tzinfo is None or expires <= now:
        raise ArmError(
            400,
            "UserErrorInvalidRecoveryPointExpiryTime",
            f"The recovery point expiry time '{given}' must be a time in UTC that lies in the future.",
            unverified=True,
        )
    return expires


def _count_attempt(state: State, item: Json, now: datetime) -> None:
    """Learn, "Support matrix for Azure VM backups": nine attempts in 24 hours, failed ones included."""
    attempts = behind(state, item).attempts
    attempts[:] = [each for each in attempts if now - each < timedelta(hours=24)]
    if len(attempts) >= _ATTEMPTS:
        raise ArmError(
            429,
            "UserErrorBackupAttemptsLimitReached",
            f"The limit of {_ATTEMPTS} on-demand backups of this virtual machine in 24 hours has been "
            "reached.",
            unverified=True,
        )
    attempts.append(now)


def order(world: World, item: Json, when: datetime, *, expires: datetime, operation: str = "Backup") -> Order:
    """Return the job of a backup that begins now."""
    vm_id = str(look(item, "properties.sourceResourceId"))
    mark = _mark(world.state, vm_id)
    made: list[Json] = []

    def taken(end: datetime) -> None:
        vm: Any = world.state.find(vm_id)
        made.append(recovery_points.make(world, item, vm, end, expires=expires))
        own = behind(world.state, item)
        own.was_trusted = own.was_trusted or security.security_type(vm) == "TrustedLaunch"
        item["properties"]["lastRecoveryPoint"] = stamp(end)

    def transferred(_: datetime) -> None:
        recovery_points.harden(made[0])

    def ended(status: str, _: datetime) -> None:
        item["properties"] |= {"lastBackupStatus": status, "lastBackupTime": stamp(when)}
        if status == "Completed":
            item["properties"]["protectionState"] = "Protected"

    return Order(
        item=item,
        operation=operation,
        tasks=(
            Task(
                name="Take Snapshot",
                operation="vaults/backupJobs/takeSnapshot",
                check=lambda end: _refusal(world, item, vm_id, mark, end),
                done=taken,
            ),
            Task(
                name="Transfer data to vault",
                operation="vaults/backupJobs/transferData",
                check=lambda end: key_refusal(world, vault_of(world.state, item), end),
                done=transferred,
            ),
        ),
        bag={"Recovery Point Expiry Time in UTC": stamp(expires)},
        ended=ended,
    )


def _mark(state: State, vm_id: str) -> Json:
    """Return what must not change while a snapshot is taken: security type, disks and their keys."""
    vm = state.find(vm_id)
    if vm is None:
        return {}
    names = ("securityProfile", "storageProfile")
    disks = {disk["id"]: look(disk, "properties.encryption") for disk in state.disks(vm)}
    kept: Json = duplicate({"vm": [look(vm, f"properties.{name}") for name in names], "disks": disks})
    return kept


def _refusal(world: World, item: Json, vm_id: str, mark: Json, when: datetime) -> ArmError | None:
    """Tell how the snapshot of a machine fails."""
    vm = world.state.find(vm_id)
    if vm is None:
        return ArmError(
            404,
            "UserErrorVmNotFound",
            "The virtual machine that is to be backed up does not exist.",
            unverified=True,
        )
    if migrated_back(world.state, item, vm):
        return migration_refused()
    machine = world.state.machine(vm)
    if same(vm["properties"].get("provisioningState"), "Failed"):
        return ArmError(400, "UserErrorVmProvisioningStateFailed", "The VM is in failed provisioning state")
    if machine.power not in _SETTLED:
        return ArmError(400, "UserErrorVmNotInDesirableState", "VM is not in a state that allows backups.")
    if _mark(world.state, vm_id) != mark:
        return ArmError(
            409,
            "OperationNotAllowed",
            "Changes were made to the Virtual Machine while the operation 'Create Restore Point' was in "
            "progress. Operation Create Restore Point cannot be completed at this time. Please try again "
            "later.",
        )
    if machine.power is Power.RUNNING and not machine.is_ready:
        return ArmError(
            400, "UserErrorGuestAgentStatusUnavailable", "VM Agent unable to communicate with Azure Backup"
        )
    policy = world.state.find(look(item, "properties.policyId"))
    if policy is not None and snapshot_tier.is_full(
        world.state, snapshot_tier.collection_id(item, policy, vm)
    ):
        return ArmError(
            400, "UserErrorRpCollectionLimitReached", "The Restore Point collection max limit has reached."
        )
    return _storage_refusal(world, vm, when)


def _storage_refusal(world: World, vm: Json, when: datetime) -> ArmError | None:
    try:
        gates.check_locks(world.state, "PUT", parse(vm["id"]), vm["id"])
        disk_keys.check_start(world.state, vm, when)
    except ArmError as refusal:
        return refusal
    for disk in world.state.disks(vm):
        if same(look(disk, "properties.dataAccessAuthMode"), "AzureActiveDirectory"):
            # Learn says that such backups fail, not how.
            return ArmError(
                400,
                "UserErrorDataAccessAuthModeNotSupported",
                f"Disk '{disk['name']}' demands authentication for data access, which is not supported.",
                unverified=True,
            )
    return None


def migrated_back(state: State, item: Json, vm: Json) -> bool:
    """Tell whether a machine was once backed up with Trusted Launch and is without it now."""
    return behind(state, item).was_trusted and security.security_type(vm) == "Standard"


def migration_refused() -> ArmError:
    """Refuse to back up a machine that went back from Trusted Launch."""
    return ArmError(
        400,
        "UserErrorMigrationFromTrustedLaunchVMToNonTrustedVMNotAllowed",
        "Backup cannot be configured for the VM which has migrated from Trusted Launch mode to non Trusted "
        "Launch mode.",
    )


ROUTES: Routes = {("POST", ITEM, "backup"): trigger}
