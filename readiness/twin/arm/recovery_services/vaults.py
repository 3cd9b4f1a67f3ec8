"""Recovery Services vaults: GET, lists, PUT, PATCH, DELETE, their backup configuration and what they use.

Learn, "Secure by default with Azure Backup", and refusals recorded in public repositories: a new vault has
soft delete AlwaysON, which nothing takes back; an older one that says Enabled may still be disabled. Learn,
"Delete a Recovery Services vault": a vault with items, soft-deleted ones included, is not deleted (newer
clients are said to delete one that holds nothing but soft-deleted items; here it stays). Learn, "Encrypt
backup data by using customer-managed keys": the key is asked for with the vault's identity, and there is no
way back to a platform key.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any

from readiness.twin.arm import identity, immediate
from readiness.twin.arm.key_access import Holder, key_access
from readiness.twin.arm.recovery_services.kinds import ITEM, VAULT, is_deleted, need_vault, retention_days
from readiness.twin.documents import Json, duplicate, look, merged, same, section
from readiness.twin.messages import ArmError, Response
from readiness.twin.operations import identifier
from readiness.twin.protocols import VAULT as PROTOCOL
from readiness.twin.world import Call, Routes, Ticket, World

WITHIN = (8.0, 12.0)
"""Writes take seconds; in the table of durations `vaults/write` is that of key vaults, which is at once."""

_ALWAYS_ON: Json = {
    "softDeleteState": "AlwaysON",
    "softDeleteRetentionPeriodInDays": 14,
    "enhancedSecurityState": "AlwaysON",
}
_RETENTION = range(14, 181)
_SOFT = "securitySettings.softDeleteSettings"
_KEY = "encryption.keyVaultProperties.keyUri"


def write(world: World, call: Call) -> Response:
    """Make a vault, or change one that is there."""
    before = world.state.find(call.address.resource_id)
    is_put = call.request.method == "PUT"
    if not is_put:
        before = world.state.need(call.address)
    location = immediate.located(call, before)
    ticket = world.admit(call, "vaults/write", call.address.resource_id)
    if before is not None:
        world.idle(before, "write")
    body = call.body()
    if before is None and not look(body, "sku.name"):
        raise ArmError(400, "BadRequest", "The parameter 'sku' is missing.", unverified=True)
    after = (
        duplicate(before)
        if before is not None
        else immediate.fresh(call, "Microsoft.RecoveryServices/vaults")
    )
    after |= {"location": location}
    after |= {name: duplicate(body[name]) for name in ("sku", "tags") if body.get(name) is not None}
    after["properties"] = merged(after.get("properties"), duplicate(body.get("properties") or {}))
    after["etag"] = f"W/\"datetime'{identifier(world.seed, after['id'], call.now.isoformat())}'\""
    if body.get("identity") is not None:
        own = identity.changed((before or {}).get("identity"), body["identity"], replaces=is_put)
        identity.check(world.state, (before or {}).get("identity"), own)
        after.pop("identity", None)
        after |= {} if own is None else {"identity": own}
        identity.complete(after, world.state, seed=world.seed, when=call.now)
    _check_soft_delete(before, after["properties"])
    _check_immutability(before, after["properties"])
    _check_key(world, before, after, call.now)
    if before is None:
        _complete(after["properties"])
    return _begin(world, call, ticket, before, after)


def _complete(properties: Json) -> None:
    soft = section(section(properties, "securitySettings"), "softDeleteSettings")
    for name, value in _ALWAYS_ON.items():
        soft.setdefault(name, value)
    properties["securitySettings"].setdefault("multiUserAuthorization", "Disabled")
    properties.setdefault("publicNetworkAccess", "Enabled")
    properties.setdefault(
        "redundancySettings",
        {"standardTierStorageRedundancy": "GeoRedundant", "crossRegionRestore": "Disabled"},
    )
    properties |= {"privateEndpointStateForBackup": "None", "privateEndpointStateForSiteRecovery": "None"}
    properties |= {"backupStorageVersion": "V2", "bcdrSecurityLevel": "Poor", "secureScore": "None"}
    properties.setdefault(
        "restoreSettings", {"crossSubscriptionRestoreSettings": {"crossSubscriptionRestoreState": "Enabled"}}
    )


def _begin(world: World, call: Call, ticket: Ticket, before: Json | None, after: Json) -> Response:
    after["properties"]["provisioningState"] = "Succeeded"
    kept = duplicate(before) if before is not None else duplicate(after)
    section(kept, "properties")["provisioningState"] = "Updating"
    world.state.put(kept)

    def done(_: datetime) -> None:
        world.state.put(after)

    def failed(_: datetime) -> None:
        kept["properties"]["provisioningState"] = "Failed"

    # As recorded in Azure/azure-cli, backup/tests/latest/recordings/test_backup_vault.yaml: a PUT has no
    # Location and does not tell the security settings yet, a PATCH has no body.
    is_put = call.request.method == "PUT"
    protocol = replace(PROTOCOL, monitor="") if is_put else PROTOCOL
    operation = world.begin(call, ticket, done=done, failed=failed, protocol=protocol, within=WITHIN)
    told = {
        name: value
        for name, value in duplicate(after["properties"]).items()
        if before is not None or name not in ("securitySettings", "backupStorageVersion")
    }
    told["provisioningState"] = "Provisioning" if before is None else "Updating"
    echo = duplicate(after) | {"properties": told} if is_put else None
    return world.accepted(call, ticket, operation, Response(201 if before is None else 202, echo))


def _check_soft_delete(before: Json | None, properties: Json) -> None:
    wanted: Any = look(properties, _SOFT) or {}
    states = [wanted[name] for name in ("softDeleteState", "enhancedSecurityState") if name in wanted]
    if before is None and any(not same(each, "AlwaysON") for each in states):
        raise ArmError(
            400,
            "BMSUserErrorSoftDeleteStateNotSetToAlwaysON",
            "Soft delete state and enhanced security state must be set to AlwaysON for this API version",
        )
    was: Any = look(before, f"properties.{_SOFT}") or {}
    if any(
        same(was.get(name), "AlwaysON") and not same(wanted.get(name), "AlwaysON")
        for name in ("softDeleteState", "enhancedSecurityState")
    ):
        raise ArmError(
            400,
            "BMSUserErrorDisablingSoftDeleteStateNotAllowed",
            "Disabling soft delete or enhanced security state is not allowed for this vault.",
        )
    days = wanted.get("softDeleteRetentionPeriodInDays")
    if days not in (None, 0, *_RETENTION):
        raise ArmError(
            400,
            "BMSUserErrorInvalidSoftDeleteRetentionPeriod",
            "The soft delete retention period must be between 14 and 180 days.",
            unverified=True,
        )


def _check_immutability(before: Json | None, properties: Json) -> None:
    path = "securitySettings.immutabilitySettings.state"
    if same(look(before, f"properties.{path}"), "Locked") and not same(look(properties, path), "Locked"):
        raise ArmError(
            400,
            "BMSUserErrorImmutabilityLocked",
            "The immutability of this vault is locked and cannot be changed.",
            unverified=True,
        )


def _check_key(world: World, before: Json | None, after: Json, now: datetime) -> None:
    was, wanted = look(before, f"properties.{_KEY}"), look(after["properties"], _KEY)
    if was is not None and wanted is None:
        raise ArmError(
            400,
            "BMSUserErrorEncryptionTypeChangeNotAllowed",
            "A vault that uses customer-managed keys cannot go back to platform-managed keys.",
            unverified=True,
        )
    if wanted is None or wanted == was:
        return
    refusal = key_refusal(world, after, now)
    if refusal is not None:
        raise refusal


def key_refusal(world: World, vault: Json, now: datetime) -> ArmError | None:
    """Tell how Azure Backup fails where a vault cannot have its own key; None where it can."""
    url = look(vault, f"properties.{_KEY}")
    if not isinstance(url, str):
        return None
    named = look(vault, "properties.encryption.kekIdentity.userAssignedIdentity")
    own = look(vault, "identity.principalId")
    if isinstance(named, str):
        assigned = look(vault, "identity.userAssignedIdentities") or {}
        own = next((each.get("principalId") for name, each in assigned.items() if same(name, named)), None)
    if isinstance(own, str):
        holder = Holder(principal_id=own, named=f"Recovery Services vault '{vault['name']}'")
        answer = key_access(world.state, url, holder, now)
        if answer.vault is None or answer.refusal is None:
            return None
    return ArmError(
        400,
        "BMSUserErrorVaultEncryptionKeyNotAccessible",
        f"The encryption key '{url}' of vault '{vault['name']}' cannot be accessed with the vault's "
        "identity.",
        unverified=True,
    )


def delete(world: World, call: Call) -> Response:
    """Delete a vault in which there is nothing."""
    vault = world.state.find(call.address.resource_id)
    ticket = world.admit(call, "vaults/delete", call.address.resource_id)
    if vault is None:
        return world.finished(ticket, Response(204))
    world.idle(vault, "delete")
    items = world.state.of_kind(ITEM, vault["id"])
    living = [str(look(each, "properties.friendlyName")) for each in items if not is_deleted(each)]
    if living:
        raise ArmError(
            400,
            "BMSUserErrorVaultDeletionNotAllowed",
            "Vault cannot be deleted as there are existing resources within the vault. Please ensure there "
            "are no backup items, protected servers, or backup management servers associated with this "
            "vault. Unregister the following containers associated with this vault before proceeding for "
            f"deletion : {', '.join(living)}",
        )
    if items:
        raise ArmError(
            400,
            "BMSUserErrorVaultDeletionNotPermitted",
            "Recovery Services vault cannot be deleted as there are backup items in soft deleted state in "
            f"the vault. The soft deleted items are permanently deleted after {retention_days(vault)} days "
            "of delete operation. Please try vault deletion after the backup items are permanently deleted "
            "and there is no item in soft deleted state left in the vault.",
        )

    def done(_: datetime) -> None:
        prefix = vault["id"].lower() + "/"
        below = [each["id"] for each in world.state.everything() if each["id"].lower().startswith(prefix)]
        for resource_id in [*below, vault["id"]]:
            world.state.remove(resource_id)

    def failed(_: datetime) -> None:
        section(vault, "properties")["provisioningState"] = "Failed"

    section(vault, "properties")["provisioningState"] = "Deleting"
    operation = world.begin(call, ticket, done=done, failed=failed, protocol=PROTOCOL, within=WITHIN)
    return world.accepted(call, ticket, operation, Response(202))


def config(world: World, call: Call) -> Response:
    """Answer the backup configuration of a vault."""
    return Response(200, _config(need_vault(world.state, call.address)))


def _config(vault: Json) -> Json:
    soft: Any = look(vault, f"properties.{_SOFT}") or {}
    state = str(soft.get("softDeleteState") or "Enabled")
    return {
        "id": f"{vault['id']}/backupconfig/vaultconfig",
        "name": "vaultconfig",
        "type": "Microsoft.RecoveryServices/vaults/backupconfig",
        "properties": {
            "storageModelType": str(
                look(vault, "properties.redundancySettings.standardTierStorageRedundancy")
            ),
            "enhancedSecurityState": str(soft.get("enhancedSecurityState") or "Enabled"),
            "softDeleteFeatureState": state,
            "softDeleteRetentionPeriodInDays": retention_days(vault),
            "isSoftDeleteFeatureStateEditable": not same(state, "AlwaysON"),
        },
    }


def write_config(world: World, call: Call) -> Response:
    """Change the backup configuration of a vault."""
    vault = need_vault(world.state, call.address)
    ticket = world.admit(call, "vaults/backupconfig/write", vault["id"])
    given: Json = call.body().get("properties") or {}
    named = {
        "softDeleteState": given.get("softDeleteFeatureState"),
        "enhancedSecurityState": given.get("enhancedSecurityState"),
        "softDeleteRetentionPeriodInDays": given.get("softDeleteRetentionPeriodInDays"),
    }
    change = {name: value for name, value in named.items() if value is not None}
    after = merged(vault.get("properties"), {"securitySettings": {"softDeleteSettings": change}})
    _check_soft_delete(vault, after)
    vault["properties"] = after
    return world.finished(ticket, Response(200, _config(vault)))


def usages(world: World, call: Call) -> Response:
    """Answer how many machines a vault protects."""
    vault = need_vault(world.state, call.address)
    count = len(world.state.of_kind(ITEM, vault["id"]))
    name = {"value": "ProtectedItemCount", "localizedValue": "Protected items"}
    row = {"unit": "Count", "currentValue": count, "limit": 1000, "nextResetTime": None, "name": name}
    return Response(200, {"value": [row]})


_CONFIG = f"{VAULT}/backupconfig"

ROUTES: Routes = {
    ("GET", "microsoft.recoveryservices", "vaults"): immediate.listed(VAULT),
    ("GET", VAULT, ""): immediate.get,
    ("PUT", VAULT, ""): write,
    ("PATCH", VAULT, ""): write,
    ("DELETE", VAULT, ""): delete,
    ("GET", _CONFIG, ""): config,
    ("PUT", _CONFIG, ""): write_config,
    ("PATCH", _CONFIG, ""): write_config,
    ("GET", VAULT, "usages"): usages,
    ("GET", VAULT, "backupusagesummaries"): usages,
}
