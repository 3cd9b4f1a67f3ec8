"""What infrastructure code has to say of an upgraded VM, so that its next run neither undoes nor replaces it.

Pure. The facts about the providers were read in their public source and documentation; where nobody could
read what Azure does, the setting says so (`verified` is False). Nothing here looks into anybody's code: see
the readers of Terraform and Bicep files for that.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from readiness.model.codec import to_builtins
from readiness.model.iac_settings import (
    LEGACY_NOTE,
    CodeForm,
    Effect,
    Setting,
    at_host_settings,
    disk_settings,
    extension_settings,
    identity_settings,
    os_disk_settings,
    rule_settings,
    trusted_launch_settings,
)
from readiness.model.ids import ResourceId
from readiness.model.plan_parts import PlannedVm

__all__ = ["CodeForm", "Effect", "IacReport", "Patch", "Remark", "Setting", "VmCode", "code_of", "hint_for"]

ORDER = (
    "Freeze the pipeline from the VM's outage until its code says what Azure says.",
    "Merge the change after the VM's wave: applied before, Terraform makes the change itself, with an outage "
    "of its own. What forces a new VM is listed under ignore_changes too: that is safe in either order.",
    "The first plan after merging has to be empty for the VM (terraform plan, az deployment group what-if). "
    "Drop ignore_changes then, if you want drift to be seen.",
    LEGACY_NOTE,
)
"""What holds for every VM."""


class VmCode(Struct, frozen=True, kw_only=True):
    """One upgraded VM, and everything its code has to say."""

    id: ResourceId
    name: str
    application: str
    wave: int
    code: str
    """Where its code is, as the context says."""
    settings: tuple[Setting, ...]
    unknown: tuple[str, ...] = ()
    """Kinds of steps of which this release does not know what code has to say."""


class Remark(Struct, frozen=True, kw_only=True):
    """Something in a folder of code that a person has to look at."""

    file: str
    line: int
    """0 where it is not about a line."""
    what: str
    remedy: str
    is_error: bool = False
    """The file could not be read; nothing in it was looked at."""


class Patch(Struct, frozen=True, kw_only=True):
    """What to change in one file, as a unified diff. Nothing was written."""

    file: str
    vms: tuple[str, ...]
    diff: str


class IacReport(Struct, frozen=True, kw_only=True):
    """The hints of a plan, and what was found in the folders of code."""

    format: str = "readiness/iac/1"
    plan: str
    vms: tuple[VmCode, ...]
    order: tuple[str, ...] = ORDER
    patches: tuple[Patch, ...] = ()
    remarks: tuple[Remark, ...] = ()


def code_of(vm: PlannedVm) -> VmCode:
    """Return what the code of a planned VM has to say after its upgrade."""
    steps = [
        planned.step for planned in (*vm.preparation, *(vm.outage.steps if vm.outage else ()), *vm.closure)
    ]
    settings, unknown = settings_of(vm.id, [to_builtins(step) for step in steps])
    return VmCode(
        id=vm.id,
        name=vm.name,
        application=vm.application,
        wave=vm.wave,
        code=vm.iac,
        settings=settings,
        unknown=unknown,
    )


def settings_of(
    vm: ResourceId, steps: Iterable[Mapping[str, Any]]
) -> tuple[tuple[Setting, ...], tuple[str, ...]]:
    """Return the settings that follow from steps in their written form, and the kinds that nobody knows here.

    The written form, because a plan may hold kinds of steps that say nothing to this module: they are told,
    not passed over.
    """
    listed = list(steps)
    os_disk = next((ResourceId(step["disk"]) for step in listed if step["type"] == "take-snapshot"), None)
    found: list[Setting] = []
    unknown: dict[str, None] = {}
    for step in listed:
        settings = _settings_for(vm, step, os_disk)
        if settings is None:
            unknown[str(step["type"])] = None
        else:
            found += settings
    return tuple(found), tuple(unknown)


def hint_for(vm: PlannedVm) -> str:
    """Return one short sentence for the plan: what the owner of the VM's code has to do."""
    settings = [entry for entry in code_of(vm).settings if entry.form is CodeForm.AZURERM and entry.path]
    if not settings:
        return ""
    said = [
        f"{_names(settings, effect)} {words}"
        for effect, words in _IN_SHORT.items()
        if any(entry.effect is effect for entry in settings)
    ]
    return (
        f"Code has to follow, or the next apply goes wrong: {'; '.join(said)}. Details: readiness report iac"
    )


def _names(settings: Iterable[Setting], effect: Effect) -> str:
    return ", ".join(dict.fromkeys(".".join(entry.path) for entry in settings if entry.effect is effect))


def _settings_for(
    vm: ResourceId, step: Mapping[str, Any], os_disk: ResourceId | None
) -> Iterator[Setting] | tuple[Setting, ...] | None:
    match step:
        case {"type": "patch-vm", "properties": {"securityProfile": dict(profile), **rest}} if not rest:
            return _profile_settings(vm, profile, os_disk)
        case {"type": "assign-identity"}:
            return identity_settings(vm)
        case {"type": "set-disk-encryption", "disk": str(disk), "encryption": dict(encryption)}:
            chosen = ResourceId(disk)
            key = (str(encryption["type"]), encryption.get("disk_encryption_set"))
            return disk_settings(vm, chosen, key, is_os_disk=chosen == os_disk)
        case {"type": "install-extension", "name": str(name)}:
            return extension_settings(ResourceId(f"{vm.text}/extensions/{name}"))
        case {"type": "set-security-rule", "rule": str(rule), "properties": dict(properties)}:
            return rule_settings(ResourceId(rule), properties)
        case _:
            return () if step["type"] in _SILENT else None


def _profile_settings(
    vm: ResourceId, profile: Mapping[str, Any], os_disk: ResourceId | None
) -> Iterator[Setting]:
    uefi = profile.get("uefiSettings")
    if profile.get("securityType") and isinstance(uefi, dict):
        yield from trusted_launch_settings(vm, str(profile["securityType"]), uefi)
        if os_disk is not None:
            yield from os_disk_settings(os_disk)
    if isinstance(profile.get("encryptionAtHost"), bool):
        yield from at_host_settings(vm, on=profile["encryptionAtHost"])


_IN_SHORT = {
    Effect.REPLACES: "would replace it",
    Effect.UNDOES: "would be undone",
    Effect.FAILS: "would make it fail",
}

_SILENT = frozenset(
    {
        "recheck",
        "record-before",
        "prove-health",
        "prove-model",
        "prove-restored",
        "deallocate",
        "start",
        "take-snapshot",
        "prove-prepared",
        "prove-time",
        "prove-closed",
        "prove-backup",
        "hand-over",
        "preflight",
        "take-lease",
        "release-lease",
        "back-up",
        "try-encryption",
        "drop-trial",
        "run-in-guest",
        "ask-guest",
        "run-hook",
        "run-hook-after",
    }
)
"""Steps after which code has nothing to say: looks, power, snapshots, the guest, and marks that go away."""
