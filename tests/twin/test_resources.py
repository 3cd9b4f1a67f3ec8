"""Resource groups, tags, providers and preview features."""

import pytest

from tests.twin.seeds import COMPUTE, SUBSCRIPTION, VM, Wire, disk, estate, vm

SUB = f"/subscriptions/{SUBSCRIPTION}"
GROUP = f"{SUB}/resourceGroups/rg-app"
NEW = f"{SUB}/resourcegroups/rg-new"
HOST = f"{SUB}/providers/Microsoft.Features/providers/Microsoft.Compute/features/EncryptionAtHost"


def settled(wire: Wire, path: str, status: int) -> int:
    """Wait until a path answers otherwise, and return how many seconds that took."""
    for seconds in range(0, 2000, 5):
        if wire.ask("GET", path).status != status:
            return seconds
        wire.clock.sleep(5)
    raise AssertionError(f"{path} stays {status}")


def test_a_group_is_made_changed_and_found():
    """PUT answers 201, then 200; PATCH sets tags; the list has the group.

    Learn, "Resource Groups - Create Or Update",
    https://learn.microsoft.com/rest/api/resources/resource-groups/create-or-update.
    """
    wire = Wire()
    assert 404 == wire.ask("HEAD", NEW).status
    assert (404, "ResourceGroupNotFound") == wire.refused("GET", NEW)
    made = wire.ask("PUT", NEW, {"location": "westeurope", "tags": {"a": "b"}})
    assert (201, "Succeeded") == (made.status, made.body["properties"]["provisioningState"])
    assert 200 == wire.ask("PUT", NEW, {"location": "West Europe", "tags": {"a": "b"}}).status
    assert {"c": "d"} == wire.ask("PATCH", NEW, {"tags": {"c": "d"}}).body["tags"]
    assert (204, None) == (wire.ask("HEAD", NEW).status, wire.ask("HEAD", NEW).body)
    assert ["rg-app", "rg-new"] == [each["name"] for each in wire.get(f"{SUB}/resourcegroups")["value"]]


@pytest.mark.parametrize(
    ("body", "refusal"),
    [({}, (400, "LocationRequired")), ({"location": "eastus"}, (409, "InvalidResourceGroupLocation"))],
)
def test_a_group_stays_where_it_is(body, refusal):
    """A group needs a location, and cannot move to another.

    Learn, "Resolve errors for resource group already exists in location".
    """
    assert refusal == Wire().refused("PUT", GROUP, body)


def test_a_group_goes_with_all_that_is_in_it():
    """DELETE is 202 with a Location alone; at its end the group and everything in it are gone.

    Learn, "Resource Groups - Delete", https://learn.microsoft.com/rest/api/resources/resource-groups/delete.
    """
    wire = Wire()
    answer = wire.ask("DELETE", GROUP)
    assert (202, False) == (answer.status, "Azure-AsyncOperation" in answer.headers)
    assert "/operationresults/" in answer.headers["Location"]
    assert "Deleting" == wire.get(GROUP)["properties"]["provisioningState"]
    settled(wire, GROUP, 200)
    assert (404, "ResourceGroupNotFound") == wire.refused("GET", VM)
    assert [] == [each["id"] for each in wire.twin.resources() if "rg-app" in each["id"]]


def test_a_disk_in_another_group_is_free_once_its_machine_is_gone():
    """Deleting the group of a machine leaves a disk of another group behind, attached to nothing.

    Learn, "Delete a VM and attached resources": what says nothing of its deletion is detached.
    """
    far = disk("web-1-data")
    far["id"] = far["id"].replace("rg-app", "rg-data")
    machine = vm()
    machine["properties"]["storageProfile"]["dataDisks"][0]["managedDisk"]["id"] = far["id"]
    wire = Wire(*estate(far, machine=machine))
    assert "Attached" == wire.get(far["id"])["properties"]["diskState"]
    wire.ask("DELETE", GROUP)
    settled(wire, GROUP, 200)
    left = wire.get(far["id"])
    assert ("Unattached", None) == (left["properties"]["diskState"], left.get("managedBy"))


def test_a_group_that_is_being_deleted_takes_nothing_in():
    """Writes to a group that is going are refused; what had begun in it before ends before the group does.

    The sentence: https://github.com/hashicorp/packer, builder/azure, resource group tests.
    """
    wire = Wire()
    wire.ask("POST", f"{VM}/deallocate")
    wire.ask("DELETE", GROUP)
    body = {"location": "westeurope", "properties": {}}
    answer = wire.ask("PUT", f"{COMPUTE}/disks/new", body)
    assert (409, "ResourceGroupBeingDeleted") == (answer.status, answer.body["error"]["code"])
    assert (409, "ResourceGroupBeingDeleted") == wire.refused("PUT", GROUP, body)
    assert 60 < settled(wire, GROUP, 200) < 200
    assert 201 == wire.ask("PUT", GROUP, body).status


@pytest.mark.parametrize("scope", [SUB, GROUP, VM])
def test_a_lock_above_or_inside_keeps_a_group(scope):
    """A group is not deleted while it, something above it or something in it is locked.

    Learn, "Lock your resources": locks are inherited, and deleting a group fails where a resource is locked.
    """
    wire = Wire()
    wire.ask(
        "PUT",
        f"{scope}/providers/Microsoft.Authorization/locks/keep",
        {"properties": {"level": "CanNotDelete"}},
    )
    assert (409, "ScopeLocked") == wire.refused("DELETE", GROUP)
    assert 200 == wire.ask("GET", VM).status


def test_resources_leave_out_what_extends_others():
    """The list of resources has machines and disks, and no locks or roles."""
    lock = {
        "id": f"{VM}/providers/Microsoft.Authorization/locks/keep",
        "properties": {"level": "CanNotDelete"},
    }
    wire = Wire(*estate(lock))
    listed = [each["id"] for each in wire.get(f"{SUB}/resources")["value"]]
    assert lock["id"] not in listed
    assert VM in listed


@pytest.mark.parametrize(
    ("operation", "given", "left"),
    [
        ("Merge", {"app": "new", "b": "c"}, {"app": "new", "b": "c"}),
        ("Replace", {"b": "c"}, {"b": "c"}),
        ("Delete", {"app": "shop"}, {}),
        ("Delete", {"app": "other"}, {"app": "shop"}),
    ],
)
def test_tags_change_without_the_resource(operation, given, left):
    """Merge, Replace and Delete change the tags of a machine, and nothing else of it.

    Learn, "Tags - Update At Scope", https://learn.microsoft.com/rest/api/resources/tags/update-at-scope.
    """
    wire = Wire()
    path = f"{VM}/providers/Microsoft.Resources/tags/default"
    before = wire.get(VM)
    answer = wire.ask("PATCH", path, {"operation": operation, "properties": {"tags": given}})
    assert (
        left
        == answer.body["properties"]["tags"]
        == wire.get(VM)["tags"]
        == wire.get(path)["properties"]["tags"]
    )
    assert before["properties"] == wire.get(VM)["properties"]


def test_tags_of_groups_and_their_refusals():
    """A group has tags, too; an unknown operation, too many tags and a missing resource are refused."""
    wire = Wire()
    path = "providers/Microsoft.Resources/tags/default"
    assert {} == wire.get(f"{GROUP}/{path}")["properties"]["tags"]
    wire.ask("PUT", f"{GROUP}/{path}", {"properties": {"tags": {"a": "b"}}})
    assert {"a": "b"} == wire.get(GROUP)["tags"]
    assert 200 == wire.ask("DELETE", f"{GROUP}/{path}").status
    assert {} == wire.get(GROUP)["tags"]
    unknown = {"operation": "Paint", "properties": {"tags": {}}}
    assert (400, "InvalidRequestContent") == wire.refused("PATCH", f"{VM}/{path}", unknown)
    many = {"operation": "Merge", "properties": {"tags": {str(number): "" for number in range(51)}}}
    assert (400, "TooManyTags") == wire.refused("PATCH", f"{VM}/{path}", many)
    assert (404, "ResourceNotFound") == wire.refused("GET", f"{COMPUTE}/disks/none/{path}")


def test_providers_register_over_time():
    """A provider is registered; taking it away and registering it again passes through Registering.

    Learn, "Azure resource providers and types",
    https://learn.microsoft.com/azure/azure-resource-manager/management/resource-providers-and-types.
    """
    wire = Wire()
    path = f"{SUB}/providers/Microsoft.Compute"
    assert "Registered" == wire.get(path)["registrationState"]
    assert "Unregistering" == wire.ask("POST", f"{path}/unregister").body["registrationState"]
    wire.clock.sleep(60)
    assert "NotRegistered" == wire.get(path)["registrationState"]
    assert "Registering" == wire.ask("POST", f"{path}/register").body["registrationState"]
    wire.clock.sleep(59)
    assert "Registering" == wire.get(path)["registrationState"]
    wire.clock.sleep(1)
    assert "Registered" == wire.get(path)["registrationState"]
    listed = {each["namespace"] for each in wire.get(f"{SUB}/providers")["value"]}
    assert {"Microsoft.Compute", "Microsoft.KeyVault", "Microsoft.Network"} <= listed


def test_a_feature_registers_over_time():
    """A feature is NotRegistered, Registering for minutes, then Registered, and stays it.

    Learn, "Enable end-to-end encryption using encryption at host", prerequisites,
    https://learn.microsoft.com/azure/virtual-machines/linux/disks-enable-host-based-encryption-cli.
    """
    wire = Wire()

    def state() -> str:
        return str(wire.get(HOST)["properties"]["state"])

    assert "NotRegistered" == state()
    assert "Registering" == wire.ask("POST", f"{HOST}/register").body["properties"]["state"]
    wire.clock.sleep(600)
    assert "Registering" == state()
    wire.clock.sleep(300)
    assert "Registered" == state()
    assert "Registered" == wire.ask("POST", f"{HOST}/register").body["properties"]["state"]
    listed = wire.get(f"{SUB}/providers/Microsoft.Features/features")["value"]
    assert "Registered" == next(
        each["properties"]["state"] for each in listed if each["name"] == "Microsoft.Compute/EncryptionAtHost"
    )


def test_some_features_wait_for_approval():
    """A feature that needs approval stays Pending; one that is not known is not found.

    Learn, "Set up preview features in Azure subscription".
    """
    wire = Wire()
    path = HOST.replace("EncryptionAtHost", "FlexVMTrustedLaunchUpgrade")
    wire.ask("POST", f"{path}/register")
    wire.clock.sleep(86400)
    assert "Pending" == wire.get(path)["properties"]["state"]
    assert (404, "FeatureNotFound") == wire.refused("GET", HOST.replace("EncryptionAtHost", "Nothing"))


@pytest.mark.parametrize(
    "kind",
    [
        "Microsoft.Maintenance/configurationAssignments",
        "Microsoft.GuestConfiguration/guestConfigurationAssignments",
    ],
)
def test_assignments_of_a_machine_are_read_as_seeded(kind):
    """Maintenance and guest configuration assignments are listed at their machine and above it.

    Learn, "Guest Configuration Assignments - List" and "Configuration Assignments - List".
    """
    seeded = {"id": f"{VM}/providers/{kind}/one", "name": "one", "properties": {}}
    wire = Wire(*estate(seeded))
    assert seeded == wire.get(seeded["id"])
    for scope in (VM, SUB):
        assert [seeded] == wire.get(f"{scope}/providers/{kind}")["value"]


def test_seeded_features_are_told():
    """A feature the seed registered is registered, also one the twin has never heard of."""
    own = {"id": HOST, "properties": {"state": "Registered"}}
    other = {"id": HOST.replace("EncryptionAtHost", "Special"), "properties": {"state": "Registered"}}
    wire = Wire(*estate(own, other, disk("loose")))
    for path in (own["id"], other["id"]):
        assert "Registered" == wire.get(path)["properties"]["state"]
