"""Snapshots: what they inherit, what limits them, and the way back that they open."""

import pytest
from azure.core.exceptions import HttpResponseError

from tests.twin.seeds import COMPUTE, CUSTOMER_KEY, DATA_DISK, OS_DISK, TRUSTED, VM, Wire, disk, estate, vm
from tests.twin.storage_seeds import READ, SNAPSHOT, TO_CUSTOMER_KEY, ULTRA, client_of, copy_of, fast, off

TL = {"securityProfile": {"securityType": "TrustedLaunch"}}


def test_a_snapshot_inherits_from_its_disk():
    """A snapshot has its disk's size, generation and unique id, and what the body says besides."""
    wire = off()
    body = copy_of(OS_DISK, networkAccessPolicy="DenyAll", publicNetworkAccess="Disabled")
    wire.do("PUT", SNAPSHOT, body | {"tags": {"plan": "a1"}})
    taken, source = wire.get(SNAPSHOT), wire.get(OS_DISK)["properties"]
    assert source["uniqueId"] == taken["properties"]["creationData"]["sourceUniqueId"]
    for name in ("diskSizeGB", "diskSizeBytes", "hyperVGeneration", "osType", "encryption"):
        assert source[name] == taken["properties"][name]
    assert ("DenyAll", False) == (
        taken["properties"]["networkAccessPolicy"],
        taken["properties"]["incremental"],
    )
    assert {"plan": "a1"} == taken["tags"]


def test_a_snapshot_can_be_asked_for_twice():
    """The same PUT again is an update; the same name for another disk is refused."""
    wire = off()
    wire.do("PUT", SNAPSHOT, copy_of(OS_DISK))
    before = wire.get(SNAPSHOT)
    wire.do("PUT", SNAPSHOT, copy_of(OS_DISK.upper()))
    assert before == wire.get(SNAPSHOT)
    assert (409, "PropertyChangeNotAllowed") == wire.refused("PUT", SNAPSHOT, copy_of(DATA_DISK))


def test_a_snapshot_needs_its_source():
    """A snapshot of a disk that is not there is a 404, and nothing is left behind."""
    wire = off()
    assert (404, "ResourceNotFound") == wire.refused("PUT", SNAPSHOT, copy_of(f"{OS_DISK}-none"))
    assert 404 == wire.ask("GET", SNAPSHOT).status


def test_a_copy_cannot_name_a_security_type():
    """The security type of a copy comes from its source; naming one is refused as recorded."""
    body = copy_of(OS_DISK, securityProfile={"securityType": "TrustedLaunch"})
    answer = off().ask("PUT", SNAPSHOT, body)
    message = "Security Type 'TrustedLaunch' is not supported for CreateOption 'Copy'"
    assert (400, message) == (answer.status, answer.body["error"]["message"])


def test_snapshots_are_tagged_and_deleted():
    """Tags change by PATCH; a deleted snapshot is gone, and deleting it again is a 204."""
    wire = off()
    wire.do("PUT", SNAPSHOT, copy_of(OS_DISK))
    wire.do("PATCH", SNAPSHOT, {"tags": {"keep": "no"}})
    assert {"keep": "no"} == wire.get(SNAPSHOT)["tags"]
    wire.do("DELETE", SNAPSHOT)
    assert 404 == wire.ask("GET", SNAPSHOT).status
    assert 204 == wire.ask("DELETE", SNAPSHOT).status


def test_a_running_machine_can_be_snapshotted():
    """The disk of a running machine is copied, full or incremental.

    Learn, "Create a snapshot of a virtual hard disk".
    """
    wire = Wire()
    assert "Succeeded" == wire.do("PUT", SNAPSHOT, copy_of(OS_DISK))["status"]
    assert "Succeeded" == wire.do("PUT", f"{SNAPSHOT}-2", copy_of(OS_DISK, incremental=True))["status"]


def test_incremental_snapshots_of_a_disk_are_a_family():
    """Those of one disk have one family id, those of another disk another, and full ones none.

    Learn, "Create an incremental snapshot for managed disks".
    """
    wire = off()
    for name, source, incremental in (
        ("a", OS_DISK, True),
        ("b", OS_DISK, True),
        ("c", DATA_DISK, True),
        ("d", OS_DISK, False),
    ):
        wire.do("PUT", f"{COMPUTE}/snapshots/{name}", copy_of(source, incremental=incremental))
    a, b, c, d = (
        wire.get(f"{COMPUTE}/snapshots/{name}")["properties"].get("incrementalSnapshotFamilyId")
        for name in "abcd"
    )
    assert a == b
    assert a != c
    assert d is None


def test_seven_incremental_snapshots_in_five_minutes_are_enough():
    """The eighth of a disk within five minutes is refused, one of another disk and a later one are not.

    Learn, "Create an incremental snapshot for managed disks", restrictions.
    """
    wire = off()
    for number in range(7):
        assert 202 == wire.ask("PUT", f"{SNAPSHOT}-{number}", copy_of(OS_DISK, incremental=True)).status
    assert 409 == wire.ask("PUT", SNAPSHOT, copy_of(OS_DISK, incremental=True)).status
    assert 202 == wire.ask("PUT", f"{SNAPSHOT}-x", copy_of(DATA_DISK, incremental=True)).status
    wire.clock.sleep(301)
    assert 202 == wire.ask("PUT", SNAPSHOT, copy_of(OS_DISK, incremental=True)).status


def test_a_disk_has_at_most_500_incremental_snapshots():
    """The 501st is refused; a full one is not.

    Learn, "Create an incremental snapshot for managed disks", restrictions.
    """
    seeded = [
        {
            "id": f"{COMPUTE}/snapshots/old-{number}",
            "location": "westeurope",
            "properties": {"incremental": True, "creationData": {"sourceResourceId": OS_DISK}},
        }
        for number in range(500)
    ]
    wire = off(*seeded)
    assert (409, "OperationNotAllowed") == wire.refused("PUT", SNAPSHOT, copy_of(OS_DISK, incremental=True))
    assert 202 == wire.ask("PUT", SNAPSHOT, copy_of(OS_DISK)).status


def test_an_incremental_snapshot_has_its_disks_key():
    """Another key than the disk's is refused for an incremental snapshot, and taken for a full one.

    Learn, "Server-side encryption of Azure managed disks", restrictions of customer-managed keys.
    """
    wire = off()
    own = TO_CUSTOMER_KEY["properties"]
    assert 400 == wire.ask("PUT", SNAPSHOT, copy_of(OS_DISK, incremental=True, **own)).status
    assert 202 == wire.ask("PUT", SNAPSHOT, copy_of(OS_DISK, **own)).status


@pytest.mark.parametrize("sku", ["PremiumV2_LRS", "UltraSSD_LRS"])
def test_snapshots_of_fast_disks_fill_in_the_background(sku):
    """Only incremental, at most three at once, and of no use before they are complete.

    Learn, "Create an incremental snapshot for managed disks", Ultra Disk and Premium SSD v2.
    """
    wire = off(fast(sku))
    assert (409, "OperationNotAllowed") == wire.refused("PUT", SNAPSHOT, copy_of(ULTRA))
    for number in range(3):
        wire.do("PUT", f"{SNAPSHOT}-{number}", copy_of(ULTRA, incremental=True))
    told = wire.get(f"{SNAPSHOT}-2")["properties"]
    assert told["completionPercent"] < 20
    assert "Pending" == told["snapshotAccessState"]
    assert 409 == wire.ask("PUT", SNAPSHOT, copy_of(ULTRA, incremental=True)).status
    assert 409 == wire.ask("PUT", f"{COMPUTE}/disks/new", copy_of(f"{SNAPSHOT}-2")).status
    wire.clock.sleep(60)
    assert told["completionPercent"] < wire.get(f"{SNAPSHOT}-2")["properties"]["completionPercent"] < 100
    wire.clock.sleep(840)
    told = wire.get(f"{SNAPSHOT}-2")["properties"]
    assert (100, "Available") == (told["completionPercent"], told["snapshotAccessState"])
    assert 202 == wire.ask("PUT", f"{COMPUTE}/disks/new", copy_of(f"{SNAPSHOT}-2")).status


def test_instant_access_serves_at_once():
    """With instant access a disk is made from a snapshot whose own copy is not complete.

    Learn, "Instant access snapshots for Azure managed disks".
    """
    wire = off(fast())
    body = copy_of(ULTRA, incremental=True)
    body["properties"]["creationData"]["instantAccessDurationMinutes"] = 120
    wire.do("PUT", SNAPSHOT, body)
    assert "InstantAccess" == wire.get(SNAPSHOT)["properties"]["snapshotAccessState"]
    assert 202 == wire.ask("PUT", f"{COMPUTE}/disks/new", copy_of(SNAPSHOT)).status
    body["properties"]["creationData"]["instantAccessDurationMinutes"] = 10
    assert 400 == wire.ask("PUT", f"{SNAPSHOT}-2", body).status


def test_an_incremental_snapshot_is_copied_to_another_region():
    """CopyStart goes on in the background, from an incremental snapshot to an incremental one.

    Learn, "Copy an incremental snapshot to a new region".
    """
    wire = off()
    wire.do("PUT", SNAPSHOT, copy_of(OS_DISK, incremental=True))
    there = copy_of(SNAPSHOT, "CopyStart", incremental=True) | {"location": "northeurope"}
    copy = f"{COMPUTE}/snapshots/there"
    assert (
        400 == wire.ask("PUT", copy, copy_of(SNAPSHOT, incremental=True) | {"location": "northeurope"}).status
    )
    assert 400 == wire.ask("PUT", copy, copy_of(SNAPSHOT, "CopyStart") | {"location": "northeurope"}).status
    wire.do("PUT", copy, there)
    assert wire.get(copy)["properties"]["completionPercent"] < 100
    wire.clock.sleep(600)
    assert 100 == wire.get(copy)["properties"]["completionPercent"]


def test_a_snapshot_that_is_read_is_not_deleted():
    """While access to its data lasts a snapshot stays; it ends by endGetAccess, through the SDK."""
    wire = off()
    client = client_of(wire)
    wire.do("PUT", SNAPSHOT, copy_of(OS_DISK))
    client.snapshots.begin_grant_access("rg-app", "before", READ).result()
    assert "ActiveSAS" == wire.get(SNAPSHOT)["properties"]["diskState"]
    assert (409, "OperationNotAllowed") == wire.refused("DELETE", SNAPSHOT)
    client.snapshots.begin_revoke_access("rg-app", "before").result()
    client.snapshots.begin_delete("rg-app", "before").result()
    assert 404 == wire.ask("GET", SNAPSHOT).status


def swap(wire: Wire, name: str) -> None:
    """Give the machine another operating system disk."""
    managed = {"managedDisk": {"id": f"{COMPUTE}/disks/{name}"}, "name": name}
    change = {"properties": {"storageProfile": {"osDisk": managed}}}
    client_of(wire).virtual_machines.begin_update("rg-app", "web-1", change).result()


def restored(wire: Wire) -> None:
    """Make a disk `back` from the snapshot."""
    client_of(wire).disks.begin_create_or_update("rg-app", "back", copy_of(SNAPSHOT)).result()


def test_the_whole_way_back():
    """Snapshot, upgrade, Standard again, a disk from the snapshot, swap and start, all through the SDK.

    Learn, "Change the OS disk used by an Azure VM using the Azure CLI",
    https://learn.microsoft.com/azure/virtual-machines/linux/os-disk-swap.
    """
    wire = Wire()
    client = client_of(wire)
    machines = client.virtual_machines
    machines.begin_deallocate("rg-app", "web-1").result()
    client.snapshots.begin_create_or_update("rg-app", "before", copy_of(OS_DISK)).result()
    machines.begin_update("rg-app", "web-1", {"properties": {"securityProfile": TRUSTED}}).result()
    machines.begin_start("rg-app", "web-1").result()
    machines.begin_deallocate("rg-app", "web-1").result()
    standard = {"securityProfile": {"securityType": "Standard", "uefiSettings": None}}
    machines.begin_update("rg-app", "web-1", {"properties": standard}).result()
    restored(wire)
    swap(wire, "back")
    machines.begin_start("rg-app", "web-1").result()
    wire.clock.sleep(60)
    assert ("PowerState/running", "Ready") == (wire.power(), wire.agent())
    back, old = wire.get(f"{COMPUTE}/disks/back"), wire.get(OS_DISK)
    assert (VM, "Attached", "V2") == (
        back["managedBy"],
        back["properties"]["diskState"],
        back["properties"]["hyperVGeneration"],
    )
    assert ("Unattached", False) == (old["properties"]["diskState"], "managedBy" in old)


def test_a_disk_from_a_trusted_launch_snapshot_fits_its_machine():
    """Security type and generation go with every copy: a Trusted Launch machine takes the disk back."""
    own = disk("web-1-os", securityProfile={"securityType": "TrustedLaunch"})
    wire = Wire(*estate(own, machine=vm(securityProfile=TRUSTED)))
    wire.do("POST", f"{VM}/deallocate")
    wire.do("PUT", SNAPSHOT, copy_of(OS_DISK))
    restored(wire)
    swap(wire, "back")
    wire.do("POST", f"{VM}/start")
    wire.clock.sleep(60)
    assert "Ready" == wire.agent()


def test_a_copy_of_a_converted_disk_boots_through_uefi():
    """What is known of a generation 1 disk's partition table goes with its copies, by tag and by mark.

    Learn, "Upgrade Gen1 VMs to Trusted Launch".
    """
    for own in ({"twin": {"partitionStyle": "gpt"}}, {"tags": {"guestPartitionStyle": "gpt"}}):
        wire = off(disk("web-1-os", hyperVGeneration="V1") | own)
        wire.do("PUT", SNAPSHOT, copy_of(OS_DISK))
        restored(wire)
        swap(wire, "back")
        wire.do("PATCH", VM, {"properties": {"securityProfile": TRUSTED}})
        wire.do("POST", f"{VM}/start")
        wire.clock.sleep(60)
        assert "Ready" == wire.agent()


def test_a_copy_of_an_mbr_disk_does_not():
    """A copy of a disk nobody converted leaves its upgraded machine without a guest."""
    wire = off(disk("web-1-os", hyperVGeneration="V1"))
    wire.do("PUT", SNAPSHOT, copy_of(OS_DISK))
    restored(wire)
    swap(wire, "back")
    wire.do("PATCH", VM, {"properties": {"securityProfile": TRUSTED}})
    wire.do("POST", f"{VM}/start")
    wire.clock.sleep(60)
    assert "Not Ready" == wire.agent()


@pytest.mark.parametrize(
    "other", [{"diskSizeGB": 64}, {"hyperVGeneration": "V1"}, {"encryption": CUSTOMER_KEY}, TL]
)
def test_a_disk_that_does_not_fit_is_not_swapped_in(other):
    """Size, generation, key and security type of the disks have to be the same.

    Learn, "Change the OS disk used by an Azure VM using the Azure CLI";
    https://github.com/Azure/azure-powershell/issues/24253 (security type).
    """
    wire = off(disk("back", **other))
    with pytest.raises(HttpResponseError):
        swap(wire, "back")
    assert OS_DISK == wire.get(VM)["properties"]["storageProfile"]["osDisk"]["managedDisk"]["id"]
