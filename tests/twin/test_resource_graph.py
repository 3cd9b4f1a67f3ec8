"""Resource Graph of a twin: tables, the subset of Kusto, pages, scope and quota, as documented."""

from typing import Any

import pytest

from readiness.twin import kql
from tests.twin.seeds import OS_DISK, SUBSCRIPTION, VM, Wire, disk, estate

ADDRESS = "/providers/Microsoft.ResourceGraph/resources"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-app"
OTHER = "99999999-2222-3333-4444-555555555555"


def ask(wire: Wire, text: str, *, version: str = "2022-10-01", **body: Any) -> Any:
    """Send a query and return the whole answer."""
    return wire.ask("POST", ADDRESS, {"query": text, **body}, version=version)


def data(wire: Wire, text: str, **more: Any) -> Any:
    """Return the rows of a query that is answered."""
    answer = ask(wire, text, **more)
    assert 200 == answer.status, answer.body
    return answer.body["data"]


def refusal(wire: Wire, text: str, **more: Any) -> tuple[int, str, str, str]:
    """Return status, code, and code and message of the innermost detail of a refused query."""
    answer = ask(wire, text, **more)
    error = answer.body["error"]
    inner = error["details"][-1]
    return answer.status, error["code"], inner["code"], inner["message"]


def many(count: int) -> Wire:
    """A twin with so many disks."""
    return Wire(*estate(*(disk(f"disk-{number:04}") for number in range(count))))


def test_a_row_has_the_columns_of_the_resources_table() -> None:
    """Types, groups and locations are lower case, ids as they are, what is missing is empty or null.

    Learn, "Understanding the Azure Resource Graph query language" and the sample answers there:
    https://learn.microsoft.com/azure/governance/resource-graph/concepts/query-language
    """
    row = data(Wire(), f"Resources | where id =~ '{OS_DISK}'")[0]
    expected = (OS_DISK, "microsoft.compute/disks", "rg-app", SUBSCRIPTION, "westeurope", "", "")
    named = ("id", "type", "resourceGroup", "subscriptionId", "location", "kind")
    assert expected == (*(row[name] for name in named), row["kind"])
    assert row["zones"] is None
    assert "etag" not in row


def test_the_power_state_stands_under_extended() -> None:
    """The instance view is reduced to name, generation, system and power state.

    Learn, "Count of virtual machines by power state":
    https://learn.microsoft.com/azure/governance/resource-graph/samples/samples-by-category
    """
    text = (
        "Resources | where type == 'microsoft.compute/virtualmachines' "
        "| summarize count() by PowerState = tostring(properties.extended.instanceView.powerState.code)"
    )
    assert [{"PowerState": "PowerState/running", "count_": 1}] == data(Wire(), text)
    row = data(Wire(), f"Resources | where id == '{VM}'")[0]
    assert {"powerState", "hyperVGeneration", "osName", "osVersion", "computerName"} >= set(
        row["properties"]["extended"]["instanceView"]
    )


def test_extensions_are_rows_and_other_children_are_not() -> None:
    """Subnets and keys have no rows; extensions have.

    Learn, "Azure Resource Graph table and resource type reference":
    https://learn.microsoft.com/azure/governance/resource-graph/reference/supported-tables-resources
    """
    inside = {"name": "agent", "properties": {"publisher": "Contoso", "type": "Agent"}}
    seed = [{**each, "resources": [inside]} if each["id"] == VM else each for each in estate()]
    vault = {"id": f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv", "location": "westeurope"}
    wire = Wire(*seed, vault, {"id": f"{vault['id']}/keys/k"})
    kinds = [row["type"] for row in data(wire, "Resources | distinct type")]
    assert "microsoft.compute/virtualmachines/extensions" in kinds
    assert "microsoft.keyvault/vaults" in kinds
    assert "microsoft.keyvault/vaults/keys" not in kinds


def test_what_arm_made_shows_up() -> None:
    """A resource that was created through Resource Manager is in the tables; the lag of the twin is zero."""
    wire = Wire()
    wire.do("PUT", f"{GROUP}/providers/Microsoft.Compute/snapshots/new", {
        "location": "westeurope",
        "properties": {"creationData": {"createOption": "Copy", "sourceResourceId": OS_DISK}},
    })  # fmt: skip
    text = "Resources | where type =~ 'Microsoft.Compute/snapshots' | project name"
    assert [{"name": "new"}] == data(wire, text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Resources | where name == 'B' | project name", []),
        ("Resources | where name =~ 'B' | project name", ["b"]),
        ("Resources | where name in~ ('A', 'c') | project name", ["a", "c"]),
        ("Resources | where name in ('A', 'c') | project name", ["c"]),
        ("Resources | where name != 'a' and not(name == 'b') | project name", ["c"]),
        ("Resources | where name == 'a' or name == 'b' and kind == 'x' | project name", ["a"]),
        ("Resources | where (name == 'a' or name == 'b') and isempty(kind) | project name", ["a", "b"]),
        ("Resources | where properties.diskSizeGB > 64 | project name", ["c"]),
        ("Resources | where tostring(properties.diskSizeGB) == '32' | project name", ["a"]),
        ("Resources | where name !contains 'A' | project name", ["b", "c"]),
        ("where type startswith 'MICROSOFT.compute/' | project name", ["a", "b", "c"]),
        ("Resources | where isnull(properties.nothing.there) | take 1 | project name", ["a"]),
        ("Resources | order by name desc | limit 2 | project name", ["c", "b"]),
        ("Resources | top 1 by name desc | project name", ["c"]),
        ("// all of them\nResources\n| project name | order by name asc;", ["a", "b", "c"]),
        ("Resources | extend name = toupper(name) | project-away id | project name", ["A", "B", "C"]),
        ('Resources | where properties["diskSizeGB"] < 64 | project name', ["a"]),
    ],
)
def test_the_subset_of_kusto(text: str, expected: list[str]) -> None:
    """Comparisons, joins of conditions and operators mean what Kusto's reference says of them.

    Learn, "String operators": https://learn.microsoft.com/kusto/query/datatypes-string-operators
    """
    rows = [
        {
            "name": name,
            "type": "microsoft.compute/disks",
            "kind": "",
            "id": name,
            "properties": {"diskSizeGB": size},
        }
        for name, size in (("a", 32), ("b", 64), ("c", 128))
    ]
    found = kql.parse(text).run(rows, ("id", "name", "type", "kind", "properties"))
    assert expected == [row["name"] for row in found.rows]


def test_counts() -> None:
    """`count`, `summarize` with and without keys, and their names."""
    wire = many(3)
    of_disks = "Resources | where type =~ 'microsoft.compute/disks'"
    assert [{"Count": 5}] == data(wire, f"{of_disks} | count")
    assert [{"count_": 5}] == data(wire, f"{of_disks} | summarize count()")
    assert [{"type": "microsoft.compute/disks", "all": 5}] == data(
        wire, f"{of_disks} | summarize all=count() by type"
    )


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("Resources | join (ResourceContainers) on subscriptionId", "UnsupportedOperator", "'join'"),
        ("Resources | mv-expand properties", "UnsupportedOperator", "'mv-expand'"),
        ("Resources | union ResourceContainers", "UnsupportedOperator", "'union'"),
        ("Resources | extend a = parse_json(tags)", "UnsupportedFunction", "'parse_json'"),
        ("Resources | summarize dcount(type)", "UnsupportedFunction", "'dcount'"),
        ("Resources | where type ==", "ParserFailure", "<EOF>"),
        ("Resources | wher type == 'a'", "ParserFailure", "'wher'"),
        ("Resources | where type == 'a", "ParserFailure", "'"),
        ("Resources | where nothing == 'a'", "UnresolvedEntity", "'nothing'"),
        ("Resources | project id | where name == 'a'", "UnresolvedEntity", "'name'"),
        ("Nowhere | count", "UnresolvedEntity", "'Nowhere'"),
        ("", "InvalidQuery", "missing"),
    ],
)
def test_what_is_not_understood_is_refused(text: str, code: str, words: str) -> None:
    """A query outside the subset is a 400 that names what is not understood, never half an answer.

    The envelope is that of Azure/azure-powershell#9850: https://github.com/Azure/azure-powershell/issues/9850
    """
    status, outer, inner, message = refusal(Wire(), text)
    assert (400, "BadRequest", code) == (status, outer, inner)
    assert words in message


def test_pages_are_followed_by_their_token() -> None:
    """Each page has at most $top rows and, but for the last one, a token; together they are everything once.

    Learn, "Work with large Azure resource data sets", paging results:
    https://learn.microsoft.com/azure/governance/resource-graph/concepts/work-with-data
    """
    wire, text = many(10), "Resources | where type =~ 'microsoft.compute/disks' | order by id asc"
    found, token, totals = [], None, set()
    while True:
        options = {"$top": 5} | ({"$skipToken": token} if token else {})
        body = ask(wire, text, options=options).body
        found += [row["name"] for row in body["data"]]
        totals.add(body["totalRecords"])
        assert "false" == body["resultTruncated"]
        token = body.get("$skipToken")
        if token is None:
            break
    assert sorted(found) == found
    assert (12, {12}) == (len(found), totals)


@pytest.mark.parametrize("text", ["Resources | project name", "Resources | limit 8"])
def test_without_an_id_or_with_a_limit_there_is_no_token(text: str) -> None:
    """Rows without an id, and queries with a limit, are cut: `resultTruncated` says so.

    Learn, "Work with large Azure resource data sets": "When resultTruncated is true, the $skipToken property
    isn't set": https://learn.microsoft.com/azure/governance/resource-graph/concepts/work-with-data
    """
    body = ask(many(10), text, options={"$top": 5}).body
    assert ("true", None, 5) == (body["resultTruncated"], body.get("$skipToken"), body["count"])


@pytest.mark.parametrize("options", [{"$top": 0}, {"$top": 1001}, {"$skip": -1}, {"$skipToken": "nonsense"}])
def test_options_out_of_range_are_refused(options: dict[str, Any]) -> None:
    """A page has 1 to 1,000 rows, and a token is one that was given."""
    assert 400 == ask(Wire(), "Resources", options=options).status


def test_the_form_of_rows_follows_the_version() -> None:
    """Objects since 2021-03-01, a table before; either can be asked for.

    Learn, "Work with large Azure resource data sets", formatting results:
    https://learn.microsoft.com/azure/governance/resource-graph/concepts/work-with-data
    """
    wire, text = Wire(), f"Resources | where id =~ '{OS_DISK}' | project name, properties"
    table = data(wire, text, version="2019-04-01")
    assert [{"name": "name", "type": "string"}, {"name": "properties", "type": "object"}] == table["columns"]
    assert "web-1-os" == table["rows"][0][0]
    assert "web-1-os" == data(wire, text)[0]["name"]
    assert table == data(wire, text, options={"resultFormat": "table"})


def test_a_scope_narrows_the_rows() -> None:
    """Only resources of the subscriptions that were named; none that is there is an error."""
    elsewhere = disk("far") | {"id": OS_DISK.replace(SUBSCRIPTION, OTHER)}
    wire = Wire(*estate(elsewhere))
    text = "Resources | where type =~ 'microsoft.compute/disks' | count"
    assert [{"Count": 1}] == data(wire, text, subscriptions=[OTHER])
    assert [{"Count": 3}] == data(wire, text, subscriptions=[OTHER, SUBSCRIPTION.upper()])
    assert [{"Count": 3}] == data(wire, text, managementGroups=["all"])
    assert [{"Count": 3}] == data(wire, text)
    code = refusal(wire, text, subscriptions=["00000000-0000-0000-0000-000000000000"])[2]
    assert "NoValidSubscriptionsInQueryRequest" == code


def test_assignments_above_have_to_be_asked_for() -> None:
    """`authorizationScopeFilter` brings in what hangs on management groups.

    Learn, "Resources" of the REST reference, AuthorizationScopeFilter:
    https://learn.microsoft.com/rest/api/azureresourcegraph/resourcegraph/resources/resources
    """
    kind = "providers/Microsoft.Authorization/policyAssignments"
    above = f"/providers/Microsoft.Management/managementGroups/mg/{kind}/a"
    own = f"{GROUP}/{kind}/b"
    wire = Wire(*estate({"id": above}, {"id": own}))
    seen = {}
    for reach in ("AtScopeAndBelow", "AtScopeAboveAndBelow", "AtScopeAndAbove", "AtScopeExact"):
        options = {"authorizationScopeFilter": reach}
        rows = data(wire, "PolicyResources | project id", subscriptions=[SUBSCRIPTION], options=options)
        seen[reach] = sorted(row["id"][-1] for row in rows)
    assert {
        "AtScopeAndBelow": ["b"],
        "AtScopeAboveAndBelow": ["a", "b"],
        "AtScopeAndAbove": ["a"],
        "AtScopeExact": [],
    } == seen


def test_the_sixteenth_query_within_five_seconds_is_refused() -> None:
    """Each answer says what is left; when nothing is, 429 until the quota resets.

    Learn, "Guidance for throttled requests in Azure Resource Graph":
    https://learn.microsoft.com/azure/governance/resource-graph/concepts/guidance-for-throttled-requests
    """
    wire = Wire()
    left = [ask(wire, "Resources | count").headers["x-ms-user-quota-remaining"] for _ in range(15)]
    refused = ask(wire, "Resources | count")
    assert [str(number) for number in range(14, -1, -1)] == left
    assert (429, "00:00:05") == (refused.status, refused.headers["x-ms-user-quota-resets-after"])
    wire.clock.sleep(5)
    assert 200 == ask(wire, "Resources | count").status


def test_facets_are_refused() -> None:
    """What is not modelled is said."""
    assert "UnsupportedFacets" == refusal(Wire(), "Resources", facets=[{"expression": "type"}])[2]
