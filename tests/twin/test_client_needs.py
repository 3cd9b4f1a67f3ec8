"""What clients of Azure break on where a twin answers a little differently: each was met by running one."""

from readiness.twin.clock import ScaledClock
from readiness.twin.core import Request, Response, Twin
from tests.twin.seeds import COMPUTE, START, SUBSCRIPTION, TRUSTED, VM, Wire, deallocated, estate, vm

SUB = f"/subscriptions/{SUBSCRIPTION}"
VAULT = f"{SUB}/resourceGroups/rg-app/providers/Microsoft.KeyVault/vaults/kv-needs"
SKU = (
    f"{SUB}/providers/Microsoft.Compute/locations/westeurope/publishers/Canonical/artifacttypes/vmimage"
    "/offers/0001-com-ubuntu-server-jammy/skus/22_04-lts-gen2"
)


def of_names(answer: object) -> list[str]:
    """Return the names of a list."""
    return [each["name"] for each in answer]  # type: ignore[attr-defined]


def test_lists_tell_of_extensions_their_ids_alone():
    """A machine itself shows its extensions in full, a list does not.

    azure-sdk-for-net issue 13378, https://github.com/Azure/azure-sdk-for-net/issues/13378
    """
    extension = {"id": f"{VM}/extensions/agent", "name": "agent", "properties": {"type": "Agent"}}
    wire = Wire(*estate(machine=vm() | {"resources": [extension]}))
    for path in (f"{COMPUTE}/virtualMachines", f"{SUB}/providers/Microsoft.Compute/virtualMachines"):
        assert [[{"id": extension["id"]}]] == [each["resources"] for each in wire.get(path)["value"]]
    assert "Agent" == wire.get(VM)["resources"][0]["properties"]["type"]


def test_writes_of_a_machine_have_no_location():
    """PUT and PATCH are followed by Azure-AsyncOperation alone, and the machine is read at the end.

    With a Location a client reads that last, and finds no machine there.

    az vm update, https://learn.microsoft.com/cli/azure/vm#az-vm-update
    """
    wire = Wire(*estate(machine=deallocated()))
    for method in ("PUT", "PATCH"):
        body = {"location": "westeurope", "tags": {"by": method}, "properties": {"securityProfile": TRUSTED}}
        answer = wire.ask(method, VM, body)
        assert 200 == answer.status
        assert ("Azure-AsyncOperation" in answer.headers, "Location" in answer.headers) == (True, False)
        wire.clock.sleep(60)
    assert "Location" in wire.ask("POST", f"{VM}/start").headers
    wire.clock.sleep(300)
    agent = {
        "publisher": "Microsoft.Azure.Monitor",
        "type": "AzureMonitorLinuxAgent",
        "typeHandlerVersion": "1.33",
    }
    for path, properties in (
        (f"{VM}/extensions/a", agent),
        (f"{VM}/runCommands/r", {"source": {"script": "true"}}),
    ):
        answer = wire.ask("PUT", path, {"location": "westeurope", "properties": properties})
        assert (201, True, False) == (
            answer.status,
            "Azure-AsyncOperation" in answer.headers,
            "Location" in answer.headers,
        )
        wire.clock.sleep(300)


def test_a_faster_clock_hurries_clients_that_read_the_resource_alone():
    """Where Azure gives no hint, a twin at another speed gives one; at Azure's own, none.

    Key vaults are followed by their state: a client left alone looks again after 30 seconds of its own.

    Vaults - Create Or Update, https://learn.microsoft.com/rest/api/keyvault/keyvault/vaults/create-or-update
    """
    own = {"tenantId": "t", "sku": {"family": "A", "name": "standard"}, "accessPolicies": []}
    for rate, hinted in ((1.0, False), (600.0, True)):
        twin = Twin(estate(), clock=ScaledClock(START, rate=rate))
        made = _ask(twin, "PUT", VAULT, {"location": "westeurope", "properties": own})
        assert "RegisteringDns" == made.body["properties"]["provisioningState"]  # type: ignore[index]
        found = [answer.headers.get("retry-after-ms") for answer in (made, _ask(twin, "GET", VAULT))]
        assert [None if not hinted else "17"] * 2 == found


def _ask(twin: Twin, method: str, path: str, body: object = None) -> Response:
    return twin.handle(Request(method, path, {"api-version": "2026-02-01"}, {}, body, "https://twin.example"))


def test_resources_of_one_group_are_filtered():
    """`az resource list -g` asks the subscription with a filter; comparisons can be joined.

    Resources - List, https://learn.microsoft.com/rest/api/resources/resources/list
    """
    other = {
        "id": f"{SUB}/resourceGroups/rg-other/providers/Microsoft.Compute/disks/far",
        "location": "northeurope",
    }
    feature = {
        "id": f"{SUB}/providers/Microsoft.Features/providers/Microsoft.Compute/features/EncryptionAtHost",
        "properties": {"state": "Registered"},
    }
    wire = Wire(*estate(), other, feature)

    def names(condition: str) -> list[str]:
        found = wire.get(f"{SUB}/resources", query={"$filter": condition})["value"]
        return sorted(each["id"].rpartition("/")[2] for each in found)

    assert ["far"] == names("resourceGroup eq 'RG-Other'")
    assert ["web-1"] == names(
        "resourceGroup eq 'rg-app' and resourceType eq 'Microsoft.Compute/virtualMachines'"
    )
    assert ["web-1-os"] == names("resourceType eq 'microsoft.compute/disks' and name eq 'web-1-os'")
    assert ["far"] == names("location eq 'northeurope'")
    assert "EncryptionAtHost" not in names("")


def test_versions_of_an_image_are_a_bare_array():
    """The list of versions is an array with no value around it; of an unknown image one version is told.

    Virtual Machine Images - List, https://learn.microsoft.com/rest/api/compute/virtual-machine-images/list
    """
    wire = Wire()
    assert ["1.0.0"] == of_names(wire.get(f"{SKU}/versions", query={"$top": "1", "$orderby": "name desc"}))
    one = wire.get(f"{SKU}/versions/1.0.0")["properties"]
    assert ("V2", "Linux", 30) == (
        one["hyperVGeneration"],
        one["osDiskImage"]["operatingSystem"],
        one["osDiskImage"]["sizeInGb"],
    )
    assert [{"name": "SecurityType", "value": "TrustedLaunchSupported"}] == one["features"]
    assert (404, "ResourceNotFound") == wire.refused("GET", f"{SKU}/versions/2.0.0")
    assert (400, "InvalidParameter") == wire.refused("GET", f"{SKU}/versions", query={"$top": "one"})


def test_versions_of_a_seeded_image_are_ordered_as_numbers():
    """The newest version has the greatest numbers; properties come only where they are asked for.

    Virtual Machine Images - List, https://learn.microsoft.com/rest/api/compute/virtual-machine-images/list
    """
    seeded = [
        {"id": f"{SKU}/versions/{name}", "name": name, "properties": {"hyperVGeneration": "V1"}}
        for name in ("22.9.1", "22.10.0")
    ]
    wire = Wire(*estate(), *seeded)
    newest = wire.get(f"{SKU}/versions", query={"$top": "1", "$orderby": "name desc"})
    assert (["22.10.0"], False) == (of_names(newest), "properties" in newest[0])
    whole = wire.get(f"{SKU}/versions", query={"$expand": "properties"})
    assert ["22.9.1", "22.10.0"] == of_names(whole)
    assert {"hyperVGeneration": "V1"} == whole[0]["properties"]
    assert (404, "ResourceNotFound") == wire.refused("GET", f"{SKU}/versions/1.0.0")


def test_types_of_extensions_are_bare_arrays():
    """`az vm extension set` looks for the newest version by publisher and type, in arrays without a value.

    Virtual Machine Extension Images - List Versions,
    https://learn.microsoft.com/rest/api/compute/virtual-machine-extension-images/list-versions
    """
    wire, place = Wire(), f"{SUB}/providers/Microsoft.Compute/locations/westeurope"
    assert "Microsoft.Azure.Monitor" in of_names(wire.get(f"{place}/publishers"))
    types = f"{place}/publishers/microsoft.azure.monitor/artifacttypes/vmextension/types"
    assert ["AzureMonitorLinuxAgent", "AzureMonitorWindowsAgent"] == of_names(wire.get(types))
    versions = of_names(wire.get(f"{types}/azuremonitorlinuxagent/versions"))
    assert versions
    assert [] == [name for name in versions if not name.startswith("1.")]
    assert (404, "NotFound") == wire.refused("GET", f"{types}/nothing/versions")
    assert (404, "NotFound") == wire.refused("GET", types.replace("monitor", "nobody"))
