"""The life cycle of one VM's campaign: the whole state machine is the table `NEXT`.

    waiting → checking → preparing → converting → verifying → done
                 │           │            │            │
                 └─ declined ┴─ blocked   └─ undoing ──┴→ rolled-back | stranded

Nothing but this table decides what follows. Before `converting` nothing was taken from the VM, so a
refusal ends there; from `converting` on there is only forward or back.
"""

from enum import StrEnum


class Phase(StrEnum):
    """Where one VM's campaign stands."""

    WAITING = "waiting"
    CHECKING = "checking"
    PREPARING = "preparing"
    CONVERTING = "converting"
    VERIFYING = "verifying"
    UNDOING = "undoing"
    DONE = "done"
    DONE_UNPROVEN_BOOT = "done-unproven-boot"
    """Changed, and left off as it was found: its next boot is not proven."""
    DECLINED = "declined"
    """Not started: it is not what was planned any more, or may not be worked on now."""
    BLOCKED = "blocked"
    """Preparation failed; the VM was never taken down."""
    ROLLED_BACK = "rolled-back"
    STRANDED = "stranded"
    """Neither upgraded nor proven restored: a person is needed now."""


class Outcome(StrEnum):
    """How a phase ended."""

    OK = "ok"
    OFF = "off"
    """Went well on a VM that was found off, and stays off."""
    REFUSED = "refused"
    FAILED = "failed"


NEXT: dict[tuple[Phase, Outcome], Phase] = {
    (Phase.WAITING, Outcome.OK): Phase.CHECKING,
    (Phase.CHECKING, Outcome.OK): Phase.PREPARING,
    (Phase.CHECKING, Outcome.REFUSED): Phase.DECLINED,
    (Phase.PREPARING, Outcome.OK): Phase.CONVERTING,
    (Phase.PREPARING, Outcome.FAILED): Phase.BLOCKED,
    (Phase.CONVERTING, Outcome.OK): Phase.VERIFYING,
    (Phase.CONVERTING, Outcome.FAILED): Phase.UNDOING,
    (Phase.VERIFYING, Outcome.OK): Phase.DONE,
    (Phase.VERIFYING, Outcome.OFF): Phase.DONE_UNPROVEN_BOOT,
    (Phase.VERIFYING, Outcome.FAILED): Phase.UNDOING,
    (Phase.UNDOING, Outcome.OK): Phase.ROLLED_BACK,
    (Phase.UNDOING, Outcome.FAILED): Phase.STRANDED,
}

FINAL = frozenset(
    {
        Phase.DONE,
        Phase.DONE_UNPROVEN_BOOT,
        Phase.DECLINED,
        Phase.BLOCKED,
        Phase.ROLLED_BACK,
        Phase.STRANDED,
    }
)
SUCCEEDED = frozenset({Phase.DONE, Phase.DONE_UNPROVEN_BOOT})
