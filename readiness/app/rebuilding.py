"""What became of one VM of a lost run, judged by what the run left on Azure, and written as its past.

Guarantees: what is written never skips work that may not have happened. Where what is seen can mean two
things, the one is chosen that a VM survives. A VM that was let go of is not taken down again: it was done,
also with the weaker setting, or was brought back, or nobody knows, and then a person looks.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from msgspec.structs import replace

from readiness.app.past import EARLY, Past, VmPast
from readiness.azure.traces import GroupMark, Trace
from readiness.engine.advance import Campaign
from readiness.engine.decisions import RECALLED
from readiness.model.context import Choice, SecureBoot
from readiness.model.lifecycle import SUCCEEDED, Phase, Stage
from readiness.model.observation import Health, differences, judge_health
from readiness.model.plan import DIGEST_LENGTH, PlannedVm
from readiness.model.run import Event, EventKind, StepRecord
from readiness.model.steps import (
    PlannedStep,
    ProveHealth,
    ProveRestored,
    RunInGuest,
    TakeSnapshot,
    snapshot_id,
)
from readiness.model.verdict import Status
from readiness.model.virtual_machine import Power
from readiness.store.journal import SqliteJournal

_BROUGHT_BACK = "it was taken down and brought back; why, only the lost journal knew"
_DONE = (*EARLY, Phase.READYING, Phase.CONVERTING)


class Stands(StrEnum):
    """Where a VM of a lost run stands."""

    UNDER_WAY = "under way"
    THROUGH = "through"
    """Changed, and on again if it ran before; whether its health was proven, the run says."""
    ENDED = "ended"
    """Brought back, or stranded."""


def rebuild(journal: SqliteJournal, campaign: Campaign, trace: Trace, now: datetime) -> Stands:
    """Write the records of a VM's past, and return where they say that it stands."""
    past = VmPast(journal, campaign, trace, now)
    is_outage = campaign.stage is Stage.OUTAGE and campaign.vm.outage is not None
    if trace.lease is None:
        stands, words = _let_go_of(past, campaign, trace)
    elif trace.back is not None:
        past.recall(trace.back)
        past.take_up_scripts()
        stands, words = Stands.UNDER_WAY, "is on its way back, as somebody wanted"
    elif is_outage:
        stands, words = _in_its_outage(past, campaign, trace, journal.info().plan)
    else:
        _go_on(past)
        stands, words = Stands.UNDER_WAY, "is taken up from its state before"
    journal.tell(
        Event(at=now, kind=EventKind.RUN, vm=campaign.vm.name, text=f"recovered from its marks: it {words}")
    )
    return stands


def rebuild_group(journal: SqliteJournal, campaign: Campaign, mark: GroupMark, now: datetime) -> None:
    """Write the records of a shared group's past: its mark was written, and from there it goes on."""
    past = Past(journal, campaign, mark.started, now)
    if mark.back is not None:
        past.recall(mark.back)
        words = "is on its way back, as somebody wanted"
    else:
        past.write(*EARLY)
        words = "is gone on with: each of its rules is looked at first"
    journal.tell(
        Event(at=now, kind=EventKind.RUN, vm=campaign.vm.name, text=f"recovered from its mark: it {words}")
    )


def leave_alone(journal: SqliteJournal, campaign: Campaign, why: str, now: datetime) -> None:
    """Write of a VM whose marks cannot be read that it is not begun: a person looks at it first."""
    past = Past(journal, campaign, now, now)
    told = (
        f"what a run left on it cannot be read ({why}): see whether it is on, and as it was, before a retry"
    )
    past.fail("MarksUnreadable", told)


def is_behind(
    campaign: Campaign, records: Mapping[str, StepRecord], trace: Trace | GroupMark, plan: str
) -> bool:
    """Tell whether a VM plainly went on after the records of it that a second place holds."""
    if trace.lease is None:
        again = "release-again." if RECALLED in records else "release."
        is_let_go = any(name.startswith(again) for name in records)
        return not is_let_go or _was_brought_back(campaign, records, trace)
    if trace.back is not None and RECALLED not in records:
        return True
    if not any(name.endswith(".take-lease") for name in records):
        return True
    if isinstance(trace, GroupMark):
        return False
    work = campaign.steps(Phase.CONVERTING, records) if campaign.stage is Stage.OUTAGE else ()
    if any(_is_taken(planned, trace, plan) and planned.name not in records for planned in work):
        return True
    is_down = trace.before.was_running and trace.seen.vm.power is not Power.RUNNING
    return is_down and not any(name.endswith(".deallocate") for name in records)


def _was_brought_back(campaign: Campaign, records: Mapping[str, StepRecord], trace: Trace) -> bool:
    """Tell whether a VM that records call changed is as it was before."""
    is_changed = campaign.position(records).phase in SUCCEEDED
    return is_changed and not _is_shown(campaign, trace, campaign.vm.choice) and not _changed(campaign, trace)


def _go_on(past: VmPast) -> None:
    """Whatever the time is, it is gone on with: nothing is left off for a look at the clock."""
    past.write(*EARLY, Phase.READYING)
    past.take_up_scripts()
    past.begin()


def _let_go_of(past: Past, campaign: Campaign, trace: Trace) -> tuple[Stands, str]:
    """Write how a VM ended that bears no lease any more."""
    is_well = not trace.before.was_running or judge_health(trace.before, trace.seen)[0] is Health.HEALTHY
    if trace.is_whole and is_well and _is_shown(campaign, trace, campaign.vm.choice):
        past.write_all()
        return Stands.THROUGH, "was done, by its model and its snapshots"
    if trace.is_whole and is_well and _fell_back(campaign, trace):
        _fall_back(past)
        past.write_all()
        return Stands.THROUGH, "was done with the weaker setting, by its model and its snapshots"
    changed = _changed(campaign, trace)
    past.write(*EARLY, Phase.READYING)
    told = f"it is neither as it was nor as planned: {'; '.join(changed)}" if changed else _BROUGHT_BACK
    past.fail("Recovered", told)
    past.write_while(
        lambda position: position.due is not None and not isinstance(position.due.step, ProveRestored)
    )
    if changed:
        past.fail("NotRestored", told)
    past.write_all()
    if changed:
        return Stands.ENDED, "is neither as it was nor as planned: a person looks at it"
    return Stands.ENDED, "was brought back, by its model and its snapshots"


def _in_its_outage(past: VmPast, campaign: Campaign, trace: Trace, plan: str) -> tuple[Stands, str]:
    """Write how far a VM came that bears the lease."""
    vm = campaign.vm
    if _is_shown(campaign, trace, vm.choice) and not _owes_its_boot(vm, trace):
        past.write(*_DONE)
        return Stands.THROUGH, "was through already"
    wish = vm.choice.trusted_launch
    # Where Secure Boot is staged the first boot looks the same: then it is tried once more.
    if wish and wish.secure_boot is SecureBoot.ON and _fell_back(campaign, trace):
        _fall_back(past)
        past.write_while(
            lambda position: position.due is not None and not isinstance(position.due.step, ProveHealth)
        )
        return Stands.THROUGH, "was through already, with the weaker setting"
    if not _has_begun(trace):
        past.write(*EARLY)
        return Stands.UNDER_WAY, "is taken up from its state before"
    past.write(*EARLY, Phase.READYING)
    if _write_guest(past, campaign, trace, plan):
        return Stands.UNDER_WAY, "is brought back: nobody knows how far its disk was converted"
    past.take_up_scripts()
    past.begin()
    return Stands.UNDER_WAY, "is taken up from its state before"


def _write_guest(past: Past, campaign: Campaign, trace: Trace, plan: str) -> bool:
    """Write what the running guest had done before it went down; return whether it has to go back.

    Scripts are not run again in a guest that is off. Whether a disk was converted is only known once the
    snapshots after it are there; off and without them, the disk from before it is the one that boots.
    """
    work = campaign.steps(Phase.CONVERTING, {})
    guest = [planned for planned in work if planned.name.startswith("guest.")]
    kept = next((planned for planned in guest if _is_taken(planned, trace, plan)), None)
    if kept is None or not isinstance(kept.step, TakeSnapshot):
        return False
    rest = [planned for planned in work if planned not in guest]
    is_off = trace.seen.vm.power is not Power.RUNNING
    is_swapped = kept.step.disk not in [disk.id for disk in trace.seen.disks]
    is_converted = any(_is_taken(planned, trace, plan) for planned in rest)
    converts = isinstance(guest[-1].step, RunInGuest)
    names = {planned.name for planned in guest}
    if is_swapped or (converts and is_off and not is_converted):
        past.write_while(lambda position: position.due is not None and position.due != guest[-1])
        past.fail("Recovered", "whether its disk was converted, only the lost journal knew")
        return True
    if not is_off and not is_converted:
        names = {planned.name for planned in guest[: guest.index(kept)]}
    past.write_while(lambda position: position.due is not None and position.due.name in names)
    return False


def _is_taken(planned: PlannedStep, trace: Trace, plan: str) -> bool:
    step = planned.step
    started = trace.started.isoformat()
    return (
        isinstance(step, TakeSnapshot) and snapshot_id(step, plan[:DIGEST_LENGTH], started) in trace.snapshots
    )


def _fall_back(past: Past) -> None:
    """Write that it did not come up with what was planned, and was given the weaker setting."""
    past.write(*_DONE)
    past.fail("Unhealthy", "recovered: it runs with the weaker setting that is tried after this")


def _fell_back(campaign: Campaign, trace: Trace) -> bool:
    """Tell whether Azure shows the weaker setting of the plan in the place of what was asked for."""
    choice, vm = campaign.vm.choice, campaign.vm
    if choice.trusted_launch is None or not vm.fallback:
        return False
    weaker = replace(choice, trusted_launch=replace(choice.trusted_launch, secure_boot=SecureBoot.OFF))
    return _is_shown(campaign, trace, weaker) and not _owes_its_boot(vm, trace)


def _changed(campaign: Campaign, trace: Trace) -> tuple[str, ...]:
    """Return in what a VM is not as before; one that was brought back may have another approved size."""
    before, size = trace.before, trace.seen.vm.size
    is_approved = (size or "").lower() in [one.lower() for one in campaign.vm.choice.sizes]
    return differences(replace(before, size=size) if is_approved else before, trace.seen)


def _has_begun(trace: Trace) -> bool:
    """Tell whether work on the VM has begun: what has no snapshot, and is as it was found, was left alone."""
    was_stopped = trace.before.was_running and trace.seen.vm.power is not trace.before.power
    return was_stopped or bool(trace.snapshots or trace.scripts)


def _owes_its_boot(vm: PlannedVm, trace: Trace) -> bool:
    """Tell whether a VM that was found off is to prove its boot: off and still leased, it may not have."""
    return trace.lease is not None and vm.choice.starts_if_off and not trace.before.was_running


def _is_shown(campaign: Campaign, trace: Trace, choice: Choice) -> bool:
    """Tell whether Azure shows everything that was asked for, and the VM runs if it ran before."""
    verdicts = [verdict for book in campaign.playbooks for verdict in book.verify(choice, trace.seen)]
    shown = all(verdict.status not in (Status.UNMET, Status.UNKNOWN) for verdict in verdicts)
    return shown and trace.seen.vm.power is trace.before.power
