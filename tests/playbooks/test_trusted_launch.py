"""Trusted Launch as values: how Secure Boot is brought in, generation 1, attestation, and the ways back."""

import pytest
from msgspec.structs import replace

from playbooks import attestation, generation1
from playbooks.trusted_launch import PLAYBOOK
from readiness.model.context import Choice, Generation1, SecureBoot, TrustedLaunchChoice
from readiness.model.observation import Observation, before_of
from readiness.model.outage import compose
from readiness.model.playbook import Target
from readiness.model.steps import (
    AskGuest,
    Change,
    HandOver,
    InstallExtension,
    PatchVm,
    RemoveExtension,
    RunInGuest,
    Step,
    SwapOsDisk,
    TakeSnapshot,
    Undo,
)
from readiness.model.virtual_machine import BootProfile, OsFamily, Power, SecurityType, VirtualMachine
from tests.builders import OS_DISK, boot, disk, extension, vm

VM = vm()
OFF = vm(power=Power.DEALLOCATED)
ON_WITHOUT = boot(security_type=SecurityType.TRUSTED_LAUNCH, secure_boot=False, vtpm=True)
NO_VTPM = boot(security_type=SecurityType.TRUSTED_LAUNCH, secure_boot=True, vtpm=False)
COMPLETE = boot(security_type=SecurityType.TRUSTED_LAUNCH, secure_boot=True, vtpm=True)
OLD_LINUX = vm(boot=boot(generation=1))
OLD_WINDOWS = vm(boot=boot(generation=1), os_family=OsFamily.WINDOWS)
STANDARD = PatchVm(
    vm=VM.id, properties={"securityProfile": {"securityType": "Standard", "uefiSettings": None}}
)


def _patch(*, secure_boot: bool) -> PatchVm:
    uefi = {"secureBootEnabled": secure_boot, "vTpmEnabled": True}
    return PatchVm(
        vm=VM.id, properties={"securityProfile": {"securityType": "TrustedLaunch", "uefiSettings": uefi}}
    )


ON, WITHOUT = _patch(secure_boot=True), _patch(secure_boot=False)


def _target(machine: VirtualMachine = VM, **choice: object) -> Target:
    wish = TrustedLaunchChoice(**choice)  # type: ignore[arg-type]
    generation = machine.boot.generation
    return Target(vm=machine, disks=(disk(generation=generation),), choice=Choice(trusted_launch=wish))


def _with(profile: BootProfile, machine: VirtualMachine = VM) -> VirtualMachine:
    return replace(machine, boot=profile)


ON_SAID, OFF_SAID, STAGED = (
    {"secure_boot": SecureBoot.ON},
    {"secure_boot": SecureBoot.OFF},
    {"secure_boot": SecureBoot.STAGED},
)
BOOTS: dict[str, tuple[Target, tuple[tuple[Change, ...], ...]]] = {
    # convert, restart, fall back
    "on": (_target(**ON_SAID), ((ON,), (), (WITHOUT,))),
    "nobody settled it": (_target(), ((ON,), (), (WITHOUT,))),
    "on, and no less": (_target(**ON_SAID, fall_back=False), ((ON,), (), ())),
    "off": (_target(**OFF_SAID), ((WITHOUT,), (), ())),
    "staged": (_target(**STAGED), ((WITHOUT,), (ON,), (WITHOUT,))),
    "staged, and found off": (_target(OFF, **STAGED), ((WITHOUT,), (ON,), ())),
    "on, and found off": (_target(OFF, **ON_SAID), ((ON,), (), ())),
    "staged, and the first boot was had": (_target(_with(ON_WITHOUT), **STAGED), ((ON,), (), (WITHOUT,))),
    "staged, found off without Secure Boot": (_target(_with(ON_WITHOUT, OFF), **STAGED), ((), (), ())),
    "staged, and nothing is missing": (_target(_with(COMPLETE), **STAGED), ((), (), ())),
    "only the vTPM is missing": (_target(_with(NO_VTPM), **STAGED), ((ON,), (), ())),
}


@pytest.mark.parametrize("case", BOOTS)
def test_how_secure_boot_is_brought_in(case: str) -> None:
    """What the outage sets, what its second restart sets, and what is tried before the way back."""
    target, expected = BOOTS[case]

    assert expected == (PLAYBOOK.convert(target), PLAYBOOK.restart(target), PLAYBOOK.fall_back(target))


def test_a_staged_outage_has_two_starts() -> None:
    """Secure Boot is written only after the first boot was proven, while the VM is off once more."""
    target = _target(**STAGED)
    steps = compose(VM.id, VM.managed_disks, PLAYBOOK.convert(target), restart=PLAYBOOK.restart(target)).steps

    assert [
        "outage.deallocate",
        "outage.take-snapshot:vm1-os",
        "outage.patch-vm",
        "outage.start",
        "outage.prove-health",
        "restart.deallocate",
        "restart.patch-vm",
        "restart.start",
        "restart.prove-health",
    ] == [planned.name for planned in steps]


def _seen(machine: VirtualMachine) -> Observation:
    return Observation(vm=machine, disks=(disk(generation=machine.boot.generation),))


CONVERT_IT = {"generation_1": Generation1.CONVERT}
VERIFY: dict[str, tuple[dict[str, object], VirtualMachine, str]] = {
    "staged and on": (STAGED, _with(COMPLETE), "met TrustedLaunch"),
    "staged and not on": (STAGED, _with(ON_WITHOUT), "unmet TrustedLaunchNotShown"),
    "staged and left off": (STAGED, _with(ON_WITHOUT, OFF), "met TrustedLaunch"),
    "on and left off": (ON_SAID, _with(ON_WITHOUT, OFF), "unmet TrustedLaunchNotShown"),
    "still generation 1": (CONVERT_IT, _with(replace(COMPLETE, generation=1)), "unmet TrustedLaunchNotShown"),
    "generation 2 by now": (CONVERT_IT, _with(COMPLETE), "met TrustedLaunch"),
}


@pytest.mark.parametrize("case", VERIFY)
def test_verify(case: str) -> None:
    """A VM that runs has to show what was chosen; one that was left off may still await Secure Boot."""
    wish, machine, expected = VERIFY[case]
    (verdict,) = PLAYBOOK.verify(_target(**wish).choice, _seen(machine))

    assert expected == f"{verdict.status} {verdict.reason}"


def _names(steps: tuple[Change, ...]) -> list[str]:
    return [step.name if isinstance(step, RunInGuest) else type(step).__name__ for step in steps]


SNAPSHOT = TakeSnapshot(vm=VM.id, disk=OS_DISK, moment="before-conversion")


@pytest.mark.parametrize(
    ("machine", "early", "last"),
    [
        (
            OLD_WINDOWS,
            ["validate-disk-layout"],
            ["validate-disk-layout", "TakeSnapshot", "convert-disk-to-gpt"],
        ),
        (OLD_LINUX, ["check-boot-layout"], ["check-boot-layout", "TakeSnapshot"]),
        (VM, [], []),
    ],
    ids=["Windows", "Linux", "generation 2"],
)
def test_a_disk_of_generation_1(machine: VirtualMachine, early: list[str], last: list[str]) -> None:
    """Asked days before, asked again in the window, kept in a full snapshot, and converted last of all."""
    target = _target(machine, **CONVERT_IT)

    assert (early, last) == (_names(PLAYBOOK.prepare(target)), _names(PLAYBOOK.last_running(target)))
    assert (ON,) == PLAYBOOK.convert(target)
    assert (Undo.REBUILD if last else Undo.CONFIG) == PLAYBOOK.undo_kind(target)
    assert not last or SNAPSHOT in PLAYBOOK.last_running(target)


def test_generation_1_is_left_alone_unless_chosen() -> None:
    """Without the choice nothing is run in the guest, and nobody is asked to agree to it."""
    target = _target(OLD_WINDOWS)

    assert () == PLAYBOOK.last_running(target) == PLAYBOOK.prepare(target)
    assert not any("generation" in line for line in PLAYBOOK.consent(target))


def test_the_conversion_is_the_last_work_before_the_vm_goes_down() -> None:
    """No restart comes between the conversion and the upgrade, and a second snapshot is taken while off."""
    target = _target(OLD_WINDOWS, **CONVERT_IT)
    steps = compose(
        VM.id, VM.managed_disks, PLAYBOOK.convert(target), last_running=PLAYBOOK.last_running(target)
    ).steps

    assert [
        "guest.run-in-guest:validate-disk-layout",
        "guest.take-snapshot:vm1-os@before-conversion",
        "guest.run-in-guest:convert-disk-to-gpt",
        "outage.deallocate",
        "outage.take-snapshot:vm1-os",
        "outage.patch-vm",
        "outage.start",
        "outage.prove-health",
    ] == [planned.name for planned in steps]


@pytest.mark.parametrize(
    ("machine", "wish", "refused"),
    [
        (replace(OLD_WINDOWS, power=Power.DEALLOCATED), CONVERT_IT, True),
        (OLD_WINDOWS, CONVERT_IT, False),
        (OFF, CONVERT_IT, False),
        (replace(OLD_WINDOWS, power=Power.DEALLOCATED), {}, False),
    ],
)
def test_a_disk_to_convert_needs_a_running_vm(
    machine: VirtualMachine, wish: dict[str, object], *, refused: bool
) -> None:
    """A VM that was found off would be upgraded with a disk that cannot boot."""
    found = PLAYBOOK.prepared(_target(**wish).choice, _seen(machine))

    assert (["NotRunning"] if refused else []) == [verdict.reason for verdict in found]


WINDOWS_STEPS = PLAYBOOK.last_running(_target(OLD_WINDOWS, **CONVERT_IT))
LINUX_STEPS = PLAYBOOK.last_running(_target(OLD_LINUX, **CONVERT_IT))
SWAP = SwapOsDisk(vm=VM.id, disk=OS_DISK, moment="before-conversion")


@pytest.mark.parametrize(
    ("machine", "begun", "expected"),
    [
        (OLD_WINDOWS, WINDOWS_STEPS[:2], ()),
        (OLD_WINDOWS, WINDOWS_STEPS, (SWAP,)),
        (OLD_WINDOWS, WINDOWS_STEPS[:1], ()),
        (OLD_LINUX, LINUX_STEPS, ()),
        (VM, (ON,), (STANDARD,)),
        (VM, (WITHOUT, ON, WITHOUT), (STANDARD,)),
    ],
    ids=["not converted", "converted", "validated", "Linux", "generation 2", "fallen back"],
)
def test_the_way_back_is_automatic(
    machine: VirtualMachine, begun: tuple[Step, ...], expected: tuple[Step, ...]
) -> None:
    """A converted disk is swapped for its snapshot while the VM is of generation 1; settings are set back."""
    assert expected == PLAYBOOK.undo(before_of(_seen(machine)), begun)


@pytest.mark.parametrize("steps", [WINDOWS_STEPS, LINUX_STEPS], ids=["Windows", "Linux"])
def test_a_person_rebuilds_what_became_generation_2(steps: tuple[Step, ...]) -> None:
    """Once the write was begun no disk is swapped: a person gets the snapshot and the steps."""
    (found,) = PLAYBOOK.undo(before_of(_seen(OLD_WINDOWS)), (*steps, ON))

    assert isinstance(found, HandOver)
    assert "RebuildNeeded" == found.code
    assert all(word in found.reason for word in ("snapshot", OS_DISK.name, VM.name, "Detach", "roles"))


CONSENT: dict[str, tuple[Target, str]] = {
    "staged": (_target(**STAGED), "restarts a second time"),
    "staged, and found off": (_target(OFF, **STAGED), "Secure Boot stays off: it is off now"),
    "fall back": (_target(), "Secure Boot stays off if it does not come up with it"),
    "Windows of generation 1": (_target(OLD_WINDOWS, **CONVERT_IT), "converted to GPT"),
    "Linux of generation 1": (_target(OLD_LINUX, **CONVERT_IT), "never be reimaged"),
}


@pytest.mark.parametrize("case", CONSENT)
def test_consent(case: str) -> None:
    """Whoever agrees is told of a second restart, of a weaker setting, and of what cannot be taken back."""
    target, expected = CONSENT[case]

    assert PLAYBOOK.consent is not None
    assert any(expected in line for line in PLAYBOOK.consent(target))


def test_nothing_to_agree_to() -> None:
    """A VM with Secure Boot chosen off has neither a second restart nor a weaker setting."""
    assert PLAYBOOK.consent is not None
    assert () == PLAYBOOK.consent(_target(**OFF_SAID))


@pytest.mark.parametrize(
    ("family", "publisher"),
    [
        (OsFamily.LINUX, "Microsoft.Azure.Security.LinuxAttestation"),
        (OsFamily.WINDOWS, "Microsoft.Azure.Security.WindowsAttestation"),
    ],
)
def test_boots_are_attested_after_the_soak(family: OsFamily, publisher: str) -> None:
    """The extension of the system is installed, and the certificates are asked for."""
    install, ask = PLAYBOOK.close(_target(vm(os_family=family)))

    assert isinstance(install, InstallExtension)
    assert (publisher, "GuestAttestation", "1.0") == (install.publisher, install.kind, install.version)
    assert isinstance(ask, AskGuest)
    assert ask.courtesy


@pytest.mark.parametrize(
    ("target", "kinds"),
    [
        (_target(**OFF_SAID), []),
        (_target(OFF), []),
        (_target(vm(os_family=None)), []),
        (
            _target(
                vm(extensions=(extension("microsoft.azure.security.linuxattestation", "GuestAttestation"),))
            ),
            [AskGuest],
        ),
    ],
    ids=["without Secure Boot", "off", "unknown system", "there already"],
)
def test_what_cannot_be_attested_is_left_alone(target: Target, kinds: list[type[Step]]) -> None:
    """Attestation needs Secure Boot and a running VM, and is installed once."""
    assert kinds == [type(step) for step in PLAYBOOK.close(target)]


def test_an_extension_that_was_there_stays() -> None:
    """Closure takes back only what it installed."""
    install = attestation.steps(VM)[0]
    had = vm(extensions=(extension("p", "GuestAttestation"),))

    assert (RemoveExtension(vm=VM.id, name="GuestAttestation"),) == PLAYBOOK.undo(
        before_of(_seen(VM)), (install,)
    )
    assert () == PLAYBOOK.undo(before_of(_seen(had)), (install,))


def test_a_vm_without_a_managed_disk_is_not_converted() -> None:
    """Without a disk to keep there is no snapshot, and so no conversion."""
    assert () == generation1.convert(_target(replace(OLD_WINDOWS, os_disk=None), **CONVERT_IT))
