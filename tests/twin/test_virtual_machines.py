"""Virtual machines: what a model shows, and what a write does to it."""

from threading import Thread

import pytest

from tests.twin.seeds import COMPUTE, OS_DISK, SUBSCRIPTION, TRUSTED, VM, Wire, deallocated, disk, estate, vm
from tests.twin.test_sdk import client_of

IDENTITIES = COMPUTE.replace("Microsoft.Compute", "Microsoft.ManagedIdentity")
ONE = f"{IDENTITIES}/userAssignedIdentities/one"
TWO = ONE.replace("/one", "/two")


def test_ids_are_compared_without_case():
    """A machine is found by its id in any case, and keeps the case it was seeded in."""
    assert VM == Wire().get(VM.upper().replace("/SUBSCRIPTIONS", "/subscriptions"))["id"]


def test_instance_view_comes_only_on_request():
    """The instance view is in the answer only where it is expanded."""
    wire = Wire()
    assert "instanceView" not in wire.get(VM)["properties"]
    assert "instanceView" in wire.get(VM, query={"$expand": "instanceView"})["properties"]


def test_status_only_lists_carry_power():
    """A list with statusOnly carries instance views, so that one call reads every power state."""
    wire = Wire(*estate(vm("web-2")))
    path = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute/virtualMachines"
    listed = wire.get(path, query={"statusOnly": "true"})["value"]
    assert ["web-1", "web-2"] == sorted(each["name"] for each in listed)
    assert all("instanceView" in each["properties"] for each in listed)


def test_standard_is_told_from_its_api_version_on():
    """A machine without a security type says Standard from 2025-11-01 on, and nothing before."""
    wire = Wire()
    assert "securityProfile" not in wire.get(VM, version="2025-04-01")["properties"]
    assert {"securityType": "Standard"} == wire.get(VM, version="2025-11-01")["properties"]["securityProfile"]


def test_etag_steps_when_a_write_is_accepted():
    """The etag is a quoted number in body and header, and steps at acceptance, not at the end."""
    wire = Wire()
    assert '"1"' == wire.ask("GET", VM).headers["ETag"]
    answer = wire.ask("PATCH", VM, {"tags": {"app": "shop", "step": "1"}})
    assert ('"2"', '"2"') == (answer.headers["ETag"], answer.body["etag"])
    assert '"2"' == wire.get(VM)["etag"]
    assert "ETag" not in wire.ask("GET", VM, query={"$expand": "instanceView"}).headers


def test_if_match_refuses_a_stale_writer():
    """A write that names an older etag is refused with 412, and one that names the present one is not."""
    wire = Wire()
    stale = wire.refused("PATCH", VM, {"tags": {}}, headers={"if-match": '"7"'})
    assert (412, "PreconditionFailed") == stale
    assert 200 == wire.ask("PATCH", VM, {"tags": {}}, headers={"if-match": '"1"'}).status


def test_patch_echoes_the_new_model_while_it_is_updating():
    """A PATCH answers 200 with an operation to follow and the new model, still Updating."""
    wire = Wire(*estate(machine=deallocated()))
    answer = wire.ask("PATCH", VM, {"properties": {"securityProfile": TRUSTED}})
    assert 200 == answer.status
    assert "Updating" == answer.body["properties"]["provisioningState"]
    assert TRUSTED == answer.body["properties"]["securityProfile"]
    assert answer.headers["Azure-AsyncOperation"].startswith("https://twin.example/subscriptions/")
    assert "InProgress" == wire.follow(answer)["status"]
    wire.clock.sleep(11)
    assert "Succeeded" == wire.follow(answer)["status"]
    assert "Succeeded" == wire.get(VM)["properties"]["provisioningState"]


def test_partial_put_keeps_what_it_leaves_out():
    """A PUT with only a security profile keeps the rest of the model and its siblings."""
    machine = deallocated(securityProfile={"encryptionAtHost": True})
    wire = Wire(*estate(machine=machine))
    wire.do("PUT", VM, {"location": "westeurope", "properties": {"securityProfile": TRUSTED}})
    after = wire.get(VM)
    assert {**TRUSTED, "encryptionAtHost": True} == after["properties"]["securityProfile"]
    assert machine["properties"]["osProfile"] == after["properties"]["osProfile"]
    assert {"app": "shop"} == after["tags"]


def test_a_full_put_of_what_was_read_changes_nothing():
    """What GET answers can be PUT back, as the az CLI does, without any change but the etag."""
    wire = Wire()
    before = wire.get(VM)
    assert 200 == wire.ask("PUT", VM, before).status
    wire.clock.sleep(3)
    assert before | {"etag": '"2"'} == wire.get(VM)


def test_password_authentication_is_fixed_at_creation():
    """Changing disablePasswordAuthentication is refused with the recorded code, message and target."""
    change = {"properties": {"osProfile": {"linuxConfiguration": {"disablePasswordAuthentication": True}}}}
    answer = Wire().ask("PATCH", VM, change)
    target = "linuxConfiguration.disablePasswordAuthentication"
    assert 409 == answer.status
    assert {
        "error": {
            "code": "PropertyChangeNotAllowed",
            "message": f"Changing property '{target}' is not allowed.",
            "target": target,
        }
    } == answer.body


def test_secrets_are_never_kept():
    """A password in a body is refused, and custom data is dropped: neither is ever in the ground truth."""
    wire = Wire()
    body = {"properties": {"osProfile": {"adminPassword": "hunter2-not-real"}}}
    assert (409, "PropertyChangeNotAllowed") == wire.refused("PATCH", VM, body)
    wire.do("PATCH", VM, {"properties": {"osProfile": {"customData": "hunter2-not-real"}}})
    assert "hunter2" not in str(wire.twin.resources())


def test_one_operation_at_a_time():
    """A second write is refused while the first is carried out, and accepted after it."""
    wire = Wire()
    wire.ask("POST", f"{VM}/deallocate")
    assert (409, "OperationNotAllowed") == wire.refused("PATCH", VM, {"tags": {}})
    wire.clock.sleep(70)
    assert 200 == wire.ask("PATCH", VM, {"tags": {}}).status


def test_system_assigned_identity_has_a_principal():
    """Switching on a system-assigned identity makes a principal, the same one in every rehearsal."""
    first, second = Wire(), Wire()
    for wire in (first, second):
        wire.do("PATCH", VM, {"identity": {"type": "SystemAssigned"}})
    identity = first.get(VM)["identity"]
    assert {"type", "principalId", "tenantId"} == set(identity)
    assert identity == second.get(VM)["identity"]


def test_system_assigned_alone_drops_user_assigned_identities():
    """The trap of the identity PATCH: SystemAssigned alone takes every user-assigned identity away."""
    wire = Wire()
    wire.do("PATCH", VM, {"identity": {"type": "UserAssigned", "userAssignedIdentities": {ONE: {}}}})
    wire.do("PATCH", VM, {"identity": {"type": "SystemAssigned"}})
    assert "userAssignedIdentities" not in wire.get(VM)["identity"]


def test_user_assigned_identities_add_up_and_null_removes():
    """A PATCH adds to the identities that are there; a null removes one, in any case of its id."""
    wire = Wire()
    both = "SystemAssigned, UserAssigned"
    wire.do("PATCH", VM, {"identity": {"type": both, "userAssignedIdentities": {ONE: {}}}})
    wire.do("PATCH", VM, {"identity": {"type": both, "userAssignedIdentities": {TWO: {}}}})
    assert {ONE, TWO} == set(wire.get(VM)["identity"]["userAssignedIdentities"])
    wire.do("PATCH", VM, {"identity": {"type": both, "userAssignedIdentities": {ONE.lower(): None}}})
    left = wire.get(VM)["identity"]["userAssignedIdentities"]
    assert {TWO} == set(left)
    assert {"principalId", "clientId"} == set(left[TWO])


def test_identity_none_leaves_no_identity():
    """After None there is no identity in the answer at all, and the next principal is a new one."""
    wire = Wire()
    wire.do("PATCH", VM, {"identity": {"type": "SystemAssigned"}})
    before = wire.get(VM)["identity"]["principalId"]
    wire.do("PATCH", VM, {"identity": {"type": "None"}})
    assert "identity" not in wire.get(VM)
    wire.do("PATCH", VM, {"identity": {"type": "SystemAssigned"}})
    assert before != wire.get(VM)["identity"]["principalId"]


def test_an_os_disk_can_be_swapped():
    """Naming another disk lets go of the old one and takes the new one."""
    wire = Wire(*estate(disk("web-1-new"), machine=deallocated()))
    new = f"{COMPUTE}/disks/web-1-new"
    swap = {"storageProfile": {"osDisk": {"name": "web-1-new", "managedDisk": {"id": new}}}}
    wire.do("PATCH", VM, {"properties": swap})
    assert "Unattached" == wire.get(OS_DISK)["properties"]["diskState"]
    assert ("Reserved", VM) == (wire.get(new)["properties"]["diskState"], wire.get(new)["managedBy"])


def test_bad_bodies_are_refused():
    """A body of the wrong shape is a 400 in the ARM envelope, not an accident."""
    wire = Wire()
    for body in (None, [], {"properties": "all"}, {"identity": 1}):
        assert (400, "InvalidRequestContent") == wire.refused("PATCH", VM, body)


def test_many_clients_at_once():
    """Clients on many threads each get their own write through, and no tag step is lost."""
    names = [f"m-{number}" for number in range(8)]
    wire = Wire(*(vm(name) for name in names))

    def write(name: str) -> None:
        for step in range(10):
            wire.ask("PATCH", f"{COMPUTE}/virtualMachines/{name}", {"tags": {"step": str(step)}})
            wire.clock.sleep(15)

    threads = [Thread(target=write, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {'"11"'} == {wire.get(f"{COMPUTE}/virtualMachines/{name}")["etag"] for name in names}


AVAILABILITY_SET = f"{COMPUTE}/availabilitySets/set"
OTHER_IMAGE = {"publisher": "Canonical", "offer": "ubuntu", "sku": "24_04", "version": "latest"}


@pytest.mark.parametrize(
    ("change", "target"),
    [
        ({"properties": {"availabilitySet": {"id": AVAILABILITY_SET}}}, "availabilitySet.id"),
        ({"zones": ["1"]}, "zones"),
        ({"properties": {"storageProfile": {"osDisk": {"osType": "Windows"}}}}, "osDisk.osType"),
        ({"properties": {"storageProfile": {"osDisk": {"createOption": "Attach"}}}}, "osDisk.createOption"),
        ({"properties": {"storageProfile": {"osDisk": {"name": "renamed"}}}}, "osDisk.name"),
        ({"properties": {"storageProfile": {"imageReference": OTHER_IMAGE}}}, "imageReference"),
        (
            {"properties": {"osProfile": {"linuxConfiguration": {"provisionVMAgent": False}}}},
            "linuxConfiguration.provisionVMAgent",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_is_fixed_at_creation(change, target):
    """Whatever is fixed at creation is refused with its name as target.

    azure-powershell issue 1820, https://github.com/Azure/azure-powershell/issues/1820;
    terraform-provider-azurerm issue 3277, https://github.com/hashicorp/terraform-provider-azurerm/issues/3277
    """
    answer = Wire(*estate(machine=deallocated())).ask("PATCH", VM, change)
    assert (409, "PropertyChangeNotAllowed", target) == (
        answer.status,
        answer.body["error"]["code"],
        answer.body["error"]["target"],
    )


def test_a_machine_never_moves_to_another_region():
    """A PUT with another location is refused by Resource Manager itself.

    Resolve errors for invalid resource location,
    https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-invalid-template
    """
    refusal = Wire().refused("PUT", VM, {"location": "northeurope", "properties": {}})
    assert (409, "InvalidResourceLocation") == refusal


@pytest.mark.parametrize("version", ["2025-04-01", "2026-04-01"])
def test_a_put_of_what_is_there_has_no_operation_to_follow(version):
    """A PUT that changes nothing is 200 Updating without Azure-AsyncOperation, and soon Succeeded.

    azure-cli, recording test_vm_trusted_launch_update,
    https://github.com/Azure/azure-cli/tree/dev/src/azure-cli/azure/cli/command_modules/vm/tests
    """
    wire = Wire()
    answer = wire.ask("PUT", VM, wire.get(VM, version=version), version=version)
    assert (200, "Updating") == (answer.status, answer.body["properties"]["provisioningState"])
    assert {"Azure-AsyncOperation", "Location"}.isdisjoint(answer.headers)
    wire.clock.sleep(3)
    assert "Succeeded" == wire.get(VM)["properties"]["provisioningState"]
    vm_again = (
        client_of(wire).virtual_machines.begin_create_or_update("rg-app", "web-1", wire.get(VM)).result()
    )
    assert "Succeeded" == vm_again.provisioning_state


def data_disks(*disks: dict) -> dict:
    """A change of the data disks."""
    return {"properties": {"storageProfile": {"dataDisks": list(disks)}}}


def test_data_disks_come_and_go():
    """A list of data disks takes the place of the one before: what it leaves out is detached.

    Virtual Machines - Update, https://learn.microsoft.com/rest/api/compute/virtual-machines/update
    """
    wire = Wire(*estate(disk("free", osType=None)))
    free = f"{COMPUTE}/disks/free"
    attach = {"lun": 1, "name": "free", "createOption": "Attach", "managedDisk": {"id": free}}
    empty = {"lun": 2, "name": "fresh", "createOption": "Empty", "diskSizeGB": 8}
    wire.do("PATCH", VM, data_disks(attach, empty))
    states = {name: wire.get(f"{COMPUTE}/disks/{name}") for name in ("free", "fresh", "web-1-data")}
    assert {"free": VM, "fresh": VM, "web-1-data": None} == {
        name: each.get("managedBy") for name, each in states.items()
    }
    assert "Unattached" == states["web-1-data"]["properties"]["diskState"]


def test_disks_of_others_are_not_taken():
    """A disk another machine holds is refused, unless it is shared and has room.

    Understand common error messages when you manage virtual machines in Azure,
    https://learn.microsoft.com/troubleshoot/azure/virtual-machines/windows/error-messages
    """
    theirs = f"{COMPUTE}/disks/web-2-data"
    attach = {"lun": 1, "createOption": "Attach", "managedDisk": {"id": theirs}}
    wire = Wire(*estate(vm("web-2"), disk("web-2-os"), disk("web-2-data")))
    assert (409, "ConflictingUserInput") == wire.refused("PATCH", VM, data_disks(attach))
    shared = Wire(*estate(vm("web-2"), disk("web-2-os"), disk("web-2-data", maxShares=2)))
    assert 200 == shared.ask("PATCH", VM, data_disks(attach)).status


def test_a_disk_of_another_zone_is_not_attached():
    """A zonal machine takes disks of its own zone, or zone-redundant ones.

    Disk cannot be attached to the VM because it is not in the same zone,
    https://learn.microsoft.com/troubleshoot/azure/azure-kubernetes/storage/fail-to-mount-azure-disk-volume
    """
    path = f"{COMPUTE}/disks/far"
    attach = {"lun": 1, "createOption": "Attach", "managedDisk": {"id": path}}
    machine = vm() | {"zones": ["1"]}
    for change, status in (
        ({"zones": ["3"]}, 400),
        ({"zones": ["1"]}, 200),
        ({"sku": {"name": "Premium_ZRS"}}, 200),
    ):
        wire = Wire(*estate(disk("far") | change, machine=machine))
        assert status == wire.ask("PATCH", VM, data_disks(attach)).status


def test_disk_settings_belong_to_the_disk():
    """Type and key of a disk are not changed through its machine.

    terraform-provider-azurerm issue 921, https://github.com/hashicorp/terraform-provider-azurerm/issues/921
    """
    wire = Wire(*estate(machine=deallocated()))
    for managed, code in (
        ({"storageAccountType": "StandardSSD_LRS"}, "OperationNotAllowed"),
        ({"diskEncryptionSet": {"id": f"{COMPUTE}/diskEncryptionSets/keys"}}, "PropertyChangeNotAllowed"),
    ):
        change = {"properties": {"storageProfile": {"osDisk": {"managedDisk": managed}}}}
        assert (409, code) == wire.refused("PATCH", VM, change)


def test_disks_grow_through_their_machine_only_while_it_is_off():
    """A larger disk is refused on an allocated machine and had on a deallocated one.

    Understand common error messages when you manage virtual machines in Azure,
    https://learn.microsoft.com/troubleshoot/azure/virtual-machines/windows/error-messages
    """
    wire = Wire()
    larger = {"properties": {"storageProfile": {"osDisk": {"diskSizeGB": 64}}}}
    assert (409, "Conflict") == wire.refused("PATCH", VM, larger)
    wire.do("POST", f"{VM}/deallocate")
    wire.do("PATCH", VM, larger)
    assert 64 == wire.get(OS_DISK)["properties"]["diskSizeGB"]


def test_a_user_assigned_identity_must_be_there():
    """Where the twin knows user-assigned identities, one it does not know is refused; a known one is told of.

    Configure managed identities on Azure VMs,
    https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-configure-managed-identities
    """
    known = {"id": ONE, "location": "westeurope", "properties": {"principalId": "p-1", "clientId": "c-1"}}
    wire = Wire(*estate(known))
    refused = {"identity": {"type": "UserAssigned", "userAssignedIdentities": {TWO: {}}}}
    assert (400, "FailedIdentityOperation") == wire.refused("PATCH", VM, refused)
    wire.do("PATCH", VM, {"identity": {"type": "UserAssigned", "userAssignedIdentities": {ONE.upper(): {}}}})
    assert [{"principalId": "p-1", "clientId": "c-1"}] == list(
        wire.get(VM)["identity"]["userAssignedIdentities"].values()
    )


def test_the_old_list_of_identities_is_refused():
    """The array `identityIds` of 2017-12-01 is not taken for anything."""
    change = {"identity": {"type": "UserAssigned", "identityIds": [ONE]}}
    assert (400, "InvalidRequestContent") == Wire().refused("PATCH", VM, change)


def test_an_identity_comes_with_its_operation():
    """A new principal shows once the operation has ended, and not before.

    azure-cli, recording test_vm_explicit_msi,
    https://github.com/Azure/azure-cli/tree/dev/src/azure-cli/azure/cli/command_modules/vm/tests
    """
    wire = Wire()
    answer = wire.ask("PATCH", VM, {"identity": {"type": "SystemAssigned"}})
    assert {"type": "SystemAssigned"} == answer.body["identity"]
    wire.clock.sleep(11)
    assert wire.get(VM)["identity"]["principalId"]


def test_seeded_extensions_are_in_the_instance_view():
    """An extension of which only the resource was seeded is reported by the agent of its machine."""
    extension = {
        "id": f"{VM}/extensions/AMA",
        "name": "AMA",
        "properties": {
            "publisher": "Microsoft.Azure.Monitor",
            "type": "AzureMonitorLinuxAgent",
            "typeHandlerVersion": "1.33",
            "provisioningState": "Failed",
        },
    }
    wire = Wire(*estate(extension))
    reported = wire.get(f"{VM}/instanceView")["extensions"]
    assert [("AMA", "Microsoft.Azure.Monitor.AzureMonitorLinuxAgent", "ProvisioningState/failed")] == [
        (each["name"], each["type"], each["statuses"][0]["code"]) for each in reported
    ]
    wire.do("POST", f"{VM}/deallocate")
    assert "extensions" not in wire.get(f"{VM}/instanceView")
