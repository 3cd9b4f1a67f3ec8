"""Polling: the body of an operation, and the monitor that a Location header leads to.

As recorded: the operation answers 200 and says in its body where it stands; the monitor answers 202 until the
end and then with the result. A failed operation is a 200 for the one and the error itself for the other.
"""

from readiness.twin.documents import Json, duplicate
from readiness.twin.messages import ArmError, Response
from readiness.twin.operations import Operation, Status
from readiness.twin.waiting import waiting_headers
from readiness.twin.world import Call, World


def poll(world: World, call: Call) -> Response:
    """Answer where an operation stands."""
    operation = world.operations.find(call.address.name)
    if operation is None:
        raise ArmError(404, "NotFound", f"The operation '{call.address.name}' was not found.")
    is_monitor = call.request.query.get("monitor", "").lower() == "true"
    if operation.status is Status.IN_PROGRESS:
        headers = waiting_headers(world.rest(operation, call.now), world.clock.rate)
        if is_monitor:
            followed = {"Location": f"{call.request.base_url}{call.address.path}?{_query(call)}"}
            return Response(202, None, headers | followed)
        return Response(200, operation.body(), headers)
    result = _result(world, operation)
    if not is_monitor:
        body = operation.body() if result is None else operation.body() | {"properties": {"output": result}}
        return Response(200, body)
    if operation.error is not None:
        raise ArmError(409, operation.error["code"], operation.error["message"])
    return Response(200, result)


def _query(call: Call) -> str:
    return "&".join(f"{name}={value}" for name, value in call.request.query.items())


def _result(world: World, operation: Operation) -> Json | None:
    """Return the resource a disk operation made or changed; machine operations have no output (recorded)."""
    if operation.family == "operations" or operation.status is not Status.SUCCEEDED:
        return None
    found: Json | None = duplicate(world.state.find(operation.target))
    return found
