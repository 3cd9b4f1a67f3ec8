"""Use cases: a plan's workbooks out to their owners and back in, and its picture.

An import is looked at before it is accepted: every edit and every problem has its file, sheet and cell, and
nothing is written unless that is asked for and nothing is wrong.
"""

import re
from collections.abc import Sequence
from datetime import datetime, time
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from readiness.app.estates import load, locate
from readiness.app.plan_edit_checks import objections, refusals
from readiness.app.replanning import decided
from readiness.errors import PlanError, UsageError
from readiness.model.decision import Decision
from readiness.model.ids import ResourceId
from readiness.model.plan import Plan, TargetKind, digest_of
from readiness.planner.diff import diff
from readiness.store.artefacts import read_plan, write_plan, write_whole

if TYPE_CHECKING:
    from reports.reimport import CellEdit, Reading, Remark

_UNFIT = re.compile(r"[^\w.-]+")
_LARGEST = 512 * 1024 * 1024


class Told(Struct, frozen=True, kw_only=True):
    """One line of a preview: where, what, and why or instead of what."""

    place: str
    what: str
    why: str


class Preview(Struct, frozen=True, kw_only=True):
    """What some workbooks would change, before anything is."""

    plan: Plan
    decisions: tuple[Decision, ...]
    edits: tuple[Told, ...]
    violations: tuple[Told, ...]
    ignored: tuple[Told, ...]
    rows: int
    """VMs that the workbooks speak of."""
    result: Plan | None
    """The plan as it would be; None where something stands against it, or nothing was edited."""


def preview_import(plan_file: Path, workbooks: Sequence[Path], estate: str | None = None) -> Preview:
    """Read what owners wrote into their workbooks, and check it against the plan and against one another.

    Args:
        plan_file: The plan.
        workbooks: Workbooks of it, whole ones or those of single owners.
        estate: Name or folder of the estate that the plan was made from, where it is not the one the plan
            names; read only if VMs are to be placed anew.

    Raises:
        UsageError: A file is no workbook of this plan, or cannot be read.
        PlanError: There is no such plan, or it cannot be made again from that estate.
    """
    from reports.reimport import read_edits

    plan = read_plan(plan_file)
    readings = [read_edits(BytesIO(_read(path)), path.name, plan) for path in workbooks]
    merged, violations = _merged(readings)
    cells = {(edit.vm, edit.column): _place(edit) for one in readings for edit in one.edits}
    kept = {entry.vm: entry for entry in plan.decisions} | merged
    found = objections(plan, kept)
    violations += [_told(remark) for one in readings for remark in one.violations]
    result = None
    if merged and not found and not violations:
        found_in = estate or plan.target.estate
        result = decided(plan, tuple(kept[vm] for vm in sorted(kept)), lambda: load(locate(found_in)))
        found = refusals(result, merged)
    for entry in found:
        place = cells.get((entry.vm, entry.column)) or kept[entry.vm].source
        violations.append(Told(place=place, what=f"{entry.vm.name}: {entry.what}", why=entry.why))
    return Preview(
        plan=plan,
        decisions=tuple(merged[vm] for vm in sorted(merged)),
        edits=tuple(_told_edit(edit) for one in readings for edit in one.edits),
        violations=tuple(violations),
        ignored=tuple(_told(remark) for one in readings for remark in one.ignored),
        rows=len({vm for one in readings for vm in one.seen}),
        result=None if violations else result,
    )


class Accepted(Struct, frozen=True, kw_only=True):
    """The plan that an import made, and where it was written."""

    plan: Plan
    plan_file: Path
    workbook: Path


def accept(preview: Preview, author: str, to: Path) -> Accepted:
    """Write the plan that a preview leads to, with its workbook.

    Raises:
        PlanError: Something in the preview cannot be accepted.
        UsageError: Nothing can be written there.
    """
    from readiness.app.people import NOBODY_NAMED, authors_with
    from reports.parts import Part
    from reports.workbook import write_plan_workbook

    if preview.violations or preview.result is None:
        raise PlanError(
            f"{len(preview.violations)} things stand against this import; nothing was written.",
            remedy="Correct the cells that are named, or leave their workbooks out.",
        )
    unnamed = NOBODY_NAMED if preview.plan.target.kind is TargetKind.LIVE else ""
    authors = authors_with(preview.plan.author or unnamed, author)
    unsealed = replace(preview.result, author=authors, previous=preview.plan.digest, digest="")
    plan = replace(unsealed, digest=digest_of(unsealed))
    buffer = BytesIO()
    write_plan_workbook(buffer, Part.whole_of(plan), diff(preview.plan, plan))
    workbook = to / "wave-plan.xlsx"
    write_whole(workbook, buffer.getvalue())
    return Accepted(plan=plan, plan_file=write_plan(to, plan), workbook=workbook)


def split_plan(plan_file: Path, to: Path) -> list[tuple[str, Path, int]]:
    """Write one workbook per owner; return owner, file and number of VMs of each.

    Raises:
        PlanError: There is no such plan.
        UsageError: Nothing can be written there.
    """
    from reports.parts import by_owner
    from reports.workbook import write_plan_workbook

    written = []
    taken: set[str] = set()
    for part in by_owner(read_plan(plan_file)):
        buffer = BytesIO()
        write_plan_workbook(buffer, part)
        path = to / f"wave-plan-{_file_name(part.owner, taken)}.xlsx"
        write_whole(path, buffer.getvalue())
        written.append((part.owner, path, part.plan.inventory))
    return written


def draw_graph(plan_file: Path, form: str, to: Path | None = None) -> str:
    """Return a plan's dependency graph as svg, html or dot; write it, too, if a file is given.

    Raises:
        PlanError: There is no such plan.
        UsageError: Nothing can be written there.
    """
    from reports.graph import draw

    drawn = draw(read_plan(plan_file), form)
    if to is not None:
        write_whole(to, drawn.encode())
    return drawn


def _merged(readings: "Sequence[Reading]") -> tuple[dict[ResourceId, Decision], list[Told]]:
    """Lay the decisions of several workbooks together; two that write different things are a conflict."""
    from reports.reimport import FIELDS

    merged: dict[ResourceId, Decision] = {}
    written: dict[tuple[ResourceId, str], CellEdit] = {}
    conflicts: list[Told] = []
    for reading in readings:
        for edit in reading.edits:
            new = reading.decisions[edit.vm]
            name = FIELDS[edit.column]
            known = merged.setdefault(edit.vm, new)
            other = written.setdefault((edit.vm, edit.column), edit)
            if getattr(known, name) == getattr(new, name):
                continue
            if other is edit:
                merged[edit.vm] = replace(known, **{name: getattr(new, name)})
            else:
                what = f"{edit.vm.name}: {edit.column} = {_shown(edit.after)}"
                why = f"conflict: {_place(other)} says {_shown(other.after)}"
                conflicts.append(Told(place=_place(edit), what=what, why=why))
    return merged, conflicts


def _told(remark: "Remark") -> Told:
    return Told(place=remark.place, what=remark.what, why=remark.why)


def _told_edit(edit: "CellEdit") -> Told:
    what = f"{edit.vm.name}: {edit.column} = {_shown(edit.after)}"
    return Told(place=_place(edit), what=what, why=f"was {_shown(edit.before)}")


def _place(edit: "CellEdit") -> str:
    return f"{edit.file} {edit.sheet}!{edit.cell}"


def _shown(value: object) -> str:
    if value in (None, ""):
        return "empty"
    text = str(value.date() if isinstance(value, datetime) and value.time() == time() else value)
    return " ".join(text.split())


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > _LARGEST:
            brief = f"{path.name} is larger than {_LARGEST // 1024 // 1024} MiB."
            raise UsageError(brief, remedy="Give the workbook that was written for this plan.")
        return path.read_bytes()
    except OSError as error:
        brief, details = f"{path.name} cannot be read.", error.strerror or str(error)
        raise UsageError(brief, details=details, remedy="Check the file's name and permissions.") from error


def _file_name(owner: str, taken: set[str]) -> str:
    """Return an owner's name as part of a file's, on every system, and never the same twice."""
    plain = _UNFIT.sub("-", owner.strip()).strip("-.").lower()[:60] or "unnamed"
    name = plain
    number = 2
    while name in taken:
        name = f"{plain}-{number}"
        number += 1
    taken.add(name)
    return name
