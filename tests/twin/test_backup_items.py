"""Protecting a machine, changing its policy, stopping, deleting and undeleting, through the real client.

Learn, "Back up Azure VMs using Azure Backup via REST API",
https://learn.microsoft.com/en-us/azure/backup/backup-azure-arm-userestapi-backupazurevms.
"""

from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

from tests.twin.backups import (
    AT,
    CONTAINER,
    ITEM,
    VAULT,
    back_up,
    client_of,
    covered,
    enhanced,
    finish,
    place,
    points,
    policy,
    policy_id,
    protect,
    standard,
    vault,
    wait_for_job,
)
from tests.twin.seeds import OS_DISK, TRUSTED, VM, Wire, disk, estate, vm

STOPPED = {"protectedItemType": "Microsoft.Compute/virtualMachines", "protectionState": "ProtectionStopped"}
DAY = 24 * 3600
INVALID = "BMSUserErrorInvalidConfigureProtectionRequest"


def change(wire: Wire, body: Any) -> str:
    """Write the item, and return the job that follows."""
    response = wire.ask("PUT", ITEM, body)
    assert response.status == 202, response.body
    address = response.headers["Azure-AsyncOperation"]
    return wait_for_job(wire, address.replace("twin.example", "management.azure.com"))


def delete(wire: Wire) -> None:
    """Delete the item through the client, and wait."""
    client_of(wire).protected_items.delete(*AT)
    wire.clock.sleep(60)


def test_a_machine_is_protected():
    """The item tells the true type of a machine, its policy and tier; a job has configured it."""
    wire = place()
    item = protect(wire)
    told = item["properties"]
    assert "Microsoft.Compute/virtualMachines" == told["protectedItemType"]
    assert (policy_id("daily"), "V1", VM) == (told["policyId"], told["policyType"], told["sourceResourceId"])
    (job,) = wire.get(f"{VAULT}/backupJobs")["value"]
    assert ("ConfigureBackup", "Completed") == (
        job["properties"]["operation"],
        job["properties"]["status"],
    )


@pytest.mark.parametrize(
    "container",
    ["iaasvmcontainer;iaasvmcontainerv2;RG-APP;Web-1", "iaasvmcontainerv2;rg-app;web-1"],
)
def test_names_are_found_however_they_are_written(container):
    """Case and prefix of a container make no difference; what names no machine is refused."""
    wire = place()
    protect(wire)
    path = f"{VAULT}/backupFabrics/azure/protectionContainers/{container}/protectedItems/vm;{container}"
    assert ITEM == wire.get(path)["id"]
    odd = ITEM.replace("iaasvmcontainerv2", "classic")
    assert (400, "BMSUserErrorInvalidConfigureProtectionRequest") == wire.refused("PUT", odd, covered())


def test_extended_information_is_asked_for():
    """An item tells how many recovery points there are only where the filter expands it."""
    wire = place()
    protect(wire)
    finish(wire, back_up(wire))
    items = client_of(wire).protected_items
    assert "extendedInfo" not in items.get(*AT).as_dict()["properties"]
    told = items.get(*AT, filter="expand eq 'extendedinfo'").as_dict()["properties"]["extendedInfo"]
    assert 1 == told["recoveryPointCount"]


def test_items_are_listed_and_filtered():
    """`backupProtectedItems` filters by management type, item type, policy and name."""
    wire = place()
    protect(wire)
    items = client_of(wire).backup_protected_items
    of_vms = "backupManagementType eq 'AzureIaasVM' and itemType eq 'VM'"
    assert [ITEM] == [each.id for each in items.list("rsv", "rg-app", filter=of_vms)]
    assert [] == list(items.list("rsv", "rg-app", filter=f"{of_vms} and policyName eq 'hourly'"))
    assert [] == list(items.list("rsv", "rg-app", filter="backupManagementType eq 'MAB'"))


def test_discovery():
    """A machine is protectable until it is protected; then its container and its status tell of it."""
    wire = place()
    client = client_of(wire)
    client.protection_containers.refresh("rsv", "rg-app", "Azure")
    of_vms = "backupManagementType eq 'AzureIaasVM'"
    (found,) = client.backup_protectable_items.list("rsv", "rg-app", filter=of_vms)
    assert "iaasvmcontainerv2;rg-app;web-1" == found.name
    asked = {"resourceType": "VM", "resourceId": VM}
    assert "NotProtected" == client.backup_status.get("westeurope", asked).protection_status
    protect(wire)
    assert [] == list(client.backup_protectable_items.list("rsv", "rg-app", filter=of_vms))
    (container,) = client.backup_protection_containers.list("rsv", "rg-app", filter=of_vms)
    assert CONTAINER == container.name
    assert CONTAINER == client.protection_containers.get("rsv", "rg-app", "Azure", CONTAINER).name
    told = client.backup_status.get("westeurope", asked)
    assert ("Protecting", VAULT, "daily") == (told.protection_status, told.vault_id, told.policy_name)


def test_standard_moves_to_enhanced_with_a_backup():
    """The migration runs a backup job of its own name, and the item has the other tier at once.

    Learn, "Migrate Azure VM backups from standard to enhanced policy",
    https://learn.microsoft.com/en-us/azure/backup/backup-azure-vm-migrate-enhanced-policy.
    """
    wire = place()
    protect(wire)
    name = change(wire, covered("hourly"))
    assert "V2" == wire.get(ITEM)["properties"]["policyType"]
    job = finish(wire, name)
    assert ("Configure backup (Migrate policy)", "Completed") == (job["operation"], job["status"])
    assert 1 == len(points(wire))


def test_enhanced_never_goes_back():
    """No item leaves an Enhanced policy for a Standard one, stopped or not."""
    wire = place()
    protect(wire, "hourly")
    wanted = (400, "UserErrorPolicyChangeFromEnhancedToStandardNotAllowed")
    assert wanted == wire.refused("PUT", ITEM, covered("daily"))
    change(wire, {"properties": STOPPED | {"policyId": ""}})
    assert wanted == wire.refused("PUT", ITEM, covered("daily"))


def test_no_migration_while_a_job_runs():
    """A backup job under way refuses the migration, and another policy of the same tier does not mind it."""
    wire = place(policy("weekly", standard()))
    protect(wire)
    name = back_up(wire)
    assert "UserErrorBackupOperationInProgress" == wire.refused("PUT", ITEM, covered("hourly"))[1]
    change(wire, covered("weekly"))
    assert "weekly" == wire.get(ITEM)["properties"]["policyName"]
    assert "Completed" == finish(wire, name)["status"]


def test_trusted_launch_and_standard_policies():
    """A Trusted Launch machine has a Standard policy only from api-version 2025-01-01 on.

    Learn, "Back up an Azure VM using Enhanced policy",
    https://learn.microsoft.com/en-us/azure/backup/backup-azure-vms-enhanced-policy.
    """
    wire = place(machine=vm(securityProfile=TRUSTED))
    wanted = (400, "UserErrorTrustedLaunchVMNotSupportedWithStandardPolicy")
    assert wanted == wire.refused("PUT", ITEM, covered("daily"), version="2024-04-01")
    assert 202 == wire.ask("PUT", ITEM, covered("hourly"), version="2024-04-01").status
    wire = place(machine=vm(securityProfile=TRUSTED))
    assert 202 == wire.ask("PUT", ITEM, covered("daily"), version="2025-02-01").status


def elsewhere() -> Wire:
    """A twin whose vault is in another region than the machine."""
    return place(vault() | {"location": "swedencentral"})


def ultra() -> Wire:
    """A twin whose machine has an Ultra disk."""
    return place(disk("web-1-data", osType=None) | {"sku": {"name": "UltraSSD_LRS"}})


def ephemeral() -> Wire:
    """A twin whose machine has an ephemeral disk."""
    machine = vm()
    machine["properties"]["storageProfile"]["osDisk"]["diffDiskSettings"] = {"option": "Local"}
    return place(machine=machine)


def sql() -> Wire:
    """A twin whose policy is for other workloads."""
    return place(policy("daily", standard(backupManagementType="AzureWorkload")))


@pytest.mark.parametrize(
    ("make", "body", "code"),
    [
        (elsewhere, covered(), "UserErrorVaultAndVmInDifferentRegions"),
        (ultra, covered(), "UserErrorDiskTypeNotSupportedWithStandardPolicy"),
        (ephemeral, covered("hourly"), "UserErrorEphemeralOSDiskNotSupported"),
        (sql, covered(), "BMSUserErrorInvalidPolicyForGivenProvider"),
        (place, covered("none"), "BMSUserErrorPolicyNotFound"),
        (place, covered(sourceResourceId=VM.replace("web-1", "none")), "UserErrorVmNotFoundV2"),
        (place, covered(sourceResourceId=OS_DISK), "UserErrorVmNotFoundV2"),
        (place, covered(protectedItemType="AzureFileShareProtectedItem"), INVALID),
    ],
)
def test_what_cannot_be_protected(make, body, code):
    """Region, disks, policy and machine are checked before anything is protected."""
    wire = make()
    assert (400, code) == wire.refused("PUT", ITEM, body)
    assert 404 == wire.ask("GET", ITEM).status


def test_a_machine_has_one_vault():
    """A machine that another vault protects is refused."""
    wire = place(vault("other"))
    protect(wire)
    other_policy = f"{VAULT.replace('rsv', 'other')}/backupPolicies/daily"
    assert 200 == wire.ask("PUT", other_policy, {"properties": standard()}).status
    body = covered(policyId=other_policy)
    wanted = (400, "UserErrorVmAlreadyProtectedInAnotherVault")
    assert wanted == wire.refused("PUT", ITEM.replace("/rsv/", "/other/"), body)


def test_one_write_at_a_time():
    """A second write on an item waits for the end of the first.

    Learn, "Troubleshoot problems while backing up Azure file shares",
    https://learn.microsoft.com/en-us/azure/backup/troubleshoot-azure-files.
    """
    wire = place()
    assert 202 == wire.ask("PUT", ITEM, covered()).status
    assert (409, "BMSUserErrorConflictingProtectionOperation") == wire.refused("PUT", ITEM, covered())


def test_stopping_keeps_the_data():
    """A stopped item has no policy and takes no backups, but keeps its points; a PUT resumes it."""
    wire = place()
    protect(wire)
    finish(wire, back_up(wire))
    change(wire, {"properties": STOPPED | {"policyId": "", "sourceResourceId": VM}})
    told = wire.get(ITEM)["properties"]
    assert ("ProtectionStopped", "") == (told["protectionState"], told["policyId"])
    request = {"properties": {"objectType": "IaasVMBackupRequest"}}
    assert 400 == wire.ask("POST", f"{ITEM}/backup", request).status
    assert 1 == len(points(wire))
    change(wire, covered())
    assert "Protected" == wire.get(ITEM)["properties"]["protectionState"]


def test_soft_delete_keeps_an_item_for_its_days():
    """A deleted item is scheduled for deletion, is still listed, and goes with its points after 14 days.

    Learn, "Soft delete for Azure Backup",
    https://learn.microsoft.com/en-us/azure/backup/backup-azure-security-feature-cloud.
    """
    wire = place()
    protect(wire)
    finish(wire, back_up(wire))
    delete(wire)
    told = wire.get(ITEM)["properties"]
    assert (True, "ProtectionStopped") == (told["isScheduledForDeferredDelete"], told["protectionState"])
    assert 1 == len(wire.get(f"{VAULT}/backupProtectedItems")["value"])
    assert "UserErrorItemInSoftDeletedState" == wire.refused("PUT", ITEM, covered())[1]
    assert 1 == len(points(wire))
    wire.clock.sleep(14 * DAY)
    assert 404 == wire.ask("GET", ITEM).status
    assert [] == wire.get(f"{VAULT}/backupProtectedItems")["value"]


def test_undelete():
    """`isRehydrate` brings a soft-deleted item back, stopped, and its end does not come."""
    wire = place()
    protect(wire)
    finish(wire, back_up(wire))
    delete(wire)
    change(wire, {"properties": STOPPED | {"isRehydrate": True, "sourceResourceId": VM, "policyId": ""}})
    wire.clock.sleep(20 * DAY)
    told = wire.get(ITEM)["properties"]
    assert (False, "ProtectionStopped") == (told["isScheduledForDeferredDelete"], told["protectionState"])
    assert 1 == len(points(wire))


def test_without_soft_delete_an_item_goes_at_once():
    """A vault without soft delete forgets an item and its recovery points."""
    wire = place(vault(soft_delete="Disabled"))
    protect(wire)
    finish(wire, back_up(wire))
    delete(wire)
    assert 404 == wire.ask("GET", ITEM).status
    assert 204 == wire.ask("DELETE", ITEM).status


def test_deletion_that_is_refused():
    """A running job and an immutable vault keep an item."""
    wire = place()
    protect(wire)
    back_up(wire)
    assert "UserErrorBackupOperationInProgress" == wire.refused("DELETE", ITEM)[1]
    settings = {"immutabilitySettings": {"state": "Locked"}}
    wire = place(vault(securitySettings=settings))
    protect(wire)
    assert "UserErrorOperationNotAllowedOnImmutableVault" == wire.refused("DELETE", ITEM)[1]


def test_intents_are_refused():
    """Protection intents are not modelled, and say so."""
    wire = place()
    status, code = wire.refused(
        "PUT", f"{VAULT}/backupFabrics/Azure/backupProtectionIntent/web-1", {"properties": {}}
    )
    assert (404, "InvalidResourceType") == (status, code)


def test_a_seeded_item_is_backed_up():
    """An item as exports have it, with a policy and nothing more, takes a backup and a migration."""
    seeded = {
        "id": ITEM,
        "name": "VM;iaasvmcontainerv2;rg-app;web-1",
        "type": "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems",
        "properties": {
            "protectedItemType": "Microsoft.Compute/virtualMachines",
            "backupManagementType": "AzureIaasVM",
            "sourceResourceId": VM,
            "friendlyName": "web-1",
            "policyId": policy_id("daily"),
            "policyType": "V1",
            "protectionState": "Protected",
        },
    }
    wire = place(seeded)
    assert "Completed" == finish(wire, back_up(wire))["status"]
    assert "Completed" == finish(wire, change(wire, covered("hourly")))["status"]
    assert 2 == len(points(wire))


def test_selective_disks():
    """Disks that are left out by their LUN are in no recovery point."""
    wire = place(policy("hourly", enhanced()))
    without = {"diskExclusionProperties": {"diskLunList": [0], "isInclusionList": False}}
    protect(wire, "hourly", extendedProperties=without)
    finish(wire, back_up(wire))
    told = points(wire)[0]["properties"]["recoveryPointDiskConfiguration"]
    assert (1, 2) == (told["numberOfDisksIncludedInBackup"], told["numberOfDisksAttachedToVm"])
    assert ["web-1-data"] == [each["name"] for each in told["excludedDiskList"]]


def test_a_failed_operation_protects_nothing():
    """A faults file ends the operation in Failed: the client hears it, and there is no item."""
    fault = {
        "kind": "fail",
        "operation": "vaults/backupFabrics/protectionContainers/protectedItems/write",
        "at": "end",
    }
    wire = place(faults=[fault])
    with pytest.raises(HttpResponseError):
        protect(wire)
    assert 404 == wire.ask("GET", ITEM).status


def test_items_without_a_vault_can_still_be_read():
    """An export may hold items and policies without their vault, and items of a shape nobody knows."""
    odd = f"{VAULT}/backupFabrics/Azure/protectionContainers/c/protectedItems/nothing"
    wire = Wire(*estate({"id": ITEM, "properties": {}}, {"id": odd}, policy("daily", standard())))
    listed = wire.get(f"{VAULT}/backupProtectedItems")["value"]
    assert [ITEM, odd] == [each["id"] for each in listed]
    assert [ITEM, odd] == [wire.get(each)["id"] for each in (ITEM, odd)]
    assert 1 == len(wire.get(f"{VAULT}/backupPolicies")["value"])
    assert 1 == len(wire.get(f"{VAULT}/backupProtectionContainers")["value"])
    assert [] == wire.get(f"{ITEM}/recoveryPoints")["value"]
    assert 404 == wire.ask("PUT", ITEM, covered()).status


def test_a_vault_that_goes_meanwhile():
    """A vault deleted while an item is being configured takes the item along, and nothing breaks."""
    wire = place()
    response = wire.ask("PUT", ITEM, covered())
    assert 202 == wire.ask("DELETE", VAULT).status
    wire.clock.sleep(60)
    assert 404 == wire.ask("GET", VAULT).status
    assert "Succeeded" == wire.follow(response)["status"]
    assert 404 == wire.ask("GET", ITEM).status


def test_a_resource_group_that_goes_meanwhile():
    """A group deleted under a running job ends it without a trace."""
    wire = place()
    protect(wire)
    back_up(wire)
    group = VAULT.partition("/providers/")[0]
    assert 202 == wire.ask("DELETE", group, version="2021-04-01").status
    wire.clock.sleep(4 * 3600)
    assert 404 == wire.ask("GET", ITEM).status
