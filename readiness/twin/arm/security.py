"""The security profile of a virtual machine: which changes Azure refuses, and what an accepted one entails.

Learn, "Enable Trusted Launch on existing VMs": the security type changes only while the machine is
deallocated; Secure Boot and vTPM of a Trusted Launch machine toggle in any state, and a running machine
restarts. A machine whose disk was generation 1 becomes generation 2 for good, and boots only from a GUID
partition table.
"""

from readiness.twin.documents import Json, look, same, section
from readiness.twin.machine import Machine, Power, os_disk_id
from readiness.twin.messages import ArmError, invalid_parameter, not_allowed, property_change_not_allowed
from readiness.twin.state import State, capability
from readiness.twin.world import Call, World

STANDARD_SINCE = "2025-11-01"
"""From this api-version on `Standard` is told, and can be asked for without a feature flag."""

_TYPES = ("Standard", "TrustedLaunch", "ConfidentialVM")


def security_type(vm: Json) -> str:
    """Return the security type; nothing set is the same as Standard."""
    found = str(look(vm, "properties.securityProfile.securityType") or "Standard")
    return next((known for known in _TYPES if same(known, found)), found)


def show(body: Json, version: str) -> None:
    """Tell the security type as an api-version tells it: older ones have no word for Standard."""
    if security_type(body) != "Standard":
        return
    if version >= STANDARD_SINCE:
        section(body["properties"], "securityProfile")["securityType"] = "Standard"
    elif (profile := body["properties"].get("securityProfile")) is not None:
        profile.pop("securityType", None)
        if not profile:
            del body["properties"]["securityProfile"]


def normalise(vm: Json, body: Json) -> None:
    """Complete a changed profile the way Azure does."""
    profile = look(vm, "properties.securityProfile")
    if not isinstance(profile, dict):
        return
    kind = security_type(vm)
    if kind == "Standard":
        # The documented body gives null, the az CLI leaves the settings out: both let go of them.
        if look(body, "properties.securityProfile.uefiSettings") is None:
            profile.pop("uefiSettings", None)
        return
    profile["securityType"] = kind
    if kind == "TrustedLaunch":
        # Learn: where the settings are left out, vTPM is on and Secure Boot is off.
        settings = section(profile, "uefiSettings")
        settings.setdefault("secureBootEnabled", False)
        settings.setdefault("vTpmEnabled", True)


def check(world: World, call: Call, before: Json, after: Json) -> None:
    """Refuse what Azure refuses."""
    machine = world.state.machine(before)
    was, wanted = security_type(before), security_type(after)
    if wanted not in _TYPES:
        raise invalid_parameter(
            f"The value '{wanted}' of parameter 'securityType' is invalid.", "securityType"
        )
    if was != wanted:
        _check_change(call, before, machine, was, wanted)
    if wanted == "Standard" and look(after, "properties.securityProfile.uefiSettings") is not None:
        # The rule is Learn's; the wording is an assumption.
        raise ArmError(
            400,
            "BadRequest",
            "Use of 'uefiSettings' requires 'securityProfile.securityType' to be TrustedLaunch.",
        )
    resizes = not same(*(look(each, "properties.hardwareProfile.vmSize") for each in (before, after)))
    if wanted == "TrustedLaunch" and (was != wanted or resizes):
        _check_size(world.state, after)
    _check_host_encryption(world.state, before, after, machine)


def _check_change(call: Call, vm: Json, machine: Machine, was: str, wanted: str) -> None:
    if "ConfidentialVM" in (was, wanted):
        raise property_change_not_allowed("securityProfile.securityType")
    if machine.power is not Power.DEALLOCATED:
        # Template: Learn, "Azure virtual machine error messages". That this change is refused in these
        # words is an assumption; no recording of it is public.
        raise not_allowed(
            f"Operation 'update securityProfile.securityType' is not allowed on VM '{vm['name']}' since the "
            "VM is not deallocated."
        )
    if wanted == "Standard" and call.version < STANDARD_SINCE:
        # Learn: needs the feature UseStandardSecurityType before 2025-11-01. The wording is an assumption.
        raise ArmError(
            400,
            "BadRequest",
            "The value 'Standard' is not available for property 'securityType' until the feature "
            "'Microsoft.Compute/UseStandardSecurityType' is registered on the subscription.",
        )


def _check_size(state: State, vm: Json) -> None:
    name = look(vm, "properties.hardwareProfile.vmSize")
    size = state.size(name, vm.get("location"))
    if size is None:
        return
    generations = str(capability(size, "HyperVGenerations") or "").upper().split(",")
    if "V2" not in generations or same(capability(size, "TrustedLaunchDisabled"), "True"):
        # The rule is Learn's; the wording is an assumption.
        raise ArmError(
            400,
            "BadRequest",
            f"The virtual machine size '{name}' does not support security type 'TrustedLaunch'. "
            "For more information, see https://aka.ms/TrustedLaunch-FAQ.",
        )


def _check_host_encryption(state: State, before: Json, after: Json, machine: Machine) -> None:
    """Encryption at host changes only while deallocated, never after Azure Disk Encryption.

    Learn, "Use encryption at host", restrictions. The wordings are assumptions.
    """
    was, wanted = (look(vm, "properties.securityProfile.encryptionAtHost") is True for vm in (before, after))
    if was is wanted:
        return
    name = before["name"]
    if machine.power is not Power.DEALLOCATED:
        raise not_allowed(
            f"Operation 'update securityProfile.encryptionAtHost' is not allowed on VM '{name}' since the VM "
            "is not deallocated."
        )
    if wanted and ever_ade(state, before):
        raise not_allowed(
            f"Encryption at host cannot be enabled on VM '{name}' since it was previously encrypted with "
            "Azure Disk Encryption."
        )
    size = state.size(look(after, "properties.hardwareProfile.vmSize"), after.get("location"))
    if wanted and size is not None and same(capability(size, "EncryptionAtHostSupported"), "False"):
        raise invalid_parameter(
            f"The property 'securityProfile.encryptionAtHost' is not valid because the VM size "
            f"'{size['name']}' does not support it.",
            "securityProfile.encryptionAtHost",
        )


def ever_ade(state: State, vm: Json) -> bool:
    """Tell whether Azure Disk Encryption ever touched a machine or one of its disks."""
    touched = {vm["id"].lower(), *(disk["id"].lower() for disk in state.disks(vm))}
    return not touched.isdisjoint(state.ever_ade)


def restarts(before: Json, after: Json) -> bool:
    """Tell whether a running machine restarts for a change: new firmware settings, or a new size."""
    paths = ("properties.securityProfile.uefiSettings", "properties.hardwareProfile.vmSize")
    return any(look(before, path) != look(after, path) for path in paths)


def convert_generation(state: State, vm: Json) -> None:
    """Give a generation 1 machine UEFI firmware, which its disk may not be fit for.

    Learn, "Upgrade Gen1 VMs to Trusted Launch": a disk that was not converted to GPT first does not boot.
    """
    disk = state.os_disk(vm)
    if disk is None or disk["properties"].get("hyperVGeneration") == "V2":
        return
    disk["properties"]["hyperVGeneration"] = "V2"
    tag = (disk.get("tags") or {}).get("guestPartitionStyle")
    if not same(tag, "gpt") and str(os_disk_id(vm)).lower() not in state.gpt:
        state.machine(vm).can_boot = False
