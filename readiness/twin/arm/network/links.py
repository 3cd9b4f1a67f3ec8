"""What network resources refer to, and the references back that Azure shows on the other side.

Guarantees: a reference back to a resource that the twin knows is worked out from that resource, so that the
two sides never disagree; one to a resource the seed left out stays as it was seeded. Nothing here is stored.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from readiness.twin.documents import Json, duplicate, look, same
from readiness.twin.messages import ArmError
from readiness.twin.paths import parse
from readiness.twin.state import VM, State, place

_NETWORK = "microsoft.network"
INTERFACE = f"{_NETWORK}/networkinterfaces"
SECURITY_GROUP = f"{_NETWORK}/networksecuritygroups"
PUBLIC_IP = f"{_NETWORK}/publicipaddresses"
VIRTUAL_NETWORK = f"{_NETWORK}/virtualnetworks"
LOAD_BALANCER = f"{_NETWORK}/loadbalancers"
BASTION = f"{_NETWORK}/bastionhosts"
APPLICATION_GROUP = f"{_NETWORK}/applicationsecuritygroups"
NAT_GATEWAY = f"{_NETWORK}/natgateways"
ROUTE_TABLE = f"{_NETWORK}/routetables"

_TOP = 9
"""Words in the id of a resource that has no parent, the empty one before the first slash included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A property by which one kind of resource refers to another."""

    source: str
    within: str = ""
    """The collection of the source whose entries refer; empty where the source itself does."""
    name: str
    """The property, as a dotted path beneath `properties`; it holds one reference or a list."""
    target: str
    back: str = ""
    """The property on the other side, or empty where Azure shows none."""
    child: str = ""
    """The collection of the target in which the other side lies."""
    is_single: bool = False


LINKS = (
    Link(source=INTERFACE, name="networkSecurityGroup", target=SECURITY_GROUP, back="networkInterfaces"),
    Link(source=VM, name="networkProfile.networkInterfaces", target=INTERFACE, back="virtualMachine",
         is_single=True),
    *(
        link
        for source, within in (
            (INTERFACE, "ipConfigurations"),
            (LOAD_BALANCER, "frontendIPConfigurations"),
            (BASTION, "ipConfigurations"),
        )
        for link in (
            Link(source=source, within=within, name="subnet", target=VIRTUAL_NETWORK,
                 back="ipConfigurations", child="subnets"),
            Link(source=source, within=within, name="publicIPAddress", target=PUBLIC_IP,
                 back="ipConfiguration", is_single=True),
        )
    ),
    Link(source=INTERFACE, within="ipConfigurations", name="applicationSecurityGroups",
         target=APPLICATION_GROUP),
    Link(source=INTERFACE, within="ipConfigurations", name="loadBalancerBackendAddressPools",
         target=LOAD_BALANCER, back="backendIPConfigurations", child="backendAddressPools"),
    Link(source=INTERFACE, within="ipConfigurations", name="loadBalancerInboundNatRules",
         target=LOAD_BALANCER, back="backendIPConfiguration", child="inboundNatRules", is_single=True),
    *(
        Link(source=LOAD_BALANCER, within=rules, name=name, target=LOAD_BALANCER, back=rules, child=child)
        for rules, name, child in (
            ("loadBalancingRules", "frontendIPConfiguration", "frontendIPConfigurations"),
            ("loadBalancingRules", "backendAddressPool", "backendAddressPools"),
            ("loadBalancingRules", "probe", "probes"),
            ("inboundNatRules", "frontendIPConfiguration", "frontendIPConfigurations"),
            ("inboundNatRules", "backendAddressPool", "backendAddressPools"),
            ("inboundNatPools", "frontendIPConfiguration", "frontendIPConfigurations"),
            ("outboundRules", "frontendIPConfigurations", "frontendIPConfigurations"),
            ("outboundRules", "backendAddressPool", "backendAddressPools"),
        )
    ),
    Link(source=VIRTUAL_NETWORK, within="subnets", name="networkSecurityGroup", target=SECURITY_GROUP,
         back="subnets"),
    Link(source=VIRTUAL_NETWORK, within="subnets", name="routeTable", target=ROUTE_TABLE, back="subnets"),
    Link(source=VIRTUAL_NETWORK, within="subnets", name="natGateway", target=NAT_GATEWAY, back="subnets"),
    Link(source=NAT_GATEWAY, name="publicIpAddresses", target=PUBLIC_IP, back="natGateway", is_single=True),
    Link(source=SECURITY_GROUP, within="securityRules", name="sourceApplicationSecurityGroups",
         target=APPLICATION_GROUP),
    Link(source=SECURITY_GROUP, within="securityRules", name="destinationApplicationSecurityGroups",
         target=APPLICATION_GROUP),
)  # fmt: skip


def ids(value: object) -> list[str]:
    """Return the ids in a property that holds a reference, or a list of them."""
    entries = value if isinstance(value, list) else [value]
    return [str(found) for each in entries if (found := look(each, "id"))]


def references(resource: Json, link: Link) -> Iterator[tuple[str, str]]:
    """Return what a resource refers to by a link: the id of what refers, and of what is referred to."""
    sources = look(resource, f"properties.{link.within}") or [] if link.within else [resource]
    for source in sources:
        for found in ids(look(source, f"properties.{link.name}")):
            yield str(source.get("id") or f"{resource['id']}/{link.within}/{source.get('name')}"), found


Referrers = dict[tuple[str, str], list[str]]
"""The ids of what refers, by the property on the other side and the lower-case id of what is referred to."""


def referrers(state: State, kind: str) -> Referrers:
    """Return everything that refers to resources of a kind, or to parts of them."""
    found: Referrers = defaultdict(list)
    for link in LINKS:
        if link.target != kind:
            continue
        for resource in state.of_kind(link.source):
            for source, target in references(resource, link):
                found[link.back, target.lower()].append(source)
    return found


def owner(resource_id: str) -> str:
    """Return the id of the resource that something is a part of."""
    return "/".join(resource_id.split("/")[:_TOP])


def shown(state: State, resource: Json, known: Referrers | None = None) -> Json:
    """Return a copy of a resource, with its references back as of now."""
    kind = parse(resource["id"]).kind
    known = referrers(state, kind) if known is None else known
    copy: Json = duplicate(resource)
    for child, back, is_single in sorted({(x.child, x.back, x.is_single) for x in LINKS if x.target == kind}):
        if not back:
            continue
        for part in (look(copy, f"properties.{child}") or []) if child else [copy]:
            _show(state, part, back, known.get((back, str(part.get("id")).lower()), []), is_single=is_single)
    return copy


def _show(state: State, part: Json, back: str, sources: list[str], *, is_single: bool) -> None:
    properties = part.setdefault("properties", {})
    seeded = properties.pop(back, None)
    entries = [seeded] if isinstance(seeded, dict) else list(seeded or [])
    kept = [each for each in entries if state.find(owner(str(look(each, "id")))) is None]
    told = [*kept, *({"id": source} for source in sources)]
    if told:
        properties[back] = told[0] if is_single else told


def part(state: State, resource_id: str) -> Json | None:
    """Return a resource, or the part of one that an id names."""
    whole = state.find(owner(resource_id))
    words = resource_id.split("/")[_TOP:]
    if whole is None or not words:
        return state.find(resource_id)
    collections: Json = whole.get("properties") or {}
    name = next((key for key in collections if same(key, words[0])), "")
    for each in collections.get(name) or []:
        if same(look(each, "name"), words[-1]):
            found: Json = each
            return found
    return state.find(resource_id)


def check(state: State, before: Json | None, after: Json) -> None:
    """Refuse a new reference to what is not there, or lies in another region."""
    kind = parse(after["id"]).kind
    for link in LINKS:
        if link.source != kind:
            continue
        held = {target.lower() for _, target in references(before or {"id": ""}, link)}
        for _, target in references(after, link):
            if target.lower() in held or same(owner(target), after["id"]):
                continue
            whole = state.find(owner(target))
            if part(state, target) is None or place((whole or {}).get("location")) != place(
                after["location"]
            ):
                # Recorded: github.com/microsoft/MCW-Building-a-resilient-IaaS-architecture, issue 35.
                raise ArmError(
                    400,
                    "InvalidResourceReference",
                    f"Resource {target} referenced by resource {after['id']} was not found. Please make sure "
                    "that the referenced resource exists, and that both resources are in the same region.",
                )
