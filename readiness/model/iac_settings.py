"""The settings of azurerm, AzAPI and Bicep that stand for a change of a VM, and what happens without them.

Each fact on azurerm was read in the source of hashicorp/terraform-provider-azurerm, `internal/services`:
* `compute/linux_virtual_machine_resource.go`, `compute/windows_virtual_machine_resource.go`: what forces a
  new VM, what an update deallocates, what counts as false where it is left out;
* `compute/virtual_machine.go` (the `os_disk` block), `compute/shared_schema.go` (`source_image_reference`);
* `compute/managed_disk_resource.go`: keys, `trusted_launch_enabled` and `hyper_v_generation` of a disk;
* `legacy/virtual_machine_resource.go`: `azurerm_virtual_machine`.
Those on AzAPI in Azure/terraform-provider-azapi, `internal/services/azapi_resource.go`: what it compares,
what it sends, and that it looks at identities by itself. Both last compared in 2026-11, with their state of
August 2026. A template in JSON has the properties of Bicep.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

from msgspec import Struct

from readiness.model.ids import ResourceId

Value = bool | int | str | tuple[str, ...] | dict[str, str]
"""What stands in code; of a tuple each has to be in the list, and an empty dictionary has to be there."""


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
    value: Value | None = None
    """None where only `ignored` is to be written."""
    instead_of: tuple[str, ...] = ()
    """Other names beside it that may say nothing then: `prefixes` beside `prefix`. A list is this alone."""
    adds: dict[str, bool | int | str | tuple[str, ...]] | None = None
    """All that a new object says, where objects of its kind are listed inline in their parent."""
    ignored: str = ""
    """What to list under `ignore_changes`."""
    advice: str = ""
    """What a person has to see to, where nothing can simply be written."""
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


def size_settings(vm: ResourceId, size: str) -> Iterator[Setting]:
    """Yield what says the size of a VM that was started as another one, for want of room for its own."""
    for types, name in ((_MODERN, "size"), ((LEGACY,), "vm_size")):
        yield Setting(
            form=CodeForm.AZURERM,
            target=vm,
            types=types,
            path=(name,),
            value=size,
            effect=Effect.UNDOES,
            otherwise="the next apply stops the VM and gives it its size from before, if there is room",
        )
    yield from _on_vm(vm, ("properties", "hardwareProfile", "vmSize"), size)


def identity_settings(
    vm: ResourceId, *, system: bool = True, user_assigned: tuple[str, ...] = ()
) -> Iterator[Setting]:
    """Yield what says identities that were added, beside whatever identities the code names already."""
    kinds = ("SystemAssigned",) * system + ("UserAssigned",) * bool(user_assigned)
    wanted: dict[tuple[str, ...], Value] = {("identity", "type"): ", ".join(kinds)}
    if user_assigned:
        wanted["identity", "identity_ids"] = user_assigned
    said = "the next apply takes away every identity that the code does not name, and with it its roles"
    for types, effect, otherwise in (
        (_MODERN, Effect.UNDOES, said),
        (
            (LEGACY,),
            Effect.UNSEEN,
            "a block that names others takes them away; without one, every write sends the VM without any, "
            "and whether Azure then keeps them is not verified",
        ),
    ):
        for path, value in wanted.items():
            yield Setting(
                form=CodeForm.AZURERM,
                target=vm,
                types=types,
                path=path,
                value=value,
                effect=effect,
                otherwise=otherwise,
                verified=types is _MODERN,
            )
    for path, value in wanted.items():
        yield Setting(
            form=CodeForm.AZAPI,
            target=vm,
            types=(VM_TYPE,),
            path=path,
            value=value,
            effect=Effect.UNDOES,
            otherwise=f"the provider looks at the identities that Azure shows, and {said}",
        )
    yield arm_setting(CodeForm.BICEP, vm, VM_TYPE, ("identity", "type"), ", ".join(kinds))
    for identity in user_assigned:
        place = ("identity", "userAssignedIdentities", identity)
        yield arm_setting(CodeForm.BICEP, vm, VM_TYPE, place, {})


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
        yield from arm_settings(disk, DISK_TYPE, place, value, may_be_absent=is_os_disk)
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
        ignored="trusted_launch_enabled",
        effect=Effect.REPLACES,
        otherwise="trusted_launch_enabled of an OS disk forces a new disk if Azure shows it afterwards",
        verified=False,
        may_be_absent=True,
    )


def generation_settings(vm: ResourceId, disk: ResourceId) -> Iterator[Setting]:
    """Yield what keeps a VM that was converted from generation 1 to generation 2.

    Its image reference stays in Azure as it was, so code may not name an image of generation 2 for it. That
    Azure shows the OS disk as one of generation 2 afterwards is proven by the run that converts it.
    """
    from_image = (
        "a VM that is made anew from that image is of generation 1 again, and Azure then refuses Secure "
    )
    from_image += "Boot and vTPM"
    for types, image in ((_MODERN, "source_image_reference"), ((LEGACY,), "storage_image_reference")):
        other = " or source_image_id" if types is _MODERN else ""
        yield Setting(
            form=CodeForm.AZURERM,
            target=vm,
            types=types,
            path=(),
            ignored=image,
            effect=Effect.REPLACES,
            advice=f"leave {image}{other} as it is, although it names an image of generation 1",
            otherwise=f"a changed {image}{other} forces a new VM; {from_image}",
        )
    yield Setting(
        form=CodeForm.AZURERM,
        target=disk,
        types=(MANAGED_DISK,),
        path=("hyper_v_generation",),
        value="V2",
        ignored="hyper_v_generation",
        effect=Effect.REPLACES,
        otherwise="hyper_v_generation forces a new disk where code and Azure differ, or where it is left out",
        may_be_absent=True,
    )
    yield from arm_settings(disk, DISK_TYPE, ("properties", "hyperVGeneration"), "V2", may_be_absent=True)
    for form in (CodeForm.AZAPI, CodeForm.BICEP):
        yield Setting(
            form=form,
            target=vm,
            types=(VM_TYPE,),
            path=(),
            effect=Effect.FAILS,
            advice="leave properties.storageProfile.imageReference and osDisk.createOption as they are, "
            "although the image is of generation 1",
            otherwise=f"Azure refuses to change either on an existing VM; {from_image}",
            verified=False,
        )


def _on_vm(vm: ResourceId, path: tuple[str, ...], value: Value) -> Iterator[Setting]:
    yield from arm_settings(vm, VM_TYPE, path, value)


def arm_settings(
    target: ResourceId, kind: str, path: tuple[str, ...], value: Value, *, may_be_absent: bool = False
) -> Iterator[Setting]:
    """Yield a property of a resource in AzAPI, within `body`, and in Bicep."""
    for form, place in ((CodeForm.AZAPI, ("body", *path)), (CodeForm.BICEP, path)):
        yield arm_setting(form, target, kind, place, value, may_be_absent=may_be_absent)


def arm_setting(
    form: CodeForm,
    target: ResourceId,
    kind: str,
    path: tuple[str, ...],
    value: Value,
    *,
    may_be_absent: bool = False,
) -> Setting:
    """Return a property of a resource in AzAPI or Bicep, of which nobody verified what happens without."""
    return Setting(
        form=form,
        target=target,
        types=(kind,),
        path=path,
        value=value,
        effect=Effect.UNSEEN,
        otherwise=_WHOLE_BODY if form is CodeForm.AZAPI else _WHOLE_TEMPLATE,
        verified=False,
        may_be_absent=may_be_absent,
    )
