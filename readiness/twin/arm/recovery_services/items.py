"""Protected items: GET, lists, PUT that protects, changes the policy, stops or undeletes, and DELETE.

Learn, "Back up Azure VMs using REST API": every write is an operation that names a job; a new item is
IRPending until its first backup has ended. Stopping keeps the data. Learn, "Soft delete for Azure Backup":
what is deleted stays as an item for the days of its vault and is brought back, stopped, by a PUT with
`isRehydrate`; without soft delete it goes at once with its recovery points. Guarantees: an item changes in
place.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from readiness.twin.arm.paging import page
from readiness.twin.arm.recovery_services import backups, protection, recovery_points
from readiness.twin.arm.recovery_services.filters import fits, terms
from readiness.twin.arm.recovery_services.jobs import Order, Task, answer, behind
from readiness.twin.arm.recovery_services.kinds import (
    COMPUTE_VM,
    ITEM,
    ITEM_TYPE,
    POINT,
    VAULT,
    Place,
    has_soft_delete,
    invalid_request,
    is_deleted,
    listed_in,
    need_vault,
    place_of,
    retention_days,
    seen_item,
    stamp,
    tier,
    vault_of,
)
from readiness.twin.arm.security import security_type
from readiness.twin.documents import Json, duplicate, look, same, section
from readiness.twin.messages import ArmError, Response
from readiness.twin.operations import draw
from readiness.twin.state import missing
from readiness.twin.world import Call, Routes, Ticket, World

_CONFIGURE = "vaults/backupJobs/configureBackup"
_KEEP_DAYS = 30
_FILTERS = {
    "backupmanagementtype": "properties.backupManagementType",
    "itemtype": "properties.workloadType",
    "policyname": "properties.policyName",
    "friendlyname": "properties.friendlyName",
}


def get(world: World, call: Call) -> Response:
    """Answer one item; its extended information only where the filter asks for it."""
    item = duplicate(seen_item(world.state, call.address))
    if not same(terms(call).get("expand"), "extendedinfo"):
        section(item, "properties").pop("extendedInfo", None)
    return Response(200, item)


def listed(world: World, call: Call) -> Response:
    """Answer the items of a vault, soft-deleted ones included."""
    wanted = terms(call)
    found = [each for each in listed_in(world.state, call.address, ITEM) if fits(each, wanted, _FILTERS)]
    return page(call, found, duplicate)


def write(world: World, call: Call) -> Response:
    """Protect a machine, or change how it is protected."""
    need_vault(world.state, call.address)
    where = place_of(call.address)
    item = world.state.find(where.item_id)
    ticket = world.admit(
        call, "vaults/backupFabrics/protectionContainers/protectedItems/write", where.item_id
    )
    _check_free(world, where.item_id)
    given: Json = duplicate(call.body().get("properties") or {})
    if not same(given.get("protectedItemType") or COMPUTE_VM, COMPUTE_VM):
        raise invalid_request()
    is_stop = same(given.get("protectionState"), "ProtectionStopped")
    if item is None and is_stop:
        raise missing(where.item_id)
    if item is not None and is_deleted(item):
        if given.get("isRehydrate") is not True:
            raise _in_soft_delete(item)
        return _configure(world, call, ticket, item, lambda _: _rehydrate(item))
    if item is not None and is_stop:
        return _configure(world, call, ticket, item, lambda _: _stop(item))
    return _protect(world, call, ticket, where, given)


def _check_free(world: World, item_id: str) -> None:
    """Learn has the words for file shares, whose items are configured by the same operation."""
    if world.operations.running(item_id) is not None:
        raise ArmError(
            409,
            "BMSUserErrorConflictingProtectionOperation",
            "Another configure protection operation is in progress for this item.",
            unverified=True,
        )


def _in_soft_delete(item: Json) -> ArmError:
    return ArmError(
        400,
        "UserErrorItemInSoftDeletedState",
        f"Item '{look(item, 'properties.friendlyName')}' is in soft deleted state: undelete it first.",
        unverified=True,
    )


def _protect(world: World, call: Call, ticket: Ticket, where: Place, given: Json) -> Response:
    state = world.state
    item = state.find(where.item_id)
    source = given.get("sourceResourceId") or look(item, "properties.sourceResourceId")
    vm = protection.need_machine(state, source, where)
    policy_id = given.get("policyId") or look(item, "properties.policyId")
    policy = protection.need_policy(state, where.vault, policy_id)
    protection.check_machine(state, call, vm, policy, item)
    fresh = _new(world, where, vm)
    migrates = item is not None and protection.migrates(world, item, policy, vm)
    kept = fresh if item is None else item

    def change(_: datetime) -> None:
        # A seeded item may say less than Azure does.
        kept["properties"] = fresh["properties"] | (kept.get("properties") or {})
        _cover(kept, policy, given)

    return _configure(world, call, ticket, kept, change, migrates=migrates)


def _new(world: World, where: Place, vm: Json) -> Json:
    number = int(draw(world.seed, "protected item", where.item_id) * 1e14)
    return {
        "id": where.item_id,
        "name": where.item,
        "type": ITEM_TYPE,
        "properties": {
            "protectedItemType": COMPUTE_VM,
            "backupManagementType": "AzureIaasVM",
            "workloadType": "VM",
            "containerName": f"iaasvmcontainerv2;{where.group};{where.machine}",
            "sourceResourceId": vm["id"],
            "virtualMachineId": vm["id"],
            "friendlyName": vm["name"],
            "protectionStatus": "Healthy",
            "protectionState": "IRPending",
            "healthStatus": "Passed",
            "lastBackupStatus": "",
            "protectedItemDataId": str(number),
            "extendedInfo": {"recoveryPointCount": 0, "policyInconsistent": False},
            "isScheduledForDeferredDelete": False,
            "isArchiveEnabled": False,
        },
    }


def _cover(item: Json, policy: Json, given: Json) -> None:
    properties = item["properties"]
    if properties.get("protectionState") in ("ProtectionStopped", "BackupsSuspended"):
        properties["protectionState"] = "Protected" if properties.get("lastRecoveryPoint") else "IRPending"
    properties |= {"policyId": policy["id"], "policyName": policy["name"], "policyType": tier(policy)}
    exclusion = look(given, "extendedProperties.diskExclusionProperties")
    if "extendedProperties" in given:
        properties["extendedProperties"] = {} if exclusion is None else {"diskExclusionProperties": exclusion}


def _stop(item: Json) -> None:
    item["properties"] |= {"protectionState": "ProtectionStopped", "policyId": "", "policyName": ""}


def _rehydrate(item: Json) -> None:
    _stop(item)
    item["properties"]["isScheduledForDeferredDelete"] = False
    for name in ("deferredDeleteTimeInUTC", "deferredDeleteTimeRemaining"):
        item["properties"].pop(name, None)


def _configure(
    world: World,
    call: Call,
    ticket: Ticket,
    item: Json,
    change: Callable[[datetime], None],
    *,
    migrates: bool = False,
) -> Response:
    """Carry a write out: the operation changes the item, and its job follows."""
    state = world.state

    def order_at(when: datetime) -> Order:
        section(item, "properties")["softDeleteRetentionPeriodInDays"] = retention_days(vault_of(state, item))
        change(when)
        if state.find(item["id"]) is None:
            state.put(item)
        vm = state.find(look(item, "properties.sourceResourceId"))
        if vm is not None and security_type(vm) == "TrustedLaunch":
            behind(state, item).was_trusted = True
        if migrates:
            expires = when + timedelta(days=_KEEP_DAYS)
            name = "Configure backup (Migrate policy)"
            return backups.order(world, item, when, expires=expires, operation=name)
        task = Task(name="Configure backup", operation=_CONFIGURE)
        return Order(item=item, operation="ConfigureBackup", tasks=(task,))

    return answer(world, call, ticket, item, order_at)


def delete(world: World, call: Call) -> Response:
    """Stop protection and delete the data, which soft delete keeps for a while."""
    vault = need_vault(world.state, call.address)
    where = place_of(call.address)
    item = world.state.find(where.item_id)
    ticket = world.admit(
        call, "vaults/backupFabrics/protectionContainers/protectedItems/delete", where.item_id
    )
    if item is None:
        return world.finished(ticket, Response(204))
    _check_free(world, item["id"])
    _check_deletable(world, vault, item)

    def order_at(when: datetime) -> Order:
        if has_soft_delete(vault):
            _put_away(world, item, when, days=retention_days(vault))
        else:
            _forget(world, item)
        task = Task(name="Delete backup data", operation=_CONFIGURE)
        return Order(item=item, operation="DeleteBackupData", tasks=(task,))

    return answer(world, call, ticket, item, order_at)


def _check_deletable(world: World, vault: Json, item: Json) -> None:
    if is_deleted(item):
        raise _in_soft_delete(item)
    backups.check_idle(world, item)
    state: Any = look(vault, "properties.securitySettings.immutabilitySettings.state")
    if not same(state or "Disabled", "Disabled"):
        raise ArmError(
            400,
            "UserErrorOperationNotAllowedOnImmutableVault",
            f"Vault '{vault['name']}' is immutable: backup data that has not expired cannot be deleted.",
            unverified=True,
        )


def _put_away(world: World, item: Json, when: datetime, *, days: int) -> None:
    section(item, "properties")
    _stop(item)
    until = stamp(when)
    item["properties"] |= {
        "isScheduledForDeferredDelete": True,
        "deferredDeleteTimeInUTC": until,
        "deferredDeleteTimeRemaining": f"{days}.00:00:00",
    }

    def purge(_: datetime) -> None:
        if is_deleted(item) and look(item, "properties.deferredDeleteTimeInUTC") == until:
            _forget(world, item)

    world.timeline.add(when + timedelta(days=days), purge)


def _forget(world: World, item: Json) -> None:
    for point in world.state.of_kind(POINT, item["id"]):
        recovery_points.forget(world.state, item, point)
    if world.state.find(item["id"]) is item:
        world.state.remove(item["id"])
    world.state.hidden(ITEM).pop(item["id"].lower(), None)


ROUTES: Routes = {
    ("GET", VAULT, "backupprotecteditems"): listed,
    ("GET", ITEM, ""): get,
    ("PUT", ITEM, ""): write,
    ("DELETE", ITEM, ""): delete,
}
