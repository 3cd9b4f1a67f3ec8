"""Scripts in the guest through the real SDK on a twin: run once, judged by what they print, cleaned away."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from readiness.azure.run_commands import command_name, judged
from readiness.errors import ConflictError
from readiness.model.steps import RunInGuest
from readiness.ports.cloud import Done, Failed, Pending, Progress
from tests.azure.test_operations import Desk
from tests.azure.test_perform import MACHINE, Process, context, on, writes
from tests.twin.seeds import VM, Wire, deallocated, estate, vm

PLACE = f"{VM}/runCommands"
HELLO = RunInGuest(vm=MACHINE, name="say-hello", script="echo hello", expects="^hello$")
VIEW = {"executionState": "Succeeded", "exitCode": 0, "output": "hello\n", "error": ""}


def left(process: Process) -> list[dict[str, Any]]:
    """Return the run commands on the machine, once all deletions have ended."""
    process.wire.clock.sleep(120)
    found: list[dict[str, Any]] = process.wire.get(PLACE)["value"]
    return found


def count(process: Process, method: str) -> int:
    """Return how many writes of a method the twin accepted."""
    return writes(process).count(method)


def failure(progress: Progress) -> tuple[str, str]:
    """Return code and detail of a failed step."""
    assert isinstance(progress, Failed), progress
    return progress.code, progress.detail


def test_is_run_judged_and_cleaned_away() -> None:
    """A script is run once, judged by its output, and its resource is deleted."""
    process = on()
    begun = process.begin(HELLO)
    assert isinstance(begun, Pending)
    assert begun.token is not None
    assert Done("hello", "hello") == process.finish(HELLO, begun)
    assert ["PUT", "DELETE"] == writes(process)
    assert [] == left(process)


def test_the_end_of_the_operation_proves_nothing() -> None:
    """The operation succeeds although the script has failed: the answer comes from the instance view."""
    process = on()
    step = RunInGuest(vm=MACHINE, name="fail", script="echo out; echo why >&2; exit 3")
    answer = process.do(step)
    assert ("RunCommandFailed", "failed, exit code 3: why") == failure(answer)
    assert isinstance(answer, Failed)
    assert "out\n\n[stderr]\nwhy" == answer.evidence
    assert [] == left(process)


def test_what_ran_before_a_crash_is_not_run_again() -> None:
    """A process that knows nothing of the first judges the script by its resource."""
    first = on()
    step = RunInGuest(
        vm=MACHINE, name="count", script="echo x >> /var/count; wc -l < /var/count", expects="^1$"
    )
    first.begin(step)
    first.wire.clock.sleep(300)
    assert isinstance(Process(first.wire).begin(step), Done)
    assert (1, 1) == (count(first, "PUT"), count(first, "DELETE"))


def test_what_runs_is_waited_for() -> None:
    """Begun again while the script runs, nothing is written: its end is waited for."""
    first = on()
    first.begin(HELLO)
    second = Process(first.wire)
    again = second.begin(HELLO)
    assert isinstance(again, Pending)
    assert again.token is None
    assert again.retry_after > 0
    assert isinstance(second.finish(HELLO, again), Done)
    assert 1 == count(second, "PUT")


def test_judged_once_more_while_it_is_deleted() -> None:
    """A crash just after the deletion was asked for costs nothing while the resource can be read."""
    first = on()
    first.do(HELLO)
    assert Done("hello", "hello") == Process(first.wire).begin(HELLO)
    assert ["PUT", "DELETE"] == writes(first)


def test_another_step_is_run_anew() -> None:
    """An answer of another run, or of an earlier step with the same script, proves nothing for this one."""
    contexts = (
        context(),
        replace(context(), started="2027-01-01T00:00:00+00:00"),
        replace(context(), intended="2026-11-28T21:30:00+00:00"),
    )
    other = RunInGuest(vm=MACHINE, name="say-hello", script="echo hi")
    assert 6 == len({command_name(step, each) for step in (HELLO, other) for each in contexts})
    process = on()
    process.do(HELLO)
    again = process.cloud.begin(HELLO, contexts[2])
    assert isinstance(again, Pending)
    assert again.token is not None
    assert 2 == count(process, "PUT")


def test_names_are_deterministic_and_fit() -> None:
    """The same step always has the same name, and a long one is cut before what tells it apart."""
    long = [command_name(RunInGuest(vm=MACHINE, name="n" * 90, script=text), context()) for text in "ab"]
    assert command_name(HELLO, context()) == command_name(HELLO, context())
    assert [60, 60] == [len(name) for name in long]
    assert long[0] != long[1]


def test_a_silent_agent_is_told_and_tried_again() -> None:
    """Where the agent never took the script up, the step fails; a later try runs it."""
    fault = {"kind": "agent-silent", "resource": "web-1"}
    process = on(*estate(machine=deallocated()), faults=[fault])
    process.wire.do("POST", f"{VM}/start")
    assert "VMAgentStatusCommunicationError" == failure(process.do(HELLO))[0]
    again = process.begin(HELLO)
    assert isinstance(again, Pending)
    assert again.token is not None


def test_a_failed_operation_is_tried_again_by_who_comes_next() -> None:
    """What Azure lost before it was run is run by the process that finds it so."""
    fault = {"kind": "fail", "operation": "*", "at": "end", "code": "Internal", "message": "oh"}
    first = on(faults=[fault])
    assert ("Internal", "oh") == failure(first.do(HELLO))
    assert Done("hello", "hello") == Process(first.wire).do(HELLO)
    assert 2 == count(first, "PUT")


def test_a_machine_that_is_off_is_refused() -> None:
    """Nothing runs in a machine that is off, and Azure's refusal comes through."""
    process = on(*estate(machine=deallocated()))
    with pytest.raises(ConflictError):
        process.begin(HELLO)


def test_a_script_beyond_its_time_is_ended() -> None:
    """A script beyond its timeout fails as such."""
    step = RunInGuest(vm=MACHINE, name="sleep", script="echo begun; sleep 300", timeout=60)
    assert ("RunCommandTimedOut", "not done after 60 s, and ended") == failure(on().do(step))


def test_powershell_on_windows() -> None:
    """A Windows script is PowerShell, and patterns work in spite of its line ends."""
    machine = vm(osProfile={"adminUsername": "boss"})
    machine["properties"]["storageProfile"]["osDisk"]["osType"] = "Windows"
    step = RunInGuest(vm=MACHINE, name="say-hi", script="'hi'\n'there'", expects=r"^hi$")
    assert isinstance(on(*estate(machine=machine)).do(step), Done)
    assert isinstance(judged(step, VIEW | {"output": "hi\r\nthere\r\n"}), Done)


def test_without_a_deletion_the_answer_stands() -> None:
    """A deletion that Azure refuses changes nothing of what the script proved."""
    fault = {
        "kind": "fail",
        "operation": "virtualMachines/runCommands/delete",
        "status": 409,
        "code": "ScopeLocked",
        "message": "a lock",
    }
    process = on(faults=[fault])
    assert Done("hello", "hello") == process.do(HELLO)
    assert 1 == len(left(process))


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"output": "bye\n"}, "Unexpected", "not what was expected: bye"),
        ({"output": ""}, "Unexpected", "it printed nothing"),
        ({"output": "hello\nroot login\n"}, "Unexpected", "must not be there: root"),
        ({"error": "warning: root\n"}, "Unexpected", "must not be there: root"),
        ({"output": "x" * 4090 + "\nhello"}, "OutputCut", "4096 bytes"),
        ({"exitCode": None}, "RunCommandFailed", "exit code unknown"),
        ({"exitCode": 1}, "RunCommandFailed", "exit code 1: hello"),
        ({"executionState": "Canceled"}, "RunCommandFailed", "canceled"),
    ],
)
def test_what_proves_nothing_has_failed(changes: dict[str, Any], code: str, words: str) -> None:
    """Anything but an end without error, with what is expected and without what is refused, has failed."""
    step = RunInGuest(vm=MACHINE, name="look", script="true", expects="^hello$", refuses="root")
    assert isinstance(judged(step, VIEW), Done)
    told = failure(judged(step, VIEW | changes))
    assert code == told[0]
    assert words in told[1]


def test_secrets_in_the_output_are_not_kept() -> None:
    """What looks like a secret is hidden in evidence and detail, whichever way the script ended."""
    output = "token=abcdef123456\nhello\npassword: Hunter2!"
    for step in (HELLO, RunInGuest(vm=MACHINE, name="x", script="", refuses="password.*")):
        answer = judged(step, VIEW | {"output": output})
        assert isinstance(answer, Done | Failed)
        kept = answer.detail + answer.evidence
        assert "Hunter2!" not in kept
        assert "abcdef123456" not in kept


@pytest.mark.parametrize(
    ("resource", "state", "expected"),
    [
        ("Succeeded", "Unknown", "RunCommandUnknown"),
        ("Succeeded", None, "RunCommandUnknown"),
        ("Succeeded", "Running", Pending),
        ("Succeeded", "Pending", Pending),
        ("Failed", "Running", Pending),
        ("Deleting", "Unknown", Pending),
    ],
)
def test_odd_states_of_the_resource(resource: str, state: str | None, expected: Any) -> None:
    """What is not at an end is waited for, and what nobody knows the end of has failed, not succeeded."""
    desk = Desk()
    process = Process(Wire(), desk)
    shown = {"properties": {"provisioningState": resource, "instanceView": {"executionState": state}}}
    desk.answers["instanceView"] = (200, json.dumps(shown).encode(), {"Content-Type": "application/json"})
    answer = process.begin(HELLO)
    if isinstance(expected, str):
        assert expected == failure(answer)[0]
        assert ["GET", "DELETE"] == desk.asked
    else:
        assert isinstance(answer, expected)
        assert ["GET"] == desk.asked
