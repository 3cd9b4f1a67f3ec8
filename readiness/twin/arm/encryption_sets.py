"""Disk encryption sets: GET, lists, and the resources that use one. Read-only."""

from readiness.twin.arm import storage
from readiness.twin.documents import look, same
from readiness.twin.messages import Response
from readiness.twin.state import DISK, ENCRYPTION_SET, SNAPSHOT
from readiness.twin.world import Call, World

get = storage.get
listed = storage.listed(ENCRYPTION_SET)


def associated(world: World, call: Call) -> Response:
    """Answer the ids of the disks and snapshots whose key a set holds."""
    own = world.state.need(call.address)["id"]
    users = [
        resource["id"]
        for kind in (DISK, SNAPSHOT)
        for resource in world.state.of_kind(kind)
        if same(look(resource, "properties.encryption.diskEncryptionSetId"), own)
    ]
    return Response(200, {"value": users})
