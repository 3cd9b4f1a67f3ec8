"""What is stored comes back as it was, and the digest speaks for every field of a plan."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from readiness.model.assessment import Assessment
from readiness.model.codec import decode, encode, encode_pretty, to_builtins
from readiness.model.context import Environment
from readiness.model.ids import ResourceId
from readiness.model.observation import Observation, before_of
from readiness.model.outage import plan_steps
from readiness.model.plan import (
    ApartGroup,
    Batch,
    LeftOut,
    Occurrence,
    OrderEdge,
    Plan,
    PlannedVm,
    Refusal,
    TargetKind,
    digest_of,
)
from readiness.model.run import Event, EventKind, RunInfo, StepRecord, StepResult, StepState
from readiness.model.steps import (
    AssignIdentity,
    Deallocate,
    PatchVm,
    PlannedStep,
    ProveHealth,
    ProveModel,
    ProveRestored,
    Recheck,
    RecordBefore,
    RemoveIdentity,
    SetDiskEncryption,
    Start,
    Step,
    TakeSnapshot,
    Undo,
)
from readiness.model.virtual_machine import Identity
from readiness.rules.evaluate import evaluate
from tests.builders import CUSTOMER_KEY, OS_DISK, PLATFORM_KEY, disk, estate, rid, snapshot, vm, vm_id
from tests.planner.plans import AS_OF, application, context, machine, needs, plan

NOW = datetime(2026, 11, 22, 1, 2, 3, 456789, tzinfo=UTC)
SET = rid("Microsoft.Compute/availabilitySets", "set")
GIVEN = context(application("shop", "a", "b"), dependencies=(needs("b", "a", hard=True),))
PLAN = plan(machine("a", availability_set=SET), machine("b", availability_set=SET), machine("c"), given=GIVEN)
BEFORE = before_of(Observation(vm=vm(identity=Identity(user_assigned=(vm_id("id"),))), disks=(disk(),)))
STEPS: tuple[Step, ...] = (
    Recheck(vm=vm_id(), fingerprint="f"),
    RecordBefore(vm=vm_id()),
    ProveHealth(vm=vm_id(), timeout=900),
    ProveModel(vm=vm_id()),
    ProveRestored(vm=vm_id()),
    AssignIdentity(vm=vm_id()),
    RemoveIdentity(vm=vm_id()),
    Deallocate(vm=vm_id()),
    Start(vm=vm_id()),
    TakeSnapshot(vm=vm_id(), disk=OS_DISK),
    PatchVm(vm=vm_id(), properties={"securityProfile": {"uefiSettings": None, "encryptionAtHost": True}}),
    SetDiskEncryption(vm=vm_id(), disk=OS_DISK, encryption=CUSTOMER_KEY),
    SetDiskEncryption(vm=vm_id(), disk=OS_DISK, encryption=PLATFORM_KEY),
)
STORED: list[Any] = [
    PLAN,
    StepResult(ok=True, detail="found running", before=BEFORE),
    StepResult(ok=False, code="AgentSilent", detail="ä"),
    StepRecord(
        vm=vm_id(),
        name="n",
        state=StepState.BEGUN,
        attempt=2,
        intended_at=NOW,
        token="t",  # noqa: S106  of an operation, no secret
        ended_at=NOW,
    ),
    RunInfo(id="r", plan="d" * 64, wave=1, place="https://x", approved_by="Ada", release="1", started_at=NOW),
    Event(at=NOW, kind=EventKind.PHASE, vm="a", text="t"),
    evaluate(estate(snapshots=[snapshot()], disks=()), as_of=AS_OF, release="test"),
]


@pytest.mark.parametrize("value", STORED, ids=lambda value: type(value).__name__)
def test_what_is_stored_comes_back(value: Any) -> None:
    """Every value that is written to a file or journal is read back equal, and writes the same bytes."""
    read = decode(encode(value), type(value))

    assert value == read
    assert encode(value) == encode(read) == encode(decode(encode_pretty(value), type(value)))


@pytest.mark.parametrize("planned", plan_steps(STEPS, stage="s"), ids=lambda planned: planned.name)
def test_every_kind_of_step_comes_back(planned: PlannedStep) -> None:
    """The vocabulary of steps is told apart by its tags."""
    assert planned == decode(encode(planned), PlannedStep)


def test_ids_are_written_as_they_were_spelled() -> None:
    """Equal ids may be spelled differently, and keep their spelling."""
    loud = ResourceId(vm_id().text.upper())

    assert f'"{loud.text}"'.encode() == encode(loud)
    assert loud.text == to_builtins(loud)
    assert loud.text == decode(encode(loud), ResourceId).text


def test_the_order_of_keys_does_not_matter() -> None:
    """A patch says the same in any order of its keys, and gives the same bytes."""
    one = PatchVm(vm=vm_id(), properties={"a": 1, "b": {"c": 2, "d": 3}})
    other = PatchVm(vm=vm_id(), properties={"b": {"d": 3, "c": 2}, "a": 1})

    assert encode(one) == encode(other)


def test_what_has_no_form_is_refused() -> None:
    """Nothing is written or read by guessing, and an error of what is read names the place."""
    with pytest.raises(NotImplementedError, match="no JSON form for object"):
        encode({"a": object()})
    with pytest.raises(NotImplementedError, match="no JSON form for object"):
        to_builtins({"a": object()})
    with pytest.raises(NotImplementedError, match="no model form for complex"):
        decode(b"1", complex)
    with pytest.raises(msgspec.DecodeError, match=r"expected a resource id, got int - at `\$\.vm`"):
        decode(b'{"vm": 1}', Deallocate)
    with pytest.raises(msgspec.ValidationError, match=r"\$\.as_of"):
        decode(b'{"as_of": 1}', Assessment)


OTHER_PLAN: dict[str, Any] = {
    "format": "readiness/plan/2",
    "release": "other",
    "as_of": date(2026, 11, 21),
    "target": replace(PLAN.target, kind=TargetKind.LIVE),
    "inventory": 4,
    "waves": (),
    "left_out": (),
    "order": (),
    "apart": (),
    "lower_bound": 0,
}
FIRST = PLAN.waves[0].batches[0].vms[0]
OTHER_VM: dict[str, Any] = {
    "id": vm_id("x"),
    "name": "x",
    "application": "x",
    "owner": "x",
    "environment": Environment.TEST,
    "actions": FIRST.actions[1:],
    "refusals": (Refusal(playbook="p", reason="r", detail="d"),),
    "choice": replace(FIRST.choice, encryption_at_host=False),
    "fingerprint": "x",
    "preparation": (),
    "outage": None,
    "undo": Undo.NONE,
    "occurrence": replace(FIRST.occurrence, closes=FIRST.occurrence.closes + timedelta(seconds=1)),
    "reason": "x",
}


def _other(value: object) -> Any:
    """Return another value of the kind, for fields of which any change will do."""
    if isinstance(value, tuple):
        return () if value else ("x",)
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int | float) else "x"


def test_the_digest_is_that_of_the_plan() -> None:
    """A plan carries the digest of itself, which survives writing and reading."""
    assert PLAN.digest == digest_of(PLAN) == digest_of(decode(encode_pretty(PLAN), Plan))
    assert PLAN.digest[:12] == PLAN.approval


def test_the_digest_leaves_itself_out() -> None:
    """Whatever digest a plan carries, its own is the same."""
    assert digest_of(PLAN) == digest_of(replace(PLAN, digest="x"))


@pytest.mark.parametrize("field", [name for name in Plan.__struct_fields__ if name != "digest"])
def test_every_field_counts(field: str) -> None:
    """Changing any field of a plan changes its digest."""
    assert PLAN.digest != digest_of(
        replace(PLAN, **{field: OTHER_PLAN.get(field, _other(getattr(PLAN, field)))})
    )


@pytest.mark.parametrize("field", PlannedVm.__struct_fields__)
def test_every_field_of_a_vm_counts(field: str) -> None:
    """Changing anything about any planned VM changes the digest."""
    changed = replace(FIRST, **{field: OTHER_VM.get(field, _other(getattr(FIRST, field)))})
    wave = PLAN.waves[0]
    batches = (Batch(number=1, vms=(changed,)), *wave.batches[1:])

    assert PLAN.digest != digest_of(replace(PLAN, waves=(replace(wave, batches=batches),)))


@pytest.mark.parametrize(
    "changed",
    [
        replace(PLAN, left_out=tuple(replace(entry, detail="x") for entry in PLAN.left_out)),
        replace(PLAN, order=tuple(replace(edge, hard=not edge.hard) for edge in PLAN.order)),
        replace(PLAN, apart=tuple(replace(group, max_unavailable=2) for group in PLAN.apart)),
        replace(PLAN, waves=tuple(replace(wave, number=7) for wave in PLAN.waves)),
    ],
    ids=["left out", "order", "apart", "waves"],
)
def test_what_lies_deep_counts_too(changed: Plan) -> None:
    """Nothing in a plan can be changed after it was approved."""
    kinds = (LeftOut, OrderEdge, ApartGroup)

    assert kinds == tuple(type(entries[0]) for entries in (PLAN.left_out, PLAN.order, PLAN.apart))
    assert PLAN.digest != digest_of(changed)


def test_an_occurrence_knows_its_length() -> None:
    """Length is real time."""
    entry = Occurrence(window="w", opens=NOW, closes=NOW + timedelta(hours=6), timezone="Europe/Berlin")

    assert 21600 == entry.seconds


def test_a_plan_finds_its_waves() -> None:
    """A wave is found by its number, and one that is not there is None."""
    assert PLAN.waves[0] == PLAN.wave(1)
    assert PLAN.wave(9) is None
