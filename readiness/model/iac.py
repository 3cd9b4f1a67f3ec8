"""What infrastructure code has to say of an upgraded VM, so that its next run neither undoes nor replaces it.

Pure. The facts about the providers were read in their public source and documentation; where nobody could
read what Azure does, the setting says so (`verified` is False). Nothing here looks into anybody's code: see
the readers of Terraform and Bicep files for that.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from readiness.model.codec import to_builtins
from readiness.model.iac_around import (
    backup_settings,
    extension_settings,
    request_settings,
    role_settings,
    rule_settings,
)
from readiness.model.iac_settings import (
    LEGACY,
    LEGACY_NOTE,
    CodeForm,
    Effect,
    Setting,
    at_host_settings,
    disk_settings,
    generation_settings,
    identity_settings,
    os_disk_settings,
    size_settings,
    trusted_launch_settings,
)
from readiness.model.ids import ResourceId
from readiness.model.plan_parts import PlannedVm
from readiness.model.steps import PlannedStep

__all__ = [
    "CodeForm",
    "Effect",
    "IacReport",
    "NotDone",
    "Patch",
    "Remark",
    "Setting",
    "VmCode",
    "code_after",
    "code_of",
    "hint_for",
]

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
    """Where its code is, as the context or a tag says."""
    settings: tuple[Setting, ...]
    unknown: tuple[str, ...] = ()
    """Kinds of steps of which this release does not know what code has to say."""
    note: str = ""
    """What is otherwise than people expect, such as that Secure Boot is off."""


class NotDone(Struct, frozen=True, kw_only=True):
    """A VM of a run for which a stage of its campaign was not done, or was taken back."""

    id: ResourceId
    name: str
    stage: str
    phase: str
    """Where it stands there; empty where no run of the stage is on record."""
    reason: str
    """Why, and what that means for code."""


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
    """The hints of a plan, or of what a run really did, and what was found in the folders of code."""

    format: str = "readiness/iac/1"
    plan: str
    run: str = ""
    """The run whose wave this is about; empty where it is about a plan."""
    vms: tuple[VmCode, ...]
    not_done: tuple[NotDone, ...] = ()
    order: tuple[str, ...] = ORDER
    patches: tuple[Patch, ...] = ()
    remarks: tuple[Remark, ...] = ()


def code_of(vm: PlannedVm) -> VmCode:
    """Return what the code of a planned VM has to say after its upgrade."""
    return code_after(vm, (*vm.preparation, *(vm.outage.steps if vm.outage else ()), *vm.closure))


def code_after(vm: PlannedVm, done: Iterable[PlannedStep]) -> VmCode:
    """Return what the code of a VM has to say after some of the steps of its campaign, in their order."""
    settings, unknown = settings_of(vm.id, [to_builtins(planned.step) for planned in done])
    is_off = any(entry.path == ("secure_boot_enabled",) and entry.value is False for entry in settings)
    return VmCode(
        id=vm.id,
        name=vm.name,
        application=vm.application,
        wave=vm.wave,
        code=vm.iac,
        settings=settings,
        unknown=unknown,
        note=_OFF if is_off else "",
    )


def settings_of(
    vm: ResourceId, steps: Iterable[Mapping[str, Any]]
) -> tuple[tuple[Setting, ...], tuple[str, ...]]:
    """Return the settings that follow from steps in their written form, and the kinds that nobody knows here.

    The written form, because a plan may hold kinds of steps that say nothing to this module: they are told,
    not passed over. Where two steps set the same, the later one counts.
    """
    listed = list(steps)
    os_disk = next((ResourceId(step["disk"]) for step in listed if step["type"] == "take-snapshot"), None)
    found: dict[tuple[object, ...], Setting] = {}
    unknown: dict[str, None] = {}
    for step in listed:
        settings = _settings_for(vm, step, os_disk)
        if settings is None:
            unknown[str(step["type"])] = None
        for entry in settings or ():
            # What is advised of one object may be several things: two roles on a scope are both told.
            said = entry.advice or entry.ignored if not entry.path else ""
            found[entry.form, entry.target, entry.types, entry.path, said] = entry
    return tuple(found.values()), tuple(unknown)


def hint_for(vm: PlannedVm) -> str:
    """Return one short sentence for the plan: what the owner of the VM's code has to do."""
    form = CodeForm.BICEP if vm.iac.partition(" ")[0].rstrip(",") in _TEMPLATES else CodeForm.AZURERM
    settings = [entry for entry in code_of(vm).settings if entry.form is form and entry.path]
    if not settings:
        return ""
    said = [
        f"{_names(settings, effect)} {words}"
        for effect, words in _IN_SHORT.items()
        if any(entry.effect is effect for entry in settings if entry.types != (LEGACY,))
    ]
    return f"Code has to follow, or its next run goes wrong: {'; '.join(said)}. Details: readiness report iac"


def _names(settings: Iterable[Setting], effect: Effect) -> str:
    said = (_name(entry) for entry in settings if entry.effect is effect and entry.types != (LEGACY,))
    return ", ".join(dict.fromkeys(said))


def _name(entry: Setting) -> str:
    """Return where a setting stands: the attribute of azurerm, or the part of a template's resource."""
    if entry.form is CodeForm.AZURERM:
        return ".".join(entry.path)
    return next(part for part in entry.path if part != "properties")


def _settings_for(  # noqa: C901, PLR0911  one answer a kind
    vm: ResourceId, step: Mapping[str, Any], os_disk: ResourceId | None
) -> Iterator[Setting] | tuple[Setting, ...] | None:
    match step:
        case {"type": "patch-vm", "properties": {"securityProfile": dict(profile), **rest}} if not rest:
            return _profile_settings(vm, profile, os_disk)
        case {"type": "take-snapshot", "disk": str(disk), "moment": "before-conversion"}:
            return generation_settings(vm, ResourceId(disk))
        case {"type": "assign-identity", **more}:
            named = tuple(str(one) for one in more.get("user_assigned", ()))
            return identity_settings(vm, system=more.get("system", True), user_assigned=named)
        case {"type": "set-disk-encryption", "disk": str(disk), "encryption": dict(encryption)}:
            chosen = ResourceId(disk)
            key = (str(encryption["type"]), encryption.get("disk_encryption_set"))
            return disk_settings(vm, chosen, key, is_os_disk=chosen == os_disk)
        case {"type": "install-extension", "name": str(name), **more}:
            told = (str(more.get(key, "")) for key in ("publisher", "kind", "version"))
            return extension_settings(ResourceId(f"{vm.text}/extensions/{name}"), *told)
        case {"type": "assign-role", "role": str(role), "scope": str(scope), **more}:
            return role_settings(vm, role, ResourceId(scope), str(more.get("principal", "")))
        case {"type": "set-security-rule", "rule": str(rule), "properties": dict(properties), **more}:
            return rule_settings(ResourceId(rule), properties, more.get("earlier"))
        case {"type": "set-just-in-time", "machines": list() | tuple() as machines}:
            return request_settings(vm, [ResourceId(str(one["vm"])) for one in machines])
        case {"type": "resize", "size": str(size)}:
            return size_settings(vm, size)
        case {"type": "change-backup-policy", "item": str(item), "policy": str(policy)}:
            return backup_settings(ResourceId(item), policy)
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


_OFF = "Secure Boot is off: code has to say so, too, until it is switched on"
_TEMPLATES = ("bicep", "arm", "pulumi")
"""First words of `iac` that mean code which sends a resource whole."""
_IN_SHORT = {
    Effect.REPLACES: "would replace it",
    Effect.UNDOES: "would be undone",
    Effect.FAILS: "would make it fail",
    Effect.UNSEEN: "may be undone (not verified)",
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
        "prove-closed-behind",
        "prove-rules",
        "mark-group",
        "unmark-group",
        "prove-just-in-time",
        "prove-on-request",
        "start-as",
        "put-back-off",
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
