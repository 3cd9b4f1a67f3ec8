"""Resource ids: parsed, compared without case, and related to one another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness.model.ids import ResourceId
from tests.builders import SUBSCRIPTION, vm_id

VM = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-App/providers/Microsoft.Compute/virtualMachines/Web-01"
_segments = st.text("abcXYZ019-_.", min_size=1, max_size=12)


@st.composite
def ids(draw: st.DrawFn) -> str:
    """Draw the text of a resource id."""
    group, kind, name = draw(_segments), draw(_segments), draw(_segments)
    return (
        f"/subscriptions/{draw(_segments)}/resourceGroups/{group}/providers/Microsoft.Compute/{kind}/{name}"
    )


@st.composite
def spellings(draw: st.DrawFn) -> tuple[str, str]:
    """Draw an id and the same id in other letter case."""
    text = draw(ids())
    flips = draw(st.lists(st.booleans(), min_size=len(text), max_size=len(text)))
    return text, "".join(
        char.swapcase() if flip else char for char, flip in zip(text, flips, strict=True)
    ) + draw(st.sampled_from(["", "/"]))


def test_parts() -> None:
    """An id knows its name, subscription, group and type; the type and subscription in lower case."""
    vm = ResourceId(VM)

    assert ("Web-01", SUBSCRIPTION, "rg-App", "microsoft.compute/virtualmachines") == (
        vm.name,
        vm.subscription,
        vm.resource_group,
        vm.type,
    )


def test_a_child_knows_its_parent() -> None:
    """An extension's type is nested, and its parent is the VM."""
    extension = ResourceId(f"{VM}/extensions/agent")

    assert "microsoft.compute/virtualmachines/extensions" == extension.type
    assert ResourceId(VM) == extension.parent


def test_an_extension_resource_takes_the_last_provider() -> None:
    """A lock on a VM is a lock, not a VM."""
    assert (
        "microsoft.authorization/locks" == ResourceId(f"{VM}/providers/Microsoft.Authorization/locks/l").type
    )


def test_a_sibling_shares_subscription_and_group() -> None:
    """A snapshot beside a disk lives where the disk lives."""
    expected = VM.replace("virtualMachines/Web-01", "snapshots/s1")

    assert expected == ResourceId(VM).sibling("Microsoft.Compute/snapshots", "s1").text


@pytest.mark.parametrize("text", ["", "/", "/subscriptions", "nonsense"])
def test_parts_that_are_not_there(text: str) -> None:
    """An id without subscription or group answers with empty texts."""
    assert ("", "") == (ResourceId(text).subscription, ResourceId(text).resource_group)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (VM, False),
        (f"{VM}/extensions", False),
        (f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute/disks", True),
        (f"/subscriptions/{SUBSCRIPTION}", False),
    ],
)
def test_collections(text: str, expected: bool) -> None:  # noqa: FBT001  a table's column
    """The id of a type within a subscription names all its resources of that type, and nothing else does."""
    assert expected is ResourceId(text).is_collection


@given(spellings())
def test_case_does_not_matter(pair: tuple[str, str]) -> None:
    """Any other spelling is equal, hashes alike, and is neither before nor after."""
    one, other = ResourceId(pair[0]), ResourceId(pair[1])

    assert one == other
    assert hash(one) == hash(other)
    assert not one < other
    assert not other < one
    assert (one.type, one.subscription) == (other.type, other.subscription)


@given(st.lists(ids()))
def test_order_is_by_key(texts: list[str]) -> None:
    """Ids sort by their lower-cased text, whatever their spelling."""
    found = sorted(ResourceId(text) for text in texts)

    assert sorted(text.lower() for text in texts) == [entry.key for entry in found]


@given(ids())
def test_the_spelling_is_kept(text: str) -> None:
    """People see an id as it was given."""
    assert text == str(ResourceId(text)) == ResourceId(text).text
    assert text in repr(ResourceId(text))


def test_an_id_is_no_text() -> None:
    """An id does not equal its text, so that no comparison can be case-sensitive by accident."""
    assert vm_id() != vm_id().text
