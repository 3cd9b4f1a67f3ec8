"""The ground truth of a twin answers by kind and scope, whatever was put and removed before."""

from readiness.twin.state import LOCK, VM, State

GROUP = "/subscriptions/s/resourceGroups/rg"
WEB, APP = (f"{GROUP}/providers/Microsoft.Compute/virtualMachines/{name}" for name in ("web", "web-2"))
EXTENSIONS = f"{VM}/extensions"


def names(found):
    """Return the last words of the ids of resources."""
    return [each["id"].rsplit("/", 1)[1] for each in found]


def planted():
    """Return a state with two machines whose names begin alike, and extensions of both."""
    state = State()
    for vm in (WEB, APP):
        state.put({"id": vm})
    for vm, name in ((APP, "c"), (WEB, "b"), (WEB, "a")):
        state.put({"id": f"{vm}/extensions/{name}"})
    return state


def test_parts_are_listed_as_they_were_added():
    """A machine has its own extensions alone, in any spelling of its id; scopes above have those of all."""
    state = planted()
    assert (
        ["b", "a"] == names(state.of_kind(EXTENSIONS, WEB)) == names(state.of_kind(EXTENSIONS, WEB.upper()))
    )
    assert ["c"] == names(state.of_kind(EXTENSIONS, APP))
    every = (state.of_kind(EXTENSIONS, scope) for scope in (GROUP, "/subscriptions/s", ""))
    assert [["c", "b", "a"]] * 3 == [names(found) for found in every]
    assert [] == state.of_kind(EXTENSIONS, f"{GROUP}/providers/Microsoft.Compute/virtualMachines/we")


def test_parts_change_and_go_with_their_resources():
    """One that is put again stands where it stood, with what it says now; one that was removed is gone."""
    state = planted()
    state.put({"id": f"{WEB.lower()}/extensions/b", "tags": {"is": "new"}})
    assert [{"is": "new"}, None] == [each.get("tags") for each in state.of_kind(EXTENSIONS, WEB)]
    state.remove(f"{WEB}/Extensions/B")
    assert ["a"] == names(state.of_kind(EXTENSIONS, WEB))
    state.put({"id": f"{WEB}/extensions/b"})
    assert ["a", "b"] == names(state.of_kind(EXTENSIONS, WEB))
    assert ["c", "a", "b"] == names(state.of_kind(EXTENSIONS, GROUP))


def test_what_extends_a_resource_lies_beneath_every_scope_above_it():
    """A lock on a machine is found beneath the machine, its group and its subscription."""
    state = planted()
    state.put({"id": f"{WEB}/providers/Microsoft.Authorization/locks/keep"})
    found = [state.of_kind(LOCK, scope) for scope in (WEB, GROUP, "/subscriptions/s", APP)]
    assert [["keep"], ["keep"], ["keep"], []] == [names(each) for each in found]
