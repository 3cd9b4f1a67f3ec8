"""What changed of VMs between two snapshots, from their records: pure.

*Drift* stands first: a dimension that a VM has lost and that some earlier snapshot shows satisfied, or
anything that got worse on a VM which a recorded run had upgraded. What only got worse otherwise is
*regressed*. Both were met, or stood closer, before. What was not asked for before *newly applies*, and what
is not asked for any more *no longer applies*: the one was never lost, and the other never met.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from msgspec import Struct

from readiness.model.assessment import Classification, OpenControl
from readiness.model.history import Change, ChangeKind, DimensionRecord, SnapshotHead, VmRecord, is_open
from readiness.model.verdict import Dimension, Status

_HOLDS = "holds"
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
_NOT_ASKED_ANY_MORE = "does not apply"
_NOT_OPEN = "holds or does not apply"
_UNTOLD = "whether it applied before was not recorded"
_UNTOLD_NOW = "whether it still applied was not recorded"
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
        reached = known.satisfied_on.get(dimension, {}).get(new.id.key)
        is_upgraded = new.id.key in known.upgraded
        kind = _kind(before, after, was_satisfied=reached is not None, is_upgraded=is_upgraded)
        yield _change(
            kind,
            new,
            (dimension.value, ""),
            (before.classification.value, after.classification.value),
            _with_run(_because(kind, before, after), kind, new, known),
            reached if kind is ChangeKind.DRIFT else None,
        )


def _kind(
    before: DimensionRecord, after: DimensionRecord, *, was_satisfied: bool, is_upgraded: bool
) -> ChangeKind:
    """Return what became of a dimension; once satisfied is lost, even if it did not apply meanwhile."""
    rank, now = _RANK[before.classification], _RANK[after.classification]
    if now > rank and was_satisfied:
        return ChangeKind.DRIFT
    if after.classification is Classification.NOT_APPLICABLE:
        return ChangeKind.NOT_ASKED_ANY_MORE
    if before.classification is Classification.NOT_APPLICABLE:
        return ChangeKind.NEWLY_APPLIES
    if now > rank:
        return ChangeKind.DRIFT if is_upgraded else ChangeKind.REGRESSED
    return ChangeKind.FIXED if now == 0 else ChangeKind.CHANGED


def _because(kind: ChangeKind, before: DimensionRecord, after: DimensionRecord) -> str:
    match kind:
        case ChangeKind.FIXED:
            return _was(why(before))
        case ChangeKind.NEWLY_APPLIES:
            return "; ".join(filter(None, (why(after), _was(_why_not_asked(before)))))
        case ChangeKind.NOT_ASKED_ANY_MORE:
            return "; ".join(filter(None, (_why_not_asked(after), _was(why(before)))))
        case _:
            return why(after)


def _of_controls(old: VmRecord, new: VmRecord, known: Known) -> Iterator[Change]:
    """Yield controls that were lost or met, or began or ceased to apply; one catalogue's own are left out."""
    titles = {one.id: one.title for one in known.after.controls}
    asked = titles.keys() & {one.id for one in known.before.controls}
    before, after = _opened(old.controls), _opened(new.controls)
    for control in sorted((before.keys() ^ after.keys()) & asked):
        lost = after.get(control)
        if lost is None:
            kind, was, now, reason = _not_open_any_more(new, before[control], known)
        else:
            kind, was, now, reason = _newly_open(old, new, lost, known)
        yield _change(
            kind, new, (control, titles[control]), (was, now), _with_run(reason, kind, new, known), None
        )


_Told = tuple[ChangeKind, str, str, str]
"""What became of a control, how it stood and stands, and why."""


def _not_open_any_more(new: VmRecord, was: OpenControl, known: Known) -> _Told:
    unasked = _listed(new, was.id)
    if unasked is None and known.after.tells_unasked:
        return ChangeKind.FIXED, was.verdict.value, _HOLDS, _was(was.reason)
    if unasked is None:
        return ChangeKind.FIXED, was.verdict.value, _NOT_OPEN, f"{_was(was.reason)}; {_UNTOLD_NOW}"
    reason = f"{unasked.reason}; {_was(was.reason)}"
    return ChangeKind.NOT_ASKED_ANY_MORE, was.verdict.value, _NOT_ASKED_ANY_MORE, reason


def _newly_open(old: VmRecord, new: VmRecord, lost: OpenControl, known: Known) -> _Told:
    unasked = _listed(old, lost.id)
    if unasked is not None:
        return (
            ChangeKind.NEWLY_APPLIES,
            _NOT_ASKED,
            lost.verdict.value,
            f"{lost.reason}; {_was(unasked.reason)}",
        )
    if not known.before.tells_unasked and not _could_hold(old, lost.id, known):
        return ChangeKind.NEWLY_APPLIES, _NOT_ASKED, lost.verdict.value, lost.reason
    kind = ChangeKind.DRIFT if new.id.key in known.upgraded else ChangeKind.REGRESSED
    reason = lost.reason if known.before.tells_unasked else f"{lost.reason}; {_UNTOLD}"
    return kind, _HOLDS, lost.verdict.value, reason


def _could_hold(old: VmRecord, control: str, known: Known) -> bool:
    """Tell whether a control may have been met in a snapshot that does not list what does not apply."""
    needed = known.comes_with.get(control)
    standing = old.dimensions.get(needed) if needed else None
    is_there = standing is None or standing.classification is Classification.SATISFIED
    return is_there and any(one.id == control and one.met for one in known.before.controls)


def _listed(vm: VmRecord, control: str) -> OpenControl | None:
    return next((one for one in vm.controls if one.id == control), None)


def _opened(controls: tuple[OpenControl, ...]) -> dict[str, OpenControl]:
    return {control.id: control for control in controls if is_open(control)}


def _with_run(reason: str, kind: ChangeKind, vm: VmRecord, known: Known) -> str:
    run = known.upgraded.get(vm.id.key)
    return f"{reason}; upgraded by run {run}" if run and kind is ChangeKind.DRIFT else reason


def why(standing: DimensionRecord) -> str:
    """Return the rules that stand in the way of a dimension, with their reason codes."""
    told = [one for one in standing.reasons if one.status in ("unmet", "unknown")]
    return "; ".join(f"{one.rule} {one.reason} ({one.status})" for one in told)


def _why_not_asked(standing: DimensionRecord) -> str:
    told = [one for one in standing.reasons if one.status == Status.NOT_APPLICABLE]
    return "; ".join(f"{one.rule} {one.reason} ({one.status})" for one in told)


def _was(reasons: str) -> str:
    return f"was {reasons}" if reasons else ""


def _stands(vm: VmRecord) -> str:
    if vm.excluded:
        return "excluded"
    return f"Level {vm.level.raw.value}" if vm.level else "classified"


def _whole(kind: ChangeKind, vm: VmRecord, before: str, after: str, reason: str) -> Change:
    return _change(kind, vm, ("vm", ""), (before, after), reason, None)


def _change(
    kind: ChangeKind,
    vm: VmRecord,
    subject: tuple[str, str],
    stood: tuple[str, str],
    reason: str,
    reached_on: date | None,
) -> Change:
    """Return a change of a VM, of one of its dimensions or controls (by name and title), and how it stood."""
    name, title = subject
    before, after = stood
    return Change(
        kind=kind,
        vm=vm.id.text,
        name=vm.name,
        application=vm.application,
        owner=vm.owner,
        subject=name,
        title=title,
        before=before,
        after=after,
        reason=reason,
        reached_on=reached_on,
    )
