"""Restore points of machines: taken, restored from, and in the way of a new key."""

from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

from tests.twin.seeds import (
    COMPUTE,
    CUSTOMER_KEY,
    DATA_DISK,
    OS_DISK,
    VM,
    Wire,
    deallocated,
    disk,
    estate,
    vm,
)
from tests.twin.storage_seeds import NEW, READ, TO_CUSTOMER_KEY, client_of, copy_of, fast

COLLECTION = f"{COMPUTE}/restorePointCollections/points"
POINT = f"{COLLECTION}/restorePoints/p1"
CRASH = {"properties": {"consistencyMode": "CrashConsistent"}}


def collection(source: str = VM, location: str = "westeurope") -> dict[str, Any]:
    """What makes a collection."""
    return {"location": location, "properties": {"source": {"id": source}}}


def place(*others: dict[str, Any], **more: Any) -> Wire:
    """A twin with an empty collection."""
    wire = Wire(*estate(*others, **more))
    assert 201 == wire.ask("PUT", COLLECTION, collection()).status
    return wire


def take(wire: Wire, path: str = POINT, **properties: Any) -> Any:
    """Take a restore point, and wait for it."""
    return wire.do("PUT", path, {"properties": properties})


def test_a_restore_point_is_taken_by_the_sdk():
    """A running machine gives an application-consistent point of all its disks and what it was.

    Learn, "Restore Points - Create", https://learn.microsoft.com/rest/api/compute/restore-points/create.
    """
    wire = Wire()
    client = client_of(wire)
    client.restore_point_collections.create_or_update("rg-app", "points", collection())
    made = client.restore_points.begin_create("rg-app", "points", "p1", {"properties": {}}).result()
    assert ("Succeeded", "ApplicationConsistent") == (
        made.properties.provisioning_state,
        made.properties.consistency_mode,
    )
    told = made.properties.source_metadata
    assert ("Standard_D2s_v5", "V2") == (told.hardware_profile.vm_size, told.hyper_v_generation)
    part = client.disk_restore_point.get(
        "rg-app", "points", "p1", told.storage_profile.os_disk.disk_restore_point.id.rsplit("/", 1)[-1]
    )
    assert OS_DISK == part.properties.source_resource_id
    assert 2 == len(list(client.disk_restore_point.list_by_restore_point("rg-app", "points", "p1")))
    shown = client.restore_point_collections.get("rg-app", "points", expand="restorePoints")
    assert ["p1"] == [each.name for each in shown.properties.restore_points]
    assert ["points"] == [each.name for each in client.restore_point_collections.list_all()]


def test_a_disk_comes_back_from_a_restore_point():
    """A disk made by Restore has what its source had, the mark of Azure Disk Encryption included.

    Learn, "Disks - Create Or Update", example "Create a managed disk from an existing disk restore point".
    """
    wire = place(
        disk("web-1-os", securityProfile={"securityType": "TrustedLaunch"}) | {"twin": {"everAde": True}}
    )
    take(wire)
    part = wire.get(POINT)["properties"]["sourceMetadata"]["storageProfile"]["osDisk"]["diskRestorePoint"][
        "id"
    ]
    wire.do("PUT", NEW, copy_of(part, "Restore"))
    made = wire.get(NEW)["properties"]
    assert ("V2", 30, "TrustedLaunch", "Unattached") == (
        made["hyperVGeneration"],
        made["diskSizeGB"],
        made["securityProfile"]["securityType"],
        made["diskState"],
    )
    assert (409, "OperationNotAllowed") == wire.refused("PATCH", NEW, TO_CUSTOMER_KEY)
    assert 400 == wire.ask("PUT", f"{NEW}-2", copy_of(part)).status


def test_restore_points_are_in_the_way_of_a_new_key():
    """While a restore point holds a disk its key stays; left-out disks and deleted points do not count.

    Learn, "Server-side encryption of Azure managed disks", restrictions of customer-managed keys.
    """
    wire = place()
    take(wire, excludeDisks=[{"id": DATA_DISK}])
    wire.do("POST", f"{VM}/deallocate")
    answer = wire.ask("PATCH", OS_DISK, TO_CUSTOMER_KEY)
    assert 409 == answer.status
    assert answer.body["error"]["message"].startswith(
        "Cannot update encryption properties for disk 'web-1-os'"
    )
    assert "Succeeded" == wire.do("PATCH", DATA_DISK, TO_CUSTOMER_KEY)["status"]
    client_of(wire).restore_points.begin_delete("rg-app", "points", "p1").result()
    assert "Succeeded" == wire.do("PATCH", OS_DISK, TO_CUSTOMER_KEY)["status"]


def test_a_restore_point_has_its_disks_key():
    """The parts of a restore point are encrypted as the disks were, and a disk restored from one is, too."""
    wire = place(disk("web-1-os", encryption=CUSTOMER_KEY))
    take(wire)
    part = wire.get(POINT)["properties"]["sourceMetadata"]["storageProfile"]["osDisk"]["diskRestorePoint"][
        "id"
    ]
    assert CUSTOMER_KEY == wire.get(part)["properties"]["encryption"]
    wire.do("PUT", NEW, copy_of(part, "Restore"))
    assert CUSTOMER_KEY["type"] == wire.get(NEW)["properties"]["encryption"]["type"]


def test_a_machine_that_is_off_can_only_survive_a_crash():
    """Without an answering guest there is no application-consistent point.

    Learn, "Troubleshoot restore point failures", VMAgentStatusCommunicationError.
    """
    wire = place(machine=deallocated())
    assert (409, "VMAgentStatusCommunicationError") == wire.refused("PUT", POINT, {"properties": {}})
    assert "Succeeded" == wire.do("PUT", POINT, CRASH)["status"]
    other = {"properties": {"consistencyMode": "ApplicationConsistent"}}
    assert (400, "InvalidParameter") == wire.refused("PUT", f"{POINT}-2", other)


@pytest.mark.parametrize(
    ("seeded", "body", "code"),
    [
        (disk("web-1-data", osType=None, maxShares=2), {"properties": {}}, "VMRestorePointClientError"),
        (fast() | {"id": DATA_DISK, "name": "web-1-data"}, CRASH, "OperationNotAllowed"),
    ],
)
def test_disks_that_cannot_be_in_a_restore_point_have_to_be_left_out(seeded, body, code):
    """Shared disks never, Ultra and Premium SSD v2 not where only a crash is to be survived.

    Learn, "Troubleshoot restore point failures" and "Overview of VM restore points".
    """
    wire = place(seeded)
    assert (409, code) == wire.refused("PUT", POINT, body)
    without = {"properties": {**body["properties"], "excludeDisks": [{"id": DATA_DISK}]}}
    assert "Succeeded" == wire.do("PUT", POINT, without)["status"]


def test_one_at_a_time_and_three_in_an_hour():
    """A second one while the first is being taken is refused, and so is the fourth within an hour.

    Learn, "Troubleshoot restore point failures", and "Overview of VM restore points", limits.
    """
    wire = place()
    assert 201 == wire.ask("PUT", POINT, {"properties": {}}).status
    answer = wire.ask("PUT", f"{POINT}-2", {"properties": {}})
    assert "since a concurrent 'Create RestorePoint' operation" in answer.body["error"]["message"]
    wire.clock.sleep(70)
    for number in (2, 3):
        take(wire, f"{POINT}-{number}")
    assert 429 == wire.ask("PUT", f"{POINT}-4", {"properties": {}}).status
    wire.clock.sleep(3600)
    assert 201 == wire.ask("PUT", f"{POINT}-4", {"properties": {}}).status


def test_a_restore_point_that_is_read_stays():
    """While access to a disk restore point lasts, neither the point nor its collection is deleted.

    Learn, "Troubleshoot restore point failures", DiskRestorePointUsedByCustomer.
    """
    wire = place()
    take(wire)
    client = client_of(wire)
    part = wire.get(f"{POINT}/diskRestorePoints")["value"][0]["name"]
    granted = client.disk_restore_point.begin_grant_access("rg-app", "points", "p1", part, READ).result()
    assert granted.access_sas.startswith("https://127.0.0.1/")
    for path in (POINT, COLLECTION):
        assert (409, "DiskRestorePointUsedByCustomer") == wire.refused("DELETE", path)
    client.disk_restore_point.begin_revoke_access("rg-app", "points", "p1", part).result()
    client.restore_point_collections.begin_delete("rg-app", "points").result()
    for path in (COLLECTION, POINT):
        assert 404 == wire.ask("GET", path).status


def test_copies_in_another_region_have_a_platform_key():
    """A point copied to another region fills in the background and leaves the customer's key behind.

    Learn, "Copy virtual machine restore points to another region".
    """
    wire = place(disk("web-1-os", encryption=CUSTOMER_KEY))
    take(wire)
    there = f"{COMPUTE}/restorePointCollections/there"
    assert 201 == wire.ask("PUT", there, collection(COLLECTION, "northeurope")).status
    wire.do("PUT", f"{there}/restorePoints/p1", {"properties": {"sourceRestorePoint": {"id": POINT}}})
    copied = wire.get(f"{there}/restorePoints/p1")["properties"]
    part = copied["sourceMetadata"]["storageProfile"]["osDisk"]["diskRestorePoint"]["id"]
    told = wire.get(part)["properties"]
    assert ({"type": "EncryptionAtRestWithPlatformKey"}, True) == (
        told["encryption"],
        told["completionPercent"] < 100,
    )
    back = copy_of(part, "Restore") | {"location": "northeurope"}
    assert (409, "OperationNotAllowed") == wire.refused("PUT", NEW, back)
    wire.clock.sleep(600)
    assert 202 == wire.ask("PUT", NEW, back).status


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        (collection(f"{VM}-none"), (404, "ResourceNotFound")),
        (collection(location="northeurope"), (400, "InvalidParameter")),
        (collection(OS_DISK), (400, "InvalidParameter")),
        ({"location": "westeurope", "properties": {}}, (400, "InvalidParameter")),
    ],
)
def test_a_collection_needs_its_machine(given, refusal):
    """The source is a machine of the same region, or another collection.

    Learn, "Restore Point Collections - Create Or Update".
    """
    assert refusal == Wire().refused("PUT", COLLECTION, given)


def test_a_collection_keeps_its_machine():
    """A second PUT sets tags and is a 200; another source is refused, and so is an old api-version.

    Learn, "Troubleshoot restore point failures", BadRequest.
    """
    wire = place(vm("web-2"), disk("web-2-os"), disk("web-2-data"))
    again = wire.ask("PUT", COLLECTION, collection() | {"tags": {"a": "b"}})
    assert (200, {"a": "b"}) == (again.status, again.body["tags"])
    other = collection(VM.replace("web-1", "web-2"))
    assert (409, "PropertyChangeNotAllowed") == wire.refused("PUT", COLLECTION, other)
    assert (400, "BadRequest") == wire.refused("PUT", COLLECTION, collection(), version="2020-12-01")


def test_a_restore_point_never_changes():
    """A second PUT of the same name is refused, and a name in no collection has no parent."""
    wire = place()
    take(wire)
    with pytest.raises(HttpResponseError):
        client_of(wire).restore_points.begin_create("rg-app", "points", "p1", {"properties": {}})
    stray = POINT.replace("/points/", "/none/")
    assert 404 == wire.ask("PUT", stray, {"properties": {}}).status
