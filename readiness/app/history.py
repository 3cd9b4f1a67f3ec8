"""Use cases: remember assessments and runs, list what is remembered, and compare two snapshots."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from readiness.app.comparing import Known, catalogue_changes, changes
from readiness.app.runs_as_of import known_on
from readiness.errors import UsageError
from readiness.model.assessment import Assessment
from readiness.model.history import Change, ChangeKind, RunRecord, SnapshotInfo, head_of, records_of
from readiness.model.verdict import Dimension
from readiness.rules.controls.catalog import VM_CONTROLS
from readiness.store import history as store
from readiness.store.history import History

_SHORTEST = 4
"""Characters of a digest that are enough to be one."""
_WORDS = {"first": 0, "previous": -2, "latest": -1}


class Recorded(Struct, frozen=True, kw_only=True):
    """What became of an assessment in the history."""

    snapshot: str
    is_new: bool
    """Whether it was not known before."""


class Listed(Struct, frozen=True, kw_only=True):
    """What a history holds."""

    snapshots: tuple[SnapshotInfo, ...]
    runs: tuple[RunRecord, ...]


class Comparison(Struct, frozen=True, kw_only=True):
    """What is different between two snapshots of one estate."""

    format: str = "readiness/comparison/1"
    before: SnapshotInfo
    after: SnapshotInfo
    counts: dict[ChangeKind, int]
    catalogue: tuple[str, ...]
    """Controls that only one of the two asked for; no change is told of them."""
    changes: tuple[Change, ...]
    """Drift first."""


def record_assessment(state: Path, assessment: Assessment, name: str | None = None) -> Recorded:
    """Keep a snapshot of an assessment in a state folder.

    Args:
        state: The state folder.
        assessment: Of a whole estate: one that was narrowed to a scope would look like VMs that are gone.
        name: The name its history goes by; that of the estate by default.

    Raises:
        JournalError: The history cannot be used; it is as it was before.
    """
    head = head_of(assessment, name or assessment.estate.name)
    digest, is_new = store.record_snapshot(
        state, head, records_of(assessment), release=assessment.release, at=datetime.now(UTC)
    )
    return Recorded(snapshot=digest, is_new=is_new)


def record_run(state: Path, run: RunRecord) -> None:
    """Keep what a run ended with; the same run again is kept as it stands now.

    Raises:
        JournalError: The history cannot be used; it is as it was before.
    """
    store.record_run(state, run)


def list_history(state: Path, estate: str | None = None, at: str | None = None) -> Listed:
    """Return what a state folder remembers of one estate, or of all.

    Args:
        state: The state folder.
        estate: Of which estate.
        at: The snapshot that it ends with, of the only estate there is if none is named: nothing is told that
            came after its day. None: everything.

    Raises:
        HistoryError: There is no history, or it cannot be read.
        UsageError: It knows no such estate or snapshot, or `at` is given where it knows several estates.
    """
    with History.opened(state) as history:
        if at is not None:
            estate = only_estate(history, estate)
            known = history.snapshots(estate)
            until = known[: known.index(choose(known, at)) + 1]
            return Listed(snapshots=until, runs=known_on(history.runs(estate), until[-1].as_of))
        found = Listed(snapshots=history.snapshots(estate), runs=history.runs(estate))
        if estate is not None and not found.snapshots and not found.runs:
            raise _no_such_estate(history, estate)
        return found


def compare(state: Path, before: str, after: str, estate: str | None = None) -> Comparison:
    """Tell what became different from one snapshot to another.

    Args:
        state: The state folder.
        before: A snapshot: the beginning of its digest, its day, or `first`, `previous` or `latest`.
        after: Another one.
        estate: Which estate's, where the history knows several.

    Raises:
        HistoryError: There is no history, or it cannot be read.
        UsageError: No such snapshot, or twice the same.
    """
    with History.opened(state) as history:
        if estate is None:
            estate = _estate_of(history, before, after)
        known = history.snapshots(estate)
        if not known:
            raise _no_such_estate(history, estate)
        old, new = choose(known, before), choose(known, after)
        if old.number == new.number:
            raise UsageError(
                f"'{before}' and '{after}' are the same snapshot, {old.label}.",
                remedy="Name two; 'readiness report history' lists them.",
            )
        catalogue, found = changes_between(history, old, new)
    return Comparison(
        before=old,
        after=new,
        counts={kind: sum(1 for one in found if one.kind is kind) for kind in ChangeKind},
        catalogue=catalogue,
        changes=found,
    )


def changes_between(
    history: History, old: SnapshotInfo, new: SnapshotInfo, upgraded: Mapping[str, str] | None = None
) -> tuple[tuple[str, ...], tuple[Change, ...]]:
    """Return the controls that only one of two snapshots asked for, and what changed of the VMs.

    Args:
        history: The history.
        old: The earlier snapshot, or what is to be taken for it.
        new: The later one.
        upgraded: VMs that runs upgraded, by key, with the run; None: as all runs up to the later one tell.
    """
    history.insist_on_whole(old)
    history.insist_on_whole(new)
    before, after = history.head(old.number), history.head(new.number)
    known = Known(
        before=before,
        after=after,
        satisfied_on={one: history.last_satisfied(one, at=new, until=old) for one in Dimension},
        upgraded=history.upgraded(new.as_of) if upgraded is None else upgraded,
        comes_with=_COMES_WITH,
    )
    return catalogue_changes(before, after), changes(history.differences(old.number, new.number), known)


def choose(snapshots: tuple[SnapshotInfo, ...], word: str) -> SnapshotInfo:
    """Return the snapshot that a word names.

    Raises:
        UsageError: It names none, or several.
    """
    if word in _WORDS:
        position = _WORDS[word]
        if len(snapshots) < abs(position):
            raise UsageError(
                "There is no previous snapshot: the history has one.",
                remedy="Assess again later; every assessment is recorded.",
            )
        return snapshots[position]
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", word):
        found = [one for one in snapshots if one.as_of.isoformat() == word][-1:]
    else:
        is_digest = len(word) >= _SHORTEST
        found = [one for one in snapshots if is_digest and one.digest.startswith(word.lower())]
    if len(found) == 1:
        return found[0]
    several = f"{len(found)} snapshots begin with '{word}'." if found else f"There is no snapshot '{word}'."
    raise UsageError(
        several,
        remedy="Give four or more characters of its digest, its day, or first, previous or latest; "
        "'readiness report history' lists them.",
    )


def only_estate(history: History, estate: str | None) -> str:
    """Return the estate that is asked for, or the only one there is.

    Raises:
        UsageError: It is not known, or there are several and none is named.
    """
    names = sorted({one.estate for one in history.snapshots()})
    if estate is not None:
        if estate not in names:
            raise _no_such_estate(history, estate)
        return estate
    if not names:
        raise UsageError(
            "The history has no snapshot.",
            remedy="Assess an estate, which records it: readiness assess ESTATE",
        )
    if len(names) > 1:
        raise UsageError(
            "The history knows several estates.",
            details=", ".join(names[:_NAMED]),
            remedy="Say which one with --estate.",
        )
    return names[0]


def _estate_of(history: History, *words: str) -> str:
    """Return the estate of snapshots that are named by digest, or the only one there is."""
    every = history.snapshots()
    found = {
        one.estate
        for one in every
        for word in words
        if len(word) >= _SHORTEST and one.digest.startswith(word.lower())
    }
    if len(found) == 1:
        return found.pop()
    if len(found) > 1:
        raise UsageError(
            "The two snapshots are of different estates.",
            details=", ".join(sorted(found)),
            remedy="Name two of one estate.",
        )
    return only_estate(history, None)


def _no_such_estate(history: History, estate: str) -> UsageError:
    runs = {one.estate for one in history.runs()}
    names = sorted(runs | {one.estate for one in history.snapshots()})
    return UsageError(
        f"The history knows no estate '{estate}'.",
        details=f"It knows: {', '.join(names[:_NAMED]) or 'none'}.",
        remedy="Check the spelling; 'readiness report history' lists what is there.",
    )


_COMES_WITH = {one.id: one.comes_with for one in VM_CONTROLS if one.comes_with is not None}
_NAMED = 8
