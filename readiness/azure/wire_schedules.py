"""ARM JSON to the model: timetables that Azure keeps for VMs. See `model.schedules`.

What is switched off, or is none of a VM's, answers None. Times are kept as they were written.
"""

from collections.abc import Callable

from readiness.azure.wire_values import (
    Json,
    carrier_of,
    flag,
    obj,
    objects,
    own_id,
    resource_id,
    text,
    texts,
)
from readiness.model.fact import Fact
from readiness.model.ids import ResourceId
from readiness.model.monitoring import VmLink
from readiness.model.schedules import AutoShutdown, ScalingPlan, ScopeFilter, SessionHost, UpdateSchedule

_VM = "microsoft.compute/virtualmachines"


def auto_shutdown(resource: Json) -> AutoShutdown | None:
    """Read an auto-shutdown; a schedule of a lab, and one that is switched off, are none."""
    schedule = own_id(resource)
    properties = obj(resource, "properties")
    vm = resource_id(properties, "targetResourceId") or _named(schedule)
    is_off = (text(properties, "status") or "").lower() == "disabled"
    if vm is None or vm.type != _VM or is_off:
        return None
    return AutoShutdown(
        id=schedule,
        vm=vm,
        time=text(obj(properties, "dailyRecurrence"), "time"),
        timezone=text(properties, "timeZoneId"),
    )


def update_schedule(resource: Json) -> UpdateSchedule | None:
    """Read a maintenance configuration; those of databases come to no VM."""
    properties = obj(resource, "properties")
    if (text(properties, "maintenanceScope") or "").lower().startswith("sql"):
        return None
    window = obj(properties, "maintenanceWindow")
    return UpdateSchedule(
        id=own_id(resource),
        starts=text(window, "startDateTime"),
        duration=text(window, "duration"),
        ends=text(window, "expirationDateTime"),
        timezone=text(window, "timeZone"),
        recurs=text(window, "recurEvery"),
    )


def update_assignment(resource: Json) -> VmLink:
    """Read the assignment of a maintenance configuration: to a VM, or to a scope that a filter narrows."""
    found = own_id(resource)
    properties = obj(resource, "properties")
    narrowed = obj(properties, "filter")
    return VmLink(
        id=found,
        vm=resource_id(properties, "resourceId") or carrier_of(found),
        target=resource_id(properties, "maintenanceConfigurationId"),
        filter=_filter(narrowed) if narrowed else None,
    )


def scaling_plan(resource: Json) -> ScalingPlan:
    """Read a scaling plan with the host pools for which it is switched on."""
    properties = obj(resource, "properties")
    pools = (
        resource_id(entry, "hostPoolArmPath")
        for entry in objects(properties, "hostPoolReferences")
        if flag(entry, "scalingPlanEnabled") is not False
    )
    return ScalingPlan(
        id=own_id(resource),
        pools=tuple(pool for pool in pools if pool is not None),
        exclusion_tag=text(properties, "exclusionTag"),
    )


def session_host(resource: Json) -> SessionHost | None:
    """Read a session host; one that is no Azure VM is none of ours."""
    vm = resource_id(obj(resource, "properties"), "resourceId")
    return SessionHost(id=own_id(resource), vm=vm) if vm is not None and vm.type == _VM else None


def _named(schedule: ResourceId) -> ResourceId | None:
    """Return the VM that a schedule of this name is for: portal and CLI name it `shutdown-computevm-<VM>`."""
    prefix, _, name = schedule.name.partition("-computevm-")
    if prefix.lower() != "shutdown" or not name:
        return None
    place = f"/subscriptions/{schedule.subscription}/resourceGroups/{schedule.resource_group}"
    return ResourceId(f"{place}/providers/Microsoft.Compute/virtualMachines/{name}")


def _filter(entry: Json) -> ScopeFilter:
    settings = obj(entry, "tagSettings")
    tags = obj(settings, "tags")
    return ScopeFilter(
        resource_types=_lowered(entry, "resourceTypes"),
        resource_groups=_lowered(entry, "resourceGroups"),
        locations=tuple(place.replace(" ", "") for place in _lowered(entry, "locations")),
        systems=_lowered(entry, "osTypes"),
        tags={name: texts(tags, name) for name in tags},
        any_tag=(text(settings, "filterOperator") or "").lower() == "any",
    )


def _lowered(entry: Json, key: str) -> tuple[str, ...]:
    return tuple(value.lower() for value in texts(entry, key))


READERS: dict[str, Callable[[Json], Fact | None]] = {
    "microsoft.desktopvirtualization/hostpools/sessionhosts": session_host,
    "microsoft.desktopvirtualization/scalingplans": scaling_plan,
    "microsoft.devtestlab/schedules": auto_shutdown,
    "microsoft.maintenance/configurationassignments": update_assignment,
    "microsoft.maintenance/maintenanceconfigurations": update_schedule,
}
"""Reader of each resource type, in lower case."""
