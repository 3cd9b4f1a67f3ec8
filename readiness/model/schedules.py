"""What switches VMs off or updates them by a timetable of its own, as Azure keeps it.

Times and recurrences stay the words that Azure wrote: `planner.timetables` makes instants of them, and says
so where it cannot.
"""

from msgspec import Struct

from readiness.model.fact import Fact
from readiness.model.ids import ResourceId


class AutoShutdown(Fact, frozen=True, kw_only=True):
    """A daily auto-shutdown of one VM that is switched on (`Microsoft.DevTestLab/schedules`)."""

    vm: ResourceId
    time: str | None = None
    """`dailyRecurrence.time`, such as `1900`."""
    timezone: str | None = None
    """`timeZoneId`: the name that Windows has for the zone."""


class UpdateSchedule(Fact, frozen=True, kw_only=True):
    """A maintenance configuration: when Update Manager works on the VMs that are assigned to it."""

    starts: str | None = None
    """The first time, such as `2026-01-04 01:00`."""
    duration: str | None = None
    """Hours and minutes, such as `03:00`."""
    ends: str | None = None
    """`expirationDateTime`."""
    timezone: str | None = None
    recurs: str | None = None
    """`recurEvery`, such as `Week Saturday,Sunday`; None where it comes once."""


class ScopeFilter(Struct, frozen=True, kw_only=True):
    """Which VMs of a scope a maintenance configuration is assigned to: in lower case, save the tags.

    What is empty lets every VM pass.
    """

    resource_types: tuple[str, ...] = ()
    resource_groups: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()
    systems: tuple[str, ...] = ()
    """`windows` or `linux`."""
    tags: dict[str, tuple[str, ...]] = {}
    """Values by name of a tag; one of them has to be there."""
    any_tag: bool = False
    """One of the tags is enough."""


class ScalingPlan(Fact, frozen=True, kw_only=True):
    """A scaling plan of Azure Virtual Desktop: it starts and stops session hosts as they are needed."""

    pools: tuple[ResourceId, ...] = ()
    """Host pools for which it is switched on."""
    exclusion_tag: str | None = None
    """Session hosts with this tag are left alone."""


class SessionHost(Fact, frozen=True, kw_only=True):
    """A VM's membership in a host pool, in which the fact lies."""

    vm: ResourceId
