"""The rules that just-in-time access writes into network security groups.

Learn, "Understanding just-in-time VM access": deny rules stand behind the rules that already name the port;
the allow rule of a request stands in front of all others. A machine whose group the twin does not hold keeps
its policy, and nothing else happens. The names of the rules are like Azure's, not Azure's own.
"""

from collections.abc import Iterator

from readiness.twin.arm import etag
from readiness.twin.documents import Json, look, same, section
from readiness.twin.state import State

_PREFIX = "MicrosoftDefenderForCloud-JITRule"
_FIRST, _FREE = 100, 1000


def _groups(state: State, vm_id: str) -> Iterator[tuple[Json, str]]:
    """Return the groups before a machine, with its private address."""
    for reference in look(state.find(vm_id), "properties.networkProfile.networkInterfaces") or []:
        nic = state.find(reference.get("id"))
        for own in look(nic, "properties.ipConfigurations") or []:
            address = look(own, "properties.privateIPAddress") or "*"
            group = state.find(look(nic, "properties.networkSecurityGroup.id"))
            group = group or _subnet_group(state, look(own, "properties.subnet.id"))
            if group is not None:
                yield group, address


def _subnet_group(state: State, subnet_id: object) -> Json | None:
    if not isinstance(subnet_id, str):
        return None
    subnet = state.find(subnet_id)
    if subnet is None:
        network = state.find(subnet_id.rsplit("/", 2)[0])
        subnets = look(network, "properties.subnets") or []
        subnet = next((each for each in subnets if same(each.get("id"), subnet_id)), None)
    return state.find(look(subnet, "properties.networkSecurityGroup.id"))


def _rules(group: Json) -> list[Json]:
    rules: list[Json] = section(group, "properties").setdefault("securityRules", [])
    return rules


def _name(vm_id: str, number: int, access: str) -> str:
    return f"{_PREFIX}_{vm_id.rsplit('/', 1)[-1]}_{number}_{access}"


def _set(group: Json, rules: list[Json]) -> None:
    group["properties"]["securityRules"] = rules
    if "etag" in group:
        etag.bump(group)


def _write(group: Json, name: str, rule: Json) -> None:
    own = {"id": f"{group['id']}/securityRules/{name}", "name": name, "properties": rule}
    _set(group, [*(each for each in _rules(group) if each.get("name") != name), own])


def _rule(number: int, source: str, address: str, access: str, priority: int) -> Json:
    return {
        "protocol": "*",
        "sourcePortRange": "*",
        "destinationPortRange": str(number),
        "sourceAddressPrefix": source,
        "destinationAddressPrefix": address,
        "access": access,
        "priority": priority,
        "direction": "Inbound",
        "provisioningState": "Succeeded",
    }


def _inbound(group: Json) -> list[int]:
    return [
        look(rule, "properties.priority")
        for rule in _rules(group)
        if same(look(rule, "properties.direction"), "Inbound")
    ]


def close(state: State, vm_id: str, port: Json) -> None:
    """Deny a port, behind every rule that is there already."""
    for group, address in _groups(state, vm_id):
        name = _name(vm_id, port["number"], "Deny")
        if any(rule.get("name") == name for rule in _rules(group)):
            continue
        priority = max([_FREE - 1, *_inbound(group)]) + 1
        _write(group, name, _rule(port["number"], "*", address, "Deny", priority))


def open_port(state: State, vm_id: str, port: Json) -> None:
    """Allow a port from one source, before every other rule."""
    for group, address in _groups(state, vm_id):
        taken = _inbound(group)
        priority = next(number for number in range(_FIRST, 4097) if number not in taken)
        rule = _rule(port["number"], port["allowedSourceAddressPrefix"], address, "Allow", priority)
        _write(group, _name(vm_id, port["number"], "Allow"), rule)


def shut(state: State, vm_id: str, number: int) -> None:
    """Take the allow rule of a request away."""
    name = _name(vm_id, number, "Allow")
    for group, _ in _groups(state, vm_id):
        if any(rule.get("name") == name for rule in _rules(group)):
            _set(group, [rule for rule in _rules(group) if rule.get("name") != name])
