"""Power: deallocate, start, powerOff, and what becomes of disks and agent."""

from datetime import datetime

import pytest

from tests.twin.seeds import (
    CUSTOMER_KEY,
    DATA_DISK,
    OS_DISK,
    SUBSCRIPTION,
    VM,
    Wire,
    deallocated,
    disk,
    encryption_set,
    estate,
    vm,
)
from tests.twin.test_sdk import client_of


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


@pytest.mark.parametrize("action", ["restart", "redeploy"])
def test_restart_and_redeploy_boot_a_running_machine_once(action):
    """A restart, and a move to other hardware, bring a running machine up again; one that is off refuses.

    Understand common error messages when you manage virtual machines in Azure,
    https://learn.microsoft.com/troubleshoot/azure/virtual-machines/windows/error-messages
    """
    wire = Wire()
    client = client_of(wire)
    getattr(client.virtual_machines, f"begin_{action}")("rg-app", "web-1").result()
    wire.clock.sleep(45)
    assert ("PowerState/running", "Ready") == (wire.power(), wire.agent())
    wire.do("POST", f"{VM}/powerOff", query={"skipShutdown": "true"})
    answer = wire.ask("POST", f"{VM}/{action}")
    assert (409, "The operation requires the VM to be running (or set to run).") == (
        answer.status,
        answer.body["error"]["message"],
    )


def test_a_redeployment_takes_about_two_minutes():
    """A redeployment lasts as long as the recorded one, two minutes and three seconds, or nearly so.

    azure-cli, recording test_vm_redeploy,
    https://github.com/Azure/azure-cli/tree/dev/src/azure-cli/azure/cli/command_modules/vm/tests
    """
    wire = Wire()
    answer = wire.ask("POST", f"{VM}/redeploy")
    wire.clock.sleep(110)
    assert "InProgress" == wire.follow(answer)["status"]
    wire.clock.sleep(26)
    assert "Succeeded" == wire.follow(answer)["status"]


def test_reapply_mends_a_failed_state_and_nothing_else():
    """A machine whose last operation failed is Succeeded again after a reapply, in the power state it was in.

    Reapply or redeploy a virtual machine stuck in a failed state,
    https://learn.microsoft.com/troubleshoot/azure/virtual-machines/windows/vm-stuck-in-failed-state
    """
    fault = {"kind": "fail", "operation": "virtualMachines/start", "at": "end"}
    wire = Wire(*estate(machine=deallocated()), faults=[fault])
    wire.do("POST", f"{VM}/start")
    assert "Failed" == wire.get(VM)["properties"]["provisioningState"]
    client_of(wire).virtual_machines.begin_reapply("rg-app", "web-1").result()
    assert ("Succeeded", "PowerState/deallocated") == (
        wire.get(VM)["properties"]["provisioningState"],
        wire.power(),
    )


def test_a_start_that_timed_out_may_be_up():
    """After VMStartTimedOut the machine is Failed and running, as its message warns.

    Understand common error messages when you manage virtual machines in Azure,
    https://learn.microsoft.com/troubleshoot/azure/virtual-machines/windows/error-messages
    """
    message = "VM 'web-1' did not start in the allotted time. The VM may still start successfully."
    fault = {
        "kind": "fail",
        "operation": "virtualMachines/start",
        "at": "end",
        "code": "VMStartTimedOut",
        "message": message,
    }
    wire = Wire(*estate(machine=deallocated()), faults=[fault])
    assert "VMStartTimedOut" == wire.do("POST", f"{VM}/start")["error"]["code"]
    assert "PowerState/running" == wire.power()
    status = wire.get(f"{VM}/instanceView")["statuses"][0]
    assert ("ProvisioningState/failed/VMStartTimedOut", message) == (status["code"], status["message"])
    wire.clock.sleep(45)
    assert "Ready" == wire.agent()


def test_zones_and_tight_constraints_fail_starts_in_their_own_words():
    """A start meets ZonalAllocationFailed and OverconstrainedAllocationRequest where a faults file says so.

    Troubleshoot allocation failures,
    https://learn.microsoft.com/troubleshoot/azure/virtual-machines/windows/allocation-failure
    """
    codes = ["ZonalAllocationFailed", "OverconstrainedAllocationRequest"]
    fault = {"kind": "fail", "operation": "virtualMachines/start", "at": "end"}
    faults = [fault | {"code": code, "nth": nth} for nth, code in enumerate(codes, start=1)]
    wire = Wire(*estate(machine=deallocated()), faults=faults)
    assert codes == [wire.do("POST", f"{VM}/start")["error"]["code"] for _ in codes]
    assert "Succeeded" == wire.do("POST", f"{VM}/start")["status"]


CAN_HIBERNATE = {"additionalCapabilities": {"hibernationEnabled": True}}


def test_hibernation_freezes_the_disks():
    """A hibernated machine is deallocated, says so, and keeps its disks Frozen until it starts again.

    Hibernate virtual machines, https://learn.microsoft.com/azure/virtual-machines/hibernate-resume
    """
    wire = Wire(*estate(machine=vm(**CAN_HIBERNATE)))
    client_of(wire).virtual_machines.begin_deallocate("rg-app", "web-1", hibernate=True).result()
    codes = [each["code"] for each in wire.get(f"{VM}/instanceView")["statuses"]]
    assert ["ProvisioningState/succeeded", "PowerState/deallocated", "HibernationState/Hibernated"] == codes
    assert "Frozen" == wire.get(OS_DISK)["properties"]["diskState"]
    change = {"properties": {"securityProfile": {"encryptionAtHost": True}}}
    assert (409, "OperationNotAllowed") == wire.refused("PATCH", VM, change)
    assert 200 == wire.ask("PATCH", VM, {"tags": {"a": "b"}}).status
    wire.clock.sleep(20)
    wire.do("POST", f"{VM}/start")
    assert "Attached" == wire.get(OS_DISK)["properties"]["diskState"]
    assert "HibernationState/Hibernated" not in str(wire.get(f"{VM}/instanceView"))


def test_deallocation_ends_hibernation():
    """A hibernated machine that is deallocated gives its memory up, and can be changed again."""
    wire = Wire(*estate(machine=vm(**CAN_HIBERNATE)))
    wire.do("POST", f"{VM}/deallocate", query={"hibernate": "true"})
    wire.do("POST", f"{VM}/deallocate")
    assert "HibernationState/Hibernated" not in str(wire.get(f"{VM}/instanceView"))
    assert "Reserved" == wire.get(OS_DISK)["properties"]["diskState"]


@pytest.mark.parametrize("machine", [vm(), deallocated(**CAN_HIBERNATE)], ids=["not enabled", "not running"])
def test_hibernation_needs_the_capability_and_a_running_machine(machine):
    """A machine without the capability, or without anything in its memory, does not hibernate.

    Hibernate virtual machines, https://learn.microsoft.com/azure/virtual-machines/hibernate-resume
    """
    wire = Wire(*estate(machine=machine))
    refusal = wire.ask("POST", f"{VM}/deallocate", query={"hibernate": "true"})
    assert (409, "1") == (refusal.status, refusal.headers["x-twin-unverified"])


def test_a_hibernated_seed_is_understood():
    """A seeded instance view that says Hibernated makes a hibernated machine."""
    statuses = [{"code": "PowerState/deallocated"}, {"code": "HibernationState/Hibernated"}]
    wire = Wire(*estate(machine=vm(instanceView={"statuses": statuses})))
    assert "Frozen" == wire.get(OS_DISK)["properties"]["diskState"]


VAULT = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-app/providers/Microsoft.KeyVault/vaults/kv-disks"
URL = "https://kv-disks.vault.azure.net/keys/disks/0123"
POLICY = {"objectId": "p-1", "permissions": {"keys": ["get", "wrapKey", "unwrapKey"]}}
PROTECTED = {"enableSoftDelete": True, "enablePurgeProtection": True}


@pytest.mark.parametrize(
    ("policies", "attributes", "refusal"),
    [
        ([POLICY], {"enabled": True}, None),
        ([POLICY], {"enabled": False}, (400, "KeyVaultKeyNotEnabled")),
        ([], {"enabled": True}, (400, "KeyVaultAccessForbidden")),
    ],
    ids=["usable", "disabled", "forbidden"],
)
def test_a_machine_starts_only_with_the_keys_of_its_disks(policies, attributes, refusal):
    """A machine whose disk has lost its key does not start; one that runs is not asked.

    Server-side encryption of Azure managed disks, customer-managed keys,
    https://learn.microsoft.com/azure/virtual-machines/disk-encryption
    """
    seeds = [
        {"id": VAULT, "location": "westeurope", "properties": {"accessPolicies": policies, **PROTECTED}},
        {
            "id": f"{VAULT}/keys/disks",
            "properties": {"kty": "RSA", "keySize": 3072, "attributes": attributes},
        },
        encryption_set(
            identity={"type": "SystemAssigned", "principalId": "p-1"},
            properties={
                "encryptionType": "EncryptionAtRestWithCustomerKey",
                "activeKey": {"keyUrl": URL, "sourceVault": {"id": VAULT}},
            },
        ),
        disk("web-1-os", encryption=CUSTOMER_KEY),
    ]
    off = Wire(*estate(*seeds, machine=deallocated()))
    if refusal is None:
        assert 202 == off.ask("POST", f"{VM}/start").status
    else:
        assert refusal == off.refused("POST", f"{VM}/start")
    assert "Succeeded" == Wire(*estate(*seeds)).do("POST", f"{VM}/start")["status"]
