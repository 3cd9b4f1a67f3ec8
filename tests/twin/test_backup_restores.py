"""Restoring disks from recovery points, through the real Azure Backup client.

Learn, "Restore Azure VMs using REST API",
https://learn.microsoft.com/en-us/azure/backup/backup-azure-arm-userestapi-restoreazurevms.
"""

from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

from tests.twin.backups import (
    AT,
    GROUP,
    ITEM,
    STAGING,
    back_up,
    client_of,
    finish,
    place,
    points,
    protect,
)
from tests.twin.seeds import CUSTOMER_KEY, KEY, OS_DISK, TRUSTED, VM, Wire, deallocated, disk, vm

SPARE = GROUP.replace("rg-app", "rg-spare")
ABROAD = "/subscriptions/22222222-2222-3333-4444-555555555555/resourceGroups/rg-abroad"
TRUSTED_DISK = disk("web-1-os", securityProfile={"securityType": "TrustedLaunch"})


def group(resource_id: str) -> dict[str, Any]:
    """A resource group."""
    return {"id": resource_id, "name": resource_id.rsplit("/", 1)[-1], "location": "westeurope"}


def request(**changes: Any) -> dict[str, Any]:
    """The body that restores all disks into the spare resource group; None leaves a property out."""
    given = {
        "objectType": "IaasVMRestoreRequest",
        "recoveryType": "RestoreDisks",
        "sourceResourceId": VM,
        "targetResourceGroupId": SPARE,
        "storageAccountId": STAGING,
        "region": "westeurope",
        "createNewCloudService": False,
        "originalStorageAccountOption": False,
        **changes,
    }
    return {"properties": {name: value for name, value in given.items() if value is not None}}


def backed_up(*others: dict[str, Any], machine: dict[str, Any] | None = None) -> Wire:
    """A twin with one recovery point, and rooms for its disks."""
    wire = place(group(SPARE), group(ABROAD), *others, machine=machine)
    protect(wire)
    assert "Completed" == finish(wire, back_up(wire))["status"]
    return wire


def restore(wire: Wire, **changes: Any) -> Any:
    """Restore the newest recovery point, and return the properties of the ended job."""
    (point, *_) = points(wire)
    client = client_of(wire)
    client.restores.begin_trigger(*AT, point["name"], request(**changes)).result()
    (job, *_) = client.backup_jobs.list("rsv", "rg-app", filter="operation eq 'Restore'")
    return finish(wire, str(job.name))


def restored(wire: Wire, scope: str = SPARE) -> dict[str, Any]:
    """The disks in a resource group that a restore has made, by their role."""
    found = wire.get(f"{scope}/providers/Microsoft.Compute/disks")["value"]
    made = [each for each in found if each["properties"]["creationData"]["createOption"] == "Restore"]
    return {each["name"].split("-")[2]: each for each in made}


def test_disks_come_back_as_they_were():
    """A restore makes unattached disks that keep size, generation, security type and encryption."""
    own = disk("web-1-data", osType=None, encryption=CUSTOMER_KEY, diskSizeGB=64)
    wire = backed_up(TRUSTED_DISK, own, machine=vm(securityProfile=TRUSTED))
    job = restore(wire)
    assert ("Completed", "Restore") == (job["status"], job["operation"])
    assert "staging" == job["extendedInfo"]["propertyBag"]["Target Storage Account Name"]
    made = restored(wire)
    assert {"osdisk", "datadisk"} == set(made)
    system = made["osdisk"]["properties"]
    assert ("V2", "Unattached", "Succeeded") == (
        system["hyperVGeneration"],
        system["diskState"],
        system["provisioningState"],
    )
    assert {"securityType": "TrustedLaunch"} == system["securityProfile"]
    assert 64 == made["datadisk"]["properties"]["diskSizeGB"]
    assert CUSTOMER_KEY["type"] == made["datadisk"]["properties"]["encryption"]["type"]
    originals = {wire.get(each)["properties"]["uniqueId"] for each in (OS_DISK, own["id"])}
    assert originals.isdisjoint(each["properties"]["uniqueId"] for each in made.values())


def test_chosen_disks_alone():
    """`restoreDiskLunList` restores the disks it names."""
    wire = backed_up()
    restore(wire, restoreDiskLunList=[0])
    assert {"datadisk"} == set(restored(wire))


def test_a_restore_with_a_key():
    """A disk encryption set that is named encrypts all restored disks; one that is missing is refused."""
    wire = backed_up()
    restore(wire, diskEncryptionSetId=KEY)
    assert {CUSTOMER_KEY["type"]} == {
        each["properties"]["encryption"]["type"] for each in restored(wire).values()
    }
    name = points(wire)[0]["name"]
    path = f"{ITEM}/recoveryPoints/{name}/restore"
    missing = request(diskEncryptionSetId=KEY.replace("keys", "none"))
    assert 404 == wire.ask("POST", path, missing).status


def test_disks_are_replaced():
    """OriginalLocation puts restored disks in the place of the machine's own, which are kept and free."""
    wire = backed_up(machine=deallocated())
    job = restore(wire, recoveryType="OriginalLocation", targetResourceGroupId=None)
    assert "Completed" == job["status"]
    made = restored(wire, GROUP)
    profile = wire.get(VM)["properties"]["storageProfile"]
    assert made["osdisk"]["id"] == profile["osDisk"]["managedDisk"]["id"]
    assert made["datadisk"]["id"] == profile["dataDisks"][0]["managedDisk"]["id"]
    assert (VM, "Reserved") == (made["osdisk"]["managedBy"], made["osdisk"]["properties"]["diskState"])
    old = wire.get(OS_DISK)
    assert "Unattached" == old["properties"]["diskState"]
    assert "managedBy" not in old
    assert "Succeeded" == wire.do("POST", f"{VM}/start")["status"]
    assert "PowerState/running" == wire.power()


def test_no_disks_from_before_trusted_launch():
    """A point of a Standard machine does not replace the disks of one that has Trusted Launch now.

    Learn, "Trusted Launch for Azure virtual machines" (FAQ),
    https://learn.microsoft.com/en-us/azure/virtual-machines/trusted-launch-faq.
    """
    wire = backed_up(machine=deallocated())
    (point,) = points(wire)
    protect(wire, "hourly")  # under the Standard policy the upgrade is refused
    wire.clock.sleep(6 * 3600)  # the migration is a backup job, too
    assert "Succeeded" == wire.do("PATCH", VM, {"properties": {"securityProfile": TRUSTED}})["status"]
    body = request(recoveryType="OriginalLocation")
    path = f"{ITEM}/recoveryPoints/{point['name']}/restore"
    assert (400, "BMSUserErrorInvalidRestoreRequest") == wire.refused("POST", path, body)


@pytest.mark.parametrize(
    "changes",
    [
        {"objectType": "AzureFileShareRestoreRequest"},
        {"recoveryType": "AlternateLocation"},
        {"recoveryType": "OriginalLocation"},
        {"region": "swedencentral"},
        {"storageAccountId": None},
        {"targetResourceGroupId": None},
        {"targetResourceGroupId": f"{GROUP}-none"},
    ],
    ids=str,
)
def test_restores_that_are_refused(changes):
    """Type, region, staging account and target are checked, and a running machine keeps its disks."""
    wire = backed_up()
    (point,) = points(wire)
    path = f"{ITEM}/recoveryPoints/{point['name']}/restore"
    wanted = (400, "BMSUserErrorInvalidRestoreRequest")
    assert wanted == wire.refused("POST", path, request(**changes))
    assert {} == restored(wire)


def test_a_recovery_point_that_is_not_there():
    """Neither GET nor restore know a point that has expired."""
    wire = backed_up()
    path = f"{ITEM}/recoveryPoints/1"
    assert 404 == wire.ask("GET", path).status
    assert (404, "BMSUserErrorRecoveryPointNotFound") == wire.refused("POST", f"{path}/restore", request())


ACROSS = "UserErrorCrossSubscriptionRestoreNotSuppported"


@pytest.mark.parametrize(
    ("others", "machine", "code"),
    [
        ((disk("web-1-os") | {"twin": {"everAde": True}},), None, f"{ACROSS}ForEncryptedAzureVM"),
        ((TRUSTED_DISK,), vm(securityProfile=TRUSTED), f"{ACROSS}ForTrustedLaunchAzureVM"),
    ],
    ids=["encrypted", "trusted"],
)
def test_no_restore_across_subscriptions(others, machine, code):
    """Encrypted and Trusted Launch machines stay in their subscription, in the documented words.

    Learn, "Troubleshoot backup errors with Azure VMs",
    https://learn.microsoft.com/en-us/azure/backup/backup-azure-vms-troubleshoot.
    """
    wire = backed_up(*others, machine=machine)
    (point,) = points(wire)
    path = f"{ITEM}/recoveryPoints/{point['name']}/restore"
    assert (400, code) == wire.refused("POST", path, request(targetResourceGroupId=ABROAD))


def test_another_subscription_takes_what_is_in_the_vault():
    """A point that is a snapshot alone is refused elsewhere; one in the vault is restored there."""
    wire = place(group(SPARE), group(ABROAD))
    protect(wire)
    name = back_up(wire)
    wire.clock.sleep(400)
    client_of(wire).job_cancellations.trigger("rsv", "rg-app", name)
    finish(wire, name)
    (point,) = points(wire)
    path = f"{ITEM}/recoveryPoints/{point['name']}/restore"
    body = request(targetResourceGroupId=ABROAD)
    assert (400, f"{ACROSS}FromSnapshot") == wire.refused("POST", path, body)
    finish(wire, back_up(wire))
    restore(wire, targetResourceGroupId=ABROAD)
    assert {"osdisk", "datadisk"} == set(restored(wire, ABROAD))


def test_azure_disk_encryption_is_inherited():
    """A restored disk keeps the mark of Azure Disk Encryption: it can never have a customer's key."""
    wire = backed_up(disk("web-1-os") | {"twin": {"everAde": True}})
    restore(wire)
    made = restored(wire)["osdisk"]["id"]
    body = {"properties": {"encryption": CUSTOMER_KEY}}
    refused: Any = wire.ask("PATCH", made, body)
    assert 409 == refused.status
    assert "previously encrypted with Azure Disk Encryption" in refused.body["error"]["message"]


def test_no_restore_while_a_backup_runs():
    """One job of an item at a time."""
    wire = backed_up()
    (point,) = points(wire)
    back_up(wire)
    with pytest.raises(HttpResponseError) as caught:
        client_of(wire).restores.begin_trigger(*AT, point["name"], request())
    assert caught.value.error is not None
    assert "UserErrorBackupOperationInProgress" == caught.value.error.code


def test_a_machine_that_starts_keeps_its_disks():
    """A machine that is started while its disks are restored fails the job, and keeps what it has."""
    wire = backed_up(machine=deallocated())
    (point,) = points(wire)
    path = f"{ITEM}/recoveryPoints/{point['name']}/restore"
    response = wire.ask("POST", path, request(recoveryType="OriginalLocation"))
    assert "Succeeded" == wire.do("POST", f"{VM}/start")["status"]
    job = finish(wire, wire.follow(response)["properties"]["jobId"])
    assert "Failed" == job["status"]
    assert OS_DISK == wire.get(VM)["properties"]["storageProfile"]["osDisk"]["managedDisk"]["id"]
