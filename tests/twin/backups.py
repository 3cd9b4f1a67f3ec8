"""A vault, its policies and the real Azure Backup client for the tests of Azure Backup."""

from typing import Any

from azure.core.rest import HttpRequest
from azure.mgmt.recoveryservicesbackup import RecoveryServicesBackupClient

from readiness.twin.credential import TwinCredential
from readiness.twin.transport import TwinTransport
from tests.twin.seeds import SUBSCRIPTION, VM, Wire, estate

GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-app"
VAULT = f"{GROUP}/providers/Microsoft.RecoveryServices/vaults/rsv"
CONTAINER = "IaasVMContainer;iaasvmcontainerv2;rg-app;web-1"
NAME = "VM;iaasvmcontainerv2;rg-app;web-1"
ITEM = f"{VAULT}/backupFabrics/Azure/protectionContainers/{CONTAINER}/protectedItems/{NAME}"
STAGING = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/staging"
AT = ("rsv", "rg-app", "Azure", CONTAINER, NAME)
"""Where the SDK's methods find the item."""


def vault(name: str = "rsv", *, soft_delete: str = "Enabled", **properties: Any) -> dict[str, Any]:
    """A seeded vault, as older ones are: soft delete can still be switched off."""
    soft = {"softDeleteState": soft_delete, "softDeleteRetentionPeriodInDays": 14}
    return {
        "id": VAULT.replace("rsv", name),
        "name": name,
        "type": "Microsoft.RecoveryServices/vaults",
        "location": "westeurope",
        "sku": {"name": "RS0", "tier": "Standard"},
        "properties": {"securitySettings": {"softDeleteSettings": soft}, **properties},
    }


def standard(**changes: Any) -> dict[str, Any]:
    """The properties of a Standard policy with daily backups."""
    return {
        "backupManagementType": "AzureIaasVM",
        "instantRpRetentionRangeInDays": 2,
        "schedulePolicy": {
            "schedulePolicyType": "SimpleSchedulePolicy",
            "scheduleRunFrequency": "Daily",
            "scheduleRunTimes": ["2026-11-01T21:30:00Z"],
        },
        "retentionPolicy": retention(30),
        "timeZone": "UTC",
        **changes,
    }


def enhanced(**changes: Any) -> dict[str, Any]:
    """The properties of an Enhanced policy with backups every four hours."""
    return {
        "backupManagementType": "AzureIaasVM",
        "policyType": "V2",
        "instantRpRetentionRangeInDays": 7,
        "schedulePolicy": {
            "schedulePolicyType": "SimpleSchedulePolicyV2",
            "scheduleRunFrequency": "Hourly",
            "hourlySchedule": {
                "interval": 4,
                "scheduleWindowStartTime": "2026-11-01T08:00:00Z",
                "scheduleWindowDuration": 24,
            },
        },
        "retentionPolicy": retention(35),
        "timeZone": "UTC",
        **changes,
    }


def retention(days: int) -> dict[str, Any]:
    """Daily points, kept for so many days."""
    return {
        "retentionPolicyType": "LongTermRetentionPolicy",
        "dailySchedule": {
            "retentionTimes": ["2026-11-01T21:30:00Z"],
            "retentionDuration": {"count": days, "durationType": "Days"},
        },
    }


def policy(name: str, properties: dict[str, Any]) -> dict[str, Any]:
    """A seeded policy."""
    return {
        "id": policy_id(name),
        "name": name,
        "type": "Microsoft.RecoveryServices/vaults/backupPolicies",
        "properties": {"policyType": "V1", **properties},
    }


def policy_id(name: str) -> str:
    """The id of a policy of the vault."""
    return f"{VAULT}/backupPolicies/{name}"


def place(*others: dict[str, Any], machine: dict[str, Any] | None = None, **more: Any) -> Wire:
    """A twin with one machine, a vault, a Standard policy and an Enhanced one; nothing is protected yet."""
    seed = [vault(), policy("daily", standard()), policy("hourly", enhanced())]
    ids = {each.get("id") for each in others}
    kept = [each for each in seed if each["id"] not in ids]
    return Wire(*estate(*kept, *others, machine=machine), **more)


def client_of(wire: Wire) -> RecoveryServicesBackupClient:
    """The real client, on a twin."""
    return RecoveryServicesBackupClient(TwinCredential(), SUBSCRIPTION, transport=TwinTransport(wire.twin))


def covered(name: str = "daily", **properties: Any) -> dict[str, Any]:
    """The body that protects the machine by a policy."""
    own = {"protectedItemType": "Microsoft.Compute/virtualMachines", "sourceResourceId": VM}
    return {"properties": own | {"policyId": policy_id(name)} | properties}


def protect(wire: Wire, name: str = "daily", **properties: Any) -> Any:
    """Protect the machine, wait, and return the wire form of the item."""
    poller = client_of(wire).protected_items.begin_create_or_update(*AT, covered(name, **properties))
    item = poller.result().as_dict()
    wire.clock.sleep(60)
    return item


def back_up(wire: Wire, **request: Any) -> str:
    """Trigger a backup as the SDK does, follow its header to the job, and return the job's name."""
    kept: list[Any] = []
    body = {"properties": {"objectType": "IaasVMBackupRequest", **request}}
    client_of(wire).backups.trigger(*AT, body, cls=lambda response, *_: kept.append(response))
    return wait_for_job(wire, kept[0].http_response.headers["Azure-AsyncOperation"])


def wait_for_job(wire: Wire, address: str) -> str:
    """Poll an operation to its end and return the job it tells of."""
    while True:
        response = client_of(wire).send_request(HttpRequest("GET", address))
        response.raise_for_status()
        told = response.json()
        if told["status"] != "InProgress":
            assert "Succeeded" == told["status"], told
            assert "OperationStatusJobExtendedInfo" == told["properties"]["objectType"]
            return str(told["properties"]["jobId"])
        wire.clock.sleep(5)


def job_of(wire: Wire, name: str) -> Any:
    """The properties of a job, in their wire form."""
    return client_of(wire).job_details.get("rsv", "rg-app", name).as_dict()["properties"]


def finish(wire: Wire, name: str) -> Any:
    """Wait until a job has ended, and return its properties."""
    for _ in range(600):
        status = wire.get(f"{VAULT}/backupJobs/{name}")["properties"]["status"]
        if status not in ("InProgress", "Cancelling"):
            return job_of(wire, name)
        wire.clock.sleep(30)
    raise AssertionError(f"job {name} does not end")


def points(wire: Wire) -> list[Any]:
    """The recovery points of the item, the newest first."""
    return [each.as_dict() for each in client_of(wire).recovery_points.list(*AT)]


def error_of(job: Any) -> str:
    """The code with which a job has failed."""
    return str(job["errorDetails"][0]["errorTitle"])
