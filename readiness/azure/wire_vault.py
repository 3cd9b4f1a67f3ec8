"""ARM JSON to the model: key vaults and keys, locks, and feature registrations."""

from readiness.azure.wire_values import (
    Json,
    carrier_of,
    flag,
    location_of,
    moment,
    number,
    obj,
    objects,
    own_id,
    text,
    texts,
)
from readiness.model.vault import AccessPolicy, Lock, Vault, VaultKey


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
    return Lock(
        id=lock_id,
        scope=carrier_of(lock_id),
        level=text(obj(resource, "properties"), "level") or "NotReported",
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
