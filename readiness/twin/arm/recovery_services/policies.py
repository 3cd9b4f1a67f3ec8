"""Backup policies of virtual machines: GET, lists, PUT, DELETE; Standard (`V1`) and Enhanced (`V2`).

Learn, "Create Azure Backup policies using REST API": a policy nobody uses is written at once, one that
protects machines by an operation. Learn, "Back up an Azure VM using Enhanced policy", and refusals recorded
in public repositories: Enhanced has schedules of 4, 6, 8, 12 or 24 hours and keeps snapshots for 1 to 30 days
(7, where it does not say), Standard for 1 to 5 (2); snapshots go before the daily points of the vault do; the
weekly points lie on the days of a weekly schedule. Only policies of virtual machines are modelled.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any

from readiness.twin.arm import immediate
from readiness.twin.arm.paging import page
from readiness.twin.arm.recovery_services.filters import fits, terms
from readiness.twin.arm.recovery_services.kinds import (
    ENHANCED,
    ITEM,
    POLICY,
    STANDARD,
    VAULT,
    listed_in,
    need_vault,
    tier,
)
from readiness.twin.documents import Json, duplicate, look, same, section
from readiness.twin.messages import ArmError, Response
from readiness.twin.protocols import BACKUP
from readiness.twin.state import State
from readiness.twin.world import Call, Routes, World

_INTERVALS = (4, 6, 8, 12, 24)
_SNAPSHOTS = {STANDARD: range(1, 6), ENHANCED: range(1, 31)}
USUAL_SNAPSHOTS = {STANDARD: 2, ENHANCED: 7}
_SCHEDULES = {STANDARD: "SimpleSchedulePolicy", ENHANCED: "SimpleSchedulePolicyV2"}
_PROTOCOL = replace(BACKUP, status="{target}/operations/{name}")
_FILTERS = {"backupmanagementtype": "properties.backupManagementType"}


def users(state: State, policy: Json) -> list[Json]:
    """Return the items that a policy protects."""
    vault = policy["id"].rpartition("/backupPolicies/")[0] or policy["id"]
    return [
        item for item in state.of_kind(ITEM, vault) if same(look(item, "properties.policyId"), policy["id"])
    ]


def shown(state: State, policy: Json) -> Json:
    """Return a policy as it is answered, with the number of its items."""
    copy: Json = duplicate(policy)
    section(copy, "properties")["protectedItemsCount"] = len(users(state, policy))
    return copy


def get(world: World, call: Call) -> Response:
    """Answer one policy."""
    return Response(200, shown(world.state, world.state.need(call.address)))


def listed(world: World, call: Call) -> Response:
    """Answer the policies of a vault."""
    wanted = terms(call)
    found = [each for each in listed_in(world.state, call.address, POLICY) if fits(each, wanted, _FILTERS)]
    return page(call, found, lambda each: shown(world.state, each))


def write(world: World, call: Call) -> Response:
    """Make a policy, or change one."""
    need_vault(world.state, call.address)
    before = world.state.find(call.address.resource_id)
    ticket = world.admit(call, "vaults/backupPolicies/write", call.address.resource_id)
    properties: Json = duplicate(call.body().get("properties") or {})
    if not same(properties.get("backupManagementType"), "AzureIaasVM"):
        raise ArmError(
            400,
            "BMSUserErrorInvalidPolicyForGivenProvider",
            "Policy is not valid for given provider type. Please choose valid policy for given provider.",
        )
    kind = tier({"properties": properties})
    properties["policyType"] = kind
    if before is not None and tier(before) != kind:
        raise ArmError(
            400,
            "BMSUserErrorPolicyTypeChangeNotAllowed",
            f"The type of policy '{before['name']}' cannot be changed from {tier(before)} to {kind}.",
            unverified=True,
        )
    _check(properties, kind)
    properties.setdefault("timeZone", "UTC")
    properties.setdefault("instantRPDetails", {})
    after = immediate.fresh(call, "Microsoft.RecoveryServices/vaults/backupPolicies")
    after |= {"id": before["id"] if before else after["id"], "properties": properties}
    if before is None or not users(world.state, before):
        world.state.put(after)
        return world.finished(ticket, Response(200, shown(world.state, after)))

    def done(_: datetime) -> None:
        world.state.put(after)

    operation = world.begin(call, ticket, done=done, failed=lambda _: None, protocol=_PROTOCOL)
    return world.accepted(call, ticket, operation, Response(202))


def _check(properties: Json, kind: str) -> None:
    schedule: Any = properties.get("schedulePolicy") or {}
    retention: Any = properties.get("retentionPolicy") or {}
    days = properties.get("instantRpRetentionRangeInDays")
    if days is None:
        days = properties["instantRpRetentionRangeInDays"] = USUAL_SNAPSHOTS[kind]
    daily = _count(retention.get("dailySchedule"))
    if not (
        same(schedule.get("schedulePolicyType"), _SCHEDULES[kind])
        and same(retention.get("retentionPolicyType"), "LongTermRetentionPolicy")
        and days in _SNAPSHOTS[kind]
        and _is_scheduled(schedule, kind)
        and _is_kept(schedule, retention, kind)
    ):
        raise ArmError(
            400,
            "BMSUserErrorInvalidPolicyInput",
            "Input for create or update policy is not in proper format. Please check format of parameters "
            "like schedule time, schedule days, retention time and retention days",
        )
    if daily is not None and daily <= days:
        # The code and the rule are on record; the sentence is an assumption.
        raise ArmError(
            400,
            "BMSUserErrorInstantRPRetentionExceedsVaultedRetention",
            "The instant restore snapshot retention must be less than the daily retention in the vault.",
            unverified=True,
        )


def _is_scheduled(schedule: Json, kind: str) -> bool:
    frequency = str(schedule.get("scheduleRunFrequency") or "").lower()
    if frequency == "hourly":
        return kind == ENHANCED and look(schedule, "hourlySchedule.interval") in _INTERVALS
    own = schedule if kind == STANDARD else schedule.get(f"{frequency}Schedule") or {}
    has_days = frequency == "daily" or (frequency == "weekly" and bool(own.get("scheduleRunDays")))
    return has_days and len(own.get("scheduleRunTimes") or []) == 1


def _is_kept(schedule: Json, retention: Json, kind: str) -> bool:
    """Daily points for a daily or hourly schedule; for a weekly one points of its own days."""
    if not same(schedule.get("scheduleRunFrequency"), "Weekly"):
        count = _count(retention.get("dailySchedule"))
        return count is not None and count >= 1
    own: Any = schedule if kind == STANDARD else schedule.get("weeklySchedule") or {}
    weekly: Any = retention.get("weeklySchedule") or {}
    asked = {str(day).lower() for day in own.get("scheduleRunDays") or []}
    held = {str(day).lower() for day in weekly.get("daysOfTheWeek") or []}
    return retention.get("dailySchedule") is None and _count(weekly) is not None and asked == held


def _count(schedule: object) -> int | None:
    count = look(schedule, "retentionDuration.count")
    return count if isinstance(count, int) else None


def delete(world: World, call: Call) -> Response:
    """Delete a policy that protects nothing."""
    found = world.state.find(call.address.resource_id)
    ticket = world.admit(call, "vaults/backupPolicies/delete", call.address.resource_id)
    if found is None:
        return world.finished(ticket, Response(204))
    if users(world.state, found):
        # The code is on record, the sentence is not.
        raise ArmError(
            400,
            "BMSUserErrorPolicyObjectInUse",
            f"Policy '{found['name']}' cannot be deleted as it is associated with protected items.",
            unverified=True,
        )
    world.state.remove(found["id"])
    return world.finished(ticket, Response(200))


ROUTES: Routes = {
    ("GET", VAULT, "backuppolicies"): listed,
    ("GET", POLICY, ""): get,
    ("PUT", POLICY, ""): write,
    ("DELETE", POLICY, ""): delete,
}
