"""Restores of virtual machines: new disks in a resource group, or in the place of the machine's own.

Learn, "Restore Azure VMs using REST API": RestoreDisks makes managed disks in the target resource group, and
OriginalLocation puts them in the place of those the machine has, which are kept. Learn, "Troubleshoot backup
errors with Azure VMs", has the refusals across subscriptions. A disk comes back as it was: its size,
generation, security type, encryption and Azure Disk Encryption's mark. Learn does not say that a machine must
be off for its disks to be replaced; the twin demands it. AlternateLocation, which makes a machine, is not
modelled.
"""

from datetime import datetime
from typing import Any

from readiness.twin.arm import attachments, encryption, security
from readiness.twin.arm.recovery_services.backups import check_idle
from readiness.twin.arm.recovery_services.jobs import Order, Task, answer
from readiness.twin.arm.recovery_services.kinds import POINT, need_item, need_vault, stamp
from readiness.twin.arm.recovery_services.recovery_points import Contents, Kept, contents, need, tiers
from readiness.twin.documents import Json, duplicate, look, same
from readiness.twin.machine import Power, model_disks
from readiness.twin.messages import ArmError, Response
from readiness.twin.operations import identifier
from readiness.twin.paths import parse
from readiness.twin.state import State, place
from readiness.twin.world import Call, Routes, World

_NOT_KEPT = ("managedBy", "managedByExtended", "etag", "tags")
_ACROSS = "UserErrorCrossSubscriptionRestoreNotSuppported"


def trigger(world: World, call: Call) -> Response:
    """Begin a restore."""
    state = world.state
    item = need_item(state, call.address)
    ticket = world.admit(
        call,
        "vaults/backupFabrics/protectionContainers/protectedItems/recoveryPoints/restore",
        item["id"],
    )
    point = need(state, call)
    given: Json = duplicate(call.body().get("properties") or {})
    held = _check(world, call, item, point, given)
    return answer(world, call, ticket, item, lambda _: _order(world, item, held, given))


def _check(world: World, call: Call, item: Json, point: Json, given: Json) -> Contents:
    if not same(given.get("objectType"), "IaasVMRestoreRequest"):
        raise _refused("The restore request must be of type IaasVMRestoreRequest.")
    kind = str(given.get("recoveryType")).lower()
    if kind not in ("restoredisks", "originallocation"):
        raise _refused(f"The recovery type '{given.get('recoveryType')}' is not modelled.")
    vault = need_vault(world.state, call.address)
    if not same(place(given.get("region")), place(vault.get("location"))):
        raise _refused(f"The region '{given.get('region')}' is not that of vault '{vault['name']}'.")
    if not given.get("storageAccountId"):
        raise _refused("A staging storage account is needed: 'storageAccountId' is missing.")
    account = world.state.find(str(given["storageAccountId"]))
    if account is not None and place(account.get("location")) != place(vault.get("location")):
        raise _refused("The Recovery Services vault and target storage account are in two different regions.")
    held = contents(world.state, point)
    if held is None:
        raise _refused(f"Recovery point '{point['name']}' is of the seed: the twin does not hold its disks.")
    check_idle(world, item)
    if kind == "originallocation":
        _check_original(world.state, item, held)
    else:
        _check_target(world.state, call, point, held, given)
    if given.get("diskEncryptionSetId") is not None:
        for kept in held.disks:
            made = _restored(world, kept, held, _group(held, given), given, call.now)
            encryption.check(world.state, None, made, call.now)
    return held


def _refused(message: str) -> ArmError:
    return ArmError(400, "BMSUserErrorInvalidRestoreRequest", message, unverified=True)


def _check_original(state: State, item: Json, held: Contents) -> None:
    vm = state.find(look(item, "properties.sourceResourceId"))
    if vm is None:
        raise _refused("The machine does not exist any more: its disks cannot be replaced.")
    if any(kept.is_ade for kept in held.disks):
        raise _refused("The disks of an encrypted virtual machine cannot be replaced.")
    if security.security_type(vm) != security.security_type(held.vm):
        # Learn, "Trusted Launch for Azure virtual machines" (FAQ): not possible; no words are on record.
        raise _refused(
            f"The recovery point has security type '{security.security_type(held.vm)}' and the machine "
            f"'{security.security_type(vm)}': its disks cannot be replaced."
        )
    if state.machine(vm).power is not Power.DEALLOCATED:
        raise _refused(f"Machine '{vm['name']}' must be deallocated before its disks are replaced.")


def _check_target(state: State, call: Call, point: Json, held: Contents, given: Json) -> None:
    target = given.get("targetResourceGroupId")
    if not isinstance(target, str):
        raise _refused("A restore to unmanaged disks is not modelled: name a 'targetResourceGroupId'.")
    if state.find(target) is None:
        raise _refused(f"The target resource group '{target}' was not found.")
    if same(parse(target).subscription, call.address.subscription):
        return
    if any(kept.is_ade for kept in held.disks):
        raise ArmError(
            400,
            f"{_ACROSS}ForEncryptedAzureVM",
            "Operation failed as Cross Subscription Restore is not supported for Encrypted Azure VMs.",
        )
    if security.security_type(held.vm) == "TrustedLaunch":
        raise ArmError(
            400,
            f"{_ACROSS}ForTrustedLaunchAzureVM",
            "Operation failed as Cross Subscription Restore is not supported for Trusted Launch Azure VMs "
            "(TVMs).",
        )
    if "HardenedRP" not in tiers(point):
        raise ArmError(
            400,
            f"{_ACROSS}FromSnapshot",
            "Operation failed as Cross Subscription Restore is not supported when restoring from a Snapshot "
            "recovery point.",
        )


def _order(world: World, item: Json, held: Contents, given: Json) -> Order:
    is_original = same(given.get("recoveryType"), "OriginalLocation")
    group = _group(held, given)

    def check(_: datetime) -> ArmError | None:
        try:
            if is_original:
                _check_original(world.state, item, held)
        except ArmError as refusal:
            return refusal
        return None

    def done(when: datetime) -> None:
        made = {}
        for kept in _wanted(held, given):
            disk = made[kept.lun] = _restored(world, kept, held, group, given, when)
            world.state.put(disk)
            for holds, marks in ((kept.is_ade, world.state.ever_ade), (kept.is_gpt, world.state.gpt)):
                if holds:
                    marks.add(disk["id"].lower())
        if is_original:
            _replace(world.state, item, made)

    return Order(
        item=item,
        operation="Restore",
        tasks=(Task(name="Restore disks", operation="vaults/backupJobs/restore", check=check, done=done),),
        bag={
            "Job Type": "Replace disks" if is_original else "Recover disks",
            "Target resource group": group.rsplit("/", 1)[-1],
            "Target Storage Account Name": str(given["storageAccountId"]).rsplit("/", 1)[-1],
        },
    )


def _group(held: Contents, given: Json) -> str:
    """Return where the restored disks will be."""
    if same(given.get("recoveryType"), "OriginalLocation"):
        return parse(held.vm["id"]).scope
    return str(given["targetResourceGroupId"])


def _wanted(held: Contents, given: Json) -> list[Kept]:
    luns = given.get("restoreDiskLunList")
    return [kept for kept in held.disks if luns is None or kept.lun in luns]


def _restored(world: World, kept: Kept, held: Contents, group: str, given: Json, when: datetime) -> Json:
    mark = when.strftime("%Y%m%d-%H%M%S")
    role = "osdisk" if kept.lun < 0 else f"datadisk-{kept.lun:03}"
    name = f"{held.vm['name'].lower()}-{role}-{mark}"
    disk: Json = {word: value for word, value in duplicate(kept.disk).items() if word not in _NOT_KEPT}
    disk |= {"id": f"{group}/providers/Microsoft.Compute/disks/{name}", "name": name}
    disk["properties"] |= {
        "creationData": {"createOption": "Restore"},
        "diskState": "Unattached",
        "provisioningState": "Succeeded",
        "timeCreated": stamp(when),
        "uniqueId": identifier(world.seed, "restored", disk["id"]),
    }
    if given.get("diskEncryptionSetId") is not None:
        disk = _with_key(disk, str(given["diskEncryptionSetId"]), world.state)
    return disk


def _with_key(disk: Json, set_id: str, state: State) -> Json:
    kind = look(state.find(set_id), "properties.encryptionType") or "EncryptionAtRestWithCustomerKey"
    copy: Json = duplicate(disk)
    copy["properties"]["encryption"] = {
        "type": kind,
        "diskEncryptionSetId": encryption.with_upper_group(set_id),
    }
    return copy


def _replace(state: State, item: Json, made: dict[int, Json]) -> None:
    """Put restored disks in the place of a machine's own."""
    vm = state.find(look(item, "properties.sourceResourceId"))
    if vm is None:
        return
    before = duplicate(vm)
    for entry in model_disks(vm):
        disk = made.get(entry.get("lun", -1))
        if disk is None:
            continue
        managed: Any = entry.setdefault("managedDisk", {})
        managed.pop("diskEncryptionSet", None)
        managed["id"] = disk["id"]
        set_id = look(disk, "properties.encryption.diskEncryptionSetId")
        if set_id is not None:
            managed["diskEncryptionSet"] = {"id": set_id}
        entry["name"] = disk["name"]
    attachments.change(state, before, vm)


ROUTES: Routes = {("POST", POINT, "restore"): trigger}
