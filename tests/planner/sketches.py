"""Random estates for the planner: drawn as plain data, so that a failing one can be read."""

import dataclasses
import random
from dataclasses import dataclass
from datetime import time, timedelta
from typing import TypeVar

import networkx as nx
from hypothesis import strategies as st
from msgspec.structs import replace

from readiness.model.context import (
    Application,
    Context,
    Criticality,
    Dependency,
    Environment,
    Freeze,
    Match,
    Owner,
    TargetEntry,
)
from readiness.model.estate import Estate
from readiness.model.estate_info import Gap, Subscription
from readiness.model.ids import ResourceId
from readiness.model.network import LoadBalancer, Nic
from readiness.model.policy import Limits, Policy
from readiness.model.virtual_machine import Power, VirtualMachine
from tests.builders import REGION, SUBSCRIPTION, boot, estate, ip_configuration, rid, sku, vm_id
from tests.planner.plans import AS_OF, EVERYTHING, disks_of, machine, window

WINDOWS = (
    window("sat-6h", 6),
    window("sat-1h", 1),
    window("sun-2h", 2, rrule="FREQ=WEEKLY;BYDAY=SU", start=time(2)),
    window("tue-4h", 4, rrule="FREQ=WEEKLY;BYDAY=TU", start=time(20), timezone="America/New_York"),
    window("once-4h", 4, rrule="FREQ=DAILY;UNTIL=20261130T000000", start=time(1)),
    window("half-hour", 0.5, rrule="FREQ=DAILY"),
)
POLICY = Policy(limits=Limits(max_vms_per_wave=5), max_vms_per_batch=3, pilot=None)
_Drawn = TypeVar("_Drawn")
SUBSCRIPTIONS = (SUBSCRIPTION, "22222222-2222-2222-2222-222222222222")
REGIONS = (REGION, "northeurope")


@dataclass(frozen=True)
class Machine:
    """One VM of a sketch."""

    application: int | None
    data_disks: int = 0
    availability_set: int | None = None
    pools: frozenset[int] = frozenset()
    power: Power = Power.RUNNING
    generation: int = 2
    region: int = 0
    subscription: int = 0
    zone: str = ""


@dataclass(frozen=True)
class Need:
    """One dependency of a sketch, by the numbers of its machines."""

    source: int
    target: int
    hard: bool = False
    strict: bool = False


@dataclass(frozen=True)
class Frozen:
    """Days on which an application, or all of them, must not be touched."""

    application: int | None
    begins: int
    """Days after the day of the plan."""
    days: int


@dataclass(frozen=True)
class Sketch:
    """What a random estate is made of."""

    environments: tuple[Environment, ...]
    windows: tuple[tuple[str, ...], ...]
    machines: tuple[Machine, ...]
    needs: tuple[Need, ...]
    unreadable: int
    criticalities: tuple[Criticality, ...] = ()
    freezes: tuple[Frozen, ...] = ()
    names: tuple[int, ...] = ()
    """What the machines are numbered; empty: as they stand."""

    def estate(self, shuffle: int | None = None) -> Estate:
        """Return the estate; with a number, everything that is a set comes in another order."""
        vms = [self._vm(index, entry) for index, entry in enumerate(self.machines)]
        edges = [
            Dependency(
                source=self.id(one.source), target=self.id(one.target), hard=one.hard, strict=one.strict
            )
            for one in self.needs
        ]
        gaps = [
            Gap(place="p", resource=vm_id(f"lost{index}").text, reason="r", detail="d", is_vm=True)
            for index in range(self.unreadable)
        ]
        disks, nics, applications = disks_of(vms), self._nics(), self._applications()
        if shuffle is not None:
            for entries in (vms, edges, gaps, disks, nics, applications):
                random.Random(shuffle).shuffle(entries)  # noqa: S311  an order, no secret
        made = estate(
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
                freezes=tuple(self._freeze(number, entry) for number, entry in enumerate(self.freezes)),
            ),
        )
        made.info = replace(made.info, subscriptions=tuple(Subscription(one, one) for one in SUBSCRIPTIONS))
        made.skus = {(sku().name.lower(), region): sku() for region in REGIONS}
        return made

    def id(self, index: int) -> ResourceId:
        """Return the id of a machine."""
        subscription = SUBSCRIPTIONS[self.machines[index].subscription]
        return rid("Microsoft.Compute/virtualMachines", self.name(index), subscription=subscription)

    def name(self, index: int) -> str:
        """Return the name of a machine."""
        return f"vm{self.names[index] if self.names else index:02}"

    def without(self, index: int) -> "Sketch":
        """Return the sketch without one of its machines; the others keep their names."""
        kept = [number for number in range(len(self.machines)) if number != index]
        place = {number: position for position, number in enumerate(kept)}
        return dataclasses.replace(
            self,
            machines=tuple(self.machines[number] for number in kept),
            names=tuple(self.names[number] if self.names else number for number in kept),
            needs=tuple(
                dataclasses.replace(one, source=place[one.source], target=place[one.target])
                for one in self.needs
                if one.source in place and one.target in place
            ),
        )

    def altered(self, index: int, **facts: object) -> "Sketch":
        """Return the sketch with one of its machines changed."""
        changed = dataclasses.replace(self.machines[index], **facts)  # type: ignore[arg-type]
        machines = (*self.machines[:index], changed, *self.machines[index + 1 :])
        return dataclasses.replace(self, machines=machines)

    def _freeze(self, number: int, entry: Frozen) -> Freeze:
        starts = AS_OF + timedelta(days=entry.begins)
        matched = Match() if entry.application is None else Match(applications=(f"app{entry.application}",))
        return Freeze(
            name=f"freeze{number}",
            match=matched,
            starts=starts,
            ends=starts + timedelta(days=entry.days - 1),
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
                criticality=self.criticalities[number] if self.criticalities else Criticality.MEDIUM,
            )
            for number, (environment, windows) in enumerate(facts)
        ]

    def _vm(self, index: int, entry: Machine) -> VirtualMachine:
        balanced = (rid("Microsoft.Network/networkInterfaces", f"{self.name(index)}-nic"),)
        return machine(
            self.name(index),
            id=self.id(index),
            location=REGIONS[entry.region],
            zones=(entry.zone,) if entry.zone else (),
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
                id=rid("Microsoft.Network/networkInterfaces", f"{self.name(index)}-nic"),
                ip_configurations=(
                    ip_configuration(load_balancer_pools=tuple(_pool(pool) for pool in sorted(entry.pools))),
                ),
            )
            for index, entry in enumerate(self.machines)
        ]


BALANCER = rid("Microsoft.Network/loadBalancers", "lb")


def _pool(number: int) -> ResourceId:
    return rid("Microsoft.Network/loadBalancers", f"lb/backendAddressPools/pool{number}")


def _set(number: int) -> ResourceId:
    return rid("Microsoft.Compute/availabilitySets", f"set{number}")


@st.composite
def sketches(draw: st.DrawFn, largest: int = 14) -> Sketch:
    """Draw an estate of up to fourteen VMs."""
    size = draw(st.integers(1, largest))
    applications = draw(st.integers(1, 3))
    return Sketch(
        environments=draw(_some(st.sampled_from(Environment), applications)),
        windows=draw(_some(_windows(), applications)),
        machines=draw(_some(machines(applications), size)),
        needs=_without_strict_cycles(draw(st.lists(_needs(size), max_size=2 * size))),
        unreadable=draw(st.integers(0, 1)),
        criticalities=draw(_some(st.sampled_from(_CRITICALITIES), applications)),
        freezes=tuple(draw(st.lists(_freezes(applications), max_size=2))),
    )


def machines(applications: int) -> st.SearchStrategy[Machine]:
    """Draw one machine of an estate with so many applications."""
    return st.builds(
        Machine,
        application=st.sampled_from([*range(applications)] * 3 + [None]),
        data_disks=st.integers(0, 3),
        availability_set=st.sampled_from([None, None, 0, 1]),
        pools=st.frozensets(st.integers(0, 2), max_size=2),
        power=st.sampled_from([Power.RUNNING] * 4 + [Power.DEALLOCATED, Power.STOPPED]),
        generation=st.sampled_from([2, 2, 2, 1]),
        region=st.integers(0, 1),
        subscription=st.integers(0, 1),
        zone=st.sampled_from(["", "", "1", "2"]),
    )


_CRITICALITIES = [Criticality.MEDIUM] * 3 + [Criticality.MISSION_CRITICAL]


def _some(one: st.SearchStrategy[_Drawn], count: int) -> st.SearchStrategy[tuple[_Drawn, ...]]:
    return st.lists(one, min_size=count, max_size=count).map(tuple)


def _windows() -> st.SearchStrategy[tuple[str, ...]]:
    known = [entry.name for entry in WINDOWS]
    return st.lists(st.sampled_from(known), min_size=1, max_size=3, unique=True).map(tuple)


def _needs(size: int) -> st.SearchStrategy[Need]:
    index = st.integers(0, size - 1)
    return st.builds(
        Need, source=index, target=index, hard=st.booleans(), strict=st.sampled_from([False] * 4 + [True])
    )


def _freezes(applications: int) -> st.SearchStrategy[Frozen]:
    return st.builds(
        Frozen,
        application=st.sampled_from([None, *range(applications)]),
        begins=st.integers(-5, 30),
        days=st.integers(1, 20),
    )


def _without_strict_cycles(needs: list[Need]) -> tuple[Need, ...]:
    """Return the dependencies; one that asks for a later wave and lies on a cycle is merely hard."""
    graph: nx.DiGraph[int] = nx.DiGraph((one.source, one.target) for one in needs)
    component = {
        vm: number for number, vms in enumerate(nx.strongly_connected_components(graph)) for vm in vms
    }
    return tuple(
        dataclasses.replace(one, hard=True, strict=False)
        if one.strict and component[one.source] == component[one.target]
        else one
        for one in needs
    )
