"""The result of assessing an estate: a classification for every VM and dimension, and the coverage proof."""

from datetime import date
from enum import StrEnum

from msgspec import Struct

from readiness.model.estate import EstateInfo, Gap
from readiness.model.ids import ResourceId
from readiness.model.verdict import Dimension, Evidence


class Classification(StrEnum):
    """A VM's standing in one dimension."""

    SATISFIED = "satisfied"
    READY = "ready"
    READY_WITH_WORK = "ready-with-work"
    BLOCKED = "blocked"
    EXCEPTED = "excepted"
    NOT_APPLICABLE = "not-applicable"
    UNKNOWN = "unknown"


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

    def count(self, dimension: Dimension, classification: Classification) -> int:
        """Return how many VMs have that classification in that dimension."""
        return sum(
            1
            for vm in self.vms
            if dimension in vm.dimensions and vm.dimensions[dimension].classification is classification
        )
