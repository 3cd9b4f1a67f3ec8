"""What owners decide about a plan's VMs: the answers that come back in a workbook, and what they ask for.

A decision is a wish until the planner has honoured it: it can approve, exclude or postpone a VM and pin it.
"""

from datetime import date
from enum import StrEnum

from msgspec import Struct

from readiness.model.ids import ResourceId


class Answer(StrEnum):
    """What an owner says to the upgrade of a VM."""

    APPROVE = "approve"
    EXCLUDE = "exclude"
    LATER = "later"


class Decision(Struct, frozen=True, kw_only=True):
    """Everything an owner wrote about one VM. What is None or empty was left open."""

    vm: ResourceId
    answer: Answer | None = None
    wave: int | None = None
    """The wave it is to go in."""
    not_before: date | None = None
    goes_with: ResourceId | None = None
    """Another VM whose wave it is to share."""
    approver: str = ""
    decided_on: date | None = None
    ticket: str = ""
    note: str = ""
    source: str = ""
    """File, sheet and row it stands in."""
