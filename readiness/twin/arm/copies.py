"""Copies: a new disk or snapshot made from a disk, a snapshot, or a disk restore point.

Learn, "Snapshots - Create Or Update" and "Disks - Create Or Update", createOption Copy, CopyStart, Restore:
sizes, generation, operating system and security type come from the source. That a copy without an encryption
of its own takes its source's is an assumption. What Azure knows of a disk and never shows (Azure Disk
Encryption once touched it; it carries a GUID partition table) goes with every copy.
"""

from typing import Any

from readiness.twin import paths
from readiness.twin.arm import background_copies
from readiness.twin.arm.encryption import DISK_RESTORE_POINT
from readiness.twin.arm.storage import BORN_WITH, READ_ONLY, complete, drop_limits
from readiness.twin.documents import Json, duplicate, look, same, section
from readiness.twin.messages import ArmError, invalid_parameter, not_allowed
from readiness.twin.operations import identifier
from readiness.twin.state import DISK, SNAPSHOT, State, missing, place
from readiness.twin.world import Call, World

_INHERITED = (
    *("osType", "hyperVGeneration", "diskSizeGB", "diskSizeBytes", "securityProfile", "purchasePlan"),
    *("supportedCapabilities", "supportsHibernation", "encryptionSettingsCollection", "encryption"),
)
_SOURCES: dict[str, tuple[str, ...]] = {
    "Copy": (DISK, SNAPSHOT),
    "CopyStart": (SNAPSHOT,),
    "Restore": (DISK_RESTORE_POINT,),
}
_TYPES = {"disk": "Microsoft.Compute/disks", "snapshot": "Microsoft.Compute/snapshots"}


def fresh(world: World, call: Call, *, kind: str, inherited: Json) -> Json:
    """Return the new resource a PUT asks for, on top of what it inherits."""
    body, own_id = call.body(), call.address.path
    given = duplicate(body.get("properties") or {})
    properties: Json = duplicate(inherited)
    properties |= {
        name: value
        for name, value in given.items()
        if value is not None and name not in READ_ONLY - BORN_WITH
    }
    properties |= {
        "uniqueId": identifier(world.seed, kind, own_id, world.calls["copies", own_id.lower()]),
        "timeCreated": call.now.isoformat(),
        "diskState": "Unattached",
        "provisioningState": "Succeeded",
    }
    properties.setdefault("encryption", {"type": "EncryptionAtRestWithPlatformKey"})
    world.calls["copies", own_id.lower()] += 1
    resource: Json = {"id": own_id, "name": call.address.name, "type": _TYPES[kind], "properties": properties}
    resource |= {name: duplicate(body[name]) for name in ("location", "sku", "tags", "zones") if name in body}
    drop_limits(resource)
    complete(resource)
    return resource


def copied(world: World, call: Call, *, kind: str) -> Json:
    """Return the resource a PUT asks for, made from its source."""
    source = _source(world, call, kind)
    given: Json = call.body().get("properties") or {}
    told: Json = source["properties"]
    inherited = {name: told[name] for name in _INHERITED if name in told}
    size, least = given.get("diskSizeGB"), told.get("diskSizeGB")
    if isinstance(size, int) and isinstance(least, int) and size < least:
        raise invalid_parameter(
            f"The disk size {size} GB is smaller than the size {least} GB of the source '{source['name']}'.",
            "diskSizeGB",
            unverified=True,
        )
    resource = fresh(world, call, kind=kind, inherited=inherited)
    creation = section(resource["properties"], "creationData")
    creation["sourceUniqueId"] = told.get("uniqueId") or told.get("sourceUniqueId")
    return resource


def carry_marks(state: State, resource: Json) -> None:
    """Let a copy carry what Azure knows of its source, and nothing of another one that had its name."""
    source, own = source_of(state, resource), resource["id"].lower()
    state.ever_ade.discard(own)
    state.gpt.discard(own)
    if source is None:
        return
    key = source["id"].lower()
    if key in state.ever_ade:
        state.ever_ade.add(own)
    if key in state.gpt or same(look(source, "tags.guestPartitionStyle"), "gpt"):
        state.gpt.add(own)


def source_of(state: State, resource: Json) -> Json | None:
    """Return what a disk or snapshot was copied from, where that is still there."""
    return state.find(look(resource, "properties.creationData.sourceResourceId"))


def _source(world: World, call: Call, kind: str) -> Json:
    body = call.body()
    creation: Any = look(body, "properties.creationData") or {}
    option, source_id = str(creation.get("createOption")), creation.get("sourceResourceId")
    if not isinstance(source_id, str):
        raise invalid_parameter(
            "Required parameter 'creationData.sourceResourceId' is missing (null).",
            "creationData.sourceResourceId",
        )
    source = world.state.find(source_id)
    if source is None:
        raise missing(source_id)
    if paths.parse(source["id"]).kind not in _SOURCES.get(option, ()):
        raise invalid_parameter(
            f"The source '{source_id}' is not of a kind from which '{option}' makes a {kind}.",
            "creationData.sourceResourceId",
            unverified=True,
        )
    security = look(body, "properties.securityProfile.securityType")
    if security is not None:
        raise ArmError(
            400, "BadRequest", f"Security Type '{security}' is not supported for CreateOption '{option}'"
        )
    if option != "CopyStart" and place(body.get("location")) != place(_location(world.state, source)):
        # The rule is Learn's; the wording is an assumption.
        raise invalid_parameter(
            f"Source '{source['name']}' is in another region than its copy.", "location", unverified=True
        )
    _check_complete(world, call, source)
    return source


def _location(state: State, source: Json) -> object:
    """Return where a source lies: a disk restore point lies where its collection does."""
    if source.get("location") is not None:
        return source["location"]
    above = state.find("/".join(source["id"].split("/")[:9]))
    return look(above, "location")


def _check_complete(world: World, call: Call, source: Json) -> None:
    is_instant = str(look(source, "properties.snapshotAccessState") or "").endswith("InstantAccess")
    if not is_instant and not background_copies.is_complete(world.state, source, call.now):
        raise not_allowed(
            f"'{source['name']}' cannot be copied since its own background copy is not complete.",
            unverified=True,
        )
