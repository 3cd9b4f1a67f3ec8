"""What code has to say of things around a VM: extensions, roles, security rules, the policy of its backup.

Each fact on azurerm was read in the source of hashicorp/terraform-provider-azurerm, `internal/services`:
* `compute/virtual_machine_extension_resource.go`: name, publisher and VM force a new one, type and version
  do not;
* `authorization/role_assignment_resource.go`: all but description and condition force a new one, and the
  provider itself refuses only one of the same *name*;
* `network/network_security_rule_resource.go`, `network/network_security_group_resource.go`: only the name
  and where a rule lies force a new one; inline rules are written as one list;
* `recoveryservices/backup_protected_vm_resource.go`: the policy is changed in place.
Last compared in 2026-11, with its state of August 2026. What AzAPI and templates do is not verified.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from readiness.model.iac_settings import CodeForm, Effect, Setting, arm_settings
from readiness.model.ids import ResourceId

_AZURERM_EXTENSION = "azurerm_virtual_machine_extension"
_EXTENSION = "Microsoft.Compute/virtualMachines/extensions"
_AZURERM_ROLE = "azurerm_role_assignment"
_ROLE = "Microsoft.Authorization/roleAssignments"
_AZURERM_RULE = "azurerm_network_security_rule"
_RULE = "Microsoft.Network/networkSecurityGroups/securityRules"
_AZURERM_BACKUP = "azurerm_backup_protected_vm"
_BACKUP = "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems"

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


def rule_settings(rule: ResourceId, properties: Mapping[str, Any], *, is_new: bool) -> Iterator[Setting]:
    """Yield what says a rule of a network security group, changed or created."""
    inline = "a rule that is inline in azurerm_network_security_group has to be changed there"
    if is_new:
        yield from _new_rule(rule, properties)
        return
    for key, value in properties.items():
        name = re.sub(r"(?<!^)(?=[A-Z])", "_", key).lower()
        is_plain = isinstance(value, str | int)
        yield Setting(
            form=CodeForm.AZURERM,
            target=rule,
            types=(_AZURERM_RULE,),
            path=(name,) if is_plain else (),
            value=value if is_plain else None,
            advice="" if is_plain else f"{name} = {_shown(value)}",
            effect=Effect.UNDOES,
            otherwise=f"the next apply writes the rule as the code has it, without an outage; {inline}",
        )
        if is_plain:
            yield from arm_settings(rule, _RULE, ("properties", key), value)
        else:
            yield from _told_in_arm(rule, f"properties.{key} = {_shown(value)}", may_be_absent=False)


def _new_rule(rule: ResourceId, properties: Mapping[str, Any]) -> Iterator[Setting]:
    said = "; ".join(f"{key} {_shown(value)}" for key, value in properties.items())
    yield Setting(
        form=CodeForm.AZURERM,
        target=rule,
        types=(_AZURERM_RULE,),
        path=(),
        advice=f"{_IMPORT}, or add it where the rules are inline: {said}",
        effect=Effect.UNDOES,
        otherwise="a group that lists its rules inline removes it with the next apply; beside rules that are "
        f"resources of their own it stays, and {_EXISTS}",
        may_be_absent=True,
    )
    yield from _told_in_arm(rule, f"add it to the rules of its group: {said}", may_be_absent=True)


def _told_in_arm(rule: ResourceId, advice: str, *, may_be_absent: bool) -> Iterator[Setting]:
    for form in (CodeForm.AZAPI, CodeForm.BICEP):
        yield Setting(
            form=form,
            target=rule,
            types=(_RULE,),
            path=(),
            advice=advice,
            effect=Effect.UNDOES,
            otherwise="a group that lists its rules in properties.securityRules is sent with that list whole",
            verified=False,
            may_be_absent=may_be_absent,
        )


def backup_settings(item: ResourceId, policy: str) -> Iterator[Setting]:
    """Yield what says the backup policy of a VM, which Trusted Launch wants to be an enhanced one."""
    yield Setting(
        form=CodeForm.AZURERM,
        target=item,
        types=(_AZURERM_BACKUP,),
        path=("backup_policy_id",),
        value=policy,
        effect=Effect.UNDOES,
        otherwise="the next apply goes back to the policy from before, which Azure may refuse for the VM",
        may_be_absent=True,
    )
    yield from arm_settings(item, _BACKUP, ("properties", "policyId"), policy, may_be_absent=True)


def _shown(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
