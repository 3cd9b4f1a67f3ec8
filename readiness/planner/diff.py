"""What changed between two plans, VM by VM, and why: a pure function of both."""

from collections.abc import Iterable

from msgspec import Struct

from readiness.model.ids import ResourceId
from readiness.model.plan import LeftOut, Plan, PlannedVm


class Change(Struct, frozen=True, kw_only=True):
    """One VM that is not what or where it was."""

    id: ResourceId
    name: str
    kind: str
    """`added` to the waves, `removed` from them, `moved` to another place, or `changed` in what is done."""
    before: str
    after: str
    why: str


def diff(before: Plan, after: Plan) -> tuple[Change, ...]:
    """Return what changed from one plan to the next, ordered by id; VMs that stayed are not told."""
    planned_before = {vm.id: vm for vm in before.vms}
    planned_after = {vm.id: vm for vm in after.vms}
    out_before = {entry.id: entry for entry in before.left_out}
    out_after = {entry.id: entry for entry in after.left_out}
    found: list[Change] = []
    for vm in sorted(planned_before.keys() | planned_after.keys() | out_before.keys() | out_after.keys()):
        old, new = planned_before.get(vm), planned_after.get(vm)
        if old is not None and new is not None:
            found += _between(old, new)
        elif new is not None:
            found.append(
                Change(
                    id=vm,
                    name=new.name,
                    kind="added",
                    before=_absence(out_before.get(vm)),
                    after=_place(new),
                    why=new.reason,
                )
            )
        elif old is not None:
            gone = out_after.get(vm)
            why = gone.detail if gone else "it is not in the estate any more"
            found.append(
                Change(
                    id=vm,
                    name=old.name,
                    kind="removed",
                    before=_place(old),
                    after=_absence(gone),
                    why=why,
                )
            )
    return tuple(found)


def _between(old: PlannedVm, new: PlannedVm) -> Iterable[Change]:
    if (old.wave, old.batch, old.start) != (new.wave, new.batch, new.start):
        yield Change(
            id=new.id, name=new.name, kind="moved", before=_place(old), after=_place(new), why=new.reason
        )
    differences = [
        (word, str(one), str(other))
        for word, one, other in (
            ("actions", ", ".join(old.actions), ", ".join(new.actions)),
            ("undo", old.undo, new.undo),
            ("application", old.application, new.application),
            ("owner", old.owner, new.owner),
            ("minutes with way back", old.reserved_seconds // 60, new.reserved_seconds // 60),
            ("model", old.fingerprint[:12], new.fingerprint[:12]),
        )
        if one != other
    ]
    if differences:
        yield Change(
            id=new.id,
            name=new.name,
            kind="changed",
            before="; ".join(f"{word}: {one}" for word, one, _ in differences),
            after="; ".join(f"{word}: {other}" for word, _, other in differences),
            why="the estate or what was chosen for it has changed",
        )


def _place(vm: PlannedVm) -> str:
    start = f", {vm.start:%Y-%m-%d %H:%M} UTC" if vm.start else ""
    return f"wave {vm.wave}, batch {vm.batch}{start}"


def _absence(entry: LeftOut | None) -> str:
    return f"left out: {entry.reason}" if entry else "not in the estate"
