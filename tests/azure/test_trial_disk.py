"""The throwaway disk through the real SDK on a twin: under the key, explained, deleted, kept apart."""

from datetime import date
from typing import Any

import pytest
from msgspec.structs import replace

from readiness.azure.connect import Connection, Endpoint
from readiness.azure.kept_snapshots import delete, kept_snapshots
from readiness.azure.trial_disk import explained, trial_id
from readiness.errors import ThrottledError
from readiness.model.ids import ResourceId
from readiness.model.steps import DropTrial, TryEncryption
from readiness.ports.cloud import Done, Failed, Pending
from readiness.twin.credential import TwinCredential
from readiness.twin.transport import TwinTransport
from tests.azure.test_perform import CUSTOMER, MACHINE, PLATFORM, Process, context, on, writes
from tests.twin.seeds import COMPUTE, CUSTOMER_KEY, disk, encryption_set, estate, vm

TRY = TryEncryption(vm=MACHINE, encryption=CUSTOMER)
DROP = DropTrial(vm=MACHINE, encryption=CUSTOMER)
TRIAL = trial_id(TRY)


def is_there(process: Process) -> bool:
    """Tell whether the throwaway disk exists."""
    return 200 == process.wire.ask("GET", TRIAL.text).status


def test_is_created_under_the_key_and_deleted() -> None:
    """The disk is small, closed, marked, under the key and without a zone, and goes when it has served."""
    process = on(*estate(machine=vm() | {"zones": ["1"]}))
    assert Done(f"Azure created {TRIAL.name} under the key") == process.do(TRY)
    shown = process.wire.get(TRIAL.text)
    properties = shown["properties"]
    assert (4, "Empty", CUSTOMER_KEY["type"], "DenyAll", "Disabled") == (
        properties["diskSizeGB"],
        properties["creationData"]["createOption"],
        properties["encryption"]["type"],
        properties["networkAccessPolicy"],
        properties["publicNetworkAccess"],
    )
    assert "zones" not in shown
    assert ("0123456789ab", "rg-app/web-1", "2026-12-01") == tuple(
        shown["tags"][name] for name in ("readiness-plan", "readiness-vm", "readiness-expires")
    )
    assert Done("done") == process.do(DROP)
    assert not is_there(process)
    assert Done(f"{TRIAL.name} is not there") == process.begin(DROP)
    assert ["PUT", "DELETE"] == writes(process)


def test_a_crash_repeats_nothing() -> None:
    """Creation and deletion under way are waited for by a process that knows nothing of them."""
    first = on()
    first.begin(TRY)
    waiting = Process(first.wire).begin(TRY)
    assert isinstance(waiting, Pending)
    assert waiting.token is None
    assert isinstance(Process(first.wire).do(TRY), Done)
    first.begin(DROP)
    going = Process(first.wire).begin(DROP)
    assert isinstance(going, Pending)
    assert going.token is None
    assert isinstance(Process(first.wire).do(DROP), Done)
    assert ["PUT", "DELETE"] == writes(first)


def test_one_of_an_earlier_run_proves_nothing() -> None:
    """A disk that an earlier run left behind is deleted, and the key is tried now."""
    process = on()
    process.do(TRY)
    later = replace(context(), started="2026-12-05T21:00:00+00:00", run="run-2")
    answer = process.cloud.begin(TRY, later)
    while isinstance(answer, Pending):
        process.wire.clock.sleep(answer.retry_after)
        token = answer.token
        answer = process.cloud.begin(TRY, later) if token is None else process.cloud.poll(TRY, token)
    assert isinstance(answer, Done)
    assert ["PUT", "DELETE", "PUT"] == writes(process)
    assert later.started == process.wire.get(TRIAL.text)["tags"]["readiness-started"]


def test_a_creation_that_failed_is_told_and_tried_again() -> None:
    """A disk that ended Failed proves nothing: the step fails with Azure's code, and can be tried again."""
    code = "KeyVaultAccessForbidden"
    fault = {"kind": "fail", "operation": "disks/write", "at": "end", "code": code, "message": "no wrap"}
    process = on(faults=[fault])
    answer = process.do(TRY)
    assert isinstance(answer, Failed)
    assert code == answer.code
    assert answer.detail.startswith("the disk encryption set may not use its key")
    assert answer.detail.endswith("no wrap")
    assert isinstance(process.do(TRY), Done)


def test_a_set_without_permission_is_told_in_words() -> None:
    """Where Azure refuses the set for its key, the answer says what it lacks, and nothing is left behind."""
    vault = "https://vault.vault.azure.net/keys/k/1"
    properties = {
        "encryptionType": "EncryptionAtRestWithCustomerKey",
        "activeKey": {"keyUrl": vault, "sourceVault": {"id": f"{COMPUTE}/none"}},
    }
    fault = {
        "kind": "fail",
        "operation": "disks/write",
        "status": 400,
        "code": "KeyVaultAccessForbidden",
        "message": f"Unable to access key vault resource '{vault}' to enable encryption at rest.",
    }
    process = on(*estate(encryption_set(properties=properties)), faults=[fault])
    answer = process.begin(TRY)
    assert isinstance(answer, Failed)
    assert ("KeyVaultAccessForbidden", True) == (answer.code, "get, wrap and unwrap" in answer.detail)
    assert not is_there(process)


def test_a_set_that_is_missing_or_elsewhere_is_refused() -> None:
    """A set that does not exist, and one of another region, are failures of the trial and no errors."""
    gone = TryEncryption(
        vm=MACHINE,
        encryption=replace(CUSTOMER, disk_encryption_set=ResourceId(f"{COMPUTE}/diskEncryptionSets/x")),
    )
    missing = on().begin(gone)
    assert isinstance(missing, Failed)
    assert "the disk encryption set does not exist" in missing.detail
    elsewhere = on(*estate(encryption_set(location="northeurope"))).begin(TRY)
    assert isinstance(elsewhere, Failed)
    assert "region" in elsewhere.detail


def test_a_policy_that_forbids_it_is_told() -> None:
    """A refusal by policy fails the trial with the code that Azure gave."""
    code = "RequestDisallowedByPolicy"
    fault = {"kind": "fail", "operation": "disks/write", "status": 403, "code": code, "message": "no"}
    answer = on(faults=[fault]).begin(TRY)
    assert isinstance(answer, Failed)
    assert (code, "a policy forbids the throwaway disk, and may forbid the change, too: no") == (
        answer.code,
        answer.detail,
    )


def test_who_is_busy_is_asked_again() -> None:
    """A throttled call, and somebody else at work, say nothing about the key."""
    throttled = on(faults=[{"kind": "throttle", "operation": "*", "times": 99}])
    with pytest.raises(ThrottledError):
        throttled.begin(TRY)
    message = "The request failed due to conflict with a concurrent request."
    fault = {"kind": "fail", "operation": "*", "status": 409, "code": "Conflict", "message": message}
    process = on(faults=[fault])
    first = process.begin(TRY)
    assert isinstance(first, Pending)
    assert isinstance(process.finish(TRY, first), Done)


@pytest.mark.parametrize("tags", [{}, {"readiness-plan": "0123456789ab", "readiness-vm": "rg-app/web-2"}])
def test_a_disk_that_is_not_ours_is_left_alone(tags: dict[str, Any]) -> None:
    """A disk that merely has the name is neither proof nor deleted."""
    process = on(*estate(disk(TRIAL.name) | {"tags": tags}))
    answer = process.begin(TRY)
    assert isinstance(answer, Failed)
    assert "NameTaken" == answer.code
    assert Done(f"{TRIAL.name} is not ours, and is kept") == process.begin(DROP)
    assert is_there(process)


def test_a_disk_under_another_key_is_no_proof() -> None:
    """What counts is the key that Azure shows, not the one that was asked for."""
    marked = {
        "readiness-plan": "0123456789ab",
        "readiness-started": context().started,
        "readiness-vm": "rg-app/web-1",
    }
    answer = on(*estate(disk(TRIAL.name, encryption={"type": PLATFORM.type}) | {"tags": marked})).begin(TRY)
    assert isinstance(answer, Failed)
    assert "NotAsAsked" == answer.code


def test_each_vm_and_key_has_its_own() -> None:
    """Trials of two VMs and two keys do not get in each other's way."""
    vms = (MACHINE, ResourceId(f"{COMPUTE}/virtualMachines/web-2"))
    keys = (CUSTOMER, replace(CUSTOMER, disk_encryption_set=ResourceId(f"{COMPUTE}/diskEncryptionSets/x")))
    assert 4 == len({trial_id(TryEncryption(vm=vm, encryption=key)) for vm in vms for key in keys})
    assert trial_id(TRY) == trial_id(DROP)


def test_a_cause_that_is_not_known_keeps_azures_words() -> None:
    """A code without words of ours is told with Azure's own."""
    assert Failed("Odd", "strange", evidence="strange") == explained(Failed("Odd", "strange"))


def test_one_that_was_left_behind_is_listed_and_deleted() -> None:
    """It stands among the snapshots of its plan with its day; a disk that is none of these never does."""
    stranger = disk("readiness-trial-mine") | {"tags": {"owner": "me"}}
    marked = {"readiness-plan": "0123456789ab", "readiness-vm": "rg-app/web-1"}
    swapped, used = (disk(name) | {"tags": marked} for name in ("web-1-os-swapped", "readiness-trial-used"))
    process = on(*estate(stranger, swapped, used | {"managedBy": MACHINE.text}))
    process.do(TRY)
    endpoint = Endpoint(
        base_url="https://twin.invalid",
        credential=TwinCredential(),
        make_transport=lambda: TwinTransport(process.wire.twin),
    )
    connection = Connection(endpoint)
    (left,) = kept_snapshots(connection, TRIAL.subscription)
    assert (TRIAL, "throwaway disk", "rg-app/web-1", date(2026, 12, 1)) == (
        left.id,
        left.disk,
        left.vm,
        left.expires,
    )
    delete(connection, left)
    assert not is_there(process)
    assert [] == kept_snapshots(connection, TRIAL.subscription)
