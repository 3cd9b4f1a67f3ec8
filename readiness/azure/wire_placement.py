"""ARM JSON to the model: what says that VMs belong together. See `model.placement`."""

from collections.abc import Callable

from readiness.azure.wire_values import Json, MalformedError, obj, own_id, references, resource_id
from readiness.model.fact import Fact
from readiness.model.placement import PlacementGroup, SqlMachine


def sql_machine(resource: Json) -> SqlMachine:
    """Read SQL Server on a VM."""
    properties = obj(resource, "properties")
    vm = resource_id(properties, "virtualMachineResourceId")
    if vm is None:
        raise MalformedError("it names no VM")
    group = resource_id(properties, "sqlVirtualMachineGroupResourceId")
    return SqlMachine(id=own_id(resource), vm=vm, group=group)


def placement_group(resource: Json) -> PlacementGroup:
    """Read a proximity placement group with its members, of which Azure keeps the list."""
    properties = obj(resource, "properties")
    return PlacementGroup(
        id=own_id(resource),
        vms=references(properties, "virtualMachines"),
        availability_sets=references(properties, "availabilitySets"),
    )


READERS: dict[str, Callable[[Json], Fact | None]] = {
    "microsoft.compute/proximityplacementgroups": placement_group,
    "microsoft.sqlvirtualmachine/sqlvirtualmachines": sql_machine,
}
"""Reader of each resource type, in lower case."""
