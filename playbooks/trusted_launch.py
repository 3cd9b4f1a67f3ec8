"""Trusted Launch for a generation 2 VM: Secure Boot and vTPM, switched on while it is deallocated.

Source: Microsoft Learn, "Enable Trusted launch on existing Azure Gen2 VMs"
(https://learn.microsoft.com/azure/virtual-machines/trusted-launch-existing-vm).
Does not: convert generation 1 disks, or install the attestation extension.
"""

from typing import Any

from readiness.model.context import Choice, TrustedLaunchChoice
from readiness.model.observation import Before, Observation
from readiness.model.playbook import OutageNeed, Playbook, PlaybookSpec, Target
from readiness.model.steps import Change, PatchVm, Undo
from readiness.model.verdict import Dimension, Verdict, met, not_applicable, unmet
from readiness.model.virtual_machine import SecurityType, VirtualMachine

SPEC = PlaybookSpec(
    id="trusted-launch",
    title="Trusted Launch",
    dimension=Dimension.TRUSTED_LAUNCH,
    level=2,
    outage=OutageNeed.DEALLOCATE,
    needs=(
        "TL002",
        "TL003",
        "TL004",
        "TL005",
        "TL006",
        "TL007",
        "TL008",
        "TL009",
        "TL010",
        "TL011",
        "TL012",
        "TL013",
        "TL014",
        "TL015",
        "TL016",
        "TL017",
        "TL018",
        "TL019",
        "TL020",
        "TL022",
        "TL023",
        "TL030",
    ),
    undo=Undo.CONFIG,
)


def is_chosen(choice: Choice) -> bool:
    """Tell whether Trusted Launch was chosen for the VM."""
    return choice.trusted_launch is not None


def prepare(_target: Target) -> tuple[Change, ...]:
    """Do nothing online."""
    return ()


def convert(target: Target) -> tuple[Change, ...]:
    """Set the security type; both UEFI settings are always sent, since their defaults differ by tool."""
    choice = target.choice.trusted_launch
    if choice is None or _shows(target.vm, choice):
        return ()
    return (PatchVm(vm=target.vm.id, properties=_profile(secure_boot=choice.secure_boot, vtpm=True)),)


def verify(choice: Choice, seen: Observation) -> tuple[Verdict, ...]:
    """Prove that Azure shows the settings that were asked for."""
    if choice.trusted_launch is None:
        return (not_applicable("NotChosen"),)
    if _shows(seen.vm, choice.trusted_launch):
        return (met("TrustedLaunch"),)
    return (unmet("TrustedLaunchNotShown", f"{seen.vm.name} does not show the Trusted Launch settings"),)


def undo(before: Before, begun: tuple[Change, ...]) -> tuple[Change, ...]:
    """Return to the security type and UEFI settings from before.

    Going back to Standard needs api-version 2025-11-01 or later; secrets sealed in the vTPM are lost.
    """
    if not any(isinstance(step, PatchVm) and _touches_security_type(step) for step in begun):
        return ()
    if before.security_type is SecurityType.TRUSTED_LAUNCH:
        return (
            PatchVm(
                vm=before.vm,
                properties=_profile(secure_boot=bool(before.secure_boot), vtpm=bool(before.vtpm)),
            ),
        )
    standard = {"securityProfile": {"securityType": SecurityType.STANDARD.value, "uefiSettings": None}}
    return (PatchVm(vm=before.vm, properties=standard),)


def _shows(vm: VirtualMachine, choice: TrustedLaunchChoice) -> bool:
    wanted = (SecurityType.TRUSTED_LAUNCH, choice.secure_boot, True)
    return (vm.boot.security_type, vm.boot.secure_boot, vm.boot.vtpm) == wanted


def _profile(*, secure_boot: bool, vtpm: bool) -> dict[str, Any]:
    return {
        "securityProfile": {
            "securityType": SecurityType.TRUSTED_LAUNCH.value,
            "uefiSettings": {"secureBootEnabled": secure_boot, "vTpmEnabled": vtpm},
        }
    }


def _touches_security_type(step: PatchVm) -> bool:
    return "securityType" in step.properties.get("securityProfile", {})


PLAYBOOK = Playbook(
    spec=SPEC, is_chosen=is_chosen, prepare=prepare, convert=convert, verify=verify, undo=undo
)
