"""The forms in which teams have their resources, and what becomes of each."""

import gzip
import json

import pytest

from readiness.app.importing import import_resources
from readiness.azure.collection import collect
from readiness.azure.export_forms import Found, Incomplete, Unusable, pieces
from readiness.errors import EstateError, UsageError
from readiness.model.context import Context
from readiness.store.estate_files import read_gaps, read_info, read_resources
from tests.builders import info, vm_id

VM = vm_id("web-01").text
DISK = VM.replace("virtualMachines/web-01", "disks/web-01-os")
WHOLE = {
    "id": VM,
    "name": "web-01",
    "type": "Microsoft.Compute/virtualMachines",
    "location": "westeurope",
    "properties": {
        "hardwareProfile": {"vmSize": "Standard_D2s_v5"},
        "storageProfile": {"osDisk": {"osType": "Linux", "managedDisk": {"id": DISK}}},
    },
}
TABLE = {
    "columns": [{"name": "id", "type": "string"}, {"name": "properties", "type": "object"}],
    "rows": [[VM, WHOLE["properties"]]],
}
TEMPLATE = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
FLAT = {
    "id": VM,
    "name": "web-01",
    "type": "Microsoft.Compute/virtualMachines",
    "location": "westeurope",
    "resourceGroup": "rg-app",
    "powerState": "VM deallocated",
    "publicIps": "203.0.113.7",
    "hardwareProfile": {"vmSize": "Standard_D2s_v5"},
    "storageProfile": {"osDisk": {"osType": "Linux", "managedDisk": {"id": DISK, "resourceGroup": "rg-app"}}},
    "resources": [
        {
            "id": f"{VM}/extensions/aad",
            "name": "aad",
            "publisher": "Microsoft.Azure.ActiveDirectory",
            "typePropertiesType": "AADSSHLoginForLinux",
            "type": "Microsoft.Compute/virtualMachines/extensions",
            "provisioningState": "Succeeded",
        }
    ],
}


def write(folder, name, content):
    """Write a file as a tool would, and return its path."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


def held(folder):
    """Return the resources of an estate by id."""
    return {resource["id"]: resource for _, resource in read_resources(folder)}


@pytest.mark.parametrize(
    "document",
    [
        WHOLE,
        [WHOLE],
        [[WHOLE], []],
        {"value": [WHOLE]},
        {"count": 1, "data": [WHOLE], "resultTruncated": "false", "totalRecords": 1},
        {"count": 1, "data": TABLE, "skip_token": None},
        TABLE,
        {"$schema": TEMPLATE, "resources": [WHOLE]},
        {"responses": [{"httpStatusCode": 200, "content": WHOLE}]},
        WHOLE | {"properties": json.dumps(WHOLE["properties"])},
        {
            "ResourceId": VM,
            "Id": VM,
            "ResourceType": "Microsoft.Compute/virtualMachines",
            "Properties": WHOLE["properties"],
        },
    ],
)
def test_every_form_holds_the_same_vm(document):
    """Whatever the envelope, the VM inside is the same."""
    (found,) = pieces(document, "f.json")
    assert isinstance(found, Found)
    assert (VM.lower(), "microsoft.compute/virtualmachines", True) == (
        found.key,
        found.type,
        found.has_properties,
    )
    assert WHOLE["properties"] == found.resource["properties"]


@pytest.mark.parametrize(
    ("document", "reason", "told"),
    [
        ({"name": "web-01", "location": "westeurope"}, "NoId", "name, location"),
        ({"id": "web-01"}, "RelativeId", "/subscriptions/"),
        ({"error": {"code": "AuthorizationFailed", "message": "no"}}, "ErrorAnswer", "AuthorizationFailed"),
        ({}, "Empty", "empty"),
        ({"statuses": [], "vmAgent": {}}, "InstanceViewAlone", "get-instance-view"),
        ([None], "NotAResource", "Nothing stands"),
        (["x"], "NotAResource", "A text stands"),
        ({"columns": ["id"], "rows": [[1, 2]]}, "OddRow", "2 values for 1 columns"),
        (
            {
                "$schema": TEMPLATE,
                "resources": [{"type": "Microsoft.Compute/virtualMachines", "name": "web-01"}],
            },
            "TemplateResource",
            "relative name",
        ),
    ],
)
def test_what_cannot_be_used_says_why(document, reason, told):
    """Nothing is dropped without a place, a reason and a sentence."""
    (found,) = pieces(document, "f.json")
    assert isinstance(found, Unusable)
    assert (reason, True, True) == (found.reason, told in found.detail, found.place.startswith("f.json"))


def test_envelopes_have_a_bottom():
    """A document that is nothing but envelopes is given up, not followed for ever."""
    document = WHOLE
    for _ in range(500):
        document = [document]
    assert ["TooDeep"] == [found.reason for found in pieces(document, "f.json")]


@pytest.mark.parametrize(
    "more", [{"nextLink": "https://x"}, {"$skipToken": "x"}, {"skip_token": "x"}, {"resultTruncated": "true"}]
)
def test_missing_pages_are_told(more):
    """An answer that says that more follows is not taken for all there is."""
    found = list(pieces({"value": [WHOLE], **more}, "f.json"))
    assert [Incomplete, Found] == [type(piece) for piece in found]


def test_what_the_cli_flattens_is_arm_again():
    """A VM of `az vm list -d` reads as the VM it is: size, disk, extension, and its power state."""
    (found,) = pieces([FLAT], "f.json")
    (vm,) = collect([("f", found.resource)]).estate(info(), Context()).vms
    assert ("Standard_D2s_v5", DISK, "deallocated") == (vm.size, str(vm.os_disk.disk), vm.power.value)
    assert [("aad", "AADSSHLoginForLinux")] == [(entry.name, entry.type) for entry in vm.extensions]
    assert "203.0.113.7" == found.resource["properties"]["publicIps"]


def test_a_flattened_network_interface_is_arm_again():
    """Children are lifted, references are left alone, and the CLI's spelling becomes ARM's."""
    nic = VM.replace("Microsoft.Compute/virtualMachines/web-01", "Microsoft.Network/networkInterfaces/n")
    flat = {
        "id": nic,
        "name": "n",
        "type": "Microsoft.Network/networkInterfaces",
        "enableIpForwarding": False,
        "ipConfigurations": [
            {
                "id": f"{nic}/ipConfigurations/one",
                "name": "one",
                "resourceGroup": "rg-app",
                "privateIpAddress": "10.0.0.4",
                "publicIpAddress": {"id": "/ip", "resourceGroup": "rg-app"},
            }
        ],
    }
    (found,) = pieces(flat, "f.json")
    (inner,) = found.resource["properties"]["ipConfigurations"]
    assert {
        "privateIPAddress": "10.0.0.4",
        "publicIPAddress": {"id": "/ip", "resourceGroup": "rg-app"},
    } == inner["properties"]
    assert "enableIPForwarding" in found.resource["properties"]


def test_accounts_and_sizes_have_no_ids_of_their_own():
    """A subscription of `az account list` and a size of `az vm list-skus` are taken too."""
    account = {"id": "S-1", "name": "production", "tenantId": "t", "state": "Enabled"}
    sku = {"resourceType": "virtualMachines", "name": "Standard_B1s", "locations": ["x"], "capabilities": []}
    found = list(pieces([account, sku], "f.json"))
    assert ["/subscriptions/s-1", "sku:virtualmachines:standard_b1s:x"] == [piece.key for piece in found]


@pytest.mark.parametrize(
    "pack",
    [
        lambda text: text.encode(),
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: text.encode("utf-16"),
        lambda text: text.encode("utf-16-le"),
        lambda text: text.encode("utf-16-be"),
        lambda text: gzip.compress(text.encode()),
        lambda text: gzip.compress(text.encode("utf-16")),
    ],
)
@pytest.mark.parametrize(
    "text",
    [
        json.dumps([WHOLE, {"id": DISK}]),
        json.dumps([WHOLE, {"id": DISK}], indent=2),
        f"{json.dumps(WHOLE)}\n\n{json.dumps({'id': DISK})}\n",
        f"{json.dumps([WHOLE], indent=2)}\n{json.dumps([{'id': DISK}], indent=2)}\n",
        f"[]\n{json.dumps([WHOLE, {'id': DISK}], indent=2)}\n",
        json.dumps({"data": [WHOLE, {"id": DISK}]}, indent=4),
    ],
)
def test_every_encoding_of_every_layout(tmp_path, pack, text):
    """Plain or packed, from PowerShell or not, one document or many: both resources arrive."""
    content = pack(text)
    name = "export.json.gz" if content.startswith(b"\x1f\x8b") else "export.json"
    import_resources((write(tmp_path, name, content),), tmp_path / "estate")
    assert {VM, DISK} == set(held(tmp_path / "estate"))


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b'[{"id": "/a"},\n {"id"', "f.json:2:7 is not valid JSON."),
        (b'[{"id": NaN}]', "f.json:1:9 is not valid JSON: NaN."),
        (b'{"id": "/a"}\n{"id": }\n', "f.json:2:8 is not valid JSON."),
        (b'[{"id": "\xff"}]', "f.json[0]:9 is not UTF-8 text."),
        (b"", "f.json is empty."),
        (b"[" * 100_000, "f.json:1:100001 is not valid JSON."),
        (b"usage: az vm list", "f.json:1:1 is not valid JSON."),
    ],
)
def test_what_is_no_json_is_refused_with_its_place(tmp_path, content, place):
    """A file that is not JSON is refused whole: nothing is written, and the place is told."""
    with pytest.raises(EstateError) as caught:
        import_resources((write(tmp_path, "f.json", content),), tmp_path / "estate")
    assert place == caught.value.brief
    assert caught.value.remedy.endswith(".")
    assert not (tmp_path / "estate").exists()


def test_a_gz_bomb_is_refused(tmp_path):
    """A small file that unpacks to an absurd size is given up in time."""
    bomb = write(tmp_path, "bomb.json.gz", gzip.compress(b'{"id": "/%s"}\n' % (b"a" * 5000) * 20_000))
    with pytest.raises(EstateError, match="unpacks to more than"):
        import_resources((bomb,), tmp_path / "estate")


def test_a_line_of_50_megabytes_is_read(tmp_path):
    """A long line is no reason to give up."""
    long = json.dumps([WHOLE | {"padding": "x" * 50_000_000}])
    import_resources((write(tmp_path, "f.json", long.encode()),), tmp_path / "estate")
    assert {VM} == set(held(tmp_path / "estate"))


def test_nothing_usable_is_an_error(tmp_path):
    """Files without a single resource make no estate."""
    with pytest.raises(UsageError, match="Nothing in these files"):
        import_resources((write(tmp_path, "f.json", [{"name": "x"}]),), tmp_path / "estate")
    assert not (tmp_path / "estate").exists()


def test_a_file_that_is_not_there(tmp_path):
    """A missing file is named."""
    with pytest.raises(EstateError, match=r"nowhere\.json cannot be read"):
        import_resources((tmp_path / "nowhere.json",), tmp_path / "estate")


def test_what_could_not_be_used_stays_a_gap(tmp_path):
    """The estate remembers what the import could not use, and that pages are missing."""
    export = write(tmp_path, "f.json", {"value": [WHOLE, {"name": "x"}], "nextLink": "https://next"})
    report = import_resources((export,), tmp_path / "estate")
    assert ["NoId", "Incomplete"] == [gap.reason for gap in read_gaps(tmp_path / "estate")]
    assert (1, 1) == (report.files[0].taken, report.files[0].unusable)
    assert "imported" == read_info(tmp_path / "estate").origin.value
