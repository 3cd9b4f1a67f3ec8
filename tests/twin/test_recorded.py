"""What recordings of real traffic taught: each test names the repository and the file, and copies neither."""

import pytest

from tests.twin.making import NEW, body, place
from tests.twin.seeds import COMPUTE, START, SUBSCRIPTION, Wire, disk, estate

GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-app"
NETWORK = f"{GROUP}/providers/Microsoft.Network"
ADDRESS = {
    "location": "westeurope",
    "sku": {"name": "Standard"},
    "properties": {"publicIPAllocationMethod": "Static"},
}


def _network(wire: Wire) -> dict:
    """Make a virtual network, and return a body for an interface in it."""
    subnet = {"name": "a", "properties": {"addressPrefix": "10.0.0.0/24"}}
    properties = {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": [subnet]}
    wire.do("PUT", f"{NETWORK}/virtualNetworks/net", {"location": "westeurope", "properties": properties})
    entry = {"name": "one", "properties": {"subnet": {"id": f"{NETWORK}/virtualNetworks/net/subnets/a"}}}
    return {"location": "westeurope", "properties": {"ipConfigurations": [entry]}}


def test_an_interface_has_its_hardware_address_from_its_first_machine():
    """Azure/azure-cli, network/tests/latest/recordings/test_network_nic.yaml: none before, a kind at once."""
    wire = place()
    wire.do("PUT", f"{NETWORK}/networkInterfaces/new-1-nic", _network(wire))
    before = wire.get(f"{NETWORK}/networkInterfaces/new-1-nic")
    assert ("Regular", None) == (before["kind"], before["properties"].get("macAddress"))
    wire.do("PUT", NEW, body())
    assert wire.get(f"{NETWORK}/networkInterfaces/new-1-nic")["properties"]["macAddress"].startswith(
        "00-0D-3A"
    )


def test_a_public_address_is_told_when_its_operation_has_ended():
    """Azure/azure-cli, network/tests/latest/recordings/test_network_public_ip.yaml."""
    wire = Wire()
    made = wire.ask("PUT", f"{NETWORK}/publicIPAddresses/ip", ADDRESS)
    assert "ipAddress" not in made.body["properties"]
    wire.clock.sleep(10)
    assert wire.get(f"{NETWORK}/publicIPAddresses/ip")["properties"]["ipAddress"]


def test_a_deletion_in_the_network_ends_with_no_content():
    """Azure/azure-cli, network/tests/latest/recordings/test_natgateway_basic.yaml: it ends with 204."""
    wire = Wire()
    wire.do("PUT", f"{NETWORK}/publicIPAddresses/ip", ADDRESS)
    gone = wire.ask("DELETE", f"{NETWORK}/publicIPAddresses/ip")
    wire.clock.sleep(30)
    monitor = gone.headers["Location"].removeprefix("https://twin.example").split("?")[0]
    answer = wire.ask("GET", monitor)
    assert (204, True) == (answer.status, "Location" in answer.headers)


@pytest.mark.parametrize(("version", "is_shown"), [("2022-01-01", False), ("2022-11-01", True)])
def test_api_versions_show_what_came_with_them(version, is_shown):
    """Azure/azure-cli, network/tests/latest/recordings/test_network_public_ip.yaml: ddosSettings."""
    wire = Wire()
    wire.do("PUT", f"{NETWORK}/publicIPAddresses/ip", ADDRESS)
    shown = wire.get(f"{NETWORK}/publicIPAddresses/ip", version=version)
    assert is_shown is ("ddosSettings" in shown["properties"])


def test_a_size_by_its_name_decides_the_usual_disk():
    """Azure/azure-cli, vm/tests/latest/recordings/test_vm_create_ubuntu.yaml: Premium for a DS size."""
    wire = place()
    asked = body()
    asked["properties"]["storageProfile"]["osDisk"] = {"createOption": "FromImage"}
    made = wire.ask("PUT", NEW, asked)
    assert (
        "Premium_LRS"
        == made.body["properties"]["storageProfile"]["osDisk"]["managedDisk"]["storageAccountType"]
    )


def test_the_agent_is_ready_when_a_machine_is_made():
    """Azure/azure-cli, network/tests/latest/recordings/test_network_nic_convenience_commands.yaml."""
    wire = place()
    wire.do("PUT", NEW, body())
    assert "Ready" == wire.agent(NEW)
    status = wire.get(f"{NEW}/instanceView")["vmAgent"]["statuses"][0]
    assert status["time"] >= START.isoformat()


def test_a_vault_tells_who_made_it():
    """Azure/azure-cli, keyvault/tests/latest/recordings/test_keyvault_network_rule.yaml."""
    properties = {"tenantId": SUBSCRIPTION, "sku": {"family": "A", "name": "standard"}}
    path = f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv-shop"
    made = Wire().ask("PUT", path, {"location": "westeurope", "properties": properties})
    assert (200, "twin") == (made.status, made.body["systemData"]["createdBy"])


def test_a_deleted_lock_is_not_told():
    """Azure/azure-cli, resource/tests/latest/recordings/test_lock_commands_with_ids.yaml: an empty 200."""
    wire, path = Wire(), f"{GROUP}/providers/Microsoft.Authorization/locks/keep"
    wire.ask("PUT", path, {"properties": {"level": "CanNotDelete"}})
    gone = wire.ask("DELETE", path)
    assert (200, None) == (gone.status, gone.body)


def test_a_seeded_provider_is_told_as_it_is():
    """Azure/azure-cli, network/tests/latest/recordings/test_network_nic_convenience_commands.yaml."""
    own = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Network"
    types = [{"resourceType": "virtualNetworks", "apiVersions": ["2024-05-01"]}]
    wire = Wire(*estate(), {"id": own, "namespace": "Microsoft.Network", "resourceTypes": types})
    told = wire.get(own)
    assert (types, "Registered", False) == (told["resourceTypes"], told["registrationState"], "name" in told)


def test_a_new_data_disk_is_not_to_be_detached():
    """Azure/azure-cli, vm/tests/latest/recordings/test_vm_disk_attach_detach.yaml."""
    wire = Wire(*estate(disk("more", osType=None)))
    machine = f"{COMPUTE}/virtualMachines/web-1"
    entry = {"lun": 5, "createOption": "Attach", "managedDisk": {"id": f"{COMPUTE}/disks/more"}}
    disks = [*wire.get(machine)["properties"]["storageProfile"]["dataDisks"], entry]
    answer = wire.ask("PATCH", machine, {"properties": {"storageProfile": {"dataDisks": disks}}})
    assert False is answer.body["properties"]["storageProfile"]["dataDisks"][-1]["toBeDetached"]
