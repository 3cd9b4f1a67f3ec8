"""What of a resource is written down: never a secret, and of an instance view only what is understood.

Azure does not answer passwords and protected settings, but it does answer what people put where everybody can
read it: commands with passwords in an extension's settings, signed addresses of scripts, the output of
scripts in the instance view. None of that is kept.
"""

from typing import Any

from readiness.azure.wire_values import Json

_UNKEPT = frozenset(
    {
        "settings",
        "protectedsettings",
        "protectedsettingsfromkeyvault",
        "adminpassword",
        "customdata",
        "userdata",
    }
    | {"password", "data", "additionalunattendcontent", "commandtoexecute", "script"}
)
_CARRIERS = (
    "microsoft.compute/virtualmachines",
    "microsoft.compute/virtualmachines/extensions",
    "microsoft.compute/virtualmachinescalesets",
    "microsoft.network/applicationgateways",
)
_CONTAINERS = (dict, list)
_VIEW = ("computerName", "osName", "osVersion", "hyperVGeneration", "disks", "statuses", "assignedHost")


def harmless(resource: Json) -> Json:
    """Return a resource without what could be a secret; one that cannot hold any comes back as it is."""
    return _cleaned(resource) if str(resource.get("type") or "").lower() in _CARRIERS else resource


def view_of(machine: Json) -> Json:
    """Return the id of a machine and the parts of its instance view that are kept."""
    properties = machine.get("properties")
    view = properties.get("instanceView") if isinstance(properties, dict) else None
    row: Json = {"id": machine.get("id")}
    if isinstance(view, dict):
        kept = {name: view[name] for name in _VIEW if name in view}
        agent = view.get("vmAgent")
        if isinstance(agent, dict):
            kept["vmAgent"] = {name: agent[name] for name in ("vmAgentVersion", "statuses") if name in agent}
        row["instanceView"] = kept
    return row


def with_view(machine: Json, view: Json) -> Json:
    """Return a row of Resource Graph with the instance view that Resource Manager told."""
    return {**machine, "properties": {**(machine.get("properties") or {}), "instanceView": view}}


def _cleaned(value: Any) -> Any:
    if isinstance(value, list):
        return [_cleaned(entry) if isinstance(entry, _CONTAINERS) else entry for entry in value]
    result: Json = {}
    for name, inner in value.items():
        word = name.lower()
        if word not in _UNKEPT:
            is_deep = isinstance(inner, _CONTAINERS) and word != "tags"
            result[name] = _cleaned(inner) if is_deep else inner
        elif word == "settings" and isinstance(inner, dict) and _hosts(inner):
            result[name] = {"fileUris": _hosts(inner)}
    return result


def _hosts(settings: Json) -> list[str]:
    """Return scheme and host of the addresses that an extension downloads from: the rest may be signed."""
    listed = settings.get("fileUris")
    addresses = [entry for entry in listed if isinstance(entry, str)] if isinstance(listed, list) else []
    parts = (entry.partition("://") for entry in addresses)
    hosts = (f"{scheme}://{rest.split('/')[0].rpartition('@')[2]}/" for scheme, sign, rest in parts if sign)
    return list(dict.fromkeys(hosts))
