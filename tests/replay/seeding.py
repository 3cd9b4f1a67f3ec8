"""What a recording shows of the time before it: the seed of its twin.

Guarantees: a resource is seeded as the last read showed it before any write touched it (what changed until
then, somebody else changed); what a write made, or may have made, is left to the twin to make, and so is
all that lies in a group it made. Resources of types that the twin does not model are there from the
beginning, as first shown, for others refer to them.
"""

import re
from collections.abc import Iterator
from typing import Any

from readiness.twin import paths
from tests.replay.recordings import Exchange, Recording

_WORD = re.compile(r"[\w.-]{3,}")
_VIEW = "instanceview"
_GROUPS = "microsoft.resources/subscriptions/resourcegroups"
_OK, _CREATED, _REFUSED = 200, 201, 300


def address_of(exchange: Exchange) -> paths.Address:
    """Return what an exchange addresses."""
    return paths.parse(exchange.target.partition("?")[0])


def seed_of(recording: Recording, modelled: frozenset[str]) -> list[dict[str, Any]]:
    """Return the resources that were there before."""
    found: dict[str, dict[str, Any]] = {}
    made: set[str] = set()
    sizes: dict[str, dict[str, Any]] = {}
    for exchange in recording.exchanges:
        address = address_of(exchange)
        is_known = address.kind in modelled
        if exchange.method not in ("GET", "HEAD"):
            if is_known:
                path = address.resource_id
                made |= _words(path.rsplit("/providers/", 1)[-1]) | {path.lower()}
                made |= _words(exchange.body) | _words(exchange.answer)
            elif exchange.status < _REFUSED:
                _add(found, _resources(exchange), set())
        elif exchange.status >= _REFUSED:
            made |= {address.name.lower()}
        elif address.tail == _VIEW:
            _add_view(found, address, exchange)
        elif exchange.status == _OK:
            sizes |= {str(each.get("name")): each for each in _sizes(exchange)}
            _add(found, _resources(exchange), made)
    new = {address_of(each).path.lower() for each in recording.exchanges if _makes_group(each)}
    for key in [key for key in found if any(key == group or key.startswith(f"{group}/") for group in new)]:
        del found[key]
    return [*_groups(recording, found), *found.values(), *sizes.values()]


def _add(found: dict[str, dict[str, Any]], resources: Iterator[dict[str, Any]], made: set[str]) -> None:
    for resource in resources:
        key = str(resource["id"]).lower()
        address = paths.parse(resource["id"])
        # Every id below a group has its name: a group was touched only by a write to itself.
        is_scope = address.kind.startswith("microsoft.resources/subscriptions")
        names = {key} if is_scope else {name.lower() for name in address.names[-2:]}
        if names & made:
            made |= _words(resource)
        elif key not in found or len(resource) >= len(found[key]):  # a list may show less than a read does
            found[key] = resource


def _add_view(found: dict[str, dict[str, Any]], address: paths.Address, exchange: Exchange) -> None:
    machine = found.get(address.resource_id.lower())
    if machine is not None and isinstance(exchange.answer, dict):
        machine.setdefault("properties", {}).setdefault("instanceView", exchange.answer)


def _resources(exchange: Exchange) -> Iterator[dict[str, Any]]:
    answer = exchange.answer
    if not isinstance(answer, dict):
        return
    listed = answer.get("value")
    for each in listed if isinstance(listed, list) else [answer]:
        if (
            not isinstance(each, dict)
            or not isinstance(each.get("id"), str)
            or not each["id"].startswith("/")
        ):
            continue
        address = paths.parse(each["id"])
        if not address.tail and (address.names or "resourceTypes" in each):
            yield dict(each)


def _sizes(exchange: Exchange) -> Iterator[dict[str, Any]]:
    if not exchange.target.partition("?")[0].lower().endswith("/microsoft.compute/skus"):
        return
    for each in exchange.answer.get("value") or () if isinstance(exchange.answer, dict) else ():
        if each.get("resourceType") == "virtualMachines":
            yield each


def _groups(recording: Recording, found: dict[str, dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Return the scopes of everything that is asked for, unless the recording makes them itself."""
    seen = {address_of(each).path.lower() for each in recording.exchanges if _makes_group(each)}
    for exchange in recording.exchanges:
        address = address_of(exchange)
        subscription = f"/subscriptions/{address.subscription}"
        group = f"{subscription}/resourceGroups/{address.group}"
        if address.subscription and subscription.lower() not in seen | set(found):
            yield {"id": subscription}
        if address.group and group.lower() not in seen | set(found):
            yield {"id": group, "location": "westeurope", "properties": {"provisioningState": "Succeeded"}}
        seen |= {subscription.lower(), group.lower()}


def _makes_group(exchange: Exchange) -> bool:
    address = address_of(exchange)
    return (
        exchange.method == "PUT"
        and exchange.status == _CREATED
        and address.kind == _GROUPS
        and not address.tail
    )


def _words(value: object) -> set[str]:
    return set(_WORD.findall(str(value).lower())) if value is not None else set()
