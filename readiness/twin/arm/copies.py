"""Copies: a new disk or snapshot made from an existing one.

Learn, "Snapshots - Create Or Update" and "Disks - Create Or Update", createOption Copy: sizes, generation,
operating system and security type come from the source. That a copy without an encryption of its own takes
its source's is an assumption.
"""

from readiness.twin.documents import Json, duplicate, look, section
from readiness.twin.messages import ArmError, invalid_parameter
from readiness.twin.operations import identifier
from readiness.twin.state import missing, place
from readiness.twin.world import Call, World

_INHERITED = (
    *("osType", "hyperVGeneration", "diskSizeGB", "diskSizeBytes", "securityProfile", "purchasePlan"),
    *("supportedCapabilities", "supportsHibernation", "encryptionSettingsCollection", "encryption"),
)
_TYPES = {"disk": "Microsoft.Compute/disks", "snapshot": "Microsoft.Compute/snapshots"}


def copied(world: World, call: Call, *, kind: str) -> Json:
    """Return the resource a PUT asks for, made from its source."""
    body = call.body()
    given = duplicate(body.get("properties") or {})
    source = _source(world, body)
    if look(given, "securityProfile.securityType") is not None:
        kind_of_security = look(given, "securityProfile.securityType")
        raise ArmError(
            400,
            "BadRequest",
            f"Security Type '{kind_of_security}' is not supported for CreateOption 'Copy'",
        )
    own_id = call.address.path
    properties = {
        name: duplicate(source["properties"][name]) for name in _INHERITED if name in source["properties"]
    }
    properties |= given
    section(properties, "creationData")["sourceUniqueId"] = source["properties"]["uniqueId"]
    properties |= {
        "uniqueId": identifier(world.seed, kind, own_id, world.calls["copies", own_id.lower()]),
        "timeCreated": call.now.isoformat(),
        "diskState": "Unattached",
        "provisioningState": "Succeeded",
    }
    world.calls["copies", own_id.lower()] += 1
    if source["id"].lower() in world.state.ever_ade:
        world.state.ever_ade.add(own_id.lower())
    resource: Json = {"id": own_id, "name": call.address.name, "type": _TYPES[kind], "properties": properties}
    return resource | {
        name: duplicate(body[name]) for name in ("location", "sku", "tags", "zones") if name in body
    }


def _source(world: World, body: Json) -> Json:
    creation = look(body, "properties.creationData") or {}
    if creation.get("createOption") != "Copy" or not isinstance(creation.get("sourceResourceId"), str):
        raise invalid_parameter(
            "Required parameter 'creationData.createOption' must be 'Copy' with a 'sourceResourceId': the "
            "twin models no other way to create.",
            "creationData.createOption",
        )
    source = world.state.find(creation["sourceResourceId"])
    if source is None or "uniqueId" not in (source.get("properties") or {}):
        raise missing(creation["sourceResourceId"])
    if place(body.get("location")) != place(source.get("location")):
        # The rule is Learn's; the wording is an assumption.
        raise invalid_parameter(f"Source '{source['name']}' is in another region than its copy.", "location")
    return source
