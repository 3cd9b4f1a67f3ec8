"""Trusted Launch: Secure Boot and vTPM, switched on while the VM is deallocated.

Sources: Microsoft Learn, "Enable Trusted launch on existing Azure Gen2 VMs"
(https://learn.microsoft.com/azure/virtual-machines/trusted-launch-existing-vm), "Trusted Launch FAQ"
(https://learn.microsoft.com/azure/virtual-machines/trusted-launch-faq) for what Secure Boot refuses.
Does: what was chosen of Secure Boot (on; off; staged: on after a first boot without it was proven), the disk
of a generation 1 VM where its conversion was chosen (`generation1`), a fresh backup and its policy before
(`backup`), attestation after the soak (`attestation`).
Does not: sign drivers, suspend BitLocker, or look after Azure Site Recovery: the rules ask for these first.
"""

from typing import Any

from playbooks import attestation, backup, generation1
from readiness.model.context import Choice, SecureBoot, TrustedLaunchChoice
from readiness.model.observation import Before, Observation
from readiness.model.playbook import OutageNeed, Playbook, PlaybookSpec, Target
from readiness.model.steps import Change, PatchVm, Step, Undo
from readiness.model.verdict import Dimension, Verdict, met, not_applicable, unmet
from readiness.model.virtual_machine import Power, SecurityType, VirtualMachine

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


def prepare(target: Target) -> tuple[Change, ...]:
    """Have a fresh backup under a policy that follows, and learn early whether a disk can be converted."""
    if not convert(target):
        return ()
    early = generation1.check(target) if generation1.is_chosen(target.choice, target.vm) else ()
    return (*early, *backup.enhanced(target), *backup.fresh(target))


def last_running(target: Target) -> tuple[Change, ...]:
    """Convert the disk of a generation 1 VM."""
    return generation1.convert(target) if generation1.is_chosen(target.choice, target.vm) else ()


def convert(target: Target) -> tuple[Change, ...]:
    """Set the security type; both UEFI settings are always sent, since their defaults differ by tool."""
    choice, vm = target.choice.trusted_launch, target.vm
    if choice is None:
        return ()
    first = _first_boot(vm, choice)
    if (vm.boot.security_type, vm.boot.secure_boot, vm.boot.vtpm) == (
        SecurityType.TRUSTED_LAUNCH,
        first,
        True,
    ):
        return ()
    return (PatchVm(vm=vm.id, properties=_profile(secure_boot=first, vtpm=True)),)


def restart(target: Target) -> tuple[Change, ...]:
    """Switch Secure Boot on, where it was staged and the first boot is proven."""
    choice = target.choice.trusted_launch
    if choice is None or not convert(target) or _first_boot(target.vm, choice) is _last_boot(choice):
        return ()
    return (PatchVm(vm=target.vm.id, properties=_profile(secure_boot=True, vtpm=True)),)


def fall_back(target: Target) -> tuple[Change, ...]:
    """Leave Secure Boot off and keep the vTPM, unless it was on before or the owner wants no less."""
    choice, vm = target.choice.trusted_launch, target.vm
    if choice is None or not (choice.fall_back and _last_boot(choice) and convert(target)):
        return ()
    if vm.boot.secure_boot or not target.boots:
        return ()
    return (PatchVm(vm=vm.id, properties=_profile(secure_boot=False, vtpm=True)),)


def close(target: Target) -> tuple[Change, ...]:
    """Have the boots of a running VM attested; without Secure Boot they could not be."""
    choice = target.choice.trusted_launch
    if choice is None or not _last_boot(choice) or target.vm.power is not Power.RUNNING:
        return ()
    return attestation.steps(target.vm)


def prepared(choice: Choice, seen: Observation) -> tuple[Verdict, ...]:
    """Refuse a disk to convert in a VM that is off: it is converted from inside."""
    if generation1.is_chosen(choice, seen.vm) and seen.vm.power is not Power.RUNNING:
        return (unmet("NotRunning", f"{seen.vm.name} has to run: its disk is converted from inside"),)
    return ()


def verify(choice: Choice, seen: Observation) -> tuple[Verdict, ...]:
    """Prove that Azure shows what was asked for; a VM that is off may still await a staged Secure Boot."""
    wish, boot = choice.trusted_launch, seen.vm.boot
    if wish is None:
        return (not_applicable("NotChosen"),)
    staged = wish.secure_boot is SecureBoot.STAGED and seen.vm.power is not Power.RUNNING
    accepted = (True, False) if staged else (_last_boot(wish),)
    is_trusted = boot.security_type is SecurityType.TRUSTED_LAUNCH and boot.vtpm is True
    if is_trusted and boot.secure_boot in accepted and not generation1.is_chosen(choice, seen.vm):
        return (met("TrustedLaunch"),)
    return (unmet("TrustedLaunchNotShown", f"{seen.vm.name} does not show the Trusted Launch settings"),)


def undo(before: Before, begun: tuple[Step, ...]) -> tuple[Step, ...]:
    """Return to the security type and UEFI settings from before, and remove the extension.

    Going back to Standard needs api-version 2025-11-01 or later; secrets sealed in the vTPM are lost.
    """
    snapshot = generation1.snapshot_of(begun)
    if snapshot is not None:
        return generation1.undo(snapshot, begun)
    removed = attestation.undo(before, begun)
    if not any(isinstance(step, PatchVm) and _touches_security_type(step) for step in begun):
        return removed
    standard = {"securityProfile": {"securityType": SecurityType.STANDARD.value, "uefiSettings": None}}
    was_trusted = before.security_type is SecurityType.TRUSTED_LAUNCH
    earlier = _profile(secure_boot=bool(before.secure_boot), vtpm=bool(before.vtpm))
    return (*removed, PatchVm(vm=before.vm, properties=earlier if was_trusted else standard))


def undo_kind(target: Target) -> Undo:
    """Return how far the way back reaches: a VM of generation 1 can only be rebuilt as one."""
    return Undo.REBUILD if generation1.is_chosen(target.choice, target.vm) else SPEC.undo


def consent(target: Target) -> tuple[str, ...]:
    """Return what its owner agrees to."""
    told = [*backup.consent(target)] if convert(target) else []
    if generation1.is_chosen(target.choice, target.vm):
        told += generation1.consent(target)
    if restart(target) and target.boots:
        told.append("it restarts a second time: Secure Boot is switched on once a first boot is proven")
    elif restart(target):
        told.append("Secure Boot stays off: it is off now, and no first boot can be proven")
    if fall_back(target):
        told.append("Secure Boot stays off if it does not come up with it")
    return tuple(told)


def _first_boot(vm: VirtualMachine, choice: TrustedLaunchChoice) -> bool:
    """Return whether Secure Boot is on in the first boot: a VM that runs with a vTPM has had that boot."""
    if choice.secure_boot is not SecureBoot.STAGED or vm.boot.secure_boot:
        return _last_boot(choice)
    has_vtpm = vm.boot.security_type is SecurityType.TRUSTED_LAUNCH and vm.boot.vtpm is True
    return has_vtpm and vm.power is Power.RUNNING


def _last_boot(choice: TrustedLaunchChoice) -> bool:
    return choice.secure_boot is not SecureBoot.OFF


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
    spec=SPEC,
    is_chosen=is_chosen,
    prepare=prepare,
    last_running=last_running,
    convert=convert,
    restart=restart,
    fall_back=fall_back,
    close=close,
    prepared=prepared,
    verify=verify,
    undo=undo,
    undo_kind=undo_kind,
    consent=consent,
)
