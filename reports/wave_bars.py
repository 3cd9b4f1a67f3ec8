"""What of a wave is drawn, in which order and colour: the same on the page and in the workbook.

A kind of work and an outcome are told by a word and a place, too, and never by colour alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from readiness.model.lifecycle import Stage
from readiness.model.wave_report import End, VmTold, WaveReport

PREPARATION, AWAY, BACK, UNPROVEN = "Preparation", "Outage", "Way back", "Away, not proven healthy"
STAYED, SOAK, CLOSURE = "Work without an outage", "Soak", "Closure"
KINDS = {
    PREPARATION: "kind-preparation",
    AWAY: "kind-outage",
    BACK: "kind-back",
    UNPROVEN: "kind-unproven",
    STAYED: "kind-stayed",
    SOAK: "kind-soak",
    CLOSURE: "kind-closure",
}
"""Variables of the page's style; later ones are drawn over earlier ones."""
COLOURS = {
    End.DONE: "end-done",
    End.CLOSURE_DUE: "end-due",
    End.REMAINING: "end-remaining",
    End.DECLINED: "end-declined",
    End.BLOCKED: "end-blocked",
    End.ROLLED_BACK: "end-back",
    End.UNDECIDED: "end-undecided",
    End.STRANDED: "end-stranded",
}
MOST_ROWS = 40
"""VMs that a chart shows; the tables have all of them."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One kind of work on a VM, from when to when."""

    kind: str
    start: datetime
    end: datetime


def bars_of(report: WaveReport, vm: VmTold) -> Iterator[Bar]:
    """Yield what is drawn for a VM."""
    for passage in vm.passages:
        span = passage.span
        if span is None:
            continue
        if passage.stage is Stage.PREPARATION:
            yield Bar(PREPARATION, span.start, span.end)
        elif passage.stage is Stage.CLOSURE:
            yield Bar(CLOSURE, span.start, span.end)
        elif not passage.away:
            yield Bar(STAYED, span.start, span.end)
        for away in passage.away:
            yield Bar(UNPROVEN if away.is_open else AWAY, away.start, away.end)
        undone = [step for step in passage.steps if step.name.startswith("undo.")]
        if undone and passage.stage is Stage.OUTAGE:
            yield Bar(BACK, min(one.began for one in undone), max(one.ended or one.began for one in undone))
    if vm.closure_from is not None:
        yield Bar(SOAK, vm.closure_from - timedelta(minutes=report.soak_minutes), vm.closure_from)


def drawn_first(report: WaveReport) -> list[VmTold]:
    """Return the VMs that a chart over time shows, in the order in which they were away.

    Where there are too many, those that need a person stay before all others.
    """
    kept = sorted(report.vms, key=lambda vm: (not vm.needs_a_person, _first(vm), vm.name))[:MOST_ROWS]
    return sorted(kept, key=lambda vm: (_first(vm), vm.name))


def most_over(report: WaveReport) -> list[VmTold]:
    """Return the VMs whose outage a chart compares with the plan: those furthest beyond it first."""
    known = [vm for vm in report.vms if vm.outage_seconds is not None]
    known.sort(key=lambda vm: ((vm.planned_seconds or 0) - (vm.outage_seconds or 0), vm.name))
    return known[:MOST_ROWS]


def _first(vm: VmTold) -> datetime:
    outage = vm.passage(Stage.OUTAGE)
    span = outage.span if outage else None
    return outage.away[0].start if outage and outage.away else span.start if span else vm.opens
