"""The cloud port over the real SDK: every change looks first, then calls, and can be asked about later.

A change that is found in place is *done*; one that Azure is still working on is *pending*. Bodies are
parsed from the wire, never from SDK attributes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, assert_never

from azure.core import MatchConditions

from readiness.azure import (
    backup,
    extensions,
    group_lease,
    just_in_time,
    lease,
    os_disk,
    preflight,
    roles,
    rule_checks,
    run_commands,
    security_rules,
    trial_disk,
    wire,
)
from readiness.azure.connect import Connection
from readiness.azure.faults import is_passing, translated
from readiness.azure.operations import DEFAULT_WAIT, Begin, ask, begin, only_begun
from readiness.azure.patches import (
    encryption_patch,
    has_all,
    has_any,
    holds,
    moves_default,
    with_identities,
    without_identities,
)
from readiness.azure.plain import body_of
from readiness.azure.snapshots import snapshot_body
from readiness.azure.subscriptions import visible_subscriptions
from readiness.errors import ConflictError, LoginError, MissingError
from readiness.model.disk import Disk
from readiness.model.ids import ResourceId
from readiness.model.observation import Observation
from readiness.model.plan import Wave
from readiness.model.steps import (
    AssignIdentity,
    AssignRole,
    BackUp,
    Change,
    ChangeBackupPolicy,
    Deallocate,
    DropTrial,
    InstallExtension,
    MarkGroup,
    PatchVm,
    Preflight,
    ProveBackup,
    ProveClosed,
    ProveJustInTime,
    ProveOnRequest,
    ProveRules,
    ReleaseLease,
    RemoveExtension,
    RemoveIdentity,
    RemoveJustInTime,
    RemoveRole,
    RemoveSecurityRule,
    Resize,
    RunInGuest,
    SetDiskEncryption,
    SetJustInTime,
    SetSecurityRule,
    Start,
    SwapOsDisk,
    TakeLease,
    TakeSnapshot,
    TryEncryption,
    UnmarkGroup,
    snapshot_id,
)
from readiness.model.virtual_machine import Identity, Power, VirtualMachine
from readiness.ports.cloud import Done, Failed, Pending, Progress, StepContext


class AzureCloud:
    """Azure, or a twin of it, through the SDK clients of one connection."""

    def __init__(self, connection: Connection, wave: Wave | None = None) -> None:
        """Take the clients to ask through, and the wave that is carried out: its VMs share quotas."""
        self._connection = connection
        self._subscriptions = (
            frozenset(vm.id.subscription.lower() for vm in wave.vms) if wave else frozenset()
        )
        self._preflight = preflight.Questions(connection, wave)

    def observe(self, vm: ResourceId) -> Observation:
        """Return the VM and its managed disks as they are now."""
        with self._answered():
            return self._observe(vm)

    def begin(self, change: Change, context: StepContext) -> Progress:
        """Look whether the change is in place already, and begin it if not."""
        try:
            with self._answered():
                return self._begin(change, context)
        except ConflictError as error:
            if is_passing(error):
                return Pending(None, DEFAULT_WAIT, f"looked at again soon: {error.brief}")
            raise

    def poll(self, change: Change, token: str) -> Progress:
        """Ask how a begun change goes."""
        with self._answered():
            match change:
                case ProveOnRequest():
                    return just_in_time.prove_again(self._connection, change, token)
                case SetSecurityRule() | RemoveSecurityRule() | ProveClosed():
                    return security_rules.poll(self._connection, change, token)
                case BackUp():
                    return backup.poll(self._connection, change, token)
                case _:
                    return self._seen_through(change, ask(self._call(change), token))

    @contextmanager
    def _answered(self) -> Iterator[None]:
        """Let only our errors out; of a login of another tenant also whether it is let in elsewhere."""
        try:
            with translated():
                yield
        except LoginError as error:
            error.concerns_one = error.is_lasting and self._is_let_in()
            raise

    def _is_let_in(self) -> bool:
        """Tell whether whoever is logged in is shown any of the wave's subscriptions."""
        try:
            shown = visible_subscriptions(self._connection, min(self._subscriptions, default=""))
        except LoginError:
            return False
        return not self._subscriptions.isdisjoint(shown)

    def _seen_through(self, change: Change, progress: Progress) -> Progress:
        """Return how a change stands whose operation has answered: for some, that is not the whole answer."""
        match change, progress:
            case ((RunInGuest() | SwapOsDisk() | TryEncryption() | ChangeBackupPolicy()), Done()):
                return only_begun(progress)
            case InstallExtension(), Failed():
                return extensions.explained(self._connection, change, progress)
            case TryEncryption(), Failed():
                return trial_disk.explained(progress)
            case _:
                return progress

    # Looking ------------------------------------------------------------------------------------

    def _observe(self, vm_id: ResourceId) -> Observation:
        vm = self._vm(vm_id)
        disks = tuple(self._disk(disk) for disk in vm.managed_disks)
        os_disk = next((disk for disk in disks if vm.os_disk and disk.id == vm.os_disk.disk), None)
        return Observation(vm=wire.complete(vm, os_disk=os_disk), disks=disks)

    def _vm(self, vm: ResourceId) -> VirtualMachine:
        return wire.virtual_machine(self._vm_body(vm, expand="instanceView"))

    def _vm_body(self, vm: ResourceId, **options: Any) -> dict[str, Any]:
        machines = self._connection.compute(vm.subscription).virtual_machines
        return body_of(partial(machines.get, vm.resource_group, vm.name, **options))

    def _disk(self, disk: ResourceId) -> Disk:
        return wire.disk(self._disk_body(disk))

    def _disk_body(self, disk: ResourceId) -> dict[str, Any]:
        disks = self._connection.compute(disk.subscription).disks
        return body_of(partial(disks.get, disk.resource_group, disk.name))

    # Beginning ----------------------------------------------------------------------------------

    def _begin(self, change: Change, context: StepContext) -> Progress:  # noqa: C901, PLR0911, PLR0912
        connection = self._connection
        match change:
            case Deallocate() | Start():
                return self._power(change)
            case AssignIdentity() | RemoveIdentity():
                return self._identity(change)
            case Resize():
                return self._resize(change)
            case PatchVm():
                return self._patch_vm(change)
            case TakeSnapshot():
                return self._snapshot(change, context)
            case SetDiskEncryption():
                return self._encrypt(change)
            case MarkGroup() | UnmarkGroup():
                return group_lease.begin(connection, change, context)
            case TakeLease():
                return lease.take(connection, change, context)
            case ReleaseLease():
                return lease.release(connection, change, context)
            case TryEncryption() | DropTrial():
                return trial_disk.begin(connection, change, context)
            case SwapOsDisk():
                return os_disk.begin(connection, change, context)
            case InstallExtension() | RemoveExtension():
                return extensions.begin(connection, change, context)
            case RunInGuest():
                return run_commands.begin(connection, change, context)
            case AssignRole() | RemoveRole():
                return roles.begin(connection, change, context)
            case ProveOnRequest():
                return just_in_time.prove(connection, change, context)
            case SetJustInTime() | RemoveJustInTime() | ProveJustInTime():
                return just_in_time.begin(connection, change, context)
            case SetSecurityRule() | RemoveSecurityRule() | ProveClosed():
                return security_rules.begin(connection, change, context)
            case BackUp() | ProveBackup() | ChangeBackupPolicy():
                return backup.begin(connection, change, context)
            case ProveRules():
                return rule_checks.begin(connection, change, context)
            case Preflight():
                return self._preflight.begin(change, context)
            case _:
                assert_never(change)

    def _power(self, change: Deallocate | Start) -> Progress:
        wanted = Power.RUNNING if isinstance(change, Start) else Power.DEALLOCATED
        if self._vm(change.vm).power is wanted:
            return Done(f"already {wanted}")
        return begin(self._call(change))

    def _identity(self, change: AssignIdentity | RemoveIdentity) -> Progress:
        vm = self._vm(change.vm)
        has = vm.identity
        meant = Identity(system_assigned=change.system, user_assigned=change.user_assigned)
        if isinstance(change, RemoveIdentity):
            if not has_any(has, meant):
                return _shown(vm.provisioning_state)
            return begin(self._update_vm(change.vm, {"identity": without_identities(has, meant)}, vm.etag))
        if has_all(has, meant):
            return _shown(vm.provisioning_state)
        if moves_default(has, meant) and not change.accept_new_default:
            detail = (
                f"programs that name no identity get {has.user_assigned[0].name} today, and would get "
                "another or none; if the owner knows that each names its own, say 'accept_new_default'"
            )
            return Failed("IdentityDefaultRisk", detail)
        return begin(self._update_vm(change.vm, {"identity": with_identities(has, meant)}, vm.etag))

    def _patch_vm(self, change: PatchVm) -> Progress:
        body = self._vm_body(change.vm)
        if holds(body.get("properties"), change.properties):
            return _shown(_state(body))
        return begin(self._update_vm(change.vm, {"properties": change.properties}, body.get("etag")))

    def _resize(self, change: Resize) -> Progress:
        body = self._vm_body(change.vm, expand="instanceView")
        vm = wire.virtual_machine(body)
        if (vm.size or "").lower() == change.size.lower():
            return _shown(_state(body))
        if vm.power is not Power.DEALLOCATED:
            detail = f"{change.vm.name} is {vm.power}: another size now would restart it"
            return Failed("VmNotDeallocated", detail)
        properties = {"hardwareProfile": {"vmSize": change.size}}
        return begin(self._update_vm(change.vm, {"properties": properties}, vm.etag))

    def _snapshot(self, change: TakeSnapshot, context: StepContext) -> Progress:
        wanted = snapshot_id(change, context.plan, context.started)
        snapshots = self._connection.compute(wanted.subscription).snapshots
        place = (wanted.resource_group, wanted.name)
        try:
            state = _state(body_of(partial(snapshots.get, *place))).lower()
        except MissingError:
            state = "missing"
        if state == "succeeded":
            return Done(f"{wanted.name} is there")
        if state not in ("missing", "failed", "canceled"):
            return Pending(None, DEFAULT_WAIT)
        body: Any = snapshot_body(change, self._disk_body(change.disk), context)
        return begin(partial(snapshots.begin_create_or_update, *place, body))

    def _encrypt(self, change: SetDiskEncryption) -> Progress:
        body = self._disk_body(change.disk)
        settled = _shown(_state(body))
        # Asked for again while Azure is at work on it, a change meets what the first one has not shown yet.
        if wire.disk(body).encryption == change.encryption or isinstance(settled, Pending):
            return settled
        disks = self._connection.compute(change.disk.subscription).disks
        wanted: Any = encryption_patch(change.encryption)
        place = (change.disk.resource_group, change.disk.name)
        if change.encryption.uses_customer_key:
            patch: Any = {"properties": {"encryption": wanted}}
            return begin(partial(disks.begin_update, *place, patch))
        # A PATCH cannot drop the set, and leaving it is refused: PUT what was read without it.
        whole: Any = {**body, "properties": {**body["properties"], "encryption": wanted}}
        return begin(partial(disks.begin_create_or_update, *place, whole))

    def _update_vm(self, vm: ResourceId, patch: dict[str, Any], etag: str | None) -> Begin:
        machines = self._connection.compute(vm.subscription).virtual_machines
        body: Any = patch
        call = partial(machines.begin_update, vm.resource_group, vm.name, body)
        return partial(call, etag=etag, match_condition=MatchConditions.IfNotModified) if etag else call

    # Asking again -------------------------------------------------------------------------------

    def _call(self, change: Change) -> Begin:
        """Return the SDK method of a change; with a continuation token it only re-attaches."""
        client = self._connection.compute(change.vm.subscription)
        machines, nothing = client.virtual_machines, None
        match change:
            case Deallocate(vm=vm):
                return partial(machines.begin_deallocate, vm.resource_group, vm.name)
            case Start(vm=vm):
                return partial(machines.begin_start, vm.resource_group, vm.name)
            case TakeSnapshot(disk=disk):
                update = client.snapshots.begin_create_or_update
                return partial(update, disk.resource_group, disk.name, nothing)
            case SetDiskEncryption(disk=disk):
                return partial(client.disks.begin_update, disk.resource_group, disk.name, nothing)
            case _:
                # Every operation is asked about by the addresses in its token alone.
                return partial(machines.begin_update, change.vm.resource_group, change.vm.name, nothing)


def _shown(state: str | None) -> Progress:
    """Return how a change stands that a model shows: Azure may still be at work on it, and fail."""
    is_settled = (state or "").lower() != "updating"
    return Done("already so") if is_settled else Pending(None, DEFAULT_WAIT)


def _state(body: dict[str, Any]) -> str:
    return str((body.get("properties") or {}).get("provisioningState") or "Succeeded")
