"""The key behind a disk encryption set: whether its vault, the key itself and the permission will do."""

from functools import partial

from readiness.model.assessment import Source
from readiness.model.disk import DiskEncryptionSet
from readiness.model.estate import Estate
from readiness.model.governance import RoleGrant
from readiness.model.ids import ResourceId
from readiness.model.vault import Vault, VaultKey
from readiness.model.verdict import Dimension, Evidence, Verdict, met, not_applicable, unknown, unmet
from readiness.model.virtual_machine import VirtualMachine
from readiness.rules.rule import Role, rule

_LEARN = "https://learn.microsoft.com/azure"
_CUSTOMER_KEYS = Source(
    "Use the Azure portal to enable server-side encryption with customer-managed keys for managed disks",
    f"{_LEARN}/virtual-machines/disks-enable-customer-managed-keys-portal",
    "2026-11",
)
_ENCRYPTION = Source(
    "Server-side encryption of Azure Disk Storage", f"{_LEARN}/virtual-machines/disk-encryption", "2026-11"
)
_ROLES = Source(
    "Provide access to Key Vault keys, certificates, and secrets with Azure role-based access control",
    f"{_LEARN}/key-vault/general/rbac-guide",
    "2026-11",
)

_key_rule = partial(rule, dimension=Dimension.CMK, level=3)


@_key_rule(
    id="EN015",
    title="Has its key in a vault that neither loses keys nor shuts disks out",
    role=Role.WORK,
    remedy="Let the vault's owner switch on soft delete and purge protection (for good) and the bypass for "
    "trusted Azure services.",
    source=_CUSTOMER_KEYS,
    requires=("EN004",),
)
def vault_fits(vm: VirtualMachine, estate: Estate) -> Verdict:
    """A key that is purged takes the disks with it, and a vault that shuts Azure Disk Storage out stops VMs.

    Azure's own check of purge protection was seen to differ from its documentation: it is insisted on here.
    """
    found = _set_of(vm, estate)
    if found is None:
        return not_applicable("NoSetToCheck", "No disk encryption set that was read is chosen.")
    return estate.remembered(("EN015", found.id), lambda: _vault_verdict(found, estate))


def _vault_verdict(found: DiskEncryptionSet, estate: Estate) -> Verdict:
    if found.key_url is None:
        return _no_key(found)
    if ".managedhsm." in found.key_url.lower():
        detail = f"{found.id.name} uses a managed HSM, which is not read; look at its key and roles by hand."
        return unknown("ManagedHsm", detail, _key_at(found))
    vault = _vault_of(found, estate)
    if vault is None:
        detail = f"The vault of {found.key_url} was not read; collect it, also from another subscription."
        return unknown("VaultNotRead", detail, _key_at(found))
    return _vault_losing(vault) or _vault_closed(vault, found) or met("VaultFits", "", _key_at(found))


def _vault_losing(vault: Vault) -> Verdict | None:
    purge = Evidence(vault.id, "properties.enablePurgeProtection", vault.purge_protection)
    if not vault.purge_protection:
        return unmet("NoPurgeProtection", f"{vault.id.name} has no purge protection.", purge)
    if vault.soft_delete is False:
        soft = Evidence(vault.id, "properties.enableSoftDelete", vault.soft_delete)
        return unmet("NoSoftDelete", f"{vault.id.name} has no soft delete.", soft)
    return None


def _vault_closed(vault: Vault, found: DiskEncryptionSet) -> Verdict | None:
    if vault.location != found.location:
        at = Evidence(vault.id, "location", vault.location)
        detail = f"{vault.id.name} is in {vault.location}, the disk encryption set in {found.location}."
        return unmet("VaultInOtherRegion", detail, at)
    if (vault.public_access or "").lower() == "securedbyperimeter":
        at = Evidence(vault.id, "properties.publicNetworkAccess", vault.public_access)
        detail = (
            f"A network security perimeter guards {vault.id.name}; ask its owner whether it lets disks in."
        )
        return unknown("VaultInPerimeter", detail, at)
    is_closed = (vault.default_action or "").lower() == "deny" or (
        (vault.public_access or "").lower() == "disabled"
    )
    lets_services_in = "azureservices" in (vault.bypass or "").lower()
    # Azure fills the bypass in where it shows network rules at all, and only a closed vault needs it.
    if is_closed and not lets_services_in and (vault.bypass or vault.default_action):
        at = Evidence(vault.id, "properties.networkAcls.bypass", vault.bypass)
        return unmet("VaultShutsDisksOut", f"The firewall of {vault.id.name} shuts Azure services out.", at)
    if is_closed and not lets_services_in:
        at = Evidence(vault.id, "properties.networkAcls.bypass", None)
        detail = f"{vault.id.name} is closed, and its network rules were not reported; read the vault itself."
        return unknown("VaultRulesNotReported", detail, at)
    return None


@_key_rule(
    id="EN016",
    title="Has a key of a fitting kind that works today",
    role=Role.WORK,
    remedy="Let the key's owner enable or renew it, or point the disk encryption set to an RSA key of 2048, "
    "3072 or 4096 bits.",
    source=_ENCRYPTION,
    requires=("EN004",),
)
def key_works(vm: VirtualMachine, estate: Estate) -> Verdict:
    """Without its key a disk cannot be read: the VM stops within the hour, and does not start again.

    The day on which the estate was collected counts as today.
    """
    found = _set_of(vm, estate)
    if found is None:
        return not_applicable("NoSetToCheck", "No disk encryption set that was read is chosen.")
    return estate.remembered(("EN016", found.id), lambda: _key_verdict(found, estate))


def _key_verdict(found: DiskEncryptionSet, estate: Estate) -> Verdict:
    if found.key_url is None:
        return _no_key(found)
    key = _key_of(found, estate)
    if key is None:
        detail = f"The key {found.key_url} was not read, in the version that is in use; read it in its vault."
        return unknown("KeyNotRead", detail, _key_at(found))
    return _key_unfit(key) or _key_asleep(key, estate) or met("KeyWorks", "", _key_at(found))


def _key_unfit(key: VaultKey) -> Verdict | None:
    kind = Evidence(key.id, "properties.kty", key.kind)
    if key.kind is None:
        return unknown("KeyKindNotReported", f"Azure did not report the kind of {key.id.name}.", kind)
    if key.kind.upper() not in ("RSA", "RSA-HSM"):
        return unmet("KeyNotRsa", f"{key.id.name} is a key of kind {key.kind}; disks take RSA only.", kind)
    size = Evidence(key.id, "properties.keySize", key.size)
    if key.size is None:
        return unknown("KeySizeNotReported", f"Azure did not report the size of {key.id.name}.", size)
    if key.size not in _KEY_SIZES:
        return unmet("KeySizeNotSupported", f"{key.id.name} has {key.size} bits.", size)
    return None


def _key_asleep(key: VaultKey, estate: Estate) -> Verdict | None:
    enabled = Evidence(key.id, "properties.attributes.enabled", key.enabled)
    if key.enabled is None:
        return unknown("KeyStateNotReported", f"Nobody knows whether {key.id.name} is enabled.", enabled)
    if not key.enabled:
        return unmet("KeyDisabled", f"{key.id.name} is disabled.", enabled)
    now = estate.info.collected_at
    if key.expires is not None and key.expires <= now:
        at = Evidence(key.id, "properties.attributes.exp", int(key.expires.timestamp()))
        return unmet("KeyExpired", f"{key.id.name} expired on {key.expires.date()}.", at)
    if key.starts is not None and key.starts > now:
        at = Evidence(key.id, "properties.attributes.nbf", int(key.starts.timestamp()))
        return unmet("KeyNotYetValid", f"{key.id.name} is valid from {key.starts.date()} on.", at)
    return None


@_key_rule(
    id="EN017",
    title="Has a disk encryption set that may use its key",
    role=Role.WORK,
    remedy="Give the set's identity the role Key Vault Crypto Service Encryption User on the key or its "
    "vault, or get, wrapKey and unwrapKey where the vault goes by access policies.",
    source=_ROLES,
    requires=("EN004",),
)
def set_may_use_key(vm: VirtualMachine, estate: Estate) -> Verdict:
    """The set's own identity unwraps the key; without that right no disk comes under it, and none starts.

    A right that comes through a group shows in no role assignment, and counts only once it is direct.
    """
    found = _set_of(vm, estate)
    if found is None:
        return not_applicable("NoSetToCheck", "No disk encryption set that was read is chosen.")
    return estate.remembered(("EN017", found.id), lambda: _permission(found, estate))


def _permission(found: DiskEncryptionSet, estate: Estate) -> Verdict:
    if found.key_url is None:
        return _no_key(found)
    if not found.principals:
        detail = f"Azure did not report whom {found.id.name} acts as; read the disk encryption set itself."
        return unknown("PrincipalNotReported", detail, Evidence(found.id, "identity.principalId", None))
    vault = _vault_of(found, estate)
    if vault is None:
        detail = f"The vault of {found.key_url} was not read, so nobody knows who may use its keys."
        return unknown("VaultNotRead", detail, _key_at(found))
    return _by_role(found, vault, estate) if vault.uses_roles else _by_policy(found, vault)


def _by_policy(found: DiskEncryptionSet, vault: Vault) -> Verdict:
    granted: dict[str, Evidence] = {}
    for number, policy in enumerate(vault.policies):
        if policy.principal in found.principals and _suffices(policy.keys):
            at = Evidence(vault.id, f"properties.accessPolicies[{number}].objectId", policy.principal)
            granted.setdefault(policy.principal, at)
    if granted:
        return _by_whom(found, granted) or met("PolicyGranted", "", *granted.values())
    detail = f"No access policy of {vault.id.name} lets {found.id.name} get, wrap and unwrap keys."
    return unmet("PolicyMissing", detail, _principal_at(found))


def _suffices(keys: tuple[str, ...]) -> bool:
    return "all" in keys or {"get", "wrapkey", "unwrapkey"} <= set(keys)


def _by_role(found: DiskEncryptionSet, vault: Vault, estate: Estate) -> Verdict:
    name = (found.key_url or "").partition("/keys/")[2].partition("/")[0]
    grants = estate.protection.grants_to(found.principals, ResourceId(f"{vault.id}/keys/{name}"))
    known = estate.reference
    able = [grant for grant in grants if grant.role in known.key_roles and not grant.is_conditional]
    if able:
        doubt = _by_whom(found, {grant.principal: _granted(grant) for grant in reversed(able)})
        return doubt or met("RoleGranted", known.key_roles[able[0].role], _granted(able[0]))
    doubtful = next((grant for grant in grants if grant.role not in known.keyless_roles), None)
    if doubtful is not None:
        detail = f"{found.id.name} holds a custom or conditional role; see whether it may unwrap keys."
        return unknown("RoleNotUnderstood", detail, _granted(doubtful))
    # That some role assignment was seen does not say that all were: only a whole list proves an absence.
    if not estate.was_listed("Microsoft.Authorization/roleAssignments", vault.id.subscription):
        detail = f"The role assignments of {vault.id.name} were not read; collect those of its subscription."
        return unknown("RolesNotRead", detail, _principal_at(found))
    detail = f"No role assignment lets {found.id.name} use keys of {vault.id.name}."
    return unmet("RoleMissing", detail, _principal_at(found))


def _by_whom(found: DiskEncryptionSet, granted: dict[str, Evidence]) -> Verdict | None:
    """Return a doubt where only some of a set's identities may use the key: which one it uses is not told."""
    if all(principal in granted for principal in found.principals):
        return None
    detail = f"{found.id.name} has several identities, and not each of them may use its key."
    return unknown("GrantedToSomeIdentities", detail, *granted.values())


def _principal_at(found: DiskEncryptionSet) -> Evidence:
    """Return whom a set acts as; which of several identities it uses, its type says."""
    if (found.identity_type or "").lower() == "systemassigned" and len(found.principals) == 1:
        return Evidence(found.id, "identity.principalId", found.principals[0])
    return Evidence(found.id, "identity.type", found.identity_type)


def _granted(grant: RoleGrant) -> Evidence:
    return Evidence(grant.id, "properties.roleDefinitionId", grant.role_id)


def _set_of(vm: VirtualMachine, estate: Estate) -> DiskEncryptionSet | None:
    chosen = estate.choice_for(vm).disk_encryption_set
    return estate.encryption_sets.get(chosen) if chosen else None


def _no_key(found: DiskEncryptionSet) -> Verdict:
    detail = f"Azure did not report the key of {found.id.name}; read the disk encryption set itself."
    return unknown("KeyNotReported", detail, _key_at(found))


def _vault_of(found: DiskEncryptionSet, estate: Estate) -> Vault | None:
    if found.source_vault is not None:
        return estate.protection.vaults.get(found.source_vault)
    # A vault in another subscription is not named. Vault names are unique in all of Azure.
    host = (found.key_url or "").lower().partition("://")[2].partition(".")[0]
    named = (vault for vault in estate.protection.vaults.values() if vault.id.name.lower() == host)
    return next(named, None)


def _key_of(found: DiskEncryptionSet, estate: Estate) -> VaultKey | None:
    """Return the key in the version that the set uses; a set that rotates is about to use the newest one."""
    vault = _vault_of(found, estate)
    if vault is None:
        return None
    name, _, version = (found.key_url or "").rstrip("/").partition("/keys/")[2].partition("/")
    keys = estate.protection.keys
    key = keys.get(ResourceId(f"{vault.id}/keys/{name}"))
    exact = keys.get(ResourceId(f"{vault.id}/keys/{name}/versions/{version}"))
    if exact is not None:
        return exact
    is_it = key is not None and (not version or key.version == version.lower() or found.rotates)
    return key if is_it else None


def _key_at(found: DiskEncryptionSet) -> Evidence:
    return Evidence(found.id, "properties.activeKey.keyUrl", found.key_url)


_KEY_SIZES = (2048, 3072, 4096)

RULES = (
    vault_fits,
    key_works,
    set_may_use_key,
)
