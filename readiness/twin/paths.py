"""ARM paths: what a path addresses, by the grammar every resource id follows.

`/subscriptions/{s}/resourceGroups/{g}/providers/{namespace}/{type}/{name}/{type}/{name}` names a resource.
One word more is a collection (`GET .../virtualMachines`) or an action (`POST
.../virtualMachines/{name}/start`). Guarantees: every path parses; kinds and tails are lower case, names and
ids keep the case they came in.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise


@dataclass(frozen=True)
class Address:
    """A path, taken apart."""

    path: str
    """The path without a trailing slash, in the case it came in."""

    kind: str
    """Namespace and types in lower case: `microsoft.compute/virtualmachines`."""

    names: tuple[str, ...]
    """One name for each type of the kind."""

    tail: str
    """The word after the last name, in lower case: a collection or an action. Empty for a resource."""

    @property
    def name(self) -> str:
        """Return the last name."""
        return self.names[-1] if self.names else ""

    @cached_property
    def resource_id(self) -> str:
        """Return the id of the resource that is addressed, or to which the tail belongs."""
        return self.path.rsplit("/", 1)[0] if self.tail else self.path

    @cached_property
    def scope(self) -> str:
        """Return what stands before the last `/providers/`: the scope of a list."""
        cut = self.path.lower().rfind("/providers/")
        return self.path[:cut] if cut >= 0 else ""

    @cached_property
    def subscription(self) -> str:
        """Return the subscription's id, or nothing."""
        return _after(self.path, "subscriptions")

    @cached_property
    def group(self) -> str:
        """Return the resource group's name, or nothing."""
        return _after(self.path, "resourcegroups")


def _after(path: str, word: str) -> str:
    words = path.split("/")
    for before, name in pairwise(words):
        if before.lower() == word:
            return name
    return ""


@lru_cache(maxsize=8192)
def parse(path: str) -> Address:
    """Take a path apart."""
    words = [word for word in path.split("/") if word]
    lowered = [word for word in path.lower().split("/") if word]
    if "providers" in lowered[:-1]:
        start = len(lowered) - lowered[::-1].index("providers")
        namespace, first = lowered[start], start + 1
    else:
        namespace, first = "microsoft.resources", 0
    types, names = lowered[first::2], words[first + 1 :: 2]
    tail = types.pop() if len(types) > len(names) else ""
    return Address(
        path="/" + "/".join(words), kind="/".join([namespace, *types]), names=tuple(names), tail=tail
    )
