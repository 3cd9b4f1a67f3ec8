"""Questions about a security group as a whole: does it open everything, does it keep neighbours apart."""

from functools import lru_cache

from readiness.model.access import AdminAccess, AdminRules
from readiness.model.network import NetworkSecurityGroup, SecurityRule

RISKY_PORTS = (22, 135, 445, 3389, 5985, 5986)
"""Ports by which whoever holds one machine gets at the next."""


def admits_everything(group: NetworkSecurityGroup) -> bool:
    """Tell whether the group lets the internet in to every port."""
    return _admits_everything(_Same(group))


def separates(group: NetworkSecurityGroup) -> bool:
    """Tell whether the group keeps the rest of the virtual network from the risky ports."""
    return _separates(_Same(group))


def forbids(rules: AdminRules) -> bool:
    """Tell whether admin rules that were understood deny a risky port."""
    return rules.is_understood and any(
        rule.access is AdminAccess.DENY and any(_covers(rule.destination_ports, port) for port in RISKY_PORTS)
        for rule in rules.rules
    )


class _Same:
    """A group that equals only itself, so that rules need not be compared to find a remembered answer."""

    __slots__ = ("group",)

    def __init__(self, group: NetworkSecurityGroup) -> None:
        self.group = group

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.group is other.group

    def __hash__(self) -> int:
        return id(self.group)


@lru_cache(maxsize=65536)
def _admits_everything(same: _Same) -> bool:
    for rule in _inbound(same.group):
        if _is_from(rule, _INTERNET) and any(_is_every(ports) for ports in rule.destination_ports):
            return rule.allows
    return False


@lru_cache(maxsize=65536)
def _separates(same: _Same) -> bool:
    rules = [rule for rule in _inbound(same.group) if _is_from(rule, _NEIGHBOURS)]
    deciding = [
        next((rule for rule in rules if _covers(rule.destination_ports, port)), None) for port in RISKY_PORTS
    ]
    return all(rule is not None and not rule.allows for rule in deciding)


def _inbound(group: NetworkSecurityGroup) -> list[SecurityRule]:
    found = [
        rule
        for rule in group.rules
        if rule.inbound
        and rule.protocol.lower() in ("*", "any", "all", "tcp")
        and (rule.allows or any(one.lower() in _NEIGHBOURS for one in rule.destinations))
    ]
    return sorted(found, key=lambda rule: rule.priority)


def _is_from(rule: SecurityRule, sources: frozenset[str]) -> bool:
    return any(one.lower() in sources for one in rule.sources)


def _is_every(ports: str) -> bool:
    return ports.lower() in ("*", "any", "0-65535", "1-65535")


def _covers(listed: tuple[str, ...], port: int) -> bool:
    for ports in listed:
        first, _, last = ports.partition("-")
        if _is_every(ports) or (first.isdigit() and int(first) <= port <= int(last or first)):
            return True
    return not listed


_INTERNET = frozenset(("*", "any", "internet", "0.0.0.0/0"))
_NEIGHBOURS = frozenset(("*", "any", "virtualnetwork", "0.0.0.0/0"))
