"""The life cycle: whatever steps answer, a campaign ends, and only in ways that its table names."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from playbooks.catalog import ALL_PLAYBOOKS
from readiness.engine.advance import INCONCLUSIVE, Campaign, Position
from readiness.engine.decisions import APPROVED, RECALLED, REJECTED
from readiness.model.disk import Encryption, EncryptionType
from readiness.model.execution import Execution, HookCommand, Hooks
from readiness.model.lifecycle import FINAL, NEXT, SUCCEEDED, Outcome, Phase, Stage
from readiness.model.observation import Before, DiskBefore
from readiness.model.run import StepRecord, StepResult, StepState
from readiness.model.steps import Deallocate, Look, PlannedStep, ProveHealth, ReleaseLease, Start, SwapOsDisk
from readiness.model.virtual_machine import Identity, Power, SecurityType
from tests.engine.estates import plan
from tests.engine.rig import planned

AT = datetime(2026, 11, 28, 21, 0, tzinfo=UTC)
NAMES = tuple(vm.name for wave in plan().waves for vm in wave.vms)
HOOK = HookCommand(name="drain", command=("true",))
HOOKS = Execution(hooks=Hooks(before_vm=(HOOK,), after_vm=(HOOK,)))
ANSWERS = ("ok", "ok", "ok", "ok", "failed", INCONCLUSIVE)


def before_of(name: str, power: Power) -> Before:
    """Return what might have been recorded of a VM before its campaign."""
    steps = planned(name).outage
    disks = {
        disk
        for each in (steps.steps if steps else ())
        if (disk := getattr(each.step, "disk", None)) is not None
    }
    encryption = starter_disks()
    return Before(
        vm=planned(name).id,
        power=power,
        size="Standard_D2s_v5",
        security_type=SecurityType.STANDARD,
        secure_boot=None,
        vtpm=None,
        encryption_at_host=False,
        identity=Identity(system_assigned=False, user_assigned=()),
        agent_ready=True,
        extensions=(),
        disks=tuple(DiskBefore(id=disk, encryption=encryption) for disk in sorted(disks)),
    )


def starter_disks() -> Encryption:
    """Return the encryption that disks have before."""
    return Encryption(type=EncryptionType.PLATFORM_KEY)


class Walk:
    """One campaign without any cloud: answers come from whoever walks."""

    def __init__(self, name: str, stage: Stage, power: Power, execution: Execution = HOOKS) -> None:
        self.campaign = Campaign(
            planned(name), ALL_PLAYBOOKS, stage=stage, execution=execution, started_at=AT
        )
        self.before = before_of(name, power)
        self.records: dict[str, StepRecord] = {}
        self.done: list[tuple[Phase, PlannedStep, bool]] = []

    @property
    def position(self) -> Position:
        """Where the campaign stands."""
        return self.campaign.position(self.records)

    def answer(self, word: str) -> None:
        """Answer the step that is due."""
        position = self.position
        assert position.due is not None
        name, ok = position.due.name, word == "ok"
        before = self.before if ok and name == "check.record-before" else None
        unclear = word == INCONCLUSIVE and isinstance(position.due.step, ProveHealth)
        code = "" if ok else (INCONCLUSIVE if unclear else "Failed")
        self.record(name, StepResult(ok=ok, code=code, detail=word, before=before))
        is_as_before = unclear and position.phase is Phase.UNDOING
        self.done.append((position.phase, position.due, ok or is_as_before))

    def record(self, name: str, result: StepResult) -> None:
        """Write a step that has ended."""
        assert name not in self.records, f"{name} was due again after it had ended"
        now = AT + timedelta(minutes=len(self.records))
        self.records[name] = StepRecord(
            vm=self.campaign.vm.id,
            name=name,
            state=StepState.DONE if result.ok else StepState.FAILED,
            attempt=1,
            intended_at=now,
            ended_at=now,
            result=result,
        )

    def go(self, answers: list[str], *, approves: bool, recalls: bool) -> Position:
        """Walk to the end; after the last answer everything goes well."""
        coming = iter(answers)
        for _ in range(500):
            position = self.position
            if position.due is not None:
                self.answer(next(coming, "ok"))
            elif position.phase is Phase.UNDECIDED:
                self.record(APPROVED if approves else REJECTED, StepResult(ok=True))
            elif recalls and position.phase in SUCCEEDED and self.campaign.stage is Stage.OUTAGE:
                recalls = False
                self.record(RECALLED, StepResult(ok=True))
            else:
                return position
        raise AssertionError("a campaign that never ends")


@given(
    name=st.sampled_from(NAMES),
    stage=st.sampled_from(Stage),
    power=st.sampled_from([Power.RUNNING, Power.RUNNING, Power.DEALLOCATED]),
    answers=st.lists(st.sampled_from(ANSWERS), max_size=60),
    approves=st.booleans(),
    recalls=st.booleans(),
)
@settings(max_examples=400)
def test_whatever_steps_answer_a_campaign_ends(
    name: str, stage: Stage, power: Power, answers: list[str], *, approves: bool, recalls: bool
) -> None:
    """The table has a way on for every outcome, and the end is one that the steps' answers allow."""
    walk = Walk(name, stage, power)
    end = walk.go(answers, approves=approves, recalls=recalls)
    assert end.phase in FINAL
    assert end.end is None
    failed = [(phase, each) for phase, each, ok in walk.done if not ok and not each.step.courtesy]
    worked = [each for phase, each, _ in walk.done if phase not in (Phase.CHECKING, Phase.READYING)]
    effects = [each for each in worked if not isinstance(each.step, Look | ReleaseLease)]
    names = [each.name for each in effects if not each.name.startswith("release")]
    match end.phase:
        case Phase.DECLINED:
            assert not names, "a VM that was declined was worked on"
            assert end.reason
        case Phase.BLOCKED:
            assert not [one for one in names if one.startswith(("outage", "guest"))]
            assert end.reason
        case Phase.ROLLED_BACK | Phase.STRANDED:
            undone = [one for phase, one in failed if phase is Phase.UNDOING]
            assert bool(undone) is (end.phase is Phase.STRANDED)
            assert RECALLED in walk.records or end.reason
        case _:
            # Who is to be taken back and cannot be taken hold of stays done, and says so.
            refused = [one for _, one in failed if one.name.startswith("recall.")]
            assert bool(refused) is (RECALLED in walk.records and bool(end.reason))
            bad = [one for phase, one in failed if phase is not Phase.VERIFYING and one not in refused]
            assert not bad, "a VM was called done although a step of it failed"


@given(
    name=st.sampled_from(NAMES),
    answers=st.lists(st.sampled_from(ANSWERS), max_size=60),
    approves=st.booleans(),
    recalls=st.booleans(),
)
@settings(max_examples=300)
def test_a_running_vm_is_asked_to_start_last(
    name: str, answers: list[str], *, approves: bool, recalls: bool
) -> None:
    """However a campaign goes, the last word on the power of a VM that ran is *start*."""
    walk = Walk(name, Stage.OUTAGE, Power.RUNNING)
    walk.go(answers, approves=approves, recalls=recalls)
    power = [each.step for _, each, _ in walk.done if isinstance(each.step, Deallocate | Start)]
    assert not power or isinstance(power[-1], Start)


@given(
    name=st.sampled_from(NAMES),
    answers=st.lists(st.sampled_from(ANSWERS), max_size=60),
    approves=st.booleans(),
    recalls=st.booleans(),
)
@settings(max_examples=300)
def test_a_vm_that_was_off_is_never_started(
    name: str, answers: list[str], *, approves: bool, recalls: bool
) -> None:
    """However a campaign goes, a VM that was found deallocated stays so."""
    walk = Walk(name, Stage.OUTAGE, Power.DEALLOCATED)
    end = walk.go(answers, approves=approves, recalls=recalls)
    assert not [each for _, each, _ in walk.done if isinstance(each.step, Start)]
    assert end.phase is not Phase.DONE or planned(name).outage is None


@given(name=st.sampled_from(NAMES), answers=st.lists(st.sampled_from(ANSWERS), max_size=60))
@settings(max_examples=200)
def test_no_disk_is_put_back_once_the_vm_has_answered(name: str, answers: list[str]) -> None:
    """What was written after the VM first answered is never lost: only settings are taken back then."""
    walk = Walk(name, Stage.OUTAGE, Power.RUNNING)
    walk.go(answers, approves=False, recalls=True)
    healthy = False
    for _, each, ok in walk.done:
        assert not (healthy and isinstance(each.step, SwapOsDisk))
        healthy |= ok and each.name.endswith(".prove-health")


@given(
    name=st.sampled_from(NAMES),
    stage=st.sampled_from(Stage),
    answers=st.lists(st.sampled_from(ANSWERS), max_size=60),
)
@settings(max_examples=200)
def test_the_lease_is_the_first_effect_and_goes_last(name: str, stage: Stage, answers: list[str]) -> None:
    """Nothing is done to a VM before its lease was taken, and nothing after it was let go."""
    walk = Walk(name, stage, Power.RUNNING)
    walk.go(answers, approves=True, recalls=False)
    names = [each.name for _, each, _ in walk.done]
    if "check.take-lease" in names:
        taken = names.index("check.take-lease")
        assert all(one.startswith("check.") for one in names[:taken])
        assert "release.release-lease" == names[-1]
    else:
        effects = [each.name for _, each, _ in walk.done if not isinstance(each.step, Look)]
        assert all(one.startswith(("check.", "before.")) for one in effects)


def test_every_phase_leads_to_an_end() -> None:
    """From every phase that is no end a way leads to one, and from every end but success none leads on."""
    leads: dict[Phase, set[Phase]] = {phase: set() for phase in Phase}
    for (phase, _), following in NEXT.items():
        leads[phase].add(following)
    for phase in Phase:
        if phase in FINAL - SUCCEEDED:
            assert not leads[phase]
            continue
        if phase is Phase.RELEASING:
            assert not leads[phase], "letting go is what comes before an end, not a way of its own"
            continue
        reached, border = set(), {phase}
        while border:
            reached |= border
            border = set().union(*(leads[one] for one in border)) - reached
        assert reached & (FINAL - {phase}), f"{phase} leads nowhere"


def test_every_phase_can_be_reached() -> None:
    """No phase stands in the table without a way to it."""
    reached = {Phase.WAITING, Phase.RELEASING} | set(NEXT.values())
    assert set(Phase) == reached


def test_only_success_can_be_recalled() -> None:
    """A person takes back what was done, and nothing else."""
    assert SUCCEEDED == {phase for phase, outcome in NEXT if outcome is Outcome.RECALLED}


def test_a_failed_swap_strands_although_the_vm_answers() -> None:
    """Where the disk from before could not be put back, the VM is no better for answering afterwards."""
    name = next(one for one in NAMES if _converts(one))
    walk = Walk(name, Stage.OUTAGE, Power.RUNNING)
    while not (isinstance(due_of(walk).step, Deallocate)):
        walk.answer("ok")
    walk.answer("failed")
    while not isinstance(due_of(walk).step, SwapOsDisk):
        walk.answer("ok")
    walk.answer("failed")
    assert Phase.STRANDED is walk.go([], approves=False, recalls=False).phase


def due_of(walk: Walk) -> PlannedStep:
    """Return the step that is due."""
    due = walk.position.due
    assert due is not None
    return due


def _converts(name: str) -> bool:
    outage = planned(name).outage
    return outage is not None and any(each.name.startswith("guest.") for each in outage.steps)
