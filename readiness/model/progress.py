"""Progress of one estate over its snapshots, as frozen values: every report is drawn from these.

Shares are between 0 and 1, and None where there is nothing to share. *Raw* is what holds; *permitted* also
lets pass what an unexpired exception covers.
"""

from datetime import date

from msgspec import Struct

from readiness.model.assessment import Classification, ControlCount, ExceptionStanding, Whose
from readiness.model.history import Change, RunRecord
from readiness.model.ids import ResourceId
from readiness.model.levels import Level, LevelReached
from readiness.model.verdict import Dimension

FORMULA = (
    "The posture score of a VM is 100 x (1 - weight of its open mandatory controls / weight of all mandatory "
    "controls of a VM). A control weighs 3 on Level 1, 2 on Level 2 and 1 on Level 3. Unknown is open; what "
    "does "
    "not apply, or cannot be had, is not. Exceptions change nothing. A group's score is the mean of its VMs."
)

Counts = tuple[int, int, int, int]
"""One number for each level from 0 to 3."""


class Point(Struct, frozen=True, kw_only=True):
    """One snapshot in the trend: the last that was recorded for its day."""

    snapshot: str
    as_of: date
    release: str
    vms: int
    """VMs that are classified: all shares are of these."""
    excluded: int
    unread: int
    raw: Counts
    """VMs on exactly that level."""
    permitted: Counts
    satisfied: dict[Dimension, int]
    applicable: dict[Dimension, int]
    """VMs to which the dimension applies."""
    score: float | None
    """Mean posture score, 0 to 100."""
    came: int = 0
    """VMs that the snapshot before did not have."""
    went: int = 0
    """VMs that only the snapshot before had."""
    risen: int = 0
    """VMs in both whose raw level is higher now."""
    fallen: int = 0


class Hold(Struct, frozen=True):
    """One control, and how many VMs of a group it holds back from their next level."""

    control: str
    vms: int


class Group(Struct, frozen=True, kw_only=True):
    """Where the VMs of one application, owner or subscription, or of the estate, stand."""

    kind: str
    """`estate`, `subscription`, `application` or `owner`."""
    name: str
    vms: int
    level: LevelReached
    """That of its lowest VM, and for a subscription or the estate also of the subscriptions' own controls."""
    raw: Counts
    permitted: Counts
    score: float | None
    score_before: float | None
    """In the snapshot before the latest; None where it had no VM then."""
    score_first: float | None
    vms_first: int
    """VMs it had in the first snapshot."""
    ours: tuple[Hold, ...]
    """What is missing for the next level and ours to do, most VMs first."""
    others: tuple[Hold, ...]


class Blocker(Struct, frozen=True, kw_only=True):
    """One mandatory control that stands between VMs and their next level."""

    control: str
    title: str
    level: Level
    """The level that is missed."""
    whose: Whose
    scope: str
    """`vm`, or `subscription` for a control of subscriptions: then subscriptions are counted."""
    together: int
    """How many it holds back, alone or with other controls."""
    alone: int
    """How many reach the level as soon as it alone is met."""
    unlocked: int
    """How many reach it once this control and all that stand above it on the same level are met."""
    unknown: int
    """Of those it holds back, how many merely because nobody knows."""
    excepted: int
    """Of those it holds back, how many an exception permits."""
    remedy: str
    frameworks: dict[str, tuple[str, ...]]


class DimensionShare(Struct, frozen=True, kw_only=True):
    """How many VMs stand where in one dimension, and the share that is satisfied over time."""

    dimension: Dimension
    counts: dict[Classification, int]
    share: float | None
    share_before: float | None
    share_first: float | None


class ControlTrend(Struct, frozen=True, kw_only=True):
    """One control of the catalogue now, and the share that met it in the snapshot before."""

    now: ControlCount
    share: float | None
    share_before: float | None


class ExceptionLeft(Struct, frozen=True, kw_only=True):
    """One exception with the days that it has left on the day of the latest snapshot; 0 is its last day."""

    exception: ExceptionStanding
    days_left: int


class Lost(Struct, frozen=True, kw_only=True):
    """Drift: a VM and a dimension that is not satisfied now, and that an earlier snapshot shows satisfied."""

    vm: str
    name: str
    application: str | None
    owner: str | None
    dimension: Dimension
    classification: Classification
    last_satisfied: date
    """The last snapshot that shows it so."""
    upgraded_by: str
    """The recorded run that upgraded it; empty where none did."""
    reason: str


class Forecast(Struct, frozen=True, kw_only=True):
    """When a share becomes whole, as a range; without a range, `note` says why there is none."""

    subject: str
    basis: str
    """`pace` or `plan`."""
    now: float | None
    """The share today."""
    pace: float | None = None
    """Percentage points in 30 days, the middle estimate."""
    pace_low: float | None = None
    pace_high: float | None = None
    earliest: date | None = None
    latest: date | None = None
    """None with an `earliest`: at the slow end of the range it is never reached."""
    method: str = ""
    note: str = ""


class VmLevel(Struct, frozen=True, kw_only=True):
    """One VM: its level, and what it misses for the next one."""

    id: ResourceId
    name: str
    application: str | None
    owner: str | None
    subscription: str
    level: LevelReached
    score: float | None
    ours: tuple[str, ...]
    others: tuple[str, ...]


class Progress(Struct, frozen=True, kw_only=True):
    """Everything that a progress report says."""

    format: str = "readiness/progress/1"
    estate: str
    as_of: date
    """The day of the latest snapshot: days left are counted from it."""
    release: str
    points: tuple[Point, ...]
    """Oldest first."""
    left_out: int = 0
    """Snapshots that a later one of the same day replaced."""
    groups: tuple[Group, ...]
    """The estate first, then subscriptions, applications and owners."""
    dimensions: tuple[DimensionShare, ...]
    blockers: tuple[Blocker, ...]
    """Those of the lowest level first, on each the one that holds most VMs back."""
    controls: tuple[ControlTrend, ...]
    exceptions: tuple[ExceptionLeft, ...]
    """The first to run out first."""
    drift: tuple[Lost, ...]
    forecasts: tuple[Forecast, ...]
    changes: tuple[Change, ...]
    """From the snapshot before to the latest."""
    catalogue: tuple[str, ...] = ()
    """Controls that the snapshot before did not have, or that are gone since; levels moved with them."""
    runs: tuple[RunRecord, ...]
    vms: tuple[VmLevel, ...]
    plan: str = ""
    """Digest of the plan that the forecast rests on."""
    formula: str = FORMULA

    @property
    def latest(self) -> Point:
        """Return the newest point."""
        return self.points[-1]

    def of_kind(self, kind: str) -> tuple[Group, ...]:
        """Return the groups of one kind."""
        return tuple(group for group in self.groups if group.kind == kind)
