"""Builds the report of a wave in which everything happened, with any text wherever there is some."""

from datetime import UTC, date, datetime, timedelta

from msgspec.structs import replace

from readiness.model.context import Environment
from readiness.model.lifecycle import Stage
from readiness.model.plan import TargetKind
from readiness.model.run import StepState
from readiness.model.steps import Undo
from readiness.model.wave_report import (
    ApprovalTold,
    End,
    LeftToDo,
    Passage,
    SnapshotTold,
    Span,
    StageTold,
    StepTold,
    VmTold,
    WaveReport,
    WindowTold,
)
from tests.reports.progresses import Say

OPENS = datetime(2027, 3, 6, 21, tzinfo=UTC)
CLOSES = OPENS + timedelta(hours=6)
PREPARED = OPENS - timedelta(days=3)
HEAD = "0123456789abcdef" * 4
ENDS = (End.DONE, End.CLOSURE_DUE, End.ROLLED_BACK, End.UNDECIDED, End.DONE, End.STRANDED, End.REMAINING)


def after_the_window(say: Say = str, vms: int = 7) -> WaveReport:
    """Return the report of a wave whose outage is behind it; `say` is given what is usual in a place."""
    told = tuple(_vm(number, say) for number in range(vms))
    return WaveReport(
        estate=say("fleet"),
        plan=HEAD,
        plan_as_of=date(2027, 3, 1),
        author=say("Ada"),
        wave=3,
        wave_name=say("Production: shop"),
        target=TargetKind.LIVE,
        durations="measured",
        release="1.0",
        as_of=CLOSES,
        soak_minutes=120,
        reserve_minutes=36,
        windows=(
            WindowTold(
                application=say("shop"),
                owner=say("Bo"),
                window=say("saturday-night"),
                opens=OPENS,
                closes=CLOSES,
                zone="Europe/Berlin",
                vms=vms,
            ),
        ),
        stages=(_stage(Stage.PREPARATION, PREPARED, say, told), _stage(Stage.OUTAGE, OPENS, say, told)),
        vms=told,
        snapshots=tuple(_snapshot(vm, say) for vm in told),
        approvals=tuple(_approval(number, say) for number in range(3)),
        left=(
            LeftToDo(urgency="now", what="Bring it back", vm=say("vm-5"), why=say("stranded: silent")),
            LeftToDo(
                urgency="next",
                what=say("Close 1 VM after the soak"),
                not_before=CLOSES,
                command=say("readiness close plan --wave 3"),
            ),
        ),
    )


def nothing_away() -> WaveReport:
    """Return the report of a wave that was only prepared."""
    whole = after_the_window()
    vms = tuple(
        replace(vm, end=End.REMAINING, outage_seconds=None, closure_from=None, passages=vm.passages[:1])
        for vm in whole.vms
    )
    return replace(whole, vms=vms, stages=whole.stages[:1], snapshots=(), left=(), approvals=())


def _vm(number: int, say: Say) -> VmTold:
    end = ENDS[number % len(ENDS)]
    down = OPENS + timedelta(minutes=4 * number)
    minutes = 39 if end is End.ROLLED_BACK else 7
    span = Span(start=down, end=down + timedelta(minutes=minutes), is_open=end is End.STRANDED)
    was_away = end is not End.REMAINING
    return VmTold(
        id=f"/subscriptions/1/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm-{number}",
        name=say(f"vm-{number}"),
        application=say("shop"),
        owner=say("Bo"),
        environment=Environment.PRODUCTION,
        batch=1,
        actions=("trusted-launch", "disk-encryption"),
        undo=Undo.CONFIG,
        end=end,
        reason=say("") if end is End.DONE else say("its agent is silent"),
        opens=OPENS,
        closes=CLOSES,
        planned_seconds=825,
        reserved_seconds=2_940,
        outage_seconds=minutes * 60 if was_away else None,
        closure_from=span.end + timedelta(hours=2) if end is End.CLOSURE_DUE else None,
        passages=(
            Passage(stage=Stage.PREPARATION, end=End.DONE, phase="done", rounds=(_steps(PREPARED, say),)),
            Passage(
                stage=Stage.OUTAGE,
                end=End.DONE if end is End.CLOSURE_DUE else end,
                phase="done",
                reason=say("its agent is silent"),
                rounds=(_steps(down, say), _steps(down + timedelta(minutes=1), say)) if was_away else (),
                away=(span,) if was_away else (),
            ),
        ),
        consents=(say("its temporary disk is lost"),),
        exceptions=(say("EX-7: cmk until 2027-12-31, approved by Bo"),),
        signed=say("Bo, 2027-03-02, CHG-7"),
    )


def _steps(begin: datetime, say: Say) -> tuple[StepTold, ...]:
    took = timedelta(seconds=40)
    names = ("check.recheck", "outage.deallocate", "undo.start", "verify.prove-model")
    return tuple(
        StepTold(
            name=say(name),
            words=say(name.partition(".")[2]),
            state=StepState.FAILED if name.startswith("verify") else StepState.DONE,
            attempt=1,
            began=begin + place * took,
            ended=begin + (place + 1) * took,
            code=say("AgentSilent"),
            detail=say("its agent has not reported ready"),
            evidence=say("exit code 0"),
        )
        for place, name in enumerate(names)
    )


def _stage(stage: Stage, begin: datetime, say: Say, vms: tuple[VmTold, ...]) -> StageTold:
    ends = [passage.end for vm in vms for passage in vm.passages if passage.stage is stage]
    return StageTold(
        run=say(f"0123456789ab-wave-3-{stage}"),
        stage=stage,
        place=say("live AzureCloud"),
        approved_by=say("Cy (object id 1)"),
        release="1.0",
        started_at=begin,
        told_at=begin + timedelta(hours=1),
        is_unfinished=End.REMAINING in ends,
        held=say("2 VMs failed, and 1 may"),
        counts={end: ends.count(end) for end in End if end in ends},
        events=120,
        audit_head=HEAD,
        broken_at=None if stage is Stage.OUTAGE else 17,
    )


def _snapshot(vm: VmTold, say: Say) -> SnapshotTold:
    return SnapshotTold(
        id=f"{vm.id}-snapshot",
        vm=vm.name,
        name=say("vm-osdisk-0123"),
        disk=say("vm-osdisk"),
        round=1,
        taken_at=OPENS,
        expires=date(2027, 4, 5),
    )


def _approval(number: int, say: Say) -> ApprovalTold:
    return ApprovalTold(
        who=say("Bo"),
        at=None if number == 0 else PREPARED,
        day=date(2027, 3, 2) if number == 0 else None,
        what=say("Approved the wave"),
        subject=say("wave 3"),
        object_id=say("1"),
        ticket=say("CHG-7"),
        note=say("seen"),
        evidence=say(HEAD),
    )
