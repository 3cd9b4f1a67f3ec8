"""What says that VMs belong together, as Azure writes it."""

from typing import Any

import pytest

from readiness.azure.wire import virtual_machine
from readiness.azure.wire_network import load_balancer
from readiness.azure.wire_placement import READERS
from readiness.azure.wire_values import MalformedError
from readiness.model.fact import Fact
from readiness.model.ids import ResourceId
from readiness.model.placement import PlacementGroup, SqlMachine
from tests.builders import rid, vm_id

SQL = "Microsoft.SqlVirtualMachine/sqlVirtualMachines"
PLACEMENT = rid("Microsoft.Compute/proximityPlacementGroups", "close")


def _read(kind: str, resource_id: ResourceId, **properties: Any) -> Fact | None:
    return READERS[kind.lower()]({"id": resource_id.text, "type": kind, "properties": properties})


def test_sql_server_on_a_vm() -> None:
    """It names its VM, and the group of its cluster where it has one."""
    own, group = rid(SQL, "vm1"), rid("Microsoft.SqlVirtualMachine/sqlVirtualMachineGroups", "ag1")
    alone = _read(SQL, own, virtualMachineResourceId=vm_id().text)
    clustered = _read(
        SQL, own, virtualMachineResourceId=vm_id().text, sqlVirtualMachineGroupResourceId=group.text
    )

    assert SqlMachine(id=own, vm=vm_id()) == alone
    assert SqlMachine(id=own, vm=vm_id(), group=group) == clustered
    with pytest.raises(MalformedError, match="names no VM"):
        _read(SQL, own)


def test_a_proximity_placement_group() -> None:
    """It lists its VMs and availability sets."""
    sets = rid("Microsoft.Compute/availabilitySets", "set1")
    found = _read(
        "Microsoft.Compute/proximityPlacementGroups",
        PLACEMENT,
        proximityPlacementGroupType="Standard",
        virtualMachines=[{"id": vm_id().text}],
        availabilitySets=[{"id": sets.text}],
    )

    assert PlacementGroup(id=PLACEMENT, vms=(vm_id(),), availability_sets=(sets,)) == found


def test_where_a_vm_is_placed() -> None:
    """A VM names its placement group, and the group that keeps capacity for it."""
    kept = rid("Microsoft.Compute/capacityReservationGroups", "kept")
    properties = {
        "proximityPlacementGroup": {"id": PLACEMENT.text},
        "capacityReservation": {"capacityReservationGroup": {"id": kept.text}},
    }
    found = virtual_machine({"id": vm_id().text, "location": "westeurope", "properties": properties})

    assert (PLACEMENT, kept) == (found.placement_group, found.capacity_reservation)


@pytest.mark.parametrize(("written", "floating"), [(True, True), (False, False), (None, False)])
def test_a_rule_with_a_floating_ip(*, written: bool | None, floating: bool) -> None:
    """Where nothing is said, members answer to their own address."""
    balancer = rid("Microsoft.Network/loadBalancers", "lb1")
    rule = {
        "name": "ag",
        "properties": {
            "protocol": "Tcp",
            "frontendPort": 1433,
            "backendPort": 1433,
            "enableFloatingIP": written,
            "backendAddressPool": {"id": f"{balancer}/backendAddressPools/nodes"},
        },
    }
    found = load_balancer({"id": balancer.text, "properties": {"loadBalancingRules": [rule]}})

    assert [floating] == [path.floating_ip for path in found.paths]
