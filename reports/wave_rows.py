"""The VMs of a wave with their steps as compact JSON: every text once, and numbers in its place.

It stays below a size whatever the wave holds: VMs that have no room are left out, those that need a person
last, and the page says how many.
"""

from readiness.model.lifecycle import Stage
from readiness.model.wave_report import NEEDS_A_PERSON, End, StepTold, VmTold, WaveReport
from reports.page_rows import Numbered, legible, script_json, size_of
from reports.tables.times import minutes

_LONGEST = 400
"""Characters of a step's result and evidence that the page shows."""
_SPARE = 512


def wave_rows(report: WaveReport, room: int) -> tuple[str, int]:
    """Return VMs as JSON that fits into so many bytes, and how many VMs it holds."""
    texts = Numbered()
    base = min((one.started_at for one in report.stages), default=report.as_of).timestamp()
    used, kept, worded = _SPARE, [], 0
    for vm in sorted(report.vms, key=lambda one: one.end not in NEEDS_A_PERSON):
        row = _row(vm, texts, base)
        used += size_of(row) + 1
        if used + texts.bytes > room:
            break
        kept.append(row)
        worded = len(texts.known)
    rows = {
        "base": round(base),
        "ends": [end.value for end in End],
        "stages": [stage.value for stage in Stage],
        "texts": list(texts.known)[:worded],
        "vms": kept,
    }
    return script_json(rows), len(kept)


def _row(vm: VmTold, texts: Numbered, base: float) -> list[object]:
    def number(text: str) -> int:
        return texts.number(legible(text, _LONGEST))

    def step(stage: int, count: int, one: StepTold) -> list[int]:
        began = round(one.began.timestamp() - base)
        took = round((one.ended - one.began).total_seconds()) if one.ended else -1
        words = [number(text) for text in (one.words, one.state.value, one.code, one.detail, one.evidence)]
        return [stage, count, began, took, one.attempt, *words]

    return [
        legible(vm.name),
        number(vm.application),
        number(vm.owner),
        list(End).index(vm.end),
        number(vm.reason),
        None if vm.outage_seconds is None else minutes(vm.outage_seconds),
        None if vm.planned_seconds is None else minutes(vm.planned_seconds),
        number(vm.signed),
        [number(text) for text in vm.consents],
        [number(text) for text in vm.exceptions],
        [
            step(list(Stage).index(passage.stage), count, one)
            for passage in vm.passages
            for count, steps in enumerate(passage.rounds, start=1)
            for one in steps
        ],
    ]
