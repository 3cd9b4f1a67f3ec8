"""Collecting an estate from a twin of itself: the same machines, the same assessment, and a whole folder."""

import json
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from readiness.app.collecting import Collection, CollectReport, CollectRequest
from readiness.app.estates import load, locate
from readiness.app.judging import judge_all
from readiness.errors import CloudError, UsageError
from readiness.model.assessment import Assessment
from readiness.model.estate_info import Origin
from readiness.model.plan import TargetKind
from readiness.planner.build import Request, build_plan
from readiness.planner.policy import Policy
from readiness.rules.evaluate import evaluate
from readiness.store.estate_files import read_gaps, read_info, read_resources
from readiness.store.work_folder import NAME, Job, WorkFolder

AS_OF = date(2026, 11, 2)
WELL_FORMED = ("starter", "bank", "clean_shop", "legacy")
NEVER_READ = {
    # Made up, and of no type that anything reads.
    "/subscriptions/2d3f2b51-54b0-4e21-a5cf-85994b6ad335/resourcegroups/rg-odd/providers/invented.service/things/one",
}
NEVER_ASKED = ("/recoverypoints/", "/vaults/kv-odd-hsm/keys/", "/vaults/kv-odd-keyless/keys/")
"""Recovery points are one request an item; the keys are of vaults that no encryption set names."""
COMPLETED = {
    # A twin is a working Azure: it makes up what these seeds leave out or garble (agents, states, systems,
    # whole properties), and reads nobody's gaps. Recovery points are one request an item, and not asked for.
    # Encryption in the guest comes back with a status before it: another path in the same evidence.
    *(
        "ew-ade-04",
        "ew-ade-05",
        "ew-ade-07",
        "ew-bare-01",
        "ew-frozen-01",
        "ew-g1-agent",
        "ew-g1-strange",
        "ew-image-01",
    ),
    *("ew-key-attic", "ew-key-stateless", "ew-list-01", "ew-nulls-01", "ew-stateless-01", "ew-twice-01"),
    *("at-policy-01", "ew-unread-01"),
}


def collected(to: Path, **more: Any) -> CollectReport:
    """Collect from a twin of a sample estate."""
    request = {"twin": locate("starter"), "to": to} | more
    return Collection(CollectRequest(**request)).execute()


def ids(folder: Path) -> set[str]:
    """Return the ids of an estate's resources; sizes have none."""
    found = {str(resource.get("id", "")).lower() for _, resource in read_resources(folder)}
    return {each for each in found if each and "/providers/microsoft.compute/skus/" not in each}


def assessed(folder: Path) -> Assessment:
    """Assess an estate."""
    estate = load(folder)
    return evaluate(estate, as_of=AS_OF, release="test", judged=judge_all(estate, AS_OF))


def copied(name: str, to: Path, listed: Any) -> Path:
    """Return a copy of a sample estate that claims to have asked for what a collection asks for."""
    shutil.copytree(locate(name), to)
    info = json.loads((to / "estate.json").read_text(encoding="utf-8"))
    (to / "estate.json").write_text(json.dumps(info | {"listed_types": listed}), encoding="utf-8")
    return to


def both(name: str, tmp_path: Path) -> tuple[Path, Path]:
    """Collect a sample estate, and return it as it was and as it was collected, with the same context."""
    to = tmp_path / "collected"
    report = collected(to, twin=locate(name))
    source = copied(name, tmp_path / "source", list(report.listed_types))
    for file in ("context.yaml", "dependencies.csv"):
        if (source / file).exists():
            shutil.copy(source / file, to / file)
    return source, to


@pytest.mark.parametrize("name", WELL_FORMED)
def test_what_is_collected_is_what_there_is(name: str, tmp_path: Path) -> None:
    """Every resource comes back; more are only what a seed implies, and features nobody registered."""
    source, to = both(name, tmp_path)
    assert set() == ids(source) - ids(to)
    more = ids(to) - ids(source)
    # Groups of resources, and extensions that stand inside their machine alone.
    implied = ("resourcegroups", "extensions", "features")
    assert {each.split("/")[-2] for each in more} <= {*implied}
    assert () == read_gaps(to)


@pytest.mark.parametrize("name", WELL_FORMED)
def test_what_is_collected_is_assessed_alike(name: str, tmp_path: Path) -> None:
    """Each machine stands where it stood, with the same reasons, evidence, controls and level."""
    source, to = map(assessed, both(name, tmp_path))
    assert source.vms == to.vms
    assert source.summary == to.summary
    assert sorted(source.coverage, key=repr) == sorted(to.coverage, key=repr)


def test_an_estate_of_oddities_loses_no_machine(tmp_path: Path) -> None:
    """Of an estate that is wrong in every way, all machines come back; who differs is named above."""
    source, to = both("everything_wrong", tmp_path)
    missing = {each for each in ids(source) - ids(to) if not any(part in each for part in NEVER_ASKED)}
    assert NEVER_READ == missing
    before, after = ({vm.id: vm for vm in assessed(folder).vms} for folder in (source, to))
    assert set() == set(before) - set(after)
    differing = {vm.name.lower() for vm in after if before.get(vm) != after[vm]}
    assert COMPLETED >= differing


def test_a_plan_of_what_a_twin_told_never_runs_live(tmp_path: Path) -> None:
    """Whatever the twin was made of, also of a real estate, the plan's target is a twin."""
    from playbooks.catalog import ALL_PLAYBOOKS

    real = copied("starter", tmp_path / "real", [])
    info = json.loads((real / "estate.json").read_text(encoding="utf-8"))
    (real / "estate.json").write_text(json.dumps(info | {"origin": "collected"}), encoding="utf-8")
    collected(tmp_path / "to", twin=real)
    assert Origin.GENERATED is read_info(tmp_path / "to").origin
    estate = load(tmp_path / "to")
    assessment = evaluate(estate, as_of=AS_OF, release="test", judged=judge_all(estate, AS_OF))
    plan = build_plan(Request(estate=estate, assessment=assessment, playbooks=ALL_PLAYBOOKS, policy=Policy()))
    assert TargetKind.TWIN is plan.target.kind


def test_what_people_added_stays(tmp_path: Path) -> None:
    """context.yaml and dependencies.csv of an estate that is collected again are not touched."""
    to = tmp_path / "to"
    collected(to)
    (to / "context.yaml").write_text("format: readiness/context/1\n", encoding="utf-8")
    (to / "dependencies.csv").write_text("source,target\n", encoding="utf-8")
    collected(to)
    assert "format: readiness/context/1\n" == (to / "context.yaml").read_text(encoding="utf-8")
    assert "source,target\n" == (to / "dependencies.csv").read_text(encoding="utf-8")
    assert not (to / NAME).exists()


def faults(tmp_path: Path, *entries: dict[str, Any]) -> Path:
    """Write a file of scripted trouble."""
    file = tmp_path / "faults.json"
    file.write_text(json.dumps({"format": "readiness/faults/1", "faults": entries}), encoding="utf-8")
    return file


def test_a_collection_that_breaks_off_goes_on(tmp_path: Path) -> None:
    """The estate from before stays whole, and the second attempt asks only for what was not read."""
    to, whole = tmp_path / "to", collected(tmp_path / "to")
    before = (to / "resources.jsonl").read_bytes()
    work = _broken_off(to)
    assert before == (to / "resources.jsonl").read_bytes()
    assert any(work.glob("graph-resources-0.*"))
    report = collected(to, resume=True)
    assert report.requests < whole.requests
    assert (whole.resources, ()) == (report.resources, report.gaps)
    assert before == (to / "resources.jsonl").read_bytes()
    assert not work.exists()


def _broken_off(to: Path) -> Path:
    """Break a collection off after its first page of resources, as somebody who presses Ctrl+C does."""

    def tick(what: str, done: int, _of: int | None) -> None:
        if what.startswith("Resource Graph") and done > 5:
            raise KeyboardInterrupt

    collection = Collection(CollectRequest(to=to, twin=locate("starter")))
    with pytest.raises(KeyboardInterrupt):
        collection.execute(tick)
    return to / NAME


def test_going_on_with_something_else_is_refused(tmp_path: Path) -> None:
    """Pages of one scope are never mixed with those of another, nor with those of another day."""
    _broken_off(tmp_path / "to")
    with pytest.raises(UsageError, match="something else") as raised:
        collected(tmp_path / "to", resume=True, management_groups=("mg",))
    assert "management_groups" in raised.value.details
    job = Job(asked={}, started_at=datetime(2026, 11, 2, tzinfo=UTC))
    WorkFolder.open(tmp_path / "old", job, resume=False)
    later = Job(asked={}, started_at=job.started_at + timedelta(days=1, seconds=1))
    with pytest.raises(UsageError, match="2026-11-02"):
        WorkFolder.open(tmp_path / "old", later, resume=True)
    with pytest.raises(UsageError, match="no collection to go on with"):
        collected(tmp_path / "new", resume=True)


def test_what_is_refused_is_a_gap_of_the_estate(tmp_path: Path) -> None:
    """The estate is written, says what it lacks, and rules answer unknown where they need it."""
    denied = {"kind": "denied", "operation": "locks/read"}
    report = collected(tmp_path / "to", faults=faults(tmp_path, denied))
    assert ["Forbidden"] == [gap.reason for gap in report.gaps]
    assert report.gaps == read_gaps(tmp_path / "to")
    assert "Microsoft.Authorization/locks" not in read_info(tmp_path / "to").listed_types
    reasons = {
        finding.reason
        for vm in assessed(tmp_path / "to").vms
        for standing in vm.dimensions.values()
        for finding in standing.reasons
    }
    assert "LocksNotRead" in reasons


def test_nothing_is_left_where_nothing_could_be_read(tmp_path: Path) -> None:
    """A first collection that is refused altogether leaves no folder behind."""
    refused = {"kind": "denied", "operation": "resources/read"}
    with pytest.raises(CloudError):
        collected(tmp_path / "to", faults=faults(tmp_path, refused))
    assert not (tmp_path / "to").exists()


def test_real_and_invented_estates_do_not_replace_each_other(tmp_path: Path) -> None:
    """A twin is not collected over a real estate, nor Azure over an invented one."""
    collected(tmp_path / "invented")
    subscription = ("11111111-1111-1111-1111-111111111111",)
    with pytest.raises(UsageError, match="another kind"):
        Collection(CollectRequest(to=tmp_path / "invented", subscriptions=subscription))
    real = copied("starter", tmp_path / "real", [])
    info = json.loads((real / "estate.json").read_text(encoding="utf-8"))
    (real / "estate.json").write_text(json.dumps(info | {"origin": "imported"}), encoding="utf-8")
    with pytest.raises(UsageError, match="another kind"):
        collected(real)
    with pytest.raises(UsageError, match="twin is made of"):
        collected(tmp_path / "invented", twin=tmp_path / "invented")
