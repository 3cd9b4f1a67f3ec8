"""Template deployments to a resource group: PUT of Microsoft.Resources/deployments and what goes with it.

Recorded: github.com/Azure/azure-cli, recordings/test_network_nic_convenience_commands.yaml (`vm create`):
201, Azure-AsyncOperation with operationStatuses, a bare `{"status": "Running"}` while it runs. Mode Complete,
templates by link, loops over properties or variables, and cancelling are refused; nothing else is ignored.
`run` carries a deployment out, `template` reads templates, `evaluation` and `functions` their expressions.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from readiness.twin.arm.deployments import run, template
from readiness.twin.arm.deployments.evaluation import Scope, evaluate
from readiness.twin.arm.deployments.language import invalid
from readiness.twin.arm.identity import home
from readiness.twin.arm.paging import page
from readiness.twin.documents import Json, duplicate, look, same
from readiness.twin.messages import ArmError, Response
from readiness.twin.operations import identifier
from readiness.twin.paths import parse
from readiness.twin.state import place
from readiness.twin.waiting import waiting_headers
from readiness.twin.world import Call, Routes, World

_POLL_SECONDS = 5.0


def put(world: World, call: Call) -> Response:
    """Begin a deployment."""
    ticket = world.admit(call, "deployments/write", call.address.path)
    earlier = run.deployments(world).get(call.address.path.lower())
    if earlier is not None and earlier.state not in run.ENDED:
        # Recorded by many clients; a deployment is given up after seven days.
        began = datetime.fromisoformat(earlier.resource["properties"]["timestamp"])
        raise ArmError(
            409,
            "DeploymentActive",
            f"Unable to edit or replace deployment '{call.address.name}': previous deployment from "
            f"'{_spelled(began)}' is still active (expiration time is "
            f"'{_spelled(began + timedelta(days=7))}'). Please see https://aka.ms/arm-deploy for "
            "usage details.",
        )
    deployment = _read(world, call)
    run.deployments(world)[call.address.path.lower()] = deployment
    accepted = Response(
        201 if earlier is None else 200, duplicate(deployment.resource), _headers(world, call)
    )
    run.advance(world, deployment, call.now)
    return world.finished(ticket, accepted)


def _spelled(moment: datetime) -> str:
    return f"{moment.month}/{moment.day}/{moment:%Y %I:%M:%S %p}"


def _headers(world: World, call: Call) -> dict[str, str]:
    name = identifier(world.seed, "deployment", call.address.path, call.now)
    address = f"{call.request.base_url}{call.address.path}/operationStatuses/{name}"
    return {"Azure-AsyncOperation": f"{address}?api-version={call.version}"} | waiting_headers(
        _POLL_SECONDS, world.clock.rate
    )


def _read(world: World, call: Call) -> run.Deployment:
    """Read a deployment, or refuse it before anything is touched."""
    properties = call.body().get("properties") or {}
    _check_form(properties)
    given: Json = properties["template"]
    settled = template.settled(given, properties.get("parameters") or {})
    scope = _scope(world, call, given, settled)
    plans = template.planned(given, scope)
    for each in plans:
        _check_known(world, each)
    return run.Deployment(
        resource=_resource(world, call, given, settled, plans),
        template=given,
        scope=scope,
        base_url=call.request.base_url,
        plans=plans,
        pending=list(plans),
    )


def _check_form(properties: Json) -> None:
    if not same(properties.get("mode"), "Incremental"):
        raise ArmError(
            400,
            "InvalidDeploymentMode",
            f"The twin deploys in mode Incremental only, and was asked for '{properties.get('mode')}'.",
            unverified=True,
        )
    if not isinstance(properties.get("template"), dict):
        raise ArmError(
            400,
            "InvalidRequestContent",
            "The request content was invalid: the twin deploys templates that stand in the request itself, "
            "as 'properties.template', and follows no link.",
            unverified=True,
        )
    for name in ("parameters", "template.parameters", "template.variables", "template.outputs"):
        if not isinstance(look(properties, name), dict | None):
            raise ArmError(
                400, "InvalidRequestContent", f"The request content was invalid: '{name}' is no object."
            )


def _check_known(world: World, planned: template.Planned) -> None:
    """Refuse a type the twin cannot make, and a group that is not there, before anything begins."""
    address = parse(planned.resource_id)
    group = f"/subscriptions/{address.subscription}/resourceGroups/{address.group}"
    if world.state.find(group) is None:
        raise ArmError(404, "ResourceGroupNotFound", f"Resource group '{address.group}' could not be found.")

    if ("PUT", address.kind, "") not in world.routes:
        raise invalid(
            f"The twin cannot make resources of type '{planned.kind}', which '{planned.name}' is.",
            "arm-template/#resources",
        )


def _scope(world: World, call: Call, given: Json, settled: dict[str, tuple[str, Any]]) -> Scope:
    group_id = call.address.scope
    group = world.state.find(group_id) or {}
    scope = Scope(
        subscription_id=call.address.subscription,
        tenant_id=home(world.state, world.seed),
        group={
            "id": group_id,
            "name": group_id.rsplit("/", 1)[-1],
            "type": "Microsoft.Resources/resourceGroups",
            "location": place(group.get("location")),
            "tags": group.get("tags") or {},
            "properties": {"provisioningState": "Succeeded"},
        },
        deployment={"name": call.address.name, "properties": {"mode": "Incremental"}},
        variables=given.get("variables") or {},
    )
    parameters: Json = {}
    provided = {name.lower() for name in look(call.request.body, "properties.parameters") or {}}
    for name, (kind, value) in settled.items():
        if name.lower() not in provided:
            settled[name] = (kind, evaluate(value, _with(scope, parameters)))
        parameters[name] = settled[name][1]
    return _with(scope, parameters)


def _with(scope: Scope, parameters: Json) -> Scope:
    return replace(scope, parameters=parameters)


def _resource(
    world: World,
    call: Call,
    given: Json,
    settled: dict[str, tuple[str, Any]],
    plans: list[template.Planned],
) -> Json:
    by_id = {each.resource_id.lower(): each for each in plans}
    providers: dict[str, dict[str, list[str]]] = {}
    for each in plans:
        namespace, _, kind = each.kind.partition("/")
        location = evaluate(each.body.get("location"), each.scope) if each.body.get("location") else None
        providers.setdefault(namespace, {})[kind] = [place(location)] if location else []
    dependencies = [
        {"dependsOn": [_told(by_id[key]) for key in sorted(each.depends_on & set(by_id))]} | _told(each)
        for each in plans
        if each.depends_on & set(by_id)
    ]
    return {
        "id": call.address.path,
        "name": call.address.name,
        "type": "Microsoft.Resources/deployments",
        "properties": {
            "templateHash": str(int(identifier("template", given).replace("-", "")[:15], 16)),
            "parameters": template.told(settled),
            "mode": "Incremental",
            "provisioningState": "Accepted",
            "timestamp": call.now.isoformat(),
            "duration": "PT0S",
            "correlationId": identifier(world.seed, "correlation", call.address.path, call.now),
            "providers": [
                {
                    "namespace": namespace,
                    "resourceTypes": [{"resourceType": k, "locations": where} for k, where in kinds.items()],
                }
                for namespace, kinds in providers.items()
            ],
            "dependencies": dependencies,
        },
    }


def _told(planned: template.Planned) -> Json:
    return {
        "id": planned.resource_id,
        "resourceType": planned.kind,
        "resourceName": planned.name,
    }


def _need(world: World, call: Call) -> run.Deployment:
    path = call.address.resource_id
    if "/operationstatuses/" in path.lower():
        path = path.rsplit("/", 2)[0]
    found = run.deployments(world).get(path.lower())
    if found is None:
        # Recorded: github.com/Azure/azure-cli, `deployment group show` of an unknown name.
        raise ArmError(
            404, "DeploymentNotFound", f"Deployment '{path.rsplit('/', 1)[-1]}' could not be found."
        )
    return found


def get(world: World, call: Call) -> Response:
    """Answer one deployment."""
    return Response(200, duplicate(_need(world, call).resource))


def listed(world: World, call: Call) -> Response:
    """Answer the deployments of a resource group."""
    scope = call.address.scope.lower() + "/"
    found = [each.resource for key, each in run.deployments(world).items() if key.startswith(scope)]
    return page(call, found, duplicate)


def status(world: World, call: Call) -> Response:
    """Answer where a deployment stands: it ends with its resources, at no time that was known before."""
    found = _need(world, call)
    if found.state not in run.ENDED:
        return Response(200, {"status": "Running"}, waiting_headers(_POLL_SECONDS, world.clock.rate))
    return Response(200, {"status": found.state} | ({} if found.error is None else {"error": found.error}))


def operations(world: World, call: Call) -> Response:
    """Answer what became of each resource."""
    return page(call, _need(world, call).operations, duplicate)


def validate(world: World, call: Call) -> Response:
    """Read a deployment as a PUT would, and touch nothing."""
    ticket = world.admit(call, "deployments/validate", call.address.resource_id)
    found = _read(world, call)
    body: Json = duplicate(found.resource)
    body["properties"]["provisioningState"] = "Succeeded"
    body["properties"]["validatedResources"] = [{"id": each.resource_id} for each in found.plans]
    return world.finished(ticket, Response(200, body))


def export(world: World, call: Call) -> Response:
    """Answer the template of a deployment."""
    return Response(200, {"template": duplicate(_need(world, call).template)})


ROUTES: Routes = {
    ("GET", "microsoft.resources", "deployments"): listed,
    ("GET", run.KIND, ""): get,
    ("GET", run.KIND, "operations"): operations,
    ("GET", f"{run.KIND}/operationstatuses", ""): status,
    ("PUT", run.KIND, ""): put,
    ("POST", run.KIND, "exporttemplate"): export,
    ("POST", run.KIND, "validate"): validate,
}
