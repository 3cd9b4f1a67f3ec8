"""ARM shapes of what guards disks: key vaults, keys, disk encryption sets, and backup."""

from sample_estates.generator.catalogue import CRYPTO_USER, Json
from sample_estates.generator.dice import Dice
from sample_estates.generator.disks import COMPUTE, resource
from sample_estates.generator.governance import role_assignment
from sample_estates.generator.machine import Machine, Place

VAULTS, RECOVERY = "Microsoft.KeyVault/vaults", "Microsoft.RecoveryServices/vaults"
_CUSTOMER_KEY = "EncryptionAtRestWithCustomerKey"


def key_vault(
    place: Place, name: str, *, roles: bool = True, purge: bool = True, closed: bool = True
) -> Json:
    """Return a key vault; without `roles` it works with access policies, and is one that ADE may use."""
    found = resource(place.id(VAULTS, name), VAULTS, place)
    found["properties"] = {
        "sku": {"family": "A", "name": "premium"},
        "tenantId": place.tenant,
        "accessPolicies": [],
        "enabledForDiskEncryption": not roles,
        "enableSoftDelete": True,
        "softDeleteRetentionInDays": 90,
        "enableRbacAuthorization": roles,
        "vaultUri": f"https://{name}.vault.azure.net/",
        "provisioningState": "Succeeded",
        "publicNetworkAccess": "Enabled",
        "networkAcls": {"bypass": "AzureServices", "defaultAction": "Deny" if closed else "Allow"},
    }
    if purge:
        found["properties"]["enablePurgeProtection"] = True
    return found


def key(vault: Json, name: str, version: str, *, enabled: bool = True, expires: int | None = None) -> Json:
    """Return a key in a vault; `expires` is in seconds since 1970."""
    uri = f"{vault['properties']['vaultUri']}keys/{name}"
    attributes: Json = {"enabled": enabled, "created": 1757489312, "recoveryLevel": "Recoverable"}
    if expires:
        attributes["exp"] = expires
    return {
        "id": f"{vault['id']}/keys/{name}",
        "name": name,
        "type": f"{VAULTS}/keys",
        "location": vault["location"],
        "properties": {
            "attributes": attributes,
            "kty": "RSA",
            "keySize": 3072,
            "keyUri": uri,
            "keyUriWithVersion": f"{uri}/{version}",
        },
    }


def encryption_set(place: Place, name: str, held_by: Json, principal: str, kind: str = _CUSTOMER_KEY) -> Json:
    """Return a disk encryption set that uses a key as `key` made it."""
    own = place.id(f"{COMPUTE}/diskEncryptionSets", name)
    found = resource(own, f"{COMPUTE}/diskEncryptionSets", place)
    found["identity"] = {"type": "SystemAssigned", "principalId": principal, "tenantId": place.tenant}
    vault = {"id": held_by["id"].partition("/keys/")[0]}
    found["properties"] = {
        "activeKey": {"sourceVault": vault, "keyUrl": held_by["properties"]["keyUriWithVersion"]},
        "encryptionType": kind,
        "rotationToLatestKeyVersionEnabled": not kind.startswith("Confidential"),
        "provisioningState": "Succeeded",
    }
    return found


def guarded_keys(place: Place, suffix: str, dice: Dice) -> list[Json]:
    """Return vault, key, disk encryption set and the role that joins them; the set is the third."""
    vault = key_vault(place, f"kv-{suffix}"[:24])
    held = key(vault, "key-disks", dice.hex(32))
    principal = dice.guid()
    chosen = encryption_set(place, f"des-{suffix}", held, principal)
    return [vault, held, chosen, role_assignment(vault["id"], CRYPTO_USER, principal, place, dice.guid())]


def recovery_vault(place: Place, name: str) -> Json:
    """Return a Recovery Services vault."""
    found = resource(place.id(RECOVERY, name), RECOVERY, place)
    found["sku"] = {"name": "RS0", "tier": "Standard"}
    state = {"softDeleteState": "Enabled", "softDeleteRetentionPeriodInDays": 14}
    found["properties"] = {
        "provisioningState": "Succeeded",
        "publicNetworkAccess": "Enabled",
        "securitySettings": {"softDeleteSettings": state},
    }
    return found


def backup_policy(vault: str, kind: str) -> Json:
    """Return a backup policy of a vault: `V1` is the Standard one, `V2` the Enhanced one."""
    name = _POLICY_NAMES[kind]
    schedule = "SimpleSchedulePolicyV2" if kind == "V2" else "SimpleSchedulePolicy"
    return {
        "id": f"{vault}/backupPolicies/{name}",
        "name": name,
        "type": f"{RECOVERY}/backupPolicies",
        "properties": {
            "backupManagementType": "AzureIaasVM",
            "policyType": kind,
            "instantRpRetentionRangeInDays": 7 if kind == "V2" else 2,
            "schedulePolicy": {"schedulePolicyType": schedule},
            "timeZone": "W. Europe Standard Time",
        },
    }


def backup_item(vault: str, vm: Machine, kind: str) -> Json:
    """Return the protected item of a VM under one of the vault's two policies."""
    tail = f"iaasvmcontainerv2;{vm.place.group};{vm.name}"
    name = f"VM;{tail}"
    container = f"{vault}/backupFabrics/Azure/protectionContainers/IaasVMContainer;{tail}"
    return {
        "id": f"{container}/protectedItems/{name}",
        "name": name,
        "type": f"{RECOVERY}/backupFabrics/protectionContainers/protectedItems",
        "properties": {
            "protectedItemType": "Microsoft.Compute/virtualMachines",
            "backupManagementType": "AzureIaasVM",
            "workloadType": "VM",
            "sourceResourceId": vm.id,
            "virtualMachineId": vm.id,
            "friendlyName": vm.name,
            "policyId": f"{vault}/backupPolicies/{_POLICY_NAMES[kind]}",
            "policyType": kind,
            "protectionState": "Protected",
            "healthStatus": "Passed",
            "lastBackupStatus": "Completed",
            "lastBackupTime": "2026-11-01T20:33:41Z",
        },
    }


_POLICY_NAMES = {"V1": "vm-daily-standard", "V2": "vm-enhanced"}
