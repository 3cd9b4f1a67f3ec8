"""Lists, page by page: the next page is an absolute address on the host the client used."""

from collections.abc import Callable, Sequence
from urllib.parse import quote, urlencode

from readiness.twin.documents import Json
from readiness.twin.messages import ArmError, Response
from readiness.twin.world import Call

SIZE = 500
"""Resources on a page. Azure does not promise a number; a collector has to follow every nextLink."""


def page(call: Call, found: Sequence[Json], show: Callable[[Json], Json]) -> Response:
    """Answer the page of a list that the request asks for."""
    token = call.request.query.get("$skiptoken", "0")
    if not token.isdecimal():
        raise ArmError(400, "InvalidSkipToken", f"The skip token '{token}' is not one this list gave.")
    start = int(token)
    body: Json = {"value": [show(resource) for resource in found[start : start + SIZE]]}
    if start + SIZE < len(found):
        query = {**call.request.query, "$skiptoken": str(start + SIZE)}
        path = quote(call.address.path)
        body["nextLink"] = f"{call.request.base_url}{path}?{urlencode(query, safe='$')}"
    return Response(200, body)
