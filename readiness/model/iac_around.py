"""What code has to say of things around a VM: extensions, roles, security rules, the policy of its backup.

Each fact on azurerm was read in the source of hashicorp/terraform-provider-azurerm, `internal/services`:
* `compute/virtual_machine_extension_resource.go`: name, publisher and VM force a new one, type and version
  do not;
* `authorization/role_assignment_resource.go`: all but description and condition force a new one, and the
  provider itself refuses only one of the same *name*;
* `network/network_security_rule_resource.go`, `network/network_security_group_resource.go`: only the name
  and where a rule lies force a new one; inline rules are written as one list, and a group without any in its
  code takes no notice of those that Azure shows; of a prefix, its plural and the groups only one may be said;
* `recoveryservices/backup_protected_vm_resource.go`: the policy is changed in place.
Last compared in 2026-11, with its state of August 2026. What AzAPI and templates do is not verified.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from readiness.model.iac_settings import CodeForm, Effect, Setting, arm_settings
from readiness.model.ids import ResourceId

_AZURERM_EXTENSION = "azurerm_virtual_machine_extension"
_EXTENSION = "Microsoft.Compute/virtualMachines/extensions"
_AZURERM_ROLE = "azurerm_role_assignment"
_ROLE = "Microsoft.Authorization/roleAssignments"
AZURERM_RULE = "azurerm_network_security_rule"
RULE = "Microsoft.Network/networkSecurityGroups/securityRules"
AZURERM_GROUP = "azurerm_network_security_group"
GROUP = "Microsoft.Network/networkSecurityGroups"
_FAMILIES = (
    ("sourceAddressPrefix", "sourceAddressPrefixes", "sourceApplicationSecurityGroups"),
    ("destinationAddressPrefix", "destinationAddressPrefixes", "destinationApplicationSecurityGroups"),
    ("sourcePortRange", "sourcePortRanges"),
    ("destinationPortRange", "destinationPortRanges"),
)
AZURERM_BACKUP = "azurerm_backup_protected_vm"
_JUST_IN_TIME = "Microsoft.Security/locations/jitNetworkAccessPolicies"
BACKUP = "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems"

_IMPORT = "write it and import it"
_EXISTS = "an apply that would create it stops, because it is there already: import it first"


def extension_settings(extension: ResourceId, publisher: str, kind: str, version: str) -> Iterator[Setting]:
    """Yield what code may say of an extension that was installed; one that no code names stays."""
    said = f"publisher {publisher}, type {kind}, version {version}"
    yield Setting(
        form=CodeForm.AZURERM,
        target=extension,
        types=(_AZURERM_EXTENSION,),
        path=(),
        effect=Effect.UNSEEN,
        advice=f"if code is to manage it, {_IMPORT}: {said}",
        otherwise=f"it stays; {_EXISTS}. Another name or publisher forces a new one; taken out of the code "
        "again, it is removed from the VM",
        may_be_absent=True,
    )
    for form in (CodeForm.AZAPI, CodeForm.BICEP):
        yield Setting(
            form=form,
            target=extension,
            types=(_EXTENSION,),
            path=(),
            effect=Effect.UNSEEN,
            advice=f"if code is to manage it, write it with the same name: {said}",
            otherwise="it stays, as a deployment in incremental mode leaves it",
            verified=False,
            may_be_absent=True,
        )


def role_settings(vm: ResourceId, role: str, scope: ResourceId, principal: str) -> Iterator[Setting]:
    """Yield what code may say of a role that was assigned; an assignment that no code names stays."""
    held = f"principal {principal}" if principal else f"the identity of {vm.name} as principal"
    said = f"role {role} on {scope}, {held}"
    found = f"az role assignment list --scope {scope} lists its id"
    yield Setting(
        form=CodeForm.AZURERM,
        target=scope,
        types=(_AZURERM_ROLE,),
        path=(),
        effect=Effect.UNSEEN,
        advice=f"if code is to manage it, {_IMPORT}: {said} ({found})",
        otherwise="it stays; written without an import, the provider makes up another name, and Azure "
        "refuses a second assignment of the same three. All but description and condition force a new one",
        may_be_absent=True,
    )
    for form in (CodeForm.AZAPI, CodeForm.BICEP):
        yield Setting(
            form=form,
            target=scope,
            types=(_ROLE,),
            path=(),
            effect=Effect.UNSEEN,
            advice=f"if code is to manage it, give it the name that it has: {said} ({found})",
            otherwise="it stays; under another name, Azure refuses a second assignment of the same three",
            verified=False,
            may_be_absent=True,
        )


def rule_settings(
    rule: ResourceId, properties: Mapping[str, Any], earlier: Mapping[str, Any] | None
) -> Iterator[Setting]:
    """Yield what says a rule of a network security group: what was changed of it, or all of one created."""
    if earlier is None:
        yield from _new_rule(rule, properties)
        return
    for key, value in changed_of(properties, earlier).items():
        name, written = _azurerm_name(key), _written(value)
        yield Setting(
            form=CodeForm.AZURERM,
            target=rule,
            types=(AZURERM_RULE,),
            path=(name,) if written is not None else (),
            value=written,
            instead_of=azurerm_others(name),
            advice="" if written is not None else f"{name} = {_shown(value)}",
            effect=Effect.UNDOES,
            otherwise="the next apply writes the rule as the code has it, without an outage; so it does with "
            "one that is inline in azurerm_network_security_group",
        )
        if written is None:
            yield from _told_in_arm(rule, f"properties.{key} = {_shown(value)}")
            continue
        for setting in arm_settings(rule, RULE, ("properties", key), written):
            yield replace(setting, instead_of=others_of(key))


def changed_of(properties: Mapping[str, Any], earlier: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a rule says otherwise than before."""
    return {key: value for key, value in properties.items() if earlier.get(key) != value}


def others_of(key: str) -> tuple[str, ...]:
    """Return the other names under which Azure takes the same: of them only one may say something."""
    return next((tuple(one for one in family if one != key) for family in _FAMILIES if key in family), ())


def azurerm_others(name: str) -> tuple[str, ...]:
    """Return the other names of azurerm for the same; only one may say something."""
    families = ([_azurerm_name(key) for key in family] for family in _FAMILIES)
    return next((tuple(one for one in family if one != name) for family in families if name in family), ())


def _new_rule(rule: ResourceId, properties: Mapping[str, Any]) -> Iterator[Setting]:
    said = "; ".join(f"{key} {_shown(value)}" for key, value in properties.items())
    adds = {key: value for key, one in properties.items() if (value := _written(one)) is not None}
    is_whole = len(adds) == len(properties)
    yield Setting(
        form=CodeForm.AZURERM,
        target=rule,
        types=(AZURERM_RULE,),
        path=(),
        adds={_azurerm_name(key): value for key, value in adds.items()} if is_whole else None,
        advice=f"{_IMPORT}, or add it where the rules are inline: {said}",
        effect=Effect.UNDOES,
        otherwise="a group that lists its rules inline removes it with the next apply; beside rules that are "
        f"resources of their own it stays, and {_EXISTS}",
        may_be_absent=True,
    )
    for setting in _told_in_arm(rule, f"add it to the rules of its group: {said}"):
        yield replace(setting, adds=adds if is_whole else None, may_be_absent=True)


def request_settings(policy: ResourceId, vms: Sequence[ResourceId]) -> Iterator[Setting]:
    """Yield what code may say of just-in-time access: the policy, and the rules that it makes in groups."""
    names = ", ".join(vm.name for vm in vms)
    for form, kind in ((CodeForm.AZURERM, AZURERM_GROUP), (CodeForm.AZAPI, GROUP), (CodeForm.BICEP, GROUP)):
        yield Setting(
            form=form,
            target=policy,
            types=(kind,),
            path=(),
            effect=Effect.UNDOES,
            advice=f"keep the rules that just-in-time access writes into the security groups of {names}",
            otherwise="a group that lists its rules inline removes them with the next run, and what they "
            "close is open again; list the rules under ignore_changes, or as resources of their own",
            verified=False,
            may_be_absent=True,
        )
    for form in (CodeForm.AZAPI, CodeForm.BICEP):
        yield Setting(
            form=form,
            target=policy,
            types=(_JUST_IN_TIME,),
            path=(),
            effect=Effect.UNDOES,
            advice=f"if code writes the policy, put {names} into its virtualMachines, too",
            otherwise="a policy is sent with its list whole; azurerm has no resource for it",
            verified=False,
            may_be_absent=True,
        )


def _told_in_arm(rule: ResourceId, advice: str) -> Iterator[Setting]:
    for form in (CodeForm.AZAPI, CodeForm.BICEP):
        yield Setting(
            form=form,
            target=rule,
            types=(RULE,),
            path=(),
            advice=advice,
            effect=Effect.UNDOES,
            otherwise="a group that lists its rules in properties.securityRules is sent with that list whole",
            verified=False,
        )


def _azurerm_name(key: str) -> str:
    """Return what azurerm calls a property of a rule: groups of applications by their ids alone."""
    name = re.sub(r"(?<!^)(?=[A-Z])", "_", key).lower()
    return name.replace("security_groups", "security_group_ids")


def _written(value: object) -> bool | int | str | tuple[str, ...] | None:
    """Return a value as it can stand in code; None for one that a person has to write."""
    if isinstance(value, str | int):
        return value
    is_list = isinstance(value, Sequence) and all(isinstance(one, str) for one in value)
    return tuple(value) if isinstance(value, Sequence) and is_list else None


def backup_settings(item: ResourceId, policy: str) -> Iterator[Setting]:
    """Yield what says the backup policy of a VM, which Trusted Launch wants to be an enhanced one."""
    yield Setting(
        form=CodeForm.AZURERM,
        target=item,
        types=(AZURERM_BACKUP,),
        path=("backup_policy_id",),
        value=policy,
        effect=Effect.UNDOES,
        otherwise="the next apply goes back to the policy from before, which Azure may refuse for the VM",
        may_be_absent=True,
    )
    yield from arm_settings(item, BACKUP, ("properties", "policyId"), policy, may_be_absent=True)


def _shown(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
