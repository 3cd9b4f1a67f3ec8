"""The same resource twice: nothing is lost, and every contradiction is told."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness.app.importing import import_resources
from readiness.azure.merging import merged, richness
from readiness.errors import UsageError
from readiness.store.estate_files import read_info, read_resources
from tests.app.test_import_forms import DISK, FLAT, VM, WHOLE, held, write

leaves = st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["", "a", "B", "b"])
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "x", "y"]), inner, max_size=3)
    ),
    max_leaves=12,
)
objects = st.dictionaries(st.sampled_from(["id", "name", "properties", "tags", "resources"]), values)


def keys(value, path=""):
    """Return the paths of an object's keys, through objects only."""
    if not isinstance(value, dict):
        return set()
    return {f"{path}.{key}" for key in value}.union(
        *(keys(inner, f"{path}.{key}") for key, inner in value.items())
    )


@given(objects, objects)
def test_no_property_is_lost(one, other):
    """Every key of the preferred copy stays, and every key of the other stays or is a told contradiction."""
    result, conflicts = merged(one, other)
    told = tuple(f".{conflict.path}" for conflict in conflicts)
    lost = {path for path in keys(other) - keys(result) if not path.startswith(told or ("\0",))}
    assert set() == lost
    assert set() == {key for key in one if key not in result}


@given(objects)
def test_a_copy_of_itself_changes_nothing(one):
    """A resource merged with itself is itself, without a contradiction."""
    assert (one, ()) == merged(one, json.loads(json.dumps(one)))


def test_a_contradiction_is_told():
    """The preferred copy wins, and what was dropped is named with its path."""
    result, (conflict,) = merged({"properties": {"size": "S", "a": 1}}, {"properties": {"size": "L", "b": 2}})
    assert {"properties": {"size": "S", "a": 1, "b": 2}} == result
    assert ("properties.size", "S", "L") == (conflict.path, conflict.kept, conflict.dropped)


def test_an_empty_value_wins_nothing():
    """Null and empty never replace what another copy knows."""
    result, conflicts = merged({"a": None, "b": [], "c": ""}, {"a": 1, "b": [2], "c": "3"})
    assert ({"a": 1, "b": [2], "c": "3"}, ()) == (result, conflicts)


def test_letter_case_is_no_contradiction_but_in_tags():
    """Azure spells ids and regions in either case; the value of a tag means what it says."""
    assert () == merged({"location": "WestEurope"}, {"location": "westeurope"})[1]
    assert ["tags.env"] == [entry.path for entry in merged({"tags": {"env": "A"}}, {"tags": {"env": "a"}})[1]]


def test_children_are_united_and_disks_are_not():
    """An extension that only one copy has stays; a disk that the preferred copy lacks was detached."""
    one = {"resources": [{"id": "/e/1", "x": 1}], "disks": [{"lun": 0}]}
    other = {"resources": [{"id": "/E/1", "y": 2}, {"id": "/e/2"}], "disks": [{"lun": 0, "s": 1}, {"lun": 1}]}
    result, conflicts = merged(one, other)
    assert [{"id": "/e/1", "x": 1, "y": 2}, {"id": "/e/2"}] == result["resources"]
    assert ([{"lun": 0, "s": 1}], ["disks"]) == (result["disks"], [entry.path for entry in conflicts])


def test_richness_counts_facts():
    """What is missing or empty is no fact."""
    assert 3 == richness({"a": 1, "b": None, "c": "", "d": [True, {"e": "x"}], "f": {}})


def test_files_are_merged_whatever_their_order(tmp_path):
    """The flattened VM, the graph's row and the bare list entry make one VM with what each of them knows."""
    graph = {"data": [{**WHOLE, "id": VM.upper(), "tags": {"env": "prod"}}]}
    bare = [{"id": VM, "name": "web-01", "type": WHOLE["type"], "properties": None, "kind": "k"}]
    files = [write(tmp_path, name, content) for name, content in (("a", [FLAT]), ("b", graph), ("c", bare))]
    for number, order in enumerate((files, files[::-1])):
        estate = tmp_path / f"estate{number}"
        report = import_resources(tuple(order), estate)
        (vm,) = (resource for _, resource in read_resources(estate))
        assert ({"env": "prod"}, "k", 1) == (vm["tags"], vm["kind"], len(vm["resources"]))
        assert ({"microsoft.compute/virtualmachines": 1}, 1, {}) == (report.types, report.merged, report.bare)


def test_a_bare_list_is_told(tmp_path):
    """What came without its properties is counted: rules could only answer unknown."""
    bare = [
        {"id": VM, "name": "web-01", "type": WHOLE["type"], "properties": None},
        {"id": f"{VM}2", "os": 1},
    ]
    report = import_resources((write(tmp_path, "f.json", bare),), tmp_path / "estate")
    assert {"microsoft.compute/virtualmachines": 2} == report.bare


def test_a_later_import_adds_and_renews(tmp_path):
    """Into an estate that is there: new resources come, new values win, old properties and gaps stay."""
    estate = tmp_path / "estate"
    import_resources((write(tmp_path, "one.json", [WHOLE | {"tags": {"a": "1"}}, {"name": "x"}]),), estate)
    newer = {"id": VM.upper(), "properties": {"hardwareProfile": {"vmSize": "Standard_D4s_v5"}}}
    report = import_resources((write(tmp_path, "two.json", [newer, {"id": DISK}]),), estate)
    resources = {key.lower(): value for key, value in held(estate).items()}
    vm = resources[VM.lower()]
    assert ("Standard_D4s_v5", {"a": "1"}) == (vm["properties"]["hardwareProfile"]["vmSize"], vm["tags"])
    assert (2, 1) == (len(resources), report.merged)
    assert ["Standard_D4s_v5"] == [entry.kept for entry in report.contradictions if "vmSize" in entry.path]
    document = json.loads((estate / "estate.json").read_text())
    assert ["one.json", "two.json"] == [entry["file"] for entry in document["sources"]]
    assert ["NoId"] == [gap["reason"] for gap in document["gaps"]]


def test_a_packed_estate_stays_packed(tmp_path):
    """An estate whose resources are packed has no second, plain file afterwards."""
    import gzip

    estate = tmp_path / "estate"
    export = write(tmp_path, "f.json", [WHOLE])
    import_resources((export,), estate)
    packed = gzip.compress((estate / "resources.jsonl").read_bytes())
    (estate / "resources.jsonl").unlink()
    (estate / "resources.jsonl.gz").write_bytes(packed)
    import_resources((write(tmp_path, "g.json", [{"id": DISK}]),), estate)
    assert {"estate.json", "resources.jsonl.gz"} == {entry.name for entry in estate.iterdir()}
    assert {VM, DISK} == set(held(estate))


def test_an_invented_estate_is_left_alone(tmp_path):
    """Real machines are never mixed into a sample estate."""
    (tmp_path / "estate.json").write_text(
        '{"format": "readiness/estate/1", "name": "s", "origin": "sample",'
        ' "collected_at": "2026-11-02T08:00:00Z"}'
    )
    with pytest.raises(UsageError, match="invented"):
        import_resources((write(tmp_path, "f.json", [WHOLE]),), tmp_path)


def test_the_estate_knows_its_subscriptions(tmp_path):
    """Subscriptions are those that were seen, with names where somebody told them, and one tenant."""
    account = {
        "id": "11111111-1111-1111-1111-111111111111",
        "name": "prod",
        "tenantId": "T",
        "state": "Enabled",
    }
    import_resources((write(tmp_path, "f.json", [WHOLE, account]),), tmp_path / "shop")
    info = read_info(tmp_path / "shop")
    assert ("shop", "t", [("11111111-1111-1111-1111-111111111111", "prod")]) == (
        info.name,
        info.tenant,
        [(entry.id, entry.name) for entry in info.subscriptions],
    )
