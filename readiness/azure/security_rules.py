"""Rules of network security groups, and whether the internet still gets through.

A rule that is there is only replaced, or deleted, as it was read: its etag goes with the write. One that is
not there is only made as long as there is none. What somebody else made of a rule since it was planned stays.
Whether a port is closed is asked of Azure, interface by interface, by the rules that are in force there; what
was found at one of them is told whatever becomes of the others.
"""

from typing import Any

import msgspec
from azure.core.rest import HttpResponse
from msgspec import Struct

from readiness.azure.accepted import FORGOTTEN, ask, begun, get, place_of, wait_of
from readiness.azure.connect import Connection
from readiness.azure.effective_rules import openings
from readiness.azure.faults import is_stale
from readiness.azure.operations import DEFAULT_WAIT
from readiness.azure.plain import read, send, vm_body
from readiness.azure.wire_network import nic as nic_of
from readiness.errors import CloudError, ConflictError, MissingError
from readiness.model.codec import encode
from readiness.model.ids import ResourceId
from readiness.model.network import IpConfiguration
from readiness.model.steps import ProveClosed, ProveClosedBehind, RemoveSecurityRule, SetSecurityRule
from readiness.ports.cloud import Done, Failed, Pending, Progress, StepContext

API = "2024-05-01"
_NOT_RUNNING = "nicmustbeattachedtorunningvm"
_AT_WORK = ("updating", "deleting")
_MORE_TO_COME = 202
_ABSENT = {"If-None-Match": "*"}

Change = SetSecurityRule | RemoveSecurityRule | ProveClosed


def begin(connection: Connection, step: Change, _: StepContext) -> Progress:
    """Look whether it is in place, and begin it if not."""
    if isinstance(step, ProveClosed):
        try:
            interfaces = _interfaces(connection, step.vm)
        except MissingError:
            if not isinstance(step, ProveClosedBehind):
                raise
            return Done(f"{step.vm.name} is not there any more: nothing to prove")
        return _next_interface(connection, step, interfaces, ())
    rule = read(connection, step.rule.subscription, step.rule.text, API)
    if rule is not None and is_at_work(rule):
        return Pending(None, DEFAULT_WAIT, "its group is being changed")
    return (
        _set(connection, step, rule) if isinstance(step, SetSecurityRule) else _remove(connection, step, rule)
    )


def poll(connection: Connection, step: Change, token: str) -> Progress:
    """Ask how it goes, by the token of `begin`."""
    if isinstance(step, ProveClosed):
        return _ask_interface(connection, step, token)
    return ask(connection, step.rule.subscription, token)


def _set(connection: Connection, step: SetSecurityRule, rule: dict[str, Any] | None) -> Progress:
    wanted = {name: value for name, value in step.properties.items() if name != "provisioningState"}
    if rule is not None and _state(rule) == "succeeded" and _says(rule.get("properties") or {}, wanted):
        return Done("already so")
    shown = meaning((rule or {}).get("properties") or {})
    # What says already what is wanted, and was not applied, is our own write that ended badly.
    if step.earlier is not None and shown not in (meaning(step.earlier), meaning(wanted)):
        detail = f"{step.rule.name} is not what it was when it was planned on: assess and plan it again"
        return Failed("RuleChangedSincePlanned", detail)
    if step.earlier is None and rule is not None and shown != meaning(wanted):
        detail = (
            f"there is a rule {step.rule.name} already, which says something else: rename it, or take it away"
        )
        return Failed("RuleChangedSincePlanned", detail)
    path, body = step.rule.text, {"properties": wanted}
    if rule is None:
        return _made(connection, step, body)
    sent = send(connection, step.rule.subscription, "PUT", path, API, body=body, headers=_as_read(rule))
    return begun(sent)


def _made(connection: Connection, step: SetSecurityRule, body: dict[str, Any]) -> Progress:
    """Make a rule, unless there is one by now.

    That Azure holds the condition against the rule is documented for no rule. Where it held it against the
    group, no rule could ever be made: a second look that finds none has to do then.
    """
    subscription, path = step.rule.subscription, step.rule.text
    try:
        return begun(send(connection, subscription, "PUT", path, API, body=body, headers=_ABSENT))
    except ConflictError as error:
        if not is_stale(error):
            raise
    rule = read(connection, subscription, path, API)
    if rule is not None:
        return Pending(None, 0.0, "there is such a rule by now; looking at it")
    return begun(send(connection, subscription, "PUT", path, API, body=body))


def _remove(connection: Connection, step: RemoveSecurityRule, rule: dict[str, Any] | None) -> Progress:
    if rule is None:
        return Done("it is not there")
    if meaning(rule.get("properties") or {}) != meaning(step.made):
        detail = f"{step.rule.name} says something else than was made: somebody changed it, and it is left"
        return Failed("RuleChangedSincePlanned", detail)
    path, headers = step.rule.text, _as_read(rule)
    return begun(send(connection, step.rule.subscription, "DELETE", path, API, headers=headers))


def _as_read(rule: dict[str, Any]) -> dict[str, str]:
    """Return the condition that a rule is what it was when it was read."""
    return {"If-Match": str(rule["etag"])} if rule.get("etag") else {}


def is_at_work(rule: dict[str, Any]) -> bool:
    """Tell whether Azure has not ended an earlier change of a rule yet."""
    return _state(rule) in _AT_WORK


def _state(rule: dict[str, Any]) -> str:
    return str((rule.get("properties") or {}).get("provisioningState") or "Succeeded").lower()


def _says(shown: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Tell whether a rule says what is wanted; Azure writes words in its own case, and empty lists."""
    return all(_folded(shown.get(name)) == _folded(value) for name, value in wanted.items())


_FIELDS = ("sourceAddressPrefix", "destinationAddressPrefix", "sourcePortRange", "destinationPortRange")
_GROUPS = ("sourceApplicationSecurityGroups", "destinationApplicationSecurityGroups")
_PLURAL = {
    "sourceAddressPrefix": "sourceAddressPrefixes",
    "destinationAddressPrefix": "destinationAddressPrefixes",
}


def meaning(properties: dict[str, Any]) -> tuple[object, ...]:
    """Return what a rule means, whichever of the two fields Azure keeps its values in."""
    values = []
    for field in _FIELDS:
        several = properties.get(_PLURAL.get(field, f"{field}s")) or []
        one = properties.get(field)
        values.append(tuple(sorted({str(each).lower() for each in (*several, *([one] if one else []))})))
    for name in _GROUPS:
        values.append(tuple(sorted(str(entry["id"]).lower() for entry in properties.get(name) or [])))
    words = [str(properties.get(name) or "").lower() for name in ("protocol", "access", "direction")]
    return (*values, *words, properties.get("priority"))


def _folded(value: Any) -> Any:
    if isinstance(value, list):
        return sorted(str(_folded(entry)) for entry in value) or None
    if isinstance(value, dict):
        return {name: _folded(entry) for name, entry in value.items()}
    return (value.lower() or None) if isinstance(value, str) else value


# Is it closed? ------------------------------------------------------------------------------------------


class _Asking(Struct, frozen=True, kw_only=True):
    """Where a proof stands: asked of one interface after the other, since each answer takes its time."""

    nic: str
    place: str
    """Where the answer about this interface will be; another place with each question."""
    left: tuple[str, ...]
    open: tuple[str, ...]
    """What was found at the interfaces before."""


def _interfaces(connection: Connection, vm: ResourceId) -> tuple[str, ...]:
    profile = vm_body(connection, vm)["properties"].get("networkProfile") or {}
    return tuple(str(entry["id"]) for entry in profile.get("networkInterfaces") or [])


def _next_interface(
    connection: Connection, step: ProveClosed, left: tuple[str, ...], found: tuple[str, ...]
) -> Progress:
    """Ask about the next interface, or answer for all of them."""
    if not left:
        return _still_open(found) if found else Done("no rule in force lets the internet in")
    nic, rest = left[0], left[1:]
    path = f"{nic}/effectiveNetworkSecurityGroups"
    try:
        response = send(connection, ResourceId(nic).subscription, "POST", path, API)
    except CloudError as error:
        if not error.code.lower().startswith(_NOT_RUNNING):
            raise
        if found:
            return _still_open(found, left)
        if isinstance(step, ProveClosedBehind):
            return Done(f"{step.vm.name} is off, and Azure tells no rules in force: not proven there")
        detail = "Azure only tells the rules in force of a VM that is running: start it, and ask again"
        return Failed("NotRunning", detail)
    return _taken(connection, step, _Asking(nic=nic, place="", left=rest, open=found), response)


def _still_open(found: tuple[str, ...], untold: tuple[str, ...] = ()) -> Failed:
    """Return what was found, and of which interfaces Azure tells nothing since the VM is off."""
    names = ", ".join(ResourceId(nic).name for nic in untold)
    rest = f"; it is off by now, so that {names} is not proven" if untold else ""
    return Failed("StillOpen", f"the internet still reaches port {'; port '.join(found)}{rest}")


def _ask_interface(connection: Connection, step: ProveClosed, token: str) -> Progress:
    try:
        asking = msgspec.json.decode(token, type=_Asking)
    except msgspec.DecodeError:
        return FORGOTTEN
    response = get(connection, ResourceId(asking.nic).subscription, asking.place)
    if response is not None:
        return _taken(connection, step, asking, response)
    # Asked of this one anew, and not of all: what was found before is not seen again if it went off since.
    left = (asking.nic, *asking.left)
    return _next_interface(connection, step, left, asking.open) if asking.open else FORGOTTEN


def _taken(connection: Connection, step: ProveClosed, asking: _Asking, response: HttpResponse) -> Progress:
    """Take in an answer about one interface: still to come, or the rules in force."""
    if response.status_code == _MORE_TO_COME:
        place = place_of(response.headers.get("Location") or asking.place)
        token = encode(msgspec.structs.replace(asking, place=place)).decode()
        return Pending(token, wait_of(response))
    nic_id = ResourceId(asking.nic)
    nic = nic_of(read(connection, nic_id.subscription, asking.nic, API) or {"id": asking.nic})
    groups = response.json().get("value") or []
    # Without an address the worse is assumed of every rule for single addresses.
    configurations = nic.ip_configurations or (IpConfiguration(),)
    found = dict.fromkeys(
        f"{opening} ({nic_id.name})"
        for configuration in configurations
        for opening in openings(groups, configuration, step.ports)
    )
    return _next_interface(connection, step, asking.left, (*asking.open, *found))
