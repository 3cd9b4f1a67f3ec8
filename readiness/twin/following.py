"""Where a client follows an operation: absolute addresses on the host that the client used."""

from urllib.parse import quote

from readiness.twin.messages import Request
from readiness.twin.operations import Operation, draw
from readiness.twin.paths import parse


def headers_of(request: Request, version: str, operation: Operation) -> dict[str, str]:
    """Return the headers of an operation's protocol."""
    protocol = operation.protocol
    headers = {}
    if protocol.status:
        headers["Azure-AsyncOperation"] = _address(protocol.status, request, version, operation)
    if protocol.monitor:
        headers["Location"] = monitor_of(request, version, operation)
    if protocol.is_announced and headers:
        headers["Azure-AsyncNotification"] = "Enabled"
    return headers


def monitor_of(request: Request, version: str, operation: Operation) -> str:
    """Return the Location of an operation: another one for each poll where its protocol rotates."""
    address = _address(operation.protocol.monitor, request, version, operation)
    if not operation.protocol.rotates:
        return address
    token = f"{draw(operation.name, operation.polls):.16f}"[2:]
    return f"{address}&t={operation.polls}&s={token}"


def _address(template: str, request: Request, version: str, operation: Operation) -> str:
    address = template.format(
        subscription=f"/subscriptions/{parse(operation.target).subscription}",
        target=quote(operation.target),
        place=quote(operation.place),
        name=operation.name,
    )
    mark = "&" if "?" in address else "?"
    return f"{request.base_url}{address}{mark}api-version={version}"
