"""ARM JSON to the model: application gateways, as far as they could lead to a management port.

WinRM is HTTP, and a gateway may pass on plain TCP; both are paths to a backend port like a load balancer's.
Members see the gateway's own subnet, and not who called.
"""

from collections.abc import Iterator

from readiness.azure.wire_values import (
    Json,
    number,
    obj,
    objects,
    own_id,
    reference,
    references,
    resource_id,
    text,
)
from readiness.model.ids import ResourceId
from readiness.model.network import LoadBalancer, LoadBalancerPath, PoolMember

_Ids = dict[ResourceId | None, Json]


def application_gateway(resource: Json) -> LoadBalancer:
    """Read an application gateway, reduced to the paths through it."""
    properties = obj(resource, "properties")
    subnets = (
        reference(obj(entry, "properties"), "subnet")
        for entry in objects(properties, "gatewayIPConfigurations")
    )
    pools = objects(properties, "backendAddressPools")
    return LoadBalancer(
        id=own_id(resource),
        relay=next((found for found in subnets if found), own_id(resource)),
        paths=tuple(dict.fromkeys(_paths(properties))),
        pools=tuple(found for pool in pools if (found := resource_id(pool, "id"))),
        members=tuple(member for pool in pools for member in _members(pool)),
    )


def _paths(properties: Json) -> Iterator[LoadBalancerPath]:
    settings = _by_id(properties, "backendHttpSettingsCollection") | _by_id(
        properties, "backendSettingsCollection"
    )
    listeners = _by_id(properties, "httpListeners") | _by_id(properties, "listeners")
    frontends = _by_id(properties, "frontendIPConfigurations")
    maps = _by_id(properties, "urlPathMaps")
    for entry in (*objects(properties, "requestRoutingRules"), *objects(properties, "routingRules")):
        rule = obj(entry, "properties")
        listener = listeners.get(reference(rule, "httpListener") or reference(rule, "listener"))
        frontend = frontends.get(reference(listener, "frontendIPConfiguration")) if listener else None
        # A frontend that is not listed may be public; only a private one that was seen is private.
        is_public = frontend is None or reference(frontend, "publicIPAddress") is not None
        for pool, way in _ends(rule, maps.get(reference(rule, "urlPathMap"))):
            port = number(settings.get(way) or {}, "port")
            if pool is not None and port:
                yield LoadBalancerPath(
                    name=text(entry, "name") or "", backend_port=port, is_public=is_public, pool=pool
                )


def _ends(rule: Json, paths: Json | None) -> Iterator[tuple[ResourceId | None, ResourceId | None]]:
    """Yield the pools that a rule leads to, each with the settings that say on which port."""
    way = reference(rule, "backendHttpSettings") or reference(rule, "backendSettings")
    yield reference(rule, "backendAddressPool"), way
    if paths is not None:
        yield reference(paths, "defaultBackendAddressPool"), reference(paths, "defaultBackendHttpSettings")
        for entry in objects(paths, "pathRules"):
            part = obj(entry, "properties")
            yield reference(part, "backendAddressPool"), reference(part, "backendHttpSettings")


def _members(pool: Json) -> Iterator[PoolMember]:
    pool_id = resource_id(pool, "id")
    if pool_id is None:
        return
    properties = obj(pool, "properties")
    for configuration in references(properties, "backendIPConfigurations"):
        yield PoolMember(pool=pool_id, ip_configuration=configuration)
    for entry in objects(properties, "backendAddresses"):
        if text(entry, "ipAddress"):
            yield PoolMember(pool=pool_id, address=text(entry, "ipAddress"))


def _by_id(properties: Json, key: str) -> _Ids:
    return {resource_id(entry, "id"): obj(entry, "properties") for entry in objects(properties, key)}
