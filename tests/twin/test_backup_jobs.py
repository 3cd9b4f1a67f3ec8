"""Backups on demand and their jobs, through the real Azure Backup client.

Learn, "Track the backup and restore jobs using REST API in Azure Backup",
https://learn.microsoft.com/en-us/azure/backup/backup-azure-arm-userestapi-managejobs, and "Back up Azure
VMs using Azure Backup via REST API",
https://learn.microsoft.com/en-us/azure/backup/backup-azure-arm-userestapi-backupazurevms.
"""

from datetime import datetime, timedelta

import pytest
from azure.core.exceptions import HttpResponseError

from tests.twin.backups import (
    AT,
    ITEM,
    VAULT,
    back_up,
    client_of,
    error_of,
    finish,
    job_of,
    place,
    points,
    protect,
    vault,
)
from tests.twin.seeds import CUSTOMER_KEY, OS_DISK, START, TRUSTED, VM, Wire, deallocated, disk, estate, vm

BACKUP = {"properties": {"objectType": "IaasVMBackupRequest"}}


def code_of(wire: Wire) -> str:
    """The code with which a backup is refused."""
    with pytest.raises(HttpResponseError) as caught:
        client_of(wire).backups.trigger(*AT, BACKUP)
    assert caught.value.error is not None
    return str(caught.value.error.code)


def test_a_backup_is_a_job_that_goes_on_after_its_operation():
    """The operation names a job within seconds; the job takes a snapshot first, and then transfers it."""
    wire = place()
    protect(wire)
    name = back_up(wire)
    job = job_of(wire, name)
    assert ("InProgress", "Backup", "AzureIaaSVMJob") == (job["status"], job["operation"], job["jobType"])
    assert ["Cancellable"] == job["actionsInfo"]
    wire.clock.sleep(400)
    tasks = [(each["taskId"], each["status"]) for each in job_of(wire, name)["extendedInfo"]["tasksList"]]
    assert [("Take Snapshot", "Completed"), ("Transfer data to vault", "InProgress")] == tasks
    assert "Completed" == finish(wire, name)["status"]


def test_a_trigger_is_answered_as_documented():
    """202 without a body, with both addresses beneath the item and a wait of a minute at most."""
    wire = place()
    protect(wire)
    response = wire.ask("POST", f"{ITEM}/backup", BACKUP)
    assert (202, None) == (response.status, response.body)
    assert "/operationsStatus/" in response.headers["Azure-AsyncOperation"]
    assert "/operationResults/" in response.headers["Location"]
    assert 0 < int(response.headers["Retry-After"]) <= 60


def test_operations_are_also_found_at_the_vault():
    """`backupOperations` tells the status of an operation, `backupOperationResults` 202 and then 200."""
    wire = place()
    protect(wire)
    response = wire.ask("POST", f"{ITEM}/backup", BACKUP)
    name = response.headers["Location"].rsplit("/", 1)[-1].partition("?")[0]
    assert "InProgress" == wire.get(f"{VAULT}/backupOperations/{name}")["status"]
    assert 202 == wire.ask("GET", f"{VAULT}/backupOperationResults/{name}").status
    wire.clock.sleep(20)
    assert "Succeeded" == wire.get(f"{VAULT}/backupOperations/{name}")["status"]
    assert "jobId" in wire.get(f"{VAULT}/backupOperationResults/{name}")


def test_a_first_backup_ends_irpending():
    """A new item waits for its first backup; after it the item is Protected, and says how the backup went."""
    wire = place()
    before = protect(wire)["properties"]
    assert "IRPending" == before["protectionState"]
    finish(wire, back_up(wire))
    after = wire.get(ITEM)["properties"]
    assert ("Protected", "Completed") == (after["protectionState"], after["lastBackupStatus"])
    assert START < datetime.fromisoformat(after["lastBackupTime"])


def test_a_recovery_point_moves_through_its_tiers():
    """A point is in the snapshot tier first, in the vault after the transfer, until each expires."""
    wire = place()
    protect(wire)
    name = back_up(wire)
    wire.clock.sleep(400)
    tiers = [each["type"] for each in points(wire)[0]["properties"]["recoveryPointTierDetails"]]
    assert ["InstantRP"] == tiers
    finish(wire, name)
    tiers = [each["type"] for each in points(wire)[0]["properties"]["recoveryPointTierDetails"]]
    assert ["InstantRP", "HardenedRP"] == tiers
    wire.clock.sleep(2 * 24 * 3600)
    tiers = [each["type"] for each in points(wire)[0]["properties"]["recoveryPointTierDetails"]]
    assert ["HardenedRP"] == tiers
    wire.clock.sleep(28 * 24 * 3600)
    assert [] == points(wire)


def test_a_recovery_point_expires_when_asked_to():
    """`recoveryPointExpiryTimeInUTC` says how long a point is kept; a time that is past is refused."""
    wire = place()
    protect(wire)
    until = wire.clock.now() + timedelta(days=5)
    finish(wire, back_up(wire, recoveryPointExpiryTimeInUTC=until.isoformat().replace("+00:00", "Z")))
    told = points(wire)[0]["properties"]["recoveryPointProperties"]["expiryTime"]
    assert until == datetime.fromisoformat(told)
    wire.clock.sleep(5 * 24 * 3600)
    assert [] == points(wire)
    past = {"properties": {**BACKUP["properties"], "recoveryPointExpiryTimeInUTC": "2020-01-01T00:00:00Z"}}
    assert 400 == wire.ask("POST", f"{ITEM}/backup", past).status


@pytest.mark.parametrize(
    ("machine", "consistency"),
    [(None, "FileSystemConsistent"), (deallocated(), "CrashConsistent")],
    ids=["running", "deallocated"],
)
def test_consistency_follows_power(machine, consistency):
    """A running Linux machine gives a file-system-consistent point, one that is off a crash-consistent."""
    wire = place(machine=machine)
    protect(wire)
    finish(wire, back_up(wire))
    properties = points(wire)[0]["properties"]
    assert consistency == properties["recoveryPointType"]
    assert 2 == properties["recoveryPointDiskConfiguration"]["numberOfDisksIncludedInBackup"]


def test_one_backup_at_a_time():
    """A second backup is refused while the operation of the first begins, and while its job runs.

    Learn, "Troubleshoot Azure Backup failure: Issues with the agent or extension",
    https://learn.microsoft.com/en-us/azure/backup/backup-azure-troubleshoot-vm-backup-fails-snapshot-timeout.
    """
    wire = place()
    protect(wire)
    client_of(wire).backups.trigger(*AT, BACKUP)
    assert "UserErrorBackupOperationInProgress" == code_of(wire)
    wire.clock.sleep(60)
    assert "UserErrorBackupOperationInProgress" == code_of(wire)
    wire.clock.sleep(4 * 3600)
    client_of(wire).backups.trigger(*AT, BACKUP)


def test_a_silent_agent_fails_the_job():
    """A running machine whose agent is not Ready cannot be backed up; its item says so."""
    silent = {"vmAgent": {"statuses": [{"displayStatus": "Not Ready"}]}, "statuses": []}
    silent["statuses"] = [{"code": "PowerState/running"}]
    wire = place(machine=vm(instanceView=silent))
    protect(wire)
    job = finish(wire, back_up(wire))
    assert ("Failed", "UserErrorGuestAgentStatusUnavailable") == (job["status"], error_of(job))
    assert "Failed" == wire.get(ITEM)["properties"]["lastBackupStatus"]
    assert [] == points(wire)


def test_a_change_of_the_machine_fails_the_snapshot():
    """A key changed while the snapshot is taken: the job fails, the change stands, and the next job succeeds.

    Learn, "Troubleshoot restore point failures",
    https://learn.microsoft.com/en-us/azure/virtual-machines/restore-point-troubleshooting.
    """
    wire = place(machine=deallocated())
    protect(wire)
    name = back_up(wire)
    wire.do("PATCH", OS_DISK, {"properties": {"encryption": CUSTOMER_KEY}})
    job = finish(wire, name)
    assert ("Failed", "OperationNotAllowed") == (job["status"], error_of(job))
    assert "Create Restore Point" in job["errorDetails"][0]["errorString"]
    finish(wire, back_up(wire))
    assert 1 == len(points(wire))


def test_a_machine_that_leaves_trusted_launch_cannot_be_backed_up():
    """What was backed up with Trusted Launch and is Standard now fails, in the documented words.

    Learn, "Troubleshoot backup errors with Azure VMs",
    https://learn.microsoft.com/en-us/azure/backup/backup-azure-vms-troubleshoot.
    """
    wire = place(machine=deallocated(securityProfile=TRUSTED))
    protect(wire, "hourly")
    back = {"properties": {"securityProfile": {"securityType": "Standard"}}}
    assert "Succeeded" == wire.do("PATCH", VM, back)["status"]
    job = finish(wire, back_up(wire))
    assert "UserErrorMigrationFromTrustedLaunchVMToNonTrustedVMNotAllowed" == error_of(job)


def test_a_read_only_lock_on_the_machine_fails_the_job():
    """The service cannot take snapshots of a machine that is locked ReadOnly."""
    lock = {
        "id": f"{VM}/providers/Microsoft.Authorization/locks/frozen",
        "name": "frozen",
        "type": "Microsoft.Authorization/locks",
        "properties": {"level": "ReadOnly"},
    }
    wire = place(lock)
    protect(wire)
    assert "ScopeLocked" == error_of(finish(wire, back_up(wire)))


def test_a_deleted_machine_fails_the_job():
    """A machine that has gone cannot be backed up, but its item stays."""
    wire = place()
    protect(wire)
    wire.do("DELETE", VM)
    job = finish(wire, back_up(wire))
    assert "UserErrorVmNotFound" == error_of(job)
    assert "web-1" == wire.get(ITEM)["properties"]["friendlyName"]


def test_disks_that_demand_authentication_fail_the_job():
    """Learn, "Back up an Azure VM using Enhanced policy": backups of such disks fail.

    https://learn.microsoft.com/en-us/azure/backup/backup-azure-vms-enhanced-policy.
    """
    wire = place(disk("web-1-data", osType=None, dataAccessAuthMode="AzureActiveDirectory"))
    protect(wire)
    assert "Failed" == finish(wire, back_up(wire))["status"]


@pytest.mark.parametrize("word", ["takeSnapshot", "transferData"])
def test_faults_reach_into_jobs(word):
    """A faults file fails a task of a job by its operation, with the code it names."""
    fault = {
        "kind": "fail",
        "operation": f"vaults/backupJobs/{word}",
        "at": "end",
        "code": "ExtensionSnapshotFailedNoNetwork",
        "message": "Snapshot operation failed due to no network connectivity on the virtual machine",
    }
    wire = place(faults=[fault])
    protect(wire)
    job = finish(wire, back_up(wire))
    assert ("Failed", "ExtensionSnapshotFailedNoNetwork") == (job["status"], error_of(job))
    assert (1 if word == "transferData" else 0) == len(points(wire))
    assert "Completed" == finish(wire, back_up(wire))["status"]


def test_a_job_can_be_cancelled():
    """A job under way is Cancelling and then Cancelled, and does nothing more; a second cancel is refused."""
    wire = place()
    protect(wire)
    name = back_up(wire)
    client_of(wire).job_cancellations.trigger("rsv", "rg-app", name)
    assert "Cancelling" == job_of(wire, name)["status"]
    assert "Cancelled" == finish(wire, name)["status"]
    wire.clock.sleep(8000)
    assert [] == points(wire)
    assert "Cancelled" == job_of(wire, name)["status"]
    with pytest.raises(HttpResponseError):
        client_of(wire).job_cancellations.trigger("rsv", "rg-app", name)


def test_jobs_are_listed_and_filtered():
    """A list knows operation, status and time, and leaves the tasks out; a filter that is none is refused."""
    wire = place()
    protect(wire)
    name = back_up(wire)
    jobs = client_of(wire).backup_jobs
    by_status = jobs.list("rsv", "rg-app", filter="status eq 'InProgress' and operation eq 'Backup'")
    found = [each.as_dict() for each in by_status]
    assert [name] == [each["name"] for each in found]
    assert not found[0]["properties"].get("extendedInfo")
    assert 2 == len(list(jobs.list("rsv", "rg-app")))
    window = "startTime eq '2026-11-02 04:00:15 AM' and endTime eq '2026-11-03 04:00:15 AM'"
    assert [] == list(jobs.list("rsv", "rg-app", filter=window))
    with pytest.raises(HttpResponseError):
        list(jobs.list("rsv", "rg-app", filter="status is new"))


def test_nine_attempts_a_day():
    """Learn, "Support matrix for Azure VM backups": the tenth attempt in 24 hours is refused.

    https://learn.microsoft.com/en-us/azure/backup/backup-support-matrix-iaas.
    """
    wire = place()
    protect(wire)
    for _ in range(9):
        finish(wire, back_up(wire))
    assert 429 == wire.ask("POST", f"{ITEM}/backup", BACKUP).status
    wire.clock.sleep(24 * 3600)
    assert 202 == wire.ask("POST", f"{ITEM}/backup", BACKUP).status


def test_an_enhanced_backup_leaves_a_restore_point():
    """Enhanced keeps its snapshots in a collection of its own group, where they hold on to the disks' keys.

    Learn, "Azure Instant Restore capability",
    https://learn.microsoft.com/en-us/azure/backup/backup-instant-restore-capability.
    """
    wire = place(machine=deallocated())
    protect(wire, "hourly")
    finish(wire, back_up(wire))
    listing = f"/subscriptions/{VM.split('/')[2]}/providers/Microsoft.Compute/restorePointCollections"
    (collection,) = wire.get(listing)["value"]
    assert "/resourceGroups/AzureBackupRG_westeurope_1/" in collection["id"]
    assert collection["name"].startswith("AzureBackup_web-1_")
    assert VM == collection["properties"]["source"]["id"]
    assert 409 == wire.ask("PATCH", OS_DISK, {"properties": {"encryption": CUSTOMER_KEY}}).status
    wire.clock.sleep(7 * 24 * 3600)
    assert [] == wire.get(listing)["value"]
    assert "Succeeded" == wire.do("PATCH", OS_DISK, {"properties": {"encryption": CUSTOMER_KEY}})["status"]


def test_a_lock_keeps_old_restore_points():
    """A lock on the group of the snapshots stops their clean-up."""
    wire = place(machine=deallocated())
    protect(wire, "hourly")
    finish(wire, back_up(wire))
    group = f"/subscriptions/{VM.split('/')[2]}/resourceGroups/AzureBackupRG_westeurope_1"
    level = {"properties": {"level": "CanNotDelete"}}
    lock = f"{group}/providers/Microsoft.Authorization/locks/kept"
    assert 201 == wire.ask("PUT", lock, level, version="2020-05-01").status
    wire.clock.sleep(8 * 24 * 3600)
    assert 1 == len(wire.get(f"{group}/providers/Microsoft.Compute/restorePointCollections")["value"])


def test_a_full_collection_fails_the_job():
    """With 18 restore points kept, the next backup fails, as where a lock has stopped the clean-up.

    Learn, "Troubleshoot Azure Backup failure: Issues with the agent or extension",
    https://learn.microsoft.com/en-us/azure/backup/backup-azure-troubleshoot-vm-backup-fails-snapshot-timeout.
    """
    wire = place()
    protect(wire, "hourly")
    for _ in range(18):
        back_up(wire)
        wire.clock.sleep(3 * 3600)
    assert 18 == len(points(wire))
    assert "UserErrorRpCollectionLimitReached" == error_of(finish(wire, back_up(wire)))


def test_a_failed_machine_fails_the_job():
    """A machine whose provisioning has failed cannot be backed up."""
    wire = place(machine=vm(provisioningState="Failed"))
    protect(wire)
    assert "UserErrorVmProvisioningStateFailed" == error_of(finish(wire, back_up(wire)))


def test_a_lost_vault_key_fails_the_transfer():
    """A vault that has lost its own key takes the snapshot, and nothing after it."""
    key = {"keyVaultProperties": {"keyUri": "https://kv-gone.vault.azure.net/keys/k"}}
    wire = place(vault(encryption=key))
    protect(wire)
    job = finish(wire, back_up(wire))
    tasks = [each["status"] for each in job["extendedInfo"]["tasksList"]]
    assert (["Completed", "Failed"], "BMSUserErrorVaultEncryptionKeyNotAccessible") == (tasks, error_of(job))
    (point,) = points(wire)
    assert ["InstantRP"] == [each["type"] for each in point["properties"]["recoveryPointTierDetails"]]


def test_a_seed_without_backup_is_as_before():
    """A twin that holds no vault answers 404 for what would be in one."""
    wire = Wire(*estate())
    assert 404 == wire.ask("POST", f"{ITEM}/backup", BACKUP).status
    wire = Wire(*estate(vault()))
    assert 404 == wire.ask("POST", f"{ITEM}/backup", BACKUP).status


def test_seeded_jobs_and_points_may_say_nothing():
    """Jobs, points, policies and vaults of a seed that have no properties are listed, read and written."""
    bare = [f"{VAULT}/backupJobs/old", f"{ITEM}/recoveryPoints/7", f"{VAULT}/backupPolicies/bare"]
    wire = place({"id": VAULT, "location": "westeurope"}, {"id": ITEM}, *({"id": each} for each in bare))
    assert bare == [wire.get(each)["id"] for each in bare]
    assert ["old"] == [each["name"] for each in wire.get(f"{VAULT}/backupJobs")["value"]]
    assert ["7"] == [each["name"] for each in wire.get(f"{ITEM}/recoveryPoints")["value"]]
    assert 400 == wire.ask("POST", f"{bare[0]}/cancel").status
    assert "AlwaysON" != wire.get(f"{VAULT}/backupconfig/vaultconfig")["properties"]["softDeleteFeatureState"]
    assert 202 == wire.ask("PATCH", VAULT, {"tags": {}}).status
    wire.clock.sleep(20)
    protect(wire)
    assert "Completed" == finish(wire, back_up(wire))["status"]
    assert 202 == wire.ask("DELETE", ITEM).status
    wire.clock.sleep(60)
    assert wire.get(ITEM)["properties"]["isScheduledForDeferredDelete"] is True
