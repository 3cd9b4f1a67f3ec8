"""Power: deallocate, start, powerOff, and what becomes of disks and agent."""

from datetime import datetime

import pytest

from tests.twin.seeds import DATA_DISK, OS_DISK, VM, Wire, deallocated, estate, vm


def test_deallocate_answers_202_with_both_headers():
    """A deallocate is accepted with Azure-AsyncOperation and Location, on the client's own host."""
    answer = Wire().ask("POST", f"{VM}/deallocate")
    assert 202 == answer.status
    assert answer.headers["Azure-AsyncOperation"].startswith("https://twin.example/")
    assert "monitor=true" in answer.headers["Location"]
    assert 1 <= int(answer.headers["Retry-After"]) <= 10


def test_deallocation_takes_its_time():
    """The machine is deallocating, its disks still attached, until about a minute has passed."""
    wire = Wire()
    wire.ask("POST", f"{VM}/deallocate")
    assert "PowerState/deallocating" == wire.power()
    assert "Attached" == wire.get(OS_DISK)["properties"]["diskState"]
    wire.clock.sleep(50)
    assert "PowerState/deallocating" == wire.power()
    wire.clock.sleep(20)
    assert "PowerState/deallocated" == wire.power()
    for path in (OS_DISK, DATA_DISK):
        assert "Reserved" == wire.get(path)["properties"]["diskState"]


def test_deallocated_machines_report_disks_but_no_guest():
    """The instance view of a deallocated machine has disks, but neither agent nor operating system."""
    wire = Wire()
    assert {"vmAgent", "osName"} <= set(wire.get(f"{VM}/instanceView"))
    wire.do("POST", f"{VM}/deallocate")
    view = wire.get(f"{VM}/instanceView")
    assert set() == {"vmAgent", "osName", "computerName"} & set(view)
    assert ["web-1-os", "web-1-data"] == [each["name"] for each in view["disks"]]


def test_the_agent_reports_some_time_after_a_start():
    """A started machine runs with its disks attached; its agent is Ready about half a minute later."""
    wire = Wire(*estate(machine=deallocated()))
    wire.ask("POST", f"{VM}/start")
    assert ("PowerState/starting", "Attached") == (wire.power(), wire.get(OS_DISK)["properties"]["diskState"])
    wire.clock.sleep(45)
    assert ("PowerState/running", "Not Ready") == (wire.power(), wire.agent())
    wire.clock.sleep(35)
    assert "Ready" == wire.agent()
    assert "ubuntu" == wire.get(f"{VM}/instanceView")["osName"]


def test_stopped_machines_keep_their_disks():
    """A powerOff stops the machine and leaves its disks attached: stopped is not deallocated."""
    wire = Wire()
    wire.do("POST", f"{VM}/powerOff")
    assert "PowerState/stopped" == wire.power()
    assert "Attached" == wire.get(OS_DISK)["properties"]["diskState"]


@pytest.mark.parametrize(
    ("seed", "action"), [(deallocated(), "deallocate"), (vm(), "start")], ids=["deallocate", "start"]
)
def test_asking_for_what_already_is_succeeds(seed, action):
    """A deallocate of a deallocated machine, and a start of a running one, succeed and change nothing."""
    wire = Wire(*estate(machine=seed))
    before, agent = wire.power(), wire.agent()
    assert "Succeeded" == wire.do("POST", f"{VM}/{action}")["status"]
    assert (before, agent) == (wire.power(), wire.agent())


def test_a_deallocated_machine_cannot_be_powered_off():
    """A powerOff of a deallocated machine is refused."""
    wire = Wire(*estate(machine=deallocated()))
    assert (409, "OperationNotAllowed") == wire.refused("POST", f"{VM}/powerOff")


def test_ephemeral_machines_cannot_be_deallocated():
    """A machine whose operating system disk is ephemeral refuses to be deallocated."""
    machine = vm()
    machine["properties"]["storageProfile"]["osDisk"]["diffDiskSettings"] = {"option": "Local"}
    assert (409, "OperationNotAllowed") == Wire(*estate(machine=machine)).refused("POST", f"{VM}/deallocate")


def test_shared_disks_are_free_when_all_their_machines_are_off():
    """A disk two machines share is Attached until both are deallocated."""
    other = vm("web-2")
    other["properties"]["storageProfile"]["dataDisks"][0]["managedDisk"]["id"] = DATA_DISK
    wire = Wire(*estate(other))
    wire.do("POST", f"{VM}/deallocate")
    assert "Attached" == wire.get(DATA_DISK)["properties"]["diskState"]
    wire.do("POST", f"{VM.replace('web-1', 'web-2')}/deallocate")
    assert "Reserved" == wire.get(DATA_DISK)["properties"]["diskState"]


def test_writes_are_throttled_by_machine_and_group():
    """The 13th update in a moment is 429 with the documented details; a minute brings four back."""
    wire = Wire()
    left = wire.ask("POST", f"{VM}/start").headers["x-ms-ratelimit-remaining-resource"]
    assert "Microsoft.Compute/UpdateVMSubscriptionMaximum;1499,Microsoft.Compute/UpdateVMResource;11" == left
    assert [409] * 11 + [429] == [wire.ask("POST", f"{VM}/start").status for _ in range(12)]
    refused = wire.ask("POST", f"{VM}/start")
    assert (429, "15") == (refused.status, refused.headers["Retry-After"])
    detail = refused.body["error"]["details"][0]
    assert ("TooManyRequests", "UpdateVM") == (detail["code"], detail["target"])
    wire.clock.sleep(3)
    assert 202 == wire.ask("POST", f"{VM}/deallocate").status
    wire.clock.sleep(57)
    assert [409] * 4 + [429] == [wire.ask("POST", f"{VM}/powerOff").status for _ in range(5)]


def test_the_same_seed_takes_the_same_time():
    """Durations vary from machine to machine, and never from one rehearsal to the next."""

    def seconds(name: str) -> float:
        wire = Wire(vm(name))
        answer = wire.ask("POST", f"{VM.replace('web-1', name)}/deallocate")
        wire.clock.sleep(100)
        body = wire.follow(answer)
        return (
            datetime.fromisoformat(body["endTime"]) - datetime.fromisoformat(body["startTime"])
        ).total_seconds()

    assert seconds("a") == seconds("a")
    assert seconds("a") != seconds("b")
    assert 54 <= seconds("a") <= 66


def test_the_location_header_leads_to_a_monitor():
    """The monitor answers 202 and leads on to itself until the end, then 200 without a body."""
    wire = Wire()
    location = wire.ask("POST", f"{VM}/deallocate").headers["Location"]
    path = location.removeprefix("https://twin.example").split("?")[0]
    running = wire.ask("GET", path, query={"monitor": "true"})
    assert (202, None) == (running.status, running.body)
    assert running.headers["Location"].startswith(f"https://twin.example{path}?")
    wire.clock.sleep(70)
    ended = wire.ask("GET", path, query={"monitor": "true"})
    assert (200, None) == (ended.status, ended.body)


def test_a_failed_operation_is_an_error_to_its_monitor():
    """Where an operation failed, the monitor answers with the error itself."""
    fault = {"kind": "fail", "operation": "virtualMachines/start", "at": "end"}
    wire = Wire(*estate(machine=deallocated()), faults=[fault])
    location = wire.ask("POST", f"{VM}/start").headers["Location"]
    wire.clock.sleep(70)
    path = location.removeprefix("https://twin.example").split("?")[0]
    assert (409, "AllocationFailed") == wire.refused("GET", path, query={"monitor": "true"})
