"""The life cycle of one VM's campaign: the whole state machine is the table `NEXT`.

    waiting → checking ┬→ preparing ─────────────────────────────────────────→ done
               │       ├→ readying → converting → verifying ┬───────────────→ done
               │       │    │            │                  ├→ undecided ──→ done
               │       │    │            │                  └→ falling-back → done
               │       └→ closing ───────┼────────┬──────────────────────────→ done
               └→ declined  └→ blocked   └────────┴→ undoing → rolled-back | stranded

Preparation, the outage and closure are stages of their own, each in a run of its own. Nothing but this table
decides what follows. Before `converting` nothing was taken from the VM, so a refusal ends there; from then on
there is only forward or back. Before its end, whatever it is, a campaign lets go of the VM (`releasing`).
"""

from enum import StrEnum


class Stage(StrEnum):
    """Which part of the campaign a run carries out."""

    PREPARATION = "preparation"
    """Online, days before the outage."""
    OUTAGE = "outage"
    """Inside the window: one deallocate, one start."""
    CLOSURE = "closure"
    """Online, after the soak."""


class Phase(StrEnum):
    """Where one VM's campaign stands."""

    WAITING = "waiting"
    CHECKING = "checking"
    PREPARING = "preparing"
    READYING = "readying"
    """The team's own commands before the outage."""
    CONVERTING = "converting"
    VERIFYING = "verifying"
    UNDECIDED = "undecided"
    """Changed and started, and its health cannot be told: a person decides."""
    FALLING_BACK = "falling-back"
    """A weaker setting is tried before the way back: Secure Boot off."""
    CLOSING = "closing"
    UNDOING = "undoing"
    RELEASING = "releasing"
    """Letting go of the VM: the team's own commands after it, and the lease."""
    DONE = "done"
    DONE_UNPROVEN_BOOT = "done-unproven-boot"
    """Changed, and left off as it was found: its next boot is not proven."""
    DECLINED = "declined"
    """Not started: it is not what was planned any more, or may not be worked on now."""
    BLOCKED = "blocked"
    """Preparation or a hook failed; the VM was never taken down."""
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
    TO_PREPARE = "to-prepare"
    """Checked, in a run that prepares."""
    TO_CLOSE = "to-close"
    """Checked, in a run that closes."""
    UNCLEAR = "unclear"
    """Neither healthy nor unhealthy."""
    RETRY_WEAKER = "retry-weaker"
    """Unhealthy, and there is a weaker setting to try."""
    RECALLED = "recalled"
    """A person wants it back as it was."""


NEXT: dict[tuple[Phase, Outcome], Phase] = {
    (Phase.WAITING, Outcome.OK): Phase.CHECKING,
    (Phase.CHECKING, Outcome.OK): Phase.READYING,
    (Phase.CHECKING, Outcome.TO_PREPARE): Phase.PREPARING,
    (Phase.CHECKING, Outcome.TO_CLOSE): Phase.CLOSING,
    (Phase.CHECKING, Outcome.REFUSED): Phase.DECLINED,
    (Phase.PREPARING, Outcome.OK): Phase.DONE,
    (Phase.PREPARING, Outcome.FAILED): Phase.BLOCKED,
    (Phase.READYING, Outcome.OK): Phase.CONVERTING,
    (Phase.READYING, Outcome.FAILED): Phase.BLOCKED,
    (Phase.CONVERTING, Outcome.OK): Phase.VERIFYING,
    (Phase.CONVERTING, Outcome.FAILED): Phase.UNDOING,
    (Phase.VERIFYING, Outcome.OK): Phase.DONE,
    (Phase.VERIFYING, Outcome.OFF): Phase.DONE_UNPROVEN_BOOT,
    (Phase.VERIFYING, Outcome.UNCLEAR): Phase.UNDECIDED,
    (Phase.VERIFYING, Outcome.RETRY_WEAKER): Phase.FALLING_BACK,
    (Phase.VERIFYING, Outcome.FAILED): Phase.UNDOING,
    (Phase.UNDECIDED, Outcome.OK): Phase.DONE,
    (Phase.UNDECIDED, Outcome.FAILED): Phase.UNDOING,
    (Phase.FALLING_BACK, Outcome.OK): Phase.DONE,
    (Phase.FALLING_BACK, Outcome.FAILED): Phase.UNDOING,
    (Phase.CLOSING, Outcome.OK): Phase.DONE,
    (Phase.CLOSING, Outcome.FAILED): Phase.UNDOING,
    (Phase.UNDOING, Outcome.OK): Phase.ROLLED_BACK,
    (Phase.UNDOING, Outcome.FAILED): Phase.STRANDED,
    (Phase.DONE, Outcome.RECALLED): Phase.UNDOING,
    (Phase.DONE_UNPROVEN_BOOT, Outcome.RECALLED): Phase.UNDOING,
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
UNAVAILABLE = frozenset(
    {
        Phase.CONVERTING,
        Phase.VERIFYING,
        Phase.FALLING_BACK,
        Phase.UNDECIDED,
        Phase.UNDOING,
        Phase.STRANDED,
    }
)
"""Phases in which a VM does not count as serving: under way, or failed and not restored."""
