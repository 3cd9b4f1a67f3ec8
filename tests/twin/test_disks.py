"""Managed disks by themselves: how they are made, changed, read by others, and deleted."""

import pytest
from azure.core.exceptions import HttpResponseError

from tests.twin.seeds import (
    COMPUTE,
    DATA_DISK,
    OS_DISK,
    SUBSCRIPTION,
    VM,
    Wire,
    deallocated,
    disk,
    estate,
    vm,
)
from tests.twin.storage_seeds import (
    NEW,
    READ,
    SNAPSHOT,
    TO_CUSTOMER_KEY,
    ULTRA,
    client_of,
    copy_of,
    empty,
    fast,
    off,
)

OTHER_VM = f"{COMPUTE}/virtualMachines/web-2"


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


def test_a_start_during_a_disk_write_is_not_lost():
    """A disk whose write ends after its machine has started is Attached, not what it was before."""
    wire = off()
    wire.ask("PATCH", OS_DISK, {"tags": {"a": "b"}})
    wire.ask("POST", f"{VM}/start")
    wire.clock.sleep(6)
    assert "Attached" == wire.get(OS_DISK)["properties"]["diskState"]


def test_an_empty_disk_is_made_by_the_sdk():
    """An empty disk needs a size; Premium SSD gets the tier of it, and nothing uses the disk.

    Learn, "Disks - Create Or Update", https://learn.microsoft.com/rest/api/compute/disks/create-or-update.
    """
    wire = Wire()
    made = client_of(wire).disks.begin_create_or_update("rg-app", "new", empty(128, "Premium_LRS")).result()
    assert ("Succeeded", "Unattached", 128, "P10", 128 * 1024**3) == (
        made.properties.provisioning_state,
        made.properties.disk_state,
        made.properties.disk_size_gb,
        made.properties.tier,
        made.properties.disk_size_bytes,
    )
    assert "EncryptionAtRestWithPlatformKey" == made.properties.encryption.type
    assert (
        "Standard_LRS"
        == client_of(wire).disks.begin_create_or_update("rg-app", "d2", empty()).result().sku.name
    )


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        (empty(None), (400, "InvalidParameter")),
        (empty(0), (400, "InvalidParameter")),
        (empty(40_000), (400, "InvalidParameter")),
        (empty(sku="Gold_LRS"), (400, "InvalidParameter")),
        (empty(sku="UltraSSD_LRS", osType="Linux"), (400, "InvalidParameter")),
        (empty(tier="P50"), (400, "InvalidParameter")),
        (empty(512, "Premium_LRS", tier="P4"), (400, "InvalidParameter")),
        (empty(networkAccessPolicy="AllowPrivate"), (400, "InvalidParameter")),
        (
            empty(networkAccessPolicy="AllowPrivate", diskAccessId=f"{COMPUTE}/diskAccesses/no"),
            (404, "ResourceNotFound"),
        ),
        (empty(creationData={"createOption": "Dream"}), (400, "InvalidParameter")),
        (empty(creationData={"createOption": "Upload", "uploadSizeBytes": 5}), (400, "InvalidParameter")),
        ({"properties": {"creationData": {"createOption": "Empty"}}}, (400, "LocationRequired")),
    ],
)
def test_a_disk_that_cannot_be_is_refused(given, refusal):
    """Sizes, types, tiers, network access and creation options that there are not leave nothing behind.

    Learn, "Disks - Create Or Update" and "Azure managed disk types".
    """
    wire = off()
    assert refusal == wire.refused("PUT", NEW, given)
    assert 404 == wire.ask("GET", NEW).status


def test_a_disk_from_an_image_has_its_generation():
    """A disk made from a Marketplace image takes operating system, generation and size from it.

    Learn, "Disks - Create Or Update", example "Create a managed disk from a platform image".
    """
    image = (
        f"/Subscriptions/{SUBSCRIPTION}/Providers/Microsoft.Compute/Locations/westeurope/Publishers/Canonical"
        "/ArtifactTypes/VMImage/Offers/0001-com-ubuntu-server-jammy/Skus/22_04-lts-gen2/Versions/latest"
    )
    wire = off()
    creation = {"createOption": "FromImage", "imageReference": {"id": image}}
    wire.do("PUT", NEW, empty(None, creationData=creation, securityProfile={"securityType": "TrustedLaunch"}))
    made = wire.get(NEW)["properties"]
    assert ("Linux", "V2", 30, "TrustedLaunch") == (
        made["osType"],
        made["hyperVGeneration"],
        made["diskSizeGB"],
        made["securityProfile"]["securityType"],
    )
    assert 409 == wire.ask("PUT", f"{NEW}-2", empty(10, creationData=creation)).status


def test_an_upload_waits_for_its_bytes_and_sheds_the_mark_of_ade():
    """ReadyToUpload, ActiveUpload while it is written, then free, and fit for a customer's key.

    Learn, "Upload a VHD to Azure or copy a managed disk to another region"; "Migrate from Azure Disk
    Encryption to encryption at host".
    """
    wire = off(disk("web-1-os") | {"twin": {"everAde": True}})
    size = 30 * 1024**3 + 512
    creation = {"createOption": "Upload", "uploadSizeBytes": size}
    wire.do("PUT", NEW, empty(None, creationData=creation, osType="Linux", hyperVGeneration="V2"))
    made = wire.get(NEW)["properties"]
    assert ("ReadyToUpload", None) == (made["diskState"], made.get("diskSizeGB"))
    assert 409 == wire.ask("POST", f"{NEW}/beginGetAccess", READ).status
    wire.do("POST", f"{NEW}/beginGetAccess", {"access": "Write", "durationInSeconds": 3600})
    assert "ActiveUpload" == wire.get(NEW)["properties"]["diskState"]
    wire.do("POST", f"{NEW}/endGetAccess")
    made = wire.get(NEW)["properties"]
    assert ("Unattached", 30, size - 512) == (made["diskState"], made["diskSizeGB"], made["diskSizeBytes"])
    assert "Succeeded" == wire.do("PATCH", NEW, TO_CUSTOMER_KEY)["status"]


def test_an_attached_disk_is_not_deleted():
    """A disk of a machine, running or not, is kept; a free one goes, and deleting it again is a 204.

    https://github.com/ansible/ansible/pull/54644.
    """
    wire = off()
    answer = wire.ask("DELETE", OS_DISK)
    assert (409, "OperationNotAllowed") == (answer.status, answer.body["error"]["code"])
    assert f"Disk web-1-os is attached to VM {VM}." == answer.body["error"]["message"]
    wire.do("PUT", NEW, empty())
    client_of(wire).disks.begin_delete("rg-app", "new").result()
    assert 404 == wire.ask("GET", NEW).status
    assert 204 == wire.ask("DELETE", NEW).status


def test_a_name_that_is_used_again_is_another_disk():
    """A disk that takes a deleted one's name has another unique id, and no mark of Azure Disk Encryption."""
    wire = off(disk("free") | {"twin": {"everAde": True}})
    free = f"{COMPUTE}/disks/free"
    before = wire.get(free)["properties"]["uniqueId"]
    wire.do("DELETE", free)
    wire.do("PUT", free, empty())
    assert before != wire.get(free)["properties"]["uniqueId"]
    assert "Succeeded" == wire.do("PATCH", free, TO_CUSTOMER_KEY)["status"]


def test_disks_grow_and_never_shrink():
    """A disk of a machine that is off grows, its machine tells so, and shrinking is refused as recorded.

    https://github.com/MicrosoftDocs/azure-docs/pull/57951.
    """
    wire = off(disk("web-1-data", osType=None, tier="P4"))
    wire.do("PATCH", DATA_DISK, {"properties": {"diskSizeGB": 256}})
    grown = wire.get(DATA_DISK)["properties"]
    assert (256, 256 * 1024**3) == (grown["diskSizeGB"], grown["diskSizeBytes"])
    answer = wire.ask("PATCH", DATA_DISK, {"properties": {"diskSizeGB": 30}})
    assert 409 == answer.status
    assert "cannot be resized down" in answer.body["error"]["message"]


def test_only_data_disks_grow_while_they_are_used():
    """A running machine's data disk grows, but not across 4 TiB; its operating system disk does not.

    https://github.com/kubernetes/kubernetes/pull/64386; Learn, "Expand virtual hard disks on a Linux VM",
    expanding without downtime.
    """
    wire = Wire()
    wire.do("PATCH", DATA_DISK, {"properties": {"diskSizeGB": 64}})
    for path, size in ((OS_DISK, 64), (DATA_DISK, 8192)):
        answer = wire.ask("PATCH", path, {"properties": {"diskSizeGB": size}})
        words = f"Cannot resize disk {path.rsplit('/', 1)[-1]} while it is attached to running VM {VM}."
        assert (409, words) == (answer.status, answer.body["error"]["message"])


def test_a_disk_changes_its_type_while_its_machine_is_off():
    """Standard and Premium are exchanged when the machine is off; to zones, Ultra and v2 there is no way.

    Learn, "Change the disk type of an Azure managed disk".
    """
    wire = off()
    wire.do("PATCH", OS_DISK, {"sku": {"name": "StandardSSD_LRS"}})
    assert {"name": "StandardSSD_LRS", "tier": "Standard"} == wire.get(OS_DISK)["sku"]
    for kind in ("Premium_ZRS", "PremiumV2_LRS"):
        assert 409 == wire.ask("PATCH", DATA_DISK, {"sku": {"name": kind}}).status
    assert 409 == Wire().ask("PATCH", OS_DISK, {"sku": {"name": "StandardSSD_LRS"}}).status


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"location": "northeurope", "properties": {}}, "InvalidResourceLocation"),
        (copy_of(DATA_DISK), "PropertyChangeNotAllowed"),
        ({"properties": {"securityProfile": {"securityType": "TrustedLaunch"}}}, "PropertyChangeNotAllowed"),
        ({"properties": {}, "zones": ["1"]}, "PropertyChangeNotAllowed"),
    ],
)
def test_what_is_settled_at_creation_stays(change, code):
    """Region, source, zones and security type never change.

    https://github.com/Azure/azure-powershell/issues/24253 (security type).
    """
    assert (409, code) == off().refused("PUT", OS_DISK, {"location": "westeurope", **change})


def test_the_data_of_a_running_machine_is_not_read():
    """The recorded refusal, and no other state.

    https://github.com/microsoft/AzureStorageExplorer/issues/6654.
    """
    wire = Wire()
    answer = wire.ask("POST", f"{OS_DISK}/beginGetAccess", READ)
    words = f"Access not permitted because disk web-1-os is currently attached to running VM {VM}."
    assert (409, "Conflict", words) == (answer.status, *answer.body["error"].values())
    assert "Attached" == wire.get(OS_DISK)["properties"]["diskState"]


def test_access_holds_a_disk_until_it_ends():
    """While access lasts: ActiveSAS, no start and no new key; afterwards the disk is its machine's again.

    Learn, "Download a Linux VHD from Azure",
    https://learn.microsoft.com/azure/virtual-machines/linux/download-vhd.
    """
    wire = off()
    client = client_of(wire)
    granted = client.disks.begin_grant_access("rg-app", "web-1-os", READ).result()
    assert granted.access_sas.startswith("https://127.0.0.1/")
    assert not {"?", "sig="} & set(granted.access_sas)
    assert "ActiveSAS" == wire.get(OS_DISK)["properties"]["diskState"]
    with pytest.raises(
        HttpResponseError, match="active shared access signature outstanding for disk web-1-os"
    ):
        client.virtual_machines.begin_start("rg-app", "web-1")
    assert (409, "OperationNotAllowed") == wire.refused("PATCH", OS_DISK, TO_CUSTOMER_KEY)
    client.disks.begin_revoke_access("rg-app", "web-1-os").result()
    assert "Reserved" == wire.get(OS_DISK)["properties"]["diskState"]
    client.virtual_machines.begin_start("rg-app", "web-1").result()


def test_access_ends_by_itself():
    """Access that nobody takes back ends with its time, which is at most 60 days."""
    wire = off()
    wire.do("PUT", NEW, empty())
    wire.do("POST", f"{NEW}/beginGetAccess", READ)
    assert 409 == wire.ask("DELETE", NEW).status
    wire.clock.sleep(3601)
    assert "Unattached" == wire.get(NEW)["properties"]["diskState"]
    for body in (
        {"access": "Read", "durationInSeconds": 5_184_001},
        {"access": "All", "durationInSeconds": 1},
    ):
        assert (400, "InvalidParameter") == wire.refused("POST", f"{NEW}/beginGetAccess", body)


def test_guest_state_is_handed_out_where_there_is_any():
    """A Trusted Launch disk hands out its guest state as well; a Standard one has none."""
    wire = off(disk("web-1-os", securityProfile={"securityType": "TrustedLaunch"}))
    body = {**READ, "getSecureVMGuestStateSAS": True}
    output = wire.do("POST", f"{OS_DISK}/beginGetAccess", body)["properties"]["output"]
    assert {"accessSAS", "securityDataAccessSAS"} == set(output)
    assert 409 == wire.ask("POST", f"{DATA_DISK}/beginGetAccess", body).status


def test_network_access_can_be_closed():
    """DenyAll hands out nothing; AllowPrivate needs a disk access, which stays while it is used.

    Learn, "Restrict managed disks from being imported or exported"; "Disk Accesses - Create Or Update".
    """
    wire = off()
    client = client_of(wire)
    wire.do("PUT", NEW, empty(networkAccessPolicy="DenyAll"))
    assert 409 == wire.ask("POST", f"{NEW}/beginGetAccess", READ).status
    made = client.disk_accesses.begin_create_or_update(
        "rg-app", "private", {"location": "westeurope"}
    ).result()
    private = {
        "networkAccessPolicy": "AllowPrivate",
        "diskAccessId": made.id,
        "publicNetworkAccess": "Disabled",
    }
    client.disks.begin_update("rg-app", "new", {"properties": private}).result()
    assert "AllowPrivate" == wire.get(NEW)["properties"]["networkAccessPolicy"]
    assert 202 == wire.ask("POST", f"{NEW}/beginGetAccess", READ).status
    assert (409, "OperationNotAllowed") == wire.refused("DELETE", made.id)
    assert ["private"] == [each.name for each in client.disk_accesses.list()]


def test_a_shared_disk_names_all_its_machines():
    """A disk of two machines names both, and its key waits until both are off.

    Learn, "Share an Azure managed disk"; "Disks - Get", managedByExtended and shareInfo.
    """
    shared = disk("web-1-data", osType=None, maxShares=2)
    profile = vm("web-2")["properties"]["storageProfile"]
    profile["dataDisks"][0]["managedDisk"]["id"] = DATA_DISK
    second = vm("web-2", storageProfile=profile)
    wire = Wire(*estate(shared, second, disk("web-2-os"), machine=deallocated()))
    told = wire.get(DATA_DISK)
    assert [VM, OTHER_VM] == told["managedByExtended"]
    assert [{"vmUri": VM}, {"vmUri": OTHER_VM}] == told["properties"]["shareInfo"]
    assert (409, "OperationNotAllowed") == wire.refused("PATCH", DATA_DISK, TO_CUSTOMER_KEY)
    wire.do("POST", f"{OTHER_VM}/deallocate")
    assert "Succeeded" == wire.do("PATCH", DATA_DISK, TO_CUSTOMER_KEY)["status"]


def test_a_disk_cannot_be_attached_before_it_is_ready():
    """A disk that waits for an upload, or is being read, is attached to nothing."""
    wire = off()
    creation = {"createOption": "Upload", "uploadSizeBytes": 20_972_032}
    wire.do("PUT", NEW, empty(None, creationData=creation))
    attached = {"lun": 3, "createOption": "Attach", "managedDisk": {"id": NEW}}
    kept = wire.get(VM)["properties"]["storageProfile"]["dataDisks"]
    change = {"properties": {"storageProfile": {"dataDisks": [*kept, attached]}}}
    assert (409, "OperationNotAllowed") == wire.refused("PATCH", VM, change)


def test_a_copy_of_a_fast_disk_fills_in_the_background():
    """A disk of Premium SSD v2 from a snapshot tells how far it is, and keeps its key until it is full.

    Learn, "Create an incremental snapshot for managed disks", Ultra Disk and Premium SSD v2.
    """
    wire = off(fast())
    wire.do("PUT", SNAPSHOT, copy_of(ULTRA, incremental=True))
    wire.clock.sleep(900)
    wire.do("PUT", NEW, copy_of(SNAPSHOT) | {"sku": {"name": "PremiumV2_LRS"}})
    assert 0 <= wire.get(NEW)["properties"]["completionPercent"] < 50
    answer = wire.ask("PATCH", NEW, TO_CUSTOMER_KEY)
    assert "before its background copy is complete" in answer.body["error"]["message"]
    wire.clock.sleep(900)
    assert 100 == wire.get(NEW)["properties"]["completionPercent"]
    assert "Succeeded" == wire.do("PATCH", NEW, TO_CUSTOMER_KEY)["status"]


def test_what_the_twin_does_not_act_on_is_kept():
    """Bursting, tier and authentication of exports come back as they were written; nothing has an etag.

    Learn, "Disks - Update", https://learn.microsoft.com/rest/api/compute/disks/update.
    """
    wire = off()
    change = {"burstingEnabled": True, "tier": "P30", "dataAccessAuthMode": "AzureActiveDirectory"}
    wire.do("PATCH", OS_DISK, {"properties": change})
    told = wire.get(OS_DISK)
    assert change == {name: told["properties"][name] for name in change}
    assert "etag" not in told
