"""Polling: the status of an operation, and the monitor that a Location header leads to.

As recorded: the status answers 200 and says in its body where it stands; the monitor answers 202 until the
end and then with the result. A failed operation is a 200 for the one and the error itself for the other.
Guarantees: an operation is found beneath its own subscription and nowhere else.
"""

from readiness.twin.documents import same
from readiness.twin.faults import Arrival
from readiness.twin.following import headers_of, monitor_of
from readiness.twin.messages import ArmError, Response
from readiness.twin.operations import Operation, Status
from readiness.twin.paths import parse
from readiness.twin.protocols import BACKUP, VAULT
from readiness.twin.world import Call, World

_NO_TIME = "0001-01-01T00:00:00"


def poll(world: World, call: Call) -> Response:
    """Answer where an operation stands."""
    operation = world.operations.find(call.address.name)
    if operation is None or not same(parse(operation.target).subscription, call.address.subscription):
        raise ArmError(
            404, "NotFound", f"The operation '{call.address.name}' was not found.", unverified=True
        )
    if world.faults:
        arrival: Arrival = world.arrive("operations/read", operation.target)
        world.meet(call, arrival)
    operation.polls += 1
    return (
        _monitor(world, call, operation) if _is_monitor(call, operation) else _status(world, call, operation)
    )


def _is_monitor(call: Call, operation: Operation) -> bool:
    """Tell whether a Location is read: by its query where both addresses have one path, else by its path."""
    protocol = operation.protocol
    status, monitor = (each.partition("?")[0] for each in (protocol.status, protocol.monitor))
    if status == monitor:
        return same(call.request.query.get("monitor"), "true")
    word = call.address.kind.rsplit("/", 1)[-1]
    return word == monitor.removesuffix("/{name}").rsplit("/", 1)[-1].lower()


def _status(world: World, call: Call, operation: Operation) -> Response:
    body = operation.body()
    if operation.protocol is BACKUP:
        # As recorded in Azure/azure-cli, backup/tests/latest/recordings/test_backup_scenario.yaml.
        body = {"id": operation.name, "endTime": _NO_TIME} | body
    elif operation.protocol.status == VAULT.status:
        # As recorded in Azure/azure-cli, backup/tests/latest/recordings/test_backup_container.yaml.
        words = {name: value for name, value in body.items() if name in ("name", "status", "error")}
        body = {"id": call.address.path, **words}
    if operation.status is Status.IN_PROGRESS:
        return Response(200, body, world.waiting(operation, call.now))
    result = operation.result()
    if result is not None:
        body["properties"] = {"output": result} if operation.protocol.wraps_output else result
    return Response(200, body)


def _monitor(world: World, call: Call, operation: Operation) -> Response:
    if operation.status is Status.IN_PROGRESS:
        followed = {"Location": monitor_of(call.request, call.version, operation)}
        return Response(202, None, world.waiting(operation, call.now) | followed)
    if operation.error is not None:
        raise ArmError(409, operation.error["code"], operation.error["message"])
    result = operation.result()
    if result is None and operation.protocol.ends_empty:
        return Response(204, None, headers_of(call.request, call.version, operation))
    return Response(200, result)
