"""Disks, snapshots and encryption sets."""

import pytest

from tests.twin.seeds import (
    COMPUTE,
    CUSTOMER_KEY,
    DATA_DISK,
    KEY,
    OS_DISK,
    PLATFORM_KEY,
    VM,
    Wire,
    deallocated,
    disk,
    encryption_set,
    estate,
)

SNAPSHOT = f"{COMPUTE}/snapshots/before"
TO_CUSTOMER_KEY = {"properties": {"encryption": CUSTOMER_KEY}}
ADE = {"enabled": False, "encryptionSettingsVersion": "1.1"}


def copy_of(source: str, **properties: object) -> dict[str, object]:
    """The body of a PUT that copies a disk or snapshot."""
    creation = {"createOption": "Copy", "sourceResourceId": source}
    return {"location": "westeurope", "properties": {"creationData": creation, **properties}}


def off(*others: dict[str, object]) -> Wire:
    """A twin whose machine is deallocated."""
    return Wire(*estate(*others, machine=deallocated()))


def test_a_disk_write_is_answered_as_recorded():
    """202, a body without id and type, an operation under DiskOperations, and the disk as its output."""
    wire = off()
    answer = wire.ask("PATCH", OS_DISK, TO_CUSTOMER_KEY)
    assert 202 == answer.status
    assert set() == {"id", "type"} & set(answer.body)
    assert "Updating" == answer.body["properties"]["provisioningState"]
    assert "/locations/westeurope/DiskOperations/" in answer.headers["Azure-AsyncOperation"]
    wire.clock.sleep(6)
    body = wire.follow(answer)
    assert ("Succeeded", OS_DISK) == (body["status"], body["properties"]["output"]["id"])


def test_the_encryption_set_is_echoed_with_its_group_in_upper_case():
    """The disk provider upper-cases the group in the id of a set: ids need comparing without case."""
    wire = off()
    wire.do("PATCH", OS_DISK, TO_CUSTOMER_KEY)
    echoed = wire.get(OS_DISK)["properties"]["encryption"]["diskEncryptionSetId"]
    assert KEY.replace("rg-app", "RG-APP") == echoed
    assert {"value": [OS_DISK]} == wire.get(f"{KEY}/associatedResources")


def test_the_machine_names_the_key_of_its_disks():
    """Once a disk has a customer key its machine's model names the set, until there is none."""
    wire = off()
    wire.do("PATCH", OS_DISK, TO_CUSTOMER_KEY)
    managed = wire.get(VM)["properties"]["storageProfile"]["osDisk"]["managedDisk"]
    assert KEY.lower() == managed["diskEncryptionSet"]["id"].lower()
    wire.do("PUT", OS_DISK, {"location": "westeurope", "properties": {"encryption": PLATFORM_KEY}})
    managed = wire.get(VM)["properties"]["storageProfile"]["osDisk"]["managedDisk"]
    assert "diskEncryptionSet" not in managed


def test_encryption_waits_for_the_machine_to_be_off():
    """An attached disk refuses a new key, in the words the portal has for it."""
    answer = Wire().ask("PATCH", OS_DISK, TO_CUSTOMER_KEY)
    assert (409, "OperationNotAllowed") == (answer.status, answer.body["error"]["code"])
    assert answer.body["error"]["message"].startswith("Changes to encryption settings can only be made when")


def test_disks_once_encrypted_by_ade_never_get_a_customer_key():
    """Azure Disk Encryption leaves a mark, even switched off, that refuses customer keys."""
    answer = off(disk("web-1-os", encryptionSettingsCollection=ADE)).ask("PATCH", OS_DISK, TO_CUSTOMER_KEY)
    assert 409 == answer.status
    assert "was previously encrypted with Azure Disk Encryption" in answer.body["error"]["message"]


def test_copies_carry_the_mark_of_ade():
    """A disk made from a snapshot of a marked disk is marked as well."""
    wire = off(disk("web-1-os") | {"twin": {"everAde": True}})
    wire.do("PUT", SNAPSHOT, copy_of(OS_DISK))
    copy = f"{COMPUTE}/disks/copy"
    wire.do("PUT", copy, copy_of(SNAPSHOT))
    assert (409, "OperationNotAllowed") == wire.refused("PATCH", copy, TO_CUSTOMER_KEY)


def test_incremental_snapshots_block_a_new_key():
    """A disk with an incremental snapshot refuses a new key until that snapshot is deleted."""
    wire = off()
    wire.do("PUT", SNAPSHOT, copy_of(OS_DISK, incremental=True))
    answer = wire.ask("PATCH", OS_DISK, TO_CUSTOMER_KEY)
    assert 409 == answer.status
    assert answer.body["error"]["message"].startswith("Cannot update encryption properties for disk")
    assert 202 == wire.ask("PATCH", DATA_DISK, TO_CUSTOMER_KEY).status
    wire.do("DELETE", SNAPSHOT)
    assert "Succeeded" == wire.do("PATCH", OS_DISK, TO_CUSTOMER_KEY)["status"]


def test_full_snapshots_do_not_block_a_new_key():
    """A full snapshot beside a disk does not keep it from a new key."""
    wire = off()
    wire.do("PUT", SNAPSHOT, copy_of(OS_DISK, incremental=False))
    assert "Succeeded" == wire.do("PATCH", OS_DISK, TO_CUSTOMER_KEY)["status"]


def test_a_platform_key_has_no_encryption_set():
    """Going back by PATCH leaves the set behind and is refused; PUT without the set drops it."""
    wire = off()
    wire.do("PATCH", OS_DISK, TO_CUSTOMER_KEY)
    back = {"location": "westeurope", "properties": {"encryption": PLATFORM_KEY}}
    assert (400, "InvalidParameter") == wire.refused("PATCH", OS_DISK, back)
    wire.do("PUT", OS_DISK, back)
    assert PLATFORM_KEY == wire.get(OS_DISK)["properties"]["encryption"]


@pytest.mark.parametrize(
    ("key", "refusal"),
    [
        (encryption_set(id=f"{COMPUTE}/diskEncryptionSets/others"), (404, "ResourceNotFound")),
        (encryption_set(location="northeurope"), (400, "InvalidParameter")),
        (encryption_set(properties={"encryptionType": "ConfidentialVm"}), (400, "InvalidParameter")),
    ],
    ids=["missing", "other region", "other type"],
)
def test_the_encryption_set_must_fit(key, refusal):
    """A set that is not there, lies elsewhere or holds another kind of key is refused."""
    seed = [each for each in estate(machine=deallocated()) if each["id"] != KEY]
    assert refusal == Wire(*seed, key).refused("PATCH", OS_DISK, TO_CUSTOMER_KEY)


def test_a_set_of_another_subscription_is_refused():
    """An encryption set serves only the disks of its own subscription."""
    foreign = KEY.replace("11111111", "99999999")
    body = {"properties": {"encryption": {**CUSTOMER_KEY, "diskEncryptionSetId": foreign}}}
    assert (400, "InvalidParameter") == off(encryption_set(id=foreign)).refused("PATCH", OS_DISK, body)


def test_a_start_during_a_disk_write_is_not_lost():
    """A disk whose write ends after its machine has started is Attached, not what it was before."""
    wire = off()
    wire.ask("PATCH", OS_DISK, {"tags": {"a": "b"}})
    wire.ask("POST", f"{VM}/start")
    wire.clock.sleep(6)
    assert "Attached" == wire.get(OS_DISK)["properties"]["diskState"]


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


def test_seeded_snapshots_count_too():
    """A seeded incremental snapshot blocks a new key; one of a disk with a reused name does not."""
    seeded = {
        "id": SNAPSHOT,
        "location": "westeurope",
        "properties": {"incremental": True, "creationData": {"sourceResourceId": OS_DISK}},
    }
    assert (409, "OperationNotAllowed") == off(seeded).refused("PATCH", OS_DISK, TO_CUSTOMER_KEY)
    older = {"sourceResourceId": OS_DISK, "sourceUniqueId": "of-a-disk-that-is-gone"}
    seeded["properties"] = {"incremental": True, "creationData": older}
    assert 202 == off(seeded).ask("PATCH", OS_DISK, TO_CUSTOMER_KEY).status
