"""Use case: prove that a run's story was not changed after it was told."""

from pathlib import Path

from msgspec import Struct

from readiness.app.run_status import named
from readiness.errors import JournalError, UsageError
from readiness.store.journal import broken_link, read_head
from readiness.store.runs import folder_of, known_runs

_LEAST_HEAD = 12


class Proof(Struct, frozen=True, kw_only=True):
    """What a look at one run's chain of events found."""

    run: str
    events: int = 0
    broken_at: int | None = None
    """Number of the first event that does not follow from the one before; None where all do."""
    head: str = ""
    """Digest of the last event: kept elsewhere, it proves that none was taken away from the end either."""
    unreadable: str = ""
    """Why the journal cannot be read at all."""

    @property
    def holds(self) -> bool:
        """Whether the whole chain holds."""
        return self.broken_at is None and not self.unreadable


class Audit(Struct, frozen=True, kw_only=True):
    """What became of the stories of one run, or of all there are."""

    proofs: tuple[Proof, ...]
    is_head_missing: bool
    """Whether a head was given that no story ends with."""

    @property
    def holds(self) -> bool:
        """Whether nothing was changed, added or taken away."""
        return not self.is_head_missing and all(proof.holds for proof in self.proofs)


def verify(state: Path, run: str | None, head: str | None = None) -> Audit:
    """Verify one run, or all there are.

    Args:
        state: The folder that remembers runs.
        run: One run; None for all.
        head: Where given, one story has to end with it; one that is empty proves nothing, and is refused.

    Raises:
        JournalError: There is no such run.
        UsageError: There are no runs, or too little of a head was given to tell one from another.
    """
    if head is not None and len(head) < _LEAST_HEAD:
        remedy = f"Give at least its first {_LEAST_HEAD} characters."
        raise UsageError(f"{head!r} is too short for a head.", remedy=remedy)
    found = named(state, run)
    proofs = tuple(_proof(state, name) for name in ([found] if run else known_runs(state)))
    is_missing = head is not None and not any(proof.head.startswith(head.lower()) for proof in proofs)
    return Audit(proofs=proofs, is_head_missing=is_missing)


def _proof(state: Path, run: str) -> Proof:
    folder = folder_of(state, run)
    try:
        events, broken = broken_link(folder)
        return Proof(run=run, events=events, broken_at=broken, head=read_head(folder))
    except JournalError as error:
        return Proof(run=run, unreadable=error.details or error.brief)
