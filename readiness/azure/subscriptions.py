"""Which subscriptions an endpoint shows: proof that a run is where its plan was made for."""

from azure.core.rest import HttpRequest

from readiness.azure.connect import Connection
from readiness.azure.faults import translated

_VERSION = "2022-12-01"


def visible_subscriptions(connection: Connection, through: str) -> frozenset[str]:
    """Return the ids, in lower case, of all subscriptions that the endpoint lists.

    Args:
        connection: The clients of the endpoint.
        through: Any subscription; its client carries the request.
    """
    client = connection.compute(through)
    found: set[str] = set()
    address: str | None = f"/subscriptions?api-version={_VERSION}"
    with translated():
        while address:
            answer = client.send_request(HttpRequest("GET", address))
            answer.raise_for_status()
            page = answer.json()
            found.update(str(entry["subscriptionId"]).lower() for entry in page.get("value", ()))
            address = page.get("nextLink")
    return frozenset(found)


def tenant_of(connection: Connection, subscription: str) -> str:
    """Return the id of the tenant that a subscription belongs to, as the endpoint says."""
    client = connection.compute(subscription)
    with translated():
        answer = client.send_request(
            HttpRequest("GET", f"/subscriptions/{subscription}?api-version={_VERSION}")
        )
        answer.raise_for_status()
        return str(answer.json().get("tenantId") or "")
