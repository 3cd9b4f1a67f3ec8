"""Seeded estates of a few VMs whose waves are hard to pack: orders, peers, limits and windows all bind."""

import random

from readiness.model.context import Application, Criticality, Dependency, Environment, Match, Owner
from readiness.model.estate import Estate
from readiness.model.ids import ResourceId
from readiness.model.policy import Limits, Pilot, Policy
from tests.builders import estate, rid, vm_id
from tests.planner.plans import context, disks_of, machine, window

_WINDOWS = ("saturday", "sunday", "daily")


def instance(
    seed: int, *, smallest: int = 6, largest: int = 30, windows: bool = True
) -> tuple[Estate, Policy]:
    """Return the estate and the policy of a seed."""
    draw = random.Random(seed)  # noqa: S311  an instance, no secret
    count, applications = draw.randint(smallest, largest), draw.randint(1, 4)
    vms = [
        machine(
            f"vm{number:02}",
            data_disks=draw.randint(0, 6),
            availability_set=_peers(draw, count),
            tags={"app": str(draw.randrange(applications))},
        )
        for number in range(count)
    ]
    density = draw.choice([0.02, 0.06, 0.12])
    orders = tuple(
        Dependency(
            source=vm_id(f"vm{after:02}"),
            target=vm_id(f"vm{before:02}"),
            hard=True,
            strict=draw.random() < 0.3,
        )
        for before in range(count)
        for after in range(before + 1, count)
        if draw.random() < density
    )
    calendar = (
        window("saturday", draw.choice([1.5, 2, 3])),
        window("sunday", draw.choice([1.25, 2]), rrule="FREQ=WEEKLY;BYDAY=SU"),
        window("daily", 1.5, rrule="FREQ=DAILY"),
    )
    given = context(
        *(_application(draw, number) for number in range(applications)),
        dependencies=orders,
        windows=calendar,
    )
    return estate(*vms, disks=disks_of(vms), context=given), _policy(draw, windows=windows)


def _peers(draw: random.Random, count: int) -> ResourceId | None:
    name = f"set{draw.randrange(max(1, count // 4))}"
    return rid("Microsoft.Compute/availabilitySets", name) if draw.random() < 0.4 else None


def _application(draw: random.Random, number: int) -> Application:
    return Application(
        name=f"app{number}",
        owner=Owner(name="Ada"),
        match=Match(tags={"app": str(number)}),
        windows=(draw.choice(_WINDOWS),),
        environment=draw.choice(list(Environment)),
        criticality=draw.choice([Criticality.MEDIUM, Criticality.MISSION_CRITICAL]),
    )


def _policy(draw: random.Random, *, windows: bool) -> Policy:
    limits = Limits(
        max_vms_per_wave=draw.choice([None, 3, 4, 6]),
        max_work_minutes_per_wave=draw.choice([None, 45, 60, 90, 150]),
        max_vms_per_application=draw.choice([None, None, 3]),
        max_snapshots_per_subscription=draw.choice([None, 8, 12, 20]),
    )
    return Policy(
        limits=limits,
        max_vms_per_batch=draw.choice([2, 4, 20]),
        pilot=draw.choice([None, Pilot(max_vms=2)]),
        rings=draw.choice([(), Policy().rings]),
        windows=windows,
    )
