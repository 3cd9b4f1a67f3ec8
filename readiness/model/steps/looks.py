"""Looks: steps that only read a VM and its disks, and decide whether its campaign may go on."""

from datetime import datetime
from typing import ClassVar

from readiness.model.steps.kinds import LOOK, PowerNeed, StepBase


class LookBase(StepBase, frozen=True, kw_only=True):
    """A look at a VM and its disks."""

    duration: ClassVar[str] = "look"
    actions: ClassVar[tuple[str, ...]] = LOOK


class Recheck(LookBase, frozen=True, kw_only=True, tag="recheck"):
    """Look whether the VM still is what was planned, and may be worked on now."""

    words: ClassVar[str] = "compare with the plan"

    fingerprint: str


class RecordBefore(LookBase, frozen=True, kw_only=True, tag="record-before"):
    """Look at the state that an undo will restore, and keep it."""

    words: ClassVar[str] = "record its state from before"


class ProvePrepared(LookBase, frozen=True, kw_only=True, tag="prove-prepared"):
    """Look whether everything is in place that its preparation was to bring."""

    words: ClassVar[str] = "prove its preparation"


class ProveTime(LookBase, frozen=True, kw_only=True, tag="prove-time"):
    """Look at the clock once more before the VM goes down: checks and hooks may have taken long."""

    words: ClassVar[str] = "prove that the window still holds it"
    actions: ClassVar[tuple[str, ...]] = ()

    until: datetime
    """The latest instant at which the rest of the window holds the change and the way back."""


class ProveHealth(LookBase, frozen=True, kw_only=True, tag="prove-health"):
    """Look until the VM is as healthy as it was before, or `timeout` seconds have passed."""

    words: ClassVar[str] = "prove its health"
    power: ClassVar[PowerNeed] = PowerNeed.RUNNING
    duration: ClassVar[str] = "prove-health"

    timeout: int


class ProveModel(LookBase, frozen=True, kw_only=True, tag="prove-model"):
    """Look whether Azure shows everything that was asked for."""

    words: ClassVar[str] = "prove the change"


class ProveRestored(LookBase, frozen=True, kw_only=True, tag="prove-restored"):
    """Look whether the VM is configured as it was recorded before."""

    words: ClassVar[str] = "prove that it is as before"


class HandOver(LookBase, frozen=True, kw_only=True, tag="hand-over"):
    """End the campaign in a person's hands: the way back is not automatic. Always fails, with `reason`."""

    words: ClassVar[str] = "hand over to a person"

    code: str
    reason: str


Look = (
    Recheck | RecordBefore | ProvePrepared | ProveTime | ProveHealth | ProveModel | ProveRestored | HandOver
)
