"""Trouble beyond refusals: broken connections, operations that never end, other people's changes."""

import threading

import pytest
from azure.core.exceptions import ServiceRequestError, ServiceResponseError
from azure.mgmt.compute import ComputeManagementClient

from readiness.twin.core import DroppedError, Request
from readiness.twin.credential import TwinCredential
from readiness.twin.transport import TwinTransport
from tests.twin.seeds import COMPUTE, CUSTOMER_KEY, OS_DISK, SUBSCRIPTION, VM, Wire, deallocated, disk, estate

COPY = {
    "location": "westeurope",
    "properties": {"creationData": {"createOption": "Copy", "sourceResourceId": OS_DISK}},
}


def client_of(wire: Wire) -> ComputeManagementClient:
    """The real SDK on a twin, without retries of its own."""
    return ComputeManagementClient(
        TwinCredential(),
        SUBSCRIPTION,
        transport=TwinTransport(wire.twin),
        base_url="https://twin.example",
        retry_total=0,
    )


@pytest.mark.parametrize(
    ("kind", "error", "power"),
    [
        ("reset", ServiceRequestError, "PowerState/running"),
        ("lost-answer", ServiceResponseError, "PowerState/deallocating"),
    ],
)
def test_a_broken_connection_reaches_the_client_as_azure_core_tells_it(kind, error, power):
    """A reset has changed nothing; a lost answer has changed everything, and its client cannot know."""
    wire = Wire(faults=[{"kind": kind, "operation": "virtualMachines/deallocate"}])
    with pytest.raises(error):
        client_of(wire).virtual_machines.begin_deallocate("rg-app", "web-1", polling=False)
    assert power == wire.power()


def test_a_refusal_is_not_lost():
    """Where a call is refused nothing has happened whose answer could be lost: its client hears of it."""
    wire = Wire(faults=[{"kind": "lost-answer", "operation": "virtualMachines/write", "times": 2}])
    assert 400 == wire.ask("PATCH", VM, ["no object"]).status
    with pytest.raises(DroppedError):
        wire.ask("PATCH", VM, {"tags": {}})
    assert [200] == [each.status for each in wire.twin.log]


def test_a_slow_operation_takes_its_time():
    """A deallocation ten times as slow is still going on after five minutes, and ends."""
    wire = Wire(faults=[{"kind": "slow", "operation": "virtualMachines/deallocate", "factor": 10}])
    answer = wire.ask("POST", f"{VM}/deallocate")
    wire.clock.sleep(300)
    assert "InProgress" == wire.follow(answer)["status"]
    wire.clock.sleep(400)
    assert "Succeeded" == wire.follow(answer)["status"]


def test_a_stuck_operation_never_ends():
    """A day later it is still in progress, and the machine still busy."""
    wire = Wire(faults=[{"kind": "stuck", "operation": "virtualMachines/deallocate"}])
    answer = wire.ask("POST", f"{VM}/deallocate")
    wire.clock.sleep(86_400)
    assert "InProgress" == wire.follow(answer)["status"]
    assert (409, "OperationNotAllowed") == wire.refused("POST", f"{VM}/start")


def test_an_answer_can_leave_out_where_to_follow_it():
    """Without headers, the resource's own state is all there is to poll."""
    wire = Wire(faults=[{"kind": "no-headers", "operation": "virtualMachines/deallocate"}])
    answer = wire.ask("POST", f"{VM}/deallocate")
    assert set() == {"Azure-AsyncOperation", "Location", "Retry-After"} & set(answer.headers)
    wire.clock.sleep(70)
    assert "PowerState/deallocated" == wire.power()


def test_a_right_can_be_missing():
    """What is denied stays denied, with the action and the scope that RBAC would name."""
    wire = Wire(faults=[{"kind": "denied", "operation": "virtualMachines/deallocate", "nth": 2}])
    wire.do("POST", f"{VM}/deallocate")
    for _ in range(2):
        error = wire.ask("POST", f"{VM}/deallocate").body["error"]
        assert "AuthorizationFailed" == error["code"]
        assert "'Microsoft.Compute/virtualMachines/deallocate/action' over scope" in error["message"]
        assert VM in error["message"]


def test_reads_meet_trouble_only_where_a_file_says_so():
    """A pattern over everything is about writes; one that ends in read is about reads; polls are named."""
    wire = Wire(faults=[{"kind": "denied", "operation": "virtualMachines/*"}])
    assert "web-1" == wire.get(VM)["name"]
    wire = Wire(faults=[{"kind": "denied", "operation": "virtualMachines/read"}])
    assert (403, "AuthorizationFailed") == wire.refused("GET", VM)
    wire = Wire(faults=[{"kind": "server-error", "operation": "operations/read", "resource": "web-1"}])
    path = wire.ask("POST", f"{VM}/deallocate").headers["Azure-AsyncOperation"].partition("?")[0]
    path = path.removeprefix("https://twin.example")
    assert [503, 200] == [wire.ask("GET", path).status for _ in range(2)]


def test_somebody_else_can_be_faster():
    """A change just before a call makes the etag that its client read an old one."""
    change = {"tags": {"owner": "somebody else"}}
    wire = Wire(faults=[{"kind": "changed", "operation": "virtualMachines/write", "change": change}])
    headers = {"if-match": wire.get(VM)["etag"]}
    assert 412 == wire.ask("PATCH", VM, {"tags": {}}, headers=headers).status
    assert "somebody else" == wire.get(VM)["tags"]["owner"]


def test_a_region_can_run_out_of_room_for_snapshots():
    """As many snapshots as there is room for are made; the next is refused, a change of one is not."""
    wire = Wire(faults=[{"kind": "snapshot-quota", "limit": 2}])
    for number in range(2):
        assert "Succeeded" == wire.do("PUT", f"{COMPUTE}/snapshots/s{number}", COPY)["status"]
    assert (409, "QuotaExceeded") == wire.refused("PUT", f"{COMPUTE}/snapshots/s2", COPY)
    assert 202 == wire.ask("PUT", f"{COMPUTE}/snapshots/s1", COPY).status


def test_a_key_can_be_lost_midway():
    """After the first disk was written the key is gone: the second disk and the start are refused."""
    fault = {"kind": "key-lost", "resource": "keys", "operation": "disks/write", "nth": 2}
    wire = Wire(*estate(machine=deallocated()), faults=[fault])
    body = {"properties": {"encryption": CUSTOMER_KEY}}
    assert "Succeeded" == wire.do("PATCH", OS_DISK, body)["status"]
    assert (400, "KeyVaultAccessForbidden") == wire.refused("PATCH", f"{COMPUTE}/disks/web-1-data", body)
    assert (400, "KeyVaultAccessForbidden") == wire.refused("POST", f"{VM}/start")


def test_a_boot_fails_with_secure_boot_alone():
    """An unsigned boot component stops a boot with Secure Boot on, and none without."""
    wire = Wire(*estate(machine=deallocated()), faults=[{"kind": "boot-fails"}])
    seen = []
    for secure in (True, False):
        profile = {
            "securityType": "TrustedLaunch",
            "uefiSettings": {"secureBootEnabled": secure, "vTpmEnabled": True},
        }
        wire.do("PATCH", VM, {"properties": {"securityProfile": profile}})
        wire.do("POST", f"{VM}/start")
        wire.clock.sleep(600)
        seen.append(wire.agent())
        wire.do("POST", f"{VM}/deallocate")
    assert ["Not Ready", "Ready"] == seen


def test_chance_is_the_same_every_time():
    """With a probability some calls are met and some are not: the same ones in every such twin."""

    def met() -> list[int]:
        fault = {"kind": "server-error", "operation": "disks/write", "probability": 0.5}
        wire = Wire(*(disk(f"d{number}") for number in range(40)), faults=[fault])
        return [wire.ask("PATCH", f"{COMPUTE}/disks/d{number}", {"tags": {}}).status for number in range(40)]

    first = met()
    assert 8 <= first.count(503) <= 32
    assert first == met()


def test_sixteen_threads_see_one_truth():
    """Sixteen threads write and read sixteen machines at once: nothing is lost or done twice."""
    machines = [deallocated(f"m{number}") for number in range(16)]
    wire = Wire(*machines)
    answers: list[int] = []
    errors: list[BaseException] = []

    def work(number: int) -> None:
        path = f"{COMPUTE}/virtualMachines/m{number}"
        try:
            for turn in range(8):
                body = {"tags": {"turn": str(turn)}}
                answers.append(_asked(wire, "PATCH", path, body).status)
                wire.clock.sleep(20)
                answers.append(_asked(wire, "GET", path, None).status)
        except BaseException as error:  # noqa: BLE001 - told on the main thread
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [] == errors
    assert {200} == set(answers)
    assert 16 * 8 == len(wire.twin.log)
    tags = [each["tags"]["turn"] for each in wire.twin.resources() if "/virtualMachines/" in each["id"]]
    assert ["7"] * 16 == tags
    etags = [each["etag"] for each in wire.twin.resources() if "/virtualMachines/" in each["id"]]
    assert ['"9"'] * 16 == etags


def _asked(wire: Wire, method: str, path: str, body: object):
    return wire.twin.handle(Request(method, path, {"api-version": "2026-04-01"}, {}, body))
