"""Which keys a disk encryption set can have: form, vault, region, subscription, and access to the key.

Learn, "Server-side encryption of Azure managed disks", restrictions: vault and set lie in the same region;
the vault is named only where both lie in one subscription; the key's URL names its version. A set with an
identity of its own is made before that identity can have any right, so that its access is asked for when the
key is first used; a user-assigned identity has to have access when the set is made (recorded in
hashicorp/terraform-provider-azurerm#9177). A vault is asked for only where the twin holds any.
"""

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from readiness.twin import paths
from readiness.twin.arm import disk_keys, key_vaults
from readiness.twin.documents import Json, look, same
from readiness.twin.machine import Power
from readiness.twin.messages import invalid_parameter, not_allowed, property_change_not_allowed
from readiness.twin.state import VM, State, missing, place

CONFIDENTIAL = "ConfidentialVmEncryptedWithCustomerKey"
_TYPES = ("EncryptionAtRestWithCustomerKey", "EncryptionAtRestWithPlatformAndCustomerKeys", CONFIDENTIAL)
_VAULT = "microsoft.keyvault/vaults"
_WORDS = 3
"""Words of the path of a key's URL with its version: keys, name, version."""


def check(state: State, before: Json | None, after: Json, now: datetime) -> None:
    """Refuse a set that cannot be, or a change that cannot be made now."""
    kind = look(after, "properties.encryptionType")
    if kind not in _TYPES:
        raise invalid_parameter(
            f"The value '{kind}' of parameter 'encryptionType' is invalid.", "encryptionType"
        )
    if before is not None and not same(kind, look(before, "properties.encryptionType")):
        raise property_change_not_allowed("encryptionType", unverified=True)
    if kind == CONFIDENTIAL and look(after, "properties.rotationToLatestKeyVersionEnabled") is True:
        raise invalid_parameter(
            f"Automatic key rotation is not supported for disk encryption sets of type '{CONFIDENTIAL}'.",
            "rotationToLatestKeyVersionEnabled",
            unverified=True,
        )
    if before is None and after.get("identity") is None:
        raise invalid_parameter(
            f"Disk encryption set '{after['name']}' needs a managed identity.", "identity", unverified=True
        )
    if before is not None and same(key_url(before), key_url(after)):
        return
    _check_url(after)
    _check_vault(state, after)
    if before is not None and kind == CONFIDENTIAL:
        _check_confidential(state, after)
    _check_access(state, before, after, now)


def key_url(found: Json | None) -> Any:
    """Return the URL of a set's key."""
    return look(found, "properties.activeKey.keyUrl")


def _check_url(after: Json) -> None:
    url = key_url(after)
    if url is None:
        raise invalid_parameter(
            "Required parameter 'activeKey.keyUrl' is missing (null).", "activeKey.keyUrl"
        )
    parts = urlsplit(str(url))
    words = parts.path.strip("/").split("/")
    if parts.scheme != "https" or not parts.hostname or len(words) != _WORDS or words[0] != "keys":
        raise invalid_parameter(
            f"The key URL '{url}' is not valid: 'https://{{vault}}/keys/{{name}}/{{version}}' is needed.",
            "activeKey.keyUrl",
            unverified=True,
        )


def _check_vault(state: State, after: Json) -> None:
    own = paths.parse(after["id"])
    source: Any = look(after, "properties.activeKey.sourceVault.id")
    named = str(urlsplit(str(key_url(after))).hostname or "").split(".")[0]
    if source is not None:
        there = paths.parse(str(source))
        if not same(there.subscription, own.subscription):
            raise invalid_parameter(
                f"'activeKey.sourceVault' must be left out since vault '{there.name}' is in another "
                f"subscription than disk encryption set '{own.name}'.",
                "activeKey.sourceVault",
                unverified=True,
            )
        if not same(there.name, named):
            raise invalid_parameter(
                f"The key '{key_url(after)}' is not in vault '{there.name}'.",
                "activeKey.keyUrl",
                unverified=True,
            )
        if state.knows(_VAULT) and state.find(str(source)) is None:
            raise missing(str(source))
    vault = key_vaults.with_name(state, named)
    if vault is not None and place(vault.get("location")) != place(after.get("location")):
        raise invalid_parameter(
            f"Key vault '{vault['name']}' is in another region than disk encryption set '{own.name}'.",
            "activeKey.sourceVault",
            unverified=True,
        )


def _check_access(state: State, before: Json | None, after: Json, now: datetime) -> None:
    principal = disk_keys.principal_of(state, after)
    if principal is None or look(after, "properties.federatedClientId") or not state.knows(_VAULT):
        return
    answer = disk_keys.asked(state, after, principal, now)
    is_too_early = before is None and look(after, "identity.principalId") == principal
    is_forbidden = answer.refusal is not None and answer.refusal.code == "KeyVaultAccessForbidden"
    if answer.refusal is not None and not (is_too_early and is_forbidden):
        raise answer.refusal


def _check_confidential(state: State, after: Json) -> None:
    """Learn, "Key rotation for confidential VMs": offline, with every machine of the set stopped."""
    for vm in state.of_kind(VM):
        if state.machine(vm).power is Power.DEALLOCATED:
            continue
        for disk in state.disks(vm):
            if same(look(disk, "properties.securityProfile.secureVMDiskEncryptionSetId"), after["id"]):
                raise not_allowed(
                    f"The key of disk encryption set '{after['name']}' cannot be changed since VM "
                    f"'{vm['name']}' is not deallocated.",
                    unverified=True,
                )
