"""Managed run commands: resources beneath a machine that carry a script out.

As recorded: provisioningState is Succeeded although the script failed, unless treatFailureAsDeploymentFailure
asks otherwise; what became of the script is in the instance view, of which a GET tells with
`$expand=instanceView` only. Guarantees: protected parameters and passwords are never kept. Every PUT, and
every PATCH that gives a source, runs the script.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from readiness.twin.arm import immediate
from readiness.twin.arm.guest_work import UNREADY, check_allowed, end_badly, kept, silence_of
from readiness.twin.arm.paging import page
from readiness.twin.documents import Json, duplicate, look, merged, section
from readiness.twin.guest import inside
from readiness.twin.guest.session import Outcome
from readiness.twin.messages import Response, invalid_parameter
from readiness.twin.protocols import COMPUTE_PUT
from readiness.twin.state import VM, missing
from readiness.twin.world import Call, Routes, World

KIND = f"{VM}/runcommands"
_STOPPED = "Cannot modify extensions in the VM when the VM is not running."
_WRITABLE = (
    *("source", "parameters", "asyncExecution", "runAsUser", "timeoutInSeconds", "outputBlobUri"),
    *("errorBlobUri", "treatFailureAsDeploymentFailure"),
)
_USUAL_SECONDS = 5400
_TO_BEGIN = 2.0
"""Seconds from the end of the operation to the beginning of a script that nobody waits for."""


def get(world: World, call: Call) -> Response:
    """Answer one run command."""
    found = world.state.need(call.address)
    return Response(200, _shown(world, found, call))


def listed(world: World, call: Call) -> Response:
    """Answer the run commands of a machine."""
    vm_id = call.address.resource_id
    immediate.need_parent(world, vm_id)
    return page(call, world.state.of_kind(KIND, vm_id), lambda each: _shown(world, each, call))


def _shown(world: World, found: Json, call: Call) -> Json:
    body: Json = duplicate(found)
    if "instanceview" in call.request.query.get("$expand", "").lower():
        body["properties"]["instanceView"] = duplicate(_views(world).get(found["id"].lower(), {}))
    return body


def _views(world: World) -> dict[str, Any]:
    return world.state.hidden(KIND)


def write(world: World, call: Call) -> Response:
    """Make or change a run command, and run its script."""
    before = world.state.find(call.address.resource_id)
    if before is None and call.request.method == "PATCH":
        raise missing(call.address.resource_id)
    vm = immediate.need_parent(world, _vm_id(call.address.resource_id))
    ticket = world.admit(call, "virtualMachines/runCommands/write", call.address.resource_id)
    if before is not None:
        world.idle(before, "write")
    world.idle(vm, "write")
    machine = world.state.machine(vm)
    check_allowed(vm, machine, stopped=_STOPPED)
    body = call.body()
    after = _planned(call, before, body)
    given = section(duplicate(body), "properties")
    secret = [each for each in given.get("protectedParameters") or [] if isinstance(each, dict)]
    runs = call.request.method == "PUT" or "source" in given
    script = _Script(world=world, vm=vm, resource=after, secret=secret, runs=runs)
    world.state.put(after)
    if runs:
        _views(world)[after["id"].lower()] = script.view

    def done(when: datetime) -> None:
        error = script.start(when)
        after["properties"]["provisioningState"] = "Succeeded" if error is None else "Failed"
        if error is not None:
            end_badly(operation, error)

    def failed(_: datetime) -> None:
        after["properties"]["provisioningState"] = "Failed"
        script.view["executionState"] = "Unknown"

    within = None if machine.is_ready else UNREADY
    operation = world.begin(call, ticket, done=done, failed=failed, protocol=COMPUTE_PUT, within=within)
    return world.accepted(call, ticket, operation, Response(201 if before is None else 200, duplicate(after)))


@dataclass(slots=True, kw_only=True)
class _Script:
    """A script on its way through a machine."""

    world: World
    vm: Json
    resource: Json
    secret: list[Json]
    """Its protected parameters, which nothing keeps."""
    runs: bool
    view: Json = field(
        default_factory=lambda: {"executionState": "Pending", "exitCode": 0, "output": "", "error": ""}
    )

    def start(self, when: datetime) -> Json | None:
        """Run it, or begin to; return the error of the operation, if there is one."""
        silence = silence_of(self.vm, self.world.state.machine(self.vm))
        if silence is not None:
            self.view["executionState"] = "Unknown"
            return silence
        if not self.runs:
            return None
        properties = self.resource["properties"]
        if properties["asyncExecution"] is True:
            self.view.update({"executionState": "Running", "startTime": when.isoformat()})
            self.world.timeline.add(when + timedelta(seconds=_TO_BEGIN), self._run_alone)
            return None
        outcome = self._carried_out(when)
        self._record(outcome, began=when - timedelta(seconds=outcome.seconds), ended=when)
        has_failed = self.view["executionState"] != "Succeeded"
        is_told = has_failed and properties["treatFailureAsDeploymentFailure"] is True
        return _failure(self.resource, outcome) if is_told else None

    def _carried_out(self, when: datetime) -> Outcome:
        properties = self.resource["properties"]
        public = [each for each in properties.get("parameters") or [] if isinstance(each, dict)]
        return inside.run(
            self.world.state,
            self.vm,
            properties["source"]["script"],
            when=when,
            seed=self.world.seed,
            limit=float(properties.get("timeoutInSeconds") or _USUAL_SECONDS),
            parameters=[*public, *self.secret],
        )

    def _run_alone(self, when: datetime) -> None:
        """Run a script for which nobody waits; it ends when its sleeps are over."""
        is_gone = self.world.state.find(self.vm["id"]) is not self.vm
        if is_gone or silence_of(self.vm, self.world.state.machine(self.vm)) is not None:
            self.view.update({"executionState": "Unknown", "endTime": when.isoformat()})
            return
        outcome = self._carried_out(when)
        ended = when + timedelta(seconds=outcome.seconds)
        self.world.timeline.add(ended, lambda _: self._record(outcome, began=when, ended=ended))

    def _record(self, outcome: Outcome, *, began: datetime, ended: datetime) -> None:
        state = "TimedOut" if outcome.is_timed_out else "Failed" if outcome.code else "Succeeded"
        self.view.update(
            {
                "executionState": state,
                "exitCode": outcome.code,
                "output": kept(outcome.output),
                "error": kept(outcome.error),
                "startTime": began.isoformat(),
                "endTime": ended.isoformat(),
            }
        )


def _planned(call: Call, before: Json | None, body: Json) -> Json:
    after: Json = (
        duplicate(before)
        if before
        else immediate.fresh(call, "Microsoft.Compute/virtualMachines/runCommands")
    )
    after["location"] = str(body.get("location") or after.get("location") or "")
    if before is None:
        after["location"] = immediate.located(call, None)
    if "tags" in body:
        after["tags"] = duplicate(body["tags"] or {})
    given = {name: value for name, value in (body.get("properties") or {}).items() if name in _WRITABLE}
    kept_before = section(after, "properties") if call.request.method == "PATCH" else {}
    after["properties"] = merged(kept_before, given)
    properties = after["properties"]
    if not isinstance(look(properties, "source.script"), str):
        raise invalid_parameter(
            "The twin models run commands whose script stands in the request: give 'source.script'.",
            "source",
            unverified=True,
        )
    limit = properties.get("timeoutInSeconds")
    if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool) or limit < 0):
        raise invalid_parameter(
            f"The value of parameter timeoutInSeconds is invalid: {limit!r}.",
            "timeoutInSeconds",
            unverified=True,
        )
    properties.setdefault("asyncExecution", False)
    properties.setdefault("treatFailureAsDeploymentFailure", False)
    properties["provisioningState"] = "Creating" if before is None else "Updating"
    return after


def _vm_id(resource_id: str) -> str:
    return resource_id.rsplit("/", 2)[0]


def _failure(after: Json, outcome: Outcome) -> Json:
    return {
        "code": "VMExtensionProvisioningError",
        "message": f"VM has reported a failure when processing extension '{after['name']}'. Error message: "
        f'"Script execution failed with exit code {outcome.code}".',
    }


def delete(world: World, call: Call) -> Response:
    """Delete a run command; one that is not there is already deleted."""
    found = world.state.find(call.address.resource_id)
    ticket = world.admit(call, "virtualMachines/runCommands/delete", call.address.resource_id)
    if found is None:
        return world.finished(ticket, Response(204))
    found["properties"]["provisioningState"] = "Deleting"

    def done(_: datetime) -> None:
        if world.state.find(found["id"]) is found:
            world.state.remove(found["id"])
            _views(world).pop(found["id"].lower(), None)

    def failed(_: datetime) -> None:
        found["properties"]["provisioningState"] = "Failed"

    operation = world.begin(call, ticket, done=done, failed=failed)
    return world.accepted(call, ticket, operation, Response(202))


ROUTES: Routes = {
    ("GET", VM, "runcommands"): listed,
    ("GET", KIND, ""): get,
    ("PUT", KIND, ""): write,
    ("PATCH", KIND, ""): write,
    ("DELETE", KIND, ""): delete,
}
