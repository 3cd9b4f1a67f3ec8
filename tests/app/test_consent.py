"""Before a wave runs live everybody has said yes who has to; on a twin nobody has to."""

import shutil
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from msgspec.structs import replace

from readiness.app.approving import approve_wave
from readiness.app.consent import insist_on_consent, insist_on_somebody_else, missing_consent
from readiness.app.estates import locate
from readiness.app.people import NOBODY_NAMED, Person, may_be_author
from readiness.app.plan import create_plan
from readiness.errors import ConsentError, JournalError, WrongDigestError
from readiness.model.context import Environment
from readiness.model.decision import Answer, Decision
from readiness.model.ids import ResourceId
from readiness.model.outage import plan_steps
from readiness.model.plan import Batch, Plan, PlannedVm, TargetKind, Wave
from readiness.model.steps import ChangeBackupPolicy, Undo
from readiness.store.approvals import Approval, approvals_of
from readiness.store.artefacts import read_plan

ANN = Person(name="ann@example.com", object_id="aaaaaaaa-0000-0000-0000-000000000000")
BEN = Person(name="ben@example.com", object_id="bbbbbbbb-0000-0000-0000-000000000000")
EVE = Person(name="eve@example.com", object_id="eeeeeeee-0000-0000-0000-000000000000")
NOW = datetime(2026, 11, 22, tzinfo=UTC)


@dataclass(frozen=True)
class Where:
    """The part of a place that consent looks at."""

    is_live: bool
    who: Person = field(default=ANN)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the plan of the starter estate."""
    made = tmp_path_factory.mktemp("plan")
    create_plan(locate("starter"), made, date(2026, 11, 22))
    return made


@pytest.fixture(scope="module")
def plan(folder: Path) -> Plan:
    """The plan of the starter estate, which somebody made who neither approves nor runs it."""
    return replace(read_plan(folder), author="kim@example.com")


def wave_with(plan: Plan, **changes: Any) -> Wave:
    """Return a wave of one production VM that can be taken back, and that no code manages."""
    vm = replace(
        plan.vms[0], **({"environment": Environment.PRODUCTION, "undo": Undo.CONFIG, "iac": ""} | changes)
    )
    return Wave(number=1, name="w", batches=(Batch(number=1, vms=(vm,)),))


def signed(plan: Plan, vm: PlannedVm, **changes: Any) -> Plan:
    """Return the plan with the sign-off of a VM's owner."""
    given = {
        "answer": Answer.APPROVE,
        "approver": "Olga Owner",
        "decided_on": date(2026, 11, 20),
        "ticket": "CHG-1",
    }
    return replace(plan, decisions=(Decision(vm=vm.id, **(given | changes)),))


def approval(plan: Plan, who: Person) -> Approval:
    """Return somebody's approval of the first wave."""
    return Approval(digest=plan.digest, wave=1, by=who.name, object_id=who.object_id, at=NOW)


def missing(plan: Plan, wave: Wave, *given: Approval) -> list[str]:
    """Return what Ann misses to run a wave."""
    return list(missing_consent(plan, wave, given, ANN))


def test_with_everybodys_word_nothing_is_missing(plan: Plan) -> None:
    """An owner's sign-off and a second person are enough for production."""
    wave = wave_with(plan)
    assert [] == missing(signed(plan, wave.vms[0]), wave, approval(plan, BEN))


@pytest.mark.parametrize(
    "changes",
    [
        {"answer": Answer.LATER},
        {"answer": None},
        {"approver": ""},
        {"decided_on": None},
        {"ticket": ""},
    ],
    ids=["rejected", "open", "approver", "date", "ticket"],
)
def test_half_a_sign_off_is_none(plan: Plan, changes: dict[str, Any]) -> None:
    """Decision, approver, date and change ticket: each of them is needed."""
    wave = wave_with(plan)
    found = missing(signed(plan, wave.vms[0], **changes), wave, approval(plan, BEN))
    assert [True] == ["has not signed" in sentence for sentence in found]


def test_the_runner_is_no_second_person(plan: Plan) -> None:
    """Whoever runs the wave cannot approve it too, under whatever name: the object id counts."""
    wave = wave_with(plan)
    renamed = replace(approval(plan, ANN), by="somebody.else@example.com", object_id=ANN.object_id.upper())
    found = missing(signed(plan, wave.vms[0]), wave, approval(plan, ANN), renamed)
    assert ["no second person approved the wave (only its author or runner did)"] == found


@pytest.mark.parametrize("author", [BEN.name.upper(), BEN.object_id])
def test_the_author_is_no_second_person(plan: Plan, author: str) -> None:
    """Whoever edited the plan cannot approve it; a third person can."""
    wave = wave_with(plan)
    edited = replace(signed(plan, wave.vms[0]), author=author)
    assert 1 == len(missing(edited, wave, approval(plan, BEN)))
    assert [] == missing(edited, wave, approval(plan, BEN), approval(plan, EVE))


def test_somebody_whom_entra_does_not_know_approves_nothing(plan: Plan) -> None:
    """An approval without an object id is good for a twin only."""
    wave = wave_with(plan)
    assert 1 == len(missing(signed(plan, wave.vms[0]), wave, approval(plan, Person(name="ben"))))


def test_what_is_not_production_goes_without(plan: Plan) -> None:
    """A development wave that can be taken back by configuration needs nobody's word."""
    assert [] == missing(plan, wave_with(plan, environment=Environment.DEVELOPMENT))


@pytest.mark.parametrize("undo", [Undo.REBUILD, Undo.NONE])
def test_a_point_of_no_return_is_signed_anywhere(plan: Plan, undo: Undo) -> None:
    """What cannot be taken back by configuration needs its owner's sign-off in any environment."""
    wave = wave_with(plan, environment=Environment.DEVELOPMENT, undo=undo)
    assert 1 == len(missing(plan, wave))
    assert [] == missing(signed(plan, wave.vms[0]), wave)


def test_infrastructure_code_is_confirmed(plan: Plan) -> None:
    """Where the next apply could replace a VM, whoever owns the code has to confirm first."""
    wave = wave_with(plan, environment=Environment.TEST, iac="Terraform (not confirmed yet)")
    assert ["Terraform (not confirmed yet)"] == [each.partition(": ")[2] for each in missing(plan, wave)]
    assert [] == missing(
        plan, wave_with(plan, environment=Environment.TEST, iac="Terraform (confirmed by x)")
    )


def test_a_live_run_is_refused_with_all_that_is_missing(plan: Plan, tmp_path: Path) -> None:
    """Every agreement that is missing is named at once; on a twin none is needed."""
    wave = wave_with(plan, iac="Bicep (not confirmed yet)")
    with pytest.raises(ConsentError, match="3 agreements are missing") as caught:
        insist_on_consent(plan, wave, tmp_path, cast(Any, Where(is_live=True)))
    assert "readiness approve PLAN --wave 1" in caught.value.remedy
    insist_on_consent(plan, wave, tmp_path, cast(Any, Where(is_live=False)))
    with pytest.raises(ConsentError, match="agreements are missing") as unnamed:
        insist_on_consent(replace(plan, author=""), wave, tmp_path, cast(Any, Where(is_live=True)))
    assert "readiness plan create ESTATE" in unnamed.value.remedy  # nobody could approve it


def test_an_approval_is_kept(folder: Path, plan: Plan, tmp_path: Path) -> None:
    """Who approved, when, which digest: one line in the state folder, and nothing of it for another wave."""
    given = approve_wave(folder, 1, plan.digest[:12], tmp_path, "seen")
    assert (given,) == approvals_of(tmp_path, plan.digest, 1)
    assert (plan.digest, "seen", "", "") == (given.digest, given.note, given.object_id, given.evidence)
    assert () == approvals_of(tmp_path, plan.digest, 2)
    assert () == approvals_of(tmp_path, "0" * 64, 1)
    approve_wave(folder, 1, None, tmp_path, "")
    assert 2 == len(approvals_of(tmp_path, plan.digest, 1))


def test_another_digest_is_not_approved(folder: Path, tmp_path: Path) -> None:
    """Whoever gives the digest that they know does not approve another plan by mistake."""
    with pytest.raises(WrongDigestError):
        approve_wave(folder, 1, "0" * 12, tmp_path, "")
    assert [] == list(tmp_path.iterdir())


def test_a_damaged_approval_is_no_approval(folder: Path, plan: Plan, tmp_path: Path) -> None:
    """A line that cannot be read is named, and nothing goes on until it is gone."""
    approve_wave(folder, 1, None, tmp_path, "")
    with (tmp_path / "approvals.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"digest": \n')
    with pytest.raises(JournalError, match=r"Line 2 of .*approvals\.jsonl is no approval"):
        approvals_of(tmp_path, plan.digest, 1)


def test_a_backup_that_moves_for_good_is_signed_anywhere(plan: Plan) -> None:
    """There is no way back to a Standard policy: its owner signs, though the outage itself can be undone."""
    item, policy = (
        ResourceId("/subscriptions/s/vault/items/i"),
        ResourceId("/subscriptions/s/vault/policies/p"),
    )
    vm = plan.waves[0].vms[0]
    moves = plan_steps((ChangeBackupPolicy(vm=vm.id, item=item, policy=policy),), stage="prepare")
    wave = wave_with(plan, environment=Environment.DEVELOPMENT, preparation=moves)
    assert Undo.CONFIG is wave.vms[0].undo
    assert ["has not signed" in sentence for sentence in missing(plan, wave)] == [True]
    assert [] == missing(signed(plan, wave.vms[0]), wave)


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The starter estate as if it had been collected from Azure."""
    folder = tmp_path_factory.mktemp("collected") / "starter"
    shutil.copytree(locate("starter"), folder)
    info = folder / "estate.json"
    info.write_text(info.read_text(encoding="utf-8").replace('"sample"', '"collected"'), encoding="utf-8")
    return folder


@pytest.mark.parametrize("author", [BEN.words, BEN.name, "Ben", BEN.object_id])
def test_who_made_a_plan_is_no_second_person(collected: Path, tmp_path: Path, author: str) -> None:
    """A plan for Azure names who made it from the beginning, by a login name too; a third person approves."""
    made = create_plan(collected, tmp_path, date(2026, 11, 22), author=author).plan
    assert (author, made) == (made.author, read_plan(tmp_path))
    wave = wave_with(made)
    plan = signed(made, wave.vms[0])
    assert ["no second person approved the wave (only its author or runner did)"] == missing(
        plan, wave, approval(plan, BEN)
    )
    assert [] == missing(plan, wave, approval(plan, EVE))


def test_who_made_a_plan_cannot_approve_it(collected: Path, tmp_path: Path) -> None:
    """On Azure itself its author's approval is refused at once, and nobody else's."""
    made = create_plan(collected, tmp_path, date(2026, 11, 22), author="ben").plan
    with pytest.raises(ConsentError, match="ben made this plan, and cannot be its second person"):
        insist_on_somebody_else(made, BEN)
    insist_on_somebody_else(made, EVE)
    insist_on_somebody_else(replace(made, target=replace(made.target, kind=TargetKind.TWIN)), BEN)


def test_a_plan_for_a_twin_is_the_same_whoever_makes_it(tmp_path: Path) -> None:
    """Nobody has to approve it, so that nobody stands in it: one digest for everybody."""
    made = [
        create_plan(locate("starter"), tmp_path / who, date(2026, 11, 22), author=who).plan
        for who in ("ann", "ben")
    ]
    assert made[0] == made[1]


@pytest.mark.parametrize(("who", "name"), [(ANN, "ann"), (BEN, BEN.words), (EVE, "EVE@example.com")])
def test_who_made_it_may_be_told_in_many_ways(who: Person, name: str) -> None:
    """A login name, a name of Entra, and a name with its object id all mean the same person, and no other."""
    for other in (ANN, BEN, EVE):
        assert (other is who) is may_be_author(name, other.name, other.object_id)
    assert not may_be_author("", who.name, who.object_id)


@pytest.mark.parametrize(
    "author",
    ["", "  ", "; ", "; kim@example.com", f"{NOBODY_NAMED}; kim@example.com", "user 1000", "kim;user 0"],
)
def test_a_plan_of_nobody_has_no_second_person(collected: Path, tmp_path: Path, author: str) -> None:
    """Where nobody knows who made a plan, its approver could be its author: production does not run live."""
    made = replace(create_plan(collected, tmp_path, date(2026, 11, 22), author="kim").plan, author=author)
    wave = wave_with(made)
    with pytest.raises(ConsentError, match="the plan does not say who made it") as refused:
        insist_on_somebody_else(made, BEN, wave)
    assert "readiness plan create ESTATE" in refused.value.remedy
    with pytest.raises(ConsentError, match="the plan does not say who made it"):
        insist_on_somebody_else(made, BEN)
    assert [True] == [
        "does not say who made it" in one
        for one in missing(signed(made, wave.vms[0]), wave, approval(made, BEN))
    ]


def test_where_no_second_person_is_needed_no_author_is(collected: Path, tmp_path: Path) -> None:
    """A development wave, and a plan for a twin, may have been made by anybody."""
    made = replace(create_plan(collected, tmp_path, date(2026, 11, 22), author="kim").plan, author="")
    wave = wave_with(made, environment=Environment.DEVELOPMENT)
    insist_on_somebody_else(made, BEN, wave)
    assert [] == missing(made, wave)
    on_twin = replace(made, target=replace(made.target, kind=TargetKind.TWIN))
    insist_on_somebody_else(on_twin, BEN, wave_with(made))


@pytest.mark.parametrize(
    ("author", "name"),
    [
        ("ann@contoso.com", "ann_contoso.com#EXT#@tenant.onmicrosoft.com"),
        ("ann_contoso.com#EXT#@tenant.onmicrosoft.com", "Ann@Contoso.com"),
        ("ann_contoso.com#ext#@tenant.onmicrosoft.com", "ANN_CONTOSO.COM#EXT#@OTHER.ONMICROSOFT.COM"),
        ("ann_lee@contoso.com", "ann_lee_contoso.com#EXT#@tenant.onmicrosoft.com"),
        ("ann", "ann_contoso.com#EXT#@tenant.onmicrosoft.com"),
        ("CONTOSO\\ann", "ann@contoso.com"),
        ("ann@example.com", "live.com#Ann@example.com"),
        (" ann@contoso.com ", "ann@contoso.com"),
        ("kim; ann@contoso.com", "ann_contoso.com#EXT#@tenant.onmicrosoft.com"),
        ("kim;ann@contoso.com", "ann@contoso.com"),
    ],
)
def test_a_guest_is_the_person_it_is_at_home(plan: Plan, author: str, name: str) -> None:
    """Nobody approves an own plan as a guest, in other letters, or behind a login name."""
    ann = Person(name=name, object_id=ANN.object_id)
    wave = wave_with(plan)
    made = replace(signed(plan, wave.vms[0]), author=author)
    given = (approval(plan, ann),)
    assert may_be_author(author, name, ann.object_id)
    assert 1 == len(list(missing_consent(made, wave, given, BEN)))
    assert Person(name=author).is_same_as(name) is ("@" in author and ";" not in author)


@pytest.mark.parametrize(
    ("author", "name"),
    [
        ("ann@contoso.com", "ann_fabrikam.com#EXT#@tenant.onmicrosoft.com"),
        ("lee@contoso.com", "ann_lee_contoso.com#EXT#@tenant.onmicrosoft.com"),
        ("ann@contoso.com", "ann@contoso.com.example"),
    ],
)
def test_a_namesake_elsewhere_is_somebody_else(author: str, name: str) -> None:
    """The same name at another company is another person."""
    assert not may_be_author(author, name, ANN.object_id)


def test_the_object_id_wins_over_the_name() -> None:
    """Where both are known to Entra, names tell nothing: people change theirs, and inherit others'."""
    renamed = Person(name="ann.married@example.com", object_id=ANN.object_id.upper())
    assert may_be_author(ANN.words, renamed.name, renamed.object_id)
    assert not may_be_author(ANN.words, ANN.name, BEN.object_id)
    assert not ANN.is_same_as(ANN.name, BEN.object_id)
