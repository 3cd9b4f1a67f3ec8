"""Who stays apart, who goes together, and which steps by hand the topology asks for."""

from typing import Any

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from readiness.azure.collection import collect
from readiness.model.context import Application, Context, Criticality, Match, Owner
from readiness.model.disk import Disk
from readiness.model.estate import Estate
from readiness.model.ids import ResourceId
from readiness.model.network import LoadBalancer, LoadBalancerPath, Nic, PoolMember
from readiness.model.placement import PlacementGroup, SqlMachine
from readiness.model.plan import ApartGroup, Plan
from readiness.model.policy import ApartScope, Policy
from readiness.model.virtual_machine import OsFamily, Power, VirtualMachine
from readiness.planner.topology import apart_groups, together_groups
from tests.builders import SUBNET, disk, estate, info, ip_configuration, rid, vm_id
from tests.planner.plans import (
    application,
    context,
    disk_id,
    disks_of,
    machine,
    names,
    only_left_out,
    only_planned,
    plan,
)

GATEWAY = rid("Microsoft.Network/applicationGateways", "agw")
POOL = ResourceId(f"{GATEWAY}/backendAddressPools/web")
PLACEMENT = rid("Microsoft.Compute/proximityPlacementGroups", "close")
SQL_GROUP = rid("Microsoft.SqlVirtualMachine/sqlVirtualMachineGroups", "ag1")
SHOP = Application(name="shop", owner=Owner(name="Ada"), match=Match())


def _nic(name: str, address: str) -> Nic:
    own = rid("Microsoft.Network/networkInterfaces", f"{name}-nic")
    configuration = ip_configuration(
        id=ResourceId(f"{own}/ipConfigurations/primary"), private_address=address
    )
    return Nic(id=own, ip_configurations=(configuration,))


def _with_nics(*vms: str) -> tuple[list[VirtualMachine], list[Nic]]:
    nics = [_nic(name, f"10.0.0.{number}") for number, name in enumerate(vms, start=4)]
    return [machine(name, nics=(nic.id,)) for name, nic in zip(vms, nics, strict=True)], nics


def _groups(made: Estate, policy: Policy | None = None) -> list[tuple[str, list[str], int]]:
    found = apart_groups(made, policy or Policy())
    return [(one.evidence, [vm.name for vm in one.members], one.max_unavailable) for one in found]


def _only(made: Estate, policy: Policy | None = None) -> ApartGroup:
    (found,) = apart_groups(made, policy or Policy())
    return found


def _by_hand(made: Plan, kind: str) -> list[tuple[ResourceId, tuple[ResourceId, ...]]]:
    return [(one.target, one.vms) for one in made.preparation if one.kind == kind and not one.automatic]


@pytest.mark.parametrize("by_address", [True, False])
def test_members_of_an_application_gateway_stay_apart(*, by_address: bool) -> None:
    """Whether the gateway names them by address or by IP configuration."""
    vms, nics = _with_nics("web1", "web2", "db1")
    members = tuple(
        PoolMember(pool=POOL, address=configuration.private_address, network=SUBNET.parent)
        if by_address
        else PoolMember(pool=POOL, ip_configuration=configuration.id)
        for configuration in (nic.ip_configurations[0] for nic in nics[:2])
    )
    gateway = LoadBalancer(id=GATEWAY, pools=(POOL,), members=members)
    made = plan(*vms, nics=nics, load_balancers=[gateway])

    found = _groups(estate(*vms, nics=nics, load_balancers=[gateway]))
    assert [("application gateway pool web", ["web1", "web2"], 1)] == found
    assert [[["db1", "web1"], ["web2"]]] == names(made)


def test_an_application_gateway_as_azure_writes_it() -> None:
    """From its JSON to the group: an address, and an interface that says itself which pool it is in."""
    vms, nics = _with_nics("web1", "web2")
    gateway = {
        "id": GATEWAY.text,
        "type": "Microsoft.Network/applicationGateways",
        "properties": {
            "backendAddressPools": [
                {
                    "id": POOL.text,
                    "properties": {
                        "backendAddresses": [{"ipAddress": "10.0.0.4"}, {"fqdn": "elsewhere.test"}]
                    },
                }
            ]
        },
    }
    interface = {
        "id": nics[1].id.text,
        "type": "Microsoft.Network/networkInterfaces",
        "properties": {
            "ipConfigurations": [
                {
                    "id": f"{nics[1].id}/ipConfigurations/primary",
                    "properties": {"applicationGatewayBackendAddressPools": [{"id": POOL.text}]},
                }
            ]
        },
    }
    read = collect([("line:1", gateway), ("line:2", interface)]).estate(info(), Context())
    made = estate(*vms, nics=[nics[0], *read.nics.values()], load_balancers=read.load_balancers)

    assert [("application gateway pool web", ["web1", "web2"], 1)] == _groups(made)


@pytest.mark.parametrize("told", ["by the VM", "by the group", "by the availability set"])
def test_members_of_a_placement_group_go_a_few_at_a_time(told: str) -> None:
    """However it is known; each is told that Azure may have no room for it."""
    sets = rid("Microsoft.Compute/availabilitySets", "set1")
    own: dict[str, dict[str, Any]] = {
        "by the VM": {"placement_group": PLACEMENT},
        "by the group": {},
        "by the availability set": {"availability_set": sets},
    }
    vms = [machine(name, **own[told]) for name in ("vm1", "vm2")]
    facts = {
        "by the VM": (),
        "by the group": (PlacementGroup(id=PLACEMENT, vms=(vm_id("vm1"), vm_id("vm2"))),),
        "by the availability set": (PlacementGroup(id=PLACEMENT, availability_sets=(sets,)),),
    }[told]
    made = plan(*vms, posture=facts)

    assert [[["vm1"], ["vm2"]]] == names(made)
    assert ("proximity placement group close", ["vm1", "vm2"], 1) in _groups(estate(*vms, posture=facts))
    assert all("proximity placement group close" in vm.conflicts[0] for vm in made.vms)


def test_a_placement_group_never_asks_for_waves() -> None:
    """Its members are no peers: batches are apart enough, however critical they are."""
    critical = replace(SHOP, criticality=Criticality.MISSION_CRITICAL)
    vms = [machine(name, placement_group=PLACEMENT) for name in ("vm1", "vm2")]
    made = estate(*vms, context=Context(applications=(critical,)))

    assert _only(made, Policy(apart=ApartScope.WAVE)).separate_waves is False


@pytest.mark.parametrize(
    ("changes", "name", "evidence"),
    [
        ({"tags": {"Role": "Domain Controller"}}, "shop", "by its tag role"),
        ({"tags": {"server-role": "AD_DS"}}, "shop", "by its tag server-role"),
        ({"os_family": OsFamily.LINUX, "tags": {"role": "dc"}}, "shop", "by its tag role"),
        ({}, "Domain controllers of corp", "by its application"),
        ({"name": "DC01", "os_family": OsFamily.WINDOWS}, "shop", "by its name alone"),
        ({"name": "corp-dc-02", "os_family": None}, "shop", "by its name alone"),
        ({"name": "srv-addc1", "os_family": OsFamily.WINDOWS}, "shop", "by its name alone"),
    ],
)
def test_a_domain_controller_is_left_out(changes: dict[str, Any], name: str, evidence: str) -> None:
    """By the tag for its role, its application or its name; the reason says which."""
    vm = machine(**{"name": "vm1", **changes})
    entry = only_left_out(plan(vm, given=context(application(name, vm.name))))

    assert "DomainController" == entry.reason
    assert evidence in entry.detail
    assert "replication proven healthy before and after it" in entry.detail
    assert "none is ever restored from a snapshot" in entry.detail


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "dc01", "os_family": OsFamily.LINUX},
        {"name": "dc01", "os_family": OsFamily.WINDOWS, "tags": {"role": "data collector"}},
        {"name": "sdc-web-01", "os_family": OsFamily.WINDOWS},
        {"name": "dc01-web", "os_family": OsFamily.WINDOWS},
    ],
)
def test_no_domain_controller(changes: dict[str, Any]) -> None:
    """A tag for the role has the last word; Linux and other names are none."""
    vm = machine(**changes)
    made = plan(vm, given=context(application("shop", vm.name)))

    assert "DomainController" not in {entry.reason for entry in made.left_out}


def test_domain_controllers_of_one_domain_go_one_at_a_time() -> None:
    """One whose domain nobody named may be of any domain, and so stays apart from those of each."""
    tags = {"role": "dc"}
    vms = [machine(f"dc{number}", tags=tags) for number in range(1, 6)]
    named = ["a.test", "A.test", "b.test", "b.test", ""]
    vms = [
        replace(vm, tags={**tags, "domain": domain}) if domain else vm
        for vm, domain in zip(vms, named, strict=True)
    ]

    assert [
        ("domain controllers of a.test", ["dc1", "dc2", "dc5"], 1),
        ("domain controllers of b.test", ["dc3", "dc4", "dc5"], 1),
    ] == _groups(estate(*vms))


def test_domain_controllers_of_no_named_domain_go_one_at_a_time() -> None:
    """Without any domain they count as those of one, however many there are."""
    vms = [machine(f"vm{number}", tags={"role": "dc"}) for number in range(8)]

    assert [("domain controllers of a domain that no tag names", [vm.name for vm in vms], 1)] == _groups(
        estate(*vms)
    )


def test_a_cluster_of_sql_server() -> None:
    """Its members stay apart, and are failed over by somebody: a consent on each, and one step by hand."""
    vms = [machine(name) for name in ("sql1", "sql2", "web1")]
    facts = [
        SqlMachine(
            id=rid("Microsoft.SqlVirtualMachine/sqlVirtualMachines", name), vm=vm_id(name), group=group
        )
        for name, group in (("sql1", SQL_GROUP), ("sql2", SQL_GROUP), ("web1", None))
    ]
    made = plan(*vms, posture=facts)

    assert [("SQL Server cluster ag1", ["sql1", "sql2"], 1)] == _groups(estate(*vms, posture=facts))
    assert [[["sql1", "web1"], ["sql2"]]] == names(made)
    assert [(SQL_GROUP, (vm_id("sql1"), vm_id("sql2")))] == _by_hand(made, "failover")
    consent = "it is a member of SQL Server cluster ag1: fail over or drain it first"
    assert [("sql1", True), ("sql2", True), ("web1", False)] == sorted(
        (vm.name, consent in vm.consent) for vm in made.vms
    )


def test_a_cluster_by_tag_asks_for_the_same_step() -> None:
    """Whatever kind of cluster it is."""
    vms = [machine(name, tags={"cluster": "Kafka"}) for name in ("k1", "k2", "k3")]
    made = plan(*vms)

    assert [(vm_id("k1"), (vm_id("k1"), vm_id("k2"), vm_id("k3")))] == _by_hand(made, "failover")
    assert 0.7 == _only(estate(*vms)).confidence


def _shared(*sharers: str) -> Disk:
    return disk(id=disk_id("quorum"), max_shares=2, sharers=tuple(vm_id(name) for name in sharers))


def test_a_shared_disk() -> None:
    """Its VMs go together in a wave and one at a time in it, which even critical ones may."""
    vms = [machine(name) for name in ("node1", "node2")]
    critical = replace(SHOP, criticality=Criticality.MISSION_CRITICAL)
    made = estate(*vms, disks=[_shared("node1", "node2")], context=Context(applications=(critical,)))
    group = _only(made)

    assert [("shared disk quorum", ["node1", "node2"], 1)] == _groups(made)
    assert group.separate_waves is False
    assert [("node1", "node2")] == [tuple(vm.name for vm in one.members) for one in together_groups(made, {})]


def test_a_disk_that_one_vm_has_is_not_shared() -> None:
    """That it could be shared makes no cluster."""
    made = estate(machine("node1"), disks=[_shared("node1")])

    assert ([], ()) == (_groups(made), together_groups(made, {}))


@pytest.mark.parametrize(
    ("floating", "public", "guessed"), [(True, False, True), (True, True, False), (False, False, False)]
)
def test_a_floating_ip_is_a_guess(*, floating: bool, public: bool, guessed: bool) -> None:
    """Behind a private address of their own VMs may be a cluster: that is asked, and marked as a guess."""
    vms, nics = _with_nics("sql1", "sql2")
    balancer = rid("Microsoft.Network/loadBalancers", "listener")
    pool = ResourceId(f"{balancer}/backendAddressPools/nodes")
    path = LoadBalancerPath(name="ag", backend_port=1433, is_public=public, pool=pool, floating_ip=floating)
    members = tuple(PoolMember(pool=pool, ip_configuration=nic.ip_configurations[0].id) for nic in nics)
    facts = [LoadBalancer(id=balancer, paths=(path,), pools=(pool,), members=members)]
    made = plan(*vms, nics=nics, load_balancers=facts)

    assert [("load balancer pool nodes", ["sql1", "sql2"], 1)] == _groups(
        estate(*vms, nics=nics, load_balancers=facts)
    )
    assert ([(balancer, (vm_id("sql1"), vm_id("sql2")))] if guessed else []) == _by_hand(made, "failover")
    assert [guessed] * 2 == [
        any("it may be a member of a cluster" in one for one in vm.consent) for vm in made.vms
    ]


@pytest.mark.parametrize(
    ("criticality", "changes", "advised"),
    [
        (Criticality.MISSION_CRITICAL, {}, True),
        (Criticality.HIGH, {}, True),
        (Criticality.MEDIUM, {}, False),
        (Criticality.HIGH, {"power": Power.DEALLOCATED}, False),
        (
            Criticality.HIGH,
            {"capacity_reservation": rid("Microsoft.Compute/capacityReservationGroups", "kept")},
            False,
        ),
        (Criticality.HIGH, {"is_on_dedicated_host": True}, False),
    ],
)
def test_capacity_is_to_be_reserved(
    criticality: Criticality, changes: dict[str, Any], *, advised: bool
) -> None:
    """For critical VMs that have to start again and have no place kept, once for each size and region."""
    vms = [machine(name, **changes) for name in ("vm1", "vm2")]
    given = context(application("shop", "vm1", "vm2", criticality=criticality))
    found = [
        action.vms for action in plan(*vms, given=given).preparation if action.kind == "capacity-reservation"
    ]

    assert ([(vm_id("vm1"), vm_id("vm2"))] if advised else []) == found


def test_capacity_is_reserved_in_the_zone_that_needs_it() -> None:
    """Room in one zone helps nobody in another one: the advice names each, and the plan knows them."""
    vms = [machine("vm1", zones=("1",)), machine("vm2", zones=("2",)), machine("vm3")]
    given = context(application("shop", "vm1", "vm2", "vm3", criticality=Criticality.HIGH))
    made = plan(*vms, given=given)
    found = [each for each in made.preparation if each.kind == "capacity-reservation"]
    wheres = {each.vms: each.title.partition(" in ")[2].partition(" (")[0] for each in found}
    region = vms[0].location
    expected = {(vm_id("vm1"),): f"{region}, zone 1", (vm_id("vm2"),): f"{region}, zone 2"}
    assert expected | {(vm_id("vm3"),): region} == wheres
    assert {"vm1": "1", "vm2": "2", "vm3": UNSET} == {vm.name: vm.zone for vm in made.vms}


def test_a_vm_in_no_group_is_told_nothing() -> None:
    """The steps by hand are for those that need them."""
    made = plan(machine("vm1"))

    assert () == only_planned(made).conflicts
    assert [] == _by_hand(made, "failover")
    assert [] == _groups(estate(machine("vm1"), disks=disks_of([machine("vm1")])))
