"""Every change through the real SDK on a twin: begun, asked about, found in place, refused, begun again."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from azure.core.rest import HttpRequest, HttpResponse

from readiness.azure.connect import Connection, Endpoint
from readiness.azure.perform import AzureCloud
from readiness.errors import CapacityError, ConflictError, MissingError, ThrottledError, UnreachableError
from readiness.model.disk import Encryption, EncryptionType
from readiness.model.ids import ResourceId
from readiness.model.observation import Before, before_of
from readiness.model.steps import (
    AssignIdentity,
    Change,
    Deallocate,
    PatchVm,
    RemoveIdentity,
    Resize,
    SetDiskEncryption,
    Start,
    TakeSnapshot,
    snapshot_id,
)
from readiness.model.virtual_machine import Power, SecurityType
from readiness.ports.cloud import Done, Failed, Pending, Progress, StepContext
from readiness.twin.credential import TwinCredential
from readiness.twin.transport import TwinTransport
from tests.twin import seeds
from tests.twin.seeds import COMPUTE, CUSTOMER_KEY, DATA_DISK, KEY, OS_DISK, TRUSTED, VM, Wire, estate

STARTED = "2026-11-28T21:00:00+00:00"
MACHINE, OS, DATA, SET = (ResourceId(text) for text in (VM, OS_DISK, DATA_DISK, KEY))
CUSTOMER = Encryption(type=EncryptionType.CUSTOMER_KEY, disk_encryption_set=SET)
PLATFORM = Encryption(type=EncryptionType.PLATFORM_KEY)
UAI = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/ci"

TO_TRUSTED_LAUNCH = PatchVm(vm=MACHINE, properties={"securityProfile": TRUSTED})
SNAPSHOT = TakeSnapshot(vm=MACHINE, disk=OS)
RESIZE = Resize(vm=MACHINE, size="Standard_E2s_v3")
TO_CUSTOMER_KEY = SetDiskEncryption(vm=MACHINE, disk=OS, encryption=CUSTOMER)

RUNNING: tuple[Change, ...] = (Deallocate(vm=MACHINE), AssignIdentity(vm=MACHINE))
OFF: tuple[Change, ...] = (Start(vm=MACHINE), RESIZE, SNAPSHOT, TO_TRUSTED_LAUNCH, TO_CUSTOMER_KEY)
CHANGES = [(change, seeds.vm) for change in RUNNING] + [(change, seeds.deallocated) for change in OFF]
each_change = pytest.mark.parametrize(
    ("change", "machine"), CHANGES, ids=[type(change).__name__ for change, _ in CHANGES]
)


class Interrupted(TwinTransport):
    """A way to the twin on which something happens just before some requests arrive."""

    def __init__(self, wire: Wire, before: Callable[[HttpRequest], HttpResponse | None]) -> None:
        super().__init__(wire.twin)
        self._before = before

    def send(self, request: HttpRequest, **options: Any) -> HttpResponse:
        """Let it happen; it may answer in the twin's place."""
        return self._before(request) or super().send(request, **options)


class Process:
    """A process of ours on a twin; a second one knows nothing of the first but what it is told."""

    def __init__(
        self, wire: Wire, before: Callable[[HttpRequest], HttpResponse | None] | None = None
    ) -> None:
        self.wire = wire
        endpoint = Endpoint(
            base_url="https://twin.invalid",
            credential=TwinCredential(),
            make_transport=lambda: Interrupted(wire, before) if before else TwinTransport(wire.twin),
        )
        self.cloud = AzureCloud(Connection(endpoint))

    def begin(self, change: Change, before: Before | None = None) -> Progress:
        """Begin a change."""
        return self.cloud.begin(change, context(before))

    def finish(self, change: Change, progress: Progress) -> Progress:
        """Ask about a change until it has ended."""
        while isinstance(progress, Pending):
            self.wire.clock.sleep(progress.retry_after)
            progress = (
                self.begin(change) if progress.token is None else self.cloud.poll(change, progress.token)
            )
        return progress

    def do(self, change: Change) -> Progress:
        """Carry a change out to its end."""
        return self.finish(change, self.begin(change))


def context(before: Before | None = None) -> StepContext:
    """Return what changes are marked with."""
    return StepContext(
        plan="0123456789ab",
        run="run-1",
        instance="here",
        now=datetime(2026, 11, 28, 21, 5, tzinfo=UTC),
        started=STARTED,
        expires=date(2026, 12, 1),
        before=before,
    )


def on(*seed: dict[str, Any], faults: list[dict[str, Any]] | None = None) -> Process:
    """Return a process on a new twin."""
    return Process(Wire(*seed, faults=faults))


def writes(process: Process) -> list[str]:
    """Return the methods of the writes that the twin accepted."""
    return [exchange.method for exchange in process.wire.twin.log]


# The way of every change --------------------------------------------------------------------------------


@each_change
def test_is_begun_and_asked_about(change: Change, machine: Callable[[], dict[str, Any]]) -> None:
    """A change is begun with a token at once, is pending while Azure works, and ends done after one write."""
    process = on(*estate(machine=machine()))
    begun = process.begin(change)
    assert isinstance(begun, Pending)
    assert begun.token is not None
    assert 0 < begun.retry_after <= 10
    asked = process.cloud.poll(change, begun.token)
    assert isinstance(asked, Pending)
    assert Done("done") == process.finish(change, asked)
    assert 1 == len(writes(process))


@each_change
def test_is_found_in_place(change: Change, machine: Callable[[], dict[str, Any]]) -> None:
    """A change that is there already is done without a write, and says so."""
    process = on(*estate(machine=machine()))
    process.do(change)
    again = process.begin(change)
    assert isinstance(again, Done)
    assert "done" != again.detail
    assert 1 == len(writes(process))


@each_change
def test_is_asked_about_by_another_process(change: Change, machine: Callable[[], dict[str, Any]]) -> None:
    """The token is all that another process needs."""
    first = on(*estate(machine=machine()))
    begun = first.begin(change)
    second = Process(first.wire)
    assert Done("done") == second.finish(change, begun)
    assert 1 == len(writes(second))


@each_change
def test_begun_again_after_a_crash_it_waits(change: Change, machine: Callable[[], dict[str, Any]]) -> None:
    """Where the token was lost, beginning again repeats nothing: it waits for the operation under way."""
    first = on(*estate(machine=machine()))
    first.begin(change)
    second = Process(first.wire)
    again = second.begin(change)
    assert isinstance(again, Pending)
    assert again.token is None
    assert again.retry_after > 0
    assert isinstance(second.finish(change, again), Done)
    assert 1 == len(writes(second))


@each_change
def test_a_failure_after_a_crash_is_not_taken_for_done(
    change: Change, machine: Callable[[], dict[str, Any]]
) -> None:
    """A model shows a change before it has succeeded: whoever finds it so waits for how it ends."""
    fault = {"kind": "fail", "operation": "*", "at": "end", "code": "Internal", "message": "oh"}
    first = on(*estate(machine=machine()), faults=[fault])
    first.begin(change)
    second = Process(first.wire)
    assert isinstance(second.do(change), Done)
    assert 2 == len(writes(second))


@each_change
def test_an_expired_operation_is_looked_at_instead(
    change: Change, machine: Callable[[], dict[str, Any]]
) -> None:
    """An operation that Azure has forgotten is pending without a token; beginning again finds the change."""
    process = on(*estate(machine=machine()))
    begun = process.begin(change)
    assert isinstance(begun, Pending)
    assert begun.token is not None
    process.wire.twin._world.operations._by_name.clear()
    forgotten = process.cloud.poll(change, begun.token)
    assert isinstance(forgotten, Pending)
    assert forgotten.token is None
    process.wire.clock.sleep(300)
    assert isinstance(process.begin(change), Done)


@each_change
@pytest.mark.parametrize("token", ["rubbish", "{}", '{"_version": 9}'])
def test_a_token_that_cannot_be_read_is_no_error(
    change: Change, machine: Callable[[], dict[str, Any]], token: str
) -> None:
    """A token of another release is answered by looking at the resource itself."""
    answer = on(*estate(machine=machine())).cloud.poll(change, token)
    assert isinstance(answer, Pending)
    assert answer.token is None


@each_change
def test_ends_failed_with_azures_code(change: Change, machine: Callable[[], dict[str, Any]]) -> None:
    """An operation that ends badly is a value with Azure's code and words, not an exception."""
    fault = {"kind": "fail", "operation": "*", "at": "end", "code": "InternalOperationError", "message": "oh"}
    process = on(*estate(machine=machine()), faults=[fault])
    assert Failed("InternalOperationError", "oh") == process.do(change)


@each_change
def test_is_refused_as_one_of_our_errors(change: Change, machine: Callable[[], dict[str, Any]]) -> None:
    """A refusal is an error of ours with Azure's code and words."""
    fault = {"kind": "fail", "operation": "*", "status": 409, "code": "ScopeLocked", "message": "a lock"}
    process = on(*estate(machine=machine()), faults=[fault])
    with pytest.raises(ConflictError, match="a lock") as caught:
        process.begin(change)
    assert "ScopeLocked" == caught.value.code
    assert [] == writes(process)


@each_change
def test_a_throttled_call_is_waited_out(change: Change, machine: Callable[[], dict[str, Any]]) -> None:
    """The SDK retries a 429 by itself, in virtual time, after as long as Azure asked for."""
    fault = {"kind": "throttle", "operation": "*", "retry_after": 40}
    process = on(*estate(machine=machine()), faults=[fault])
    start = process.wire.clock.now()
    assert isinstance(process.begin(change), Pending)
    assert 40 == (process.wire.clock.now() - start).total_seconds()


def test_a_call_throttled_too_often_is_told() -> None:
    """Where the SDK's own retries are used up, the call is throttled, which is no failure of the change."""
    process = on(faults=[{"kind": "throttle", "operation": "*", "times": 99}])
    with pytest.raises(ThrottledError):
        process.begin(Deallocate(vm=MACHINE))


def test_a_machine_that_is_gone() -> None:
    """A machine that does not exist any more is missing, for looks and changes."""
    process, gone = on(), ResourceId(f"{COMPUTE}/virtualMachines/gone")
    with pytest.raises(MissingError):
        process.cloud.observe(gone)
    with pytest.raises(MissingError):
        process.begin(Start(vm=gone))


# Somebody else at work ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("OperationNotAllowed", "Operation 'x' is not allowed since another operation is in progress."),
        ("Conflict", "The request failed due to conflict with a concurrent request."),
        ("ConflictingConcurrentWriteNotAllowed", "interrupted by a conflicting concurrent write"),
    ],
)
def test_a_concurrent_operation_is_waited_for(code: str, message: str) -> None:
    """Each way in which compute says that somebody else is at work means to look again, not to give up."""
    fault = {"kind": "fail", "operation": "*", "status": 409, "code": code, "message": message}
    process = on(faults=[fault])
    first = process.begin(Deallocate(vm=MACHINE))
    assert isinstance(first, Pending)
    assert first.token is None
    assert message in first.detail
    assert Done("done") == process.finish(Deallocate(vm=MACHINE), first)


def test_a_change_since_the_look_is_looked_at_again() -> None:
    """A stale etag is no failure: the next turn looks anew, and keeps what somebody else has added."""
    wire = Wire()
    added = {"type": "UserAssigned", "userAssignedIdentities": {UAI: {}}}
    meddling = [added]

    def meddle(request: HttpRequest) -> None:
        if request.method == "PATCH" and meddling:
            wire.do("PATCH", VM, {"identity": meddling.pop()})

    process = Process(wire, meddle)
    change = AssignIdentity(vm=MACHINE, accept_new_default=True)
    first = process.begin(change)
    assert isinstance(first, Pending)
    assert first.token is None
    assert Done("done") == process.finish(change, first)
    identity = wire.get(VM)["identity"]
    assert ("SystemAssigned, UserAssigned", [UAI]) == (
        identity["type"],
        list(identity["userAssignedIdentities"]),
    )


# Power --------------------------------------------------------------------------------------------------


def test_no_room_at_once() -> None:
    """A start that is refused for want of capacity is told apart from every other refusal."""
    process = on(
        *estate(machine=seeds.deallocated()), faults=[{"kind": "fail", "operation": "virtualMachines/start"}]
    )
    with pytest.raises(CapacityError) as caught:
        process.begin(Start(vm=MACHINE))
    assert "AllocationFailed" == caught.value.code
    assert Done("done") == process.do(Start(vm=MACHINE))


def test_no_room_in_the_end() -> None:
    """A start that Azure accepts and then has no room for is a failure that says so."""
    fault = {"kind": "fail", "operation": "virtualMachines/start", "at": "end"}
    process = on(*estate(machine=seeds.deallocated()), faults=[fault])
    answer = process.do(Start(vm=MACHINE))
    assert isinstance(answer, Failed)
    assert ("AllocationFailed", True) == (answer.code, answer.is_capacity)


def test_a_machine_that_runs_is_not_resized() -> None:
    """Another size would restart it: it is refused before anything is asked of Azure."""
    process = on()
    answer = process.do(RESIZE)
    assert isinstance(answer, Failed)
    assert "VmNotDeallocated" == answer.code
    assert [] == writes(process)


def test_power_is_seen() -> None:
    """Off and on again, the machine is seen as it is, between the two as well."""
    process = on()
    seen = [process.cloud.observe(MACHINE).vm.power]
    begun = process.begin(Deallocate(vm=MACHINE))
    seen.append(process.cloud.observe(MACHINE).vm.power)
    process.finish(Deallocate(vm=MACHINE), begun)
    seen.append(process.cloud.observe(MACHINE).vm.power)
    process.do(Start(vm=MACHINE))
    seen.append(process.cloud.observe(MACHINE).vm.power)
    assert [Power.RUNNING, Power.DEALLOCATING, Power.DEALLOCATED, Power.RUNNING] == seen


def test_an_unreachable_endpoint_is_told_as_such() -> None:
    """What the gateway answers while the service is away is no refusal of the change."""
    wire = Wire(faults=[{"kind": "fail", "operation": "*", "times": 99, "status": 503, "code": "Busy"}])
    with pytest.raises(UnreachableError):
        Process(wire).begin(Deallocate(vm=MACHINE))


# Identity -----------------------------------------------------------------------------------------------


def test_an_identity_is_added_to_those_there() -> None:
    """Adding the system's identity keeps every user-assigned one, and taking it away keeps them too."""
    machine = seeds.vm() | {"identity": {"type": "UserAssigned", "userAssignedIdentities": {UAI: {}}}}
    process = on(*estate(machine=machine))
    process.do(AssignIdentity(vm=MACHINE, accept_new_default=True))
    added = process.wire.get(VM)["identity"]
    process.do(RemoveIdentity(vm=MACHINE))
    removed = process.wire.get(VM)["identity"]
    assert ("SystemAssigned, UserAssigned", [UAI]) == (added["type"], list(added["userAssignedIdentities"]))
    assert ("UserAssigned", [UAI]) == (removed["type"], list(removed["userAssignedIdentities"]))
    assert "principalId" in added
    assert "principalId" not in removed


def test_a_named_identity_is_added_and_taken_away() -> None:
    """One write brings all that are wanted, and a second look finds them in place."""
    process = on()
    wanted = AssignIdentity(vm=MACHINE, user_assigned=(ResourceId(UAI),))
    process.do(wanted)
    added = process.wire.get(VM)["identity"]
    assert ("SystemAssigned, UserAssigned", [UAI]) == (added["type"], list(added["userAssignedIdentities"]))
    assert Done("already so") == process.begin(wanted)
    process.do(RemoveIdentity(vm=MACHINE, system=False, user_assigned=(ResourceId(UAI),)))
    assert "SystemAssigned" == process.wire.get(VM)["identity"]["type"]


@pytest.mark.parametrize(
    "change",
    [
        AssignIdentity(vm=MACHINE),
        AssignIdentity(vm=MACHINE, system=False, user_assigned=(ResourceId(f"{UAI}-2"),)),
    ],
    ids=["its own", "another"],
)
def test_the_default_identity_does_not_change_unasked(change: AssignIdentity) -> None:
    """A VM that was given an only identity since it was planned keeps it as its default."""
    machine = seeds.vm() | {"identity": {"type": "UserAssigned", "userAssignedIdentities": {UAI: {}}}}
    process = on(*estate(machine=machine))
    refused = process.begin(change)
    assert isinstance(refused, Failed)
    assert ("IdentityDefaultRisk", True) == (refused.code, "get ci today" in refused.detail)
    assert "UserAssigned" == process.wire.get(VM)["identity"]["type"]
    assert [UAI] == list(process.wire.get(VM)["identity"]["userAssignedIdentities"])


def test_the_only_identity_is_taken_away() -> None:
    """A machine that had none before has none again."""
    process = on()
    process.do(AssignIdentity(vm=MACHINE))
    assert Done("done") == process.do(RemoveIdentity(vm=MACHINE))
    assert "identity" not in process.wire.get(VM)
    assert isinstance(process.begin(RemoveIdentity(vm=MACHINE)), Done)


# Models and keys ----------------------------------------------------------------------------------------


def test_trusted_launch_and_back() -> None:
    """The security type goes there and back, and nothing else of the machine's model moves."""
    process = on(*estate(machine=seeds.deallocated()))
    before = process.cloud.observe(MACHINE).vm
    process.do(TO_TRUSTED_LAUNCH)
    there = process.cloud.observe(MACHINE).vm.boot
    back = {"securityProfile": {"securityType": "Standard", "uefiSettings": None}}
    process.do(PatchVm(vm=MACHINE, properties=back))
    after = process.cloud.observe(MACHINE).vm
    assert (SecurityType.TRUSTED_LAUNCH, True, True) == (there.security_type, there.secure_boot, there.vtpm)
    assert before.boot == after.boot
    assert (before.tags, before.disks) == (after.tags, after.disks)


def test_a_key_and_back() -> None:
    """Going back to the platform's key needs a PUT, which drops the set and keeps everything else."""
    process = on(*estate(machine=seeds.deallocated()))
    before = process.wire.get(OS_DISK)
    process.do(TO_CUSTOMER_KEY)
    there = process.cloud.observe(MACHINE).disks[0].encryption
    back = SetDiskEncryption(vm=MACHINE, disk=OS, encryption=PLATFORM)
    assert Done("done") == process.do(back)
    after = process.wire.get(OS_DISK)
    assert CUSTOMER == there
    assert {"type": "EncryptionAtRestWithPlatformKey"} == after["properties"]["encryption"]
    assert before["sku"] == after["sku"]
    kept = ("diskSizeGB", "osType", "hyperVGeneration", "creationData", "uniqueId", "diskState")
    assert {name: before["properties"][name] for name in kept} == {
        name: after["properties"][name] for name in kept
    }
    assert ["PATCH", "PUT"] == writes(process)


def test_a_key_is_known_in_any_spelling() -> None:
    """Azure spells the set's group in capitals: the key is in place all the same."""
    disk = seeds.disk("web-1-os", encryption=CUSTOMER_KEY | {"diskEncryptionSetId": KEY.upper()})
    process = on(*estate(disk, machine=seeds.deallocated()))
    assert isinstance(process.begin(TO_CUSTOMER_KEY), Done)


# Snapshots ----------------------------------------------------------------------------------------------


def test_a_snapshot_is_closed_and_full() -> None:
    """A snapshot is full, under its disk's key, closed to every network, and stands beside its disk."""
    process = on(*estate(seeds.disk("web-1-os", encryption=CUSTOMER_KEY), machine=seeds.deallocated()))
    before = before_of(process.cloud.observe(MACHINE))
    process.finish(SNAPSHOT, process.begin(SNAPSHOT, before))
    snapshot = process.wire.get(str(snapshot_id(SNAPSHOT, "0123456789ab", STARTED)))
    shown = snapshot["properties"]
    assert (False, "DenyAll", "Disabled", CUSTOMER_KEY["type"], OS_DISK) == (
        shown["incremental"],
        shown["networkAccessPolicy"],
        shown["publicNetworkAccess"],
        shown["encryption"]["type"],
        shown["creationData"]["sourceResourceId"],
    )
    assert "2026-12-01" == snapshot["tags"]["readiness-expires"]
    assert "deallocated" == json.loads(snapshot["tags"]["readiness-before"])["power"]


def test_a_snapshot_that_failed_is_taken_again() -> None:
    """A snapshot that is there but failed protects nothing: the process that finds it takes it again."""
    fault = {"kind": "fail", "operation": "snapshots/write", "at": "end", "code": "Internal", "message": "oh"}
    first = on(*estate(machine=seeds.deallocated()), faults=[fault])
    assert Failed("Internal", "oh") == first.do(SNAPSHOT)
    second = Process(first.wire)
    assert Done("done") == second.do(SNAPSHOT)
    assert ["PUT", "PUT"] == writes(second)


def test_each_disk_has_its_own_snapshot() -> None:
    """Snapshots of two disks, and of two plans, do not get in each other's way."""
    names = {
        snapshot_id(TakeSnapshot(vm=MACHINE, disk=disk), plan, STARTED).name
        for disk in (OS, DATA)
        for plan in "ab"
    }
    assert 4 == len(names)
