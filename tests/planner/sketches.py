"""Random estates for the planner: a sketch is drawn as plain data, so that a failing one can be read."""

import random
from dataclasses import dataclass
from datetime import time

from hypothesis import strategies as st

from readiness.model.context import Application, Context, Environment, Match, Owner, TargetEntry
from readiness.model.estate import Estate
from readiness.model.estate_info import Gap
from readiness.model.ids import ResourceId
from readiness.model.network import LoadBalancer, Nic
from readiness.model.policy import Limits, Policy
from readiness.model.virtual_machine import Power, VirtualMachine
from tests.builders import boot, estate, ip_configuration, rid, vm_id
from tests.planner.plans import EVERYTHING, disks_of, machine, needs, window

WINDOWS = (
    window("sat-6h", 6),
    window("sat-1h", 1),
    window("sun-2h", 2, rrule="FREQ=WEEKLY;BYDAY=SU", start=time(2)),
    window("tue-4h", 4, rrule="FREQ=WEEKLY;BYDAY=TU", start=time(20), timezone="America/New_York"),
    window("once-4h", 4, rrule="FREQ=DAILY;UNTIL=20261130T000000", start=time(1)),
    window("half-hour", 0.5, rrule="FREQ=DAILY"),
)
POLICY = Policy(limits=Limits(max_vms_per_wave=5), max_vms_per_batch=3, pilot=None)


@dataclass(frozen=True)
class Machine:
    """One VM of a sketch."""

    application: int | None
    data_disks: int = 0
    availability_set: int | None = None
    pools: frozenset[int] = frozenset()
    power: Power = Power.RUNNING
    generation: int = 2


@dataclass(frozen=True)
class Sketch:
    """What a random estate is made of."""

    environments: tuple[Environment, ...]
    windows: tuple[tuple[str, ...], ...]
    machines: tuple[Machine, ...]
    needs: tuple[tuple[int, int, bool], ...]
    unreadable: int

    def estate(self, shuffle: int | None = None) -> Estate:
        """Return the estate; with a number, everything that is a set comes in another order."""
        vms = [self._vm(index, entry) for index, entry in enumerate(self.machines)]
        edges = [needs(name(source), name(target), hard=hard) for source, target, hard in self.needs]
        gaps = [
            Gap(place="p", resource=vm_id(f"lost{index}").text, reason="r", detail="d", is_vm=True)
            for index in range(self.unreadable)
        ]
        disks, nics, applications = disks_of(vms), self._nics(), self._applications()
        if shuffle is not None:
            for entries in (vms, edges, gaps, disks, nics, applications):
                random.Random(shuffle).shuffle(entries)  # noqa: S311  an order, no secret
        return estate(
            *vms,
            disks=disks,
            nics=nics,
            gaps=gaps,
            load_balancers=[LoadBalancer(id=BALANCER, pools=tuple(_pool(number) for number in range(3)))],
            context=Context(
                applications=tuple(applications),
                windows=WINDOWS,
                dependencies=tuple(edges),
                targets=(TargetEntry(match=Match(), choice=EVERYTHING),),
            ),
        )

    def _applications(self) -> list[Application]:
        facts = zip(self.environments, self.windows, strict=True)
        return [
            Application(
                name=f"app{number}",
                owner=Owner(name="Ada"),
                match=Match(tags={"app": str(number)}),
                environment=environment,
                windows=windows,
            )
            for number, (environment, windows) in enumerate(facts)
        ]

    def _vm(self, index: int, entry: Machine) -> VirtualMachine:
        balanced = (rid("Microsoft.Network/networkInterfaces", f"{name(index)}-nic"),)
        return machine(
            name(index),
            data_disks=entry.data_disks,
            power=entry.power,
            boot=boot(generation=entry.generation),
            nics=balanced,
            availability_set=None if entry.availability_set is None else _set(entry.availability_set),
            tags={} if entry.application is None else {"app": str(entry.application)},
        )

    def _nics(self) -> list[Nic]:
        return [
            Nic(
                id=rid("Microsoft.Network/networkInterfaces", f"{name(index)}-nic"),
                ip_configurations=(
                    ip_configuration(load_balancer_pools=tuple(_pool(pool) for pool in sorted(entry.pools))),
                ),
            )
            for index, entry in enumerate(self.machines)
        ]


def name(index: int) -> str:
    """Return the name of a sketch's VM."""
    return f"vm{index:02}"


BALANCER = rid("Microsoft.Network/loadBalancers", "lb")


def _pool(number: int) -> ResourceId:
    return rid("Microsoft.Network/loadBalancers", f"lb/backendAddressPools/pool{number}")


def _set(number: int) -> ResourceId:
    return rid("Microsoft.Compute/availabilitySets", f"set{number}")


@st.composite
def sketches(draw: st.DrawFn) -> Sketch:
    """Draw an estate of up to fourteen VMs."""
    size = draw(st.integers(1, 14))
    applications = draw(st.integers(1, 3))
    known = [entry.name for entry in WINDOWS]
    machines = st.builds(
        Machine,
        application=st.sampled_from([*range(applications)] * 3 + [None]),
        data_disks=st.integers(0, 3),
        availability_set=st.sampled_from([None, None, 0, 1]),
        pools=st.frozensets(st.integers(0, 2), max_size=2),
        power=st.sampled_from([Power.RUNNING] * 4 + [Power.DEALLOCATED, Power.STOPPED]),
        generation=st.sampled_from([2, 2, 2, 1]),
    )
    index = st.integers(0, size - 1)
    edges = st.tuples(index, index, st.booleans())
    return Sketch(
        environments=tuple(
            draw(st.lists(st.sampled_from(Environment), min_size=applications, max_size=applications))
        ),
        windows=tuple(
            draw(
                st.lists(
                    st.lists(st.sampled_from(known), min_size=1, max_size=3, unique=True).map(tuple),
                    min_size=applications,
                    max_size=applications,
                )
            )
        ),
        machines=tuple(draw(st.lists(machines, min_size=size, max_size=size))),
        needs=tuple(draw(st.lists(edges, max_size=2 * size))),
        unreadable=draw(st.integers(0, 1)),
    )
