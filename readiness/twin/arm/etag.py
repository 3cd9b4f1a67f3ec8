"""Entity tags: a quoted number that steps when a write is accepted, not at its end; network's are weak ids.

Learn, "Virtual Machines - Get": `etag` and the conditional headers exist since api-version 2023-09-01. That
If-Match and If-None-Match hold is checked for every write by `World.admit`.
"""

from readiness.twin import gates
from readiness.twin.documents import Json

SINCE = "2023-09-01"


def bump(resource: Json) -> None:
    """Step the tag of a resource, and of its parts that carry it, such as the rules of a security group."""
    before, resource["etag"] = resource["etag"], gates.next_etag(resource)
    for collection in (resource.get("properties") or {}).values():
        for part in collection if isinstance(collection, list) else ():
            if isinstance(part, dict) and part.get("etag") == before:
                part["etag"] = resource["etag"]
