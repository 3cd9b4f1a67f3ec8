"""The cloud port: look at a VM, begin a change, ask how it goes.

Implementations raise only errors of the `CloudError` family.
"""

from datetime import date, datetime
from typing import Protocol

from msgspec import Struct

from readiness.model.ids import ResourceId
from readiness.model.observation import Before, Observation
from readiness.model.steps import Change


class StepContext(Struct, frozen=True, kw_only=True):
    """What a change is marked with, so that it can be recognised without the journal."""

    plan: str
    """The digest characters people approve; part of deterministic names."""
    run: str
    instance: str
    """Tells this run from another one of the same plan: a lease of ours is known by it."""
    now: datetime
    """The clock's instant, for whatever has to be compared with it, such as the end of a foreign lease."""
    started: str
    """When the run was begun first; tells its snapshots from those of a run begun anew."""
    expires: date
    before: Before | None
    intended: str = ""
    """When this very step was intended: tells it from an earlier one of the run that does the same."""


class Done(Struct, frozen=True):
    """The change is in place. `detail` says so in words, and whether it already was."""

    detail: str
    evidence: str = ""
    """What proves it, such as the output of a script."""


class Pending(Struct, frozen=True):
    """Azure works on it. Ask again in `retry_after` wall-clock seconds.

    Without a token there is nothing to re-attach to: begin again, which looks first.
    """

    token: str | None
    retry_after: float
    detail: str = ""


class Failed(Struct, frozen=True):
    """The change ended without effect, or with part of it."""

    code: str
    detail: str
    is_capacity: bool = False
    """Azure has no room now; the same call may succeed later."""
    evidence: str = ""


Progress = Done | Pending | Failed


class Cloud(Protocol):
    """Azure, or a twin of it."""

    def observe(self, vm: ResourceId) -> Observation:
        """Return the VM and its managed disks as they are now."""

    def begin(self, change: Change, context: StepContext) -> Progress:
        """Look whether the change is in place already, and begin it if not. Safe to call again."""

    def poll(self, change: Change, token: str) -> Progress:
        """Ask how a begun change goes, from any process that has its token."""
