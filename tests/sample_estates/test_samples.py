"""Every sample estate loads, is consistent, and is judged as its `expected.json` says it has to be."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from readiness.app.assess import assess
from readiness.app.endpoints import seed_of
from readiness.app.estates import load, locate
from readiness.model.assessment import Assessment
from readiness.model.ids import ResourceId
from readiness.twin.clock import VirtualClock
from readiness.twin.core import Twin
from sample_estates.generator.samples.catalog import ALL_SAMPLES
from tests.sample_estates.references import dangling_of

MADE = ("bank", "clean_shop", "everything_wrong", "legacy")
ALL = (*MADE, "starter")
LARGEST = 1_200_000

DISPUTED: set[tuple[str, str, str]] = set()
"""Where the rules say something else: estate, VM, dimension. The expectation stays, the rule has to move."""


def _expected(name: str) -> dict[str, Any]:
    return json.loads((locate(name) / "expected.json").read_text(encoding="utf-8"))


def _assessed(name: str) -> Assessment:
    day = _expected(name)["as_of"] if name in MADE else "2026-11-02"
    return assess(locate(name), date.fromisoformat(day))


@pytest.mark.parametrize("build", ALL_SAMPLES, ids=lambda build: build.__module__.rpartition(".")[2])
def test_committed_files_are_what_their_module_writes(build: Any, tmp_path: Path) -> None:
    """Nobody has changed a sample estate by hand, or its module without writing it again."""
    sample = build()
    sample.write(tmp_path / sample.name)
    written = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / sample.name).iterdir()}
    committed = {path.name: path.read_text(encoding="utf-8") for path in locate(sample.name).iterdir()}
    assert committed == written


@pytest.mark.parametrize("name", MADE)
def test_judgement_is_the_expected_one(name: str) -> None:
    """Every VM stands where its sample says, in every dimension, and the rest is on the open list."""
    wanted = {
        (ResourceId(vm), dimension): given
        for vm, entry in _expected(name)["vms"].items()
        for dimension, given in entry.items()
        if dimension != "why"
    }
    found: dict[tuple[ResourceId, str], str | None] = {}
    for vm in _assessed(name).vms:
        found[vm.id, "excluded"] = vm.excluded.partition(":")[0] if vm.excluded else None
        found |= {
            (vm.id, dimension.value): standing.classification.value
            for dimension, standing in vm.dimensions.items()
        }
    differing = {(name, key[0].name, key[1]) for key in wanted | found if wanted.get(key) != found.get(key)}
    assert {entry for entry in DISPUTED if entry[0] == name} == differing


@pytest.mark.parametrize("name", ALL)
def test_every_vm_is_accounted_for(name: str) -> None:
    """What was found is classified, excluded or unknown, in every subscription."""
    assessment = _assessed(name)
    assert [True] * len(assessment.coverage) == [entry.adds_up for entry in assessment.coverage]
    unread = len(_expected(name)["unread"]) if name in MADE else 0
    assert unread == sum(entry.unknown for entry in assessment.coverage)


@pytest.mark.parametrize("name", MADE)
def test_unread_vms_are_the_ones_that_were_meant(name: str) -> None:
    """A VM that nobody can understand is named among the gaps, and no other is."""
    gaps = {ResourceId(gap.resource) for gap in _assessed(name).gaps if gap.is_vm}
    assert {ResourceId(vm) for vm in _expected(name)["unread"]} == gaps


@pytest.mark.parametrize("name", ALL)
def test_references_lead_somewhere(name: str) -> None:
    """Whatever a resource refers to exists, unless the sample says that it is missing on purpose."""
    lines = (locate(name) / "resources.jsonl").read_text(encoding="utf-8").splitlines()
    resources = [json.loads(line) for line in lines]
    meant = {entry.lower() for entry in _expected(name)["dangling"]} if name in MADE else set()
    assert set() == dangling_of(resources) - meant


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
