"""Gathers what surrounds networks and guests on its way into an estate; the other half of `collection`."""

from collections.abc import Callable
from typing import Any

from readiness.azure import wire_access, wire_guest
from readiness.azure.wire_values import Json, MalformedError, own_id
from readiness.model.access import (
    Access,
    AdminRules,
    Firewall,
    FirewallRuleGroup,
    JitAccess,
    Subnet,
)
from readiness.model.ids import ResourceId

Keep = Callable[[dict[ResourceId, Any], str, ResourceId, Any], None]
"""Files a parsed resource, and notes a gap where it occurs twice."""

Parse = Callable[[Json], Any]


class AccessParts:
    """Parsed resources by type, in any order. What is not its business it never sees."""

    def __init__(self, keep: Keep) -> None:
        self._keep = keep
        self._networks: dict[ResourceId, Any] = {}
        self._subnets: dict[ResourceId, Subnet] = {}
        self._route_tables: dict[ResourceId, Any] = {}
        self._nat_gateways: dict[ResourceId, Any] = {}
        self._bastions: dict[ResourceId, Any] = {}
        self._firewalls: dict[ResourceId, Firewall] = {}
        self._policies: dict[ResourceId, Any] = {}
        self._rule_groups: dict[ResourceId, FirewallRuleGroup] = {}
        self._admin_rules: dict[ResourceId, AdminRules] = {}
        self._just_in_time: dict[ResourceId, tuple[JitAccess, ...]] = {}
        self._identities: dict[ResourceId, Any] = {}
        self.readers: dict[str, Callable[[str, Json], None]] = {
            "microsoft.network/routetables": self._plain(wire_access.route_table, self._route_tables),
            "microsoft.network/natgateways": self._plain(wire_access.nat_gateway, self._nat_gateways),
            "microsoft.network/bastionhosts": self._plain(wire_access.bastion, self._bastions),
            "microsoft.network/firewallpolicies": self._plain(wire_access.firewall_policy, self._policies),
            "microsoft.network/azurefirewalls": self._guarded(
                wire_access.firewall, wire_access.unread_firewall, self._firewalls
            ),
            "microsoft.network/firewallpolicies/rulecollectiongroups": self._guarded(
                wire_access.firewall_rule_group, wire_access.unread_firewall_rule_group, self._rule_groups
            ),
            "microsoft.network/effectivesecurityadminrules": self._admin,
            "microsoft.network/virtualnetworks/listnetworkmanagereffectivesecurityadminrules": self._admin,
            "microsoft.security/locations/jitnetworkaccesspolicies": self._add_just_in_time,
            "microsoft.managedidentity/userassignedidentities": self._plain(
                wire_guest.user_identity, self._identities
            ),
        }
        """What to do with a resource, by its type in lower case."""

    def add_network(self, place: str, resource: Json) -> None:
        """Keep a virtual network and the subnets it lists."""
        found, listed = wire_access.network(resource), wire_access.subnets(resource)
        self._keep(self._networks, place, found.id, found)
        for subnet in listed:
            self._keep_subnet(subnet)

    def add_subnet(self, resource: Json) -> None:
        """Keep a subnet that came alone."""
        self._keep_subnet(wire_access.subnet(resource))

    def access(self) -> Access:
        """Join what was gathered: the same resources in any order give the same answer."""
        return Access(
            networks=self._networks,
            subnets=self._subnets,
            route_tables=self._route_tables,
            nat_gateways=self._nat_gateways,
            bastions=_in_order(self._bastions),
            firewalls=_in_order(self._firewalls),
            firewall_policies=self._policies,
            firewall_rule_groups=dict(sorted(self._rule_groups.items())),
            admin_rules=self._admin_rules,
            just_in_time=tuple(entry for found in _in_order(self._just_in_time) for entry in found),
            just_in_time_policies=self._just_in_time,
            user_identities=self._identities,
        )

    def _plain(self, parse: Parse, kept: dict[ResourceId, Any]) -> Callable[[str, Json], None]:
        def add(place: str, resource: Json) -> None:
            found = parse(resource)
            if found is not None:
                self._keep(kept, place, found.id, found)

        return add

    def _guarded(
        self, parse: Parse, unread: Parse, kept: dict[ResourceId, Any]
    ) -> Callable[[str, Json], None]:
        # Its rules could open a port: that it is there must not be forgotten because it is not understood.
        def add(place: str, resource: Json) -> None:
            try:
                found = parse(resource)
            except MalformedError:
                remains = unread(resource)
                kept.setdefault(remains.id, remains)
                raise
            if found.id in kept and not kept[found.id].is_understood:
                del kept[found.id]
            self._keep(kept, place, found.id, found)

        return add

    def _admin(self, place: str, resource: Json) -> None:
        self._guarded(wire_access.admin_rules, wire_access.unread_admin_rules, self._admin_rules)(
            place, resource
        )

    def _add_just_in_time(self, place: str, resource: Json) -> None:
        self._keep(self._just_in_time, place, own_id(resource), wire_guest.just_in_time(resource))

    def _keep_subnet(self, subnet: Subnet) -> None:
        # The virtual network and the subnet itself may both say it; whoever says more is right.
        earlier = self._subnets.get(subnet.id, subnet)
        self._subnets[subnet.id] = max(earlier, subnet, key=lambda one: (_facts(one), repr(one)))


def _facts(subnet: Subnet) -> int:
    return sum(getattr(subnet, field) not in (None, ()) for field in subnet.__struct_fields__)


def _in_order(kept: dict[ResourceId, Any]) -> tuple[Any, ...]:
    return tuple(entry for _, entry in sorted(kept.items(), key=lambda item: item[0]))
