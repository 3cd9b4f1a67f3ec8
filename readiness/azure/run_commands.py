"""Scripts in the guest by managed run command, judged by what they did and not by how their resource fared.

On Linux a script is run as root by `sh`, on Windows by PowerShell as the system's own account. A PowerShell
script has to end with `exit 1` by itself where something went wrong: an error alone leaves its exit code 0.

Guarantees: a script that was run before a crash is judged by its resource, whose name follows from step and
run, and is not run again. It is run a second time only where Azure lost what became of it, or where the
process died between the deletion of the resource and its own note of the answer: every script must be
idempotent. The resource is deleted once it was read, since Azure keeps the script's text in it.
`provisioningState` decides nothing: it succeeds although the script has failed.
"""

import hashlib
import re
from contextlib import suppress
from functools import partial
from typing import Any

from readiness.azure.connect import Connection
from readiness.azure.evidence import fit_to_keep
from readiness.azure.faults import translated
from readiness.azure.marks import INTENDED, marks_of
from readiness.azure.operations import DEFAULT_WAIT, only_begun
from readiness.azure.operations import begin as begin_operation
from readiness.azure.plain import body_of, vm_body
from readiness.azure.wire_values import Json, number, obj, text
from readiness.errors import CloudError, MissingError
from readiness.model.steps import RunInGuest
from readiness.ports.cloud import Done, Failed, Pending, Progress, StepContext

_FINAL = ("succeeded", "failed", "timedout", "canceled")
_AT_WORK = ("creating", "updating")
_KEPT_BYTES = 4096
"""Azure keeps the last so many bytes of what a script prints."""
_CUT_IN_A_LETTER = 3
"""Bytes that a cut in the middle of one letter may take besides."""
_TOLD = 200
_LONGEST_NAME = 60


def command_name(step: RunInGuest, context: StepContext) -> str:
    """Return the deterministic name of a step's run command.

    It follows from the script and from when the step was intended, so that neither another run nor an
    earlier step of this one, which ran the same script, is taken for its answer.
    """
    return named(step, context.started, context.intended)


def named(step: RunInGuest, started: str, intended: str) -> str:
    """Return the name of the run command of a step that was intended at an instant, in a round of a run."""
    told = f"{step.script}\n{started}\n{intended}"
    tail = f"-{hashlib.sha256(told.encode()).hexdigest()[:10]}"
    return f"readiness-{step.name}"[: _LONGEST_NAME - len(tail)] + tail


def begin(connection: Connection, step: RunInGuest, context: StepContext) -> Progress:
    """Judge the script where it was run already, wait for it where it is running, and run it if not."""
    commands: Any = connection.compute(step.vm.subscription).virtual_machine_run_commands
    place = (step.vm.resource_group, step.vm.name, command_name(step, context))
    try:
        found = body_of(partial(commands.get_by_virtual_machine, *place, expand="instanceView"))
    except MissingError:
        return _run(connection, step, place, context)
    properties = obj(found, "properties")
    view = obj(properties, "instanceView")
    resource = (text(properties, "provisioningState") or "").lower()
    state = _state(view)
    if resource in _AT_WORK:
        return Pending(None, DEFAULT_WAIT, "the script is running")
    if state in _FINAL:
        if resource != "deleting":
            _delete(commands, place)
        return judged(step, view)
    if resource == "deleting" or state == "running" or (state == "pending" and resource == "succeeded"):
        return Pending(None, DEFAULT_WAIT, f"the script is {state or 'unknown'}")
    if resource == "succeeded":
        _delete(commands, place)
        return Failed("RunCommandUnknown", "Azure does not know what became of the script")
    return _run(connection, step, place, context)


def judged(step: RunInGuest, view: Json) -> Progress:
    """Hold what a script did against what is expected of it, by its final instance view."""
    state, code = _state(view), number(view, "exitCode")
    output, error = (_lines(text(view, name) or "") for name in ("output", "error"))
    evidence = fit_to_keep(output)
    everything = fit_to_keep(f"{output}\n[stderr]\n{error}" if error.strip() else output)
    if state == "timedout":
        return Failed(
            "RunCommandTimedOut", f"not done after {step.timeout} s, and ended", evidence=everything
        )
    if state != "succeeded" or code != 0:
        said = _last_line(error) or _last_line(output) or "it printed nothing"
        detail = f"{state}, exit code {'unknown' if code is None else code}: {said}"
        return Failed("RunCommandFailed", detail, evidence=everything)
    refused = step.refuses and re.search(step.refuses, f"{output}\n{error}", re.MULTILINE)
    if refused:
        detail = f"found what must not be there: {fit_to_keep(refused[0], longest=_TOLD)}"
        return Failed("Unexpected", detail, evidence=everything)
    if step.refuses and (_is_cut(view, "output") or _is_cut(view, "error")):
        detail = f"it printed more than the {_KEPT_BYTES} bytes that Azure keeps: what is lost proves nothing"
        return Failed("OutputCut", detail, evidence=everything)
    if step.expects and not re.search(step.expects, output, re.MULTILINE):
        said = _last_line(output) or _last_line(error) or "it printed nothing"
        return Failed("Unexpected", f"the answer is not what was expected: {said}", evidence=everything)
    return Done(_last_line(output) or "ended with exit code 0", evidence)


def _run(
    connection: Connection, step: RunInGuest, place: tuple[str, str, str], context: StepContext
) -> Progress:
    body: Any = {
        "location": vm_body(connection, step.vm)["location"],
        "tags": marks_of(step.vm, context) | {INTENDED: context.intended},
        "properties": {
            "source": {"script": step.script},
            "asyncExecution": False,
            "timeoutInSeconds": step.timeout,
            "treatFailureAsDeploymentFailure": False,
        },
    }
    commands = connection.compute(step.vm.subscription).virtual_machine_run_commands
    return only_begun(begin_operation(partial(commands.begin_create_or_update, *place, body)))


def _delete(commands: Any, place: tuple[str, str, str]) -> None:
    """Have the resource deleted; the answer stands, whatever comes of that."""
    with suppress(CloudError), translated():
        begin_operation(partial(commands.begin_delete, *place))


def _state(view: Json) -> str:
    return (text(view, "executionState") or "").lower()


def _lines(printed: str) -> str:
    """Return what was printed with the line ends of every system the same, for patterns."""
    return printed.replace("\r\n", "\n")


def _last_line(printed: str) -> str:
    lines = printed.strip().splitlines()
    return fit_to_keep(lines[-1], longest=_TOLD) if lines else ""


def _is_cut(view: Json, name: str) -> bool:
    return len((text(view, name) or "").encode()) >= _KEPT_BYTES - _CUT_IN_A_LETTER
