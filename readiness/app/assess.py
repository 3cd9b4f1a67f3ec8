"""Use case: classify every VM of an estate."""

import csv
import io
from datetime import date
from pathlib import Path

from readiness.app.estates import load
from readiness.app.release import RELEASE
from readiness.model.assessment import Assessment
from readiness.model.codec import encode_pretty
from readiness.model.verdict import Dimension
from readiness.rules.evaluate import evaluate
from readiness.store.artefacts import write_whole


def assess(folder: Path, as_of: date) -> Assessment:
    """Read the estate in a folder and classify every VM of it as of a day."""
    return evaluate(load(folder), as_of=as_of, release=RELEASE)


def as_json(assessment: Assessment) -> str:
    """Return the whole assessment as JSON."""
    return encode_pretty(assessment).decode()


def write(assessment: Assessment, to: Path) -> tuple[Path, ...]:
    """Write `assessment.json` and `assessment.xlsx` into a folder and return their paths."""
    from reports.workbook import assessment_workbook

    document, workbook = to / "assessment.json", to / "assessment.xlsx"
    write_whole(document, encode_pretty(assessment))
    write_whole(workbook, assessment_workbook(assessment))
    return document, workbook


def as_csv(assessment: Assessment) -> str:
    """Return one line for each VM, with a byte order mark so that Excel reads it as UTF-8."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["name", "application", "excluded", *Dimension, "id"])
    for vm in assessment.vms:
        standings = [
            vm.dimensions[entry].classification if entry in vm.dimensions else "" for entry in Dimension
        ]
        row = [vm.name, vm.application or "", vm.excluded or "", *standings, vm.id.text]
        writer.writerow([_harmless(cell) for cell in row])
    return "\ufeff" + out.getvalue()


def _harmless(cell: str) -> str:
    """Keep text that looks like a formula from being one: names and tags come from outside."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
