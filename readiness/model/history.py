"""What is remembered of an assessment, what changed between two, and what a run left: frozen values.

A record holds what was concluded and why, in stable codes. It holds no evidence and no settings: those stay
in the assessment. Records that are equal have equal digests, so that a store keeps each of them once.
"""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from enum import StrEnum

from msgspec import Struct

from readiness.model.assessment import (
    Assessment,
    Classification,
    ControlCount,
    Coverage,
    ExceptionStanding,
    OpenControl,
    Standing,
    SubscriptionAssessment,
    VmAssessment,
)
from readiness.model.codec import encode
from readiness.model.ids import ResourceId
from readiness.model.levels import Level, LevelReached
from readiness.model.lifecycle import Stage
from readiness.model.verdict import Dimension, Status

SCORE_WEIGHT = {Level.BASIC: 3, Level.ADVANCED: 2, Level.FULL: 1}
"""What an open mandatory control of a level counts in the posture score: the lower the level, the more."""
FULL_SCORE = 10_000
"""A posture score is kept in hundredths of a percent: whole numbers add up alike in every order."""


class Reason(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One rule that did not simply hold, by its stable codes."""

    rule: str
    title: str
    status: str
    reason: str
    exception: str | None = None


class DimensionRecord(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A VM's classification in one dimension, and why."""

    classification: Classification
    reasons: tuple[Reason, ...] = ()


class VmRecord(Struct, frozen=True, kw_only=True):
    """What is remembered of one VM."""

    id: ResourceId
    name: str
    subscription: str
    resource_group: str
    location: str
    application: str | None
    owner: str | None
    excluded: str | None = None
    level: LevelReached | None = None
    """None for a VM that is excluded."""
    score: int | None = None
    """Posture score in hundredths of a percent; None for a VM that is excluded."""
    dimensions: dict[Dimension, DimensionRecord] = {}
    controls: tuple[OpenControl, ...] = ()
    """Controls that are not met, cannot be had, or do not apply; all others of the catalogue are met."""


class Unread(Struct, frozen=True):
    """A VM that was found and could not be read: it is not gone."""

    vm: str
    reason: str


class SnapshotHead(Struct, frozen=True, kw_only=True):
    """What is remembered of an assessment beside its VMs."""

    estate: str
    """The name its history goes by."""
    cloud: str
    tenant: str
    origin: str
    as_of: date
    coverage: tuple[Coverage, ...] = ()
    controls: tuple[ControlCount, ...] = ()
    subscriptions: tuple[SubscriptionAssessment, ...] = ()
    exceptions: tuple[ExceptionStanding, ...] = ()
    level: LevelReached | None = None
    unread: tuple[Unread, ...] = ()
    tells_unasked: bool = False
    """Whether controls that do not apply are listed. Where they are not, what is not listed may be one."""


class SnapshotInfo(Struct, frozen=True, kw_only=True):
    """One snapshot as it is listed."""

    number: int
    """Its number in this store; the digest is the same in every store."""
    digest: str
    estate: str
    as_of: date
    recorded_at: datetime
    release: str
    vms: int
    """VMs that were found and read, the excluded ones included."""
    unread: int

    @property
    def label(self) -> str:
        """Return the part of the digest that people type."""
        return self.digest[:12]


class VmRun(Struct, frozen=True, kw_only=True):
    """How one VM came out of a run."""

    vm: ResourceId
    name: str
    outcome: str
    """How it counts: `done`, `rolled_back`, `failed`, `stranded`, `blocked`, `skipped` or `remaining`."""
    succeeded: bool
    reason: str = ""
    actions: tuple[str, ...] = ()
    """Playbooks whose work came to its end in this stage; none where it did not succeed."""
    downtime_seconds: int | None = None
    decides: bool = True
    """Whether this stage upgrades it: its outage or, where it needs none, the last of its online work."""

    @property
    def is_upgraded(self) -> bool:
        """Whether it stands upgraded, as far as this run knows."""
        return self.decides and self.succeeded


class RunRecord(Struct, frozen=True, kw_only=True):
    """One run of one stage of one wave, as its journal shows it."""

    id: str
    estate: str
    """The name of the plan's estate; the run belongs to every history that knows one of its VMs."""
    plan: str
    wave: int
    wave_name: str
    stage: Stage = Stage.OUTAGE
    place: str
    """Where it ran: a twin or a cloud."""
    is_rehearsal: bool
    """It ran on a twin: nothing in Azure was changed, so it upgrades nobody and sets no pace."""
    approved_by: str
    started_at: datetime
    ended_at: datetime | None
    """None as long as a VM of it has not come to an end."""
    vms: tuple[VmRun, ...]
    hanging: tuple[ResourceId, ...] = ()
    """Where it is for a shared object, which then stands in the place of a VM: the VMs that hang on it."""
    held: str = ""
    """Why nothing more was started, if it was not carried through."""
    snapshots: int = 0
    """Full snapshots that it took and kept."""
    audit_head: str = ""
    """Digest of the last event of its story: tells whether it went on since it was recorded."""

    def count(self, outcome: str) -> int:
        """Return how many VMs count as that."""
        return sum(1 for vm in self.vms if vm.outcome == outcome)


class ChangeKind(StrEnum):
    """What became of something between two snapshots, in the order in which it is told."""

    DRIFT = "drift"
    """Was reached once and is lost again."""
    REGRESSED = "regressed"
    """Was met, or stood closer, and does not any more."""
    NEWLY_APPLIES = "newly applies"
    """Was not asked for before: nobody has lost it, and it may have to be met."""
    NEW = "new"
    FIXED = "fixed"
    NOT_ASKED_ANY_MORE = "no longer applies"
    """Is not asked for any more: nobody has met it."""
    CHANGED = "changed"
    """Stands elsewhere, neither lost nor reached."""
    UNREAD = "not read"
    GONE = "gone"


class Change(Struct, frozen=True, kw_only=True):
    """One thing that is different: of a whole VM, of one of its dimensions, or of one control."""

    kind: ChangeKind
    vm: str
    """Resource id."""
    name: str
    application: str | None
    owner: str | None
    subject: str
    """`vm`, the name of a dimension, or the id of a control."""
    title: str
    before: str
    after: str
    reason: str
    """Why: reason codes with the rule or control they belong to."""
    reached_on: date | None = None
    """For drift: the last snapshot in which it still stood."""


def head_of(assessment: Assessment, name: str) -> SnapshotHead:
    """Return what is remembered of an assessment beside its VMs."""
    return SnapshotHead(
        estate=name,
        cloud=assessment.estate.cloud,
        tenant=assessment.estate.tenant,
        origin=assessment.estate.origin.value,
        as_of=assessment.as_of,
        coverage=assessment.coverage,
        controls=assessment.summary.controls,
        subscriptions=assessment.subscriptions,
        exceptions=assessment.exceptions,
        level=assessment.summary.level,
        unread=tuple(Unread(gap.resource, gap.reason) for gap in assessment.gaps if gap.is_vm),
        tells_unasked=True,
    )


def records_of(assessment: Assessment) -> Iterator[VmRecord]:
    """Yield what is remembered of each VM."""
    weights = weights_of(assessment.summary.controls)
    total = sum(weights.values())
    catalogue = {control.id: control for control in assessment.summary.controls}
    for vm in assessment.vms:
        yield _record(vm, weights, total, catalogue)


def weights_of(controls: Iterable[ControlCount]) -> dict[str, int]:
    """Return what each mandatory control of a VM counts in the posture score."""
    return {
        control.id: SCORE_WEIGHT[control.level]
        for control in controls
        if control.mandatory and control.scope == "vm" and control.level in SCORE_WEIGHT
    }


def is_open(control: OpenControl) -> bool:
    """Tell whether a listed control is not met; the others cannot be had here, and hold nobody back."""
    return control.verdict in _OPEN


def digest_of(value: object) -> bytes:
    """Return SHA-256 over a value's canonical JSON."""
    return hashlib.sha256(encode(value)).digest()


def _record(
    vm: VmAssessment, weights: dict[str, int], total: int, catalogue: dict[str, ControlCount]
) -> VmRecord:
    score = None
    if vm.level is not None and total:
        lost = sum(weights.get(control.id, 0) for control in vm.controls if is_open(control))
        score = FULL_SCORE - FULL_SCORE * lost // total
    return VmRecord(
        id=vm.id,
        name=vm.name,
        subscription=vm.subscription,
        resource_group=vm.resource_group,
        location=vm.location,
        application=vm.application,
        owner=vm.owner,
        excluded=vm.excluded,
        level=vm.level,
        score=score,
        dimensions={name: _dimension(standing) for name, standing in vm.dimensions.items()},
        controls=(*vm.controls, *_unasked(vm, catalogue)),
    )


def _unasked(vm: VmAssessment, catalogue: dict[str, ControlCount]) -> Iterator[OpenControl]:
    for control, reason in vm.unasked.items():
        whose = catalogue[control].whose
        yield OpenControl(id=control, verdict=Status.NOT_APPLICABLE, reason=reason, whose=whose)


def _dimension(standing: Standing) -> DimensionRecord:
    return DimensionRecord(
        classification=standing.classification,
        reasons=tuple(
            Reason(
                rule=found.rule,
                title=found.title,
                status=found.status,
                reason=found.reason,
                exception=found.exception,
            )
            for found in standing.reasons
        ),
    )


_OPEN = frozenset({Status.UNMET, Status.UNKNOWN})
