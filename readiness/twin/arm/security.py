"""The security type of a virtual machine: which changes Azure refuses, and what an accepted one entails.

Learn, "Enable Trusted Launch on existing VMs": the security type changes only while the machine is
deallocated; Secure Boot and vTPM of a Trusted Launch machine toggle in any state, and a running machine
restarts. A machine whose disk was generation 1 becomes generation 2 for good, and boots only from a GUID
partition table. Learn, "Trusted Launch for Azure virtual machines": from 2025-11-01 on a new generation 2
machine of which nothing is said gets Trusted Launch, if size and image can.
"""

from readiness.twin import paths
from readiness.twin.arm import features, host_encryption, sizes
from readiness.twin.arm.image_facts import ImageFacts, facts
from readiness.twin.documents import Json, look, same, section
from readiness.twin.guest import inside
from readiness.twin.machine import Machine, Power
from readiness.twin.messages import ArmError, invalid_parameter, not_allowed, property_change_not_allowed
from readiness.twin.state import State, capability
from readiness.twin.world import Call, World

STANDARD_SINCE = "2025-11-01"
"""From this api-version on `Standard` is told, can be asked for without a feature, and is no default."""

_TYPES = ("Standard", "TrustedLaunch", "ConfidentialVM")
_MORE = "For more information, see https://aka.ms/TrustedLaunch-FAQ."


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
    elif isinstance(profile := body["properties"].get("securityProfile"), dict):
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


def default(state: State, vm: Json, version: str, *, generation: str, can: bool | None) -> None:
    """Give a new machine of which nothing is said Trusted Launch, where its size and its image can.

    That both settings are on then is an assumption.
    """
    given = look(vm, "properties.securityProfile.securityType")
    if given is not None or version < STANDARD_SINCE or generation != "V2" or can is False:
        return
    if not _size_can(state, vm):
        return
    profile = section(vm["properties"], "securityProfile")
    profile["securityType"] = "TrustedLaunch"
    settings = section(profile, "uefiSettings")
    settings.setdefault("secureBootEnabled", True)
    settings.setdefault("vTpmEnabled", True)


def check_new(state: State, call: Call, vm: Json, *, generation: str, can: bool | None) -> None:
    """Refuse a security type a new machine cannot have."""
    _check_known(vm)
    _check_settings(vm)
    wanted = security_type(vm)
    if wanted == "Standard" and look(vm, "properties.securityProfile.securityType") is not None:
        _check_standard(state, call)
    if wanted == "TrustedLaunch":
        if generation != "V2" or can is False:
            raise _image_refused()
        _check_size(state, vm)
        _check_hibernation(vm)
    if wanted == "ConfidentialVM":
        _check_confidential_size(state, vm)
    host_encryption.check_new(state, vm)


def check(world: World, call: Call, before: Json, after: Json) -> None:
    """Refuse a change Azure refuses."""
    machine = world.state.machine(before)
    was, wanted = security_type(before), security_type(after)
    _check_known(after)
    if was != wanted:
        _check_change(world.state, call, before, machine, wanted)
    _check_settings(after)
    resizes = not same(sizes.name_of(before), sizes.name_of(after))
    if wanted == "TrustedLaunch" and (was != wanted or resizes):
        _check_size(world.state, after)
    if wanted == "TrustedLaunch":
        _check_hibernation(after)
    if wanted == "TrustedLaunch" and was != wanted:
        _check_source(world.state, after)
        _check_backup(world.state, after)
    if wanted == "ConfidentialVM" and resizes:
        _check_confidential_size(world.state, after)
    host_encryption.check_change(world.state, before, after, machine)


def _check_known(vm: Json) -> None:
    if (wanted := security_type(vm)) not in _TYPES:
        raise invalid_parameter(
            f"The value '{wanted}' of parameter 'securityType' is invalid.", "securityType"
        )


def _check_settings(vm: Json) -> None:
    has_settings = look(vm, "properties.securityProfile.uefiSettings") is not None
    if security_type(vm) == "Standard" and has_settings:
        raise ArmError(
            400,
            "BadRequest",
            "Use of 'uefiSettings' requires 'securityProfile.securityType' to be TrustedLaunch.",
            unverified=True,
        )


def _check_change(state: State, call: Call, vm: Json, machine: Machine, wanted: str) -> None:
    if "ConfidentialVM" in (security_type(vm), wanted):
        raise property_change_not_allowed("securityProfile.securityType")
    if isinstance(look(vm, "properties.virtualMachineScaleSet.id"), str):
        # Learn offers this for scale sets in a preview by invitation alone.
        raise property_change_not_allowed("securityProfile.securityType", unverified=True)
    if machine.power is not Power.DEALLOCATED:
        # Template: Learn, "Understand common error messages". That it serves here is an assumption.
        raise not_allowed(
            f"Operation 'update securityProfile.securityType' is not allowed on VM '{vm['name']}' since the "
            "VM is not deallocated.",
            unverified=True,
        )
    if wanted == "Standard":
        _check_standard(state, call)


def _check_standard(state: State, call: Call) -> None:
    """Before 2025-11-01, the word Standard needs a feature; the refusal is on public record."""
    subscription = call.address.subscription
    if call.version >= STANDARD_SINCE or features.is_registered(state, subscription, features.STANDARD_TYPE):
        return
    raise ArmError(
        400,
        "BadRequest",
        "The value 'Standard' is not available for property 'securityType' until the feature "
        "Microsoft.Compute/UseStandardSecurityType OR Microsoft.Compute/StandardSecurityTypeAsFirstClassEnum "
        f"is registered on subscription {subscription}. Please register the feature and retry.",
    )


def _size_can(state: State, vm: Json) -> bool:
    size = state.size(sizes.name_of(vm), vm.get("location"))
    if size is None:
        return True
    generations = str(capability(size, "HyperVGenerations") or "").upper().split(",")
    return "V2" in generations and not same(capability(size, "TrustedLaunchDisabled"), "True")


def _check_size(state: State, vm: Json) -> None:
    if not _size_can(state, vm):
        # azure-cli#28005 has the sentence for new machines; no record shows its status, or an update.
        raise ArmError(
            400,
            "BadRequest",
            f"The VM size '{sizes.name_of(vm)}' is not supported for creation of VMs and Virtual Machine "
            f"Scale Set with 'TrustedLaunch' security type. {_MORE}",
            unverified=True,
        )


def _check_confidential_size(state: State, vm: Json) -> None:
    size = state.size(sizes.name_of(vm), vm.get("location"))
    if size is not None and not capability(size, "ConfidentialComputingType"):
        # Formed after the sentence about Trusted Launch.
        raise ArmError(
            400,
            "BadRequest",
            f"The VM size '{sizes.name_of(vm)}' is not supported for creation of VMs and Virtual Machine "
            "Scale Set with 'ConfidentialVM' security type.",
            unverified=True,
        )


def _check_hibernation(vm: Json) -> None:
    """Learn, "Trusted Launch", unsupported features: no hibernation of Linux machines."""
    is_linux = same(look(vm, "properties.storageProfile.osDisk.osType"), "Linux")
    if is_linux and look(vm, "properties.additionalCapabilities.hibernationEnabled") is True:
        raise ArmError(
            400,
            "BadRequest",
            f"Hibernation is not supported for Linux VMs with 'TrustedLaunch' security type. {_MORE}",
            unverified=True,
        )


def _check_source(state: State, vm: Json) -> None:
    """Refuse an upgrade the operating system's disk or image is known not to support.

    That Azure asks images about an existing machine at all is an assumption: only refusals of new machines
    are on public record.
    """
    disk = state.os_disk(vm)
    option = look(disk, "properties.supportedCapabilities.supportedSecurityOption")
    is_first = look(disk, "properties.hyperVGeneration") == "V1"
    if isinstance(option, str) and "trustedlaunch" not in option.lower() and not is_first:
        raise _image_refused()
    reference = look(vm, "properties.storageProfile.imageReference")
    own = paths.parse(vm["id"]).subscription
    if isinstance(reference, dict) and not is_first and not isinstance(option, str):
        known: ImageFacts = facts(
            state, reference, subscription=own, location=vm.get("location"), os_type=None
        )
        if known.takes_trusted_launch is False:
            raise _image_refused()
    if is_first and features.is_registered(state, own, features.GEN1_UPGRADE) is False:
        # The feature was needed while this was a preview.
        raise ArmError(
            400,
            "BadRequest",
            "Upgrading a generation 1 VM to 'TrustedLaunch' needs the feature "
            "'Microsoft.Compute/Gen1ToTLMigrationPreview' to be registered on the subscription.",
            unverified=True,
        )


def _check_backup(state: State, vm: Json) -> None:
    """Refuse a machine that a Standard policy of Azure Backup protects, in words on public record.

    MicrosoftDocs/azure-docs, pull request 117510 has the refusal.
    """
    address = paths.parse(vm["id"])
    name = f"iaasvmcontainerv2;{address.group};{address.name}"
    for vault in state.of_kind("microsoft.recoveryservices/vaults", f"/subscriptions/{address.subscription}"):
        container = f"{vault['id']}/backupFabrics/Azure/protectionContainers/IaasVMContainer;{name}"
        item = state.find(f"{container}/protectedItems/VM;{name}")
        if item is not None and _is_standard(state, item):
            raise not_allowed(
                f"'{vm['name']}' cannot be upgraded to Trusted Launch as it is configured for Azure Backup "
                "using standard policy. Trusted Launch Backup is supported using Enhanced policy. Learn more "
                "about supported Trusted Launch upgrade scenarios at https://aka.ms/TrustedLaunchUpgrade"
            )


def _is_standard(state: State, item: Json) -> bool:
    """Tell whether a Standard policy protects an item; where nobody says, it is let through."""
    policy = state.find(look(item, "properties.policyId"))
    is_protected = not same(look(item, "properties.protectionState"), "ProtectionStopped")
    told = look(item, "properties.policyType") or look(policy, "properties.policyType")
    return is_protected and same(told, "V1")


def _image_refused() -> ArmError:
    """Refuse an image, in the recorded words."""
    return ArmError(
        400,
        "BadRequest",
        "Use of TrustedLaunch setting is not supported for the provided image. Please select Trusted Launch "
        f"Supported Gen2 OS Image. {_MORE}",
    )


def restarts(before: Json, after: Json) -> bool:
    """Tell whether a running machine restarts for a change: new firmware settings, or a new size."""
    changed = ("properties.securityProfile.uefiSettings", "properties.hardwareProfile.vmSize")
    return any(look(before, path) != look(after, path) for path in changed)


def take_effect(state: State, before: Json, after: Json) -> None:
    """Let a new security type reach the operating system disk.

    That a disk's own security type follows its machine's is an assumption; what Learn says is that disk and
    machine must match when one is attached to the other.
    """
    was, now = security_type(before), security_type(after)
    disk = state.os_disk(after)
    if was == now or disk is None:
        return
    if now == "TrustedLaunch":
        _convert_generation(state, after, disk)
        disk["properties"]["securityProfile"] = {"securityType": "TrustedLaunch"}
    elif now == "Standard":
        disk["properties"].pop("securityProfile", None)


def _convert_generation(state: State, vm: Json, disk: Json) -> None:
    """Give a generation 1 machine UEFI firmware, which its disk may not be fit for.

    Learn, "Upgrade Gen1 VMs to Trusted Launch": a disk that was not converted to GPT first does not boot.
    """
    if disk["properties"].get("hyperVGeneration") == "V2":
        return
    disk["properties"]["hyperVGeneration"] = "V2"
    if not inside.is_gpt(state, vm, disk):
        state.machine(vm).can_boot = False
