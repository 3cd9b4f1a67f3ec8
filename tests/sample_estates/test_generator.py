"""Generated estates: as many VMs as asked for, the same bytes every time, and nothing that leads nowhere."""

import json
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from readiness.app.assess import assess
from readiness.app.generate import GenerateRequest, generate
from readiness.cli.main import readiness
from readiness.errors import UsageError
from readiness.model.estate_info import Origin
from tests.sample_estates.references import dangling_of

AS_OF = "2026-11-02"
SIZES = st.integers(min_value=1, max_value=160)
SEEDS = st.integers(min_value=-5, max_value=10_000)


def _made(folder: Path, vms: int, seed: int = 1, subscriptions: int | None = None) -> list[dict[str, Any]]:
    generate(GenerateRequest(vms=vms, seed=seed, to=folder, subscriptions=subscriptions))
    lines = (folder / "resources.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def _vms(resources: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [entry for entry in resources if entry["type"].lower() == "microsoft.compute/virtualmachines"]


@given(vms=SIZES, seed=SEEDS, subscriptions=st.sampled_from([None, 1, 2, 5]))
@settings(max_examples=15)
def test_estate_is_whole(vms: int, seed: int, subscriptions: int | None) -> None:
    """There are as many VMs as asked for, no id occurs twice, and every reference leads somewhere."""
    with TemporaryDirectory() as folder:
        resources = _made(Path(folder) / "estate", vms, seed, subscriptions)
    assert vms == len(_vms(resources))
    ids = [entry["id"].lower() for entry in resources]
    assert sorted(set(ids)) == sorted(ids)
    assert set() == dangling_of(resources)


@pytest.mark.parametrize("seed", [1, 2, 77])
def test_same_numbers_give_the_same_bytes(tmp_path: Path, seed: int) -> None:
    """Two runs with one seed write the same files; another seed writes others."""
    for name, number in (("one", seed), ("two", seed), ("three", seed + 1)):
        generate(GenerateRequest(vms=120, seed=number, to=tmp_path / name))
    one, two, three = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()}
        for name in ("one", "two", "three")
    )
    assert one == two
    assert one["resources.jsonl"] != three["resources.jsonl"]


@pytest.mark.parametrize("vms", [1, 9, 150, 400])
def test_generated_estate_can_be_assessed(tmp_path: Path, vms: int) -> None:
    """It loads with its context and dependencies, every VM is accounted for, and nothing is malformed."""
    generate(GenerateRequest(vms=vms, seed=3, to=tmp_path))
    assessment = assess(tmp_path, date.fromisoformat(AS_OF))
    assert Origin.GENERATED == assessment.estate.origin
    assert vms == len(assessment.vms)
    assert [True] * len(assessment.coverage) == [entry.adds_up for entry in assessment.coverage]
    assert () == assessment.gaps


def test_proportions_are_those_of_real_estates(tmp_path: Path) -> None:
    """About 70 % Linux, a quarter generation 1, six in a hundred off, and about six resources a VM."""
    resources = _made(tmp_path, 2000, seed=11)
    vms = _vms(resources)
    disks = [entry["properties"] for entry in resources if entry["type"] == "Microsoft.Compute/disks"]
    systems = [entry for entry in disks if "osType" in entry]
    shares = {
        "linux": sum(entry["osType"] == "Linux" for entry in systems) / len(vms),
        "generation 1": sum(entry["hyperVGeneration"] == "V1" for entry in systems) / len(vms),
        "off": sum(entry["diskState"] == "Reserved" for entry in systems) / len(vms),
        "scale set": sum("virtualMachineScaleSet" in entry["properties"] for entry in vms) / len(vms),
        "resources": len(resources) / len(vms),
    }
    limits = {
        "linux": (0.62, 0.78),
        "generation 1": (0.18, 0.32),
        "off": (0.04, 0.08),
        "scale set": (0.01, 0.06),
        "resources": (4.5, 6.5),
    }
    outside = {
        name: share for name, share in shares.items() if not limits[name][0] <= share <= limits[name][1]
    }
    assert {} == outside


def test_a_few_generated_vms_stand_on_the_upper_levels(tmp_path: Path) -> None:
    """Every level has somebody on it: a few in a hundred on Levels 2 and 3, most on Level 1."""
    generate(GenerateRequest(vms=2500, seed=7, to=tmp_path))
    vms = assess(tmp_path, date.fromisoformat(AS_OF)).vms
    reached = [vm.level.raw.value for vm in vms if vm.level]
    shares = {level: reached.count(level) / len(reached) for level in range(4)}
    limits = {0: (0.05, 0.30), 1: (0.65, 0.94), 2: (0.005, 0.08), 3: (0.005, 0.08)}
    outside = {
        level: share for level, share in shares.items() if not limits[level][0] <= share <= limits[level][1]
    }
    assert {} == outside


def test_folder_that_holds_something_is_refused(tmp_path: Path) -> None:
    """Nothing that is there is replaced."""
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError) as refused:
        generate(GenerateRequest(vms=5, seed=1, to=tmp_path))
    assert f"The folder '{tmp_path}' is not empty." == refused.value.brief
    assert ["notes.txt"] == [path.name for path in tmp_path.iterdir()]


def test_command_says_what_it_wrote(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Standard output stays empty; folder and counts go to standard error, without a progress line."""
    folder = tmp_path / "estate"
    readiness.main(["generate", "--vms", "30", "--seed", "4", "--to", str(folder)], standalone_mode=False)
    written = capsys.readouterr()
    count = len((folder / "resources.jsonl").read_text(encoding="utf-8").splitlines())
    assert ("", f"Written: {folder} (30 VMs, {count} resources)\n") == (written.out, written.err)
