"""Use case: report what became of a wave, from the journals of its runs, for people and for files.

Nothing is asked of Azure and no clock is read: a report tells of the instant at which a journal last spoke.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from readiness.app.release import RELEASE
from readiness.app.report_files import FORMATS, Forms, Written, write_forms
from readiness.app.wave_left import left_to_do
from readiness.app.wave_sources import Source, Told, find_source
from readiness.app.wave_vms import WaveVms, end_of
from readiness.model.run import Signal, SignalKind
from readiness.model.wave_report import ApprovalTold, StageTold, WaveReport, WindowTold
from readiness.store.approvals import approvals_of

_ASKED = {
    SignalKind.STOP: "Asked to stop",
    SignalKind.PAUSE: "Asked to pause",
    SignalKind.RESUME: "Asked to go on",
    SignalKind.RAISE: "Let one more VM fail",
    SignalKind.APPROVE: "Said that it is healthy",
    SignalKind.REJECT: "Said that it is not healthy",
    SignalKind.ROLLBACK: "Asked to take it back",
}


def wave_report(source: str, number: int | None, state: Path) -> WaveReport:
    """Return the report of a wave.

    Args:
        source: A run's id, or the path of a plan.
        number: Of the wave; None for the run's, or the only one that has runs.
        state: The folder that remembers runs.

    Raises:
        UsageError: No such run or plan, or no wave that has runs, or several.
        PlanError: The plan cannot be read.
        JournalError: A journal cannot be read.
    """
    found = find_source(source, number, state)
    plan, wave = found.plan, found.wave
    telling = WaveVms(found)
    vms, snapshots = telling.told(), tuple(telling.snapshots())
    is_live = all(told.story.info.is_live for told in found.runs.values())
    return WaveReport(
        estate=plan.target.estate,
        plan=plan.digest,
        plan_as_of=plan.as_of,
        author=plan.author,
        wave=wave.number,
        wave_name=wave.name,
        target=plan.target.kind,
        durations="measured" if is_live else "assumed",
        release=RELEASE,
        as_of=max(told.at for told in found.runs.values()),
        soak_minutes=plan.policy.execution.soak_minutes,
        reserve_minutes=wave.reserve_minutes,
        windows=tuple(_windows(found)),
        stages=tuple(_stage(told) for told in found.runs.values()),
        vms=vms,
        snapshots=snapshots,
        approvals=tuple(_approvals(found)),
        left=left_to_do(found, vms, snapshots),
    )


def write(report: WaveReport, to: Path, formats: Sequence[str] = FORMATS) -> Written:
    """Write the report of a wave into a folder, and return what was done there."""
    from reports.tables.wave import wave_tables

    forms = Forms(
        stem=f"wave-{report.wave}-report",
        title=f"Wave {report.wave} of {report.estate}",
        value=report,
        tables=wave_tables(report),
        workbook=partial(_workbook, report),
        page=partial(_page, report),
    )
    return write_forms(forms, to, formats)


def _workbook(report: WaveReport) -> bytes:
    from reports.wave_workbook import wave_workbook

    return wave_workbook(report)


def _page(report: WaveReport) -> bytes:
    from reports.wave_page import wave_page

    return wave_page(report)


def _windows(source: Source) -> Iterator[WindowTold]:
    counted = Counter((vm.application, vm.occurrence.opens, vm.occurrence.closes) for vm in source.wave.vms)
    for window in source.wave.windows:
        yield WindowTold(
            application=window.application,
            owner=window.owner,
            window=window.window,
            opens=window.start,
            closes=window.end,
            zone=window.zone,
            vms=counted[window.application, window.start, window.end],
        )


def _stage(told: Told) -> StageTold:
    info = told.story.info
    return StageTold(
        run=info.id,
        stage=info.stage,
        place=info.place,
        approved_by=info.approved_by,
        release=info.release,
        started_at=info.started_at,
        told_at=told.at,
        is_unfinished=told.state.is_unfinished,
        held=told.state.held,
        counts=dict(Counter(end_of(unit) for unit in told.state.units)),
        events=len(told.story.events),
        audit_head=told.story.head,
        broken_at=told.story.broken_at,
    )


def _approvals(source: Source) -> Iterator[ApprovalTold]:
    """Yield everybody's word: owners' sign-offs, approvals of the wave, who began its runs, and wishes."""
    plan, wave = source.plan, source.wave
    names = {vm.id: vm.name for vm in wave.vms}
    for decision in plan.decisions:
        if decision.vm in names and decision.answer is not None:
            yield ApprovalTold(
                who=decision.approver,
                at=None,
                day=decision.decided_on,
                what=f"Answered: {decision.answer}",
                subject=names[decision.vm],
                ticket=decision.ticket,
                note=decision.note,
                evidence=decision.source,
            )
    for given in approvals_of(source.state, plan.digest, wave.number):
        yield ApprovalTold(
            who=given.by,
            at=given.at,
            day=None,
            what="Approved the wave",
            subject=f"wave {wave.number}",
            object_id=given.object_id,
            note=given.note,
            evidence=given.evidence,
        )
    for told in source.runs.values():
        info = told.story.info
        yield ApprovalTold(
            who=info.approved_by,
            at=info.started_at,
            day=None,
            what=f"Began the {info.stage} with the plan's digest",
            subject=info.id,
        )
        yield from (_wish(told, wish) for wish in told.story.wishes)


def _wish(told: Told, wish: Signal) -> ApprovalTold:
    named = [unit.name for unit in told.state.units if wish.vm.lower() in (unit.vm.key, unit.name.lower())]
    return ApprovalTold(
        who=wish.sent_by,
        at=wish.at,
        day=None,
        what=_ASKED[wish.kind],
        subject=", ".join(named) if wish.vm else told.story.info.id,
        note=wish.note,
    )
