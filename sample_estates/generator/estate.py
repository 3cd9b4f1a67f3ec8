"""A whole generated estate, one resource after the other: any number of VMs in constant memory."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from sample_estates.generator import compute, governance, network, posture
from sample_estates.generator.catalogue import SIZES, VM_ADMINISTRATOR_LOGIN, Json
from sample_estates.generator.dice import Dice
from sample_estates.generator.landing import SHORT, Landing
from sample_estates.generator.machine import Machine, Place
from sample_estates.generator.workload import Workload, cluster_nodes

COLLECTED_AT = "2026-11-02T08:00:00Z"
_ENVIRONMENTS = (("production", 60), ("test", 25), ("development", 15))
_OWNERS = (
    "Ilse Varga-Roth",
    "Tomasz Adeyemi",
    "Noor Halvorsen",
    "Pio Castellane",
    "Maren Okafor",
    "Lev Duarte",
)


@dataclass(frozen=True, slots=True)
class Application:
    """What a context says of one workload."""

    name: str
    owner: str
    environment: str
    criticality: str
    group: str
    window: str
    is_assured: bool
    """Whether its backups are restored for a test, as its owner says."""


@dataclass(slots=True)
class Estate:
    """What is to be generated, and what has been so far."""

    vms: int
    seed: int
    subscriptions: int
    tenant: str = ""
    names: list[tuple[str, str]] = field(default_factory=list)
    """Subscriptions: id and name."""
    landings: list[Landing] = field(default_factory=list)
    applications: list[Application] = field(default_factory=list)
    edges: list[tuple[str, str]] = field(default_factory=list)
    """Dependencies found since they were last taken away: source and target."""
    made: int = 0
    keyed: set[str] = field(default_factory=set)
    """Labels of the landings whose keys some workload wants."""

    def __post_init__(self) -> None:
        dice = Dice(self.seed, "estate")
        self.tenant = dice.guid()
        regions = list(SHORT)
        both = self.vms >= _TWO_REGIONS * self.subscriptions
        for number in range(self.subscriptions):
            kind = "prod" if number % 2 == 0 else "nonprod"
            label = f"{kind}{number // 2 + 1:02d}"
            self.names.append((dice.guid(), f"invented-{label}"))
            chosen = [regions[number % len(regions)], regions[(number + 1) % len(regions)]]
            for region in chosen[: 2 if both else 1]:
                place = Place(self.names[-1][0], "", region, self.tenant)
                self.landings.append(Landing(place, label, self.seed))

    def resources(self) -> Iterator[Json]:
        """Yield every resource, in the same order for the same numbers."""
        for identifier, name in self.names:
            place = Place(identifier, "", "", self.tenant)
            yield governance.subscription(place, name)
            yield governance.feature(place, "EncryptionAtHost")
            yield governance.defender(place, "P1" if "nonprod" in name else "P2")
            scope = f"/subscriptions/{identifier}"
            yield posture.policy(scope, "security-benchmark", posture.BENCHMARK)
            people = Dice(self.seed, "people", name).guid()
            yield from posture.activated_role(scope, VM_ADMINISTRATOR_LOGIN, people, place)
            used = [entry.region for entry in self.landings if entry.hub.subscription == identifier]
            for size in SIZES:
                yield compute.size(identifier, size, used)
        for number, landing in enumerate(self.landings):
            yield from self._landing(landing, number)
        yield from self._workloads()

    def _landing(self, landing: Landing, number: int) -> Iterator[Json]:
        yield from landing.resources(number % 64)
        dice = Dice(self.seed, "shared", landing.label)
        for vm in landing.machines(number % 64)[: self.vms - self.made]:
            yield from compute.compute_of(vm, dice)
            yield network.interface(vm, dice)
            self.made += 1
        nodes = 3 if self.vms >= _TWO_REGIONS else 2
        if self.vms >= _WITH_CLUSTER and self.vms - self.made > nodes:
            for node, found in cluster_nodes(landing, nodes, dice):
                self.made += node is not None
                yield found

    def _workloads(self) -> Iterator[Json]:
        dice, number, earlier = Dice(self.seed, "workloads"), 0, None
        while self.made < self.vms:
            environment = dice.weighted(_ENVIRONMENTS)
            size = min(
                dice.weighted(((dice.between(4, 14), 5), (dice.between(15, 90), 5))), self.vms - self.made
            )
            landing = self._home(environment, dice)
            workload = Workload(number, environment, landing, size, self.seed)
            yield from workload.resources()
            if workload.wants_keys:
                self.keyed.add(landing.label)
            self._remember(workload, earlier if dice.chance(0.3) else None, dice)
            earlier, number = workload.machines[0], number + 1
            self.made += size

    def _home(self, environment: str, dice: Dice) -> Landing:
        wanted = "prod" if environment == "production" else "nonprod"
        fitting = [entry for entry in self.landings if entry.label.startswith(wanted)]
        return dice.pick(fitting or self.landings)

    def _remember(self, workload: Workload, earlier: Machine | None, dice: Dice) -> None:
        # One workload in fifty has no owner, so that nobody could be asked about its machines.
        if not dice.chance(0.02):
            critical = ("medium", "high", "mission-critical") if "prod" in workload.environment else ("low",)
            self.applications.append(
                Application(
                    name=workload.title,
                    owner=dice.pick(_OWNERS),
                    environment=workload.environment,
                    criticality=dice.pick(critical),
                    group=workload.place.group,
                    window=dice.pick(_WINDOWS_OF[workload.environment]),
                    is_assured=workload.is_assured,
                )
            )
        tiers = [workload.of_tier(tier) for tier in ("web", "app", "data")]
        for sources, targets in pairwise(tiers):
            for position, vm in enumerate(sources):
                chosen = {targets[(position + step) % len(targets)].id for step in (0, 1)} if targets else ()
                self.edges += [(vm.id, target) for target in sorted(chosen)]
        if earlier:
            self.edges.append((workload.machines[-1].id, earlier.id))


_TWO_REGIONS, _WITH_CLUSTER = 200, 60
_WINDOWS_OF = {
    "production": ("saturday-night", "sunday-night", "first-sunday"),
    "test": ("weekday-evening",),
    "development": ("weekday-evening", "weekday-noon"),
}
