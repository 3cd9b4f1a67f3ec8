"""Cases of the rules on a disk encryption set's vault, key and permission."""

from datetime import UTC, datetime
from typing import Any

from readiness.model.estate_info import Gap
from readiness.model.ids import ResourceId
from readiness.model.vault import AccessPolicy
from readiness.model.virtual_machine import DiskAttachment
from tests.builders import (
    ENCRYPTION_SET,
    KEY,
    PRINCIPAL,
    SUBSCRIPTION,
    VAULT,
    disk,
    encryption_set,
    key_grant,
    protection,
    rid,
    vault,
    vault_key,
    vm,
)
from tests.rules.case import Case, chosen

_SET = {"context": chosen(disk_encryption_set=ENCRYPTION_SET)}
_DATA = rid("Microsoft.Compute/disks", "vm1-data")
_ULTRA = {
    "vm": vm(data_disks=(DiskAttachment(disk=_DATA, lun=0),)),
    "disks": [disk(), disk(id=_DATA, sku="PremiumV2_LRS")],
}
_GRANTS = Gap(
    "collect",
    f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleAssignments",
    "Denied",
    "403",
)
_OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
_OTHER = "44444444-4444-4444-4444-444444444444"
_ROLES = ("microsoft.authorization/roleassignments",)
_HSM = "https://hsm1.managedhsm.azure.net/keys/key1/v1"
_VERSION = ResourceId(f"{KEY}/versions/v1")


def _set(rule: str, description: str, expected: str, **changes: Any) -> Case:
    return Case(rule, description, expected, vm(), {**_SET, "encryption_sets": [encryption_set(**changes)]})


def _vault(description: str, expected: str, **changes: Any) -> Case:
    return Case(
        "EN015",
        description,
        expected,
        vm(),
        {**_SET, "protected": protection(vaults={VAULT: vault(**changes)})},
    )


def _key(description: str, expected: str, **changes: Any) -> Case:
    return Case(
        "EN016",
        description,
        expected,
        vm(),
        {**_SET, "protected": protection(keys={KEY: vault_key(**changes)})},
    )


def _grant(description: str, expected: str, **changes: Any) -> Case:
    return Case(
        "EN017",
        description,
        expected,
        vm(),
        {**_SET, "protected": protection(grants=(key_grant(**changes),)), "listed": _ROLES},
    )


def _two(description: str, expected: str, *holders: str) -> Case:
    """A set with two identities, of which these hold the role."""
    return Case(
        "EN017",
        description,
        expected,
        vm(),
        {
            **_SET,
            "encryption_sets": [
                encryption_set(identity_type="SystemAssigned, UserAssigned", principals=(PRINCIPAL, _OTHER))
            ],
            "protected": protection(grants=tuple(key_grant(principal=each) for each in holders)),
            "listed": _ROLES,
        },
    )


def _policy(description: str, expected: str, *keys: str, principal: str = PRINCIPAL) -> Case:
    policies = (AccessPolicy(principal=principal, keys=keys),)
    vaults = {VAULT: vault(uses_roles=False, policies=policies)}
    return Case(
        "EN017", description, expected, vm(), {**_SET, "protected": protection(vaults=vaults, grants=())}
    )


def _gone(rule: str, description: str, expected: str, **changes: Any) -> Case:
    return Case(rule, description, expected, vm(), {**_SET, "protected": protection(**changes)})


CASES = (
    _set("EN007", "no identity reported", "unknown SetIdentityNotReported", identity_type=None),
    _set("EN007", "an identity that was taken away", "unmet SetWithoutIdentity", identity_type="None"),
    _set("EN007", "a user-assigned identity", "met SetFits", identity_type="UserAssigned"),
    Case(
        "EN007",
        "a user-assigned identity and a Premium SSD v2",
        "unmet UserIdentityOnUltra",
        _ULTRA["vm"],
        {**_SET, "disks": _ULTRA["disks"], "encryption_sets": [encryption_set(identity_type="UserAssigned")]},
    ),
    Case(
        "EN007",
        "both kinds of identity and a Premium SSD v2",
        "met SetFits",
        _ULTRA["vm"],
        {
            **_SET,
            "disks": _ULTRA["disks"],
            "encryption_sets": [encryption_set(identity_type="SystemAssigned, UserAssigned")],
        },
    ),
    Case("EN015", "none chosen", "not-applicable NoSetToCheck"),
    Case("EN015", "a vault that fits", "met VaultFits", vm(), _SET),
    _vault("open to all networks", "met VaultFits", default_action="Allow", bypass=None),
    _vault("no purge protection", "unmet NoPurgeProtection", purge_protection=None),
    _vault("no soft delete", "unmet NoSoftDelete", soft_delete=False),
    _vault("soft delete is not reported, and purge protection implies it", "met VaultFits", soft_delete=None),
    _vault("another region", "unmet VaultInOtherRegion", location="northeurope"),
    _vault("a firewall without the bypass", "unmet VaultShutsDisksOut", bypass="None"),
    _vault("no public access, but the bypass", "met VaultFits", public_access="Disabled"),
    _vault("behind a perimeter", "unknown VaultInPerimeter", public_access="SecuredByPerimeter"),
    _vault(
        "closed, without network rules",
        "unknown VaultRulesNotReported",
        public_access="Disabled",
        default_action=None,
        bypass=None,
    ),
    _set("EN015", "no key reported", "unknown KeyNotReported", key_url=None),
    _set("EN015", "a managed HSM", "unknown ManagedHsm", key_url=_HSM),
    _gone("EN015", "a vault that was not read", "unknown VaultNotRead", vaults={}),
    _set("EN015", "a vault that only its address names", "met VaultFits", source_vault=None),
    Case("EN016", "none chosen", "not-applicable NoSetToCheck"),
    Case("EN016", "a key that works", "met KeyWorks", vm(), _SET),
    _key("an elliptic one", "unmet KeyNotRsa", kind="EC"),
    _key("no kind", "unknown KeyKindNotReported", kind=None),
    _key("one in hardware", "met KeyWorks", kind="RSA-HSM"),
    _key("an odd size", "unmet KeySizeNotSupported", size=1024),
    _key("no size", "unknown KeySizeNotReported", size=None),
    _key("a disabled one", "unmet KeyDisabled", enabled=False),
    _key("no state", "unknown KeyStateNotReported", enabled=None),
    _key("an expired one", "unmet KeyExpired", expires=datetime(2026, 11, 1, tzinfo=UTC)),
    _key("one that expires later", "met KeyWorks", expires=datetime(2027, 11, 1, tzinfo=UTC)),
    _key("one for the future", "unmet KeyNotYetValid", starts=datetime(2026, 12, 1, tzinfo=UTC)),
    _key("a newer version, to which the set rotates", "met KeyWorks", version="v2"),
    Case(
        "EN016",
        "a newer version, to which the set does not rotate",
        "unknown KeyNotRead",
        vm(),
        {
            **_SET,
            "encryption_sets": [encryption_set(rotates=False)],
            "protected": protection(keys={KEY: vault_key(version="v2")}),
        },
    ),
    _gone(
        "EN016",
        "the version in use, which is disabled",
        "unmet KeyDisabled",
        keys={KEY: vault_key(version="v2"), _VERSION: vault_key(id=_VERSION, enabled=False)},
    ),
    _gone("EN016", "a key that was not read", "unknown KeyNotRead", keys={}),
    _gone("EN016", "a vault that was not read", "unknown KeyNotRead", vaults={}),
    _set("EN016", "no key reported", "unknown KeyNotReported", key_url=None),
    Case("EN017", "none chosen", "not-applicable NoSetToCheck"),
    Case("EN017", "the role on the vault", "met RoleGranted", vm(), _SET),
    _grant("the role on the key", "met RoleGranted", scope=KEY.key),
    _grant("the role on the subscription", "met RoleGranted", scope=f"/subscriptions/{SUBSCRIPTION}"),
    _grant(
        "the role on a management group",
        "met RoleGranted",
        scope="/providers/microsoft.management/managementgroups/mg",
    ),
    _grant("a more powerful role", "met RoleGranted", role="00482a5a-887f-4fb3-b363-3b7fe8e74483"),
    _grant("the role on another key", "unmet RoleMissing", scope=f"{KEY.key}2"),
    _grant("somebody else's role", "unmet RoleMissing", principal=_OTHER),
    _grant("Owner reads no keys", "unmet RoleMissing", role=_OWNER),
    _grant("a custom role", "unknown RoleNotUnderstood", role="55555555-5555-5555-5555-555555555555"),
    _grant("the role under a condition", "unknown RoleNotUnderstood", is_conditional=True),
    _grant(
        "Key Vault Contributor reads no keys",
        "unmet RoleMissing",
        role="f25e0fa2-a7c8-4377-a976-54943a77a395",
    ),
    _two("the role for each of two identities", "met RoleGranted", PRINCIPAL, _OTHER),
    _two("the role for one of two identities", "unknown GrantedToSomeIdentities", _OTHER),
    _two("the role for none of two identities", "unmet RoleMissing"),
    _gone("EN017", "no role assignments in the estate", "unknown RolesNotRead", grants=()),
    _gone(
        "EN017",
        "some role assignments were seen, and nobody says that these are all",
        "unknown RolesNotRead",
        grants=(key_grant(principal=_OTHER),),
    ),
    Case(
        "EN017",
        "role assignments that were listed, and there are none",
        "unmet RoleMissing",
        vm(),
        {**_SET, "protected": protection(grants=()), "listed": _ROLES},
    ),
    Case(
        "EN017",
        "role assignments that could not be listed",
        "unknown RolesNotRead",
        vm(),
        {**_SET, "protected": protection(grants=(key_grant(role=_OWNER),)), "gaps": [_GRANTS]},
    ),
    _policy("an access policy", "met PolicyGranted", "get", "wrapkey", "unwrapkey", "list"),
    _policy("an access policy for everything", "met PolicyGranted", "all"),
    _policy("an access policy for less", "unmet PolicyMissing", "get", "list"),
    _policy("somebody else's access policy", "unmet PolicyMissing", "all", principal="x"),
    _gone("EN017", "a vault that was not read", "unknown VaultNotRead", vaults={}),
    _set("EN017", "no principal", "unknown PrincipalNotReported", principals=()),
    _set("EN017", "no key reported", "unknown KeyNotReported", key_url=None),
)
