"""Preflight on a twin: what Azure would refuse later is told at once, and so is what is not known."""

from typing import Any

import pytest
from azure.core.rest import HttpRequest, HttpResponse

from readiness.azure.permissions import allows
from readiness.azure.remembered import LIFE
from readiness.model.disk import Encryption, EncryptionType
from readiness.model.ids import ResourceId
from readiness.model.steps import (
    AssignIdentity,
    AssignRole,
    BackUp,
    Deallocate,
    PatchVm,
    Preflight,
    SetDiskEncryption,
    SetSecurityRule,
    Start,
    SwapOsDisk,
    TakeSnapshot,
    TryEncryption,
    Work,
)
from readiness.ports.cloud import Done, Failed, Progress
from readiness.twin.messages import Response
from readiness.twin.transport import TwinResponse
from tests.azure.asking import Before, Process
from tests.twin.backups import ITEM, back_up, finish, place, protect
from tests.twin.seeds import COMPUTE, DATA_DISK, KEY, OS_DISK, SUBSCRIPTION, VM, Wire, disk, estate, vm

MACHINE = ResourceId(VM)
OS, DATA = ResourceId(OS_DISK), ResourceId(DATA_DISK)
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-app"


def outage(*disks: ResourceId, of: ResourceId = MACHINE) -> tuple[Work, ...]:
    """The outage of a VM whose disks get the customer's key."""
    return (
        Deallocate(vm=of),
        *(TakeSnapshot(vm=of, disk=each) for each in disks),
        PatchVm(vm=of, properties={"securityProfile": {"encryptionAtHost": True}}),
        *(SetDiskEncryption(vm=of, disk=each, encryption=CUSTOMER) for each in disks),
        Start(vm=of),
    )


CUSTOMER = Encryption(type=EncryptionType.CUSTOMER_KEY, disk_encryption_set=ResourceId(KEY))
STEP = Preflight(vm=MACHINE, work=outage(OS, DATA))
QUOTAS = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute/locations/westeurope/usages"


def usage(name: str, used: int, limit: int) -> dict[str, Any]:
    """A seeded quota."""
    kind = "Microsoft.Compute/locations/usages"
    return {
        "id": f"{QUOTAS}/{name}",
        "type": kind,
        "name": {"value": name},
        "currentValue": used,
        "limit": limit,
    }


def lock(scope: str, level: str) -> dict[str, Any]:
    """A seeded lock."""
    return {
        "id": f"{scope}/providers/Microsoft.Authorization/locks/keep",
        "name": "keep",
        "type": "Microsoft.Authorization/locks",
        "properties": {"level": level},
    }


def increment(name: str, source: str = OS_DISK, **changes: Any) -> dict[str, Any]:
    """A seeded snapshot."""
    return {
        "id": f"{COMPUTE}/snapshots/{name}",
        "name": name,
        "type": "Microsoft.Compute/snapshots",
        "location": "westeurope",
        "properties": {
            "incremental": True,
            "creationData": {"createOption": "Copy", "sourceResourceId": source},
            **changes,
        },
    }


def permitted(by_scope: dict[str, list[dict[str, Any]]]) -> Before:
    """Answer for permissions by the end of the scope's id: the twin's own caller may do everything."""

    def answer(request: HttpRequest) -> HttpResponse | None:
        scope, found, _ = request.url.lower().partition("/providers/microsoft.authorization/permissions")
        if not found:
            return None
        told = next((entry for end, entry in by_scope.items() if scope.endswith(end.lower())), [])
        return TwinResponse(request, Response(200, {"value": told}))

    return answer


def asked(
    *seed: dict[str, Any], step: Preflight = STEP, before: Before | None = None, **more: Any
) -> Progress:
    """Ask a twin of the machine and these resources."""
    return Process(Wire(*estate(*seed), **more), before).begin(step)


def words(progress: Progress) -> str:
    """Return what is told, whatever it is."""
    assert isinstance(progress, Done | Failed)
    return progress.detail


def test_nothing_stands_in_the_way() -> None:
    """Where nothing would be refused the step is done, says what it does not know, and writes nothing."""
    process = Process(Wire())
    answer = process.begin(STEP)
    assert isinstance(answer, Done)
    assert "not known: quotas in westeurope" in answer.detail
    assert [] == process.writes()


def test_everything_is_told_at_once() -> None:
    """All findings come in one answer, under the code of the first."""
    seed = (lock(GROUP, "ReadOnly"), increment("old"), usage("cores", 90, 50))
    answer = asked(*seed, before=permitted({"rg-app": [{"actions": ["*/read"]}]}))
    assert isinstance(answer, Failed)
    assert "PermissionMissing" == answer.code
    for each in ("virtualMachines/deallocate/action", "the lock keep", "incremental", "cores"):
        assert each in answer.detail


# Permissions ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("permission", "expected"),
    [
        ({"actions": ["*"]}, True),
        ({"actions": ["Microsoft.Compute/*"]}, True),
        ({"actions": ["microsoft.COMPUTE/virtualmachines/START/action"]}, True),
        ({"actions": ["*/action"]}, True),
        ({"actions": ["Microsoft.Compute/virtualMachines/*/action"]}, True),
        ({"actions": ["Microsoft.Compute/virtualMachines/read"]}, False),
        ({"actions": ["*"], "notActions": ["Microsoft.Compute/virtualMachines/start/*"]}, False),
        ({"actions": ["*"], "notActions": ["Microsoft.Authorization/*/write"]}, True),
        ({"actions": []}, False),
        ({"actions": None}, False),
        ({"dataActions": ["*"]}, False),
    ],
)
def test_permissions_are_read_as_azure_reads_them(permission: dict[str, Any], expected: bool) -> None:  # noqa: FBT001
    """Stars stand for any text, case does not matter, and a role leaves out what its notActions name."""
    assert expected is allows(permission, "Microsoft.Compute/virtualMachines/start/action")


def test_each_missing_action_is_named() -> None:
    """Whoever has to grant something reads what, and on what."""
    role = {"actions": ["*"], "notActions": ["Microsoft.Compute/snapshots/write", "*/deallocate/action"]}
    answer = asked(before=permitted({"rg-app": [role], "web-1": [role]}))
    assert isinstance(answer, Failed)
    assert "on web-1 there is no permission for Microsoft.Compute/virtualMachines/deallocate/action" in (
        answer.detail
    )
    assert "on rg-app there is no permission for Microsoft.Compute/snapshots/write" in answer.detail
    assert "virtualMachines/write" not in answer.detail


def test_two_roles_add_up() -> None:
    """What one role leaves out another may allow."""
    roles = [{"actions": ["*"], "notActions": ["*/write"]}, {"actions": ["Microsoft.Compute/*/write"]}]
    assert isinstance(asked(before=permitted({"rg-app": roles})), Done)


def test_a_permission_on_the_resource_itself_counts() -> None:
    """Roles on the VM and on each of its disks are enough for what concerns only these."""
    everything = [{"actions": ["Microsoft.Compute/*"]}]
    snapshots = [{"actions": ["Microsoft.Compute/snapshots/*"]}]
    own = {
        "rg-app": snapshots,
        "virtualmachines/web-1": everything,
        "web-1-os": everything,
        "/keys": [{"actions": ["*/read"]}],
    }
    answer = asked(before=permitted(own))
    assert isinstance(answer, Failed)
    assert "on web-1-data there is no permission for" in answer.detail
    assert "on web-1-os " not in answer.detail
    assert isinstance(asked(before=permitted(own | {"web-1-data": everything})), Done)


def test_who_may_not_ask_for_permissions_goes_on() -> None:
    """A question that is refused is told as not known, and blocks nothing."""
    answer = asked(faults=[{"kind": "denied", "operation": "permissions/read"}])
    assert isinstance(answer, Done)
    assert "not known: what may be done on web-1" in answer.detail


OTHER = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-shared"
RULE = ResourceId(f"{OTHER}/providers/Microsoft.Network/networkSecurityGroups/nsg/securityRules/ssh")
IDENTITY = ResourceId(f"{OTHER}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/worker")
VAULT = f"{OTHER}/providers/Microsoft.RecoveryServices/vaults/vault"
PROTECTED = ResourceId(
    f"{VAULT}/backupFabrics/Azure/protectionContainers/IaasVMContainer;iaasvmcontainerv2;rg-app;web-1"
    "/protectedItems/VM;iaasvmcontainerv2;rg-app;web-1"
)
ELSEWHERE: list[tuple[Work, str, str]] = [
    (SetSecurityRule(vm=MACHINE, rule=RULE, properties={}), "nsg", "securityRules/write"),
    (AssignIdentity(vm=MACHINE, user_assigned=(IDENTITY,)), "worker", "assign/action"),
    (AssignRole(vm=MACHINE, role="Reader", scope=ResourceId(OTHER)), "rg-shared", "roleAssignments/write"),
    (BackUp(vm=MACHINE, item=PROTECTED), "vault", "protectedItems/backup/action"),
    (TryEncryption(vm=MACHINE, encryption=CUSTOMER), "keys", "diskEncryptionSets/read"),
]


def shared() -> list[dict[str, Any]]:
    """What the steps of `ELSEWHERE` are about, in a group of its own."""
    ids = (RULE.parent.text, IDENTITY.text, VAULT)
    return [
        {"id": each, "name": each.rpartition("/")[2], "location": "westeurope", "properties": {}}
        for each in ids
    ]


@pytest.mark.parametrize(("step", "where", "action"), ELSEWHERE, ids=lambda each: getattr(each, "words", ""))
def test_an_action_is_asked_for_where_it_is_needed(step: Work, where: str, action: str) -> None:
    """What is done to something else than the VM and its disks is refused for want of a right on that."""
    all_but = {"actions": ["*"], "notActions": [f"*/{action}"]}
    rights = permitted({"rg-app": [all_but], "rg-shared": [all_but], where: [all_but]})
    answer = asked(*shared(), step=Preflight(vm=MACHINE, work=(step,)), before=rights)
    assert isinstance(answer, Failed)
    assert "PermissionMissing" == answer.code
    assert f"on {where} there is no permission for Microsoft." in answer.detail
    assert answer.detail.partition(";")[0].endswith(action)


@pytest.mark.parametrize(("step", "where", "action"), ELSEWHERE, ids=lambda each: getattr(each, "words", ""))
def test_a_right_on_the_thing_itself_is_enough(step: Work, where: str, action: str) -> None:
    """Whoever holds the role on just what is worked on, and not on its group, is not refused."""
    everything, all_but = {"actions": ["*"]}, {"actions": ["*"], "notActions": [f"*/{action}"]}
    rights = permitted({"rg-app": [all_but], "rg-shared": [all_but]} | {where: [everything]})
    assert isinstance(asked(*shared(), step=Preflight(vm=MACHINE, work=(step,)), before=rights), Done)


def test_what_is_not_there_cannot_be_asked_about() -> None:
    """Of a security group that is missing nobody can say what is allowed: that is told, and no more."""
    step = SetSecurityRule(vm=MACHINE, rule=RULE, properties={})
    rights = permitted({"rg-app": [{"actions": ["*"]}]})
    neighbour = {**shared()[1]}
    answer = asked(neighbour, step=Preflight(vm=MACHINE, work=(step,)), before=missing_at("nsg", rights))
    assert isinstance(answer, Done)
    assert "not known: what may be done on nsg" in answer.detail


def missing_at(name: str, rights: Before) -> Before:
    """Answer for permissions, but that one resource is not there."""

    def answer(request: HttpRequest) -> HttpResponse | None:
        if f"/{name}/providers/microsoft.authorization/permissions" in request.url.lower():
            body = {"error": {"code": "ResourceNotFound", "message": "it is not there"}}
            return TwinResponse(request, Response(404, body))
        return rights(request)

    return answer


def test_what_comes_back_needs_rights_too() -> None:
    """The swap of a disk on the way back is asked for as well, though it is done only if something fails."""
    lacking = {"actions": ["*"], "notActions": ["Microsoft.Compute/disks/write"]}
    steps: tuple[Work, ...] = (Deallocate(vm=MACHINE), TakeSnapshot(vm=MACHINE, disk=OS))
    rights = permitted({"rg-app": [lacking], "web-1": [lacking], "web-1-os": [lacking]})
    assert isinstance(asked(step=Preflight(vm=MACHINE, work=steps), before=rights), Done)
    spare = Preflight(vm=MACHINE, work=steps, spare=(SwapOsDisk(vm=MACHINE, disk=OS),))
    answer = asked(step=spare, before=rights)
    assert isinstance(answer, Failed)
    assert "on rg-app there is no permission for Microsoft.Compute/disks/write" in answer.detail


# Locks ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scope", [f"/subscriptions/{SUBSCRIPTION}", GROUP, VM, DATA_DISK, OS_DISK.upper()])
def test_a_lock_that_allows_no_change_is_found(scope: str) -> None:
    """A ReadOnly lock on the VM, one of its disks, or anything above refuses."""
    answer = asked(lock(scope, "ReadOnly"))
    assert isinstance(answer, Failed)
    assert "ReadOnlyLock" == answer.code


def test_a_lock_on_something_else_does_not_matter() -> None:
    """A lock on a neighbour is none of ours, even if its name begins with the VM's."""
    other = vm("web-11")
    answer = asked(other, disk("web-11-os"), disk("web-11-data"), lock(other["id"], "ReadOnly"))
    assert isinstance(answer, Done)
    assert "lock" not in answer.detail


def test_a_lock_against_deletion_is_told() -> None:
    """A CanNotDelete lock refuses nothing now, and keeps the snapshots later: that is told."""
    answer = asked(lock(GROUP, "CanNotDelete"))
    assert isinstance(answer, Done)
    assert "the lock keep on rg-app keeps snapshots from being deleted" in answer.detail


def test_who_may_not_ask_the_subscription_asks_the_group() -> None:
    """Without a right on the subscription the locks of the group are found, and the gap is told."""

    def refuse(request: HttpRequest) -> HttpResponse | None:
        if f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/locks" not in request.url:
            return None
        return TwinResponse(
            request, Response(403, {"error": {"code": "AuthorizationFailed", "message": "no"}})
        )

    answer = asked(lock(GROUP, "ReadOnly"), before=refuse)
    assert isinstance(answer, Failed)
    assert "ReadOnlyLock" == answer.code
    assert "not known: locks on the subscription" in answer.detail


# Snapshots and backups -----------------------------------------------------------------------------------


def test_incremental_snapshots_of_a_disk_are_found() -> None:
    """A disk with incremental snapshots refuses another key: they are named, with what to do."""
    answer = asked(increment("monday", OS_DISK.upper()), increment("full", incremental=False))
    assert isinstance(answer, Failed)
    assert "IncrementalSnapshots" == answer.code
    assert "web-1-os" in answer.detail
    assert "(monday)" in answer.detail
    assert "delete them" in answer.detail


def test_incremental_snapshots_of_other_disks_do_not_matter() -> None:
    """Neither those of another disk, nor any where no encryption changes."""
    assert isinstance(asked(increment("x", f"{COMPUTE}/disks/web-2-os")), Done)
    no_key = Preflight(vm=MACHINE, work=(Deallocate(vm=MACHINE), TakeSnapshot(vm=MACHINE, disk=OS)))
    assert isinstance(asked(increment("x"), step=no_key), Done)


def test_a_backup_under_way_is_found() -> None:
    """While a backup of the VM runs nothing is begun; once it has ended nothing stands in the way."""
    wire = place()
    protect(wire)
    job = back_up(wire)
    step = Preflight(vm=MACHINE, work=outage(), item=ResourceId(ITEM))
    process = Process(wire)
    answer = process.begin(step)
    assert isinstance(answer, Failed)
    assert "BackupRunning" == answer.code
    finish(wire, job)
    assert isinstance(process.begin(step), Done)


def test_an_item_with_an_odd_id_is_told() -> None:
    """What is no protected item's id leaves the question open, and stops nobody."""
    answer = asked(step=Preflight(vm=MACHINE, work=outage(), item=MACHINE))
    assert isinstance(answer, Done)
    assert "not known: whether a backup is under way" in answer.detail


@pytest.mark.parametrize("operation", ["locks/read", "snapshots/read", "locations/usages/read"])
def test_a_refused_question_blocks_nothing(operation: str) -> None:
    """Whatever may not be asked is told as not known, and the rest is answered."""
    answer = asked(faults=[{"kind": "denied", "operation": operation}])
    assert isinstance(answer, Done)
    assert "not known" in answer.detail


# Many VMs ------------------------------------------------------------------------------------------------


def test_many_vms_ask_once() -> None:
    """What VMs of one group have in common is asked once for all of them; each costs one look at itself."""
    names = [f"vm-{number}" for number in range(20)]
    machines = [vm(name) for name in names]
    disks = [disk(f"{name}-{part}") for name in names for part in ("os", "data")]
    process = Process(Wire(*estate(*machines, *disks)))
    for machine in machines:
        one = ResourceId(machine["id"])
        own = tuple(ResourceId(f"{COMPUTE}/disks/{machine['name']}-{part}") for part in ("os", "data"))
        assert isinstance(process.begin(Preflight(vm=one, work=outage(*own, of=one))), Done)
    assert len(names) == process.count("/virtualMachines/")
    assert len(names) + 6 == len(process.asked), process.asked


def test_an_answer_grows_old() -> None:
    """After a few minutes it is asked again: a lock that was taken away since blocks nothing any more."""
    held = lock(GROUP, "ReadOnly")
    process = Process(Wire(*estate(held)))
    assert isinstance(process.begin(STEP), Failed)
    assert process.wire.ask("DELETE", held["id"], version="2020-05-01").status < 300
    process.wire.clock.sleep(LIFE.total_seconds())
    assert isinstance(process.begin(STEP), Done)
