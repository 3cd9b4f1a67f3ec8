"""Network security rules: what Azure refuses, what it completes, and the six rules every group has. Pure.

Learn, "Network security groups overview": priorities lie between 100 and 4096, one for each direction; a
prefix or range has a singular spelling and a plural one; default rules cannot be removed.
"""

from collections.abc import Iterable

from readiness.twin.arm.network.addresses import SINGLE_ONLY, is_port_range, is_prefix
from readiness.twin.documents import Json, same
from readiness.twin.messages import ArmError

_WORDS = {
    "protocol": ("*", "Tcp", "Udp", "Icmp", "Esp", "Ah"),
    "access": ("Allow", "Deny"),
    "direction": ("Inbound", "Outbound"),
}
_SIDES = ("source", "destination")

_DEFAULTS = (
    ("AllowVnetInBound", "Allow inbound traffic from all VMs in VNET",
     "VirtualNetwork", "VirtualNetwork", "Allow", 65000, "Inbound"),
    ("AllowAzureLoadBalancerInBound", "Allow inbound traffic from azure load balancer",
     "AzureLoadBalancer", "*", "Allow", 65001, "Inbound"),
    ("DenyAllInBound", "Deny all inbound traffic", "*", "*", "Deny", 65500, "Inbound"),
    ("AllowVnetOutBound", "Allow outbound traffic from all VMs to all VMs in VNET",
     "VirtualNetwork", "VirtualNetwork", "Allow", 65000, "Outbound"),
    ("AllowInternetOutBound", "Allow outbound traffic from all VMs to Internet",
     "*", "Internet", "Allow", 65001, "Outbound"),
    ("DenyAllOutBound", "Deny all outbound traffic", "*", "*", "Deny", 65500, "Outbound"),
)  # fmt: skip
"""Recorded: github.com/Azure/azure-cli, recordings/test_network_nsg.yaml, `network nsg create`."""


def defaults() -> list[Json]:
    """Return the default rules of a group."""
    return [
        {
            "name": name,
            "properties": completed(
                {
                    "description": description,
                    "protocol": "*",
                    "sourcePortRange": "*",
                    "destinationPortRange": "*",
                    "sourceAddressPrefix": source,
                    "destinationAddressPrefix": destination,
                    "access": access,
                    "priority": priority,
                    "direction": direction,
                }
            ),
        }
        for name, description, source, destination, access, priority, direction in _DEFAULTS
    ]


def completed(properties: Json) -> Json:
    """Return the properties of a rule with the plural spellings, and the words in Azure's case."""
    after = dict(properties)
    for name, words in _WORDS.items():
        after[name] = next((word for word in words if same(word, after.get(name))), after.get(name))
    for side in _SIDES:
        for plural in (f"{side}PortRanges", f"{side}AddressPrefixes"):
            after[plural] = after.get(plural) or []
    return after


def check(group_id: str, rules: Iterable[Json]) -> None:
    """Refuse what no security rule can say, and two rules of one direction with one priority."""
    taken: dict[tuple[str, int], str] = {}
    for rule in rules:
        properties = rule.get("properties") or {}
        rule_id = f"{group_id}/securityRules/{rule.get('name')}"
        _check_words(rule_id, properties)
        for side in _SIDES:
            _check_ports(properties, side)
            _check_prefixes(rule_id, properties, side)
        key = (str(properties["direction"]).lower(), properties["priority"])
        if key in taken:
            # Recorded: github.com/jenkins-infra/azure, pull request 439.
            raise ArmError(
                400,
                "SecurityRuleConflict",
                f"Security rule {rule.get('name')} conflicts with rule {taken[key]}. Rules cannot have the "
                "same Priority and Direction. To learn more, see aka.ms/nsgrules.",
            )
        taken[key] = str(rule.get("name"))


def _check_words(rule_id: str, properties: Json) -> None:
    for name, words in _WORDS.items():
        if not any(same(word, properties.get(name)) for word in words):
            raise ArmError(
                400,
                "InvalidRequestFormat",
                f"Cannot parse the request: '{name}' of security rule {rule_id} is "
                f"'{properties.get(name)}', not one of {', '.join(words)}.",
                unverified=True,
            )
    priority = properties.get("priority")
    if type(priority) is not int or priority not in range(100, 4097):
        raise ArmError(
            400,
            "SecurityRuleInvalidPriority",
            f"Security rule has invalid Priority. Value provided: {priority}. Allowed range 100-4096.",
            unverified=True,
        )


def _check_ports(properties: Json, side: str) -> None:
    given = values(properties, f"{side}PortRange", f"{side}PortRanges")
    for value in given or [""]:
        if not is_port_range(value):
            # Recorded: github.com/Azure/azure-cli, issue 23499.
            raise ArmError(
                400,
                "SecurityRuleInvalidPortRange",
                f"Security rule has invalid Port range. Value provided: {value}. Value should be an "
                "integer OR integer range with '-' delimiter. Valid range 0-65535.",
            )


def _check_prefixes(rule_id: str, properties: Json, side: str) -> None:
    listed = properties.get(f"{side}AddressPrefixes") or []
    for value in listed:
        if str(value).lower() in SINGLE_ONLY and len(listed) > 1:
            # Recorded: github.com/hashicorp/terraform-provider-azurerm, issue 5617.
            raise ArmError(
                400,
                "SecurityRuleParameterContainsUnsupportedValue",
                f"Security rule parameter {side.capitalize()}AddressPrefix for rule with Id {rule_id} cannot "
                "specify existing VIRTUALNETWORK, INTERNET, AZURELOADBALANCER, '*' or system tags. "
                f"Unsupported value used: {value}.",
            )
    has_group = bool(properties.get(f"{side}ApplicationSecurityGroups"))
    given = values(properties, f"{side}AddressPrefix", f"{side}AddressPrefixes")
    for value in given or ([] if has_group else [""]):
        if not is_prefix(value):
            # Recorded: github.com/Azure/azure-powershell, issue 4557: host bits beyond the prefix, too.
            raise ArmError(
                400,
                "SecurityRuleInvalidAddressPrefix",
                f"Security rule {rule_id} has invalid Address prefix. Value provided: {value}",
            )


def values(properties: Json, singular: str, plural: str) -> list[str]:
    """Return what a rule says in either spelling."""
    found = [properties.get(singular), *(properties.get(plural) or [])]
    return [str(value) for value in found if value]
