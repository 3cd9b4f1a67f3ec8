"""Which sizes a VM may run as where Azure has no room for its own: only those of which all is known."""

import pytest
from msgspec.structs import replace

from readiness.model.context import Choice, TrustedLaunchChoice
from readiness.model.ids import ResourceId
from readiness.model.playbook import Target
from readiness.model.sku import Sku, names_temp_disk
from readiness.model.virtual_machine import DiskAttachment, Power
from readiness.planner.alternatives import Alternatives, alternatives_of
from tests.builders import boot, disk, estate, sku, vm

OTHER = "Standard_D4s_v5"
OWN_SKU = sku(name="Standard_D2s_v5", architecture="x64")
OTHER_SKU = sku(name=OTHER, architecture="x64")
TRUSTED = TrustedLaunchChoice()


def decided(other: Sku | None, *, named: tuple[str, ...] = (OTHER,), **changes: object) -> Alternatives:
    """Return what is decided for a VM of which only its size and these facts matter."""
    choice = Choice(trusted_launch=TRUSTED, encryption_at_host=True, alternative_sizes=named)
    machine = replace(vm(size=OWN_SKU.name), **changes)
    skus = [OWN_SKU, *([other] if other else [])]
    target = Target(vm=machine, disks=(disk(),), choice=choice)
    return alternatives_of(target, estate(machine, skus=skus))


def test_a_size_that_fits_is_taken_and_agreed_to() -> None:
    """The plan has it, and its owner is told what is not checked."""
    found = decided(OTHER_SKU)
    assert ((OTHER,), ()) == (found.sizes, found.refusals)
    assert f"it runs as {OTHER}" in found.consent(vm())[0]
    assert "number of data disks" not in found.consent(vm())[0]


def test_how_many_data_disks_it_takes_is_told_where_nobody_knows() -> None:
    """Azure refuses a resize that cannot be; whoever agrees knows that this was not asked before."""
    found = decided(OTHER_SKU, data_disks=(DiskAttachment(disk=disk().id, lun=0),))
    assert (OTHER,) == found.sizes
    assert "number of data disks" in found.consent(vm())[0]


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (None, "nothing is known of it"),
        (replace(OTHER_SKU, restricted="NotAvailableForSubscription"), "closed to the subscription"),
        (replace(OTHER_SKU, restricted_zones=("1",)), "closed to the subscription"),
        (replace(OTHER_SKU, hyper_v_generations=("V1",)), "does not run generation 2"),
        (replace(OTHER_SKU, hyper_v_generations=()), "does not run generation 2"),
        (replace(OTHER_SKU, trusted_launch_disabled=True), "no Trusted Launch"),
        (replace(OTHER_SKU, encryption_at_host_supported=None), "no encryption at host"),
        (replace(OTHER_SKU, architecture="Arm64"), "its processor is Arm64"),
        (replace(OTHER_SKU, architecture=None), "its processor is not known"),
        (replace(OTHER_SKU, temp_disk_mb=76800), "temporary disk"),
        (replace(OTHER_SKU, max_data_disks=0), "takes 0 data disks of 1"),
        (replace(OTHER_SKU, premium_disks=False), "no Premium disks"),
        (replace(OTHER_SKU, zones=("2", "3")), "not offered in zone 1"),
        (replace(OTHER_SKU, zones=()), "not offered in zone 1"),
        (replace(OTHER_SKU, max_nics=0), "takes 0 network interfaces of 1"),
        (replace(OTHER_SKU, disk_controllers=("nvme",)), "attached by nvme"),
    ],
)
def test_a_size_that_does_not_fit_is_refused_with_its_reason(other: Sku | None, why: str) -> None:
    """What is unknown is refused like what is wrong, and the plan says why."""
    data = DiskAttachment(disk=ResourceId(f"{disk().id}-data"), lun=0)
    found = decided(other, zones=("1",), data_disks=(data,))
    assert () == found.sizes
    assert why in found.refusals[0]


def test_a_size_of_nvme_alone_takes_another_one() -> None:
    """A VM whose own size has no SCSI is attached by NVMe, and runs as others that have it."""
    own = replace(OWN_SKU, disk_controllers=("nvme",))
    machine = vm(size=own.name)
    choice = Choice(trusted_launch=TRUSTED, encryption_at_host=True, alternative_sizes=(OTHER,))
    target = Target(vm=machine, disks=(disk(),), choice=choice)
    for controllers, expected in ((("nvme",), (OTHER,)), (("scsi", "nvme"), (OTHER,)), (("scsi",), ())):
        other = replace(OTHER_SKU, disk_controllers=controllers)
        assert expected == alternatives_of(target, estate(machine, skus=[own, other])).sizes


def test_its_own_size_is_no_alternative() -> None:
    """A list for many VMs may name the size of some of them."""
    assert (OTHER,) == decided(OTHER_SKU, named=(OWN_SKU.name.upper(), OTHER)).sizes


def test_a_vm_that_is_off_or_bound_is_not_resized() -> None:
    """One that is off is not started in need; one that holds room for its size would lose it."""
    assert Alternatives() == decided(OTHER_SKU, power=Power.DEALLOCATED)
    held = decided(OTHER_SKU, capacity_reservation=ResourceId(f"{vm().id}-group"))
    assert () == held.sizes
    assert "capacity reservation" in held.refusals[0]


def test_a_vm_of_generation_1_needs_both() -> None:
    """Its way back leads to generation 1, so that a size that runs only the second will not do."""
    found = decided(replace(OTHER_SKU, hyper_v_generations=("V2",)), boot=boot(generation=1))
    assert "does not run generation 1" in found.refusals[0]


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ("Standard_D2s_v3", True),
        ("Standard_F4s_v2", True),
        ("Standard_E8-4ds_v4", True),
        ("Standard_D2as_v4", True),
        ("Standard_D2s_v4", False),
        ("Standard_D2as_v5", False),
        ("Standard_D2ads_v5", True),
        ("Standard_M64", None),
        ("Standard_DC4as_v5", None),
        ("Standard_B2ms", None),
    ],
)
def test_a_name_says_whether_there_is_a_temporary_disk(size: str, expected: bool | None) -> None:  # noqa: FBT001
    """By the rules of the families D, E and F; of any other nothing is claimed."""
    assert expected is names_temp_disk(size)
