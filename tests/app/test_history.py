"""What changed between two snapshots, and how snapshots are named."""

from collections import Counter
from datetime import timedelta

import pytest
from msgspec.structs import replace

from readiness.app.estates import load, locate
from readiness.app.history import compare, list_history, record_assessment, record_run
from readiness.errors import UsageError
from readiness.model.assessment import Classification
from readiness.model.history import ChangeKind, head_of, records_of
from readiness.model.verdict import Status
from readiness.rules.evaluate import evaluate
from readiness.store.history import record_snapshot
from tests.app.histories import AT, TL, assessment, counts, day, opened, run, vm

READY, BLOCKED, UNKNOWN = Classification.READY, Classification.BLOCKED, Classification.UNKNOWN


def told(state, *made, before="previous", after="latest"):
    """Record assessments and return what changed as (kind, VM, subject)."""
    for one in made:
        record_assessment(state, one)
    return [(one.kind.value, one.name, one.subject) for one in compare(state, before, after).changes]


def test_drift_stands_first(tmp_path):
    """A dimension that was satisfied and is lost is drift, before anything else."""
    found = told(
        tmp_path,
        assessment(day(0), vm("a", tl=READY), vm("b", "AA-1"), vm("z")),
        assessment(day(1), vm("a", tl=BLOCKED), vm("b"), vm("c"), vm("z", tl=READY)),
    )
    assert [
        ("drift", "z", "trusted_launch"),
        ("regressed", "a", "trusted_launch"),
        ("new", "c", "vm"),
        ("fixed", "b", "AA-1"),
    ] == found


def test_what_any_earlier_snapshot_shows_satisfied_is_drift(tmp_path):
    """A VM that was satisfied before A, and gets still worse after it, drifts; the last good day is told."""
    found = told(
        tmp_path,
        assessment(day(0), vm("a")),
        assessment(day(1), vm("a", tl=READY)),
        assessment(day(2), vm("a", tl=BLOCKED)),
    )
    assert [("drift", "a", "trusted_launch")] == found
    assert [day(0)] == [one.reached_on for one in compare(tmp_path, "previous", "latest").changes]


def test_snapshots_after_a_prove_no_drift(tmp_path):
    """What a snapshot between A and B shows does not make drift of a VM that was never good before A."""
    made = [
        assessment(day(n), vm("a", tl=tl)) for n, tl in enumerate((READY, Classification.SATISFIED, BLOCKED))
    ]
    assert [("regressed", "a", "trusted_launch")] == told(tmp_path, *made, before="first")


def test_what_a_run_upgraded_drifts_in_controls_too(tmp_path):
    """A control lost on a VM that a run had upgraded is drift, with the run; elsewhere it is regressed."""
    record_run(tmp_path, run("a"))
    record_run(tmp_path, run("b", is_rehearsal=True, name="twin"))
    found = told(
        tmp_path,
        assessment(day(0), vm("a"), vm("b")),
        assessment(day(1), vm("a", "AA-1"), vm("b", "AA-1")),
    )
    assert [("drift", "a", "AA-1"), ("regressed", "b", "AA-1")] == found
    assert "NotSo; upgraded by run abc-wave-1" == compare(tmp_path, "first", "latest").changes[0].reason


def test_a_later_run_makes_no_drift_of_what_was_before_it(tmp_path):
    """What got worse before a run upgraded the VM is not drift of what the run did."""
    later = run("a")
    record_run(tmp_path, replace(later, started_at=later.started_at + timedelta(weeks=2)))
    weeks = [assessment(day(0), vm("a")), assessment(day(1), vm("a", "AA-1"))]
    assert [("regressed", "a", "AA-1")] == told(tmp_path, *weeks)
    assert [("drift", "a", "BB-1")] == told(tmp_path, assessment(day(3), vm("a", "AA-1", "BB-1")))


def test_every_answer_of_a_vm_is_remembered():
    """What is neither met nor listed as open does not apply, and is listed with its reason."""
    made = evaluate(load(locate("starter")), as_of=day(0), release="1.0")
    known = Counter(
        one.id for vm in records_of(made) for one in vm.controls if one.verdict is Status.NOT_APPLICABLE
    )
    asked = [one for one in made.summary.controls if one.scope == "vm"]
    assert {one.id: one.not_applicable for one in asked if one.not_applicable} == known
    assert "NotPublic" in {reason for vm in made.vms for reason in vm.unasked.values()}


def of_earlier_release(state, *made):
    """Record assessments as a release did that did not tell which controls do not apply."""
    for one in made:
        head = replace(head_of(one, one.estate.name), tells_unasked=False)
        record_snapshot(state, head, records_of(one), release="0.0", at=AT)


@pytest.mark.parametrize(("control", "kind"), [("CP-4", "newly applies"), ("AA-1", "drift")])
def test_a_control_that_comes_with_an_upgrade_is_no_drift(tmp_path, control, kind):
    """Boot can be attested since the upgrade only: that nobody does yet was not lost by anybody."""
    record_run(tmp_path, run("a"))
    known = (replace(counts("AA-1")[0], id=control),)
    missed = replace(opened("AA-1"), id=control)
    of_earlier_release(tmp_path, assessment(day(0), vm("a", tl=READY), controls=known))
    told(tmp_path, assessment(day(1), replace(vm("a"), controls=(missed,)), controls=known))
    found = {one.subject: one for one in compare(tmp_path, "first", "latest").changes}
    assert kind == found[control].kind
    assert ("did not apply" if kind == "newly applies" else "holds") == found[control].before


@pytest.mark.parametrize("is_upgraded", [False, True])
def test_a_control_that_newly_applies_was_not_lost(tmp_path, is_upgraded):
    """A VM that gets a public address never met what only public ones are asked: both reasons are told."""
    if is_upgraded:
        record_run(tmp_path, run("a"))
    weeks = [assessment(day(0), vm("a", unasked=("AA-1",))), assessment(day(1), vm("a", "AA-1"))]
    assert [("newly applies", "a", "AA-1")] == told(tmp_path, *weeks)
    found = compare(tmp_path, "first", "latest").changes[0]
    assert ("did not apply", "unmet", "NotSo; was NotPublic") == (found.before, found.after, found.reason)


def test_a_control_that_was_met_is_lost(tmp_path):
    """A control that applied and was met is regressed; beside it another one may newly apply."""
    weeks = [
        assessment(day(0), vm("a", unasked=("AA-1",))),
        assessment(day(1), vm("a", "AA-1", "AA-2")),
    ]
    assert [("regressed", "a", "AA-2"), ("newly applies", "a", "AA-1")] == told(tmp_path, *weeks)


def test_a_control_that_applies_no_longer_was_not_met(tmp_path):
    """Who gives a public address up has not met what is asked of public ones; who met it has lost nothing."""
    weeks = [
        assessment(day(0), vm("a", "AA-1"), vm("b")),
        assessment(day(1), vm("a", unasked=("AA-1",)), vm("b", unasked=("AA-1",))),
    ]
    assert [("no longer applies", "a", "AA-1")] == told(tmp_path, *weeks)
    found = compare(tmp_path, "first", "latest").changes[0]
    assert ("unmet", "does not apply", "NotPublic; was NotSo") == (found.before, found.after, found.reason)


@pytest.mark.parametrize(("met", "kind"), [(0, "newly applies"), (1, "regressed")])
def test_what_an_earlier_release_did_not_record_is_said(tmp_path, met, kind):
    """Where nobody met a control nobody lost it; where somebody did, that it may be no loss is said."""
    known = (replace(counts("AA-1")[0], met=met),)
    of_earlier_release(tmp_path, assessment(day(0), vm("a"), controls=known))
    assert [(kind, "a", "AA-1")] == told(tmp_path, assessment(day(1), vm("a", "AA-1"), controls=known))
    reason = compare(tmp_path, "first", "latest").changes[0].reason
    assert bool(met) is ("whether it applied before was not recorded" in reason)


def test_what_an_earlier_release_shows_open_no_more_may_not_apply(tmp_path):
    """Between two snapshots that do not tell what applies, that a control holds now is not certain."""
    of_earlier_release(tmp_path, assessment(day(0), vm("a", "AA-1")), assessment(day(1), vm("a")))
    (found,) = compare(tmp_path, "first", "latest").changes
    assert ("fixed", "holds or does not apply") == (found.kind, found.after)
    assert found.reason.endswith("; whether it still applied was not recorded")


def test_a_dimension_that_newly_applies_was_not_lost(tmp_path):
    """What did not apply was not satisfied, and what does not apply any more is not fixed."""
    nothing = Classification.NOT_APPLICABLE
    weeks = [
        assessment(day(0), vm("a", tl=nothing), vm("b", tl=READY), vm("c", tl=nothing)),
        assessment(day(1), vm("a", tl=READY), vm("b", tl=nothing), vm("c")),
    ]
    record_run(tmp_path, run("a"))
    assert [
        ("newly applies", "a", "trusted_launch"),
        ("newly applies", "c", "trusted_launch"),
        ("no longer applies", "b", "trusted_launch"),
    ] == told(tmp_path, *weeks)
    reasons = [one.reason for one in compare(tmp_path, "first", "latest").changes]
    assert [
        "TL001 IsReady (unmet); was TL001 IsNot_Applicable (not-applicable)",
        "was TL001 IsNot_Applicable (not-applicable)",
        "TL001 IsNot_Applicable (not-applicable); was TL001 IsReady (unmet)",
    ] == reasons


def test_what_was_satisfied_once_is_lost_even_so(tmp_path):
    """A dimension that was satisfied, then did not apply, and now is open has been lost on the way."""
    stands = (Classification.SATISFIED, Classification.NOT_APPLICABLE, READY)
    weeks = [assessment(day(number), vm("a", tl=tl)) for number, tl in enumerate(stands)]
    assert [("drift", "a", "trusted_launch")] == told(tmp_path, *weeks)


def test_a_control_that_is_lost_after_the_upgrade_is_drift(tmp_path):
    """Once the VM stands upgraded, what comes with the upgrade can be lost as anything else."""
    record_run(tmp_path, run("a"))
    known = (replace(counts("AA-1")[0], id="CP-4"),)
    later = replace(vm("a"), controls=(replace(opened("AA-1"), id="CP-4"),))
    weeks = [assessment(day(0), vm("a"), controls=known), assessment(day(1), later, controls=known)]
    assert [("drift", "a", "CP-4")] == told(tmp_path, *weeks)


def test_what_could_not_be_had_and_now_can_is_no_loss(tmp_path):
    """A VM that becomes eligible for a control has not lost it; one that is not any more has not met it."""
    none = opened("AA-1", Status.NOT_APPLICABLE)
    weeks = [assessment(day(0), vm("a", none)), assessment(day(1), vm("a", "AA-1"))]
    assert [("newly applies", "a", "AA-1")] == told(tmp_path, *weeks)
    assert [("no longer applies", "a", "AA-1")] == told(tmp_path, assessment(day(2), vm("a", none)))


def test_reasons_are_told(tmp_path):
    """A change says why: the rule and its reason, and what was in the way before."""
    record_assessment(tmp_path, assessment(day(0), vm("a", tl=READY), vm("b")))
    record_assessment(tmp_path, assessment(day(1), vm("a"), vm("b", tl=UNKNOWN)))
    reasons = [(one.kind, one.reason) for one in compare(tmp_path, "first", "latest").changes]
    assert [
        (ChangeKind.DRIFT, "TL001 IsUnknown (unmet)"),
        (ChangeKind.FIXED, "was TL001 IsReady (unmet)"),
    ] == reasons


def test_a_vm_that_was_not_read_is_not_gone(tmp_path):
    """Gone is what nobody found; what could not be read, or lies where nobody looked, is not read."""
    first = assessment(day(0), vm("a"), vm("b"))
    found = told(tmp_path, first, assessment(day(1), unread=("a",)))
    assert [("not read", "a", "vm"), ("gone", "b", "vm")] == found
    elsewhere = assessment(day(2), subscription="00000000-0000-0000-0000-0000000000ff")
    assert [("not read", "a", "vm"), ("not read", "b", "vm")] == told(
        tmp_path, elsewhere, before=day(0).isoformat()
    )


def test_a_new_control_is_nobodys_regression(tmp_path):
    """What a release began to ask for is told once, and not as a loss of every VM."""
    record_assessment(tmp_path, assessment(day(0), vm("a"), controls=counts("AA-1", "AA-2")))
    record_assessment(tmp_path, assessment(day(1), vm("a", "BB-1")))
    found = compare(tmp_path, "first", "latest")
    assert ((), ("BB-1", "CC-1")) == (found.changes, found.catalogue)


def test_exclusion_is_told(tmp_path):
    """A VM that is not classified any more is gone from the count, with its reason; its return is new."""
    found = told(
        tmp_path,
        assessment(day(0), vm("a"), vm("b", excluded="AKS")),
        assessment(day(1), vm("a", excluded="scale set"), vm("b")),
    )
    assert [("new", "b", "vm"), ("gone", "a", "vm")] == found


def test_finding_out_is_no_loss(tmp_path):
    """From unknown to blocked, and from unmet to unknown, nothing is lost."""
    found = told(
        tmp_path,
        assessment(day(0), vm("a", "AA-1", tl=UNKNOWN)),
        assessment(day(1), vm("a", opened("AA-1", Status.UNKNOWN), tl=BLOCKED)),
    )
    assert [("changed", "a", "trusted_launch")] == found


def test_what_cannot_be_had_is_not_lost(tmp_path):
    """A control that a VM is not eligible for is listed and never open."""
    found = told(
        tmp_path,
        assessment(day(0), vm("a")),
        assessment(day(1), vm("a", opened("AA-1", Status.NOT_APPLICABLE))),
    )
    assert [] == found


@pytest.mark.parametrize(
    ("before", "after", "brief"),
    [
        ("latest", "latest", "same snapshot"),
        ("first", "2026-06-08", "same snapshot"),
        ("1999-01-01", "latest", "no snapshot '1999-01-01'"),
        ("abc", "latest", "no snapshot 'abc'"),
    ],
)
def test_a_bad_name_is_explained(tmp_path, before, after, brief):
    """A snapshot that is not there, or twice the same, is refused with how to name one."""
    record_assessment(tmp_path, assessment(day(1), vm("a")))
    if before == "latest":
        record_assessment(tmp_path, assessment(day(2), vm("a")))
    with pytest.raises(UsageError, match=brief) as refused:
        compare(tmp_path, before, after)
    assert "readiness report history" in refused.value.remedy


def test_several_estates_are_told_apart(tmp_path):
    """With more than one estate a name is needed, unless the digests say whose they are."""
    digests = [
        record_assessment(tmp_path, assessment(day(number), vm("a"), name=name)).snapshot
        for name in ("east", "west")
        for number in (0, 1)
    ]
    with pytest.raises(UsageError, match="knows several estates"):
        compare(tmp_path, "first", "latest")
    with pytest.raises(UsageError, match="different estates"):
        compare(tmp_path, digests[0], digests[3])
    with pytest.raises(UsageError, match="no estate 'north'"):
        list_history(tmp_path, "north")
    assert "west" == compare(tmp_path, digests[2], digests[3][:8]).after.estate
    assert "east" == compare(tmp_path, "first", "latest", "east").after.estate


def test_the_list_may_end_earlier(tmp_path):
    """As of an earlier snapshot nothing that came after its day is listed; several estates need a name."""
    early = run("a")
    record_run(tmp_path, early)
    record_run(tmp_path, replace(early, id="later", started_at=early.started_at + timedelta(weeks=300)))
    made = [record_assessment(tmp_path, assessment(day(number), vm("a"))).snapshot for number in (0, 1, 2)]
    found = list_history(tmp_path, at=day(1).isoformat())
    assert made[:2] == [one.digest for one in found.snapshots]
    assert [early.id] == [one.id for one in found.runs]
    assert {early.id, "later"} == {one.id for one in list_history(tmp_path).runs}
    with pytest.raises(UsageError, match="no snapshot"):
        list_history(tmp_path, at="2001-01-01")
    record_assessment(tmp_path, assessment(day(0), vm("a"), name="west"))
    with pytest.raises(UsageError, match="knows several estates"):
        list_history(tmp_path, at="first")


def test_a_name_continues_a_history(tmp_path):
    """Estates that were collected into folders of other names are one history under one name."""
    record_assessment(tmp_path, assessment(day(0), vm("a"), name="may"), "production")
    record_assessment(tmp_path, assessment(day(1), vm("a"), name="june"), "production")
    assert ["production"] * 2 == [one.estate for one in list_history(tmp_path).snapshots]


def test_rules_that_do_not_apply_are_no_reason(tmp_path):
    """What is listed beside the reasons, such as a rule that does not apply, is not told as why."""
    lost = vm("a", tl=READY)
    standing = lost.dimensions[TL]
    aside = replace(standing.reasons[0], rule="TL009", status="not-applicable")
    beside = replace(standing, reasons=(*standing.reasons, aside))
    record_assessment(tmp_path, assessment(day(0), vm("a")))
    record_assessment(tmp_path, assessment(day(1), replace(lost, dimensions={**lost.dimensions, TL: beside})))
    assert ["TL001 IsReady (unmet)"] == [one.reason for one in compare(tmp_path, "first", "latest").changes]
