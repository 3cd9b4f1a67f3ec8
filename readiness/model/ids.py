"""Azure resource ids: parsed, formatted, and compared without case.

Azure answers the same id in different letter case from different services (resource groups in disk
encryption set references come back upper-cased, for one), so nothing may compare ids as plain text.
"""

import re
from functools import total_ordering
from sys import intern

_SUBSCRIPTIONS = "/subscriptions/"
_GROUP = re.compile("/resourcegroups/([^/]*)", re.IGNORECASE)


@total_ordering
class ResourceId:
    """An Azure resource id that equals any other spelling of itself.

    `text` keeps the spelling it was given, for people; `key` is what it is compared by.
    """

    __slots__ = ("key", "text")

    def __init__(self, text: str) -> None:
        # An estate names most of its ids many times over: interned, each spelling is in memory once.
        self.text = intern(text.rstrip("/"))
        self.key = intern(self.text.lower())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ResourceId) and self.key == other.key

    def __lt__(self, other: "ResourceId") -> bool:
        return self.key < other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"ResourceId({self.text!r})"

    @property
    def name(self) -> str:
        """The last segment: the resource's own name."""
        return self.text.rpartition("/")[2]

    @property
    def subscription(self) -> str:
        """The subscription's id in lower case, or an empty text where the id has none."""
        if self.key.startswith(_SUBSCRIPTIONS):  # nearly all of them, and it is asked of each again and again
            return self.key.split("/", 3)[2]
        _, _, after = self.key.partition(_SUBSCRIPTIONS)
        return after.partition("/")[0]

    @property
    def resource_group(self) -> str:
        """The resource group's name as spelled in this id, or an empty text where the id has none."""
        found = _GROUP.search(self.text)
        return found[1] if found else ""

    @property
    def type(self) -> str:
        """The resource type in lower case, such as `microsoft.compute/virtualmachines/extensions`."""
        _, _, tail = self.key.rpartition("/providers/")
        provider, *segments = tail.split("/")
        return "/".join([provider, *segments[::2]])

    @property
    def is_collection(self) -> bool:
        """Whether the id names all resources of a type in a subscription, and not one of them."""
        head, provided, tail = self.key.rpartition("/providers/")
        return bool(provided) and tail.count("/") == 1 and head == f"/subscriptions/{self.subscription}"

    @property
    def parent(self) -> "ResourceId":
        """The id without its last type and name: the VM of an extension, the VNet of a subnet."""
        return ResourceId(self.text.rsplit("/", 2)[0])

    def is_within(self, scope: "ResourceId") -> bool:
        """Tell whether this is the scope itself, or lies in that subscription, group or resource."""
        return self.key == scope.key or self.key.startswith(f"{scope.key}/")

    def sibling(self, resource_type: str, name: str) -> "ResourceId":
        """Return the id of another resource in the same subscription and resource group."""
        head = self.text[: self.key.index("/providers/")]
        return ResourceId(f"{head}/providers/{resource_type}/{name}")
