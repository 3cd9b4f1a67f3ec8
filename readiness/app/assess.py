"""Use case: classify every VM of an estate."""

import copy
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from readiness.app.collector import paused_collector
from readiness.app.estates import load
from readiness.app.judging import judge_all
from readiness.app.release import RELEASE
from readiness.app.ticking import Tick, silent
from readiness.errors import UsageError
from readiness.model.assessment import Assessment, VmAssessment
from readiness.model.codec import encode_pretty
from readiness.model.estate import Estate
from readiness.model.ids import ResourceId
from readiness.model.scope import Scope, ScopeReport
from readiness.model.verdict import Dimension
from readiness.rules.evaluate import evaluate
from readiness.store.artefacts import write_whole


@paused_collector()
def assess(folder: Path, as_of: date, tick: Tick = silent) -> Assessment:
    """Read the estate in a folder and classify every VM of it as of a day."""
    return _assessed(load(folder, tick), as_of, tick)


def _assessed(estate: Estate, as_of: date, tick: Tick) -> Assessment:
    return evaluate(estate, as_of=as_of, release=RELEASE, judged=judge_all(estate, as_of, tick=tick))


class Narrowed(Struct, frozen=True, kw_only=True):
    """An assessment of the VMs in a scope, and how many are out of it."""

    assessment: Assessment
    scope: ScopeReport


@paused_collector()
def assess_scope(folder: Path, as_of: date, scope: Scope, tick: Tick = silent) -> Narrowed:
    """Classify the VMs in scope: each as it would be in the whole estate.

    Raises:
        UsageError: No VM of the estate is in scope.
    """
    estate, report = _narrowed(load(folder, tick), scope)
    return Narrowed(assessment=_assessed(estate, as_of, tick), scope=report)


def _narrowed(whole: Estate, scope: Scope) -> tuple[Estate, ScopeReport]:
    """Return the estate with the VMs in scope alone; everything about them still sees all that was found."""
    inside = tuple(vm for vm in whole.vms if scope.hits(vm, whole))
    unread = [gap for gap in whole.gaps if gap.is_vm]
    outside_unread = {gap for gap in unread if not scope.may_hit(gap, whole)}
    count = len(inside) + len(unread) - len(outside_unread)
    if not count:
        known = ", ".join(sorted(entry.name or entry.id for entry in whole.info.subscriptions)[:8])
        raise UsageError(
            f"No VM of the estate is in scope ({', '.join(scope.asked)}).",
            details=f"It has {len(whole.vms)} VMs in these subscriptions: {known}.",
            remedy="Check the spelling; different keys have to hold together, the same key is an or.",
        )
    kept = {vm.id for vm in inside}
    outside = Counter(vm.id.subscription for vm in whole.vms if vm.id not in kept)
    outside.update(ResourceId(gap.resource).subscription for gap in outside_unread)
    # Lookups are made from all VMs before the list is narrowed: neighbours out of scope still count.
    whole.vm(ResourceId(""))
    whole.vms_named("")
    narrowed = copy.copy(whole)
    narrowed.vms = inside
    narrowed.gaps = tuple(replace(gap, is_vm=False) if gap in outside_unread else gap for gap in whole.gaps)
    report = ScopeReport(
        asked=scope.asked,
        in_scope=count,
        out_of_scope=outside.total(),
        subscriptions=dict(sorted(outside.items())),
    )
    return narrowed, report


def as_json(assessment: Assessment, scope: ScopeReport | None = None) -> Iterator[bytes]:
    """Yield the whole assessment as JSON, with the scope it was narrowed to.

    It comes VM by VM: a large estate's is a gigabyte, and nobody needs it in one piece.
    """
    before, after = encode_pretty(replace(assessment, vms=())).split(_NO_VMS, 1)
    yield before
    yield from _listed(assessment.vms) if assessment.vms else [_NO_VMS]
    if scope is None:
        yield after
    else:
        yield after.removesuffix(b"\n}\n")
        yield b',\n  "scope": ' + _indented(scope, b"\n  ") + b"\n}\n"


def _listed(vms: tuple[VmAssessment, ...]) -> Iterator[bytes]:
    yield b'"vms": ['
    for position, vm in enumerate(vms):
        yield (b",\n    " if position else b"\n    ") + _indented(vm, b"\n    ")
    yield b"\n  ]"


def _indented(value: object, line_end: bytes) -> bytes:
    # A line end is never part of a value: JSON escapes it.
    return encode_pretty(value).rstrip().replace(b"\n", line_end)


def write(assessment: Assessment, to: Path, scope: ScopeReport | None = None) -> Path:
    """Write `assessment.json` into a folder and return its path."""
    document = to / "assessment.json"
    write_whole(document, as_json(assessment, scope))
    return document


@paused_collector()
def write_findings(assessment: Assessment, to: Path, scope: ScopeReport | None = None) -> tuple[Path, Path]:
    """Write the findings workbook and the long list of findings into a folder and return their paths."""
    from reports.findings import LIST, WORKBOOK, findings_csv, findings_workbook

    workbook, listed = to / WORKBOOK, to / LIST
    write_whole(workbook, findings_workbook(assessment, scope))
    write_whole(listed, findings_csv(assessment))
    return workbook, listed


def as_csv(assessment: Assessment) -> str:
    """Return one line for each VM, with a byte order mark so that Excel reads it as UTF-8."""
    from reports.comma_separated import csv_bytes

    rows = (
        (
            vm.name,
            vm.application,
            vm.excluded,
            *(
                vm.dimensions[entry].classification.value if entry in vm.dimensions else None
                for entry in Dimension
            ),
            vm.id.text,
        )
        for vm in assessment.vms
    )
    titles = ("name", "application", "excluded", *Dimension, "id")
    return b"".join(csv_bytes(titles, rows)).decode()


_NO_VMS = b'"vms": []'
