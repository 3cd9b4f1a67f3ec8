"""Schedules of Azure's own that come between VMs and their windows."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from readiness.model.fact import Fact
from readiness.model.ids import ResourceId
from readiness.model.monitoring import VmLink
from readiness.model.plan import Plan, PlannedVm
from readiness.model.policy import Policy
from readiness.model.schedules import AutoShutdown, ScalingPlan, ScopeFilter, SessionHost, UpdateSchedule
from readiness.model.virtual_machine import VirtualMachine
from readiness.planner.timetables import Span, TimetableError, shutdowns, updates
from tests.builders import REFERENCE, SUBSCRIPTION, rid, vm_id
from tests.planner.plans import machine, only_planned, plan

ZONES = REFERENCE.time_zones
SCHEDULE = rid("Microsoft.Maintenance/maintenanceConfigurations", "patch-sunday")
HOST_POOL = rid("Microsoft.DesktopVirtualization/hostPools", "desks")
DECEMBER = Span(datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))


def _shutdown(time: str | None = "2300", timezone: str | None = "W. Europe Standard Time") -> AutoShutdown:
    own = rid("Microsoft.DevTestLab/schedules", "shutdown-computevm-vm1")
    return AutoShutdown(id=own, vm=vm_id(), time=time, timezone=timezone)


def _updates(**changes: Any) -> UpdateSchedule:
    default = UpdateSchedule(
        id=SCHEDULE,
        starts="2026-01-04 01:00",
        duration="02:00",
        ends="9999-12-31 23:59:59",
        timezone="W. Europe Standard Time",
        recurs="Week Sunday",
    )
    return replace(default, **changes)


def _link(on: ResourceId, narrowed: ScopeFilter | None = None) -> VmLink:
    own = ResourceId(f"{on}/providers/Microsoft.Maintenance/configurationAssignments/patch-sunday")
    return VmLink(id=own, vm=on, target=SCHEDULE, filter=narrowed)


def _planned(*facts: Fact, vm: VirtualMachine | None = None, policy: Policy | None = None) -> PlannedVm:
    return only_planned(plan(vm or machine("vm1"), posture=facts, policy=policy))


def _actions(made: Plan) -> list[tuple[str, bool, tuple[ResourceId, ...]]]:
    found = [(entry.kind, entry.shared, entry.vms) for entry in made.preparation]
    return [entry for entry in found if entry[0] not in ("online-change", "disk-encryption-set")]


def test_an_auto_shutdown_within_the_window() -> None:
    """It is named with day and time in the zone of the window, counted on the wave, and to be suspended."""
    made = plan(machine("vm1"), posture=(_shutdown(),))
    text = "auto-shutdown shutdown-computevm-vm1 switches it off on 2026-11-21 23:00 (Europe/Berlin), within"

    assert (f"{text} its window",) == only_planned(made).conflicts
    assert "1 of its VMs have schedules of their own" in made.waves[0].reasons[-1]
    assert [("auto-shutdown", False, (vm_id(),))] == _actions(made)


def test_an_auto_shutdown_at_another_time() -> None:
    """What does not come within the window is no conflict."""
    made = plan(machine("vm1"), posture=(_shutdown("1900"),))

    assert () == only_planned(made).conflicts
    assert [] == _actions(made)


def test_windows_are_compared_across_zones() -> None:
    """Three in the afternoon in Los Angeles is midnight in Berlin."""
    conflicts = _planned(_shutdown("1500", "Pacific Standard Time")).conflicts

    assert "on 2026-11-22 00:00 (Europe/Berlin)" in conflicts[0]


@pytest.mark.parametrize(
    ("schedule", "why"),
    [
        (_shutdown(timezone="Middle-earth Standard Time"), "nobody knows the time zone 'Middle-earth"),
        (_shutdown(timezone=None), "its time zone was not reported"),
        (_shutdown(time="2500"), "'2500' is no time of day"),
        (_shutdown(time=None), "its time was not reported"),
    ],
)
def test_a_timetable_that_nobody_understands(schedule: AutoShutdown, why: str) -> None:
    """It counts as a conflict that somebody has to look at."""
    conflicts = _planned(schedule).conflicts

    assert 1 == len(conflicts)
    assert why in conflicts[0]
    assert conflicts[0].endswith("look there")


def test_a_plan_without_windows_looks_at_the_time_of_the_vm_alone() -> None:
    """Where no windows are kept, only what comes while the VM is worked on is a conflict."""
    policy = Policy(pilot=None, windows=False)
    begins = _planned(policy=policy).start
    assert begins is not None
    meets, misses = (_shutdown(f"{(begins.hour + hours) % 24:02}10", "UTC") for hours in (0, 12))

    assert 1 == len(_planned(meets, policy=policy).conflicts)
    assert () == _planned(misses, policy=policy).conflicts


def test_an_update_schedule_within_the_window() -> None:
    """It is named with its begin and end, and is one shared action for all VMs that it meets."""
    facts = (_updates(), _link(vm_id()), _link(vm_id("vm2")))
    made = plan(machine("vm1"), machine("vm2"), posture=facts)
    told = "update schedule patch-sunday updates and may restart it on 2026-11-22 01:00 to 2026-11-22 03:00"

    assert [f"{told} (Europe/Berlin), within its window"] * 2 == [one.conflicts[0] for one in made.vms]
    assert [("update-schedule", True, (vm_id(), vm_id("vm2")))] == _actions(made)


def test_an_update_schedule_that_was_not_read() -> None:
    """An assignment to a configuration that nobody read may come at any time."""
    assert "it was not read; look there" in _planned(_link(vm_id())).conflicts[0]


@pytest.mark.parametrize(
    ("narrowed", "met"),
    [
        (None, True),
        (ScopeFilter(), True),
        (ScopeFilter(resource_types=("microsoft.hybridcompute/machines",)), False),
        (ScopeFilter(resource_groups=("rg-app",), locations=("westeurope",), systems=("linux",)), True),
        (ScopeFilter(resource_groups=("rg-other",)), False),
        (ScopeFilter(locations=("northeurope",)), False),
        (ScopeFilter(systems=("windows",)), False),
        (ScopeFilter(tags={"Patch": ("yes", "soon")}), True),
        (ScopeFilter(tags={"patch": ("no",)}), False),
        (ScopeFilter(tags={"patch": ("yes",), "ring": ("1",)}), False),
        (ScopeFilter(tags={"patch": ("yes",), "ring": ("1",)}, any_tag=True), True),
    ],
)
def test_an_update_schedule_of_a_scope(narrowed: ScopeFilter | None, *, met: bool) -> None:
    """An assignment to a subscription comes to each VM in it that its filter lets pass."""
    scope = ResourceId(f"/subscriptions/{SUBSCRIPTION}")
    vm = machine("vm1", tags={"patch": "yes"})

    assert met == bool(_planned(_updates(), _link(scope, narrowed), vm=vm).conflicts)


@pytest.mark.parametrize(
    ("tags", "met"), [({}, True), ({"keep-on": ""}, False)], ids=["governed", "left alone"]
)
def test_a_scaling_plan(tags: dict[str, str], *, met: bool) -> None:
    """A session host without the exclusion tag may be started or stopped in its window."""
    facts = (
        SessionHost(id=ResourceId(f"{HOST_POOL}/sessionHosts/vm1"), vm=vm_id()),
        ScalingPlan(
            id=rid("Microsoft.DesktopVirtualization/scalingPlans", "office-hours"),
            pools=(HOST_POOL,),
            exclusion_tag="keep-on",
        ),
    )
    made = plan(machine("vm1", tags=tags), posture=facts)

    assert met == bool(only_planned(made).conflicts)
    assert ([("scaling-plan", True, (vm_id(),))] if met else []) == _actions(made)


@pytest.mark.parametrize(
    ("recurs", "days"),
    [
        ("Day", list(range(1, 32))),
        ("10Days", [10, 20, 30]),
        ("Week", [6, 13, 20, 27]),
        ("2Weeks", [6, 20]),
        ("Week Saturday,Sunday", [5, 6, 12, 13, 19, 20, 26, 27]),
        ("1Week Monday", [7, 14, 21, 28]),
        ("Month", [4]),
        ("2Months", []),
        ("Month day23,day24", [23, 24]),
        ("Month Last Sunday", [27]),
        ("Month Fourth Monday", [28]),
        ("Month Last Sunday Offset-3", [24]),
        ("Month Third Sunday Offset6", [26]),
        ("Month First Tuesday Offset-1", []),
    ],
)
def test_a_recurrence(recurs: str, days: list[int]) -> None:
    """Each form that Azure documents comes on the days that it names, counted from the first time.

    It begins on Sunday, 4 January 2026. The first of December is a Tuesday, the fifth of January too.
    """
    found = updates(_updates(recurs=recurs, timezone="UTC"), DECEMBER, ZONES)
    expected = [date(2026, 12, day) for day in days]

    assert expected == [span.begins.date() for span in found if span.begins >= DECEMBER.begins]


def test_a_schedule_that_comes_once_or_has_ended() -> None:
    """Without a recurrence it comes once; nothing comes after its end or before its start."""
    once = _updates(starts="2026-12-05 01:00", recurs=None)

    assert [5] == [span.begins.day for span in updates(once, DECEMBER, ZONES)]
    assert () == updates(_updates(ends="2026-11-30 00:00"), DECEMBER, ZONES)
    assert () == updates(_updates(starts="2027-02-07 01:00"), DECEMBER, ZONES)


def test_a_window_that_began_before_the_span_still_counts() -> None:
    """What has begun and goes on reaches into the span; what ends as it begins does not."""
    late = _updates(starts="2026-11-30 23:00", duration="03:00", timezone="UTC", recurs=None)

    assert 1 == len(updates(late, DECEMBER, ZONES))
    assert () == updates(replace(late, duration="01:00"), DECEMBER, ZONES)


def test_a_shutdown_keeps_its_time_on_the_wall() -> None:
    """After summer time has ended it comes an hour later in UTC."""
    october = Span(datetime(2026, 10, 24, tzinfo=UTC), datetime(2026, 10, 26, tzinfo=UTC))

    assert [21, 22] == [span.begins.hour for span in shutdowns(_shutdown("23:00"), october, ZONES)]


@pytest.mark.parametrize(
    "changes",
    [
        {"recurs": "Fortnight"},
        {"recurs": "0Days"},
        {"recurs": "Month Last Sunday OffsetX"},
        {"recurs": "Month Umpteenth Sunday"},
        {"recurs": "Month dayX"},
        {"recurs": "Day Sunday"},
        {"starts": "soon"},
        {"starts": "0001-01-01 00:00"},
        {"starts": None},
        {"duration": "a while"},
        {"ends": "never"},
        {"timezone": "Nowhere/Atoll"},
        {"timezone": "../../etc/passwd"},
    ],
    ids=str,
)
def test_what_cannot_be_understood_is_said(changes: dict[str, str | None]) -> None:
    """No timetable that cannot be read counts as one that never comes."""
    with pytest.raises(TimetableError):
        updates(_updates(**changes), DECEMBER, ZONES)


def test_every_zone_of_the_table_exists() -> None:
    """The names that Windows has for zones lead to zones that are there."""
    day = Span(datetime(2026, 12, 1, tzinfo=UTC), datetime(2026, 12, 3, tzinfo=UTC))

    assert all(len(shutdowns(_shutdown("1200", name), day, ZONES)) in (1, 2, 3) for name in ZONES)
    assert 100 < len(ZONES)
