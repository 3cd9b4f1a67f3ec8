"""Collecting through real pipelines from a twin: what is asked, what is kept, and what becomes a gap."""

from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError

from readiness.azure.connect import CLOUDS, Connection, Endpoint, live
from readiness.azure.inventory import Collector, Inventory, Scope
from readiness.azure.inventory_reader import Reader, Standing
from readiness.azure.inventory_rows import harmless, view_of
from readiness.azure.inventory_sources import CONTAINERS, LISTS, NOT_COLLECTED, TABLES
from readiness.azure.pacing import seconds_of
from readiness.errors import DeniedError
from readiness.twin.credential import TwinCredential
from readiness.twin.transport import TwinTransport
from tests.twin.seeds import COMPUTE, SUBSCRIPTION, VM, Wire, disk, estate

OTHER = "99999999-2222-3333-4444-555555555555"
SUBSCRIPTIONS = f"/subscriptions/{SUBSCRIPTION}/providers"


class Memory:
    """Pages in memory."""

    def __init__(self) -> None:
        self.pages: dict[str, list[tuple[list[dict[str, Any]], str | None]]] = {}

    def standing(self, key: str) -> Standing:
        pages = self.pages.get(key, [])
        return Standing(len(pages), sum(len(rows) for rows, _ in pages), pages[-1][1] if pages else None)

    def save(self, key: str, rows: list[dict[str, Any]], next_page: str | None) -> None:
        self.pages.setdefault(key, []).append((rows, next_page))

    def forget(self, key: str) -> None:
        self.pages.pop(key, None)

    def rows(self, key: str, kind: type[Any]) -> Any:
        import msgspec

        for rows, _ in self.pages.get(key, []):
            for row in rows:
                yield msgspec.json.decode(msgspec.json.encode(row), type=kind)


class Counting(TwinTransport):
    """A twin's transport that counts what it is asked, by path."""

    def __init__(self, wire: Wire, asked: Counter[str]) -> None:
        super().__init__(wire.twin)
        self._asked = asked

    def send(self, request: Any, **options: Any) -> Any:
        self._asked[f"{request.method} {request.url.split('?')[0]}"] += 1
        return super().send(request, **options)


class Collected:
    """One collection from a twin."""

    def __init__(self, wire: Wire, pages: Memory | None = None, scope: Scope | None = None) -> None:
        self.asked: Counter[str] = Counter()
        self.pages = pages or Memory()
        endpoint = Endpoint(
            base_url="https://twin.invalid",
            credential=TwinCredential(),
            make_transport=lambda: Counting(wire, self.asked),
        )
        with closing(Connection(endpoint)) as connection:
            reader = Reader(connection, self.pages)
            collector = Collector(reader, self.pages, lambda *_: None, 1)
            self.inventory: Inventory = collector.collect(scope or Scope())
        self.traffic = reader.traffic

    @property
    def gaps(self) -> dict[str, str]:
        """Return the reason of each gap by what it is about."""
        return {gap.resource.removeprefix(f"{SUBSCRIPTIONS}/"): gap.reason for gap in self.inventory.gaps}


def test_each_type_comes_from_one_place() -> None:
    """No type is asked for twice but the machines, whose instance views Resource Manager alone has."""
    kinds = [kind for table in (CONTAINERS, *TABLES) for kind in table.kinds]
    listed = [source.kind for source in LISTS]
    assert len(kinds) == len(set(kinds))
    assert {"Microsoft.Compute/virtualMachines"} == set(kinds) & set(listed)
    assert not set(NOT_COLLECTED) & {*kinds, *listed}
    assert all(source.why for source in LISTS)


def test_the_page_on_collecting_names_every_source() -> None:
    """Each table and each list of Resource Manager is written down for whoever grants the roles."""
    page = (Path(__file__).parents[2] / "docs" / "collect.md").read_text(encoding="utf-8")
    sources = [table.name for table in (CONTAINERS, *TABLES)] + [f"`{source.kind}`" for source in LISTS]
    assert [] == [source for source in sources if source not in page]


def test_every_type_a_reader_knows_is_collected_or_said_not_to_be() -> None:
    """What the parser of resources understands is asked for, or named with the reason why not."""
    from readiness.azure.collection import Collection

    known = Collection()
    understood = {*known._plain, *known._special}
    asked = {kind for table in (CONTAINERS, *TABLES) for kind in table.kinds} | {each.kind for each in LISTS}
    ways = {
        "microsoft.resources/resourcegroups",  # another spelling of the group
        "microsoft.network/virtualnetworks/subnets",  # inside their network
        "microsoft.network/virtualnetworks/listnetworkmanagereffectivesecurityadminrules",  # an action
        "microsoft.keyvault/vaults/keys/versions",  # the key names its newest version
    }
    assert understood - {kind.lower() for kind in (*asked, *NOT_COLLECTED)} == ways


def test_the_requests_are_one_for_each_page_and_list() -> None:
    """As many queries as pages of 1,000 rows, one list a subscription, and what single resources need."""
    wire = Wire(*estate(*(disk(f"disk-{number:04}") for number in range(2500))))
    found = Collected(wire)
    per_subscription = sum(source.each == "subscription" for source in LISTS)
    queries = 1 + len(TABLES) + 2  # containers, one a table, and two more pages of resources
    assert queries == found.asked["POST https://twin.invalid/providers/Microsoft.ResourceGraph/resources"]
    assert queries + per_subscription + 1 + 0 == found.asked.total()  # one region has machines
    assert found.asked.total() == found.traffic.requests
    assert () == found.inventory.gaps


def test_the_quota_is_waited_for_and_never_met() -> None:
    """With more pages than the quota allows at once, the reader waits and no query is refused."""
    wire = Wire(*estate(*(disk(f"disk-{number:05}") for number in range(9000))))
    began = wire.clock.now()
    found = Collected(wire)
    assert () == found.inventory.gaps
    assert 5 <= found.traffic.waited <= (wire.clock.now() - began).total_seconds()


def test_a_denied_list_is_a_gap_and_its_type_is_not_listed() -> None:
    """403 on the locks: a gap of this subscription and type, and nothing else is touched."""
    wire = Wire(faults=[{"kind": "denied", "operation": "locks/read"}])
    found = Collected(wire)
    assert {"Microsoft.Authorization/locks": "Forbidden"} == found.gaps
    assert "Microsoft.Authorization/locks" not in found.inventory.listed_types
    assert "Microsoft.Compute/disks" in found.inventory.listed_types


def test_a_refused_table_is_a_gap_of_each_of_its_types() -> None:
    """A table that is not there, as in some clouds, leaves the other tables alone."""
    trouble = {"kind": "fail", "operation": "resources/read", "resource": "securityresources", "times": 99}
    found = Collected(
        Wire(faults=[{**trouble, "status": 400, "code": "BadRequest", "message": "no such table"}])
    )
    security = next(table for table in TABLES if table.name == "SecurityResources")
    assert dict.fromkeys(security.kinds, "BadRequest") == found.gaps
    assert not set(security.kinds) & set(found.inventory.listed_types)


def test_throttling_that_does_not_end_is_a_gap() -> None:
    """429 until the retries are used up, with the waits that the answers ask for."""
    trouble = {"kind": "throttle", "operation": "settings/read", "times": 99, "retry_after": 7}
    wire = Wire(faults=[trouble])
    began = wire.clock.now()
    found = Collected(wire)
    assert {"Microsoft.Security/settings": "Throttled"} == found.gaps
    assert (wire.clock.now() - began).total_seconds() >= 6 * 7


def test_a_passing_refusal_leaves_no_gap() -> None:
    """One 429 and one broken connection are waited out."""
    faults = [
        {"kind": "throttle", "operation": "locks/read", "retry_after": 3},
        {"kind": "reset", "operation": "resources/read", "resource": "resources"},
    ]
    assert () == Collected(Wire(faults=faults)).inventory.gaps


def test_who_may_not_list_the_machines_sees_a_part() -> None:
    """Resource Graph shows a narrow role a part without a word: no type counts as listed then."""
    found = Collected(Wire(faults=[{"kind": "denied", "operation": "virtualmachines/read"}]))
    assert "Forbidden" == found.gaps["Microsoft.Compute/virtualMachines"]
    assert "PartlyVisible" == found.gaps["Microsoft.Compute/disks"]
    assert "Microsoft.Compute/disks" not in found.inventory.listed_types
    assert "Microsoft.Authorization/locks" in found.inventory.listed_types


def test_a_subscription_that_is_not_there_is_a_gap_of_every_type() -> None:
    """A subscription that was asked for and cannot be seen is never an empty one."""
    found = Collected(Wire(), scope=Scope(subscriptions=(SUBSCRIPTION, OTHER)))
    missing = [gap for gap in found.inventory.gaps if OTHER in gap.resource]
    assert {"NotVisible"} == {gap.reason for gap in missing}
    assert () == found.inventory.listed_types
    assert any(gap.is_vm for gap in missing)


def test_without_any_subscription_there_is_an_error() -> None:
    """Nothing to be seen at all is no estate."""
    with pytest.raises(DeniedError, match="None of these") as raised:
        Collected(Wire(), scope=Scope(subscriptions=(OTHER,)))
    assert raised.value.remedy


def test_an_answer_that_is_too_large_is_asked_in_smaller_pages() -> None:
    """`ResponsePayloadTooLarge` halves the page instead of leaving a gap."""
    trouble = {"kind": "fail", "operation": "resources/read", "resource": "resources", "times": 2}
    wire = Wire(
        faults=[{**trouble, "status": 400, "code": "ResponsePayloadTooLarge", "message": "too large"}]
    )
    assert () == Collected(wire).inventory.gaps


def test_pages_that_are_there_are_not_asked_again() -> None:
    """A second attempt over the same pages asks for what the first one did not get, and nothing else."""
    first = Collected(Wire(faults=[{"kind": "denied", "operation": "locks/read"}]))
    second = Collected(Wire(), first.pages)
    assert {f"GET https://twin.invalid{SUBSCRIPTIONS}/Microsoft.Authorization/locks": 1} == second.asked
    assert () == second.inventory.gaps


def test_a_place_in_an_answer_that_is_forgotten_begins_anew() -> None:
    """A token that Resource Graph does not know any more costs the pages of its query, not the collection."""
    pages = Memory()
    pages.save("graph-resources-0", [{"id": "/subscriptions/x/old", "type": "t"}], "a token of yesterday")
    found = Collected(Wire(), pages)
    assert () == found.inventory.gaps
    assert "/subscriptions/x/old" not in {row["id"] for row in pages.rows("graph-resources-0", dict)}


def test_next_pages_are_asked_of_the_endpoint_whatever_host_they_name() -> None:
    """Tokens go nowhere else, and a private endpoint stays private."""
    many = [vm_named(f"vm-{number:04}") for number in range(600)]
    found = Collected(Wire(*estate(*many)))
    assert {"https://twin.invalid"} == {
        path.split(" ")[1].split("/sub")[0].split("/prov")[0] for path in found.asked
    }
    views = [row for key in found.inventory.views for row in found.pages.rows(key, dict)]
    assert 601 == len(views)


def vm_named(name: str) -> dict[str, Any]:
    """A machine that has nothing but a name."""
    return {"id": f"{COMPUTE}/virtualMachines/{name}", "location": "westeurope", "properties": {}}


def test_no_secret_is_kept() -> None:
    """Passwords, custom data, settings of extensions and signed addresses are left out; the rest stays."""
    signed = "https://store.blob.core.windows.net/scripts/a.sh?sig=abc"
    extension = {
        "id": f"{VM}/extensions/script",
        "type": "microsoft.compute/virtualmachines/extensions",
        "properties": {
            "type": "CustomScript",
            "settings": {"fileUris": [signed], "commandToExecute": "sh a.sh --password hunter2"},
            "protectedSettings": {"commandToExecute": "sh b.sh"},
        },
    }
    machine = {
        "id": VM,
        "type": "Microsoft.Compute/virtualMachines",
        "tags": {"data": "kept"},
        "properties": {
            "userData": "aHVudGVyMg==",
            "osProfile": {"adminUsername": "kept", "adminPassword": "hunter2", "customData": "aHVudGVyMg=="},
        },
        "resources": [extension],
    }
    kept = harmless(machine)
    assert {"osProfile": {"adminUsername": "kept"}} == kept["properties"]
    assert {"data": "kept"} == kept["tags"]
    expected = {"type": "CustomScript", "settings": {"fileUris": ["https://store.blob.core.windows.net/"]}}
    assert expected == kept["resources"][0]["properties"] == harmless(extension)["properties"]


def test_the_output_of_scripts_in_an_instance_view_is_not_kept() -> None:
    """Of an instance view what rules read: system, agent, disks and states."""
    view = {
        "osName": "ubuntu",
        "vmAgent": {
            "vmAgentVersion": "2",
            "statuses": [],
            "extensionHandlers": [{"status": {"message": "pw"}}],
        },
        "extensions": [{"substatuses": [{"message": "hunter2"}]}],
        "statuses": [{"code": "PowerState/running"}],
    }
    kept = view_of({"id": VM, "properties": {"instanceView": view}})
    assert "hunter2" not in str(kept)
    assert {"osName", "vmAgent", "statuses"} == set(kept["instanceView"])
    assert {"vmAgentVersion", "statuses"} == set(kept["instanceView"]["vmAgent"])


@pytest.mark.parametrize(
    ("span", "seconds"), [("00:00:05", 5), ("00:01:02", 62), ("01:00:00", 300), (None, 5), ("soon", 5)]
)
def test_spans_of_the_quota_header(span: str | None, seconds: float) -> None:
    """The header is `hh:mm:ss`; what cannot be read counts as one quota, and nothing waits for an hour."""
    assert seconds == seconds_of(span)


@pytest.mark.parametrize("cloud", CLOUDS)
def test_each_cloud_has_its_own_endpoint_and_scope(cloud: str) -> None:
    """Tokens are asked for the cloud's own Resource Manager, also where a private endpoint is used."""
    endpoint, name = live(cloud, base_url="https://arm.example/")
    assert CLOUDS[cloud].name == name
    assert ("https://arm.example", f"{CLOUDS[cloud].arm}/.default") == (
        endpoint.base_url,
        endpoint.token_scope,
    )


def test_nobody_logged_in_is_said_with_a_remedy() -> None:
    """A credential without a login is an error that says how to log in, and no gap."""

    class Nobody(TwinCredential):
        def get_token(self, *_scopes: str, **_options: Any) -> Any:
            raise ClientAuthenticationError("nothing worked")

        get_token_info = get_token

    wire = Wire()
    endpoint = Endpoint(
        base_url="https://twin.invalid",
        credential=Nobody(),
        make_transport=lambda: TwinTransport(wire.twin),
    )
    memory = Memory()
    with closing(Connection(endpoint)) as connection, pytest.raises(DeniedError, match="logged in") as raised:
        Collector(Reader(connection, memory), memory, lambda *_: None, 1).collect(Scope())
    assert "az login" in raised.value.remedy


def test_gaps_name_the_collection() -> None:
    """A gap is about `/subscriptions/<id>/providers/<type>`, which is how rules look for it."""
    found = Collected(Wire(faults=[{"kind": "denied", "operation": "locks/read"}]))
    gap = found.inventory.gaps[0]
    assert f"{SUBSCRIPTIONS}/Microsoft.Authorization/locks" == gap.resource
