"""ARM JSON to the model: what surrounds networks and guests."""

from datetime import UTC, datetime
from typing import Any

import pytest

from readiness.azure.collection import collect
from readiness.model.access import AddressTranslation, AdminAccess, JitRequest, Peering
from readiness.model.context import Context
from readiness.model.estate import Estate
from readiness.model.ids import ResourceId
from readiness.model.monitoring import GuestAssignment
from readiness.model.virtual_machine import Sighting
from tests.builders import SUBSCRIPTION, info, rid, vm_id

NETWORK = rid("Microsoft.Network/virtualNetworks", "vnet1")
HUB = rid("Microsoft.Network/virtualNetworks", "hub")
SUBNET = ResourceId(f"{NETWORK}/subnets/a")
FIREWALL = rid("Microsoft.Network/azureFirewalls", "fw1")
POLICY = rid("Microsoft.Network/firewallPolicies", "policy")
RULE_GROUP = ResourceId(f"{POLICY}/ruleCollectionGroups/default")
BALANCER = rid("Microsoft.Network/loadBalancers", "lb1")


def estate_of(*resources: dict[str, Any]) -> Estate:
    """Return the estate of resources that are listed in this order."""
    placed = ((f"resources.jsonl:{number}", entry) for number, entry in enumerate(resources, start=1))
    return collect(placed).estate(info(), Context())


def resource(resource_id: ResourceId | str, kind: str = "", **properties: Any) -> dict[str, Any]:
    """Return a resource as ARM answers it, with a type only where its id does not say it."""
    found = {"id": str(resource_id), "properties": properties}
    return found | ({"type": kind} if kind else {})


def _ref(target: ResourceId | str) -> dict[str, str]:
    return {"id": str(target)}


def test_a_network_is_read_with_its_peerings_and_subnets() -> None:
    """Peerings, delegations and ways out come with the network; a subnet of its own may say more."""
    listed = {
        "id": SUBNET.text.upper(),
        "properties": {
            "addressPrefix": "10.0.0.0/24",
            "delegations": [{"properties": {"serviceName": "Microsoft.Sql/managedInstances"}}],
        },
    }
    peering = {"name": "p", "properties": {"remoteVirtualNetwork": _ref(HUB), "peeringState": "Connected"}}
    network = resource(NETWORK, subnets=[listed], virtualNetworkPeerings=[peering, {"name": "odd"}])
    alone = resource(
        SUBNET,
        addressPrefixes=["10.0.0.0/24"],
        natGateway=_ref("/nat"),
        routeTable=_ref("/rt"),
        defaultOutboundAccess=False,
    )
    for order in ((network, alone), (alone, network)):
        access = estate_of(*order).access
        subnet = access.subnets[SUBNET]
        assert (Peering(name="p", remote=HUB, is_connected=True),) == access.networks[NETWORK].peerings
        assert ({HUB}, {NETWORK}) == (access.peers_of(NETWORK), access.peers_of(HUB))
        assert (("10.0.0.0/24",), False, "/nat") == (
            subnet.prefixes,
            subnet.default_outbound,
            str(subnet.nat_gateway),
        )


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"sku": {"name": "Developer"}, "properties": {"virtualNetwork": _ref(HUB)}}, (HUB, False)),
        (
            {
                "properties": {
                    "ipConfigurations": [
                        {"properties": {"subnet": _ref(f"{HUB}/subnets/AzureBastionSubnet")}}
                    ]
                }
            },
            (HUB, True),
        ),
        ({"sku": {"name": "Future"}}, (None, False)),
    ],
)
def test_a_bastion_is_read(body: dict[str, Any], expected: tuple[ResourceId | None, bool]) -> None:
    """Where a Bastion stands, and whether it reaches joined networks."""
    found = estate_of({"id": str(rid("Microsoft.Network/bastionHosts", "b"))} | body).access.bastions[0]

    assert expected == (found.network, found.reaches_peers)


def _nat(**changes: Any) -> dict[str, Any]:
    default = {
        "name": "ssh",
        "sourceAddresses": ["*"],
        "destinationAddresses": ["203.0.113.9"],
        "translatedAddress": "10.0.0.4",
        "translatedPort": "22",
    }
    return {**default, **changes}


def _firewall(*rules: dict[str, Any], **properties: Any) -> dict[str, Any]:
    within = [{"properties": {"subnet": _ref(f"{HUB}/subnets/AzureFirewallSubnet")}}]
    collections = [{"properties": {"rules": list(rules)}}]
    return resource(FIREWALL, natRuleCollections=collections, ipConfigurations=within, **properties)


def test_the_destination_nat_of_a_firewall_is_read() -> None:
    """Classic rules and those of a policy count where they speak TCP on a public address."""
    expected = AddressTranslation(name="ssh", address="10.0.0.4", port="22", sources=("*",))
    classic = _firewall(
        _nat(protocols=["TCP"]),
        _nat(protocols=["UDP"]),
        _nat(destinationAddresses=["10.1.0.4"]),
        firewallPolicy=_ref(POLICY),
    )
    nat = {"action": {"type": "DNAT"}, "rules": [_nat(ipProtocols=["Any"])]}
    group = resource(RULE_GROUP, ruleCollections=[nat, {"action": {"type": "Allow"}, "rules": [{}]}])
    policy = resource(POLICY, ruleCollectionGroups=[_ref(RULE_GROUP)])
    access = estate_of(classic, group, policy).access

    assert (HUB, POLICY, (expected,)) == (
        access.firewalls[0].network,
        access.firewalls[0].policy,
        access.firewalls[0].translations,
    )
    assert [(expected,)] == [entry.translations for entry in access.rule_groups_of(POLICY)]
    assert (RULE_GROUP,) == access.firewall_policies[POLICY].rule_groups


@pytest.mark.parametrize("order", [1, -1])
def test_a_firewall_nobody_understands_is_not_forgotten(order: int) -> None:
    """It leaves a gap and stays known as not understood, unless a whole copy is found as well."""
    odd = _firewall(_nat(translatedPort="ssh"))
    broken = estate_of(odd)
    both = estate_of(*(_firewall(), odd)[::order])

    assert [(HUB, False)] == [(one.network, one.is_understood) for one in broken.access.firewalls]
    assert ["Malformed"] == [gap.reason for gap in broken.gaps]
    assert both.access.firewalls[0].is_understood


def test_a_rule_group_nobody_understands_is_not_forgotten() -> None:
    """Its firewall may lead anywhere."""
    access = estate_of(
        resource(RULE_GROUP, ruleCollections=[{"action": {"type": "DNAT"}, "rules": [{}]}])
    ).access

    assert [False] == [entry.is_understood for entry in access.rule_groups_of(POLICY)]


def _admin(**changes: Any) -> dict[str, Any]:
    default = {
        "displayName": "deny ssh",
        "priority": 10,
        "access": "Deny",
        "direction": "Inbound",
        "protocol": "Tcp",
        "sources": [{"addressPrefix": "Internet", "addressPrefixType": "ServiceTag"}],
        "destinations": [{"addressPrefix": "/ng", "addressPrefixType": "NetworkGroup"}],
        "destinationPortRanges": ["22"],
    }
    return {"id": "/rules/one", "properties": {**default, **changes}}


@pytest.mark.parametrize("under", ["value", "properties"])
def test_admin_rules_are_read(under: str) -> None:
    """The answer about a network, kept under its id, gives the inbound rules in force there."""
    place = f"{NETWORK}/listNetworkManagerEffectiveSecurityAdminRules"
    listed = [_admin(), _admin(access="AlwaysAllow"), _admin(direction="Outbound")]
    body: dict[str, Any] = {"value": listed} if under == "value" else {"properties": {"value": listed}}
    kind = "Microsoft.Network/effectiveSecurityAdminRules"
    found = estate_of({"id": place, "type": kind} | body).access.admin_rules[NETWORK]

    assert [AdminAccess.DENY, AdminAccess.ALWAYS_ALLOW] == [rule.access for rule in found.rules]
    assert (("Internet",), ("networkgroup:",), ("22",)) == (
        found.rules[0].sources,
        found.rules[0].destinations,
        found.rules[0].destination_ports,
    )


@pytest.mark.parametrize(
    "change", [{"priority": None}, {"access": "Maybe"}, {"destinationPortRanges": ["ssh"]}]
)
def test_admin_rules_nobody_understands_are_not_forgotten(change: dict[str, Any]) -> None:
    """The network they are in force on is marked, and a gap says why."""
    place = f"{NETWORK}/providers/Microsoft.Network/effectiveSecurityAdminRules/default"
    found = estate_of({"id": place, "value": [_admin(**change)]})

    assert not found.access.admin_rules[NETWORK].is_understood
    assert ["Malformed"] == [gap.reason for gap in found.gaps]


def test_a_route_table_is_read() -> None:
    """Only the route for everything matters."""
    routes = [
        {"properties": {"addressPrefix": "10.0.0.0/8", "nextHopType": "VnetLocal"}},
        {"properties": {"addressPrefix": "0.0.0.0/0", "nextHopType": "VirtualAppliance"}},
    ]
    table = rid("Microsoft.Network/routeTables", "rt")

    assert (
        "VirtualAppliance" == estate_of(resource(table, routes=routes)).access.route_tables[table].default_hop
    )


def test_a_just_in_time_policy_is_read() -> None:
    """Ports by VM in whatever spelling, with the requests that were granted and not revoked."""
    policy = rid("Microsoft.Security/locations", "westeurope/jitNetworkAccessPolicies/default")
    ports = [
        {"number": 22, "endTimeUtc": "2026-11-02T12:00:00.1234567Z", "status": "Initiated"},
        {"number": 3389, "endTimeUtc": "2026-11-02T12:00:00Z", "status": "Revoked"},
        {"number": 5985, "endTimeUtc": "soon"},
    ]
    machines = [{"id": vm_id().text.upper(), "ports": [{"number": 22}, {"number": 3389}]}]
    requests = [{"virtualMachines": [{"id": vm_id().text, "ports": ports}]}]
    found = estate_of(resource(policy, virtualMachines=machines, requests=requests)).access

    (entry,) = found.just_in_time_for(vm_id())
    assert (22, 3389) == entry.ports
    assert (JitRequest(port=22, until=datetime(2026, 11, 2, 12, 0, 0, 123456, tzinfo=UTC)),) == entry.requests


def test_a_guest_configuration_assignment_is_read() -> None:
    """It belongs to the VM it hangs on, and a suffix of its name does not matter."""
    kind = "providers/Microsoft.GuestConfiguration/guestConfigurationAssignments"
    own = resource(f"{vm_id()}/{kind}/LinuxNoPasswordForSSH$pid1", complianceStatus="Compliant")
    other = resource(f"{rid('Microsoft.HybridCompute/machines', 'arc')}/{kind}/LinuxNoPasswordForSSH")
    posture = estate_of(own, other).posture

    found = posture.guest_assignment(vm_id(), "LinuxNoPasswordForSSH")
    assert found is not None
    assert ("Compliant", 1) == (found.status, len(posture.all(GuestAssignment)))


def test_identities_and_the_policies_on_a_vm_are_read() -> None:
    """Only assignments that are enforced, of the policies asked for, and without an exemption act on a VM."""
    identity = rid("Microsoft.ManagedIdentity/userAssignedIdentities", "app")
    scope = f"/subscriptions/{SUBSCRIPTION}"
    definition = "12794019-7a00-42cf-95c2-882eed337cc8"
    adds = f"/providers/Microsoft.Authorization/policySetDefinitions/{definition.upper()}"
    place = f"{scope}/providers/Microsoft.Authorization/policyAssignments"
    exempt = f"{vm_id('freed', group='rg-other')}/providers/Microsoft.Authorization/policyExemptions/e"
    found = estate_of(
        resource(identity, clientId="c", principalId="p"),
        resource(f"{place}/one", policyDefinitionId=adds, notScopes=[f"{scope}/resourceGroups/RG-App/"]),
        resource(f"{place}/two", policyDefinitionId=adds, enforcementMode="DoNotEnforce"),
        resource(f"{place}/three", policyDefinitionId="/providers/x/policyDefinitions/other"),
        resource(exempt, policyAssignmentId=f"{place}/ONE"),
    )

    assert "c" == found.access.user_identities[identity].client_id
    acting = {
        machine.name: [
            entry.id.name
            for entry in found.posture.policies_on(machine, (definition,), found.info.collected_at)
        ]
        for machine in (vm_id(), vm_id("other", group="rg-other"), vm_id("freed", group="rg-other"))
    }
    assert {"vm1": [], "other": ["one"], "freed": []} == acting


def test_pool_members_and_ways_out_of_a_load_balancer() -> None:
    """Members come by interface or by address; a rule leads out unless told not to."""
    pool, other = (f"{BALANCER}/backendAddressPools/{name}" for name in ("pool", "other"))
    front = f"{BALANCER}/frontendIPConfigurations/f"
    rule = {"frontendIPConfiguration": _ref(front), "backendPort": 443}
    balancer = resource(
        BALANCER,
        frontendIPConfigurations=[{"id": front, "properties": {"publicIPAddress": _ref("/ip")}}],
        backendAddressPools=[
            {
                "id": pool,
                "properties": {
                    "backendIPConfigurations": [_ref("/nic/ipConfigurations/one")],
                    "loadBalancerBackendAddresses": [
                        {"properties": {"ipAddress": "10.0.0.4", "virtualNetwork": _ref(NETWORK)}},
                        {"properties": {"ipAddress": "10.0.0.5", "subnet": _ref(SUBNET)}},
                    ],
                },
            }
        ],
        loadBalancingRules=[
            {
                "name": "in",
                "properties": rule | {"backendAddressPool": _ref(pool), "disableOutboundSnat": True},
            },
            {"name": "both", "properties": rule | {"backendAddressPool": _ref(other)}},
            {"name": "quic", "properties": {"protocol": "Udp"}},
        ],
        outboundRules=[
            {"properties": {"backendAddressPool": _ref(pool), "frontendIPConfigurations": [_ref(front)]}}
        ],
    )
    found = estate_of(balancer).load_balancers[0]

    assert ["both", "in"] == sorted(path.name for path in found.paths)
    assert (ResourceId(pool), ResourceId(other)) == found.outbound_pools
    assert [(None, None), ("10.0.0.4", NETWORK), ("10.0.0.5", NETWORK)] == [
        (member.address, member.network) for member in found.members
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"destinationPortRange": "ssh"},
        {"destinationPortRange": "25-22"},
        {"destinationPortRanges": ["22", "70000"]},
        {"sourcePortRange": "1-2-3"},
        {"sourceAddressPrefix": "10.0.0.300"},
        {"sourceAddressPrefix": "10.0.0.0/40"},
        {"protocol": "Tpc"},
    ],
)
def test_a_rule_with_odd_values_is_not_guessed_at(change: dict[str, Any]) -> None:
    """The group is not understood, so that whoever is behind it is unknown and not closed."""
    rule = {
        "priority": 100,
        "access": "Allow",
        "direction": "Inbound",
        "protocol": "Tcp",
        "sourceAddressPrefix": "10.0.0.1-10.0.0.9",
        "destinationAddressPrefix": "VirtualNetwork",
        "destinationPortRange": "22",
    }
    group = rid("Microsoft.Network/networkSecurityGroups", "nsg")
    whole = estate_of(resource(group, securityRules=[{"name": "r", "properties": rule}]))
    broken = estate_of(resource(group, securityRules=[{"name": "r", "properties": rule | change}]))

    assert ([], ["Malformed"]) == ([gap.reason for gap in whole.gaps], [gap.reason for gap in broken.gaps])
    assert (1, 0) == (len(whole.security_groups), len(broken.security_groups))


def test_what_an_extension_downloads_and_what_a_vm_holds() -> None:
    """Hosts come from the public settings; settings of any other shape say nothing."""
    vm = vm_id()
    scripts = resource(
        f"{vm}/extensions/script",
        type="CustomScript",
        typeHandlerVersion="2.1",
        settings={"fileUris": ["https://Acme.blob.core.windows.net/a.sh", "nonsense", 1]},
    )
    odd = resource(f"{vm}/extensions/odd", type="Other", settings=["fileUris"])
    secrets = [{"vaultCertificates": [{"certificateUrl": "https://kv/secrets/c"}]}]
    found = estate_of(resource(vm, osProfile={"secrets": secrets}), scripts, odd).vms[0]

    assert [(), ("acme.blob.core.windows.net",)] == [entry.downloads_from for entry in found.extensions]
    assert [None, "2.1"] == [entry.version for entry in found.extensions]
    assert found.os_profile is not None
    path = "properties.osProfile.secrets[0].vaultCertificates[0].certificateUrl"
    assert Sighting(path, "https://kv/secrets/c") == found.os_profile.certificate
