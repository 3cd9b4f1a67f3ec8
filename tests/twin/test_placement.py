"""Availability sets and proximity placement groups."""

import pytest

from tests.twin.making import NEW, body, place
from tests.twin.seeds import COMPUTE, Wire, estate
from tests.twin.test_sdk import client_of

SET = f"{COMPUTE}/availabilitySets/set"
GROUP = f"{COMPUTE}/proximityPlacementGroups/near"
ALIGNED = {
    "location": "westeurope",
    "sku": {"name": "Aligned"},
    "properties": {"platformFaultDomainCount": 2, "platformUpdateDomainCount": 5},
}


def test_a_set_is_made_joined_left_and_deleted():
    """A set names its machines in upper case, and is deleted only when the last one has left.

    Availability Sets - Create Or Update,
    https://learn.microsoft.com/rest/api/compute/availability-sets/create-or-update
    """
    wire = place()
    client = client_of(wire)
    made = client.availability_sets.create_or_update("rg-app", "set", ALIGNED)
    assert ("Aligned", 2, 5) == (
        made.sku.name,
        made.platform_fault_domain_count,
        made.platform_update_domain_count,
    )
    wire.do("PUT", NEW, body(availabilitySet={"id": SET}))
    held = client.availability_sets.get("rg-app", "set").virtual_machines
    assert [NEW.lower()] == [each.id.lower() for each in held]
    assert held[0].id.endswith("/NEW-1")
    answer = wire.ask("DELETE", SET)
    assert "please ensure that it does not contain any VM" in answer.body["error"]["message"]
    wire.do("DELETE", NEW)
    client.availability_sets.delete("rg-app", "set")
    assert [] == list(client.availability_sets.list("rg-app"))


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"properties": {"platformFaultDomainCount": 4}}, (400, "InvalidParameter")),
        ({"sku": {"name": "Classic"}}, (409, "OperationNotAllowed")),
        ({"location": "northeurope"}, (409, "InvalidResourceLocation")),
    ],
)
def test_what_a_set_refuses(change, refusal):
    """Domains have a range, Aligned stays Aligned, and a set stays where it is.

    Understand common error messages when you manage virtual machines in Azure,
    https://learn.microsoft.com/troubleshoot/azure/virtual-machines/windows/error-messages
    """
    wire = Wire(*estate({"id": SET, **ALIGNED}))
    assert refusal == wire.refused("PUT", SET, {**ALIGNED, **change})


def test_a_machine_joins_only_what_fits():
    """A classic set takes no machine with managed disks, and no set takes a zonal machine.

    Understand common error messages when you manage virtual machines in Azure,
    https://learn.microsoft.com/troubleshoot/azure/virtual-machines/windows/error-messages
    """
    joining = body(availabilitySet={"id": SET})
    classic = {"id": SET, **ALIGNED, "sku": {"name": "Classic"}}
    assert "non-managed Availability Set" in str(place(classic).ask("PUT", NEW, joining).body)
    zonal = place({"id": SET, **ALIGNED}).ask("PUT", NEW, joining | {"zones": ["1"]})
    assert (400, "BadRequest") == (zonal.status, zonal.body["error"]["code"])


def test_a_group_names_what_is_near():
    """A group names the machines in it, keeps its type, and is deleted when it is empty.

    Proximity Placement Groups - Get,
    https://learn.microsoft.com/rest/api/compute/proximity-placement-groups/get
    """
    wire = place()
    client = client_of(wire)
    wanted = {"location": "westeurope", "properties": {"proximityPlacementGroupType": "Standard"}}
    client.proximity_placement_groups.create_or_update("rg-app", "near", wanted)
    wire.do("PUT", NEW, body(proximityPlacementGroup={"id": GROUP}))
    held = client.proximity_placement_groups.get("rg-app", "near").virtual_machines
    assert [NEW.lower()] == [each.id.lower() for each in held]
    other = {**wanted, "properties": {"proximityPlacementGroupType": "Ultra"}}
    assert (409, "PropertyChangeNotAllowed") == wire.refused("PUT", GROUP, other)
    assert (409, "OperationNotAllowed") == wire.refused("DELETE", GROUP)
    wire.do("DELETE", NEW)
    assert 200 == wire.ask("DELETE", GROUP).status


def test_tags_are_all_that_a_patch_changes():
    """A PATCH of a set changes its tags."""
    wire = Wire(*estate({"id": SET, **ALIGNED}))
    answer = wire.ask("PATCH", SET, {"tags": {"a": "b"}, "sku": {"name": "Classic"}})
    assert (200, {"a": "b"}, "Aligned") == (answer.status, answer.body["tags"], wire.get(SET)["sku"]["name"])
