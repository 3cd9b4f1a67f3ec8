"""One execution of one wave: how each step ended, where each VM stands, and what people are told."""

from datetime import datetime
from enum import StrEnum
from typing import Self

from msgspec import Struct

from readiness.model.ids import ResourceId
from readiness.model.lifecycle import FINAL, Phase, Stage
from readiness.model.observation import Before

LIVE = "live"
"""The first word of the name of every place that is Azure itself."""


class StepState(StrEnum):
    """How far a step got."""

    INTENT = "intent"
    """About to have its effect; after a crash it is looked at, not repeated."""
    BEGUN = "begun"
    """Azure accepted it and works on it."""
    DONE = "done"
    FAILED = "failed"


class StepResult(Struct, frozen=True, kw_only=True):
    """How a step ended."""

    ok: bool
    code: str = ""
    """Stable reason: an ARM error code, or a word of ours such as `AgentSilent`."""
    detail: str = ""
    before: Before | None = None
    """What `record-before` saw."""
    evidence: str = ""
    """What proves it, such as the output of a script; shortened, and never a secret."""
    no_room: bool = False
    """Whether Azure refused it for want of room: another size may be tried."""
    note: str = ""
    """What has to be known of the VM although it went well, such as that it runs as another size."""


class StepRecord(Struct, frozen=True, kw_only=True):
    """One row of the journal: a step of one VM's campaign."""

    vm: ResourceId
    name: str
    state: StepState
    attempt: int
    intended_at: datetime
    token: str | None = None
    ended_at: datetime | None = None
    result: StepResult | None = None


class StepEnd(Struct, frozen=True, kw_only=True):
    """How one step of a VM went."""

    name: str
    state: StepState
    attempt: int
    began: datetime
    ended: datetime | None
    code: str
    detail: str
    evidence: str

    @classmethod
    def of(cls, record: StepRecord, **more: str) -> Self:
        """Tell a record, with what whoever tells it says beside it."""
        result = record.result or _NOT_ENDED
        return cls(
            name=record.name,
            state=record.state,
            attempt=record.attempt,
            began=record.intended_at,
            ended=record.ended_at,
            code=result.code,
            detail=result.detail,
            evidence=result.evidence,
            **more,
        )


_NOT_ENDED = StepResult(ok=False)


class RunInfo(Struct, frozen=True, kw_only=True):
    """What a run is: which plan and wave, where, approved by whom, by which release."""

    id: str
    plan: str
    """Full digest of the plan."""
    wave: int
    place: str
    """The endpoint it runs on; for a twin also which instance of it."""
    approved_by: str
    release: str
    started_at: datetime
    stage: Stage = Stage.OUTAGE
    instance: str = ""
    """Drawn when the run was begun: tells it from a run of the same plan on another machine."""
    way: tuple[str, ...] = ()
    """The options that led to the place when the run was begun, such as `--twin URL`."""
    action: str = ""
    """Key of the plan's action on a shared object that it carries out; it belongs to no wave then."""

    @property
    def is_live(self) -> bool:
        """Whether it runs on Azure itself."""
        return self.place.startswith(LIVE)


class SignalKind(StrEnum):
    """What people ask of a run, from any process."""

    STOP = "stop"
    """Start nothing more, and end once what has begun has ended."""
    PAUSE = "pause"
    """Start nothing more until `resume`."""
    RESUME = "resume"
    """Go on after a pause."""
    RAISE = "raise-budget"
    """Go on although a budget is used up: one more VM may fail."""
    APPROVE = "approve"
    """Take an undecided VM as healthy."""
    REJECT = "reject"
    """Take an undecided VM back."""
    ROLLBACK = "rollback"
    """Take a VM back that was done."""


class Signal(Struct, frozen=True, kw_only=True):
    """A wish that somebody left for a run."""

    number: int
    at: datetime
    kind: SignalKind
    sent_by: str
    vm: str = ""
    """Name or id of the VM it is for; empty for all."""
    note: str = ""


class UnitState(Struct, frozen=True, kw_only=True):
    """Where one VM stands. Derived from the step records, never stored."""

    vm: ResourceId
    name: str
    batch: int
    phase: Phase
    reason: str
    step: str | None
    """Name of the step that is due or under way."""
    doing: str
    """The same in words; empty where nothing is due."""
    done: int
    total: int
    downtime_seconds: int | None
    """From the intent to deallocate until its health was proven, or until now; all outages added up."""
    application: str = ""
    note: str = ""
    """What somebody has to know of it although it is done, such as that Secure Boot was left off."""
    ended_at: datetime | None = None
    """When its last step ended."""
    since: datetime | None = None
    """When the step that is due was begun, or became due."""
    down_since: datetime | None = None
    """When it was taken down, as long as its health is not proven."""
    runs_as: str = ""
    """At its end: the approved size that it runs as in the place of its own, for which Azure had no room."""
    own_size: str = ""
    """The size that it had when it was planned."""


class RunState(Struct, frozen=True, kw_only=True):
    """Where a run stands."""

    info: RunInfo
    wave_name: str
    units: tuple[UnitState, ...]
    held: str | None = None
    """Why nothing more is started, in words."""

    @property
    def is_unfinished(self) -> bool:
        """Whether any VM has not come to an end."""
        return any(unit.phase not in FINAL for unit in self.units)

    def count(self, *phases: Phase) -> int:
        """Return how many VMs are in one of the phases."""
        return sum(1 for unit in self.units if unit.phase in phases)


class EventKind(StrEnum):
    """What an event tells."""

    RUN = "run"
    PHASE = "phase"
    STEP = "step"
    WAIT = "wait"
    FAILURE = "failure"


class Event(Struct, frozen=True, kw_only=True):
    """One line of a run's story, for people watching."""

    at: datetime
    kind: EventKind
    vm: str
    text: str
    phase: Phase | None = None
