"""Puts what the Azure CLI flattens back into ARM's form: `az vm list -d` and its likes have no `properties`.

The CLI lifts everything under `properties` to the top, adds `resourceGroup` to every object with an id,
and spells some keys differently from ARM. `az vm list -d` adds the power state in words and addresses as
comma-separated text. Resource Graph rows and ARM's own answers pass unchanged. Nothing is thrown away: a
key that nobody knows ends under `properties`.
"""

import re
from typing import Any

import msgspec

from readiness.azure.wire_values import Json

_OWN = frozenset(
    {
        "id", "name", "type", "kind", "location", "tags", "identity", "sku", "plan", "zones", "etag",
        "managedBy", "managedByExtended", "extendedLocation", "systemData", "apiVersion", "scale",
        "resources", "placement", "properties",
        "subscriptionId", "resourceGroup", "tenantId", "aggregate",
        "createdTime", "changedTime", "twin",
    }
)  # fmt: skip
"""Keys that stand beside `properties` in ARM and in Resource Graph."""

_SPELLED = {
    "diskSizeGb": "diskSizeGB",
    "privateIpAddress": "privateIPAddress",
    "privateIpAddressVersion": "privateIPAddressVersion",
    "privateIpAllocationMethod": "privateIPAllocationMethod",
    "publicIpAddress": "publicIPAddress",
    "publicIpAddresses": "publicIPAddresses",
    "publicIpAddressVersion": "publicIPAddressVersion",
    "publicIpAllocationMethod": "publicIPAllocationMethod",
    "publicIpPrefix": "publicIPPrefix",
    "enableIpForwarding": "enableIPForwarding",
    "enableFloatingIp": "enableFloatingIP",
    "frontendIpConfiguration": "frontendIPConfiguration",
    "frontendIpConfigurations": "frontendIPConfigurations",
    "backendIpConfiguration": "backendIPConfiguration",
    "backendIpConfigurations": "backendIPConfigurations",
    "diskIopsReadWrite": "diskIOPSReadWrite",
    "diskMBpsReadWrite": "diskMBpsReadWrite",
    "diskMbpsReadWrite": "diskMBpsReadWrite",
}
"""The CLI's spelling of keys, and ARM's."""

_POWER = re.compile(r"VM (running|stopped|deallocated|starting|stopping|deallocating)", re.IGNORECASE)
_VM = "microsoft.compute/virtualmachines"
_WITHOUT_PROPERTIES = frozenset(
    {
        "microsoft.compute/skus",
        "microsoft.resources/subscriptions",
        "microsoft.resources/resourcegroups",
        "microsoft.resources/subscriptions/resourcegroups",
    }
)
_TYPE_KEYS = ("typePropertiesType", "virtualMachineExtensionType")
"""The CLI's names for an extension's own type, since `type` is the resource's."""


def as_arm(resource: Json) -> Json:
    """Return the resource in ARM's form; one that is in it already is returned as it is."""
    properties = resource.get("properties")
    if isinstance(properties, str):
        return _with_parsed_properties(resource, properties)
    if isinstance(properties, dict):
        return _with_details(resource)
    if not _flat_keys(resource):
        return resource
    return _with_details(_lifted(resource))


def is_bare(resource: Json, kind: str) -> bool:
    """Tell whether a resource in ARM's form carries so little that rules could only answer *unknown*."""
    properties = resource.get("properties")
    if not isinstance(properties, dict):
        return kind not in _WITHOUT_PROPERTIES
    return kind == _VM and "storageProfile" not in properties


def _flat_keys(resource: Json) -> set[str]:
    return set(resource) - _OWN


def _with_parsed_properties(resource: Json, written: str) -> Json:
    """Read `properties` that a tool for tables kept as a text."""
    try:
        parsed = msgspec.json.decode(written)
    except msgspec.DecodeError:
        return resource
    return {**resource, "properties": parsed} if isinstance(parsed, dict) else resource


def _lifted(resource: Json) -> Json:
    own = str(resource.get("id", "")).lower()
    lifted = {key: value for key, value in resource.items() if key in _OWN and key != "properties"}
    properties: Json = {}
    for key, value in resource.items():
        if key in _TYPE_KEYS:
            properties["type"] = value
        elif key not in _OWN:
            properties[_SPELLED.get(key, key)] = _inner(value, own)
    children = resource.get("resources")
    if isinstance(children, list):
        lifted["resources"] = [_inner(child, own) for child in children]
    lifted["properties"] = properties
    return lifted


def _inner(value: Any, owner: str) -> Any:
    """Spell keys as ARM does, and lift children: objects whose id lies under their owner's."""
    if isinstance(value, list):
        return [_inner(entry, owner) for entry in value]
    if not isinstance(value, dict):
        return value
    own = value.get("id")
    is_child = isinstance(own, str) and own.lower().startswith(f"{owner}/") and bool(owner)
    if is_child and not isinstance(value.get("properties"), dict) and _flat_keys(value):
        return _lifted(value)
    return {_SPELLED.get(key, key): _inner(entry, owner) for key, entry in value.items()}


def _with_details(resource: Json) -> Json:
    """Say in the instance view what `-d` says of the power state, where the instance view says nothing."""
    kind = str(resource.get("type") or "").lower()
    properties = resource.get("properties")
    if (kind and kind != _VM) or not isinstance(properties, dict):
        return resource
    told = _POWER.fullmatch(str(properties.get("powerState") or resource.get("powerState") or ""))
    view = properties.get("instanceView")
    if told is None or (isinstance(view, dict) and view.get("statuses")):
        return resource
    status = {"code": f"PowerState/{told[1].lower()}", "displayStatus": told[0]}
    known = view if isinstance(view, dict) else {}
    return {**resource, "properties": {**properties, "instanceView": {**known, "statuses": [status]}}}
