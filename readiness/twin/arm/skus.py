"""Sizes: the compute SKUs of the seed, listed by subscription, by location, and for one machine.

Learn, "Resource Skus - List": the only filter is `location eq 'westus2'`; hosts of extended locations come
only with `includeExtendedLocations=true`. The older lists of sizes (`locations/{place}/vmSizes` and
`virtualMachines/{name}/vmSizes`) tell fewer things of the same sizes, in other words.
"""

import re
from typing import Any

from readiness.twin.arm.paging import page
from readiness.twin.documents import Json, duplicate, look, same
from readiness.twin.machine import Power
from readiness.twin.messages import Response, invalid_parameter
from readiness.twin.state import VM, capability, is_offered
from readiness.twin.world import Call, Routes, World

_LOCATION_FILTER = re.compile(r"\s*location\s+eq\s+'([^']*)'\s*", re.IGNORECASE)


def listed(world: World, call: Call) -> Response:
    """Answer the sizes and other SKUs of a subscription, all of them or those of one location."""
    given = call.request.query.get("$filter", "")
    wanted = _LOCATION_FILTER.fullmatch(given)
    if given.strip() and wanted is None:
        raise invalid_parameter(
            f"The filter '{given}' is not supported: only 'location eq' is.", "$filter", unverified=True
        )
    found = [size for size in world.state.sizes if wanted is None or is_offered(size, wanted[1])]
    return page(call, found, _whole)


def _whole(size: Json) -> Json:
    return {name: value for name, value in duplicate(size).items() if name != "id"}


def of_location(world: World, call: Call) -> Response:
    """Answer the sizes of a location, in the older and shorter form."""
    location = call.address.name
    return page(call, [size for size in _machines(world) if is_offered(size, location)], _short)


def of_machine(world: World, call: Call) -> Response:
    """Answer the sizes a machine can be given: while it is allocated, those of its own family."""
    vm = world.state.need(call.address)
    own = world.state.size(look(vm, "properties.hardwareProfile.vmSize"), vm.get("location"))
    found = [size for size in _machines(world) if is_offered(size, vm.get("location"))]
    if own is not None and world.state.machine(vm).power is not Power.DEALLOCATED:
        found = [size for size in found if same(size.get("family"), own.get("family"))]
    return page(call, found, _short)


def _machines(world: World) -> list[Json]:
    return [size for size in world.state.sizes if same(size.get("resourceType"), "virtualMachines")]


def _short(size: Json) -> Json:
    memory = _number(size, "MemoryGB")
    return {
        "name": size["name"],
        "numberOfCores": int(_number(size, "vCPUs")),
        "osDiskSizeInMB": int(_number(size, "OSVhdSizeMB")) or 1047552,
        "resourceDiskSizeInMB": int(_number(size, "MaxResourceVolumeMB")),
        "memoryInMB": int(memory * 1024),
        "maxDataDiskCount": int(_number(size, "MaxDataDiskCount")),
    }


def _number(size: Json, name: str) -> float:
    found: Any = capability(size, name)
    try:
        return float(found)
    except (TypeError, ValueError):
        return 0.0


ROUTES: Routes = {
    ("GET", "microsoft.compute", "skus"): listed,
    ("GET", "microsoft.compute/locations", "vmsizes"): of_location,
    ("GET", VM, "vmsizes"): of_machine,
}
