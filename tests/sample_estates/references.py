"""Finds references in ARM resources that lead nowhere, by looking at texts only: shares no code with ours."""

from collections.abc import Iterator
from typing import Any

_KINDS = (
    "microsoft.compute/virtualmachines",
    "microsoft.compute/disks",
    "microsoft.compute/diskencryptionsets",
    "microsoft.compute/availabilitysets",
    "microsoft.compute/virtualmachinescalesets",
    "microsoft.compute/galleries",
    "microsoft.compute/proximityplacementgroups",
    "microsoft.compute/restorepointcollections",
    "microsoft.insights/datacollectionrules",
    "microsoft.maintenance/maintenanceconfigurations",
    "microsoft.network/applicationgateways",
    "microsoft.network/applicationsecuritygroups",
    "microsoft.network/azurefirewalls",
    "microsoft.network/firewallpolicies",
    "microsoft.network/networkinterfaces",
    "microsoft.network/networksecuritygroups",
    "microsoft.network/publicipaddresses",
    "microsoft.network/virtualnetworks",
    "microsoft.network/loadbalancers",
    "microsoft.network/natgateways",
    "microsoft.network/routetables",
    "microsoft.operationalinsights/workspaces",
    "microsoft.keyvault/vaults",
    "microsoft.recoveryservices/vaults",
    "microsoft.managedidentity/userassignedidentities",
)


def dangling_of(resources: list[dict[str, Any]]) -> set[str]:
    """Return the ids, in lower case, that resources refer to and that none of them has or contains."""
    known = {text for resource in resources for text in _own_ids(resource)}
    named = {text for resource in resources for text in _named(resource) if _is_ours(text)}
    return named - known


def _own_ids(value: Any, *, whole: bool = True) -> Iterator[str]:
    """Yield a resource's id and those of the parts inside it: subnets, rules, pools, configurations."""
    if isinstance(value, list):
        for entry in value:
            yield from _own_ids(entry, whole=False)
    elif isinstance(value, dict):
        if isinstance(value.get("id"), str) and (whole or "name" in value):
            yield value["id"].lower()
        for entry in value.values():
            yield from _own_ids(entry, whole=False)


def _named(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value.lower()
    elif isinstance(value, list):
        for entry in value:
            yield from _named(entry)
    elif isinstance(value, dict):
        for key, entry in value.items():
            yield from _named(key)
            yield from _named(entry)


def _is_ours(text: str) -> bool:
    if not text.startswith("/subscriptions/") or text.count("/providers/") != 1:
        return False
    parts = text.partition("/providers/")[2].split("/")
    # Only whole resources and parts that other resources point at: what else stands in a path is a name.
    return "/".join(parts[:2]) in _KINDS and len(parts) > 2
