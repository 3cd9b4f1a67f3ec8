"""What changed of VMs between two snapshots, from their records: pure.

*Drift* stands first: a dimension that a VM has lost and that some earlier snapshot shows satisfied, or
anything that got worse on a VM which a recorded run had upgraded. What only got worse otherwise is
*regressed*; a control that did not apply before has not been lost.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from msgspec import Struct

from readiness.model.assessment import Classification, OpenControl
from readiness.model.history import Change, ChangeKind, DimensionRecord, SnapshotHead, VmRecord, is_open
from readiness.model.verdict import Dimension

_RANK = {
    Classification.SATISFIED: 0,
    Classification.NOT_APPLICABLE: 0,
    Classification.EXCEPTED: 1,
    Classification.READY: 2,
    Classification.READY_WITH_WORK: 3,
    Classification.UNKNOWN: 4,
    Classification.BLOCKED: 4,
}
"""How far a class is from the goal. Not to know is as far as to be blocked: finding out loses nothing."""

_NOT_ASKED = "did not apply"
_ORDER = {kind: position for position, kind in enumerate(ChangeKind)}


class Known(Struct, frozen=True, kw_only=True):
    """What both snapshots and the history before them say beside the VMs."""

    before: SnapshotHead
    after: SnapshotHead
    satisfied_on: Mapping[Dimension, Mapping[str, date]]
    """Per dimension, the VMs the later one shows not satisfied, and when they last were up to the earlier."""
    upgraded: Mapping[str, str]
    """VMs that runs upgraded up to the later one, with the run."""
    comes_with: Mapping[str, Dimension]
    """Controls that apply only to VMs that are satisfied in a dimension."""


def catalogue_changes(before: SnapshotHead, after: SnapshotHead) -> tuple[str, ...]:
    """Return the controls that only one of two snapshots asked for: their coming is nobody's regression."""
    return tuple(sorted({one.id for one in before.controls} ^ {one.id for one in after.controls}))


def changes(pairs: Iterable[tuple[VmRecord | None, VmRecord | None]], known: Known) -> tuple[Change, ...]:
    """Return what is different, drift first; each kind by VM."""
    found = [change for old, new in pairs for change in _of_vm(old, new, known)]
    return tuple(
        sorted(found, key=lambda one: (_ORDER[one.kind], one.name.lower(), one.vm.lower(), one.subject))
    )


def _of_vm(old: VmRecord | None, new: VmRecord | None, known: Known) -> Iterator[Change]:
    if old is None or new is None:
        if new is not None:
            yield _whole(ChangeKind.NEW, new, "", _stands(new), "was not there before")
        elif old is not None:
            yield _left(old, known)
        return
    if old.excluded and new.excluded:
        return
    if new.excluded:
        yield _whole(
            ChangeKind.GONE, new, _stands(old), "excluded", f"not classified any more: {new.excluded}"
        )
    elif old.excluded:
        yield _whole(ChangeKind.NEW, new, "excluded", _stands(new), "is classified now")
    else:
        yield from _of_dimensions(old, new, known)
        yield from _of_controls(old, new, known)


def _left(old: VmRecord, known: Known) -> Change:
    unread = {one.vm.lower(): one.reason for one in known.after.unread}
    if old.id.key in unread:
        return _whole(ChangeKind.UNREAD, old, _stands(old), "unknown", unread[old.id.key])
    covered = {one.subscription.lower() for one in known.after.coverage}
    if old.subscription.lower() not in covered:
        reason = f"its subscription {old.subscription} is not in the later snapshot: nobody looked there"
        return _whole(ChangeKind.UNREAD, old, _stands(old), "unknown", reason)
    return _whole(ChangeKind.GONE, old, _stands(old), "", "was not found any more")


def _of_dimensions(old: VmRecord, new: VmRecord, known: Known) -> Iterator[Change]:
    for dimension in Dimension:
        before, after = old.dimensions.get(dimension), new.dimensions.get(dimension)
        if before is None or after is None or before.classification is after.classification:
            continue
        rank, now = _RANK[before.classification], _RANK[after.classification]
        reached = known.satisfied_on.get(dimension, {}).get(new.id.key)
        if now > rank:
            is_drift = reached is not None or new.id.key in known.upgraded
            kind = ChangeKind.DRIFT if is_drift else ChangeKind.REGRESSED
        elif now == 0 < rank:
            kind = ChangeKind.FIXED
        else:
            kind = ChangeKind.CHANGED
        reason = why(after) if kind is not ChangeKind.FIXED else _was(before)
        yield Change(
            kind=kind,
            vm=new.id.text,
            name=new.name,
            application=new.application,
            owner=new.owner,
            subject=dimension.value,
            title="",
            before=before.classification.value,
            after=after.classification.value,
            reason=_with_run(reason, kind, new, known),
            reached_on=reached if kind is ChangeKind.DRIFT else None,
        )


def _of_controls(old: VmRecord, new: VmRecord, known: Known) -> Iterator[Change]:
    """Yield controls that were lost or met; those that only one catalogue has are left out."""
    titles = {one.id: one.title for one in known.after.controls}
    asked = titles.keys() & {one.id for one in known.before.controls}
    before, after = _opened(old.controls), _opened(new.controls)
    for control in sorted((before.keys() ^ after.keys()) & asked):
        lost = after.get(control)
        if lost is None:
            met = before[control]
            is_asked = control not in {one.id for one in new.controls}
            kind = ChangeKind.FIXED if is_asked else ChangeKind.CHANGED
            was, now, reason = met.verdict.value, "holds" if is_asked else _NOT_ASKED, f"was {met.reason}"
        elif not _could_hold(old, control, known):
            kind, was, now, reason = ChangeKind.CHANGED, _NOT_ASKED, lost.verdict.value, lost.reason
        else:
            kind = ChangeKind.DRIFT if new.id.key in known.upgraded else ChangeKind.REGRESSED
            was, now, reason = "holds", lost.verdict.value, lost.reason
        yield Change(
            kind=kind,
            vm=new.id.text,
            name=new.name,
            application=new.application,
            owner=new.owner,
            subject=control,
            title=titles[control],
            before=was,
            after=now,
            reason=_with_run(reason, kind, new, known),
        )


def _could_hold(old: VmRecord, control: str, known: Known) -> bool:
    """Tell whether a control that is not open applied at all: only those that do can be lost."""
    needed = known.comes_with.get(control)
    standing = old.dimensions.get(needed) if needed else None
    is_there = standing is None or standing.classification is Classification.SATISFIED
    return is_there and control not in {one.id for one in old.controls}


def _opened(controls: tuple[OpenControl, ...]) -> dict[str, OpenControl]:
    return {control.id: control for control in controls if is_open(control)}


def _with_run(reason: str, kind: ChangeKind, vm: VmRecord, known: Known) -> str:
    run = known.upgraded.get(vm.id.key)
    return f"{reason}; upgraded by run {run}" if run and kind is ChangeKind.DRIFT else reason


def why(standing: DimensionRecord) -> str:
    """Return the rules that stand in the way of a dimension, with their reason codes."""
    told = [one for one in standing.reasons if one.status in ("unmet", "unknown")]
    return "; ".join(f"{one.rule} {one.reason} ({one.status})" for one in told)


def _was(standing: DimensionRecord) -> str:
    reasons = why(standing)
    return f"was {reasons}" if reasons else ""


def _stands(vm: VmRecord) -> str:
    if vm.excluded:
        return "excluded"
    return f"Level {vm.level.raw.value}" if vm.level else "classified"


def _whole(kind: ChangeKind, vm: VmRecord, before: str, after: str, reason: str) -> Change:
    return Change(
        kind=kind,
        vm=vm.id.text,
        name=vm.name,
        application=vm.application,
        owner=vm.owner,
        subject="vm",
        title="",
        before=before,
        after=after,
        reason=reason,
    )
