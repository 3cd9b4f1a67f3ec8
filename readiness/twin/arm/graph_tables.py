"""The tables of Resource Graph: which types each one holds, and what a row of it looks like.

A row is what ARM's GET answers with a few differences: types, locations and group names are lower case, the
instance view of a machine is reduced to what stands under `properties.extended`, its extensions are rows of
their own, every column is there, and there is no etag.
"""

from collections.abc import Iterator

from readiness.twin.documents import Json, look
from readiness.twin.machine import instance_view
from readiness.twin.state import GROUP, SUBSCRIPTION, VM, State, place

EXTENSION = f"{VM}/extensions"
_BACKED_UP = "microsoft.recoveryservices/vaults"
_TABLES = {
    "resourcecontainers": (SUBSCRIPTION, GROUP),
    "securityresources": (
        "microsoft.security/assessments",
        "microsoft.security/assessments/governanceassignments",
        "microsoft.security/pricings",
    ),
    "policyresources": (
        "microsoft.authorization/policyassignments",
        "microsoft.authorization/policyexemptions",
        "microsoft.authorization/policydefinitions",
        "microsoft.authorization/policysetdefinitions",
    ),
    "authorizationresources": (
        "microsoft.authorization/roleassignments",
        "microsoft.authorization/roledefinitions",
    ),
    "recoveryservicesresources": (
        f"{_BACKED_UP}/backupfabrics/protectioncontainers/protecteditems",
        f"{_BACKED_UP}/backuppolicies",
        f"{_BACKED_UP}/replicationfabrics/replicationprotectioncontainers/replicationprotecteditems",
    ),
    "patchassessmentresources": (f"{VM}/patchassessmentresults",),
    "maintenanceresources": ("microsoft.maintenance/configurationassignments",),
    "guestconfigurationresources": ("microsoft.guestconfiguration/guestconfigurationassignments",),
    "insightresources": ("microsoft.insights/datacollectionruleassociations",),
    "networkresources": (
        "microsoft.network/effectivesecurityadminrules",
        "microsoft.network/firewallpolicies/rulecollectiongroups",
    ),
}
_ELSEWHERE = frozenset(kind for kinds in _TABLES.values() for kind in kinds)
_NOWHERE = (
    "microsoft.authorization/",
    "microsoft.features/",
    "microsoft.resources/",
    "microsoft.security/",
    "microsoft.securityinsights/",
)
"""Namespaces whose resources hang on others, and are in no table but those named above."""
_CHILDREN = frozenset(
    {
        EXTENSION,
        f"{VM}/runcommands",
        "microsoft.compute/galleries/images",
        "microsoft.compute/galleries/images/versions",
        "microsoft.network/networkwatchers/flowlogs",
    }
)
"""Child resources with rows of their own; all others are not there, as in Azure."""

COLUMNS = (
    *("id", "name", "type", "tenantId", "kind", "location", "resourceGroup", "subscriptionId", "managedBy"),
    *("managedByExtended", "sku", "plan", "properties", "tags", "identity", "zones", "extendedLocation"),
)
_TEXTS = ("kind", "managedBy")
_OBJECTS = ("managedByExtended", "sku", "plan", "properties", "tags", "identity", "zones", "extendedLocation")


def kinds_of(state: State, table: str) -> list[str] | None:
    """Return the kinds of resources in a table, or None where there is no such table."""
    if table == "resources":
        return [kind for kind in state.kinds() if _is_in_resources(kind)]
    return list(_TABLES[table]) if table in _TABLES else None


def _is_in_resources(kind: str) -> bool:
    if kind in _ELSEWHERE or kind.startswith(_NOWHERE):
        return False
    return kind in _CHILDREN or kind.count("/") == 1


def rows_of(state: State, table: str, tenant: str) -> Iterator[Json]:
    """Yield the rows of a table. They hold parts of the ground truth: whoever answers them copies them."""
    for kind in kinds_of(state, table) or ():
        for resource in state.of_kind(kind):
            yield _row(state, kind, resource, tenant)
            for extension in _inline(state, resource) if kind == VM else ():
                yield _row(state, EXTENSION, extension, tenant)


def _inline(state: State, vm: Json) -> Iterator[Json]:
    """Yield the extensions that a seed has inside a machine alone: they have rows of their own here."""
    for entry in vm.get("resources") or ():
        if isinstance(entry, dict) and entry.get("name"):
            own = entry.get("id") or f"{vm['id']}/extensions/{str(entry['name']).rpartition('/')[2]}"
            if state.find(own) is None:
                yield {"location": vm.get("location"), **entry, "id": own}


def _row(state: State, kind: str, resource: Json, tenant: str) -> Json:
    words = resource["id"].split("/")
    subscription = words[2] if len(words) > 2 and words[1].lower() == "subscriptions" else ""  # noqa: PLR2004
    group = words[4].lower() if len(words) > 4 and words[3].lower() == "resourcegroups" else ""  # noqa: PLR2004
    row: Json = {
        "id": resource["id"],
        "name": resource.get("name") or words[-1],
        "type": kind,
        "tenantId": _tenant(state, subscription) or tenant,
        "location": place(resource.get("location")),
        "resourceGroup": group,
        "subscriptionId": subscription,
    }
    row |= {name: resource.get(name) or "" for name in _TEXTS}
    row |= {name: resource.get(name) for name in _OBJECTS}
    if kind == VM:
        row["properties"] = _extended(state, resource)
    return row


def _tenant(state: State, subscription: str) -> str:
    return str(look(state.find(f"/subscriptions/{subscription}"), "tenantId") or "")


def _extended(state: State, vm: Json) -> Json:
    """Return a machine's properties with the part of its instance view that Resource Graph keeps."""
    view = instance_view(state.machine(vm), vm, generation=state.generation(vm))
    kept: Json = {
        name: view[name]
        for name in ("computerName", "hyperVGeneration", "osName", "osVersion")
        if name in view
    }
    kept["powerState"] = next(
        (status for status in view["statuses"] if status["code"].startswith("PowerState/")), None
    )
    return {**vm["properties"], "extended": {"instanceView": kept}}
