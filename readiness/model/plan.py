"""The plan: frozen, hashed, and complete. Every VM of the estate is in a wave or left out, with a reason."""

import hashlib
from datetime import date, datetime
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from readiness.model.codec import encode
from readiness.model.context import Choice, Environment
from readiness.model.ids import ResourceId
from readiness.model.outage import Outage
from readiness.model.steps import PlannedStep, Undo

DIGEST_LENGTH = 12
"""How many characters of the digest are shown and approved."""


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


class Batch(Struct, frozen=True, kw_only=True):
    """VMs of one wave that may be off at the same time."""

    number: int
    vms: tuple[PlannedVm, ...]

    @property
    def reserved_seconds(self) -> int:
        """Return the longest reservation among its VMs, which run side by side."""
        return max((vm.outage.reserved_seconds for vm in self.vms if vm.outage), default=0)


class Wave(Struct, frozen=True, kw_only=True):
    """VMs approved and executed together, in batches."""

    number: int
    name: str
    batches: tuple[Batch, ...]

    @property
    def vms(self) -> tuple[PlannedVm, ...]:
        """Every VM of the wave in batch order."""
        return tuple(vm for batch in self.batches for vm in batch.vms)


class LeftOut(Struct, frozen=True, kw_only=True):
    """One VM that is in no wave, why, and who can change that."""

    id: ResourceId
    name: str
    application: str | None
    reason: str
    detail: str
    unblocked_by: str


class OrderEdge(Struct, frozen=True, kw_only=True):
    """`before` is the provider and goes first."""

    before: ResourceId
    after: ResourceId
    hard: bool
    evidence: str


class ApartGroup(Struct, frozen=True, kw_only=True):
    """VMs of which only `max_unavailable` may be off at a time."""

    members: tuple[ResourceId, ...]
    max_unavailable: int
    evidence: str


class Plan(Struct, frozen=True, kw_only=True):
    """A proposal for one estate. `digest` is what an approver approves."""

    format: str = "readiness/plan/1"
    digest: str = ""
    release: str
    as_of: date
    target: PlanTarget
    inventory: int
    """Number of VMs in the estate: planned + left out."""
    waves: tuple[Wave, ...]
    left_out: tuple[LeftOut, ...]
    order: tuple[OrderEdge, ...]
    apart: tuple[ApartGroup, ...]
    lower_bound: int
    """No plan within these limits has fewer waves."""

    def wave(self, number: int) -> Wave | None:
        """Return the wave of that number."""
        return next((wave for wave in self.waves if wave.number == number), None)

    @property
    def approval(self) -> str:
        """The part of the digest that people read out and type."""
        return self.digest[:DIGEST_LENGTH]


def digest_of(plan: Plan) -> str:
    """Return SHA-256 over the plan's canonical JSON without its digest, in hexadecimal."""
    return hashlib.sha256(encode(replace(plan, digest=""))).hexdigest()
