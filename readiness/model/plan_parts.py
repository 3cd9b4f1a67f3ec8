"""The parts of a plan: VMs, batches, waves, whoever was left out, and the graphs and actions around them."""

from datetime import date, datetime
from enum import StrEnum

from msgspec import UNSET, Struct, UnsetType

from readiness.model.context import Choice, Criticality, Environment
from readiness.model.durations import LOOK_SECONDS
from readiness.model.ids import ResourceId
from readiness.model.outage import Outage
from readiness.model.steps import PlannedStep, Undo


class TargetKind(StrEnum):
    """Where a plan may run."""

    TWIN = "twin"
    LIVE = "live"


class PlanTarget(Struct, frozen=True, kw_only=True):
    """The place a plan was made for. `run` refuses any other."""

    kind: TargetKind
    cloud: str
    tenant: str
    subscriptions: tuple[str, ...]
    estate: str


class Occurrence(Struct, frozen=True, kw_only=True):
    """One occurrence of a maintenance window, in UTC, with the zone people read it in."""

    window: str
    opens: datetime
    closes: datetime
    timezone: str

    @property
    def seconds(self) -> int:
        """Return the length of the occurrence."""
        return int((self.closes - self.opens).total_seconds())


class Refusal(Struct, frozen=True, kw_only=True):
    """Why one upgrade is not part of a planned VM's campaign."""

    playbook: str
    reason: str
    detail: str


_POLICY = "microsoft.security/locations/jitnetworkaccesspolicies"
_SHARED = ("microsoft.network/networksecuritygroups", _POLICY)
"""Types of what several VMs share and a run changes, in lower case."""


class PlannedVm(Struct, frozen=True, kw_only=True):
    """One VM in a batch: what will be done to it, when, for how long, and how it is taken back."""

    id: ResourceId
    name: str
    application: str
    owner: str
    environment: Environment
    actions: tuple[str, ...]
    """Playbook ids, in order."""
    refusals: tuple[Refusal, ...]
    choice: Choice
    fingerprint: str
    preparation: tuple[PlannedStep, ...]
    outage: Outage | None
    undo: Undo
    occurrence: Occurrence
    reason: str
    """One sentence: why it stands where it stands."""
    wave: int = 0
    batch: int = 0
    start: datetime | None = None
    """When its batch is planned to begin, in UTC."""
    criticality: Criticality = Criticality.MEDIUM
    windows: tuple[str, ...] = ()
    """Names of its application's maintenance windows."""
    region: str = ""
    os: str = ""
    zone: str | UnsetType = UNSET
    """The zone it stands in; left out for one that is in none, so that older plans keep their digests."""
    size: str = ""
    vcpus: int = 0
    """0 where the size's capabilities were not read."""
    stratum: str = ""
    """What a pilot has to prove for it: OS version, generation and actions."""
    group: str = ""
    """Its move group, named for its first VM; empty where it stands alone."""
    consent: tuple[str, ...] = ()
    """What somebody has to agree to before it goes."""
    snapshot_count: int = 0
    snapshot_gb: int = 0
    snapshot_cost: float = 0.0
    """For the life of its snapshots, in the policy's currency."""
    conflicts: tuple[str, ...] = ()
    """Conflicts of capacity and schedule that are known beforehand."""
    iac: str = ""
    """What the owner of its infrastructure code has to do, if there is any."""
    iac_hint: int = 0
    """Which of the plan's `iac_hints` this code has to follow, from 1; 0 where no sign of code is known."""
    closure: tuple[PlannedStep, ...] = ()
    fallback: tuple[PlannedStep, ...] = ()
    """A weaker setting that is tried before the way back."""
    backup_item: ResourceId | None = None
    """Its protected item of Azure Backup."""

    @property
    def is_shared(self) -> bool:
        """Whether it stands for what several VMs share, which is carried out like a VM's closure."""
        return self.id.type in _SHARED

    @property
    def needs_sign_off(self) -> bool:
        """Whether its owner signs in any environment: something of it is not taken back by configuration.

        Beside the way back of the outage that is every step that leads nowhere back by itself, such as a move
        of the backup in its preparation.
        """
        last = self.outage.steps if self.outage else ()
        steps = (*self.preparation, *last, *self.fallback, *self.closure)
        leads_back = all(planned.step.undo is not Undo.NONE for planned in steps)
        return self.undo in (Undo.REBUILD, Undo.NONE) or not leads_back

    @property
    def lead_seconds(self) -> int:
        """Return what its checks and proofs take beside the work; preparation is done days before."""
        return LOOK_SECONDS

    @property
    def planned_seconds(self) -> int:
        """Return how long its batch has to wait for it if all goes well."""
        return self.lead_seconds + (self.outage.downtime_seconds if self.outage else 0)

    @property
    def reserved_seconds(self) -> int:
        """Return what has to fit into its window: looks, preparation, work, proof and the way back."""
        return self.lead_seconds + (self.outage.reserved_seconds if self.outage else 0)


class Batch(Struct, frozen=True, kw_only=True):
    """VMs of one wave that may be off at the same time."""

    number: int
    vms: tuple[PlannedVm, ...]
    start: datetime | None = None
    """When it is planned to begin, in UTC."""

    @property
    def reserved_seconds(self) -> int:
        """Return the longest reservation among its VMs, which run side by side."""
        return max((vm.reserved_seconds for vm in self.vms), default=0)

    @property
    def planned_seconds(self) -> int:
        """Return how long it takes if all goes well."""
        return max((vm.planned_seconds for vm in self.vms), default=0)


class Manner(StrEnum):
    """How an application goes through a wave."""

    COLD = "cold"
    """One outage of the whole application, providers first."""
    ROLLING = "rolling"
    """Batch by batch, with proof between, while redundant peers go on working."""


class AppWindow(Struct, frozen=True, kw_only=True):
    """One application's own occurrence of a maintenance window in a wave."""

    application: str
    owner: str
    window: str
    start: datetime
    end: datetime
    zone: str
    mode: Manner


class Wave(Struct, frozen=True, kw_only=True):
    """VMs approved and executed together, in batches."""

    number: int
    name: str
    batches: tuple[Batch, ...]
    ring: str = ""
    windows: tuple[AppWindow, ...] = ()
    work_minutes: int = 0
    """Work and proof, added up over its VMs."""
    makespan_minutes: int = 0
    """How long its batches take one after another if all goes well."""
    reserve_minutes: int = 0
    """Kept free for the longest automatic way back."""
    reasons: tuple[str, ...] = ()
    committed: bool = False
    """Taken over from an earlier plan as it was approved there."""

    @property
    def vms(self) -> tuple[PlannedVm, ...]:
        """Every VM of the wave in batch order."""
        return tuple(vm for batch in self.batches for vm in batch.vms)


class LeftOut(Struct, frozen=True, kw_only=True, rename={"unblocked_by": "who_unblocks"}):
    """One VM that is in no wave, why, and who can change that."""

    id: ResourceId
    name: str
    application: str | None
    reason: str
    detail: str
    unblocked_by: str


class PlanException(Struct, frozen=True, kw_only=True):
    """One exception of the context as it stood when the plan was made, expired ones included."""

    id: str
    covers: str
    """The dimension, rule or control that it names."""
    owner: str
    approved_by: str
    reason: str
    expires: date
    compensating_control: str
    vms: tuple[ResourceId, ...]
    """The VMs it names."""


class Strictness(StrEnum):
    """How an order binds."""

    NEXT_WAVE = "next-wave"
    """The consumer goes in a later wave."""
    SAME_WAVE = "same-wave"
    """The consumer goes in no earlier wave; within one, its batch is later."""
    NONE = "none"
    """A preference."""


class OrderEdge(Struct, frozen=True, kw_only=True):
    """`before` is the provider and goes first."""

    before: ResourceId
    after: ResourceId
    hard: bool
    evidence: str
    strict: Strictness = Strictness.NONE
    confidence: float = 1.0


class TogetherGroup(Struct, frozen=True, kw_only=True):
    """VMs that go in one wave."""

    members: tuple[ResourceId, ...]
    evidence: str
    confidence: float = 1.0


class ApartGroup(Struct, frozen=True, kw_only=True):
    """VMs of which only `max_unavailable` may be off at a time."""

    members: tuple[ResourceId, ...]
    max_unavailable: int
    evidence: str
    confidence: float = 1.0
    separate_waves: bool = False
    """At most `max_unavailable` of them in one wave, not only in one batch."""
    zones: dict[str, str] = {}
    """Zone by lower-cased id where members stand in several: those of two zones are never off together."""


class Hub(Struct, frozen=True, kw_only=True):
    """A VM that a great many others are connected with."""

    id: ResourceId
    name: str
    degree: int
    cut: bool
    """Its soft dependencies form no groups and bind nothing."""
    reason: str


class PlanAction(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Work before or after the outage that is an action of its own; a shared object's stands here once."""

    key: str
    kind: str
    title: str
    target: ResourceId
    """What is acted on."""
    shared: bool
    """Whether others hang on the target, so that it needs an approval of its own."""
    vms: tuple[ResourceId, ...]
    """The planned VMs it is for."""
    waves: tuple[int, ...]
    owner: str
    due: date | None
    """Preparation: the last day for it. Closure: the first."""
    automatic: bool
    """Whether a command does it; otherwise a person does."""
    actions: tuple[str, ...] = ()
    """Ids of the playbooks that its steps are from, and that take them back."""
    steps: tuple[PlannedStep, ...] = ()
    """What `readiness tighten` does to a shared security group or just-in-time policy."""
    others: tuple[ResourceId, ...] = ()
    """VMs that the plan does not close, and that lose something by it all the same."""
    consent: tuple[str, ...] = ()
    """What somebody has to agree to before it is done."""

    @property
    def name(self) -> str:
        """What people call the thing: a just-in-time policy with its group, since most are called default."""
        target = self.target
        return f"{target.resource_group}/{target.name}" if target.type == _POLICY else target.name


class Bound(Struct, frozen=True, kw_only=True):
    """Why there cannot be fewer waves, each part added up over pilots and rings."""

    capacity: int = 0
    critical_path: int = 0
    conflicts: int = 0
