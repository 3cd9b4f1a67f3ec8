"""Use case: what infrastructure code has to say once VMs are upgraded, as planned or as done, and where.

Folders of code are read and never written; a report may be written beside.
"""

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from playbooks.catalog import ALL_PLAYBOOKS
from readiness.app.collector import paused_collector
from readiness.app.contradictions import refuse_contradictions
from readiness.app.estates import load, locate
from readiness.app.release import RELEASE
from readiness.app.shared_actions import shared_wave, tightenings
from readiness.errors import UsageError
from readiness.model.codec import encode_pretty
from readiness.model.iac import IacReport, Patch, Remark, Setting, code_of
from readiness.model.plan import Plan
from readiness.model.policy import Policy
from readiness.planner.build import Request, build_plan
from readiness.rules.evaluate import evaluate
from readiness.store.artefacts import read_plan, write_whole
from readiness.store.runs import known_runs

FILES = {"text": "iac.txt", "md": "iac.md", "json": "iac.json"}
"""What a form of the report is called on disk."""


DIFFS = {".tf": "terraform.diff", ".tf.json": "terraform.diff", ".bicep": "bicep.diff", ".json": "arm.diff"}
"""What the diffs of a kind of file are called: apart, because their paths are those from its own folder.

The first end of a file's name that fits counts."""


class Folders(Struct, frozen=True, kw_only=True):
    """Folders of code to find VMs in."""

    terraform: Path | None = None
    bicep: Path | None = None
    arm: Path | None = None


@paused_collector()
def iac_report(
    source: str, as_of: date, folders: Folders | None = None, *, state: Path | None = None
) -> IacReport:
    """Return the hints for the VMs of a plan, of the plan that an estate gives on a day, or of a run.

    Args:
        source: A plan's file or the folder it was written to, the name of a run, an estate's folder, or a
            sample estate's name.
        as_of: The day of the plan, where the source is an estate.
        folders: Folders of code to find the VMs in.
        state: The folder that remembers runs.

    Raises:
        UsageError: A folder of code is none.
        EstateError: There is no such estate.
        PlanError: There is no such plan.
        JournalError: There is no such run, or its journal cannot be read.
    """
    if state is not None and _is_run(source, state):
        from readiness.app.iac_runs import code_after_run

        plan, vms, not_done = code_after_run(state, source)
        report = IacReport(plan=plan.approval, run=source, vms=vms, not_done=not_done)
    else:
        plan = _plan(source, as_of)
        shared = (unit for action in tightenings(plan) for unit in shared_wave(action).vms)
        vms = tuple(found for vm in (*plan.vms, *shared) if (found := code_of(vm)).settings or found.unknown)
        report = IacReport(plan=plan.approval, vms=vms)
    settings = [setting for vm in vms for setting in vm.settings]
    for patches, remarks in _found(folders or Folders(), settings):
        report = replace(report, patches=(*report.patches, *patches), remarks=(*report.remarks, *remarks))
    return report


def _found(folders: Folders, settings: list[Setting]) -> Iterator[tuple[list[Patch], list[Remark]]]:
    """Yield what is found in each folder of code."""
    if folders.terraform is not None:
        from readiness.store.terraform_files import read_terraform

        yield read_terraform(folders.terraform, settings)
    if folders.bicep is not None:
        from readiness.store.bicep_files import read_bicep

        yield read_bicep(folders.bicep, settings)
    if folders.arm is not None:
        from readiness.store.arm_files import read_arm

        yield read_arm(folders.arm, settings)


def shown(report: IacReport, form: str) -> str:
    """Return the report as `text`, `md` or `json`."""
    if form == "json":
        return encode_pretty(report).decode()
    from reports.iac import as_markdown, as_text

    return as_markdown(report) if form == "md" else as_text(report)


def write_report(report: IacReport, to: Path, folders: Folders) -> list[Path]:
    """Write the report in every form, and its diffs as files that `git apply` takes; return the files.

    Raises:
        UsageError: Nothing can be written there, or it is a folder of the code.
    """
    for folder in (folders.terraform, folders.bicep, folders.arm):
        if folder is not None and to.resolve().is_relative_to(folder.resolve()):
            remedy = "Give a folder outside the code: nothing is written into it."
            raise UsageError(f"{to} is within the code.", remedy=remedy)
    written = []
    for form, name in FILES.items():
        write_whole(to / name, shown(report, form).encode())
        written.append(to / name)
    diffs: dict[str, list[str]] = {}
    for patch in report.patches:
        name = next(name for end, name in DIFFS.items() if patch.file.endswith(end))
        diffs.setdefault(name, []).append(patch.diff)
    for name in (name for name in dict.fromkeys(DIFFS.values()) if name in diffs):
        write_whole(to / name, "".join(diffs[name]).encode())
        written.append(to / name)
    return written


def _is_run(source: str, state: Path) -> bool:
    """Tell whether a source is the name of a run; what looks like one and is none has to be told as such."""
    if Path(source).exists():
        return False
    return source in known_runs(state) or _RUN.fullmatch(source) is not None


_RUN = re.compile(r"[0-9a-f]{12}-(wave-\d+(-prepare|-close)?|shared-[0-9a-f]{8})")


def _plan(source: str, as_of: date) -> Plan:
    path = Path(source)
    if path.is_file() or (path / "plan.json").is_file():
        return read_plan(path)
    folder = locate(source)
    estate = load(folder)
    refuse_contradictions(folder, estate)
    assessment = evaluate(estate, as_of=as_of, release=RELEASE)
    request = Request(estate=estate, assessment=assessment, playbooks=ALL_PLAYBOOKS, policy=Policy())
    return build_plan(request)
