"""A deployment on its way: every resource is put through the handler of its type, as a client would.

Guarantees: a resource is begun once everything it depends on has succeeded; where one fails, what depends on
it is never begun, what does not goes on, and the deployment ends Failed with the refusal as a detail. Nothing
is taken back: Azure rolls back nothing either. No secure parameter is shown or kept after the end.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from readiness.twin import paths
from readiness.twin.arm.deployments.evaluation import Scope, evaluate
from readiness.twin.arm.deployments.template import Planned
from readiness.twin.documents import Json, look, same
from readiness.twin.messages import ArmError, Request, Response
from readiness.twin.operations import Operation, Status, identifier
from readiness.twin.world import Call, World

KIND = "microsoft.resources/deployments"
ENDED = ("Succeeded", "Failed", "Canceled")
_FAILED = (
    "At least one resource deployment operation failed. Please list deployment operations for details. "
    "Please see https://aka.ms/arm-deployment-operations for usage details."
)
_STEP = timedelta(seconds=5)
_REFUSED = 400
_BUSY = "AnotherOperationInProgress"


@dataclass(slots=True, kw_only=True)
class Running:
    """A resource that was begun."""

    planned: Planned
    operation: Operation | None


@dataclass(slots=True, kw_only=True)
class Deployment:
    """One deployment, with everything Azure knows of it."""

    resource: Json
    template: Json
    scope: Scope
    base_url: str
    plans: list[Planned]
    pending: list[Planned]
    running: list[Running] = field(default_factory=list)
    done: set[str] = field(default_factory=set)
    errors: list[Json] = field(default_factory=list)
    operations: list[Json] = field(default_factory=list)
    error: Json | None = None

    @property
    def state(self) -> str:
        """Return the provisioning state."""
        return str(self.resource["properties"]["provisioningState"])


def deployments(world: World) -> dict[str, Deployment]:
    """Return all deployments of a twin, by lower-case id."""
    return world.state.hidden(KIND)


def ask(world: World, request: Request, now: datetime) -> Response:
    """Let a handler answer a request that comes from within; refusals come back as answers."""
    address = paths.parse(request.path)
    call = Call(request=request, address=address, now=now, version=request.query["api-version"])
    try:
        return world.handler(request.method, address)(world, call)
    except ArmError as error:
        return error.response()


def advance(world: World, deployment: Deployment, now: datetime) -> None:
    """Note what has ended, begin what can begin, and come back when something ends next."""
    _settle(world, deployment, now)
    if not deployment.errors:
        deployment.resource["properties"]["provisioningState"] = "Running"
    for planned in list(deployment.pending):
        needed = planned.depends_on & _wanted(deployment)
        if needed <= deployment.done:
            _begin(world, deployment, planned, now)
    _settle(world, deployment, now)
    if deployment.running or _can_go_on(deployment):
        world.timeline.add(_next(deployment, now), lambda when: advance(world, deployment, when))
    else:
        _end(world, deployment, now)


def _wanted(deployment: Deployment) -> set[str]:
    """Return the ids of what was planned: a dependency whose condition is false holds nobody back."""
    begun = {each["properties"]["targetResource"]["id"].lower() for each in deployment.operations}
    return begun | {each.resource_id.lower() for each in deployment.pending}


def _can_go_on(deployment: Deployment) -> bool:
    wanted = _wanted(deployment)
    return any(each.depends_on & wanted <= deployment.done for each in deployment.pending)


def _next(deployment: Deployment, now: datetime) -> datetime:
    ends = [each.operation.ends for each in deployment.running if each.operation is not None]
    polled = any(each.operation is None for each in deployment.running) or not deployment.running
    return min([*ends, *([now + _STEP] if polled else [])])


def _begin(world: World, deployment: Deployment, planned: Planned, now: datetime) -> None:
    """Put one resource; one whose parent is busy is tried again a little later."""
    scope = replace(planned.scope, read=_reader(world, deployment, now))
    try:
        body = _without_nulls(evaluate(planned.body, scope))
    except ArmError as error:
        answer = error.response()
    else:
        version = {"api-version": planned.version}
        request = Request("PUT", planned.resource_id, version, {}, body, deployment.base_url)
        answer = ask(world, request, now)
    if look(answer.body, "error.code") == _BUSY:
        return
    deployment.pending.remove(planned)
    deployment.operations.append(_told(world, deployment, planned, now, answer))
    if answer.status >= _REFUSED:
        deployment.errors.append(_error_of(answer))
        return
    deployment.running.append(Running(planned=planned, operation=_operation(world, answer)))


def _without_nulls(value: Any) -> Any:
    """Leave out properties that are null, which Azure Resource Manager does not hand to a provider."""
    if isinstance(value, dict):
        return {name: _without_nulls(inner) for name, inner in value.items() if inner is not None}
    return [_without_nulls(inner) for inner in value] if isinstance(value, list) else value


def _reader(world: World, deployment: Deployment, now: datetime) -> Any:
    """Return how `reference` reads: by id, or by the name of a resource in the template."""

    def read(name: str, version: str | None) -> Json:
        planned = next((each for each in deployment.plans if same(each.name, name)), None)
        path = name if name.startswith("/") else planned.resource_id if planned else ""
        known = next((each for each in deployment.plans if same(each.resource_id, path)), None)
        version_asked = {"api-version": version or (known.version if known else "") or "2021-04-01"}
        answer = ask(world, Request("GET", path, version_asked, {}, None, deployment.base_url), now)
        if answer.status >= _REFUSED or not isinstance(answer.body, dict):
            raise ArmError(answer.status, **_error_of(answer))
        return answer.body

    return read


def _error_of(answer: Response) -> Json:
    return {"code": look(answer.body, "error.code"), "message": look(answer.body, "error.message")}


def _operation(world: World, answer: Response) -> Operation | None:
    """Return the operation that an accepted write is followed by, where there is one."""
    for header in ("Azure-AsyncOperation", "Location"):
        if header in answer.headers:
            name = urlsplit(answer.headers[header]).path.rsplit("/", 1)[-1]
            return world.operations.find(name)
    return None


def _settle(world: World, deployment: Deployment, now: datetime) -> None:
    """Note which of the resources under way have ended, and how."""
    for each in list(deployment.running):
        state, error = _state_of(world, each)
        if state not in ENDED:
            continue
        deployment.running.remove(each)
        key = each.planned.resource_id.lower()
        told = next(
            one for one in deployment.operations if one["properties"]["targetResource"]["id"].lower() == key
        )
        told["properties"] |= {"provisioningState": state, "timestamp": now.isoformat()}
        if state == "Succeeded":
            deployment.done.add(key)
            continue
        failure = error or {"code": "ResourceDeploymentFailure", "message": _terminal(state)}
        told["properties"] |= {"statusCode": "Conflict", "statusMessage": {"error": failure}}
        deployment.errors.append(failure)


def _terminal(state: str) -> str:
    return (
        "The resource write operation failed to complete successfully, because it reached terminal "
        f"provisioning state '{state}'."
    )


def _state_of(world: World, running: Running) -> tuple[str, Json | None]:
    operation = running.operation
    if operation is not None:
        told = {Status.SUCCEEDED: "Succeeded", Status.FAILED: "Failed"}.get(operation.status, "Running")
        return told, operation.error
    inner = deployments(world).get(running.planned.resource_id.lower())
    if inner is not None:
        return inner.state, inner.error
    resource = world.state.find(running.planned.resource_id)
    return str(look(resource, "properties.provisioningState") or "Succeeded"), None


def _told(world: World, deployment: Deployment, planned: Planned, now: datetime, answer: Response) -> Json:
    """Return the record of one operation of a deployment."""
    name = (
        identifier(world.seed, deployment.resource["id"], planned.resource_id).replace("-", "").upper()[:16]
    )
    has_failed = answer.status >= _REFUSED
    properties: Json = {
        "provisioningOperation": "Create",
        "provisioningState": "Failed" if has_failed else "Running",
        "timestamp": now.isoformat(),
        "statusCode": str(answer.status) if has_failed else "OK",
        "targetResource": {
            "id": planned.resource_id,
            "resourceType": planned.kind,
            "resourceName": planned.name,
        },
    }
    if has_failed:
        properties["statusMessage"] = {"error": _error_of(answer)}
    return {
        "id": f"{deployment.resource['id']}/operations/{name}",
        "operationId": name,
        "properties": properties,
    }


def _end(world: World, deployment: Deployment, now: datetime) -> None:
    properties = deployment.resource["properties"]
    outputs: Json = {}
    if not deployment.errors:
        scope = replace(deployment.scope, read=_reader(world, deployment, now))
        try:
            outputs = _outputs(deployment.template, scope)
        except ArmError as error:
            deployment.errors.append({"code": error.code, "message": error.message})
    if deployment.errors:
        deployment.error = {"code": "DeploymentFailed", "message": _FAILED, "details": deployment.errors}
        properties |= {"provisioningState": "Failed", "error": deployment.error}
    else:
        made = sorted(each.resource_id for each in deployment.plans)
        properties |= {
            "provisioningState": "Succeeded",
            "outputs": outputs,
            "outputResources": [{"id": each} for each in made],
        }
    started = datetime.fromisoformat(properties["timestamp"])
    properties["duration"] = f"PT{(now - started).total_seconds():.7f}S"
    properties["timestamp"] = now.isoformat()
    deployment.scope = replace(deployment.scope, parameters={})
    deployment.pending.clear()
    deployment.plans = []


def _outputs(template: Json, scope: Scope) -> Json:
    found: Json = {}
    for name, output in (template.get("outputs") or {}).items():
        if not evaluate(output.get("condition", True), scope):
            continue
        kind = str(output.get("type") or "Object")
        proper = kind[:1].upper() + kind[1:]
        secure = kind.lower().startswith("secure")
        found[name] = {"type": proper} | ({} if secure else {"value": evaluate(output["value"], scope)})
    return found
