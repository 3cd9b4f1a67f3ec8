"""Run commands: as an action on a machine, and as resources beneath it."""

import json

import pytest
from azure.mgmt.compute import ComputeManagementClient

from readiness.twin.credential import TwinCredential
from readiness.twin.transport import TwinTransport
from tests.twin.seeds import SUBSCRIPTION, VM, Wire, deallocated, estate, vm
from tests.twin.test_guest import telling

HELLO = {"commandId": "RunShellScript", "script": ["echo hello", "echo oops >&2"]}
ONE = f"{VM}/runCommands/one"
VIEW = {"$expand": "instanceView"}


def managed(script: str, **properties) -> dict:
    """The body of a managed run command."""
    return {"location": "westeurope", "properties": {"source": {"script": script}, **properties}}


def seen(wire: Wire, path: str = ONE) -> dict:
    """The instance view of a run command."""
    return wire.get(path, query=VIEW)["properties"]["instanceView"]


def test_an_action_answers_both_streams():
    """The result of an action tells both streams in one message, and succeeds whatever the script did.

    https://github.com/Azure/azure-cli/issues/32286 (recorded answer), /14425 (of a script that failed)
    """
    answer = Wire().do("POST", f"{VM}/runCommand", HELLO)
    (told,) = answer["properties"]["output"]["value"]
    assert "Enable succeeded: \n[stdout]\nhello\n\n[stderr]\noops\n" == told["message"]
    failed = Wire().do("POST", f"{VM}/runCommand", HELLO | {"script": ["exit 123"]})
    assert "ProvisioningState/succeeded" == failed["properties"]["output"]["value"][0]["code"]


def test_windows_answers_each_stream():
    """Windows tells standard output and standard error apart.

    https://github.com/Azure/azure-cli/issues/19251 (recorded answer)
    """
    machine = vm(osProfile={"adminUsername": "boss"})
    machine["properties"]["storageProfile"]["osDisk"]["osType"] = "Windows"
    wire = Wire(*estate(machine=machine))
    answer = wire.do(
        "POST", f"{VM}/runCommand", {"commandId": "RunPowerShellScript", "script": ["'hi'", "nope"]}
    )
    output, error = answer["properties"]["output"]["value"]
    assert ("ComponentStatus/StdOut/succeeded", "hi\n") == (output["code"], output["message"])
    assert "ComponentStatus/StdErr/succeeded" == error["code"]
    assert "CommandNotFoundException" in error["message"]


def test_one_action_at_a_time():
    """A second action while one runs is a 409 in the recorded words.

    https://github.com/Azure/azure-cli/issues/32305
    """
    wire = Wire()
    assert 202 == wire.ask("POST", f"{VM}/runCommand", HELLO).status
    assert (409, "Conflict") == wire.refused("POST", f"{VM}/runCommand", HELLO)
    wire.clock.sleep(60)
    assert 202 == wire.ask("POST", f"{VM}/runCommand", HELLO).status


@pytest.mark.parametrize(
    ("machine", "code"),
    [
        (deallocated(), "OperationNotAllowed"),
        (
            vm(osProfile={"adminUsername": "a", "linuxConfiguration": {"provisionVMAgent": False}}),
            "OperationNotAllowed",
        ),
        (vm(osProfile={"adminUsername": "a", "allowExtensionOperations": False}), "OperationNotAllowed"),
    ],
    ids=["off", "no agent", "not allowed"],
)
def test_work_inside_needs_a_machine_that_takes_it(machine, code):
    """Neither form runs on a machine that is off, has no agent, or allows no extension operations."""
    wire = Wire(*estate(machine=machine))
    assert (409, code) == wire.refused("POST", f"{VM}/runCommand", HELLO)
    assert (409, code) == wire.refused("PUT", ONE, managed("true"))


def test_a_silent_agent_takes_nothing():
    """Where the agent never reports, the operation ends with VMAgentStatusCommunicationError.

    Error messages, https://learn.microsoft.com/troubleshoot/azure/virtual-machines/windows/error-messages
    """
    wire = Wire(*estate(machine=deallocated()), faults=[{"kind": "agent-silent", "resource": "web-1"}])
    wire.do("POST", f"{VM}/start")
    answer = wire.do("POST", f"{VM}/runCommand", HELLO)
    assert ("Failed", "VMAgentStatusCommunicationError") == (answer["status"], answer["error"]["code"])
    assert "VMAgentStatusCommunicationError" == wire.do("PUT", ONE, managed("true"))["error"]["code"]


def test_a_command_of_the_other_system_is_refused():
    """A PowerShell script does not run on Linux, and an unknown command does not run at all."""
    wire = Wire()
    assert 409 == wire.refused("POST", f"{VM}/runCommand", HELLO | {"commandId": "RunPowerShellScript"})[0]
    assert 404 == wire.refused("POST", f"{VM}/runCommand", HELLO | {"commandId": "Nope"})[0]


def test_output_is_kept_to_its_end():
    """Of a long output the last 4096 bytes are kept.

    Run scripts with managed run commands,
    https://learn.microsoft.com/azure/virtual-machines/linux/run-command-managed
    """
    wire = Wire()
    wire.do("PUT", ONE, managed("for n in $(seq 1 999); do echo 0123456789; done; echo end"))
    output = seen(wire)["output"]
    assert (4096, True) == (len(output.encode()), output.endswith("0123456789\nend\n"))


def test_success_is_read_in_the_instance_view():
    """ProvisioningState is Succeeded although the script failed: the instance view tells.

    Azure CLI, recording of test_run_command_v2, https://github.com/Azure/azure-cli
    """
    wire = Wire()
    wire.do("PUT", ONE, managed("echo out; nope"))
    assert "Succeeded" == wire.get(ONE)["properties"]["provisioningState"]
    assert "instanceView" not in wire.get(ONE)["properties"]
    view = seen(wire)
    assert ("Failed", 127, "out\n") == (view["executionState"], view["exitCode"], view["output"])
    assert view["error"].endswith("nope: command not found\n")
    assert view["startTime"] <= view["endTime"]


def test_a_failure_can_fail_the_deployment():
    """With treatFailureAsDeploymentFailure a script that fails ends the operation Failed."""
    wire = Wire()
    answer = wire.do("PUT", ONE, managed("exit 3", treatFailureAsDeploymentFailure=True))
    assert "Failed" == answer["status"]
    assert ("Failed", 3) == (wire.get(ONE)["properties"]["provisioningState"], seen(wire)["exitCode"])


def test_a_script_is_stopped_in_time():
    """A script beyond timeoutInSeconds is TimedOut, and what it did before stays done."""
    wire = Wire()
    wire.do("PUT", ONE, managed("echo x > /tmp/mark; sleep 300; rm /tmp/mark", timeoutInSeconds=60))
    assert "TimedOut" == seen(wire)["executionState"]
    wire.do("PUT", ONE, managed("cat /tmp/mark"))
    assert "x\n" == seen(wire)["output"]


def test_nobody_waits_for_an_asynchronous_script():
    """With asyncExecution the operation ends first, and the view goes from Running to its end."""
    wire = Wire()
    wire.do("PUT", ONE, managed("sleep 100; echo done", asyncExecution=True))
    assert "Running" == seen(wire)["executionState"]
    wire.clock.sleep(50)
    assert "Running" == seen(wire)["executionState"]
    wire.clock.sleep(60)
    assert ("Succeeded", "done\n") == (seen(wire)["executionState"], seen(wire)["output"])


def test_parameters_reach_the_script():
    """Named parameters are variables; protected ones, too, and they are never answered."""
    wire = Wire()
    body = managed(
        "echo $a-$b",
        parameters=[{"name": "a", "value": "1"}],
        protectedParameters=[{"name": "b", "value": "hush-hush"}],
        runAsPassword="also-hush",
    )
    wire.do("PUT", ONE, body)
    assert "1-hush-hush\n" == seen(wire)["output"]
    wire.do("PUT", ONE, body | {"properties": body["properties"] | {"source": {"script": "true"}}})
    assert "hush" not in json.dumps([wire.get(ONE, query=VIEW), wire.twin.resources()])


def test_run_commands_are_resources():
    """They are listed, changed and deleted; a PATCH without a source runs nothing."""
    wire = Wire()
    count = "echo x >> /tmp/n; wc -l < /tmp/n"
    wire.do("PUT", ONE, managed(count))
    wire.do("PATCH", ONE, {"tags": {"a": "b"}})
    assert [({"a": "b"}, "one")] == [
        (each["tags"], each["name"]) for each in wire.get(f"{VM}/runCommands")["value"]
    ]
    assert "1\n" == seen(wire)["output"]
    wire.do("DELETE", ONE)
    assert 404 == wire.ask("GET", ONE).status
    assert 204 == wire.ask("DELETE", ONE).status


def test_the_sdk_reads_what_became_of_it():
    """The real client makes a run command and reads its instance view."""
    wire = Wire(*estate(machine=telling(vm(), reboot_required=True)))
    client = ComputeManagementClient(TwinCredential(), SUBSCRIPTION, transport=TwinTransport(wire.twin))
    body = managed("test -f /var/run/reboot-required && echo pending")
    client.virtual_machine_run_commands.begin_create_or_update("rg-app", "web-1", "one", body).result()
    found = client.virtual_machine_run_commands.get_by_virtual_machine(
        "rg-app", "web-1", "one", expand="instanceView"
    )
    assert ("Succeeded", "pending\n") == (found.instance_view.execution_state, found.instance_view.output)
    poller = client.virtual_machines.begin_run_command("rg-app", "web-1", HELLO)
    assert "hello" in poller.result().value[0].message


def test_built_in_commands_are_listed():
    """A location lists its built-in commands, and tells of each.

    https://learn.microsoft.com/rest/api/compute/virtual-machine-run-commands/list
    """
    wire = Wire()
    path = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute/locations/westeurope/runCommands"
    assert {"RunShellScript", "RunPowerShellScript"} <= {each["id"] for each in wire.get(path)["value"]}
    assert "Linux" == wire.get(f"{path}/RunShellScript")["osType"]
    assert 404 == wire.ask("GET", f"{path}/Nope").status


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("SystemAssigned", '"access_token": "a-token-of-the-twin"'),
        (None, "Identity not found"),
    ],
)
def test_the_metadata_service_knows_the_identity(kind, words):
    """A token is given where there is an identity, and refused where there is none.

    https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token
    """
    machine = vm()
    if kind:
        machine["identity"] = {"type": kind, "principalId": "11111111-0000-0000-0000-000000000001"}
    wire = Wire(*estate(machine=machine))
    address = "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=x"
    wire.do("PUT", ONE, managed(f"curl -s -H Metadata:true '{address}'; curl -s '{address}'"))
    assert words in seen(wire)["output"]
    assert "Required metadata header not specified" in seen(wire)["output"]
