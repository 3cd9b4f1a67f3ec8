"""Deleted key vaults: GET, list, purge, and the way back.

A vault that is deleted goes away with its keys, and returns with them. It is purged by itself once its
retention has passed; with purge protection nobody can do so before.
"""

from datetime import datetime, timedelta

from readiness.twin.arm.directory import stamp
from readiness.twin.arm.paging import page
from readiness.twin.documents import Json, duplicate, look, same
from readiness.twin.messages import ArmError, Response
from readiness.twin.paths import parse
from readiness.twin.protocols import KEY_VAULT
from readiness.twin.state import State, place
from readiness.twin.world import Call, Routes, World

VAULT = "microsoft.keyvault/vaults"
KEY = f"{VAULT}/keys"
VERSION = f"{KEY}/versions"
DELETED = "microsoft.keyvault/locations/deletedvaults"


def with_name(state: State, name: str) -> Json | None:
    """Return the deleted vault of a name."""
    return next((each for each in state.of_kind(DELETED) if same(parse(each["id"]).name, name)), None)


def put_away(world: World, vault: Json, now: datetime) -> None:
    """Delete a vault in such a way that it can be recovered."""
    address = parse(vault["id"])
    days = look(vault, "properties.softDeleteRetentionInDays") or 90
    purged = now + timedelta(days=days)
    where = place(vault.get("location"))
    deleted: Json = {
        "id": f"/subscriptions/{address.subscription}/providers/Microsoft.KeyVault/locations/{where}"
        f"/deletedVaults/{address.name}",
        "name": address.name,
        "type": "Microsoft.KeyVault/deletedVaults",
        "properties": {
            "vaultId": vault["id"],
            "location": where,
            "tags": duplicate(vault.get("tags") or {}),
            "deletionDate": stamp(now),
            "scheduledPurgeDate": stamp(purged),
            "purgeProtectionEnabled": look(vault, "properties.enablePurgeProtection") is True,
        },
    }
    contents = [vault, *world.state.of_kind(KEY, vault["id"]), *world.state.of_kind(VERSION, vault["id"])]
    for resource in contents:
        world.state.remove(resource["id"])
    world.state.put(deleted)
    world.state.hidden(DELETED)[deleted["id"].lower()] = contents

    def purge(_: datetime) -> None:
        if world.state.find(deleted["id"]) is deleted:
            _forget(world.state, deleted)

    world.timeline.add(purged, purge)


def recover(world: World, call: Call, location: str) -> Json:
    """Bring a deleted vault back with everything in it, and return it."""
    deleted = with_name(world.state, call.address.name)
    is_here = deleted is not None and same(look(deleted, "properties.vaultId"), call.address.path)
    if deleted is None or not is_here or look(deleted, "properties.location") != place(location):
        raise ArmError(
            404,
            "DeletedVaultNotFound",
            f"The specified deleted vault '{call.address.name}' does not exist.",
            unverified=True,
        )
    contents = world.state.hidden(DELETED)[deleted["id"].lower()]
    for resource in contents:
        world.state.put(resource)
    _forget(world.state, deleted)
    vault: Json = duplicate(contents[0])
    return vault


def _forget(state: State, deleted: Json) -> None:
    state.remove(deleted["id"])
    state.hidden(DELETED).pop(deleted["id"].lower(), None)


def get(world: World, call: Call) -> Response:
    """Answer one deleted vault."""
    return Response(200, duplicate(_need(world, call)))


def _need(world: World, call: Call) -> Json:
    found = world.state.find(call.address.resource_id)
    if found is None:
        raise ArmError(
            404,
            "DeletedVaultNotFound",
            f"The specified deleted vault '{call.address.name}' does not exist.",
            unverified=True,
        )
    return found


def listed(world: World, call: Call) -> Response:
    """Answer the deleted vaults of a subscription."""
    return page(call, world.state.of_kind(DELETED, call.address.scope), duplicate)


def purge(world: World, call: Call) -> Response:
    """Purge a deleted vault for good, unless it is protected against that."""
    deleted = _need(world, call)
    if look(deleted, "properties.purgeProtectionEnabled") is True:
        raise ArmError(405, "MethodNotAllowed", "Operation 'DeletedVaultPurge' is not allowed.")
    ticket = world.admit(call, "deletedVaults/purge", deleted["id"])
    world.idle(deleted, "purge")

    def done(_: datetime) -> None:
        if world.state.find(deleted["id"]) is deleted:
            _forget(world.state, deleted)

    operation = world.begin(call, ticket, done=done, failed=lambda _: None, protocol=KEY_VAULT)
    return world.accepted(call, ticket, operation, Response(202))


ROUTES: Routes = {
    ("GET", "microsoft.keyvault", "deletedvaults"): listed,
    ("GET", DELETED, ""): get,
    ("POST", DELETED, "purge"): purge,
}
