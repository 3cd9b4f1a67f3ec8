"""Azure Resource Graph: queries over tables of all resources, page by page, within the caller's quota.

Learn, "Work with large data sets" and "Guidance for throttled requests": at most 1,000 rows a page; a
`$skipToken` only where rows have an `id` and the query itself says no limit, and `resultTruncated` where rows
are left out without one; 15 queries in 5 seconds for a user. Which type is in which table is Learn, "Azure
Resource Graph table and resource type reference". Here a change is in the tables at once; Azure takes seconds
to minutes. The twin holds no tree of management groups: every one of them is above every subscription.
"""

import base64
import binascii
import json
from collections.abc import Iterator
from typing import Any

from readiness.twin import kql
from readiness.twin.arm.directory import stamp
from readiness.twin.arm.graph_tables import COLUMNS, kinds_of, rows_of
from readiness.twin.arm.identity import tenant
from readiness.twin.documents import Json, duplicate
from readiness.twin.messages import ArmError, Response
from readiness.twin.operations import identifier
from readiness.twin.state import SUBSCRIPTION
from readiness.twin.world import Call, Routes, World

MOST_ROWS = 1000
_ARRAYS_SINCE = "2021-03-01"
_CACHED = 4
_SCOPED = ("policyresources", "authorizationresources")
_FILTERS = ("atscopeandbelow", "atscopeandabove", "atscopeexact", "atscopeaboveandbelow")
_KINDS_OF_VALUE = ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string"))


def query(world: World, call: Call) -> Response:
    """Answer a page of a query."""
    body = call.body()
    table = (_parsed(world, call, body).table or "resources").lower()
    world.meet(call, world.arrive("resources/read", f"{call.address.path}/{table}"))
    quota = world.buckets.query(call.now)
    options = body.get("options") or {}
    top, skip = _number(world, call, options, "$top", 1, MOST_ROWS), _skip(world, call, options)
    if body.get("facets"):
        raise _refused(world, call, "UnsupportedFacets", "Facets are not modelled.")
    found = _result(world, call, body)
    rows = found.rows[skip : skip + top]
    answer: Json = {
        "totalRecords": len(found.rows),
        "count": len(rows),
        "data": _shown(call, options, rows, found.columns),
        "facets": [],
        "resultTruncated": "false",
    }
    if skip + top < len(found.rows):
        if "id" in found.columns and not _parsed(world, call, body).is_limited:
            answer["$skipToken"] = _token(skip + top)
        else:
            answer["resultTruncated"] = "true"
    else:
        _cache(world).pop(_key(body), None)
    return Response(200, answer, quota)


def _result(world: World, call: Call, body: Json) -> kql.Result:
    """Run a query, or go on with its rows where an earlier page was made of them."""
    cache, key = _cache(world), _key(body)
    is_next = bool((body.get("options") or {}).get("$skipToken"))
    if is_next and key in cache:
        return cache[key]
    parsed = _parsed(world, call, body)
    table = (parsed.table or "resources").lower()
    if kinds_of(world.state, table) is None:
        # Words of Kusto's own refusal, as Grafana users report it in grafana/grafana#85399.
        raise _refused(
            world,
            call,
            "UnresolvedEntity",
            f"The name '{parsed.table}' does not refer to any known table, tabular variable or function.",
        )
    try:
        found = parsed.run(_scoped(world, call, body, table), COLUMNS)
    except kql.QueryError as error:
        raise _invalid(world, call, error) from error
    cache.pop(key, None)
    cache[key] = found
    while len(cache) > _CACHED:
        del cache[next(iter(cache))]
    return found


def _cache(world: World) -> dict[str, kql.Result]:
    return world.state.hidden("resource graph queries")


def _key(body: Json) -> str:
    options = {name: value for name, value in (body.get("options") or {}).items() if name != "$skipToken"}
    return json.dumps({**body, "options": options}, sort_keys=True)


def _parsed(world: World, call: Call, body: Json) -> kql.Query:
    text = body.get("query")
    if not isinstance(text, str) or not text.strip():
        raise _refused(world, call, "InvalidQuery", "The query is missing.")
    try:
        return kql.parse(text)
    except kql.QueryError as error:
        raise _invalid(world, call, error) from error


# Scope ------------------------------------------------------------------------------------------------------


def _scoped(world: World, call: Call, body: Json, table: str) -> Iterator[Json]:
    """Yield the rows of a table that lie in the scope of a query."""
    given = body.get("subscriptions") or []
    groups = body.get("managementGroups") or []
    if given and groups:
        raise _refused(world, call, "InvalidScope", "Give subscriptions or management groups, not both.")
    visible = {each["id"].split("/")[2].lower() for each in world.state.of_kind(SUBSCRIPTION)}
    wanted = {str(each).lower() for each in given} & visible if given else visible
    if given and not wanted:
        raise _refused(
            world,
            call,
            "NoValidSubscriptionsInQueryRequest",
            "There must be at least one subscription that is eligible to contain resources. "
            f"Given: '{','.join(map(str, given))}'.",
        )
    reach = str((body.get("options") or {}).get("authorizationScopeFilter") or _FILTERS[0]).lower()
    if reach not in _FILTERS:
        raise _refused(world, call, "InvalidScopeFilter", f"'{reach}' is no authorizationScopeFilter.")
    below, above = reach in (_FILTERS[0], _FILTERS[3]), reach in (_FILTERS[1], _FILTERS[3]) or not given
    own = tenant(world.seed)
    for row in rows_of(world.state, table, own):
        subscription = row["subscriptionId"].lower()
        if not subscription:
            if above and table in _SCOPED:
                yield row
        elif subscription in wanted and (below or table not in _SCOPED or _is_at_subscription(row)):
            yield row


def _is_at_subscription(row: Json) -> bool:
    return str(row["id"]).lower().rpartition("/providers/")[0].count("/") == 2  # noqa: PLR2004


# Shapes -----------------------------------------------------------------------------------------------------


def _shown(call: Call, options: Json, rows: list[Json], columns: tuple[str, ...]) -> Any:
    usual = "objectArray" if call.version >= _ARRAYS_SINCE else "table"
    if str(options.get("resultFormat") or usual).lower() != "table":
        return [duplicate(row) for row in rows]
    return {
        "columns": [{"name": name, "type": _type_of(name, rows)} for name in columns],
        "rows": [[duplicate(row.get(name)) for name in columns] for row in rows],
    }


def _type_of(column: str, rows: list[Json]) -> str:
    found = next((row[column] for row in rows if row.get(column) is not None), None)
    return next((name for kind, name in _KINDS_OF_VALUE if isinstance(found, kind)), "object")


def _number(world: World, call: Call, options: Json, name: str, least: int, most: int) -> int:
    given = options.get(name)
    if given is None:
        return most
    if not isinstance(given, int) or isinstance(given, bool) or not least <= given <= most:
        brief = f"The option '{name}' has to be a number from {least} to {most}, not '{given}'."
        raise _refused(world, call, "InvalidOptions", brief)
    return given


def _skip(world: World, call: Call, options: Json) -> int:
    """Return how many rows earlier pages had."""
    token = options.get("$skipToken")
    if not token:
        return 0 if options.get("$skip") is None else _number(world, call, options, "$skip", 0, 10**9)
    try:
        return int(json.loads(base64.b64decode(str(token), validate=True))["skip"])
    except (binascii.Error, ValueError, KeyError, TypeError):
        raise _refused(
            world, call, "InvalidSkipToken", "The skip token is not one that an earlier page gave."
        ) from None


def _token(skip: int) -> str:
    return base64.b64encode(json.dumps({"skip": skip}).encode()).decode()


# Refusals ---------------------------------------------------------------------------------------------------


def _refused(world: World, call: Call, code: str, message: str) -> ArmError:
    return _error(world, call, [{"code": code, "message": message}], unverified=True)


def _invalid(world: World, call: Call, error: kql.QueryError) -> ArmError:
    """Refuse a query; the two details and their codes are those of the report Azure/azure-powershell#9850."""
    inner: Json = {"code": error.code, "message": error.message}
    if error.token is not None:
        inner |= {
            "line": error.token.line,
            "characterPositionInLine": error.token.column,
            "token": error.token.text,
        }
    outer = {
        "code": "InvalidQuery",
        "message": "Query is invalid. Please refer to the documentation for the Azure Resource Graph service "
        "and fix the error before retrying.",
    }
    return _error(world, call, [outer, inner], unverified=error.code != "ParserFailure")


def _error(world: World, call: Call, details: list[Json], *, unverified: bool) -> ArmError:
    correlation = identifier(world.seed, "correlation", call.now)
    return ArmError(
        400,
        "BadRequest",
        f"Please provide below info when asking for support: timestamp = {stamp(call.now)}, "
        f"correlationId = {correlation}.",
        details=details,
        unverified=unverified,
    )


ROUTES: Routes = {("POST", "microsoft.resourcegraph", "resources"): query}
