"""Disk encryption sets: GET, lists, PUT, PATCH, DELETE, and the resources that use one.

Guarantees: a set answers 202 and shows its new key at once; while it takes disks over to it, it tells the old
one in `previousKeys`, and afterwards when it did (specification of Microsoft.Compute, examples of disk
encryption sets). With `rotationToLatestKeyVersionEnabled` it moves to the newest version of its key within
an hour, or tells in `autoKeyRotationError` why it could not. What refuses a write stands in
`encryption_set_rules`.
"""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from readiness.twin.arm import (
    directory,
    disk_keys,
    encryption_set_rules,
    identity,
    immediate,
    key_vaults,
    storage,
)
from readiness.twin.arm.deleted_vaults import VERSION
from readiness.twin.documents import Json, duplicate, look, merged, same, section
from readiness.twin.messages import Response, not_allowed
from readiness.twin.operations import draw, identifier
from readiness.twin.protocols import DISKS
from readiness.twin.state import DISK, ENCRYPTION_SET, SNAPSHOT
from readiness.twin.world import Call, Routes, World

_ROTATES_WITHIN = 3600.0
_SETTABLE = ("activeKey", "encryptionType", "rotationToLatestKeyVersionEnabled", "federatedClientId")

get = storage.get
listed = storage.listed(ENCRYPTION_SET)


def write(world: World, call: Call) -> Response:
    """Make an encryption set, or give it another key, other tags or another identity."""
    before = world.state.find(call.address.resource_id)
    is_put = call.request.method == "PUT"
    if not is_put:
        before = world.state.need(call.address)
    ticket = world.admit(
        call, "diskEncryptionSets/write", call.address.path if before is None else before["id"]
    )
    if before is not None:
        world.idle(before, "write")
    after = _wanted(world, call, before, is_put=is_put, nth=ticket.nth)
    encryption_set_rules.check(world.state, before, after, call.now)
    old = duplicate(before) if before is not None else None
    was = look(before, "properties.activeKey")
    rotates = was is not None and not same(look(was, "keyUrl"), encryption_set_rules.key_url(after))
    told: Json = after["properties"]
    told.pop("previousKeys", None)
    if rotates:
        told["previousKeys"] = [was]
        told.pop("autoKeyRotationError", None)
    told["provisioningState"] = "Updating"
    world.state.put(after)

    def done(when: datetime) -> None:
        told["provisioningState"] = "Succeeded"
        told.pop("previousKeys", None)
        if rotates:
            told["lastKeyRotationTimestamp"] = directory.stamp(when)
        _look_ahead(world, after, when)

    def failed(_: datetime) -> None:
        if old is not None:
            after.clear()
            after.update(old)
        after["properties"]["provisioningState"] = "Failed"

    operation = world.begin(call, ticket, done=done, failed=failed, protocol=DISKS)
    return world.accepted(call, ticket, operation, Response(202, _echo(call, after)))


def _echo(call: Call, after: Json) -> Json:
    """Return what a write is answered with: a PUT what it asks for, without a name, a PATCH the set.

    As recorded in Azure/azure-cli, vm/tests/latest/recordings/test_disk_encryption_set_identity.yaml.
    """
    if call.request.method != "PUT":
        return duplicate(after)  # type: ignore[no-any-return]
    body: Json = duplicate(call.body())
    echo = {name: body[name] for name in ("location", "tags", "identity") if body.get(name) is not None}
    given = {name: value for name, value in (body.get("properties") or {}).items() if name in _SETTABLE}
    return echo | {"properties": given | {"provisioningState": "Updating"}}


def _wanted(world: World, call: Call, before: Json | None, *, is_put: bool, nth: int) -> Json:
    body = call.body()
    location = immediate.located(call, before) if is_put else look(before, "location")
    after: Json = (
        duplicate(before) if before else immediate.fresh(call, "Microsoft.Compute/diskEncryptionSets")
    )
    after["location"] = location
    if "tags" in body:
        after["tags"] = duplicate(body["tags"] or {})
    if "identity" in body:
        after["identity"] = identity.changed(look(before, "identity"), body["identity"], replaces=is_put)
        if after["identity"] is None:
            del after["identity"]
    _complete_identity(world, after, nth, call.now)
    given: Any = body.get("properties") or {}
    told = section(after, "properties")
    for name in _SETTABLE:
        if given.get(name) is not None:
            told[name] = merged(None, given[name])
    if same(told.get("federatedClientId"), "None"):
        del told["federatedClientId"]
    told.setdefault("encryptionType", "EncryptionAtRestWithCustomerKey")
    return after


def _complete_identity(world: World, found: Json, nth: int, now: datetime) -> None:
    """Fill in the principals of an identity; one that is switched on again is a new principal."""
    own: Json = found.get("identity") or {}
    if "SystemAssigned" in own.get("type", "") and "principalId" not in own:
        own["principalId"] = identifier(world.seed, "principal", found["id"], nth)
        own["tenantId"] = identity.home(world.state, world.seed)
        directory.announce(world.state, own["principalId"], now)
    for name, value in (own.get("userAssignedIdentities") or {}).items():
        seeded = look(world.state.find(name), "properties") or {}
        value |= {word: seeded[word] for word in ("principalId", "clientId") if word in seeded}


def _look_ahead(world: World, found: Json, now: datetime) -> None:
    """Let a set that rotates by itself look for a newer version of its key within an hour."""
    if look(found, "properties.rotationToLatestKeyVersionEnabled") is not True:
        return
    seconds = _ROTATES_WITHIN * draw(world.seed, found["id"], "rotation")
    world.timeline.add(now + timedelta(seconds=seconds), lambda when: _rotate(world, found, when))


def _rotate(world: World, found: Json, now: datetime) -> None:
    if world.state.find(found["id"]) is not found or look(found, "properties.autoKeyRotationError"):
        return
    told: Json = found["properties"]
    newest = _newest(world, str(encryption_set_rules.key_url(found)))
    if newest is None or same(newest, encryption_set_rules.key_url(found)):
        return
    was = told["activeKey"]
    told["activeKey"] = {**was, "keyUrl": newest}
    answer = disk_keys.ask(world.state, found, now)
    if answer is not None and answer.refusal is not None:
        told["activeKey"] = was
        told["autoKeyRotationError"] = {"code": answer.refusal.code, "message": answer.refusal.message}
        return
    told["lastKeyRotationTimestamp"] = directory.stamp(now)


def _newest(world: World, url: str) -> str | None:
    """Return the URL of the newest version of a key, or None where the twin holds no versions of it."""
    parts = urlsplit(url)
    vault = key_vaults.with_name(world.state, str(parts.hostname or "").split(".")[0])
    name = parts.path.strip("/").split("/")[1]
    versions = [] if vault is None else world.state.of_kind(VERSION, f"{vault['id']}/keys/{name}")
    newest = max(versions, key=lambda each: look(each, "properties.attributes.created") or 0, default=None)
    return None if newest is None else f"https://{parts.hostname}/keys/{name}/{newest['name']}"


def users(world: World, set_id: str) -> list[str]:
    """Return the ids of the disks and snapshots whose key a set holds."""
    names = ("encryption.diskEncryptionSetId", "securityProfile.secureVMDiskEncryptionSetId")
    return [
        resource["id"]
        for kind in (DISK, SNAPSHOT)
        for resource in world.state.of_kind(kind)
        if any(same(look(resource, f"properties.{name}"), set_id) for name in names)
    ]


def associated(world: World, call: Call) -> Response:
    """Answer the ids of the disks and snapshots whose key a set holds."""
    return Response(200, {"value": users(world, world.state.need(call.address)["id"])})


def _check_removal(world: World, found: Json) -> None:
    held = users(world, found["id"])
    if held:
        raise not_allowed(
            f"Disk encryption set '{found['name']}' cannot be deleted since it is used by '{held[0]}'.",
            unverified=True,
        )


delete = storage.removal("diskEncryptionSets/delete", _check_removal)

ROUTES: Routes = {
    ("GET", "microsoft.compute", "diskencryptionsets"): listed,
    ("GET", ENCRYPTION_SET, ""): get,
    ("GET", ENCRYPTION_SET, "associatedresources"): associated,
    ("PUT", ENCRYPTION_SET, ""): write,
    ("PATCH", ENCRYPTION_SET, ""): write,
    ("DELETE", ENCRYPTION_SET, ""): delete,
}
