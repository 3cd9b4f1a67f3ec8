"""Asks one question of Azure, page by page, and hands each page over as soon as it is there.

Only reads: POST goes to Resource Graph alone. Addresses of next pages are followed on the endpoint that was
given, whatever host they name: a token never goes anywhere else.
"""

from collections.abc import Callable
from typing import Any, Protocol
from urllib.parse import quote, urlsplit

import msgspec
from azure.core import PipelineClient
from azure.core.exceptions import ClientAuthenticationError
from azure.core.rest import HttpRequest
from msgspec import Struct

from readiness.azure.connect import Connection
from readiness.azure.faults import translated
from readiness.azure.inventory_rows import harmless
from readiness.azure.pacing import Traffic
from readiness.azure.wire_values import Json
from readiness.errors import CloudError, DeniedError, ThrottledError, UnreachableError

PAGE = 1000
Told = Callable[[int, int], None]
"""Told of each page: how many rows came, and how many there are."""
Shape = Callable[[Json], Json]
"""Makes of a resource what is kept of it."""
_ADDRESS = "/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01"
_RETRIED = frozenset({"GET", "POST"})
_TOO_LARGE = "responsepayloadtoolarge"


class Standing(Struct, frozen=True):
    """How far a question has been answered."""

    pages: int = 0
    rows: int = 0
    next: str | None = None
    """What the next page is asked with; None after the last one, and before the first."""

    @property
    def is_whole(self) -> bool:
        """Tell whether every page is there."""
        return self.pages > 0 and self.next is None


class Pages(Protocol):
    """Where answered pages are kept."""

    def standing(self, key: str) -> Standing:
        """Return how far a question has been answered."""

    def save(self, key: str, rows: list[Json], next_page: str | None) -> None:
        """Keep one more page."""

    def forget(self, key: str) -> None:
        """Drop the pages of a question."""


class Reader:
    """Asks questions through the clients of one connection."""

    def __init__(self, connection: Connection, pages: Pages) -> None:
        self._connection = connection
        self._pages = pages
        self.traffic = Traffic()

    def query(self, key: str, body: Json, told: Told) -> None:
        """Answer a query of Resource Graph in full, going on where it stands.

        Raises:
            CloudError: Azure refused, or left rows out.
        """
        standing = self._pages.standing(key)
        if standing.pages and not standing.is_whole:
            try:
                self._query(key, body, told)
            except (DeniedError, ThrottledError, UnreachableError):
                raise
            except CloudError:
                self._pages.forget(key)  # the place in the answer is not known any more: from the start
            else:
                return
        if not self._pages.standing(key).is_whole:
            self._query(key, body, told)

    def _query(self, key: str, body: Json, told: Told) -> None:
        standing, top = self._pages.standing(key), PAGE
        while not standing.is_whole:
            options: Json = {"resultFormat": "objectArray", **body.get("options", {}), "$top": top}
            if standing.next is not None:
                options["$skipToken"] = standing.next
            try:
                answer = self._asked(HttpRequest("POST", _ADDRESS, json={**body, "options": options}))
            except CloudError as error:
                if error.code.lower() != _TOO_LARGE or top == 1:
                    raise
                top //= 2
                continue
            rows, following = _rows(answer, "data"), answer.get("$skipToken") or None
            got, total = standing.rows + len(rows), int(answer.get("totalRecords") or 0)
            if following is None and (got < total or _is_true(answer.get("resultTruncated"))):
                brief = f"Resource Graph left rows out: {got} of {total}, and no way to the others"
                raise CloudError(brief, code="Truncated")
            self._pages.save(key, [harmless(row) for row in rows], following)
            standing = self._pages.standing(key)
            told(len(rows), max(total, got))

    def list(self, key: str, path: str, inner: str = "", shape: Shape = harmless) -> None:
        """Answer a list of Resource Manager in full, going on where it stands.

        Raises:
            CloudError: Azure refused.
        """
        standing = self._pages.standing(key)
        while not standing.is_whole:
            address = standing.next or quote(path, safe="/?&=$'")
            answer = self._asked(HttpRequest("GET", address))
            rows = _rows(answer.get("properties") or {}, inner) if inner else _rows(answer, "value")
            self._pages.save(key, [shape(row) for row in rows], _local(answer.get("nextLink")))
            standing = self._pages.standing(key)

    def _asked(self, request: HttpRequest) -> Json:
        client = self._connection.reader(self.traffic)
        request.url = client.format_url(request.url)
        with translated():
            response = _sent(client, request)
            response.raise_for_status()
        try:
            return msgspec.json.decode(response.content, type=dict[str, Any])
        except msgspec.DecodeError as error:
            raise CloudError("the answer is no JSON object", code="NoJson") from error


def _sent(client: PipelineClient[Any, Any], request: HttpRequest) -> Any:
    try:
        return client.send_request(request, retry_on_methods=_RETRIED)
    except ClientAuthenticationError as error:
        raise DeniedError(
            "Nobody is logged in to Azure here.",
            code="NoLogin",
            details=str(error).partition("\nTo mitigate")[0],
            remedy="Log in with 'az login', or set the AZURE_* variables of a service principal.",
        ) from error


def _rows(answer: Json, name: str) -> list[Json]:
    found = answer.get(name)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise CloudError(f"the answer has no list of resources under '{name}'", code="NoRows")
    return found


def _local(link: object) -> str | None:
    """Return path and query of the address of a next page."""
    if not isinstance(link, str) or not link:
        return None
    parts = urlsplit(link)
    return f"{parts.path}?{parts.query}"


def _is_true(word: object) -> bool:
    return str(word).lower() == "true"
