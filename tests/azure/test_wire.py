"""ARM JSON to the model: what is read, what is tolerated, and what becomes a gap."""

from collections.abc import Callable
from typing import Any

import pytest

from readiness.azure import wire, wire_network, wire_values
from readiness.azure.collection import collect
from readiness.azure.wire_values import MalformedError
from readiness.model.context import Context
from readiness.model.disk import EncryptionType
from readiness.model.estate import Estate
from readiness.model.estate_info import Gap, Origin
from readiness.model.ids import ResourceId
from readiness.model.virtual_machine import Identity, OsFamily, Power, SecurityType
from tests.builders import SUBSCRIPTION, info, rid, vm_id

VM = vm_id("vm1")
DISK = rid("Microsoft.Compute/disks", "vm1-os")
ITEM_TYPE = "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems"


def vm_json(**properties: Any) -> dict[str, Any]:
    """Return a VM as ARM's GET with its instance view answers it."""
    return {
        "id": VM.text,
        "name": "vm1",
        "type": "Microsoft.Compute/virtualMachines",
        "location": "West Europe",
        "zones": ["1"],
        "tags": {"env": "prod", "empty": None},
        "identity": {
            "type": "SystemAssigned, UserAssigned",
            "principalId": "p",
            "userAssignedIdentities": {"/b": {}},
        },
        "properties": {
            "hardwareProfile": {"vmSize": "Standard_D2s_v5"},
            "securityProfile": {
                "securityType": "trustedlaunch",
                "uefiSettings": {"secureBootEnabled": "true", "vTpmEnabled": True},
                "encryptionAtHost": True,
            },
            "storageProfile": {
                "imageReference": {"publisher": "Canonical", "offer": "jammy", "sku": "22_04"},
                "osDisk": {"osType": "linux", "managedDisk": {"id": DISK.text}},
                "dataDisks": [
                    {"lun": 1, "vhd": {"uri": "https://x/y.vhd"}},
                    {"lun": 0, "managedDisk": {"id": f"{DISK}-0"}},
                ],
            },
            "osProfile": {
                "computerName": "vm1",
                "linuxConfiguration": {"disablePasswordAuthentication": True},
            },
            "networkProfile": {"networkInterfaces": [{"id": "/nic"}]},
            "instanceView": {
                "hyperVGeneration": "V1",
                "osName": "ubuntu",
                "vmAgent": {"statuses": [{"displayStatus": "Ready"}]},
                "statuses": [{"code": "ProvisioningState/succeeded"}, {"code": "PowerState/running"}],
            },
            "provisioningState": "Succeeded",
            **properties,
        },
    }


def disk_json(**properties: Any) -> dict[str, Any]:
    """Return the OS disk of that VM."""
    return {
        "id": DISK.text.upper(),
        "type": "microsoft.compute/DISKS",
        "location": "westeurope",
        "sku": {"name": "Premium_LRS"},
        "properties": {
            "hyperVGeneration": "V2",
            "encryption": {"type": "encryptionatrestwithplatformkey"},
            "diskSizeGB": 30,
            **properties,
        },
    }


def estate_of(*resources: dict[str, Any], gaps: tuple[Gap, ...] = ()) -> Estate:
    """Collect these resources into an estate."""
    placed = ((f"resources.jsonl:{number}", resource) for number, resource in enumerate(resources, start=1))
    return collect(placed, gaps).estate(info(), Context())


def test_a_vm_is_read() -> None:
    """Every fact of a complete VM arrives, whatever the letter case of its values."""
    vm = wire.virtual_machine(vm_json())

    assert ("vm1", "westeurope", "Standard_D2s_v5") == (vm.name, vm.location, vm.size)
    assert (SecurityType.TRUSTED_LAUNCH, True, True) == (
        vm.boot.security_type,
        vm.boot.secure_boot,
        vm.boot.vtpm,
    )
    assert (OsFamily.LINUX, Power.RUNNING, True) == (vm.os_family, vm.power, vm.agent_ready)
    assert Identity(system_assigned=True, user_assigned=(ResourceId("/b"),), principal_id="p") == vm.identity
    assert (None, 0, 1) == tuple(entry.lun for entry in vm.disks)
    assert {"env": "prod", "empty": ""} == vm.tags


def test_the_generation_of_the_os_disk_wins() -> None:
    """The disk says V2, the instance view V1: the disk is right."""
    estate = estate_of(vm_json(), disk_json())

    assert 2 == estate.vms[0].boot.generation


@pytest.mark.parametrize(("properties", "expected"), [({}, 1), ({"instanceView": None}, None)])
def test_the_generation_without_a_disk(properties: dict[str, Any], expected: int | None) -> None:
    """Without a disk the instance view decides, and without that nobody."""
    assert expected == estate_of(vm_json(**properties)).vms[0].boot.generation


def test_a_resource_graph_row_is_read() -> None:
    """Resource Graph keeps the instance view elsewhere and lowers the type's case."""
    view = {"powerState": {"code": "PowerState/deallocated"}, "hyperVGeneration": "V2", "osName": "ubuntu"}
    row = vm_json(instanceView=None, extended={"instanceView": view}) | {
        "type": "microsoft.compute/virtualmachines"
    }

    vm = estate_of(row).vms[0]

    assert (Power.DEALLOCATED, 2, "ubuntu") == (vm.power, vm.boot.generation, vm.os_name)


def test_what_is_missing_is_not_reported() -> None:
    """A VM of which nothing but its id was read is still a VM."""
    vm = wire.virtual_machine({"id": VM.text, "properties": None, "tags": None, "identity": None})

    assert (None, None, None, Power.UNKNOWN) == (vm.os_profile, vm.os_disk, vm.agent_ready, vm.power)
    assert (SecurityType.STANDARD, None, ()) == (vm.boot.security_type, vm.boot.generation, vm.nics)


@pytest.mark.parametrize("key", list(vm_json()["properties"]))
def test_any_part_may_be_null(key: str) -> None:
    """One null object costs its own facts only."""
    assert VM == wire.virtual_machine(vm_json(**{key: None})).id


def test_values_of_the_future_are_told_apart_from_none() -> None:
    """A security type, power state or encryption that is not known here is not taken for another one."""
    future = {
        "securityProfile": {"securityType": "Quantum"},
        "instanceView": {"statuses": [{"code": "PowerState/zz"}]},
    }
    vm = wire.virtual_machine(vm_json(**future))

    assert (SecurityType.OTHER, Power.UNKNOWN) == (vm.boot.security_type, vm.power)
    assert EncryptionType.OTHER == wire.disk(disk_json(encryption={"type": "Quantum"})).encryption.type


def test_a_disk_that_is_neither_managed_nor_a_vhd_stays_unread() -> None:
    """An attachment without any reference is not taken for a VHD."""
    vm = wire.virtual_machine(
        vm_json(storageProfile={"osDisk": {"osType": "Linux"}, "dataDisks": [{"lun": 3}]})
    )

    assert ["osDisk", "3"] == [disk.name for disk in vm.managed_disks]


def test_extensions_come_inline_and_as_resources() -> None:
    """Both kinds arrive; of the same name the child resource is newer."""
    kind = "Microsoft.Compute/virtualMachines/extensions"
    inline = vm_json() | {
        "resources": [
            {
                "id": f"{VM}/extensions/A",
                "name": "A",
                "type": kind,
                "properties": {"type": "Old", "publisher": "P"},
            },
            {
                "id": f"{VM}/extensions/B",
                "name": "B",
                "type": kind,
                "properties": {"type": "Two", "publisher": "P"},
            },
        ]
    }
    child = {
        "id": f"{VM.text.upper()}/extensions/a",
        "name": "vm1/a",
        "type": kind,
        "properties": {"type": "New"},
    }

    vm = estate_of(child, inline).vms[0]

    assert [("a", "New"), ("B", "Two")] == [(one.name, one.type) for one in vm.extensions]


def test_an_extension_that_cannot_be_read_is_not_absent() -> None:
    """The VM keeps a nameless extension, so that rules answer unknown."""
    kind = "Microsoft.Compute/virtualMachines/extensions"
    estate = estate_of(vm_json(), {"id": f"{VM}/extensions/x", "type": kind, "properties": []})

    assert [("x", "")] == [(one.name, one.type) for one in estate.vms[0].extensions]
    assert [("Malformed", False)] == [(gap.reason, gap.is_vm) for gap in estate.gaps]


def test_a_vm_that_cannot_be_read_is_a_gap_and_hides_nobody() -> None:
    """The gap says where, which and why; the other VM is there."""
    broken = {"id": f"{VM}-broken", "type": "Microsoft.Compute/virtualMachines", "properties": []}

    estate = estate_of(broken, vm_json())

    assert [VM] == [vm.id for vm in estate.vms]
    detail = "It cannot be understood: 'properties' is a list, not an object."
    assert (Gap("resources.jsonl:1", f"{VM}-broken", "Malformed", detail, is_vm=True),) == estate.gaps


@pytest.mark.parametrize("broken", [{"id": "/nowhere"}, {"id": None}, {"id": 7}, {}])
def test_a_vm_without_a_usable_id_is_counted(broken: dict[str, Any]) -> None:
    """Even a VM that cannot be named is part of the coverage proof."""
    estate = estate_of({"type": "Microsoft.Compute/virtualMachines", **broken})

    assert [("Malformed", True)] == [(gap.reason, gap.is_vm) for gap in estate.gaps]


def test_a_vm_that_is_broken_once_and_whole_once_is_counted_once() -> None:
    """The broken copy remains a gap, but no VM of its own."""
    broken = vm_json() | {"id": VM.text.upper(), "tags": []}
    estate = estate_of(broken, vm_json())

    assert (1, [False]) == (len(estate.vms), [gap.is_vm for gap in estate.gaps])


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_copies_the_richer_is_kept(order: int) -> None:
    """Letter case makes no second VM; the copy with more facts wins in either order, and a gap tells."""
    poor = {"id": VM.text.upper(), "type": "Microsoft.Compute/virtualMachines"}
    estate = estate_of(*[poor, vm_json()][::order])

    assert ["Standard_D2s_v5"] == [vm.size for vm in estate.vms]
    assert [("DuplicateResource", False)] == [(gap.reason, gap.is_vm) for gap in estate.gaps]


def test_unknown_types_leave_no_trace_and_nonsense_does() -> None:
    """A type that does not matter is no gap; an object that is no resource is one."""
    estate = estate_of({"id": "/subscriptions/s/providers/Contoso.Tea/pots/x"}, {"hello": "world"})

    assert ["NotAResource"] == [gap.reason for gap in estate.gaps]


def test_the_policy_of_a_protected_item_is_looked_up() -> None:
    """Where the item does not say its kind of policy, the policy itself does."""
    vault = rid("Microsoft.RecoveryServices/vaults", "rsv1")
    policy = {"id": f"{vault}/backupPolicies/p", "type": "Microsoft.RecoveryServices/vaults/backupPolicies"}
    item = {
        "id": f"{vault}/backupFabrics/f/protectionContainers/c/protectedItems/V;iaasvmcontainerv2;RG-APP;VM1",
        "type": ITEM_TYPE,
        "properties": {"backupManagementType": "AzureIaasVM", "policyId": f"{vault}/BACKUPPOLICIES/P"},
    }

    estate = estate_of(vm_json(), item, policy | {"properties": {"policyType": "V1"}})

    found = estate.backup_of(estate.vms[0])
    assert found is not None
    assert "V1" == found.policy_type


@pytest.mark.parametrize("kind", ["AzureStorage", "AzureWorkload"])
def test_backups_of_other_things_do_not_matter(kind: str) -> None:
    """A protected file share or database is no VM's backup."""
    item = {"id": f"{VM}/x/y", "type": ITEM_TYPE, "properties": {"backupManagementType": kind}}

    assert ((), ()) == (estate_of(item).backup_items, estate_of(item).gaps)


def test_skus_are_read_per_region() -> None:
    """Capabilities arrive for each region; one that is not listed stays unknown."""
    capabilities = [
        {"name": "HyperVGenerations", "value": "V1,V2"},
        {"name": "TrustedLaunchDisabled", "value": "True"},
        {"name": "vCPUs", "value": "64"},
    ]
    entry = {
        "resourceType": "virtualMachines",
        "name": "Standard_M64",
        "locations": ["West Europe", "eastus"],
        "capabilities": capabilities,
    }

    skus = estate_of(entry, {**entry, "resourceType": "disks", "name": "Premium_LRS"}).skus

    assert {("standard_m64", "westeurope"), ("standard_m64", "eastus")} == set(skus)
    found = skus["standard_m64", "eastus"]
    assert (("V1", "V2"), True, None, 64) == (
        found.hyper_v_generations,
        found.trusted_launch_disabled,
        found.encryption_at_host_supported,
        found.vcpus,
    )


def test_rules_of_a_security_group_are_merged() -> None:
    """Singular, plural and comma-separated spellings are one list."""
    rule = {
        "name": "r",
        "properties": {
            "priority": "100",
            "access": "ALLOW",
            "direction": "inbound",
            "sourceAddressPrefix": "10.0.0.0/8, 192.0.2.1",
            "sourceAddressPrefixes": [],
            "destinationAddressPrefix": None,
            "destinationAddressPrefixes": ["*"],
            "destinationPortRanges": ["22", "80-90"],
        },
    }
    group = {
        "id": rid("Microsoft.Network/networkSecurityGroups", "n").text,
        "properties": {"securityRules": [rule]},
    }

    found = wire_network.network_security_group(group).rules[0]

    assert (("10.0.0.0/8", "192.0.2.1"), ("*",), ("22", "80-90")) == (
        found.sources,
        found.destinations,
        found.destination_ports,
    )


@pytest.mark.parametrize("changes", [{"access": "Maybe"}, {"priority": None}, {"direction": None}])
def test_a_group_with_a_rule_nobody_understands_is_not_understood(changes: dict[str, Any]) -> None:
    """One rule could decide everything, so it is not left out."""
    properties = {"priority": 1, "access": "Allow", "direction": "Inbound", **changes}
    group = {
        "id": rid("a/b", "n").text,
        "properties": {"securityRules": [{"name": "r", "properties": properties}]},
    }

    with pytest.raises(MalformedError):
        wire_network.network_security_group(group)


def test_the_paths_of_a_load_balancer() -> None:
    """Rules lead to pools, NAT rules to an address; only a public frontend makes them public."""
    balancer = rid("Microsoft.Network/loadBalancers", "lb")

    def frontend(name: str, **properties: Any) -> dict[str, Any]:
        return {"id": f"{balancer}/frontendIPConfigurations/{name}", "properties": properties}

    def path(name: str, **properties: Any) -> dict[str, Any]:
        public = f"{balancer}/FRONTENDIPCONFIGURATIONS/public"
        return {"name": name, "properties": {"frontendIPConfiguration": {"id": public}, **properties}}

    private = {"frontendIPConfiguration": {"id": f"{balancer}/frontendIPConfigurations/private"}}
    resource = {
        "id": balancer.text,
        "sku": {"name": "Standard"},
        "properties": {
            "frontendIPConfigurations": [
                frontend("public", publicIPAddress={"id": "/ip"}),
                frontend("private"),
            ],
            "loadBalancingRules": [
                path(
                    "web",
                    backendPort=443,
                    backendAddressPool={"id": "/p"},
                    backendAddressPools=[{"id": "/P"}],
                ),
                path("in", backendPort=22, backendAddressPool={"id": "/p"}, **private),
            ],
            "inboundNatRules": [path("ssh", backendPort=22, backendIPConfiguration={"id": "/c"})],
        },
    }

    found = wire_network.load_balancer(resource)

    assert [("web", 443, True), ("in", 22, False), ("ssh", 22, True)] == [
        (one.name, one.backend_port, one.is_public) for one in found.paths
    ]
    assert ResourceId("/c") == found.paths[2].ip_configuration


def test_subnets_come_with_their_network_or_alone() -> None:
    """A subnet without a group is known to have none; one that says more is believed."""
    network = rid("Microsoft.Network/virtualNetworks", "v")
    group = {"networkSecurityGroup": {"id": "/nsg"}}
    estate = estate_of(
        {
            "id": f"{network}/subnets/a",
            "type": "Microsoft.Network/virtualNetworks/subnets",
            "properties": group,
        },
        {
            "id": network.text,
            "type": "Microsoft.Network/virtualNetworks",
            "properties": {"subnets": [{"id": f"{network}/subnets/A"}, {"name": "b", "properties": {}}]},
        },
    )

    assert {
        ResourceId(f"{network}/subnets/a"): ResourceId("/nsg"),
        ResourceId(f"{network}/subnets/b"): None,
    } == dict(estate.subnet_security_groups)


def test_who_manages_a_resource_group() -> None:
    """Both spellings of the type are understood."""
    base = f"/subscriptions/{SUBSCRIPTION}/resourceGroups"
    estate = estate_of(
        {"id": f"{base}/MC_aks", "type": "Microsoft.Resources/resourceGroups", "managedBy": "/aks"},
        {"id": f"{base}/plain", "type": "microsoft.resources/subscriptions/resourcegroups", "managedBy": ""},
    )

    assert {(SUBSCRIPTION, "mc_aks"): "/aks"} == dict(estate.managed_groups)


def test_names_include_vms_that_could_not_be_read() -> None:
    """A dependency on a VM that is a gap still resolves."""
    broken = {"id": f"{VM}-broken", "type": "Microsoft.Compute/virtualMachines", "properties": 5}
    names = collect([("a:1", broken), ("a:2", vm_json())]).names()

    assert {"vm1": (VM,), "vm1-broken": (ResourceId(f"{VM}-broken"),)} == names


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (wire_values.obj, 1),
        (wire_values.objects, {}),
        (wire_values.objects, [1]),
        (wire_values.texts, "a"),
        (wire_values.texts, [1]),
        (wire_values.text, True),
        (wire_values.flag, "maybe"),
        (wire_values.number, "x"),
        (wire_values.number, 1.5),
        (wire_values.number, True),
        (wire_values.number, "9" * 99),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(
    read: Callable[[dict[str, Any], str], object], value: object
) -> None:
    """What Azure never sends is not guessed at; the message names the key."""
    with pytest.raises(MalformedError, match="'k'"):
        read({"k": value}, "k")


def test_numbers_and_booleans_may_be_texts() -> None:
    """Azure Policy and old APIs send them so."""
    assert (30, 30, False) == (
        wire_values.number({"k": "30"}, "k"),
        wire_values.number({"k": 30.0}, "k"),
        wire_values.flag({"k": "False"}, "k"),
    )


def test_a_path_without_a_port_makes_no_load_balancer() -> None:
    """A rule that leads nobody knows where is not left out."""
    rule = {"name": "r", "properties": {}}
    with pytest.raises(MalformedError, match="no backend port"):
        wire_network.load_balancer({"id": rid("a/b", "n").text, "properties": {"loadBalancingRules": [rule]}})


def test_a_protected_item_that_names_no_vm_is_a_gap() -> None:
    """A backup of nobody knows what is told."""
    item = {
        "id": rid("a/b", "n").text,
        "type": ITEM_TYPE,
        "properties": {"backupManagementType": "AzureIaasVM"},
    }

    assert ["Malformed"] == [gap.reason for gap in estate_of(item).gaps]


def test_an_old_list_of_identities_is_read() -> None:
    """Before 2018 user-assigned identities were a list named `identityIds`; a VM with one has one."""
    found = wire.virtual_machine({**vm_json(), "identity": {"type": "UserAssigned", "identityIds": ["/a"]}})
    assert (ResourceId("/a"),) == found.identity.user_assigned


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        ({"windowsConfiguration": {}}, OsFamily.WINDOWS),
        ({"linuxConfiguration": {}}, OsFamily.LINUX),
        ({"windowsConfiguration": {}, "linuxConfiguration": {}}, None),
        ({}, None),
    ],
)
def test_the_provisioning_says_which_system_where_the_disk_does_not(
    profile: dict[str, Any], expected: OsFamily | None
) -> None:
    """Without an OS type on the disk, the one configuration a VM was provisioned with tells its family."""
    properties = {"storageProfile": {"osDisk": {"name": "d"}}, "osProfile": profile}
    assert expected is wire.virtual_machine({"id": VM.text, "properties": properties}).os_family


def test_a_vm_with_a_type_nobody_knows_is_still_a_vm() -> None:
    """Where the type is nonsense and the id says virtual machine, the VM is counted."""
    found = collect([("resources.jsonl:1", {**vm_json(), "type": "aaaa"})]).estate(info(), Context())
    assert [VM] == [vm.id for vm in found.vms]


@pytest.mark.parametrize(
    ("origin", "listed", "extra", "expected"),
    [
        (Origin.IMPORTED, (), (), "NotCollected"),
        (Origin.COLLECTED, (), (), "NotCollected"),
        (Origin.IMPORTED, ("Microsoft.Authorization/locks",), (), None),
        (Origin.IMPORTED, (), ("Microsoft.Authorization/locks",), None),
        (Origin.SAMPLE, (), (), None),
    ],
)
def test_what_nobody_asked_for_is_unread(
    origin: Origin, listed: tuple[str, ...], extra: tuple[str, ...], expected: str | None
) -> None:
    """In an estate made of what teams had, absent locks count as none only where locks were asked for."""
    resources = [vm_json(), *({"id": f"{VM.text}/providers/{kind}/x", "type": kind} for kind in extra)]
    places = [(f"resources.jsonl:{number}", entry) for number, entry in enumerate(resources, start=1)]
    found = collect(places).estate(info(origin=origin, listed_types=listed), Context())
    gap = found.unread("Microsoft.Authorization/locks", SUBSCRIPTION)
    assert expected == (gap.reason if gap else None)
