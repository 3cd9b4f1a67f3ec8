"""Disk encryption: which changes of a disk's key are made, and which are refused."""

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
from tests.twin.storage_seeds import NEW, SNAPSHOT, TO_CUSTOMER_KEY, ULTRA, copy_of, empty, fast, off

ADE = {"enabled": False, "encryptionSettingsVersion": "1.1"}
DOUBLE = "EncryptionAtRestWithPlatformAndCustomerKeys"
COLLECTION = f"{COMPUTE}/restorePointCollections/points"


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


def test_refusals_say_how_sure_their_words_are():
    """What is recorded of leaving the set behind is Azure's; what is only the portal's is marked."""
    wire = Wire()
    assert "1" == wire.ask("PATCH", OS_DISK, TO_CUSTOMER_KEY).headers["x-twin-unverified"]
    left = {"properties": {"encryption": {**PLATFORM_KEY, "diskEncryptionSetId": KEY}}}
    answer = wire.ask("PATCH", OS_DISK, left)
    words = "Resource web-1-os encrypted with platform key has disk encryption set id specified"
    assert (words, False) == (answer.body["error"]["message"], "x-twin-unverified" in answer.headers)


def test_what_changes_nothing_is_never_refused():
    """The same key again, and tags, are taken while the machine runs and beside incremental snapshots."""
    wire = Wire()
    wire.do("PUT", SNAPSHOT, copy_of(OS_DISK, incremental=True))
    change = {"properties": {"encryption": PLATFORM_KEY}, "tags": {"a": "b"}}
    assert "Succeeded" == wire.do("PATCH", OS_DISK, change)["status"]


def test_new_disks_from_marked_ones_get_no_customer_key():
    """Also at its creation a copy of a disk that Azure Disk Encryption touched is refused one.

    Learn, "Migrate from Azure Disk Encryption to encryption at host".
    """
    wire = off(disk("web-1-os") | {"twin": {"everAde": True}})
    assert 409 == wire.ask("PUT", NEW, copy_of(OS_DISK, **TO_CUSTOMER_KEY["properties"])).status
    assert 404 == wire.ask("GET", NEW).status
    assert 202 == wire.ask("PUT", NEW, empty(**TO_CUSTOMER_KEY["properties"])).status


def test_a_clone_leaves_the_family_behind():
    """A copy of a disk that has incremental snapshots takes the key its source refuses.

    Learn, "Server-side encryption of Azure managed disks", restrictions of customer-managed keys.
    """
    wire = off()
    wire.do("PUT", SNAPSHOT, copy_of(OS_DISK, incremental=True))
    assert 409 == wire.ask("PATCH", OS_DISK, TO_CUSTOMER_KEY).status
    wire.do("PUT", NEW, copy_of(OS_DISK))
    assert "Succeeded" == wire.do("PATCH", NEW, TO_CUSTOMER_KEY)["status"]


def test_the_way_back_is_closed_by_an_incremental_snapshot():
    """An incremental snapshot under the customer's key keeps its disk from going back.

    Learn, "Server-side encryption of Azure managed disks", restrictions of customer-managed keys.
    """
    wire = off()
    wire.do("PATCH", OS_DISK, TO_CUSTOMER_KEY)
    wire.do("PUT", SNAPSHOT, copy_of(OS_DISK, incremental=True))
    back = {"location": "westeurope", "properties": {"encryption": PLATFORM_KEY}}
    assert (409, "OperationNotAllowed") == wire.refused("PUT", OS_DISK, back)


def test_seeded_restore_points_block_a_new_key():
    """A restore point of which the seed tells only its machine's disks blocks these disks and no other."""
    profile = {"osDisk": {"managedDisk": {"id": OS_DISK}, "diskRestorePoint": {"id": "/not/held"}}}
    point = {
        "id": f"{COLLECTION}/restorePoints/p1",
        "properties": {"sourceMetadata": {"storageProfile": profile}},
    }
    wire = off(point)
    answer = wire.ask("PATCH", OS_DISK, TO_CUSTOMER_KEY)
    assert 409 == answer.status
    assert answer.body["error"]["message"].startswith("Cannot update encryption properties for disk")
    assert 202 == wire.ask("PATCH", DATA_DISK, TO_CUSTOMER_KEY).status


def test_fast_disks_have_one_key():
    """Ultra disks and Premium SSD v2 take a customer's key, but no double encryption.

    Learn, "Server-side encryption of Azure managed disks", double encryption at rest.
    """
    double = encryption_set(id=f"{KEY}2", name="keys2", properties={"encryptionType": DOUBLE})
    wire = off(fast("UltraSSD_LRS"), double)
    body = {"properties": {"encryption": {"type": DOUBLE, "diskEncryptionSetId": f"{KEY}2"}}}
    assert (409, "OperationNotAllowed") == wire.refused("PATCH", ULTRA, body)
    assert 202 == wire.ask("PATCH", DATA_DISK, body).status
    assert "Succeeded" == wire.do("PATCH", ULTRA, TO_CUSTOMER_KEY)["status"]


def test_fast_disks_want_a_set_with_its_own_identity():
    """A set that reaches its key by a user-assigned identity does not serve Premium SSD v2."""
    assigned = encryption_set(identity={"type": "UserAssigned", "userAssignedIdentities": {}})
    wire = off(fast(), assigned)
    answer = wire.ask("PATCH", ULTRA, TO_CUSTOMER_KEY)
    assert 400 == answer.status
    assert "with UserAssigned identity type is not supported" in answer.body["error"]["message"]
    assert 202 == wire.ask("PATCH", DATA_DISK, TO_CUSTOMER_KEY).status
