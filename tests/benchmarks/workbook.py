"""Measures a large plan's workbook, out and back in: time, memory, and bare openpyxl with the same cells.

Run: `python -m tests.benchmarks.workbook [VMS]`. Prints; asserts nothing. What comes back is read in a
process of its own, so that its memory is its own.
"""

import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from time import perf_counter, process_time

from msgspec.structs import replace
from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font, NamedStyle

from readiness.app.plan_workbooks import accept, preview_import
from readiness.model.decision import Answer, Decision
from readiness.model.plan import OrderEdge, Plan, digest_of
from readiness.store.artefacts import write_plan
from reports.parts import Part
from reports.workbook import write_plan_workbook
from tests.reports.plans import LEDGER, SHOP, SHOP_TEST, WIKI, plan, planned, vm_id, wave

_WAVE = 1000
_BATCH = 50
_EDGES_PER_VM = 3
_SAMPLE = 2000
"""VMs whose cells bare openpyxl writes: for all of them it takes minutes, in proportion."""
_ANSWERED = 100
"""One VM of so many is answered in the workbook that comes back."""


def large_plan(vms: int) -> Plan:
    """Return a plan of so many VMs, with three dependency edges for each."""
    apps = (WIKI, SHOP_TEST, SHOP, LEDGER)
    waves = []
    for start in range(0, vms, _WAVE):
        numbers = range(start, min(start + _WAVE, vms))
        made = [
            planned(
                f"vm-{number:06}",
                apps[number % len(apps)],
                reason=f"application {number // 7} goes after vm-{number // 2:06}, which it needs",
            )
            for number in numbers
        ]
        batches = [tuple(made[at : at + _BATCH]) for at in range(0, len(made), _BATCH)]
        waves.append(wave(len(waves) + 1, f"Ring {len(waves) + 1}", *batches))
    order = tuple(
        OrderEdge(
            before=vm_id(f"vm-{number // (step + 2):06}"),
            after=vm_id(f"vm-{number:06}"),
            hard=step == 0,
            evidence=f"flow to port {5000 + step} seen on {date(2026, 11, 1 + step)}",
        )
        for number in range(vms)
        for step in range(_EDGES_PER_VM)
    )
    return replace(plan(*waves), order=order)


def write_bare(path: Path) -> tuple[int, float]:
    """Write a workbook's cells again with write-only openpyxl; return how many, and the seconds it took."""
    source = load_workbook(path, read_only=True)
    rows = {sheet.title: list(sheet.iter_rows()) for sheet in source.worksheets}
    target = Workbook(write_only=True)
    for tone in ("head", "body"):
        target.add_named_style(NamedStyle(tone, font=Font(bold=tone == "head")))
    cells = 0
    started = perf_counter()
    for title, lines in rows.items():
        sheet = target.create_sheet(title)
        for number, line in enumerate(lines):
            # One styled cell a column, used again for every row: the cheapest that openpyxl has to offer.
            if number < 2:
                models = [WriteOnlyCell(sheet) for _ in line]
                for model in models:
                    model.style = "body" if number else "head"
            for model, old in zip(models, line, strict=False):
                model.value = old.value
            cells += len(line)
            sheet.append(models[: len(line)])
    target.save(path.with_name("bare.xlsx"))
    return cells, perf_counter() - started


def _write_answers(folder: Path, made: Plan) -> None:
    """Write a plan, and its workbook in which every hundredth VM is approved."""
    write_plan(folder, made)
    answers = tuple(
        Decision(
            vm=vm.id,
            answer=Answer.APPROVE,
            approver="Jo Field",
            decided_on=date(2026, 11, 24),
            ticket="CHG-1",
        )
        for vm in made.vms[::_ANSWERED]
    )
    with (folder / "answers.xlsx").open("wb") as file:
        write_plan_workbook(file, Part.whole_of(replace(made, decisions=answers)))


def take_back(folder: Path) -> None:
    """Import the answers into the plan, and print what looking and accepting take."""
    started, worked = perf_counter(), process_time()
    preview = preview_import(folder / "plan.json", [folder / "answers.xlsx"])
    looked = f"preview {perf_counter() - started:.1f} s (processor {process_time() - worked:.1f} s)"
    peak = _peak()
    started, worked = perf_counter(), process_time()
    accept(preview, "Jo Field", folder / "accepted")
    accepted = f"accepting {perf_counter() - started:.1f} s (processor {process_time() - worked:.1f} s)"
    told = f"{preview.rows} VMs read, {len(preview.edits)} edits, {len(preview.violations)} violations"
    print(f"import: {told}; {looked}, {peak:.0f} MB; {accepted}, {_peak():.0f} MB", flush=True)


def _peak() -> float:
    return getrusage(RUSAGE_SELF).ru_maxrss / 1024


def main(vms: int) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        sample = Path(folder) / "sample.xlsx"
        small = Part.whole_of(large_plan(min(_SAMPLE, vms)))
        with sample.open("wb") as file:
            write_plan_workbook(file, small)
        started = perf_counter()
        with sample.open("wb") as file:
            write_plan_workbook(file, small)
        ours = perf_counter() - started
        whole = Part.whole_of(large_plan(vms))
        before = _peak()
        started = perf_counter()
        path = Path(folder) / "wave-plan.xlsx"
        with path.open("wb") as file:
            write_plan_workbook(file, whole)
        spent = perf_counter() - started
        print(f"{vms} VMs, {len(whole.plan.order)} edges: {spent:.1f} s, {path.stat().st_size / 1e6:.1f} MB")
        print(f"peak memory {_peak():.0f} MB, of which the plan {before:.0f} MB")
        _write_answers(Path(folder), replace(whole.plan, digest=digest_of(whole.plan)))
        del whole
        subprocess.run([sys.executable, "-m", "tests.benchmarks.workbook", "import", folder], check=True)
        cells, bare = write_bare(sample)
        print(f"{cells} styled cells: {ours:.2f} s, bare openpyxl {bare:.2f} s, {ours / bare:.2f} times")


if __name__ == "__main__":
    if sys.argv[1:2] == ["import"]:
        take_back(Path(sys.argv[2]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
