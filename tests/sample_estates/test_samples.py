"""Every sample estate loads, is consistent, and is judged as its `expected.json` says it has to be."""

import json
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from readiness.app.assess import assess
from readiness.app.endpoints import seed_of
from readiness.app.estates import load, locate
from readiness.app.exceptions import check
from readiness.model.assessment import Assessment
from readiness.model.ids import ResourceId
from readiness.twin.clock import VirtualClock
from readiness.twin.core import Twin
from sample_estates.generator.samples.catalog import ALL_SAMPLES
from sample_estates.generator.samples.expectation import disagreements, expectation, observed
from tests.sample_estates.references import dangling_of

ALL = ("bank", "clean_shop", "everything_wrong", "legacy", "starter")
LARGEST = 1_200_000
OWN_FILES = ("context.yaml", "estate.json", "resources.jsonl")


def _expected(name: str) -> dict[str, Any]:
    return json.loads((locate(name) / "expected.json").read_text(encoding="utf-8"))


@cache
def _assessed(name: str) -> Assessment:
    return assess(locate(name), date.fromisoformat(_expected(name)["as_of"]))


def _resources(name: str) -> list[dict[str, Any]]:
    lines = (locate(name) / "resources.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize("build", ALL_SAMPLES, ids=lambda build: build.__module__.rpartition(".")[2])
def test_committed_files_are_what_their_module_writes(build: Any, tmp_path: Path) -> None:
    """Nobody has changed a sample estate by hand, or its module without writing it again."""
    sample = build()
    folder = tmp_path / sample.name
    sample.write(folder)
    written = {name: (folder / name).read_text(encoding="utf-8") for name in OWN_FILES}
    committed = {name: (locate(sample.name) / name).read_text(encoding="utf-8") for name in OWN_FILES}
    assert committed == written
    assert expectation(sample, folder) == _expected(sample.name)


@pytest.mark.parametrize("name", ALL)
def test_classes_are_the_ones_that_people_wrote(name: str) -> None:
    """The rules agree with the classes that people wrote beside each machine, from Azure's documents."""
    assert [] == list(disagreements(_expected(name), locate(name)))


@pytest.mark.parametrize("name", ALL)
def test_judgement_is_the_expected_one(name: str) -> None:
    """Every VM and subscription has the classes, the level and the open controls that were reviewed."""
    expected = _expected(name)
    found = observed(_assessed(name))
    assert expected["level"] == found["level"]
    assert expected["subscriptions"] == found["subscriptions"]
    reviewed = {vm: _without_words(entry) for vm, entry in expected["vms"].items()}
    differing = {
        vm: (reviewed.get(vm), found["vms"].get(vm))
        for vm in reviewed | found["vms"]
        if reviewed.get(vm) != found["vms"].get(vm)
    }
    assert {} == differing


def _without_words(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key != "why"}


@pytest.mark.parametrize("name", ["clean_shop", "bank"])
def test_good_estates_climb_the_ladder(name: str) -> None:
    """The levels can be reached by an estate that does what they ask for, not on paper alone."""
    entries = [entry["level"] for entry in _expected(name)["vms"].values() if "level" in entry]
    assert {1, 2, 3} == {raw for raw, _ in entries}
    assert any(permitted > raw for raw, permitted in entries), "no exception lifts anybody"


EXPIRED_ON_PURPOSE = {"bank": {"EX-2024-090", "EX-2024-118"}}
"""The bank's story: two exceptions ran out in September, and nobody met their rules or renewed them."""


@pytest.mark.parametrize("name", ALL)
def test_exceptions_are_the_ones_that_the_check_accepts(name: str) -> None:
    """The register of a shipped estate has no mistake but what it is there to show: exceptions that ended."""
    found = check(locate(name), date.fromisoformat(_expected(name)["as_of"]))
    expected = {(entry, "Expired") for entry in EXPIRED_ON_PURPOSE.get(name, ())}
    assert expected == {(fault.exception, fault.reason) for fault in found.faults}


@pytest.mark.parametrize("name", ["clean_shop", "bank"])
def test_whole_collections_leave_little_unknown(name: str) -> None:
    """Where everything was asked for, what is not known of a subscription is what only people can say."""
    unknown = {
        control
        for entry in _expected(name)["subscriptions"].values()
        for control in entry.get("unknown", "").split()
    }
    assert unknown <= {"AC-8", "AC-10", "DF-4", "GV-3", "NW-7"}


@pytest.mark.parametrize("name", ["clean_shop", "bank"])
def test_whole_collections_asked_for_every_type_they_hold(name: str) -> None:
    """An estate that was collected in full lists each type of which it has something."""
    listed = {kind.lower() for kind in load(locate(name)).info.listed_types}
    assert set() == {entry["type"].lower() for entry in _resources(name)} - listed


@pytest.mark.parametrize("name", ALL)
def test_every_vm_is_accounted_for(name: str) -> None:
    """What was found is classified, excluded or unknown, in every subscription."""
    assessment = _assessed(name)
    assert [True] * len(assessment.coverage) == [entry.adds_up for entry in assessment.coverage]
    assert len(_expected(name)["unread"]) == sum(entry.unknown for entry in assessment.coverage)


@pytest.mark.parametrize("name", ALL)
def test_unread_vms_are_the_ones_that_were_meant(name: str) -> None:
    """A VM that nobody can understand is named among the gaps, and no other is."""
    gaps = {ResourceId(gap.resource) for gap in _assessed(name).gaps if gap.is_vm}
    assert {ResourceId(vm) for vm in _expected(name)["unread"]} == gaps


@pytest.mark.parametrize("name", ALL)
def test_references_lead_somewhere(name: str) -> None:
    """Whatever a resource refers to exists, unless the sample says that it is missing on purpose."""
    meant = {entry.lower() for entry in _expected(name)["dangling"]}
    assert set() == dangling_of(_resources(name)) - meant


@pytest.mark.parametrize("name", ALL)
def test_nothing_is_missing_that_is_said_to_be(name: str) -> None:
    """A reference that is meant to lead nowhere does so; a list that has grown stale hides mistakes."""
    meant = {entry.lower() for entry in _expected(name)["dangling"]}
    known = {str(entry.get("id", "")).lower() for entry in _resources(name)}
    assert set() == meant & known


@pytest.mark.parametrize("name", ["bank", "clean_shop", "legacy", "starter"])
def test_what_is_there_was_there_on_the_day_of_the_collection(name: str) -> None:
    """Nothing was made, changed or seen after the estate was collected."""
    collected = load(locate(name)).info.collected_at.isoformat()
    moments = [moment for entry in _resources(name) for moment in _past(entry)]
    assert moments
    assert [] == [moment for moment in moments if moment[:19] > collected[:19]]


_PAST = ("timeCreated", "lastBackupTime", "lastModifiedDateTime", "publishedDate", "statusChangeDate")


def _past(value: Any) -> list[str]:
    if isinstance(value, list):
        return [moment for entry in value for moment in _past(entry)]
    if not isinstance(value, dict):
        return []
    own = [value[key] for key in _PAST if isinstance(value.get(key), str)]
    return own + [moment for entry in value.values() for moment in _past(entry)]


@pytest.mark.parametrize("name", ALL)
def test_resources_are_small_enough_to_read(name: str) -> None:
    """A sample stays a file that an editor opens."""
    size = (locate(name) / "resources.jsonl").stat().st_size
    assert size <= LARGEST, f"{name}: {size:,} bytes"


@pytest.mark.parametrize("name", ALL)
def test_a_twin_can_be_made_of_it(name: str) -> None:
    """The twin starts from every sample, the odd one included, and knows all its VMs."""
    estate = load(locate(name))
    twin = Twin(seed_of(locate(name)), clock=VirtualClock(estate.info.collected_at))
    assert twin is not None


def test_oddities_change_nothing_for_their_neighbours() -> None:
    """The machines before and after all the oddities are judged as if there were none."""
    vms = {vm.name: vm for vm in _assessed("everything_wrong").vms}
    first, last = (
        {dimension: standing.classification for dimension, standing in vms[name].dimensions.items()}
        for name in ("ew-a-plain-01", "ew-z-plain-01")
    )
    assert first == last
