"""The settings of azurerm, AzAPI and Bicep that stand for a change, and what the next run does without.

Read in the source of hashicorp/terraform-provider-azurerm (`internal/services`, `compute` and `legacy`) and
in the documentation of Azure/terraform-provider-azapi; last compared in 2026-11. A template in JSON has
the properties of Bicep.
"""

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

from msgspec import Struct

from readiness.model.ids import ResourceId

Value = bool | int | str


class CodeForm(StrEnum):
    """What infrastructure is written in."""

    AZURERM = "azurerm"
    AZAPI = "azapi"
    BICEP = "bicep"
    """And templates in JSON, whose properties are the same."""


class Effect(StrEnum):
    """What the next run does to an upgraded VM if its code stays as it is."""

    REPLACES = "replaces"
    """It destroys the VM or disk and makes a new one."""
    UNDOES = "undoes"
    FAILS = "fails"
    """It stops with an error."""
    UNSEEN = "unseen"
    """It takes no notice; what a later write does is said beside it."""


class Setting(Struct, frozen=True, kw_only=True):
    """One place in code, what has to stand there, and what happens otherwise."""

    form: CodeForm
    target: ResourceId
    """The resource whose code it is."""
    types: tuple[str, ...]
    """Resource types in which it is written."""
    path: tuple[str, ...]
    """The attribute, after the blocks or objects that hold it; empty where nothing is to be written."""
    value: Value | None
    """None where only `ignored` is to be written."""
    ignored: str = ""
    """What to list under `ignore_changes`."""
    effect: Effect
    otherwise: str
    """What happens if the code stays as it is."""
    verified: bool = True
    """Whether it was read in a provider's source or documentation."""
    may_be_absent: bool = False
    """Whether code without such a resource is complete."""


LINUX, WINDOWS, LEGACY = (
    "azurerm_linux_virtual_machine",
    "azurerm_windows_virtual_machine",
    "azurerm_virtual_machine",
)
_MODERN = (LINUX, WINDOWS)
AZURERM_VMS = (*_MODERN, LEGACY)
MANAGED_DISK = "azurerm_managed_disk"
VM_TYPE = "Microsoft.Compute/virtualMachines"
DISK_TYPE = "Microsoft.Compute/disks"
_RULE_TYPE = "Microsoft.Network/networkSecurityGroups/securityRules"
_EXTENSION_TYPE = "Microsoft.Compute/virtualMachines/extensions"

LEGACY_NOTE = (
    "azurerm_virtual_machine, the old resource, knows neither Trusted Launch nor encryption at host, and "
    "writes the whole VM at every change: whether Azure then keeps them is not verified. Move such a VM to "
    "azurerm_linux_virtual_machine or azurerm_windows_virtual_machine (removed and import blocks) first. Its "
    "disable_password_authentication must not be changed by hand: Azure refuses that on an existing VM, and "
    "in azurerm_linux_virtual_machine it forces a new VM."
)

_WHOLE_BODY = (
    "the provider compares only what the body names, so it sees no difference; its next write sends the body "
    "whole, and whether Azure then keeps what is left out is not verified"
)
_WHOLE_TEMPLATE = (
    "a deployment sends the resource whole; whether Azure keeps what is left out is not verified, and a "
    "value that says the opposite undoes it"
)


def trusted_launch_settings(vm: ResourceId, kind: str, uefi: Mapping[str, Any]) -> Iterator[Setting]:
    """Yield what says Trusted Launch."""
    names = {"secureBootEnabled": "secure_boot_enabled", "vTpmEnabled": "vtpm_enabled"}
    for key, name in names.items():
        if key in uefi:
            yield Setting(
                form=CodeForm.AZURERM,
                target=vm,
                types=_MODERN,
                path=(name,),
                value=bool(uefi[key]),
                ignored=name,
                effect=Effect.REPLACES,
                otherwise=f"{name} forces a new VM where code and Azure differ; left out, it counts as false",
            )
    values: dict[tuple[str, ...], bool | str] = {("securityType",): kind}
    values |= {("uefiSettings", key): bool(uefi[key]) for key in names if key in uefi}
    for path, value in values.items():
        yield from _on_vm(vm, ("properties", "securityProfile", *path), value)


def at_host_settings(vm: ResourceId, *, on: bool) -> Iterator[Setting]:
    """Yield what says encryption at host."""
    yield Setting(
        form=CodeForm.AZURERM,
        target=vm,
        types=_MODERN,
        path=("encryption_at_host_enabled",),
        value=on,
        effect=Effect.UNDOES,
        otherwise="the next apply deallocates the VM and switches it back; left out, it counts as false",
    )
    yield from _on_vm(vm, ("properties", "securityProfile", "encryptionAtHost"), on)


def identity_settings(vm: ResourceId) -> Iterator[Setting]:
    """Yield what says a system-assigned identity, beside whatever identities the code names already."""
    said = "the next apply takes the identity away again, and with it every role it was given"
    for types, effect, otherwise in (
        (_MODERN, Effect.UNDOES, said),
        (
            (LEGACY,),
            Effect.UNSEEN,
            "left out, it stays as it is in Azure; a block that names others takes it away",
        ),
    ):
        yield Setting(
            form=CodeForm.AZURERM,
            target=vm,
            types=types,
            path=("identity", "type"),
            value="SystemAssigned",
            effect=effect,
            otherwise=otherwise,
        )
    yield from _on_vm(vm, ("identity", "type"), "SystemAssigned", in_body=False)


def disk_settings(
    vm: ResourceId, disk: ResourceId, key: tuple[str, str | None], *, is_os_disk: bool
) -> Iterator[Setting]:
    """Yield what says a disk's key: in the disk's own code and, for an OS disk, in the VM's."""
    kind, encryption_set = key
    if encryption_set is None:
        return
    refused = "the provider refuses to go back to a platform key, and the apply stops with an error"
    yield Setting(
        form=CodeForm.AZURERM,
        target=disk,
        types=(MANAGED_DISK,),
        path=("disk_encryption_set_id",),
        value=encryption_set,
        effect=Effect.FAILS,
        otherwise=refused,
        may_be_absent=is_os_disk,
    )
    for path, value in ((("type",), kind), (("diskEncryptionSetId",), encryption_set)):
        place = ("properties", "encryption", *path)
        yield from _arm(disk, DISK_TYPE, place, value, may_be_absent=is_os_disk)
    if is_os_disk:
        yield Setting(
            form=CodeForm.AZURERM,
            target=vm,
            types=_MODERN,
            path=("os_disk", "disk_encryption_set_id"),
            value=encryption_set,
            effect=Effect.FAILS,
            otherwise=f"{refused} after it has deallocated the VM, which then stays off",
        )
        inside = ("properties", "storageProfile", "osDisk", "managedDisk", "diskEncryptionSet", "id")
        yield from _on_vm(vm, inside, encryption_set)


def os_disk_settings(disk: ResourceId) -> Iterator[Setting]:
    """Yield what keeps the OS disk of a VM under Trusted Launch, where the disk has code of its own."""
    yield Setting(
        form=CodeForm.AZURERM,
        target=disk,
        types=(MANAGED_DISK,),
        path=(),
        value=None,
        ignored="trusted_launch_enabled",
        effect=Effect.REPLACES,
        otherwise="trusted_launch_enabled of an OS disk forces a new disk if Azure shows it afterwards",
        verified=False,
        may_be_absent=True,
    )


def extension_settings(extension: ResourceId) -> Iterator[Setting]:
    """Yield what code may say of an extension that was installed."""
    said = "an extension that no code names stays; to manage it, write the resource and import it: a second "
    said += "extension of its type is refused, and name, publisher and type each force a new one"
    for form, kind in (
        (CodeForm.AZURERM, "azurerm_virtual_machine_extension"),
        (CodeForm.AZAPI, _EXTENSION_TYPE),
        (CodeForm.BICEP, _EXTENSION_TYPE),
    ):
        yield Setting(
            form=form,
            target=extension,
            types=(kind,),
            path=(),
            value=None,
            effect=Effect.UNSEEN,
            otherwise=said,
            verified=form is CodeForm.AZURERM,
            may_be_absent=True,
        )


def rule_settings(rule: ResourceId, properties: Mapping[str, Any]) -> Iterator[Setting]:
    """Yield what says a rule of a network security group."""
    for key, value in properties.items():
        if not isinstance(value, str | int):
            continue
        yield Setting(
            form=CodeForm.AZURERM,
            target=rule,
            types=("azurerm_network_security_rule",),
            path=(re.sub(r"(?<!^)(?=[A-Z])", "_", key).lower(),),
            value=value,
            effect=Effect.UNDOES,
            otherwise="the next apply writes the rule as the code has it, without an outage; a rule that is "
            "inline in azurerm_network_security_group has to be changed there",
        )
        yield from _arm(rule, _RULE_TYPE, ("properties", key), value)


def _on_vm(vm: ResourceId, path: tuple[str, ...], value: Value, *, in_body: bool = True) -> Iterator[Setting]:
    yield from _arm(vm, VM_TYPE, path, value, in_body=in_body)


def _arm(
    target: ResourceId,
    kind: str,
    path: tuple[str, ...],
    value: Value,
    *,
    in_body: bool = True,
    may_be_absent: bool = False,
) -> Iterator[Setting]:
    """Yield a property of a resource in AzAPI, mostly within `body`, and in Bicep."""
    places = (
        (CodeForm.AZAPI, ("body", *path) if in_body else path, _WHOLE_BODY),
        (CodeForm.BICEP, path, _WHOLE_TEMPLATE),
    )
    for form, place, otherwise in places:
        yield Setting(
            form=form,
            target=target,
            types=(kind,),
            path=place,
            value=value,
            effect=Effect.UNSEEN,
            otherwise=otherwise,
            verified=False,
            may_be_absent=may_be_absent,
        )
