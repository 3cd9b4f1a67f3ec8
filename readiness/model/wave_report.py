"""What became of one wave, over its stages, as frozen values: every form of its report is drawn from these.

A wave has up to three runs, one a stage. Every instant is one that a journal holds, so that the same journals
give the same report. A VM that was tried again has several rounds; all of them are told.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Literal

from msgspec import Struct

from readiness.model.context import Environment
from readiness.model.lifecycle import Stage
from readiness.model.plan import DIGEST_LENGTH, TargetKind
from readiness.model.run import StepEnd
from readiness.model.steps import Undo

FORMAT = "readiness/wave-report/1"


class End(StrEnum):
    """How a VM stands, in a stage of the wave or in the wave as a whole."""

    DONE = "done"
    CLOSURE_DUE = "closure due"
    """Its outage is done, and what comes after the soak is not."""
    REMAINING = "remaining"
    """Not begun, or under way."""
    DECLINED = "not started"
    """It was not what was planned any more, or there was no time left for it."""
    BLOCKED = "blocked"
    """Preparation or a hook failed; it was never taken down."""
    ROLLED_BACK = "rolled back"
    UNDECIDED = "undecided"
    """Changed and started; a person decides whether it is healthy."""
    STRANDED = "stranded"
    """Neither upgraded nor proven restored."""


NEEDS_A_PERSON = (End.STRANDED, End.UNDECIDED, End.ROLLED_BACK, End.BLOCKED, End.DECLINED)
"""Ends that no command goes on from until somebody has looked; the most urgent first."""


class Span(Struct, frozen=True, kw_only=True):
    """A time in which something went on."""

    start: datetime
    end: datetime
    is_open: bool = False
    """Whether it had not ended when the journal last spoke."""


class StepTold(StepEnd, frozen=True, kw_only=True):
    """The same in words for people, too."""

    words: str


class Passage(Struct, frozen=True, kw_only=True):
    """A VM's way through one stage."""

    stage: Stage
    end: End
    phase: str
    reason: str = ""
    rounds: tuple[tuple[StepTold, ...], ...] = ()
    """The steps of every try, the first try first."""
    away: tuple[Span, ...] = ()
    """When it was away, in all rounds: from the intent to deallocate it until it was proven healthy."""

    @property
    def steps(self) -> tuple[StepTold, ...]:
        """Return the steps of all rounds."""
        return tuple(step for steps in self.rounds for step in steps)

    @property
    def span(self) -> Span | None:
        """Return from when to when steps were taken; None where none was."""
        steps = self.steps
        if not steps:
            return None
        last = max(step.ended or step.began for step in steps)
        return Span(start=min(step.began for step in steps), end=last)


class VmTold(Struct, frozen=True, kw_only=True):
    """What became of one VM, and what had been planned for it."""

    id: str
    name: str
    application: str
    owner: str
    environment: Environment
    batch: int
    actions: tuple[str, ...]
    undo: Undo
    end: End
    reason: str = ""
    opens: datetime
    """Its window."""
    closes: datetime
    planned_seconds: int | None = None
    """How long its outage was planned to last if all goes well; None where none was planned."""
    reserved_seconds: int | None = None
    """What its outage could take at most, the way back included."""
    outage_seconds: int | None = None
    """How long it was away; None where it was not."""
    closure_from: datetime | None = None
    """When its soak is over, where a closure is planned and its outage is done."""
    passages: tuple[Passage, ...] = ()
    consents: tuple[str, ...] = ()
    """What its owner had to agree to."""
    exceptions: tuple[str, ...] = ()
    """Exceptions that name it, with their end and who approved them."""
    signed: str = ""
    """The owner's sign-off; empty where there is none on record."""

    @property
    def needs_a_person(self) -> bool:
        """Whether nothing goes on with it until somebody has looked."""
        return self.end in NEEDS_A_PERSON

    def passage(self, stage: Stage) -> Passage | None:
        """Return its way through a stage."""
        return next((one for one in self.passages if one.stage is stage), None)


class StageTold(Struct, frozen=True, kw_only=True):
    """One run of the wave."""

    run: str
    stage: Stage
    place: str
    approved_by: str
    """Who began it by giving the plan's digest."""
    release: str
    started_at: datetime
    told_at: datetime
    """When its journal last spoke."""
    is_unfinished: bool
    held: str | None
    counts: dict[End, int]
    """How many of its VMs stand where."""
    events: int
    audit_head: str
    """Digest of the last event: kept elsewhere, it proves that the story was not changed."""
    broken_at: int | None = None
    """The first event that does not follow from the one before; None where the whole chain holds."""


class WindowTold(Struct, frozen=True, kw_only=True):
    """The maintenance window of an application in the wave."""

    application: str
    owner: str
    window: str
    opens: datetime
    closes: datetime
    zone: str
    vms: int


class SnapshotTold(Struct, frozen=True, kw_only=True):
    """A snapshot that the wave took."""

    id: str
    vm: str
    name: str
    disk: str
    round: int
    taken_at: datetime
    expires: date
    """The day after which it may be deleted."""


class ApprovalTold(Struct, frozen=True, kw_only=True):
    """Somebody's word, and what it was for."""

    who: str
    at: datetime | None
    """The instant; of a sign-off in a workbook only the day is known."""
    day: date | None
    what: str
    subject: str
    object_id: str = ""
    ticket: str = ""
    note: str = ""
    evidence: str = ""
    """What was to be seen: head of an audit chain, or file, sheet and row."""


class LeftToDo(Struct, frozen=True, kw_only=True):
    """One thing that is still to be done."""

    urgency: Literal["now", "next", "later"]
    what: str
    vm: str = ""
    why: str = ""
    not_before: datetime | None = None
    command: str = ""


class WaveReport(Struct, frozen=True, kw_only=True):
    """What became of a wave."""

    format: str = FORMAT
    estate: str
    plan: str
    """Full digest of the plan."""
    plan_as_of: date
    author: str
    """Who edited the plan after it was planned; empty where nobody did."""
    wave: int
    wave_name: str
    target: TargetKind
    """Where the plan may run."""
    durations: Literal["measured", "assumed"]
    """Whether times were measured on Azure, or are those of a twin."""
    release: str
    as_of: datetime
    """When a journal of the wave last spoke."""
    soak_minutes: int
    reserve_minutes: int
    """Kept free at the end of a window for the longest automatic way back."""
    windows: tuple[WindowTold, ...]
    stages: tuple[StageTold, ...]
    vms: tuple[VmTold, ...]
    snapshots: tuple[SnapshotTold, ...]
    approvals: tuple[ApprovalTold, ...]
    left: tuple[LeftToDo, ...]

    @property
    def counts(self) -> dict[End, int]:
        """Return how many VMs stand where: the numbers add up to the VMs of the wave."""
        return {end: sum(1 for vm in self.vms if vm.end is end) for end in End}

    @property
    def approval(self) -> str:
        """Return the part of the plan's digest that people read out."""
        return self.plan[:DIGEST_LENGTH]

    def stage(self, stage: Stage) -> StageTold | None:
        """Return the run of a stage."""
        return next((one for one in self.stages if one.stage is stage), None)

    @property
    def is_unfinished(self) -> bool:
        """Whether a run of the wave has VMs that have not come to an end, or its outage has not begun."""
        return self.stage(Stage.OUTAGE) is None or any(one.is_unfinished for one in self.stages)
