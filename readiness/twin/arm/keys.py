"""Keys of a vault, as Azure Resource Manager has them: GET, list, PUT, versions. No key material anywhere.

Learn, "Keys - Create If Not Exist": the PUT makes the first version of a key; where the key is there
already, it is answered as it is and nothing is changed. Newer versions come from a seed, or from the vault's
own service.
"""

from readiness.twin.arm import immediate, key_vaults
from readiness.twin.arm.deleted_vaults import KEY, VAULT, VERSION
from readiness.twin.documents import Json, duplicate, look, same
from readiness.twin.messages import ArmError, Response, invalid_parameter
from readiness.twin.operations import identifier
from readiness.twin.world import Call, Routes, World

_SIZES = (2048, 3072, 4096)
_TYPES = ("RSA", "RSA-HSM", "EC", "EC-HSM")
_OPERATIONS = ("encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey")


def write(world: World, call: Call) -> Response:
    """Make a key, or answer the one that is there."""
    vault = world.state.find(call.address.path.rsplit("/", 2)[0])
    if vault is None:
        raise ArmError(
            404,
            "ParentResourceNotFound",
            f"Failed to perform 'write' on resource(s) of type 'vaults/keys', because the parent resource "
            f"'{call.address.path.rsplit('/', 2)[0]}' could not be found.",
        )
    ticket = world.admit(call, "vaults/keys/write", call.address.resource_id)
    before = world.state.find(call.address.resource_id)
    if before is None:
        given: Json = duplicate(call.body().get("properties") or {})
        _check(vault, given)
        before = _make(world, call, vault, given, ticket.nth)
    return world.finished(ticket, Response(200, duplicate(before)))


def _check(vault: Json, given: Json) -> None:
    kind, size = given.get("kty"), given.get("keySize")
    if kind not in _TYPES:
        raise invalid_parameter(f"The key type '{kind}' is not valid.", "properties.kty", unverified=True)
    if str(kind).startswith("RSA") and size not in (None, *_SIZES):
        raise invalid_parameter(f"The key size {size} is not valid.", "properties.keySize", unverified=True)
    if str(kind).endswith("-HSM") and not same(look(vault, "properties.sku.name"), "premium"):
        raise invalid_parameter(
            f"Keys of type '{kind}' need a vault with SKU 'premium'.", "properties.kty", unverified=True
        )


def _make(world: World, call: Call, vault: Json, given: Json, nth: int) -> Json:
    key = immediate.fresh(call, "Microsoft.KeyVault/vaults/keys")
    key["location"] = vault.get("location")
    version = identifier(world.seed, "key", key["id"], nth).replace("-", "")
    base = look(vault, "properties.vaultUri") or key_vaults.uri_of(vault["name"])
    uri = f"{base.rstrip('/')}/keys/{call.address.name}"
    made = int(call.now.timestamp())
    is_protected = look(vault, "properties.enablePurgeProtection") is True
    attributes = {"enabled": True} | (given.get("attributes") or {}) | {"created": made, "updated": made}
    attributes["recoveryLevel"] = "Recoverable" if is_protected else "Recoverable+Purgeable"
    properties: Json = {"keyOps": list(_OPERATIONS)} | given | {"attributes": attributes}
    if str(given["kty"]).startswith("RSA"):
        properties["keySize"] = given.get("keySize") or _SIZES[0]
    key["properties"] = properties | {"keyUri": uri, "keyUriWithVersion": f"{uri}/{version}"}
    first = duplicate(key) | {
        "id": f"{key['id']}/versions/{version}",
        "name": version,
        "type": "Microsoft.KeyVault/vaults/keys/versions",
    }
    world.state.put(key)
    world.state.put(first)
    return key


def listed(world: World, call: Call) -> Response:
    """Answer the keys of a vault."""
    immediate.need_parent(world, call.address.resource_id)
    return immediate.listed(KEY)(world, call)


def versions(world: World, call: Call) -> Response:
    """Answer the versions of a key."""
    immediate.need_parent(world, call.address.resource_id)
    return immediate.listed(VERSION)(world, call)


ROUTES: Routes = {
    ("GET", VAULT, "keys"): listed,
    ("GET", KEY, ""): immediate.get,
    ("PUT", KEY, ""): write,
    ("GET", KEY, "versions"): versions,
    ("GET", VERSION, ""): immediate.get,
}
