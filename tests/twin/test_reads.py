"""Everything that is only read, and everything that is not there."""

import pytest

from readiness.twin.core import Twin
from tests.twin.seeds import COMPUTE, DATA_DISK, SUBSCRIPTION, VM, Wire, disk, estate, size, vm

SUB = f"/subscriptions/{SUBSCRIPTION}"
NIC = {
    "id": f"{SUB}/resourceGroups/rg-net/providers/Microsoft.Network/networkInterfaces/nic-1",
    "name": "nic-1",
    "location": "westeurope",
    "properties": {"primary": True},
}
GALLERY = {
    "id": f"{COMPUTE}/galleries/own",
    "name": "own",
    "location": "westeurope",
    "properties": {"identifier": {"uniqueName": "own"}},
}
VAULT = f"{SUB}/resourceGroups/rg-app/providers/Microsoft.RecoveryServices/vaults/vault"
ITEM = {
    "id": f"{VAULT}/backupFabrics/Azure/protectionContainers/c;vm/protectedItems/vm;web-1",
    "properties": {"protectedItemType": "Microsoft.Compute/virtualMachines", "policyType": "V2"},
}


def test_other_types_are_read_only():
    """A seeded type without a module is read and listed, and a write to it is a clear 405."""
    wire = Wire(*estate(GALLERY))
    assert GALLERY == wire.get(GALLERY["id"])
    assert {"value": [GALLERY]} == wire.get(f"{SUB}/providers/Microsoft.Compute/galleries")
    assert (405, "MethodNotAllowed") == wire.refused("PUT", GALLERY["id"], {})


def test_backup_items_are_listed_under_their_vault():
    """The vault's backupProtectedItems lists items, whose own ids stand under fabrics and containers."""
    wire = Wire(*estate(ITEM))
    assert [ITEM["id"]] == [each["id"] for each in wire.get(f"{VAULT}/backupProtectedItems")["value"]]


def test_lists_of_unknown_types_are_empty():
    """A list of a type nobody seeded is empty, not an error."""
    assert {"value": []} == Wire().get(f"{SUB}/providers/Microsoft.Security/assessments")
    assert {"value": []} == Wire().get(f"{VM}/extensions")


@pytest.mark.parametrize(
    ("method", "path", "refusal"),
    [
        ("GET", f"{COMPUTE}/virtualMachines/none", (404, "ResourceNotFound")),
        ("GET", f"{COMPUTE}/virtualMachines/none/extensions", (404, "ResourceNotFound")),
        ("GET", COMPUTE.replace("rg-app", "rg-none") + "/disks/d", (404, "ResourceGroupNotFound")),
        ("GET", "/subscriptions/none/resourceGroups", (404, "SubscriptionNotFound")),
        ("GET", f"{SUB}/providers/Microsoft.Compute/locations/x/operations/y", (404, "NotFound")),
        ("POST", f"{COMPUTE}/galleries/g/paint", (404, "InvalidResourceType")),
        ("POST", "/providers/Microsoft.ResourceGraph/operations", (404, "InvalidResourceType")),
    ],
)
def test_what_is_not_there_is_an_arm_error(method, path, refusal):
    """Whatever is not there is a 404 in the ARM error envelope."""
    assert refusal == Wire().refused(method, path)


def test_the_api_version_is_required_and_otherwise_free():
    """Any dated api-version is accepted; none at all is refused."""
    wire = Wire()
    assert (400, "MissingApiVersionParameter") == wire.refused("GET", VM, version="")
    for version in ("2019-03-01", "2021-07-01", "2026-04-01", "2020-04-01-preview"):
        assert 200 == wire.ask("GET", VM, version=version).status


def test_scopes_are_known_from_what_is_in_them():
    """Subscriptions and resource groups nobody seeded are known from the resources in them."""
    wire = Wire(*estate(NIC))
    assert [SUBSCRIPTION] == [each["subscriptionId"] for each in wire.get("/subscriptions")["value"]]
    assert "Enabled" == wire.get(SUB)["state"]
    assert ["rg-app", "rg-net"] == [each["name"] for each in wire.get(f"{SUB}/resourceGroups")["value"]]
    assert "rg-net" == wire.get(f"{SUB}/resourcegroups/RG-NET")["name"]
    assert ["westeurope"] == [each["name"] for each in wire.get(f"{SUB}/locations")["value"]]
    assert [NIC["id"]] == [each["id"] for each in wire.get(f"{SUB}/resourceGroups/rg-net/resources")["value"]]
    assert 1 == len(wire.get("/tenants")["value"])


def test_sizes_are_listed_by_subscription():
    """The sizes of the seed are listed, filtered by location where the client asks for one."""
    wire = Wire(*estate(size(), size("Standard_M64") | {"locations": ["northeurope"]}))
    path = f"{SUB}/providers/Microsoft.Compute/skus"
    assert 2 == len(wire.get(path)["value"])
    filtered = wire.get(path, query={"$filter": "location eq 'northeurope'"})["value"]
    assert ["Standard_M64"] == [each["name"] for each in filtered]


def test_long_lists_come_in_pages():
    """A long list comes in pages, each with the address of the next on the client's own host."""
    wire = Wire(*(disk(f"d{number:04}") for number in range(1100)))
    path, seen = f"{COMPUTE}/disks", []
    query: dict[str, str] = {}
    while True:
        body = wire.get(path, query=query)
        seen += [each["name"] for each in body["value"]]
        if "nextLink" not in body:
            break
        assert body["nextLink"].startswith(f"https://twin.example{path}?")
        query = {"$skiptoken": body["nextLink"].split("$skiptoken=")[1].split("&")[0]}
    assert [f"d{number:04}" for number in range(1100)] == seen


def test_answers_share_nothing_with_the_truth():
    """Whatever a client does to an answer, the twin's own resources stay as they are."""
    wire = Wire()
    wire.get(VM)["properties"].clear()
    wire.twin.resources()[0]["properties"].clear()
    assert "storageProfile" in wire.get(VM)["properties"]


def test_seeds_are_completed():
    """A bare machine and a bare disk get what a real one has: ids, states, a guest and an owner."""
    wire = Wire(vm(), disk("web-1-os"), disk("web-1-data"), disk("loose"))
    assert "Ready" == wire.agent()
    attached, loose = (wire.get(path) for path in (DATA_DISK, f"{COMPUTE}/disks/loose"))
    assert ("Attached", VM) == (attached["properties"]["diskState"], attached["managedBy"])
    assert "Unattached" == loose["properties"]["diskState"]
    assert attached["properties"]["uniqueId"] != loose["properties"]["uniqueId"]
    assert {"type": "EncryptionAtRestWithPlatformKey"} == loose["properties"]["encryption"]


def test_odd_machines_do_not_hide_the_others():
    """Machines without properties, disks, profiles or agents are served like any other."""
    bare = {"id": f"{COMPUTE}/virtualMachines/bare"}
    unmanaged = vm("unmanaged", storageProfile={"osDisk": {"vhd": {"uri": "https://x"}}, "dataDisks": None})
    null = {"id": f"{COMPUTE}/virtualMachines/null", "properties": None}
    wire = Wire(*estate(bare, unmanaged, null))
    listed = wire.get(f"{COMPUTE}/virtualMachines", query={"statusOnly": "true"})["value"]
    assert ["bare", "null", "unmanaged", "web-1"] == sorted(each["name"] for each in listed)
    for name in ("bare", "unmanaged", "null"):
        path = f"{COMPUTE}/virtualMachines/{name}"
        assert "Succeeded" == wire.do("POST", f"{path}/deallocate")["status"]


def test_resource_graph_instance_views_are_understood():
    """The power state of a collected line is read from where Resource Graph puts it."""
    extended = {"instanceView": {"powerState": {"code": "PowerState/deallocated"}}}
    assert "PowerState/deallocated" == Wire(vm(extended=extended)).power()


def test_a_machine_without_an_agent_never_reports_one():
    """A machine seeded with a silent agent runs, and stays silent after every boot."""
    view = {
        "vmAgent": {"statuses": [{"displayStatus": "Not Ready"}]},
        "statuses": [{"code": "PowerState/running"}],
    }
    wire = Wire(*estate(machine=vm(instanceView=view)))
    assert "Not Ready" == wire.agent()
    wire.do("POST", f"{VM}/deallocate")
    wire.do("POST", f"{VM}/start")
    wire.clock.sleep(600)
    assert "Not Ready" == wire.agent()


def test_a_resource_without_an_id_is_refused():
    """A seed resource without an id is refused by its position."""
    wire = Wire()
    with pytest.raises(ValueError, match="seed resource 1 has no id"):
        Twin([{"name": "x"}], clock=wire.clock)


def test_the_log_holds_accepted_writes_in_order():
    """Accepted writes are logged in order, with their time; reads and refusals are not."""
    wire = Wire()
    wire.ask("GET", VM)
    wire.ask("POST", f"{VM}/deallocate")
    wire.ask("PATCH", VM, {"tags": {}})
    wire.clock.sleep(70)
    wire.ask("PATCH", VM, {"tags": {}})
    assert [("POST", f"{VM}/deallocate", 202), ("PATCH", VM, 200)] == [
        (each.method, each.path, each.status) for each in wire.twin.log
    ]
    assert wire.twin.log[0].at < wire.twin.log[1].at


def test_what_the_seed_told_of_the_guest_is_told_again():
    """Encryption in the guest and the generation come back as the seed's instance view had them."""
    state = {"code": "EncryptionState/encrypted", "level": "Info", "displayStatus": "Encryption is enabled"}
    seen = {
        "hyperVGeneration": "V1",
        "disks": [{"name": "web-1-os", "statuses": [state], "encryptionSettings": [{"enabled": True}]}],
        "statuses": [{"code": "PowerState/running"}],
    }
    ephemeral = {"name": "web-1-os", "diffDiskSettings": {"option": "Local"}}
    machine = vm(instanceView=seen)
    machine["properties"]["storageProfile"]["osDisk"] = ephemeral
    view = Wire(*estate(machine=machine)).get(f"{VM}/instanceView")
    assert "V1" == view["hyperVGeneration"]
    (disk,) = (each for each in view["disks"] if each["name"] == "web-1-os")
    assert state in disk["statuses"]
    assert [{"enabled": True}] == disk["encryptionSettings"]
