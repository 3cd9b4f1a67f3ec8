"""Deleting virtual machines, and what becomes of disks and interfaces."""

import pytest

from tests.twin.making import NEW, NIC, body, place
from tests.twin.seeds import COMPUTE, DATA_DISK, OS_DISK, VM, Wire, disk, estate
from tests.twin.test_sdk import client_of

EXTENSION = {
    "id": f"{VM}/extensions/AMA",
    "properties": {"publisher": "Microsoft.Azure.Monitor", "type": "AzureMonitorLinuxAgent"},
}


def test_disks_are_left_behind_free():
    """A deleted machine leaves its disks, Unattached and without an owner, and takes its extensions along.

    Delete a VM and attached resources, https://learn.microsoft.com/azure/virtual-machines/delete
    """
    wire = Wire(*estate(EXTENSION))
    client = client_of(wire)
    client.virtual_machines.begin_delete("rg-app", "web-1").result()
    assert (404, "ResourceNotFound") == wire.refused("GET", VM)
    assert (404, "ResourceNotFound") == wire.refused("GET", EXTENSION["id"])
    for path in (OS_DISK, DATA_DISK):
        assert "Unattached" == wire.get(path)["properties"]["diskState"]
        assert "managedBy" not in wire.get(path)
    assert [] == list(client.virtual_machines.list("rg-app"))


def test_delete_options_take_disk_and_interface_along():
    """Where deleteOption is Delete, disk and interface go with their machine.

    Delete a VM and attached resources, https://learn.microsoft.com/azure/virtual-machines/delete
    """
    wire = place(disk("free", osType=None))
    storage = body()["properties"]["storageProfile"]
    storage["osDisk"]["deleteOption"] = "Delete"
    storage["dataDisks"] = [
        {"lun": 0, "createOption": "Attach", "managedDisk": {"id": f"{COMPUTE}/disks/free"}},
    ]
    network = {"networkInterfaces": [{"id": NIC, "properties": {"deleteOption": "Delete"}}]}
    wire.do("PUT", NEW, body(storageProfile=storage, networkProfile=network))
    os_disk = wire.get(NEW)["properties"]["storageProfile"]["osDisk"]["managedDisk"]["id"]
    wire.do("DELETE", NEW)
    for path in (os_disk, NIC):
        assert (404, "ResourceNotFound") == wire.refused("GET", path)
    assert "Unattached" == wire.get(f"{COMPUTE}/disks/free")["properties"]["diskState"]


def test_an_interface_left_behind_is_free():
    """An interface whose machine is gone names none, has another etag, and serves the next machine."""
    wire = place()
    wire.do("PUT", NEW, body())
    before = wire.get(NIC)["etag"]
    wire.do("DELETE", NEW)
    assert "virtualMachine" not in wire.get(NIC)["properties"]
    assert before != wire.get(NIC)["etag"]
    assert 201 == wire.ask("PUT", NEW, body()).status


def test_a_machine_made_again_is_another_one():
    """A machine of the same name has another vmId, and another principal."""
    wire, ids = place(), set()
    for _ in range(2):
        wire.do("PUT", NEW, body() | {"identity": {"type": "SystemAssigned"}})
        vm = wire.get(NEW)
        ids |= {vm["properties"]["vmId"], vm["identity"]["principalId"]}
        wire.do("DELETE", NEW)
    assert 4 == len(ids)


def test_while_it_is_deleted_nothing_else_goes():
    """A machine that is being deleted refuses to start, in the words for one marked for deletion.

    Understand common error messages when you manage virtual machines in Azure,
    https://learn.microsoft.com/troubleshoot/azure/virtual-machines/windows/error-messages
    """
    wire = Wire()
    assert 202 == wire.ask("DELETE", VM).status
    assert "Deleting" == wire.get(VM)["properties"]["provisioningState"]
    answer = wire.ask("POST", f"{VM}/start")
    assert (409, "OperationNotAllowed") == (answer.status, answer.body["error"]["code"])
    assert "marked for deletion" in answer.body["error"]["message"]


@pytest.mark.parametrize("force", ["true", "false"])
def test_forced_deletion_is_only_faster(force):
    """A forced deletion ends sooner and does the same."""
    wire = Wire()
    answer = wire.ask("DELETE", VM, query={"forceDeletion": force})
    wire.clock.sleep(15)
    assert ("Succeeded" if force == "true" else "InProgress") == wire.follow(answer)["status"]
    wire.clock.sleep(30)
    assert (404, "ResourceNotFound") == wire.refused("GET", VM)


def test_what_is_not_there_is_already_deleted():
    """Deleting a machine that is not there is 204, and a deletion that fails leaves it, Failed."""
    fault = {"kind": "fail", "operation": "virtualMachines/delete", "at": "end", "code": "InternalError"}
    wire = Wire(*estate(), faults=[fault])
    assert 204 == wire.ask("DELETE", f"{COMPUTE}/virtualMachines/none").status
    assert "Failed" == wire.do("DELETE", VM)["status"]
    assert ("Failed", VM) == (wire.get(VM)["properties"]["provisioningState"], wire.get(OS_DISK)["managedBy"])
