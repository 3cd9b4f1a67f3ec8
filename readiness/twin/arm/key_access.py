"""Whether a managed identity can use a key to encrypt disks, and how Azure refuses when it cannot.

Learn, "Server-side encryption of Azure managed disks" and "Provide access to Key Vault keys with Azure
RBAC": the identity may get, wrap and unwrap, by an access policy or by a role that has come into effect; a
firewall lets trusted services through; the vault keeps what is deleted and does not let it be purged; the
key is an enabled RSA key of 2048, 3072 or 4096 bits within its dates. Pure: it reads the state and changes
nothing.
"""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from readiness.twin.arm import key_vaults, role_assignments
from readiness.twin.arm.deleted_vaults import VERSION
from readiness.twin.documents import Json, look, same
from readiness.twin.messages import ArmError
from readiness.twin.state import State

_ACTIONS = ("read", "wrap/action", "unwrap/action")
_PERMISSIONS = {"get", "wrapkey", "unwrapkey"}
_SIZES = (2048, 3072, 4096)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyAccess:
    """What came of asking for a key."""

    vault: Json | None = None
    """The vault, or None where the twin holds none of that name."""
    key: Json | None = None
    """The version that was asked for (the key, where none was named), or None where the twin holds none."""
    refusal: ArmError | None = None
    """How Azure refuses, or None where the key can be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who asks for a key."""

    principal_id: str
    named: str
    """As a refusal names it: `disk encryption set 'des'`, or `user-assigned identity '<id>'`."""
    encryption_set: str = ""
    """The name of the disk encryption set that asks."""


def key_access(state: State, key_url: str, holder: Holder, now: datetime) -> KeyAccess:
    """Tell whether a principal can wrap and unwrap with a key, named by its URL with or without version."""
    parts = urlsplit(key_url)
    words = parts.path.strip("/").split("/")
    vault = key_vaults.with_name(state, (parts.hostname or "").split(".")[0])
    if vault is None or len(words) < 2:  # noqa: PLR2004 - keys/{name}
        return KeyAccess(vault=vault, refusal=_forbidden(key_url, holder))
    key = state.find(f"{vault['id']}/keys/{words[1]}")
    version = state.find(f"{vault['id']}/keys/{'/versions/'.join(words[1:3])}")
    # A seed may hold a key without its versions: then the key speaks for all of them.
    has_versions = key is not None and bool(state.of_kind(VERSION, key["id"]))
    found = version if has_versions else key
    return KeyAccess(vault=vault, key=found, refusal=_refusal(state, vault, found, key_url, holder, now))


def _refusal(
    state: State, vault: Json, key: Json | None, key_url: str, holder: Holder, now: datetime
) -> ArmError | None:
    if key is None or not _is_reachable(vault) or not _may_use(state, vault, key, holder.principal_id, now):
        return _forbidden(key_url, holder)
    return _vault_refusal(vault) or _key_refusal(key, key_url, holder, now)


def _forbidden(key_url: str, holder: Holder) -> ArmError:
    return ArmError(
        400,
        "KeyVaultAccessForbidden",
        f"Unable to access key vault resource '{key_url}' to enable encryption at rest. Please grant get, "
        f"wrap and unwrap key permissions to {holder.named}. Please visit "
        "https://aka.ms/keyvaultaccessssecmk for more information.",
    )


def _is_reachable(vault: Json) -> bool:
    """Tell whether a trusted service gets through: also with public access off, but into no perimeter."""
    access = look(vault, "properties.publicNetworkAccess")
    if same(access, "SecuredByPerimeter"):
        return False
    rules = look(vault, "properties.networkAcls") or {}
    is_closed = same(access, "Disabled") or same(rules.get("defaultAction"), "Deny")
    return not is_closed or same(rules.get("bypass") or "AzureServices", "AzureServices")


def _may_use(state: State, vault: Json, key: Json, principal_id: str, now: datetime) -> bool:
    if look(vault, "properties.enableRbacAuthorization") is True:
        return all(
            role_assignments.allows(
                state, principal_id, f"Microsoft.KeyVault/vaults/keys/{word}", key["id"], now
            )
            for word in _ACTIONS
        )
    for policy in look(vault, "properties.accessPolicies") or []:
        if same(policy.get("objectId"), principal_id):
            given = {str(each).lower() for each in look(policy, "permissions.keys") or []}
            return "all" in given or given >= _PERMISSIONS
    return False


def _vault_refusal(vault: Json) -> ArmError | None:
    is_soft = look(vault, "properties.enableSoftDelete") is not False
    if is_soft and look(vault, "properties.enablePurgeProtection") is True:
        return None
    return ArmError(
        400,
        "KeyVaultNotRecoverable",
        f"The key vault '{vault['name']}' must have soft delete and purge protection enabled to be used for "
        "encryption at rest.",
        unverified=True,
    )


def _key_refusal(key: Json, key_url: str, holder: Holder, now: datetime) -> ArmError | None:
    properties: Json = key.get("properties") or {}
    kind = str(properties.get("kty") or "RSA").upper()
    if kind not in ("RSA", "RSA-HSM") or properties.get("keySize") not in (None, *_SIZES):
        return ArmError(
            400,
            "KeyVaultKeyNotSupported",
            f"The key '{key_url}' is not supported: only RSA keys of 2048, 3072 and 4096 bits are.",
            unverified=True,
        )
    attributes: Json = properties.get("attributes") or {}
    if attributes.get("enabled") is False:
        return ArmError(
            400,
            "KeyVaultKeyNotEnabled",
            f"The key vault key '{key_url}' used for disk encryption set '{holder.encryption_set}' must be "
            "enabled state.",
        )
    begins, ends = attributes.get("nbf"), attributes.get("exp")
    if ends is not None and now.timestamp() >= ends:
        return ArmError(
            400, "KeyVaultKeyExpired", f"Unable to access key '{key_url}'. Key is expired.", unverified=True
        )
    if begins is not None and now.timestamp() < begins:
        return ArmError(
            400,
            "KeyVaultKeyNotYetValid",
            f"Unable to access key '{key_url}'. Key is not valid yet.",
            unverified=True,
        )
    return None
