"""The result of assessing an estate: a classification for every VM and dimension, and the coverage proof."""

from datetime import date
from enum import StrEnum

from msgspec import Struct

from readiness.model.estate_info import EstateInfo, Gap
from readiness.model.ids import ResourceId
from readiness.model.levels import Level, LevelReached
from readiness.model.verdict import Dimension, Evidence, Status


class Classification(StrEnum):
    """A VM's standing in one dimension."""

    SATISFIED = "satisfied"
    READY = "ready"
    READY_WITH_WORK = "ready-with-work"
    BLOCKED = "blocked"
    EXCEPTED = "excepted"
    NOT_APPLICABLE = "not-applicable"
    UNKNOWN = "unknown"

    __hash__ = str.__hash__  # as in `Dimension`


class Source(Struct, frozen=True):
    """The public document a rule rests on, and when it was last compared with it."""

    title: str
    address: str
    verified: str
    """Year and month, such as `2026-11`."""


class Finding(Struct, frozen=True, kw_only=True):
    """One rule that did not simply hold: why, on what evidence, and what to do."""

    rule: str
    title: str
    status: str
    reason: str
    detail: str
    remedy: str
    source: Source
    evidence: tuple[Evidence, ...] = ()
    exception: str | None = None
    """Id of the unexpired exception that permits it."""


class Standing(Struct, frozen=True, kw_only=True):
    """A VM's classification in one dimension with **all** its reasons, not the first."""

    classification: Classification
    reasons: tuple[Finding, ...] = ()
    work: tuple[str, ...] = ()
    """What is to be done before it is ready, in words."""


class Whose(StrEnum):
    """Who has to do what a control asks for."""

    OURS = "ours"
    OTHER_TEAM = "another team's"


class OpenControl(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One control that is not met: whether it failed, is unknown, cannot be had here, or does not apply."""

    id: str
    verdict: Status
    reason: str
    whose: Whose
    exception: str | None = None
    """Id of the unexpired exception that permits it; left out of JSON where there is none."""


class ControlCount(Struct, frozen=True, kw_only=True):
    """One control of the catalogue, and how many VMs or subscriptions answered it how."""

    id: str
    title: str
    level: Level
    mandatory: bool
    scope: str
    """`vm` or `subscription`."""
    evidence: str
    whose: Whose
    remedy: str
    frameworks: dict[str, tuple[str, ...]] = {}
    """Ids in other catalogues, by their name, where Azure's initiatives map a policy of the control."""
    met: int = 0
    unmet: int = 0
    unknown: int = 0
    not_applicable: int = 0
    excepted: int = 0
    """How many of those that are unmet or unknown an exception permits."""
    not_eligible: int = 0
    """How many of those that do not apply cannot have it, by size or operating system."""


class LevelCount(Struct, frozen=True, kw_only=True):
    """How many VMs stand on a level."""

    level: Level
    name: str
    raw: int = 0
    with_exceptions: int = 0


class Summary(Struct, frozen=True, kw_only=True):
    """An assessment in numbers."""

    vms: int = 0
    excluded: int = 0
    dimensions: dict[Dimension, dict[Classification, int]] = {}
    level: LevelReached | None = None
    """That of the whole estate, which is its lowest subscription's; None without any VM to stand on one."""
    levels: tuple[LevelCount, ...] = ()
    controls: tuple[ControlCount, ...] = ()


class SubscriptionAssessment(Struct, frozen=True, kw_only=True):
    """One subscription: its own controls that are not met, and the level of its lowest part."""

    id: str
    name: str
    level: LevelReached
    controls: tuple[OpenControl, ...] = ()


class ExceptionStanding(Struct, frozen=True, kw_only=True):
    """One exception of the context as it stands on the day of the assessment."""

    id: str
    covers: str
    """The rule, control or dimension it names."""
    owner: str
    reason: str
    approved_by: str
    expires: date
    is_expired: bool
    """Whether it has run out: then it permits nothing."""
    compensating_control: str
    vms: int
    """How many VMs it names."""


class VmAssessment(Struct, frozen=True, kw_only=True):
    """One VM's result in every dimension, or why it is excluded from classification."""

    id: ResourceId
    name: str
    subscription: str
    resource_group: str
    location: str
    application: str | None
    owner: str | None
    excluded: str | None = None
    dimensions: dict[Dimension, Standing] = {}
    level: LevelReached | None = None
    """None for a VM that is excluded."""
    controls: tuple[OpenControl, ...] = ()
    unasked: dict[str, str] = {}
    """Controls that do not apply to it, by id, with the reason; those that it cannot have are `controls`."""


class Coverage(Struct, frozen=True, kw_only=True):
    """discovered = classified + excluded + unknown, for one subscription."""

    subscription: str
    discovered: int
    classified: int
    excluded: int
    unknown: int
    """VMs that were found but could not be read well enough to classify at all."""

    @property
    def adds_up(self) -> bool:
        """Whether no VM was lost on the way."""
        return self.discovered == self.classified + self.excluded + self.unknown


class Assessment(Struct, frozen=True, kw_only=True):
    """Everything an assessment says about one estate."""

    format: str = "readiness/assessment/1"
    as_of: date
    release: str
    estate: EstateInfo
    coverage: tuple[Coverage, ...]
    vms: tuple[VmAssessment, ...]
    gaps: tuple[Gap, ...] = ()
    summary: Summary = Summary()
    subscriptions: tuple[SubscriptionAssessment, ...] = ()
    exceptions: tuple[ExceptionStanding, ...] = ()

    def count(self, dimension: Dimension, classification: Classification) -> int:
        """Return how many VMs have that classification in that dimension."""
        return sum(
            1
            for vm in self.vms
            if dimension in vm.dimensions and vm.dimensions[dimension].classification is classification
        )
