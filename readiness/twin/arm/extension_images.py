"""Types of extensions, as clients look them up before they install one: publishers, types and versions.

Learn, "Virtual Machine Extension Images - List Types" and "- List Versions": each list is a bare array. What
is listed are the handlers that the twin's guests know.
"""

from collections.abc import Iterable

from readiness.twin.documents import Json, same
from readiness.twin.guest.extension_kinds import HANDLERS
from readiness.twin.messages import ArmError, Response
from readiness.twin.state import place
from readiness.twin.world import Call, Routes, World

_PUBLISHERS = "microsoft.compute/locations/publishers"


def publishers(_world: World, call: Call) -> Response:
    """Answer who publishes extensions."""
    return _listed(call, sorted({each.publisher for each in HANDLERS}))


def types(_world: World, call: Call) -> Response:
    """Answer the types of extensions that one publisher has."""
    publisher = call.address.names[1]
    found = [each.kind for each in HANDLERS if same(each.publisher, publisher)]
    if not found:
        raise ArmError(
            404, "NotFound", f"Artifact: VMExtension was not found: publisher '{publisher}'.", unverified=True
        )
    return _listed(call, found)


def versions(_world: World, call: Call) -> Response:
    """Answer the versions of one type."""
    _, publisher, _, kind = call.address.names
    for each in HANDLERS:
        if same(each.publisher, publisher) and same(each.kind, kind):
            return _listed(call, each.versions)
    raise ArmError(404, "NotFound", f"Artifact: VMExtension '{kind}' was not found.", unverified=True)


def _listed(call: Call, names: Iterable[str]) -> Response:
    location = place(call.address.names[0])
    path = call.address.path
    found: list[Json] = [{"id": f"{path}/{name}", "name": name, "location": location} for name in names]
    return Response(200, found)


ROUTES: Routes = {
    ("GET", "microsoft.compute/locations", "publishers"): publishers,
    ("GET", f"{_PUBLISHERS}/artifacttypes", "types"): types,
    ("GET", f"{_PUBLISHERS}/artifacttypes/types", "versions"): versions,
}
