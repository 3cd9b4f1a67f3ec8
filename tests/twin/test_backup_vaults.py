"""Recovery Services vaults by raw requests, backup policies and configurations through the real client."""

import copy
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

from tests.twin.backups import (
    AT,
    VAULT,
    client_of,
    covered,
    enhanced,
    place,
    policy_id,
    protect,
    retention,
    standard,
    vault,
)
from tests.twin.seeds import Wire, estate

NEW = VAULT.replace("rsv", "new")
BODY = {"location": "westeurope", "sku": {"name": "RS0", "tier": "Standard"}, "properties": {}}
SOFT = "softDeleteSettings"
KEY = "https://kv.vault.azure.net/keys/k"


def soft(**settings: Any) -> dict[str, Any]:
    """The properties that set a vault's soft delete."""
    return {"securitySettings": {SOFT: settings}}


def test_a_new_vault_is_secure_by_default():
    """A PUT is an operation; the vault has soft delete AlwaysON for 14 days, and its identity a principal.

    Learn, "Secure by default with soft delete for Azure Backup",
    https://learn.microsoft.com/en-us/azure/backup/secure-by-default.
    """
    wire = Wire(*estate())
    assert "Succeeded" == wire.do("PUT", NEW, BODY | {"identity": {"type": "SystemAssigned"}})["status"]
    made = wire.get(NEW)
    told = made["properties"]["securitySettings"][SOFT]
    assert ("AlwaysON", 14) == (told["softDeleteState"], told["softDeleteRetentionPeriodInDays"])
    assert "Succeeded" == made["properties"]["provisioningState"]
    assert made["identity"]["principalId"]
    config = wire.get(f"{NEW}/backupconfig/vaultconfig")["properties"]
    assert ("AlwaysON", False) == (
        config["softDeleteFeatureState"],
        config["isSoftDeleteFeatureStateEditable"],
    )


@pytest.mark.parametrize(
    ("seed", "path", "body", "code"),
    [
        (
            (),
            NEW,
            BODY | {"properties": soft(softDeleteState="Disabled")},
            "BMSUserErrorSoftDeleteStateNotSetToAlwaysON",
        ),
        ((), NEW, {"location": "westeurope", "properties": {}}, "BadRequest"),
        ((), NEW, {"sku": {"name": "RS0"}}, "LocationRequired"),
        (
            (vault(soft_delete="AlwaysON"),),
            VAULT,
            BODY | {"properties": soft(softDeleteState="Disabled")},
            "BMSUserErrorDisablingSoftDeleteStateNotAllowed",
        ),
        (
            (vault(),),
            VAULT,
            BODY | {"properties": soft(softDeleteRetentionPeriodInDays=3)},
            "BMSUserErrorInvalidSoftDeleteRetentionPeriod",
        ),
        ((vault(),), VAULT, BODY | {"location": "swedencentral"}, "InvalidResourceLocation"),
        (
            (vault(securitySettings={"immutabilitySettings": {"state": "Locked"}}),),
            VAULT,
            BODY | {"properties": {"securitySettings": {"immutabilitySettings": {"state": "Disabled"}}}},
            "BMSUserErrorImmutabilityLocked",
        ),
        (
            (vault(),),
            VAULT,
            BODY | {"properties": {"encryption": {"keyVaultProperties": {"keyUri": KEY}}}},
            "BMSUserErrorVaultEncryptionKeyNotAccessible",
        ),
    ],
)
def test_vaults_that_are_refused(seed, path, body, code):
    """What a vault can never be, and what is never taken back, is refused in the words of the service."""
    wire = Wire(*estate(*seed))
    before = wire.ask("GET", path).body
    assert code == wire.refused("PUT", path, body)[1]
    assert before == wire.ask("GET", path).body


def test_an_older_vault_can_still_lose_soft_delete():
    """A vault that says Enabled is switched through its configuration, as long as it is not AlwaysON."""
    wire = place()
    path = f"{VAULT}/backupconfig/vaultconfig"
    configs = client_of(wire).backup_resource_vault_configs
    configs.update("rsv", "rg-app", {"properties": {"softDeleteFeatureState": "Disabled"}})
    assert "Disabled" == wire.get(path)["properties"]["softDeleteFeatureState"]
    configs.update("rsv", "rg-app", {"properties": {"softDeleteFeatureState": "AlwaysON"}})
    with pytest.raises(HttpResponseError) as caught:
        configs.update("rsv", "rg-app", {"properties": {"softDeleteFeatureState": "Disabled"}})
    assert caught.value.error is not None
    assert "BMSUserErrorDisablingSoftDeleteStateNotAllowed" == caught.value.error.code


def test_tags_and_settings_are_patched():
    """A PATCH changes what it names and keeps the rest; a list knows the vault."""
    wire = place()
    assert "Succeeded" == wire.do("PATCH", VAULT, {"tags": {"env": "test"}})["status"]
    assert {"env": "test"} == wire.get(VAULT)["tags"]
    assert "Enabled" == wire.get(VAULT)["properties"]["securitySettings"][SOFT]["softDeleteState"]
    listing = VAULT.rpartition("/")[0]
    assert ["rsv"] == [each["name"] for each in wire.get(listing)["value"]]
    assert 0 == wire.get(f"{VAULT}/usages")["value"][0]["currentValue"]


def test_a_vault_with_items_is_not_deleted():
    """Living items and soft-deleted ones keep a vault; an empty one goes with its policies.

    Learn, "Delete an Azure Backup Recovery Services vault",
    https://learn.microsoft.com/en-us/azure/backup/backup-azure-delete-vault.
    """
    wire = place()
    protect(wire)
    assert (400, "BMSUserErrorVaultDeletionNotAllowed") == wire.refused("DELETE", VAULT)
    client_of(wire).protected_items.delete(*AT)
    wire.clock.sleep(60)
    assert (400, "BMSUserErrorVaultDeletionNotPermitted") == wire.refused("DELETE", VAULT)
    wire.clock.sleep(14 * 24 * 3600)
    assert "Succeeded" == wire.do("DELETE", VAULT)["status"]
    assert 404 == wire.ask("GET", VAULT).status
    assert 404 == wire.ask("GET", policy_id("daily")).status
    assert 204 == wire.ask("DELETE", VAULT).status


def test_policies_are_written_and_listed():
    """A policy nobody uses is written at once; its tier follows from its schedule; the list is filtered.

    Learn, "Create Azure Recovery Services backup policies using REST API",
    https://learn.microsoft.com/en-us/azure/backup/backup-azure-arm-userestapi-createorupdatepolicy.
    """
    wire = place()
    client = client_of(wire)
    made = client.protection_policies.create_or_update("rsv", "rg-app", "new", {"properties": standard()})
    assert "V1" == made.as_dict()["properties"]["policyType"]
    body = enhanced()
    body.pop("policyType")
    del body["instantRpRetentionRangeInDays"]
    assert 200 == wire.ask("PUT", policy_id("other"), {"properties": body}).status
    assert "V2" == wire.get(policy_id("other"))["properties"]["policyType"]
    assert 7 == wire.get(policy_id("other"))["properties"]["instantRpRetentionRangeInDays"]
    of_vms = "backupManagementType eq 'AzureIaasVM'"
    found = client.backup_policies.list("rsv", "rg-app", filter=of_vms)
    assert ["daily", "hourly", "new", "other"] == [each.name for each in found]
    assert [] == list(client.backup_policies.list("rsv", "rg-app", filter="backupManagementType eq 'MAB'"))


def test_a_policy_in_use_is_written_by_an_operation_and_not_deleted():
    """It counts its items; a change is followed at `operations`; a deletion waits until nobody uses it."""
    wire = place()
    protect(wire)
    assert 1 == wire.get(policy_id("daily"))["properties"]["protectedItemsCount"]
    response = wire.ask("PUT", policy_id("daily"), {"properties": standard(retentionPolicy=retention(60))})
    assert 202 == response.status
    assert "/backupPolicies/daily/operations/" in response.headers["Azure-AsyncOperation"]
    wire.clock.sleep(10)
    kept = wire.get(policy_id("daily"))["properties"]["retentionPolicy"]["dailySchedule"]
    assert 60 == kept["retentionDuration"]["count"]
    assert (400, "BMSUserErrorPolicyObjectInUse") == wire.refused("DELETE", policy_id("daily"))
    client_of(wire).protected_items.begin_create_or_update(*AT, covered("hourly")).result()
    client_of(wire).protection_policies.begin_delete("rsv", "rg-app", "daily").result()
    assert 404 == wire.ask("GET", policy_id("daily")).status


def changed(properties: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A policy with another value at a path."""
    made = copy.deepcopy(properties)
    *way, last = path.split(".")
    inner = made
    for name in way:
        inner = inner[name]
    inner[last] = value
    return made


INVALID = "BMSUserErrorInvalidPolicyInput"
TOO_LONG = "BMSUserErrorInstantRPRetentionExceedsVaultedRetention"


@pytest.mark.parametrize(
    ("properties", "code"),
    [
        (changed(standard(), "instantRpRetentionRangeInDays", 6), INVALID),
        (changed(enhanced(), "instantRpRetentionRangeInDays", 31), INVALID),
        (changed(enhanced(), "schedulePolicy.hourlySchedule.interval", 5), INVALID),
        (changed(standard(), "schedulePolicy.scheduleRunFrequency", "Hourly"), INVALID),
        (changed(standard(), "schedulePolicy.scheduleRunTimes", []), INVALID),
        (changed(standard(), "retentionPolicy.dailySchedule", None), INVALID),
        (changed(enhanced(), "policyType", "V1"), INVALID),
        (changed(enhanced(), "retentionPolicy.dailySchedule.retentionDuration.count", 7), TOO_LONG),
        (
            changed(standard(), "backupManagementType", "AzureSql"),
            "BMSUserErrorInvalidPolicyForGivenProvider",
        ),
    ],
)
def test_policies_that_are_refused(properties, code):
    """Schedule, retention and tier have to fit each other, as refusals on public record have it."""
    wire = place()
    assert (400, code) == wire.refused("PUT", policy_id("new"), {"properties": properties})
    assert 404 == wire.ask("GET", policy_id("new")).status


@pytest.mark.parametrize(("days", "status"), [(["Monday"], 200), (["Sunday"], 400)])
def test_weekly_points_lie_on_the_days_of_the_schedule(days, status):
    """A weekly schedule keeps weekly points of its own days."""
    schedule = {
        "schedulePolicyType": "SimpleSchedulePolicy",
        "scheduleRunFrequency": "Weekly",
        "scheduleRunDays": ["Monday"],
        "scheduleRunTimes": ["2026-11-01T21:30:00Z"],
    }
    weekly = {"daysOfTheWeek": days, "retentionDuration": {"count": 12, "durationType": "Weeks"}}
    kept = {"retentionPolicyType": "LongTermRetentionPolicy", "weeklySchedule": weekly}
    body = {"properties": standard(schedulePolicy=schedule, retentionPolicy=kept)}
    assert status == place().ask("PUT", policy_id("new"), body).status


def test_the_tier_of_a_policy_is_fixed():
    """A Standard policy does not become Enhanced."""
    wire = place()
    body = {"properties": enhanced()}
    assert (400, "BMSUserErrorPolicyTypeChangeNotAllowed") == wire.refused("PUT", policy_id("daily"), body)
