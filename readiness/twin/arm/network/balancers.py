"""Load balancers: what their parts complete to, and which parts their rules may refer to.

As recorded in Azure/azure-cli, network/tests/latest/recordings/test_network_lb_*.yaml, and for Basic ones in
Azure/azure-libraries-for-net, Tests/Fluent.Tests/SessionRecords.
"""

from readiness.twin.arm.network import allocation
from readiness.twin.arm.network.links import ids
from readiness.twin.documents import Json, look, same
from readiness.twin.messages import ArmError
from readiness.twin.state import State

PARTS = (
    *("frontendIPConfigurations", "backendAddressPools", "loadBalancingRules", "probes"),
    *("inboundNatRules", "outboundRules", "inboundNatPools"),
)
_RULES = ("loadBalancingRules", "inboundNatRules", "outboundRules", "inboundNatPools")
_FLOW: Json = {
    "allowBackendPortConflict": False,
    "enableDestinationServiceEndpoint": False,
    "enableFloatingIP": False,
    "enableTcpReset": False,
    "idleTimeoutInMinutes": 4,
}
_DEFAULTS: dict[str, Json] = {
    "inboundNatPools": _FLOW,
    "inboundNatRules": _FLOW,
    "loadBalancingRules": _FLOW | {"loadDistribution": "Default"},
    "outboundRules": {"allocatedOutboundPorts": 1024, "enableTcpReset": False, "idleTimeoutInMinutes": 4},
    "probes": {"intervalInSeconds": 15, "numberOfProbes": 2},
}


def complete(state: State, before: Json | None, after: Json) -> None:
    """Fill in what a load balancer leaves out, or refuse a rule that refers to what it has not."""
    properties = after["properties"]
    after["sku"] = {"name": "Basic", "tier": "Regional"} | (after.get("sku") or {})
    is_basic = same(after["sku"]["name"], "Basic")
    for name in PARTS:
        if not (is_basic and name == "outboundRules"):
            properties.setdefault(name, [])
    for name, usual in _DEFAULTS.items():
        for each in properties.get(name) or []:
            each["properties"] = usual | (each.get("properties") or {})
    _complete_members(properties, is_basic=is_basic)
    for each in properties["frontendIPConfigurations"]:
        inner = each.setdefault("properties", {})
        inner.setdefault("privateIPAllocationMethod", "Dynamic")
        if look(inner, "subnet.id") is not None:
            inner.setdefault("privateIPAddressVersion", "IPv4")
    allocation.settle(state, before, after, "frontendIPConfigurations")
    _check_rules(after)


def _complete_members(properties: Json, *, is_basic: bool) -> None:
    for pool in properties["backendAddressPools"]:
        pool.setdefault("properties", {})
        if not is_basic:
            pool["properties"].setdefault("loadBalancerBackendAddresses", [])
    for rule in properties["loadBalancingRules"]:
        if not is_basic:
            rule["properties"].setdefault("disableOutboundSnat", False)
        _name_pool(rule["properties"])


def _name_pool(rule: Json) -> None:
    """Tell the one pool of a rule by both of its properties."""
    pools = rule.get("backendAddressPools")
    if "backendAddressPool" not in rule and isinstance(pools, list) and len(pools) == 1:
        rule["backendAddressPool"] = {"id": look(pools[0], "id")}


def _check_rules(after: Json) -> None:
    properties = after["properties"]
    parts = {
        f"{after['id']}/{name}/{each.get('name')}".lower()
        for name in PARTS
        for each in properties.get(name) or []
    }
    for collection in _RULES:
        for rule in properties.get(collection) or []:
            for name in ("frontendIPConfiguration", "backendAddressPool", "probe"):
                for target in ids(look(rule, f"properties.{name}")):
                    if target.lower() not in parts:
                        # Recorded: github.com/openshift/openshift-azure, issue 1933.
                        raise ArmError(
                            400,
                            "InvalidResourceReference",
                            f"Resource {target} referenced by resource {after['id']}/{collection}/"
                            f"{rule.get('name')} was not found. Please make sure that the referenced "
                            "resource exists, and that both resources are in the same region.",
                        )
