"""How an opening is closed: its rule made narrower where it speaks of nothing else, or rules put before it.

What comes from private addresses keeps coming in: a rule for everybody becomes one for the virtual network,
and a rule that opens other ports too is left alone, with a rule before it that turns the internet away from
the management ports. Every step carries the rule as it was, so that an undo puts back exactly that.
"""

import ipaddress
from collections.abc import Iterable, Iterator
from typing import Any

from readiness.model.context import LoginChoice
from readiness.model.ids import ResourceId
from readiness.model.playbook import Opening, SharedTarget
from readiness.model.steps import (
    AccessChange,
    ProveClosedBehind,
    RemoveSecurityRule,
    SetSecurityRule,
    Step,
)

_EVERYBODY = ("*", "any", "0.0.0.0/0", "::/0")
_PRIVATE = tuple(
    ipaddress.ip_network(one)
    for one in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
)
_PRIVATE_TAGS = ("virtualnetwork", "azureloadbalancer")
_SOURCE = ("sourceAddressPrefix", "sourceAddressPrefixes", "sourceApplicationSecurityGroups")
_TAG = "readiness"


def closed_ports(openings: Iterable[Opening], choice: LoginChoice) -> tuple[int, ...]:
    """Return the ports that are closed and no shared group keeps open."""
    found, shared = set[int](), set[int]()
    for opening in openings:
        (shared if opening.shared else found).update(opening.ports)
    return tuple(port for port in sorted(choice.ports) if port in found - shared)


def tightened(vm: ResourceId, opening: Opening, choice: LoginChoice) -> Iterator[SetSecurityRule]:
    """Yield what keeps the internet from the ports of one opening, named addresses excepted."""
    ports = tuple(port for port in opening.ports if port in choice.ports)
    if not ports:
        return
    narrower = _narrower(opening, choice)
    if narrower is not None:
        yield SetSecurityRule(vm=vm, rule=opening.rule, properties=narrower, earlier=dict(opening.properties))
        return
    if len(opening.spare) < 1 + bool(choice.allow_from):
        return  # No room before the rule: the proof says that the port is still open.
    if choice.allow_from:
        yield _guard(vm, opening, ports, "allow", list(choice.allow_from), opening.spare[-2])
    yield _guard(vm, opening, ports, "deny", ["Internet"], opening.spare[-1])


def tightened_for_all(target: SharedTarget) -> tuple[AccessChange, ...]:
    """Return what closes a group that several VMs hang on, and its proof at each; nothing without room."""
    rules: list[AccessChange] = []
    for opening in target.openings:
        found = tuple(tightened(target.group, opening, target.choice))
        if not found and set(opening.ports) & set(target.choice.ports):
            return ()
        rules += found
    proofs = (
        ProveClosedBehind(vm=vm, ports=tuple(port for port in ports if port in target.choice.ports))
        for vm, ports in sorted(target.ports.items())
    )
    return (*rules, *(proof for proof in proofs if proof.ports)) if rules else ()


def put_back(begun: Iterable[Step]) -> Iterator[AccessChange]:
    """Yield what puts rules back as they were planned on, last one first; what was created is removed."""
    for step in reversed(tuple(begun)):
        if isinstance(step, SetSecurityRule) and step.earlier is not None:
            # Held against what we made of it: a rule that somebody changed since is not put back over theirs.
            yield SetSecurityRule(
                vm=step.vm, rule=step.rule, properties=step.earlier, earlier=step.properties
            )
        elif isinstance(step, SetSecurityRule):
            yield RemoveSecurityRule(vm=step.vm, rule=step.rule, made=step.properties)


def _narrower(opening: Opening, choice: LoginChoice) -> dict[str, Any] | None:
    """Return the rule with fewer sources; None where it cannot say it without saying more or less."""
    rule: dict[str, Any] = dict(opening.properties)
    written = _values(rule, "destinationPortRange")
    if not written or not all(port.isdigit() and int(port) in choice.ports for port in written):
        return None
    sources = _values(rule, "sourceAddressPrefix")
    rest = {key: value for key, value in rule.items() if key not in _SOURCE}
    if any(source.lower() in _EVERYBODY for source in sources):
        return None if choice.allow_from else rest | {"sourceAddressPrefix": "VirtualNetwork"}
    kept = [source for source in sources if _is_private(source)]
    if any(source.lower() in _PRIVATE_TAGS for source in kept):
        return None
    wanted = [*kept, *choice.allow_from]
    if not wanted:
        return rule | {"access": "Deny"}
    return rest | _sources(wanted)


def _guard(
    vm: ResourceId, opening: Opening, ports: tuple[int, ...], what: str, sources: list[str], priority: int
) -> SetSecurityRule:
    name = f"{_TAG}-{what}-{opening.rule.name}"[:80].rstrip(".-")
    return SetSecurityRule(
        vm=vm,
        rule=ResourceId(f"{opening.rule.parent}/securityRules/{name}"),
        properties={
            "description": f"Management ports before {opening.rule.name}",
            "protocol": "*",
            "access": what.capitalize(),
            "priority": priority,
            "direction": "Inbound",
            **_sources(sources),
            "destinationAddressPrefix": "*",
            "sourcePortRange": "*",
            "destinationPortRanges": [str(port) for port in ports],
        },
    )


def _sources(prefixes: list[str]) -> dict[str, Any]:
    if len(prefixes) == 1:
        return {"sourceAddressPrefix": prefixes[0]}
    return {"sourceAddressPrefixes": prefixes}


def _values(rule: dict[str, Any], key: str) -> list[str]:
    several = rule.get(key + ("s" if key.endswith("e") else "es")) or []
    return [str(one) for one in ([rule[key]] if rule.get(key) else several)]


def _is_private(source: str) -> bool:
    if source.lower() in _PRIVATE_TAGS:
        return True
    try:
        network = ipaddress.ip_network(source, strict=False)
    except ValueError:
        return False
    return any(network.version == one.version and network.subnet_of(one) for one in _PRIVATE)  # type: ignore[arg-type]
