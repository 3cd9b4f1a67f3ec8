"""Which policy may protect which machine: the checks before an item is protected, or changes its policy.

Learn, "Migrate Azure VM backups from standard to enhanced policy": from Standard to Enhanced while no backup
job runs, for managed disks only, and never back. Learn, "Back up an Azure VM using Enhanced policy": a
Trusted Launch machine may have a Standard policy from api-version 2025-01-01 on; Ultra disks and Premium SSD
v2 need an Enhanced one. Learn, "Support matrix for Azure VM backups": vault and machine share a region, an
ephemeral disk cannot be backed up. Most of the sentences are on no public record.
"""

from typing import Any

from readiness.twin.arm import security
from readiness.twin.arm.recovery_services.backups import check_idle, migrated_back, migration_refused
from readiness.twin.arm.recovery_services.kinds import (
    ENHANCED,
    ITEM,
    POLICY,
    STANDARD,
    Place,
    is_deleted,
    need_vault,
    tier,
    vault_id,
)
from readiness.twin.documents import Json, look, same
from readiness.twin.machine import model_disks
from readiness.twin.messages import ArmError
from readiness.twin.paths import parse
from readiness.twin.state import VM, State, place
from readiness.twin.world import Call, World

STANDARD_FOR_TRUSTED = "2025-01-01"
_ENHANCED_ONLY = ("ultrassd_lrs", "premiumv2_lrs")


def need_machine(state: State, source: object, where: Place) -> Json:
    """Return the machine that is to be protected, or refuse."""
    vm = state.find(source) if isinstance(source, str) else None
    own = parse(vm["id"]) if vm is not None else None
    if (
        vm is None
        or own is None
        or own.kind != VM
        or not (same(own.name, where.machine) and same(own.group, where.group))
    ):
        # The Azure CLI has these words.
        raise ArmError(
            400,
            "UserErrorVmNotFoundV2",
            "The specified Azure Virtual Machine Not Found. Possible causes are\n   1. VM does not exist\n   "
            "2. The VM name or the Service name needs to be case sensitive\n   3. VM is already Protected "
            "with same or other Vault.\nPlease Unprotect VM first and then try to protect it again.",
            unverified=True,
        )
    return vm


def need_policy(state: State, vault: str, policy_id: object) -> Json:
    """Return the policy that is to protect a machine, or refuse: it lies in the same vault."""
    found = state.find(policy_id) if isinstance(policy_id, str) else None
    if found is None or parse(found["id"]).kind != POLICY or not same(vault_id(parse(found["id"])), vault):
        raise ArmError(
            400,
            "BMSUserErrorPolicyNotFound",
            f"Policy '{policy_id}' was not found in vault '{parse(vault).name}'.",
            unverified=True,
        )
    if not same(look(found, "properties.backupManagementType"), "AzureIaasVM"):
        raise ArmError(
            400,
            "BMSUserErrorInvalidPolicyForGivenProvider",
            "Policy is not valid for given provider type. Please choose valid policy for given provider.",
        )
    return found


def check_machine(state: State, call: Call, vm: Json, policy: Json, item: Json | None) -> None:
    """Refuse a machine that cannot be protected by a policy."""
    vault = need_vault(state, call.address)
    if place(vault.get("location")) != place(vm.get("location")):
        raise ArmError(
            400,
            "UserErrorVaultAndVmInDifferentRegions",
            f"Virtual machine '{vm['name']}' is in region '{place(vm.get('location'))}' and vault "
            f"'{vault['name']}' in region '{place(vault.get('location'))}': both must be in the same region.",
            unverified=True,
        )
    _check_free(state, vm, vault)
    if look(vm, "properties.storageProfile.osDisk.diffDiskSettings.option") is not None:
        raise ArmError(
            400,
            "UserErrorEphemeralOSDiskNotSupported",
            f"Virtual machine '{vm['name']}' has an ephemeral OS disk, which is not supported by Azure "
            "Backup.",
            unverified=True,
        )
    if tier(policy) == STANDARD:
        _check_standard(state, call, vm)
    if item is not None and migrated_back(state, item, vm):
        raise migration_refused()


def _check_free(state: State, vm: Json, vault: Json) -> None:
    for other in state.of_kind(ITEM):
        is_its = same(look(other, "properties.sourceResourceId"), vm["id"])
        if is_its and not same(vault_id(parse(other["id"])), vault["id"]):
            raise ArmError(
                400,
                "UserErrorVmAlreadyProtectedInAnotherVault",
                f"Virtual machine '{vm['name']}' is already protected in vault "
                f"'{parse(vault_id(parse(other['id']))).name}'.",
                unverified=True,
            )


def _check_standard(state: State, call: Call, vm: Json) -> None:
    if security.security_type(vm) != "Standard" and call.version < STANDARD_FOR_TRUSTED:
        raise ArmError(
            400,
            "UserErrorTrustedLaunchVMNotSupportedWithStandardPolicy",
            f"Virtual machine '{vm['name']}' has security type '{security.security_type(vm)}', which is "
            f"supported with an Enhanced policy, or with api-version {STANDARD_FOR_TRUSTED} and newer.",
            unverified=True,
        )
    for disk in state.disks(vm):
        if str(look(disk, "sku.name")).lower() in _ENHANCED_ONLY:
            raise ArmError(
                400,
                "UserErrorDiskTypeNotSupportedWithStandardPolicy",
                f"Disk '{disk['name']}' of type '{look(disk, 'sku.name')}' needs an Enhanced policy.",
                unverified=True,
            )


def migrates(world: World, item: Json, policy: Json, vm: Json) -> bool:
    """Tell whether another policy takes an item from Standard to Enhanced, or refuse to."""
    own: Any = look(item, "properties.policyType") or tier(
        world.state.find(look(item, "properties.policyId")) or policy
    )
    was, wanted = str(own).upper(), tier(policy)
    if was == ENHANCED and wanted == STANDARD:
        raise ArmError(
            400,
            "UserErrorPolicyChangeFromEnhancedToStandardNotAllowed",
            f"The policy of '{item['name']}' cannot be changed from Enhanced to Standard.",
            unverified=True,
        )
    if was != STANDARD or wanted != ENHANCED:
        return False
    check_idle(world, item)
    if any("vhd" in entry for entry in model_disks(vm)):
        raise ArmError(
            400,
            "UserErrorPolicyMigrationNotSupportedForUnmanagedVM",
            f"Virtual machine '{vm['name']}' has unmanaged disks: its policy cannot be changed to Enhanced.",
            unverified=True,
        )
    return not is_deleted(item)
