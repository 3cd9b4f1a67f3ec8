"""Wherever a campaign breaks off, the way back restores what was recorded."""

from copy import deepcopy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from playbooks.catalog import ALL_PLAYBOOKS
from readiness.model.context import Choice, IdentityChoice, SecureBoot, TrustedLaunchChoice
from readiness.model.disk import Disk, Encryption, EncryptionType
from readiness.model.observation import Observation, before_of, differences
from readiness.model.outage import compose, compose_undo
from readiness.model.playbook import Playbook, Target
from readiness.model.steps import (
    AssignIdentity,
    Deallocate,
    PatchVm,
    ProveHealth,
    ProveRestored,
    RemoveIdentity,
    SetDiskEncryption,
    Start,
    Step,
    TakeSnapshot,
)
from readiness.model.virtual_machine import DiskAttachment, Identity, Power, SecurityType, VirtualMachine
from tests.builders import CUSTOMER_KEY, ENCRYPTION_SET, OS_DISK, PLATFORM_KEY, boot, disk, rid, vm

DATA_DISK = rid("Microsoft.Compute/disks", "vm1-data")
DOUBLE = Encryption(type=EncryptionType.PLATFORM_AND_CUSTOMER_KEYS, disk_encryption_set=ENCRYPTION_SET)


def perform(seen: Observation, step: Step) -> Observation:
    """Return what a VM looks like after a step, as Azure documents each."""
    match step:
        case Deallocate():
            return _with(seen, power=Power.DEALLOCATED)
        case Start():
            return _with(seen, power=Power.RUNNING)
        case AssignIdentity() | RemoveIdentity():
            has = isinstance(step, AssignIdentity)
            return _with(seen, identity=replace(seen.vm.identity, system_assigned=has))
        case PatchVm():
            return _with(seen, boot=_patched(seen.vm, step.properties["securityProfile"]))
        case SetDiskEncryption():
            disks = tuple(
                replace(entry, encryption=step.encryption) if entry.id == step.disk else entry
                for entry in seen.disks
            )
            return replace(seen, disks=disks)
        case _:
            return seen


def _with(seen: Observation, **changes: Any) -> Observation:
    return replace(seen, vm=replace(seen.vm, **changes))


def _patched(machine: VirtualMachine, profile: dict[str, Any]) -> Any:
    changed = machine.boot
    if "securityType" in profile:
        changed = replace(changed, security_type=SecurityType(profile["securityType"]))
    if "uefiSettings" in profile:
        uefi = profile["uefiSettings"] or {"secureBootEnabled": None, "vTpmEnabled": None}
        changed = replace(changed, secure_boot=uefi["secureBootEnabled"], vtpm=uefi["vTpmEnabled"])
    if "encryptionAtHost" in profile:
        changed = replace(changed, encryption_at_host=profile["encryptionAtHost"])
    return changed


_boots = st.builds(
    boot,
    encryption_at_host=st.booleans(),
) | st.builds(
    boot,
    security_type=st.just(SecurityType.TRUSTED_LAUNCH),
    secure_boot=st.booleans(),
    vtpm=st.booleans(),
    encryption_at_host=st.booleans(),
)
_encryptions = st.sampled_from([PLATFORM_KEY, PLATFORM_KEY, CUSTOMER_KEY, DOUBLE])
_choices = st.builds(
    Choice,
    trusted_launch=st.none() | st.builds(TrustedLaunchChoice, secure_boot=st.sampled_from(SecureBoot)),
    disk_encryption_set=st.none() | st.just(ENCRYPTION_SET),
    encryption_at_host=st.none() | st.booleans(),
    identity=st.none() | st.just(IdentityChoice()),
)


@st.composite
def targets(draw: st.DrawFn) -> Target:
    """Draw a VM with two disks, running or off, and what was chosen for it."""
    disks: tuple[Disk, ...] = (
        disk(encryption=draw(_encryptions)),
        disk(id=DATA_DISK, unique_id="disk-2", encryption=draw(_encryptions)),
    )
    machine = vm(
        boot=draw(_boots),
        power=draw(st.sampled_from([Power.RUNNING, Power.DEALLOCATED])),
        identity=Identity(system_assigned=draw(st.booleans())),
        os_disk=DiskAttachment(disk=OS_DISK),
        data_disks=(DiskAttachment(disk=DATA_DISK, lun=0),),
    )
    return Target(vm=machine, disks=disks, choice=draw(_choices))


def _chosen(target: Target) -> list[Playbook]:
    return [playbook for playbook in ALL_PLAYBOOKS if playbook.is_chosen(target.choice)]


def _outage(target: Target) -> list[Step]:
    """Return what is done in the outage; a VM that is off is neither started nor restarted."""
    books = _chosen(target)
    changes = [change for playbook in books for change in playbook.convert(target)]
    again = [change for playbook in books for change in playbook.restart(target)]
    steps = compose(target.vm.id, target.vm.managed_disks, changes, restart=again).steps
    off = target.vm.power is Power.DEALLOCATED
    return [
        planned.step
        for planned in steps
        if not isinstance(planned.step, ProveHealth)
        and not (off and (isinstance(planned.step, Start) or planned.name.startswith("restart.")))
    ]


@given(targets(), st.data())
def test_every_prefix_is_reversed(target: Target, data: st.DataObject) -> None:
    """However many steps had begun, and whether or not the last took effect, everything is as before."""
    found = Observation(vm=target.vm, disks=target.disks)
    before, steps = before_of(found), _outage(target)
    begun = steps[: data.draw(st.integers(1, len(steps)), label="begun")]
    effective = begun if data.draw(st.booleans(), label="the last took effect") else begun[:-1]
    now = found
    for step in effective:
        now = perform(now, step)
    changes = [change for book in reversed(_chosen(target)) for change in book.undo(before, tuple(begun))]
    for planned in compose_undo(target.vm.id, changes, was_running=before.was_running):
        now = perform(now, planned.step)

    assert () == differences(before, now)
    assert target.vm.identity == now.vm.identity


@given(targets())
def test_the_way_there_leads_to_what_was_chosen(target: Target) -> None:
    """After preparation and outage no playbook finds anything unmet."""
    now = Observation(vm=target.vm, disks=target.disks)
    for playbook in _chosen(target):
        for change in playbook.prepare(target):
            now = perform(now, change)
    for step in _outage(target):
        now = perform(now, step)
    verdicts = [
        verdict.status for playbook in _chosen(target) for verdict in playbook.verify(target.choice, now)
    ]

    assert ["met"] * len(verdicts) == verdicts
    assert target.vm.power == now.vm.power


@given(targets())
def test_preparation_is_kept(target: Target) -> None:
    """What was given online, days before, stays: others may rely on it by now."""
    before = before_of(Observation(vm=target.vm, disks=target.disks))
    begun = tuple(change for playbook in _chosen(target) for change in playbook.prepare(target))

    assert [] == [step for playbook in _chosen(target) for step in playbook.undo(before, begun)]


@given(targets())
def test_playbooks_are_pure(target: Target) -> None:
    """Asking twice gives the same steps, and composing them changes none of them."""
    changes = [change for playbook in _chosen(target) for change in playbook.convert(target)]
    kept = deepcopy(changes)
    first = compose(target.vm.id, target.vm.managed_disks, changes)

    assert kept == changes
    assert first == compose(target.vm.id, target.vm.managed_disks, changes)


@given(targets())
def test_snapshots_come_before_writes(target: Target) -> None:
    """Every disk has its snapshot before anything is written, and the VM is off before either."""
    steps = _outage(target)
    kinds = [type(step) for step in steps]
    kinds = kinds[: kinds.index(Start)] if Start in kinds else kinds
    writes = [number for number, kind in enumerate(kinds) if kind in (PatchVm, SetDiskEncryption)]
    copies = [number for number, kind in enumerate(kinds) if kind is TakeSnapshot]

    assert Deallocate is kinds[0]
    assert [OS_DISK, DATA_DISK] == [step.disk for step in steps if isinstance(step, TakeSnapshot)]
    assert max(copies) < min(writes, default=len(kinds))
    assert 1 >= kinds.count(PatchVm)


def test_a_vm_found_off_is_left_off() -> None:
    """The way back of a VM that was off ends with its proof, not with a start."""
    machine = vm(power=Power.DEALLOCATED)
    before = before_of(Observation(vm=machine, disks=(disk(),)))
    change = SetDiskEncryption(vm=machine.id, disk=OS_DISK, encryption=PLATFORM_KEY)
    steps = compose_undo(machine.id, (change,), was_running=before.was_running)

    assert (Deallocate(vm=machine.id), change, ProveRestored(vm=machine.id)) == tuple(
        planned.step for planned in steps
    )
