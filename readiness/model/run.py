"""One execution of one wave: how each step ended, where each VM stands, and what people are told."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from readiness.model.ids import ResourceId
from readiness.model.lifecycle import FINAL, Phase
from readiness.model.observation import Before


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
    """From the intent to deallocate until its health was proven, or until now."""


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
