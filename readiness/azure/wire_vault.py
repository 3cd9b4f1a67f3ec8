"""ARM JSON to the model: key vaults and keys, locks, role assignments on keys, and feature registrations."""

from readiness.azure.wire_values import (
    Json,
    MalformedError,
    flag,
    location_of,
    moment,
    number,
    obj,
    objects,
    own_id,
    resource_id,
    text,
    texts,
)
from readiness.model.ids import ResourceId
from readiness.model.vault import AccessPolicy, KeyGrant, Lock, Vault, VaultKey


def vault(resource: Json) -> Vault:
    """Read a key vault."""
    properties = obj(resource, "properties")
    network = obj(properties, "networkAcls")
    return Vault(
        id=own_id(resource),
        location=location_of(resource),
        soft_delete=flag(properties, "enableSoftDelete"),
        purge_protection=flag(properties, "enablePurgeProtection"),
        uses_roles=flag(properties, "enableRbacAuthorization") or False,
        policies=tuple(_policy(entry) for entry in objects(properties, "accessPolicies")),
        default_action=text(network, "defaultAction"),
        bypass=text(network, "bypass"),
        public_access=text(properties, "publicNetworkAccess"),
    )


def vault_key(resource: Json) -> VaultKey:
    """Read a key of a vault, or one version of a key."""
    properties = obj(resource, "properties")
    attributes = obj(properties, "attributes")
    return VaultKey(
        id=own_id(resource),
        kind=text(properties, "kty"),
        size=number(properties, "keySize"),
        enabled=flag(attributes, "enabled"),
        expires=moment(attributes, "exp"),
        starts=moment(attributes, "nbf"),
        version=_version(text(properties, "keyUriWithVersion")),
    )


def lock(resource: Json) -> Lock:
    """Read a management lock; what it holds stands before `/providers/Microsoft.Authorization` in its id."""
    lock_id = own_id(resource)
    scope, found, _ = lock_id.text.lower().rpartition("/providers/microsoft.authorization/locks/")
    if not found:
        raise MalformedError("it does not say what it locks")
    return Lock(
        id=lock_id, scope=ResourceId(scope), level=text(obj(resource, "properties"), "level") or "NotReported"
    )


def key_grant(resource: Json) -> KeyGrant:
    """Read a role assignment as far as it lets an identity use keys."""
    properties = obj(resource, "properties")
    principal, role = text(properties, "principalId"), resource_id(properties, "roleDefinitionId")
    grant = text(resource, "id") or ""
    scope = text(properties, "scope") or grant.lower().rpartition(_GRANTS)[0]
    if principal is None or role is None or not scope:
        raise MalformedError("it does not say who may do what, or where")
    return KeyGrant(
        id=ResourceId(grant),
        principal=principal.lower(),
        role=role.name.lower(),
        scope=scope.rstrip("/").lower(),
        is_conditional=text(properties, "condition") is not None,
    )


def feature(resource: Json) -> tuple[tuple[str, str], str] | None:
    """Read a feature registration: (subscription, `provider/name` in lower case) and its state."""
    subscription, name = own_id(resource).subscription, text(resource, "name")
    state = text(obj(resource, "properties"), "state")
    return ((subscription, name.lower()), state) if name and state else None


def _policy(entry: Json) -> AccessPolicy:
    permitted = texts(obj(entry, "permissions"), "keys")
    return AccessPolicy(
        principal=(text(entry, "objectId") or "").lower(), keys=tuple(name.lower() for name in permitted)
    )


def _version(address: str | None) -> str | None:
    return address.rstrip("/").rpartition("/")[2].lower() if address else None


_GRANTS = "/providers/microsoft.authorization/roleassignments/"
