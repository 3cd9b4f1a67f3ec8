"""Use case: what infrastructure code has to say once the VMs of a plan are upgraded, and where in it.

Folders of code are read and never written; a report may be written beside.
"""

from datetime import date
from pathlib import Path

from msgspec.structs import replace

from playbooks.catalog import ALL_PLAYBOOKS
from readiness.app.collector import paused_collector
from readiness.app.contradictions import refuse_contradictions
from readiness.app.estates import load, locate
from readiness.app.release import RELEASE
from readiness.errors import UsageError
from readiness.model.codec import encode_pretty
from readiness.model.iac import IacReport, code_of
from readiness.model.plan import Plan
from readiness.model.policy import Policy
from readiness.planner.build import Request, build_plan
from readiness.rules.evaluate import evaluate
from readiness.store.artefacts import read_plan, write_whole

FILES = {"text": "iac.txt", "md": "iac.md", "json": "iac.json"}
"""What a form of the report is called on disk."""


@paused_collector()
def iac_report(
    source: str, as_of: date, terraform: Path | None = None, bicep: Path | None = None
) -> IacReport:
    """Return the hints for every VM of a plan, or of the plan that an estate gives on a day.

    Args:
        source: A plan's file or the folder it was written to, an estate's folder, or a sample estate's name.
        as_of: The day of the plan, where the source is an estate.
        terraform: A folder of Terraform code to find the VMs in.
        bicep: A folder of Bicep code to find the VMs in.

    Raises:
        UsageError: A folder of code is none.
        EstateError: There is no such estate.
        PlanError: There is no such plan.
    """
    plan = _plan(source, as_of)
    vms = tuple(found for vm in plan.vms if (found := code_of(vm)).settings or found.unknown)
    settings = [setting for vm in vms for setting in vm.settings]
    report = IacReport(plan=plan.approval, vms=vms)
    if terraform is not None:
        from readiness.store.terraform_files import read_terraform

        patches, remarks = read_terraform(terraform, settings)
        report = replace(report, patches=tuple(patches), remarks=tuple(remarks))
    if bicep is not None:
        from readiness.store.bicep_files import read_bicep

        patches, remarks = read_bicep(bicep, settings)
        report = replace(report, patches=(*report.patches, *patches), remarks=(*report.remarks, *remarks))
    return report


def shown(report: IacReport, form: str) -> str:
    """Return the report as `text`, `md` or `json`."""
    if form == "json":
        return encode_pretty(report).decode()
    from reports.iac import as_markdown, as_text

    return as_markdown(report) if form == "md" else as_text(report)


def write_report(report: IacReport, to: Path, kept_out: tuple[Path | None, ...] = ()) -> list[Path]:
    """Write the report in every form, and its diffs as files that `git apply` takes; return the files.

    Raises:
        UsageError: Nothing can be written there, or it is a folder of the code.
    """
    for folder in kept_out:
        if folder is not None and to.resolve().is_relative_to(folder.resolve()):
            remedy = "Give a folder outside the code: nothing is written into it."
            raise UsageError(f"{to} is within the code.", remedy=remedy)
    written = []
    for form, name in FILES.items():
        write_whole(to / name, shown(report, form).encode())
        written.append(to / name)
    for name, is_bicep in (("terraform.diff", False), ("bicep.diff", True)):
        # Apart, because the paths of each are those from its own folder.
        diffs = [patch.diff for patch in report.patches if patch.file.endswith(".bicep") is is_bicep]
        if diffs:
            write_whole(to / name, "".join(diffs).encode())
            written.append(to / name)
    return written


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
