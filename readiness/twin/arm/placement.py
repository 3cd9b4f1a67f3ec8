"""Where a virtual machine stands: availability sets, proximity placement groups and flexible scale sets.

Templates of the wordings: Learn, "Understand common error messages when you manage virtual machines in
Azure".
"""

from readiness.twin.documents import Json, look, same
from readiness.twin.messages import ArmError
from readiness.twin.state import VM, State, missing

AVAILABILITY_SET = "microsoft.compute/availabilitysets"
PLACEMENT_GROUP = "microsoft.compute/proximityplacementgroups"
SCALE_SET = "microsoft.compute/virtualmachinescalesets"


def join(state: State, vm: Json) -> None:
    """Refuse a place that is not there or does not fit; a flexible scale set is its members' manager."""
    set_id = look(vm, "properties.availabilitySet.id")
    if isinstance(set_id, str):
        _check_set(state, vm, set_id)
    group_id = look(vm, "properties.proximityPlacementGroup.id")
    if isinstance(group_id, str) and state.find(group_id) is None:
        raise missing(group_id)
    scale_set_id = look(vm, "properties.virtualMachineScaleSet.id")
    if isinstance(scale_set_id, str):
        found = state.find(scale_set_id)
        if found is None:
            raise missing(scale_set_id)
        if not is_flexible(found):
            raise ArmError(
                400,
                "BadRequest",
                f"The Virtual Machine Scale Set '{found['name']}' cannot be used by a virtual machine since "
                "its orchestration mode is not 'Flexible'.",
                unverified=True,
            )
        vm["managedBy"] = found["id"]


def is_flexible(scale_set: Json) -> bool:
    """Tell whether a scale set's instances are virtual machines of their own."""
    return same(look(scale_set, "properties.orchestrationMode"), "Flexible")


def _check_set(state: State, vm: Json, set_id: str) -> None:
    found = state.find(set_id)
    if found is None:
        raise ArmError(404, "NotFound", f"The Availability Set {set_id} cannot be found.")
    if not same(look(found, "sku.name"), "Aligned"):
        raise ArmError(
            400,
            "BadRequest",
            "Addition of a VM with managed disks to non-managed Availability Set or addition of a VM with "
            "blob based disks to managed Availability Set is not supported. Please create an Availability "
            "Set with 'managed' property set in order to add a VM with managed disks to it.",
        )
    if vm.get("zones"):
        raise ArmError(
            400,
            "BadRequest",
            "Virtual Machine cannot be created because both Availability Zone and Availability Set were "
            "specified. Deploying an Availability Set to an Availability Zone isn't supported.",
            unverified=True,
        )


def members(state: State, field: str, resource_id: str) -> list[Json]:
    """Return the machines whose property names a set or group."""
    return [vm for vm in state.of_kind(VM) if same(look(vm, f"properties.{field}.id"), resource_id)]
