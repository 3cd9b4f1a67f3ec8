"""Requests of Resource Manager that no client of ours has a method for, and the JSON of those that have one.

Bodies are what was on the wire, never the attributes of SDK models.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from azure.core.rest import HttpRequest, HttpResponse

from readiness.azure.connect import Connection
from readiness.azure.faults import translated
from readiness.errors import MissingError
from readiness.model.ids import ResourceId


def body_of(get: Any) -> dict[str, Any]:
    """Call an SDK `get` and return the JSON on the wire.

    It is asked for as a stream, of which the SDK makes no model: that would cost more than all else.
    """
    with translated():
        body: dict[str, Any] = get(cls=lambda response, _model, _headers: _json(response), stream=True)
        return body


def _json(response: Any) -> Any:
    response.http_response.read()
    return response.http_response.json()


def vm_body(connection: Connection, vm: ResourceId, **options: Any) -> dict[str, Any]:
    """Return a virtual machine as it is on the wire; `expand="instanceView"` adds its instance view."""
    machines = connection.compute(vm.subscription).virtual_machines
    return body_of(partial(machines.get, vm.resource_group, vm.name, **options))


def send(  # noqa: PLR0913  what a request is made of
    connection: Connection,
    subscription: str,
    method: str,
    path: str,
    api_version: str,
    *,
    body: Any = None,
    headers: Mapping[str, str] | None = None,
) -> HttpResponse:
    """Send one request through the pipeline of the compute client: its retries, its credential, its endpoint.

    Args:
        connection: Where to.
        subscription: Whose client is used.
        method: `GET`, `PUT` and so on.
        path: From `/subscriptions` on.
        api_version: Of the resource provider.
        body: JSON to send.
        headers: Further headers, such as `If-Match`.

    Raises:
        CloudError: It was refused, or there was no answer.
    """
    request = HttpRequest(
        method, path, params={"api-version": api_version}, json=body, headers=dict(headers or {})
    )
    with translated():
        client: Any = connection.compute(subscription)
        response: HttpResponse = client.send_request(request)
        response.raise_for_status()
        return response


def read(connection: Connection, subscription: str, path: str, api_version: str) -> dict[str, Any] | None:
    """GET a resource; None where there is none."""
    try:
        response = send(connection, subscription, "GET", path, api_version)
    except MissingError:
        return None
    body: dict[str, Any] = response.json()
    return body


def pages(connection: Connection, subscription: str, path: str, api_version: str) -> list[dict[str, Any]]:
    """GET a list, page after page."""
    found: list[dict[str, Any]] = []
    body: dict[str, Any] = send(connection, subscription, "GET", path, api_version).json()
    found += body.get("value") or []
    while link := body.get("nextLink"):
        # Only the way on the same host is followed: a credential goes nowhere else.
        parts = urlsplit(link)
        with translated():
            client: Any = connection.compute(subscription)
            response: HttpResponse = client.send_request(HttpRequest("GET", f"{parts.path}?{parts.query}"))
            response.raise_for_status()
            body = response.json()
        found += body.get("value") or []
    return found
