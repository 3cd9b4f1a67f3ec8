"""Plans on disk: what was written is what is read, and nothing else passes for it."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from readiness.errors import PlanError, UsageError
from readiness.model.plan import Plan, digest_as_written, digest_of
from readiness.store.artefacts import keep_plan, read_plan, write_plan, write_whole
from tests.reports.plans import small_estate


@pytest.fixture
def plan() -> Plan:
    """A plan with a true digest."""
    return replace(small_estate(), digest=digest_of(small_estate()))


def edited(file: Path, **changes: Any) -> Path:
    """Change keys of a plan's file by hand."""
    document = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps(document | changes, indent=2), encoding="utf-8")
    return file


def test_a_plan_comes_back(tmp_path: Path, plan: Plan) -> None:
    """A plan is read back whole, from its folder, its own file and the copy of the newest."""
    copy = write_plan(tmp_path, plan)
    own = tmp_path / f"plan-{plan.approval}.json"
    assert tmp_path / "plan.json" == copy
    assert [plan] * 3 == [read_plan(place) for place in (tmp_path, copy, own)]


def test_the_newest_plan_is_the_one_of_the_folder(tmp_path: Path, plan: Plan) -> None:
    """A second plan takes the folder's name over; the first keeps its own file."""
    other = replace(plan, lower_bound=1)
    other = replace(other, digest=digest_of(other))
    write_plan(tmp_path, plan)
    write_plan(tmp_path, other)
    assert other == read_plan(tmp_path)
    assert plan == read_plan(tmp_path / f"plan-{plan.approval}.json")


def test_layout_is_not_content(tmp_path: Path, plan: Plan) -> None:
    """A plan that an editor laid out anew is still the plan."""
    assert plan == read_plan(edited(write_plan(tmp_path, plan)))


@pytest.mark.parametrize(
    "change",
    [
        {"lower_bound": 1},
        {"as_of": "2026-11-23"},
        {"left_out": []},
        {"waves": []},
        {"digest": "0" * 64},
        {"release": "9.9"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_an_altered_plan_is_refused(tmp_path: Path, plan: Plan, change: dict[str, Any]) -> None:
    """Whatever was changed by hand, the digest does not fit any more."""
    file = edited(write_plan(tmp_path, plan), **change)
    with pytest.raises(PlanError) as caught:
        read_plan(file)
    assert f"{file} was altered after it was made." == caught.value.brief
    assert "planning" in caught.value.remedy


def test_a_target_is_part_of_the_plan(tmp_path: Path, plan: Plan) -> None:
    """A plan for a twin cannot be turned into one for live Azure by an editor."""
    file = write_plan(tmp_path, plan)
    target = json.loads(file.read_text(encoding="utf-8"))["target"]
    with pytest.raises(PlanError, match="altered"):
        read_plan(edited(file, target=target | {"kind": "live"}))


@pytest.mark.parametrize("kind", ["readiness/plan/2", "readiness/estate/1", "", None])
def test_another_format_is_refused(tmp_path: Path, plan: Plan, kind: str | None) -> None:
    """A plan of another format is refused with the advice to use the release that made it."""
    file = write_plan(tmp_path, plan)
    with pytest.raises(PlanError) as caught:
        read_plan(edited(file, format=kind))
    assert PlanError.exit_code == caught.value.exit_code
    assert caught.value.remedy


def test_a_newer_format_names_the_release(tmp_path: Path, plan: Plan) -> None:
    """What a release to come wrote is told by its format, and by what to do."""
    file = edited(write_plan(tmp_path, plan), format="readiness/plan/2", something="new")
    with pytest.raises(PlanError) as caught:
        read_plan(file)
    assert f"{file} has format 'readiness/plan/2'; this release reads readiness/plan/1." == caught.value.brief
    assert "release" in caught.value.remedy


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"format": 1}', b"a plan, surely", b"\x00" * 64]
)
def test_what_is_no_plan_is_refused(tmp_path: Path, content: bytes) -> None:
    """A file that is no plan is refused with its name and a remedy."""
    file = tmp_path / "plan.json"
    file.write_bytes(content)
    with pytest.raises(PlanError, match="is not a plan") as caught:
        read_plan(tmp_path)
    assert str(file) in caught.value.brief
    assert "plan create" in caught.value.remedy


@pytest.mark.parametrize("change", [{"inventory": "many"}, {"waves": [{}]}, {"target": None}], ids=str)
def test_a_damaged_plan_is_refused(tmp_path: Path, plan: Plan, change: dict[str, Any]) -> None:
    """A plan that lost something is refused, with the place of the damage."""
    file = edited(write_plan(tmp_path, plan), **change)
    with pytest.raises(PlanError, match="is damaged") as caught:
        read_plan(file)
    assert f"$.{next(iter(change))}" in caught.value.details


def test_half_a_plan_is_refused(tmp_path: Path, plan: Plan) -> None:
    """A plan that was copied only in part is not read as a shorter one."""
    file = write_plan(tmp_path, plan)
    data = file.read_bytes()
    for length in range(0, len(data) - 2, len(data) // 40):
        file.write_bytes(data[:length])
        with pytest.raises(PlanError):
            read_plan(file)


def test_no_plan(tmp_path: Path) -> None:
    """A folder without a plan is refused with how to make one."""
    with pytest.raises(PlanError, match="There is no plan at") as caught:
        read_plan(tmp_path)
    assert "plan create" in caught.value.remedy


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    """While a file is written over and over, a reader sees one of the versions, whole."""
    file = tmp_path / "deep" / "file"
    versions = [bytes([number]) * 400_000 for number in range(20)]
    write_whole(file, versions[0])
    torn = []
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            data = file.read_bytes()
            if data not in versions:
                torn.append(len(data))

    watcher = threading.Thread(target=watch)
    watcher.start()
    for version in versions:
        write_whole(file, version)
    done.set()
    watcher.join()
    assert [] == torn
    assert versions[-1] == file.read_bytes()


def test_no_draft_is_left_behind(tmp_path: Path) -> None:
    """Neither a write nor one that fails leaves anything but the file itself."""
    write_whole(tmp_path / "file", b"x")
    (tmp_path / "folder").mkdir()
    with pytest.raises(UsageError, match="cannot be written") as caught:
        write_whole(tmp_path / "folder", b"x")
    assert caught.value.remedy
    assert ["file", "folder"] == sorted(entry.name for entry in tmp_path.iterdir())


def test_a_place_that_cannot_be_written(tmp_path: Path, plan: Plan) -> None:
    """A folder that is a file is told as one of our errors."""
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written"):
        write_plan(tmp_path / "file" / "folder", plan)


def of_another_release(file: Path, change: Any) -> Path:
    """Write a plan's file as another release would have: its shape is changed, and its digest is true."""
    document = json.loads(file.read_text(encoding="utf-8"))
    change(document)
    document |= {"release": "0.1", "digest": ""}
    digest = digest_as_written(json.dumps(document).encode())
    file.write_text(json.dumps(document | {"digest": digest}, indent=1), encoding="utf-8")
    return file


def test_a_plan_of_an_older_release_keeps_its_digest(tmp_path: Path, plan: Plan) -> None:
    """What it could not say yet has its default, and what was approved is still what was approved."""

    def older(document: dict[str, Any]) -> None:
        del document["freezes"]
        for vm in document["vms"]:
            del vm["conflicts"], vm["fallback"]

    file = of_another_release(write_plan(tmp_path / "old", plan), older)
    read = read_plan(file)
    assert (json.loads(file.read_bytes())["digest"], plan.waves) == (read.digest, read.waves)
    assert digest_of(read) != read.digest
    keep_plan(file, read, tmp_path / "kept")
    assert read == read_plan(tmp_path / "kept")
    assert file.read_bytes() == (tmp_path / "kept" / f"plan-{read.approval}.json").read_bytes()


def test_what_a_newer_release_added_is_not_passed_over(tmp_path: Path, plan: Plan) -> None:
    """A plan that says more than this release knows is refused by the name of the release that made it."""

    def newer(document: dict[str, Any]) -> None:
        document["vms"][0]["never_before"] = "noon"

    file = of_another_release(write_plan(tmp_path, plan), newer)
    with pytest.raises(PlanError) as caught:
        read_plan(file)
    assert (
        f"{file} was made by release 0.1, and this release cannot read it as it was meant."
        == caught.value.brief
    )
    assert "plan create" in caught.value.remedy


def test_a_plan_that_lacks_what_is_needed_names_its_release(tmp_path: Path, plan: Plan) -> None:
    """An intact plan of a release that did not know a part of it yet is neither altered nor damaged."""

    def without(document: dict[str, Any]) -> None:
        del document["lower_bound"]

    file = of_another_release(write_plan(tmp_path, plan), without)
    with pytest.raises(PlanError, match=r"was made by release 0\.1") as caught:
        read_plan(file)
    assert "lower_bound" in caught.value.details


def test_a_plan_that_changed_meanwhile_is_not_kept(tmp_path: Path, plan: Plan) -> None:
    """What is kept beside a run is the plan that was read and approved, and no other."""
    file = write_plan(tmp_path, plan)
    other = replace(plan, lower_bound=1)
    write_plan(tmp_path, replace(other, digest=digest_of(other)))
    with pytest.raises(PlanError, match="was changed while it was read"):
        keep_plan(file, plan, tmp_path / "kept")
    assert not (tmp_path / "kept").exists()


def test_the_digest_of_a_file_is_that_of_its_plan(tmp_path: Path, plan: Plan) -> None:
    """Bytes and model give the same digest, so that every plan that was ever approved stays approved."""
    assert plan.digest == digest_as_written(write_plan(tmp_path, plan).read_bytes())
