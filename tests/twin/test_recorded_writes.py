"""What writes are answered with, as recorded: each test names repository and file, and copies neither."""

import pytest

from tests.twin.network_seeds import NETWORK, NIC, STANDARD, SUBNET, VNET, network, wired
from tests.twin.seeds import COMPUTE, KEY, OS_DISK, VM, Wire, deallocated, disk, estate
from tests.twin.storage_seeds import NEW, copy_of, empty

BALANCER = f"{NETWORK}/loadBalancers/lb"


def _balancer(sku: str, **properties: object) -> dict:
    front = {"name": "front", "properties": {"subnet": {"id": SUBNET}}}
    more = {"frontendIPConfigurations": [front], "backendAddressPools": [{"name": "pool"}], **properties}
    return {"location": "westeurope", "sku": {"name": sku}, "properties": more}


def _of(collection: str, name: str) -> dict:
    return {"id": f"{BALANCER}/{collection}/{name}"}


def test_a_disk_is_answered_with_what_was_asked_for():
    """Azure/azure-cli, vm/tests/latest/recordings/test_accelerated_network.yaml: nothing that follows."""
    answer = Wire().ask("PUT", NEW, empty(5, "Premium_LRS", diskIOPSReadWrite=7))
    assert (202, {"id", "name", "type", "location", "sku", "properties"}) == (answer.status, set(answer.body))
    assert {"name": "Premium_LRS"} == answer.body["sku"]
    assert {
        "creationData": {"createOption": "Empty"},
        "diskSizeGB": 5,
        "provisioningState": "Updating",
    } == answer.body["properties"]


@pytest.mark.parametrize(
    ("sku", "size", "tier", "limits"),
    [
        ("Premium_LRS", 5, "Premium", (120, 25)),
        ("Premium_LRS", 200, "Premium", (1100, 125)),
        ("Premium_LRS", 1024, "Premium", (5000, 200)),
        ("Standard_LRS", 200, "Standard", (500, 60)),
        ("StandardSSD_LRS", 4, "Standard", (500, 100)),
        ("UltraSSD_LRS", 4, "Ultra", (None, None)),
    ],
)
def test_a_disk_tells_the_limits_of_its_type_and_size(sku, size, tier, limits):
    """The result of the operation tells them, too.

    Azure/azure-cli, vm/tests/latest/recordings/test_snapshot_create_with_bandwidth_copy_speed.yaml,
    test_disk_bursting.yaml and test_vm_disk_storage_sku.yaml.
    """
    wire = Wire()
    output = wire.do("PUT", NEW, empty(size, sku))["properties"]["output"]
    for told in (output, wire.get(NEW)):
        assert {"name": sku, "tier": tier} == told["sku"]
        names = ("diskIOPSReadWrite", "diskMBpsReadWrite")
        assert limits == tuple(told["properties"].get(name) for name in names)


def test_limits_follow_the_size_of_a_disk_that_is_written_back():
    """Azure/azure-cli, vm/tests/latest/recordings/test_disk_bursting.yaml: a client cannot set them."""
    wire = Wire()
    wire.do("PUT", NEW, empty(4, "Premium_LRS"))
    read = wire.get(NEW)
    read["properties"]["diskSizeGB"] = 1024
    wire.do("PUT", NEW, read)
    assert 5000 == wire.get(NEW)["properties"]["diskIOPSReadWrite"]


def test_a_seeded_disk_tells_the_tier_of_its_sku():
    """Azure/azure-cli, vm/tests/latest/recordings/test_accelerated_network.yaml: every read tells it."""
    wire = Wire(*estate(disk("more", osType=None) | {"sku": {"name": "Premium_LRS"}}))
    assert "Premium" == wire.get(f"{COMPUTE}/disks/more")["sku"]["tier"]


def test_an_empty_snapshot_is_made_and_needs_a_size():
    """Azure/azure-cli, vm/tests/latest/recordings/test_snapshot_access.yaml; it tells no progress."""
    wire, path = Wire(), f"{COMPUTE}/snapshots/empty"
    wire.do("PUT", path, empty(1))
    made = wire.get(path)["properties"]
    assert ("Empty", 1, False, "Unattached", False) == (
        made["creationData"]["createOption"],
        made["diskSizeGB"],
        made["incremental"],
        made["diskState"],
        "completionPercent" in made,
    )
    assert (400, "InvalidParameter") == wire.refused("PUT", f"{path}-2", empty(None))


def test_a_full_copy_tells_no_progress():
    """Azure/azure-cli, vm/tests/latest/recordings/test_specialized_image.yaml."""
    wire, path = Wire(), f"{COMPUTE}/snapshots/full"
    wire.do("PUT", path, copy_of(OS_DISK))
    assert "completionPercent" not in wire.get(path)["properties"]


def test_an_encryption_set_is_answered_without_its_name():
    """Azure/azure-cli, vm/tests/latest/recordings/test_disk_encryption_set_identity.yaml: a PATCH has it."""
    wire, path = Wire(), f"{COMPUTE}/diskEncryptionSets/new"
    wanted = {
        "location": "westeurope",
        "identity": {"type": "SystemAssigned"},
        "properties": {
            "activeKey": {"keyUrl": "https://kv.vault.azure.net/keys/k/0d837523a46240da919c7cd4cdc27d43"},
            "encryptionType": "EncryptionAtRestWithCustomerKey",
        },
    }
    answer = wire.ask("PUT", path, wanted)
    assert 202 == answer.status
    asked = wanted["properties"] | {"provisioningState": "Updating"}
    assert wanted | {"properties": asked} == answer.body
    wire.clock.sleep(60)
    made = wire.get(path)["properties"]
    assert {"previousKeys", "rotationToLatestKeyVersionEnabled"}.isdisjoint(made)
    changed = wire.ask("PATCH", KEY, {"tags": {"a": "b"}}).body
    assert (KEY, "Updating") == (changed["id"], changed["properties"]["provisioningState"])


def test_writes_do_not_tell_the_members_of_sets_and_groups():
    """Azure/azure-cli, vm/tests/latest/recordings/test_ppg_update.yaml and test_vm_availset.yaml."""
    wire, place = Wire(), {"location": "westeurope"}
    availability = wire.ask("PUT", f"{COMPUTE}/availabilitySets/one", place | {"sku": {"name": "Aligned"}})
    assert "virtualMachines" not in availability.body["properties"]
    assert [] == wire.get(f"{COMPUTE}/availabilitySets/one")["properties"]["virtualMachines"]
    group = wire.ask("PUT", f"{COMPUTE}/proximityPlacementGroups/one", place)
    assert (201, {"proximityPlacementGroupType": "Standard"}) == (group.status, group.body["properties"])
    told = wire.get(f"{COMPUTE}/proximityPlacementGroups/one")["properties"]
    assert [[], [], []] == [
        told[name] for name in ("virtualMachines", "virtualMachineScaleSets", "availabilitySets")
    ]


def test_a_placement_group_keeps_its_intent_and_zone():
    """Azure/azure-cli, vm/tests/latest/recordings/test_ppg_intent_vm_sizes_and_zone.yaml."""
    intent = {"vmSizes": ["Standard_D2s_v5"]}
    wanted = {"location": "westeurope", "zones": ["2"], "properties": {"intent": intent}}
    made = Wire().ask("PUT", f"{COMPUTE}/proximityPlacementGroups/one", wanted).body
    assert (["2"], intent) == (made["zones"], made["properties"]["intent"])


def test_an_interface_without_a_machine_is_done_when_it_is_answered():
    """Azure/azure-cli, network/tests/latest/recordings/test_multiple_ipconfigs_remove_by_shorthand.yaml."""
    wire = wired()
    entry = {"name": "one", "properties": {"subnet": {"id": SUBNET}}}
    wanted = {"location": "westeurope", "properties": {"ipConfigurations": [entry]}}
    answer = wire.ask("PUT", f"{NETWORK}/networkInterfaces/free", wanted)
    assert (201, "Succeeded", True, False) == (
        answer.status,
        answer.body["properties"]["provisioningState"],
        "Azure-AsyncOperation" in answer.headers,
        "Retry-After" in answer.headers,
    )
    assert "Succeeded" == wire.follow(answer)["status"]
    assert answer.body["etag"] == wire.get(f"{NETWORK}/networkInterfaces/free")["etag"]


def test_an_interface_of_a_machine_is_updating():
    """Azure/azure-libraries-for-net, SessionRecords, AppGateway/BackendHealthCheck.json."""
    wire = wired()
    answer = wire.ask("PUT", NIC, wire.get(NIC))
    assert ("Updating", True) == (
        answer.body["properties"]["provisioningState"],
        "Retry-After" in answer.headers,
    )


def test_the_parts_of_a_load_balancer_tell_the_rules_that_use_them():
    """Azure/azure-cli, network/tests/latest/recordings/test_network_lb_rules.yaml and _lb_nat_rules.yaml."""
    wire = wired()
    front, pool, probe = (
        _of("frontendIPConfigurations", "front"),
        _of("backendAddressPools", "pool"),
        _of("probes", "up"),
    )
    flow = {"protocol": "Tcp", "frontendPort": 80, "backendPort": 80, "frontendIPConfiguration": front}
    made = wire.ask(
        "PUT",
        BALANCER,
        _balancer(
            "Standard",
            probes=[{"name": "up", "properties": {"protocol": "Tcp", "port": 80}}],
            loadBalancingRules=[
                {"name": "web", "properties": flow | {"backendAddressPool": pool, "probe": probe}}
            ],
            inboundNatRules=[{"name": "ssh", "properties": flow | {"frontendPort": 22}}],
        ),
    )
    assert (201, "Succeeded") == (made.status, made.body["properties"]["provisioningState"])
    for told in (made.body["properties"], wire.get(BALANCER)["properties"]):
        own = told["frontendIPConfigurations"][0]["properties"]
        assert [_of("loadBalancingRules", "web")] == own["loadBalancingRules"]
        assert [_of("inboundNatRules", "ssh")] == own["inboundNatRules"]
        rules = [_of("loadBalancingRules", "web")]
        assert rules == told["backendAddressPools"][0]["properties"]["loadBalancingRules"]
        assert rules == told["probes"][0]["properties"]["loadBalancingRules"]


def test_the_rules_of_a_load_balancer_are_completed():
    """Azure/azure-libraries-for-net, SessionRecords, ScaleSetBootDiagnosticsOperations/CanDisable.json."""
    wire = wired()
    front = _of("frontendIPConfigurations", "front")
    flow = {"protocol": "Tcp", "frontendIPConfiguration": front, "backendPort": 22}
    made = wire.ask(
        "PUT",
        BALANCER,
        _balancer(
            "Basic",
            probes=[{"name": "up", "properties": {"protocol": "Tcp", "port": 80}}],
            loadBalancingRules=[{"name": "web", "properties": flow | {"frontendPort": 80}}],
            inboundNatPools=[
                {"name": "ssh", "properties": flow | {"frontendPortRangeStart": 1, "frontendPortRangeEnd": 9}}
            ],
        ),
    ).body["properties"]
    probe, rule, pool = (
        made[name][0]["properties"] for name in ("probes", "loadBalancingRules", "inboundNatPools")
    )
    assert (15, 2) == (probe["intervalInSeconds"], probe["numberOfProbes"])
    assert "Default" == rule["loadDistribution"]
    for flow in (rule, pool):
        assert (False, False, False, False, 4) == (
            flow["enableFloatingIP"],
            flow["enableTcpReset"],
            flow["allowBackendPortConflict"],
            flow["enableDestinationServiceEndpoint"],
            flow["idleTimeoutInMinutes"],
        )
    assert f"{BALANCER}/inboundNatPools/ssh" == made["inboundNatPools"][0]["id"]
    assert "outboundRules" not in made
    assert "loadBalancerBackendAddresses" not in made["backendAddressPools"][0]["properties"]


def test_a_peering_is_initiated_and_then_connected():
    """Azure/azure-cli, network/tests/latest/recordings/test_network_vnet_peering.yaml."""
    wire, other = wired(), f"{NETWORK}/virtualNetworks/far"
    far = network(("a", "10.9.0.0/24"))
    far["properties"]["addressSpace"] = {"addressPrefixes": ["10.9.0.0/16"]}
    wire.do("PUT", other, {"location": "westeurope", "properties": far["properties"]})
    there = {"properties": {"remoteVirtualNetwork": {"id": other}}}
    made = wire.ask("PUT", f"{VNET}/virtualNetworkPeerings/there", there).body["properties"]
    assert ("Initiated", "RemoteNotInSync", True, False, ["10.9.0.0/16"]) == (
        made["peeringState"],
        made["peeringSyncLevel"],
        made["allowVirtualNetworkAccess"],
        made["useRemoteGateways"],
        made["remoteAddressSpace"]["addressPrefixes"],
    )
    wire.clock.sleep(60)
    back = {"properties": {"remoteVirtualNetwork": {"id": VNET}}}
    wire.do("PUT", f"{other}/virtualNetworkPeerings/back", back)
    told = wire.get(f"{VNET}/virtualNetworkPeerings/there")["properties"]
    assert ("Connected", "FullyInSync") == (told["peeringState"], told["peeringSyncLevel"])


@pytest.mark.parametrize(
    ("version", "told"), [("2018-04-01", None), ("2019-09-01", "Enabled"), ("2022-01-01", "Disabled")]
)
def test_the_policies_of_a_new_subnet_depend_on_the_api_version(version, told):
    """Before 2019 none is told, from then on Enabled, and in newer ones Disabled.

    Azure/azure-libraries-for-net, SessionRecords, Network.AppGateway/InParallel.json and
    Compute.SharedGalleryImage/CanCreateUpdateGetDeleteGalleryImageVersion.json; Azure/azure-cli,
    backup/tests/latest/recordings/test_backup_restore.yaml.
    """
    path = f"{NETWORK}/virtualNetworks/fresh"
    made = wired().ask("PUT", path, network(("a", "10.0.9.0/24")), version=version).body
    assert told == made["properties"]["subnets"][0]["properties"].get("privateEndpointNetworkPolicies")


def test_a_labelled_address_has_a_full_name():
    """Azure/azure-cli, network/tests/latest/recordings/test_network_public_ip.yaml."""
    body = STANDARD | {"properties": {"dnsSettings": {"domainNameLabel": "shop"}}}
    made = wired().ask("PUT", f"{NETWORK}/publicIPAddresses/named", body).body
    assert "shop.westeurope.cloudapp.azure.com" == made["properties"]["dnsSettings"]["fqdn"]


def test_a_deallocated_machine_does_not_tell_the_size_and_type_of_its_disks():
    """Azure/azure-cli, vm/tests/latest/recordings/test_enable_trusted_launch_on_v1.yaml."""
    machine = deallocated()
    entry = machine["properties"]["storageProfile"]["osDisk"]
    entry |= {"diskSizeGB": 30}
    entry["managedDisk"] |= {"storageAccountType": "Premium_LRS"}
    wire = Wire(*estate(machine=machine))
    told = wire.get(VM)["properties"]["storageProfile"]["osDisk"]
    assert ({"id": OS_DISK}, False) == (told["managedDisk"], "diskSizeGB" in told)
    wire.do("POST", f"{VM}/start")
    told = wire.get(VM)["properties"]["storageProfile"]["osDisk"]
    assert ("Premium_LRS", 30) == (told["managedDisk"]["storageAccountType"], told["diskSizeGB"])


def test_a_machine_tells_its_extensions():
    """Azure/azure-cli, network/tests/latest/recordings/test_network_watcher_packet_capture.yaml."""
    extension = {
        "id": f"{VM}/extensions/watch",
        "name": "watch",
        "type": "Microsoft.Compute/virtualMachines/extensions",
        "location": "westeurope",
        "properties": {"publisher": "P", "type": "T", "typeHandlerVersion": "1.4"},
    }
    wire = Wire(*estate(extension))
    assert [extension] == wire.get(VM)["resources"]
    listed = wire.get(f"{COMPUTE}/virtualMachines")["value"]
    assert [[{"id": extension["id"]}]] == [each["resources"] for each in listed if each["id"] == VM]
