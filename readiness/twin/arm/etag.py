"""Entity tags: a quoted number that steps when a write is accepted, not at its end; network's are weak ids.

Learn, "Virtual Machines - Get": `etag` and the conditional headers exist since api-version 2023-09-01. That
If-Match and If-None-Match hold is checked for every write by `World.admit`.
"""

from readiness.twin import gates
from readiness.twin.documents import Json

SINCE = "2023-09-01"


def bump(resource: Json) -> None:
    """Step the tag of a resource."""
    resource["etag"] = gates.next_etag(resource)
