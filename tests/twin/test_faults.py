"""Scripted trouble: what a faults file can say, and what becomes of it."""

import pytest

from readiness.twin.faults import FaultFileError, Faults
from tests.twin.seeds import COMPUTE, OS_DISK, TRUSTED, VM, Wire, deallocated, estate, vm

TO_TRUSTED = {"properties": {"securityProfile": TRUSTED}}


def test_a_start_can_find_no_capacity():
    """A failing start is refused with Azure's own words; the next one is not."""
    fault = {"kind": "fail", "operation": "virtualMachines/start", "resource": "web-*"}
    wire = Wire(*estate(machine=deallocated()), faults=[fault])
    assert (409, "AllocationFailed") == wire.refused("POST", f"{VM}/start")
    assert "PowerState/deallocated" == wire.power()
    assert 202 == wire.ask("POST", f"{VM}/start").status


def test_capacity_can_lack_for_one_size():
    """Only a machine of that size meets the fault: resized while deallocated, it starts."""
    fault = {"kind": "capacity", "size": "Standard_D*_v5", "times": 1000}
    wire = Wire(*estate(machine=deallocated()), faults=[fault])
    assert (409, "AllocationFailed") == wire.refused("POST", f"{VM}/start")
    wire.do("PATCH", VM, {"properties": {"hardwareProfile": {"vmSize": "Standard_E2s_v3"}}})
    assert 202 == wire.ask("POST", f"{VM}/start").status


def test_an_operation_can_end_failed():
    """A start that fails at its end leaves the machine deallocated, Failed, and its disks Reserved."""
    fault = {"kind": "fail", "operation": "virtualMachines/start", "at": "end"}
    wire = Wire(*estate(machine=deallocated()), faults=[fault])
    body = wire.do("POST", f"{VM}/start")
    assert ("Failed", "AllocationFailed") == (body["status"], body["error"]["code"])
    assert "PowerState/deallocated" == wire.power()
    assert "Failed" == wire.get(VM)["properties"]["provisioningState"]
    assert "Reserved" == wire.get(OS_DISK)["properties"]["diskState"]
    codes = [each["code"] for each in wire.get(f"{VM}/instanceView")["statuses"]]
    assert "ProvisioningState/failed/AllocationFailed" in codes


def test_a_failed_write_leaves_the_model():
    """A write that ends Failed leaves the model as it was, with the etag stepped."""
    fault = {"kind": "fail", "operation": "virtualMachines/write", "at": "end", "code": "Oops"}
    wire = Wire(*estate(machine=deallocated()), faults=[fault])
    assert "Oops" == wire.do("PATCH", VM, TO_TRUSTED)["error"]["code"]
    assert {"securityType": "Standard"} == wire.get(VM)["properties"]["securityProfile"]
    assert '"2"' == wire.get(VM)["etag"]


def test_a_failed_snapshot_stays_failed_until_it_is_asked_for_again():
    """A snapshot whose creation failed is there, Failed; the same PUT again makes it good."""
    fault = {"kind": "fail", "operation": "snapshots/write", "at": "end"}
    wire = Wire(faults=[fault])
    body = {
        "location": "westeurope",
        "properties": {"creationData": {"createOption": "Copy", "sourceResourceId": OS_DISK}},
    }
    path = f"{COMPUTE}/snapshots/s"
    assert "Failed" == wire.do("PUT", path, body)["status"]
    assert "Failed" == wire.get(path)["properties"]["provisioningState"]
    assert "Succeeded" == wire.do("PUT", path, body)["status"]


def test_the_nth_calls_are_throttled():
    """The second and third call are 429 with the wait the file gives; the others are not."""
    fault = {"kind": "throttle", "operation": "disks/write", "nth": 2, "times": 2, "retry_after": 7}
    wire = Wire(faults=[fault])
    answers = []
    for _ in range(4):
        answers.append(wire.ask("PATCH", OS_DISK, {"tags": {}}))
        wire.clock.sleep(10)
    assert [202, 429, 429, 202] == [each.status for each in answers]
    assert "7" == answers[1].headers["Retry-After"]


@pytest.mark.parametrize(
    ("fault", "agents"),
    [
        ({"while_security_type": "TrustedLaunch"}, ["Not Ready", "Ready"]),
        ({"while_secure_boot": True}, ["Not Ready", "Ready"]),
        ({"boots": 1}, ["Not Ready", "Ready"]),
        ({"resource": "other-*"}, ["Ready", "Ready"]),
        ({}, ["Not Ready", "Not Ready"]),
    ],
    ids=["security type", "secure boot", "first boot", "another machine", "always"],
)
def test_agents_stay_silent_while_they_are_told_to(fault, agents):
    """After a boot under Trusted Launch, and after another as Standard, the agent is silent as scripted."""
    wire = Wire(*estate(machine=deallocated()), faults=[{"kind": "agent-silent", **fault}])
    seen = []
    for profile in (TRUSTED, {"securityType": "Standard", "uefiSettings": None}):
        wire.do("PATCH", VM, {"properties": {"securityProfile": profile}})
        wire.do("POST", f"{VM}/start")
        wire.clock.sleep(600)
        seen.append(wire.agent())
        assert "PowerState/running" == wire.power()
        wire.do("POST", f"{VM}/deallocate")
    assert agents == seen


def test_patterns_match_ids_without_case():
    """A pattern may name a whole id, in any case."""
    fault = {"kind": "fail", "operation": "virtualMachines/*", "resource": "*/RG-APP/*", "times": 9}
    wire = Wire(vm(), faults=[fault])
    assert (409, "OperationNotAllowed") == wire.refused("PATCH", VM, {"tags": {}})


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "format: not a faults file"),
        ({"format": "readiness/faults/2", "faults": []}, "format: not a faults file"),
        ({}, "faults: missing"),
        ({"faults": [1]}, "faults[0]: not an object"),
        ({"faults": [{"kind": "explode"}]}, "faults[0].kind: 'explode' is unknown"),
        ({"faults": [{"kind": "fail"}]}, "faults[0].operation: missing"),
        ({"faults": [{"kind": "fail", "operation": "vm/start"}]}, "'vm/start' is not modelled"),
        ({"faults": [{"kind": "fail", "operation": "disks/write", "at": "noon"}]}, "faults[0].at: 'noon'"),
        ({"faults": [{"kind": "fail", "operation": "disks/write", "status": 200}]}, "200 is no error"),
        ({"faults": [{"kind": "throttle", "operation": "disks/write", "nth": 0}]}, "nth: 0 is too small"),
        ({"faults": [{"kind": "throttle", "operation": "disks/write", "nth": True}]}, "has the wrong type"),
        ({"faults": [{"kind": "agent-silent", "boot": 1}]}, "faults[0].boot: unknown"),
    ],
)
def test_bad_faults_files_say_where_and_what_to_do(document, message):
    """What a faults file gets wrong is told with its place."""
    if isinstance(document, dict):
        document = {"format": "readiness/faults/1", **document}
    with pytest.raises(FaultFileError) as caught:
        Faults.parse(document)
    assert message in str(caught.value)
