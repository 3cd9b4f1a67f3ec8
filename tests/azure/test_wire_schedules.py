"""Timetables that Azure keeps for VMs, as it writes them."""

from typing import Any

import pytest

from readiness.azure.collection import collect
from readiness.azure.wire_schedules import READERS
from readiness.model.context import Context
from readiness.model.fact import Fact
from readiness.model.ids import ResourceId
from readiness.model.monitoring import VmLink
from readiness.model.schedules import AutoShutdown, ScalingPlan, ScopeFilter, SessionHost, UpdateSchedule
from tests.builders import SUBSCRIPTION, info

SUB = f"/subscriptions/{SUBSCRIPTION}"
GROUP = f"{SUB}/resourceGroups/rg/providers"
VM = ResourceId(f"{GROUP}/Microsoft.Compute/virtualMachines/vm1")
SHUTDOWN = f"{GROUP}/microsoft.devtestlab/schedules/shutdown-computevm-vm1"
LAB = f"{GROUP}/Microsoft.DevTestLab/labs/lab1/virtualMachines/vm1"


def _read(kind: str, resource_id: str, **properties: Any) -> Fact | None:
    resource = {"id": resource_id, "type": kind, "properties": properties}
    return READERS[kind.lower()](resource)


def _shutdown(**properties: Any) -> Fact | None:
    return _read("Microsoft.DevTestLab/schedules", SHUTDOWN, **properties)


def test_an_auto_shutdown() -> None:
    """The portal's resource: which VM, at what time, in which zone."""
    found = _shutdown(
        status="Enabled",
        taskType="ComputeVmShutdownTask",
        dailyRecurrence={"time": "1900"},
        timeZoneId="W. Europe Standard Time",
        targetResourceId=VM.text.lower(),
    )

    expected = AutoShutdown(id=ResourceId(SHUTDOWN), vm=VM, time="1900", timezone="W. Europe Standard Time")
    assert expected == found


def test_an_auto_shutdown_that_names_no_vm() -> None:
    """Its own name says which VM it is for."""
    found = _shutdown(dailyRecurrence={"time": "1900"}, timeZoneId="UTC")

    assert isinstance(found, AutoShutdown)
    assert VM == found.vm


@pytest.mark.parametrize(
    "properties",
    [{"status": "Disabled", "targetResourceId": VM.text}, {"targetResourceId": LAB}],
    ids=["switched off", "of a lab"],
)
def test_no_auto_shutdown(properties: dict[str, str]) -> None:
    """What is switched off, or is a lab's, comes to no VM."""
    assert _shutdown(**properties) is None


def test_a_maintenance_configuration() -> None:
    """The window is kept as it was written."""
    kind = "Microsoft.Maintenance/maintenanceConfigurations"
    own = f"{GROUP}/{kind}/patch"
    window = {
        "startDateTime": "2026-01-04 01:00",
        "expirationDateTime": "9999-12-31 23:59:59",
        "duration": "03:00",
        "timeZone": "W. Europe Standard Time",
        "recurEvery": "Week Sunday",
    }
    expected = UpdateSchedule(
        id=ResourceId(own),
        starts="2026-01-04 01:00",
        duration="03:00",
        ends="9999-12-31 23:59:59",
        timezone="W. Europe Standard Time",
        recurs="Week Sunday",
    )

    assert expected == _read(kind, own, maintenanceScope="InGuestPatch", maintenanceWindow=window)
    assert _read(kind, own, maintenanceScope="SQLDB", maintenanceWindow=window) is None


def test_an_assignment_to_a_scope() -> None:
    """It hangs on a subscription, and its filter says which VMs it means."""
    kind = "Microsoft.Maintenance/configurationAssignments"
    own = f"{SUB}/providers/{kind}/dynamic"
    target = f"{GROUP}/Microsoft.Maintenance/maintenanceConfigurations/patch"
    found = _read(
        kind,
        own,
        maintenanceConfigurationId=target,
        filter={
            "resourceTypes": ["Microsoft.Compute/virtualMachines"],
            "resourceGroups": ["RG-App"],
            "osTypes": ["Linux"],
            "locations": ["West Europe"],
            "tagSettings": {"tags": {"Patch": ["yes", "soon"]}, "filterOperator": "Any"},
        },
    )
    narrowed = ScopeFilter(
        resource_types=("microsoft.compute/virtualmachines",),
        resource_groups=("rg-app",),
        locations=("westeurope",),
        systems=("linux",),
        tags={"Patch": ("yes", "soon")},
        any_tag=True,
    )

    expected = VmLink(id=ResourceId(own), vm=ResourceId(SUB), target=ResourceId(target), filter=narrowed)
    assert expected == found


def test_a_scaling_plan_and_its_hosts() -> None:
    """Only host pools for which it is switched on count, and only hosts that are VMs."""
    pool = f"{GROUP}/Microsoft.DesktopVirtualization/hostPools/desks"
    own = f"{GROUP}/Microsoft.DesktopVirtualization/scalingPlans/office"
    pools = [
        {"hostPoolArmPath": pool, "scalingPlanEnabled": True},
        {"hostPoolArmPath": f"{pool}-2", "scalingPlanEnabled": False},
    ]
    plan = _read(
        "Microsoft.DesktopVirtualization/scalingPlans", own, hostPoolReferences=pools, exclusionTag="keep"
    )
    kind = "Microsoft.DesktopVirtualization/hostPools/sessionHosts"
    host = _read(kind, f"{pool}/sessionHosts/vm1", resourceId=VM.text)

    assert ScalingPlan(id=ResourceId(own), pools=(ResourceId(pool),), exclusion_tag="keep") == plan
    assert SessionHost(id=ResourceId(f"{pool}/sessionHosts/vm1"), vm=VM) == host
    assert (
        _read(kind, f"{pool}/sessionHosts/far", resourceId=f"{GROUP}/Microsoft.HybridCompute/machines/m")
        is None
    )


def test_they_reach_the_estate() -> None:
    """What is read is kept with the facts of the estate; what is not understood leaves a gap."""
    kind = "microsoft.devtestlab/schedules"
    good = {"id": SHUTDOWN, "type": kind, "properties": {"targetResourceId": VM.text}}
    bad = {"id": f"{SHUTDOWN}-2", "type": kind, "properties": {"dailyRecurrence": "at seven"}}
    found = collect([("line:1", good), ("line:2", bad)]).estate(info(), Context())

    assert [VM] == [entry.vm for entry in found.posture.all(AutoShutdown)]
    assert ["line:2"] == [gap.place for gap in found.gaps]
