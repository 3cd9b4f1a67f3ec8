"""Scale sets, read-only: GET, lists, their instances, and a summary of these.

Guarantees: the instances of a flexible scale set are the virtual machines whose models name it; those of a
uniform one are what was seeded beneath it. Learn, "Orchestration modes for virtual machine scale sets".
"""

from collections import Counter

from readiness.twin.arm.paging import page
from readiness.twin.arm.placement import SCALE_SET, is_flexible, members
from readiness.twin.arm.virtual_machines import shown
from readiness.twin.documents import Json, duplicate
from readiness.twin.machine import instance_view
from readiness.twin.messages import Response
from readiness.twin.world import Call, Routes, World

_INSTANCE = f"{SCALE_SET}/virtualmachines"


def instances(world: World, call: Call) -> Response:
    """Answer the instances of a scale set, with their views where these are expanded or asked for."""
    found = world.state.need(call.address)
    if not is_flexible(found):
        return page(call, world.state.of_kind(_INSTANCE, found["id"]), duplicate)
    query = call.request.query
    asked = f"{query.get('$expand', '')} {query.get('$select', '')}".lower()
    with_view = "instanceview" in asked
    vms = members(world.state, "virtualMachineScaleSet", found["id"])
    return page(call, vms, lambda vm: shown(world, vm, call.version, with_view=with_view))


def view(world: World, call: Call) -> Response:
    """Answer how many instances there are in each state."""
    found = world.state.need(call.address)
    codes: Counter[str] = Counter()
    for vm in members(world.state, "virtualMachineScaleSet", found["id"]) if is_flexible(found) else []:
        statuses = instance_view(world.state.machine(vm), vm, generation=None)["statuses"]
        codes.update(str(status["code"]) for status in statuses)
    body: Json = {
        "virtualMachine": {
            "statusesSummary": [{"code": code, "count": count} for code, count in sorted(codes.items())]
        },
        "statuses": [
            {
                "code": "ProvisioningState/succeeded",
                "level": "Info",
                "displayStatus": "Provisioning succeeded",
            }
        ],
    }
    return Response(200, body)


ROUTES: Routes = {
    ("GET", SCALE_SET, "virtualmachines"): instances,
    ("GET", SCALE_SET, "instanceview"): view,
}
