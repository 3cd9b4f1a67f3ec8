"""Recognises the forms in which teams have their resources, and takes the resources out of them.

Understands lists, ARM list answers (`value`), Resource Graph answers (`data` as objects or as a table),
template exports, batch answers, account lists, and single resources, however they are nested. Whatever
cannot be used comes out as `Unusable` with its place and the reason: nothing is dropped without a word.
Pure: takes JSON values, reads no files, and decides nothing about what a resource means.
"""

from collections.abc import Callable, Iterator
from typing import Any

from msgspec import Struct

from readiness.azure.flattened import as_arm, is_bare
from readiness.azure.wire_values import Json
from readiness.model.ids import ResourceId

_DEEPEST = 12
"""Envelopes within envelopes before somebody is playing tricks."""


class Found(Struct, frozen=True):
    """One resource in ARM's own form, and where it stood."""

    place: str
    key: str
    """What it is merged by: its id without case, or what stands for one."""
    type: str
    resource: Json
    has_properties: bool


class Unusable(Struct, frozen=True):
    """Something that was not taken, where it stood, and why."""

    place: str
    name: str
    reason: str
    detail: str


class Incomplete(Struct, frozen=True):
    """An answer that says that it is not all there is."""

    place: str
    detail: str


Piece = Found | Unusable | Incomplete

_VIEW = frozenset(("vmAgent", "osName", "osVersion", "hyperVGeneration", "bootDiagnostics", "disks"))
"""What stands beside `statuses` in a VM's instance view."""
_POWERSHELL = {
    "ResourceId": "id",
    "Id": "id",
    "Name": "name",
    "ResourceType": "type",
    "Type": "type",
    "Location": "location",
    "Tags": "tags",
    "Properties": "properties",
    "Identity": "identity",
    "Sku": "sku",
    "Zones": "zones",
    "ManagedBy": "managedBy",
}
"""How `Get-AzResource -ExpandProperties` spells what stands around ARM's own properties."""


def pieces(document: Any, place: str, depth: int = 0) -> Iterator[Piece]:
    """Yield everything that a JSON value holds: resources, what is no resource, and signs of missing pages.

    Args:
        document: A decoded JSON value.
        place: Where it stands, such as `vms.json`; entries of lists add their position.
        depth: How many envelopes were opened already.
    """
    if depth > _DEEPEST:
        yield Unusable(place, "", "TooDeep", "It is wrapped in too many envelopes to be an export.")
    elif isinstance(document, list):
        for index, entry in enumerate(document):
            yield from pieces(entry, f"{place}[{index}]", depth + 1)
    elif isinstance(document, dict):
        yield from _of_object(document, place, depth)
    else:
        yield Unusable(place, "", "NotAResource", f"{_kind(document)} stands where a resource is expected.")


def _of_object(document: Json, place: str, depth: int) -> Iterator[Piece]:
    for is_form, opened in _ENVELOPES:
        if is_form(document):
            yield from _missing_pages(document, place)
            yield from opened(document, place, depth)
            return
    yield _single(document, place)


def _single(document: Json, place: str) -> Piece:
    if "id" not in document and _POWERSHELL.keys() & document.keys():
        document = {_POWERSHELL.get(key, key): value for key, value in document.items()}
    name = _text(document.get("name"))
    own = _text(document.get("id"))
    if not own:
        key = _key_without_id(document)
        if key:
            return Found(place, key, "microsoft.compute/skus", document, has_properties=True)
        return _without_id(document, place, name)
    if _is_account(document, own):
        return _subscription(document, place, own)
    found = ResourceId(own)
    if not own.startswith("/"):
        detail = f"Its id '{own[:200]}' is not a resource's full id: it has to begin with /subscriptions/."
        return Unusable(place, name or own[:200], "RelativeId", detail)
    resource = as_arm(document)
    kind = (_text(resource.get("type")) or found.type).lower()
    return Found(place, found.key, kind, resource, not is_bare(resource, kind))


def _without_id(document: Json, place: str, name: str) -> Unusable:
    error = document.get("error")
    if isinstance(error, dict):
        said = f"{_text(error.get('code'))}: {_text(error.get('message'))}"[:300]
        return Unusable(place, name, "ErrorAnswer", f"Azure answered with an error: {said}")
    if isinstance(document.get("statuses"), list) and _VIEW.intersection(document):
        detail = (
            "It is an instance view, and does not say of which VM. Export the VM together with its view: "
            "az vm get-instance-view, or GET the VM with $expand=instanceView."
        )
        return Unusable(place, name, "InstanceViewAlone", detail)
    if not document:
        return Unusable(place, "", "Empty", "It is an empty object.")
    told = ", ".join(list(document)[:6])
    detail = f"It has no 'id' (its keys: {told}). Include the column id in the query, or export it whole."
    return Unusable(place, name, "NoId", detail)


def _key_without_id(document: Json) -> str:
    """Return what a SKU is told apart by: it is the one resource without an id."""
    if not (_text(document.get("resourceType")) and isinstance(document.get("capabilities"), list)):
        return ""
    where = document.get("locations")
    locations = ",".join(str(entry).lower() for entry in where) if isinstance(where, list) else ""
    parts = (_text(document.get("resourceType")), _text(document.get("name")), locations)
    return "sku:" + ":".join(part.lower() for part in parts)


def _is_account(document: Json, own: str) -> bool:
    """Tell whether this is an entry of `az account list`, whose id is the bare subscription."""
    return "/" not in own and "tenantId" in document and ("state" in document or "displayName" in document)


def _subscription(document: Json, place: str, own: str) -> Found:
    name = _text(document.get("name")) or _text(document.get("displayName"))
    resource = {
        "id": f"/subscriptions/{own}",
        "name": name,
        "type": "Microsoft.Resources/subscriptions",
        "tenantId": document.get("tenantId"),
        "subscriptionId": own,
        "properties": {"state": document.get("state")},
    }
    kind = "microsoft.resources/subscriptions"
    return Found(place, f"/subscriptions/{own}".lower(), kind, resource, has_properties=True)


# Envelopes ------------------------------------------------------------------------------------------


def _is_table(document: Json) -> bool:
    return isinstance(document.get("columns"), list) and isinstance(document.get("rows"), list)


def _open_table(document: Json, place: str, depth: int) -> Iterator[Piece]:
    names = [
        _text(column.get("name")) if isinstance(column, dict) else str(column)
        for column in document["columns"]
    ]
    for index, row in enumerate(document["rows"]):
        at = f"{place}.rows[{index}]"
        if not isinstance(row, list) or len(row) != len(names):
            count = len(row) if isinstance(row, list) else 0
            yield Unusable(at, "", "OddRow", f"It has {count} values for {len(names)} columns.")
        else:
            yield from pieces(dict(zip(names, row, strict=True)), at, depth + 1)


def _is_template(document: Json) -> bool:
    schema = _text(document.get("$schema")).lower()
    return "deploymenttemplate" in schema and isinstance(document.get("resources"), list | dict)


def _open_template(document: Json, place: str, depth: int) -> Iterator[Piece]:
    listed = document["resources"]
    entries = list(listed.items()) if isinstance(listed, dict) else list(enumerate(listed))
    for key, entry in entries:
        at = f"{place}.resources[{key}]"
        if isinstance(entry, dict) and not _text(entry.get("id")).startswith("/"):
            kind, name = _text(entry.get("type")), _text(entry.get("name"))
            detail = (
                f"A template's {kind or 'resource'} has a relative name and no id, so nobody can say which "
                "one it is. Export it with az resource show, az vm list or az graph query."
            )
            yield Unusable(at, name, "TemplateResource", detail)
        else:
            yield from pieces(entry, at, depth + 1)


def _holds(key: str) -> Callable[[Json], bool]:
    def is_form(document: Json) -> bool:
        return isinstance(document.get(key), list) and not _text(document.get("id"))

    return is_form


def _open(key: str) -> Callable[[Json, str, int], Iterator[Piece]]:
    def opened(document: Json, place: str, depth: int) -> Iterator[Piece]:
        return pieces(document[key], f"{place}.{key}", depth + 1)

    return opened


def _is_graph_table(document: Json) -> bool:
    data = document.get("data")
    return isinstance(data, dict) and _is_table(data)


def _is_batch_answer(document: Json) -> bool:
    return "httpStatusCode" in document and "content" in document


def _missing_pages(document: Json, place: str) -> Iterator[Incomplete]:
    for key in ("nextLink", "$skipToken", "skipToken", "skip_token"):
        if document.get(key):
            detail = f"'{key}' says that another page follows. Import that page too, if you have not."
            yield Incomplete(place, detail)
            return
    if str(document.get("resultTruncated", document.get("result_truncated"))).lower() == "true":
        yield Incomplete(
            place, "'resultTruncated' says that rows are missing. Sort the query by id, and page."
        )


_ENVELOPES: tuple[tuple[Callable[[Json], bool], Callable[[Json, str, int], Iterator[Piece]]], ...] = (
    (_is_graph_table, _open("data")),
    (_holds("data"), _open("data")),
    (_is_table, _open_table),
    (_is_template, _open_template),
    (_holds("value"), _open("value")),
    (_holds("responses"), _open("responses")),
    (_is_batch_answer, _open("content")),
)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _kind(value: object) -> str:
    if value is None:
        return "Nothing"
    return {str: "A text", bool: "A boolean"}.get(type(value), "A number")
