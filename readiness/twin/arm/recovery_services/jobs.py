"""Backup jobs: what a request has set going, task by task; lists, GET and cancel.

Learn, "Track the backup and restore jobs using REST API": an operation tells only that a job has begun and
which; the job goes on for minutes or hours, and a list leaves out its tasks. Guarantees: a task ends by
itself in the twin's time, or as a faults file says for the operation of its name; a job that is cancelled or
has failed does nothing more, and what its earlier tasks made stays.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from readiness.twin.arm.paging import page
from readiness.twin.arm.recovery_services.filters import fits, moment, terms
from readiness.twin.arm.recovery_services.kinds import (
    ITEM,
    JOB,
    VAULT,
    listed_in,
    need_vault,
    stamp,
    vault_id,
)
from readiness.twin.documents import Json, duplicate, look, section
from readiness.twin.messages import ArmError, Response
from readiness.twin.operations import Outcome, identifier
from readiness.twin.paths import parse
from readiness.twin.protocols import BACKUP
from readiness.twin.state import State
from readiness.twin.troubles import Fail
from readiness.twin.world import Call, Routes, Ticket, World

_LONG_AGO = "2000-01-01T00:00:00Z"
_UNDER_WAY = ("InProgress", "Cancelling")
_FILTERS = {
    "status": "properties.status",
    "operation": "properties.operation",
    "jobid": "name",
    "backupmanagementtype": "properties.backupManagementType",
}


def _pass(_: datetime) -> ArmError | None:
    return None


def _nothing(_: datetime) -> None:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One part of a job."""

    name: str
    operation: str
    """What it is called in the table of durations, and in faults files."""
    check: Callable[[datetime], ArmError | None] = _pass
    """Says, at the end of the task, how it has failed."""
    done: Callable[[datetime], None] = _nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a job is to do."""

    item: Json
    operation: str
    """What the job is called: Backup, Restore, ConfigureBackup."""
    tasks: tuple[Task, ...] = ()
    bag: dict[str, str] = field(default_factory=dict)
    ended: Callable[[str, datetime], None] = lambda _status, _when: None
    """Hears how the job has ended."""


@dataclass(slots=True)
class Behind:
    """What Azure Backup knows of an item and never shows."""

    jobs: list[Json] = field(default_factory=list)
    attempts: list[datetime] = field(default_factory=list)
    was_trusted: bool = False
    """Whether it was once protected with Trusted Launch."""


def behind(state: State, item: Json) -> Behind:
    """Return what is known of an item beyond what it shows."""
    known: dict[str, Behind] = state.hidden(ITEM)
    return known.setdefault(item["id"].lower(), Behind())


def running(state: State, item: Json) -> Json | None:
    """Return the job that is under way for an item."""
    return next(
        (job for job in behind(state, item).jobs if look(job, "properties.status") in _UNDER_WAY), None
    )


def start(world: World, order: Order, when: datetime) -> Json:
    """Begin a job."""
    item = order.item
    world.calls["jobs", item["id"].lower()] += 1
    name = identifier(world.seed, "job", item["id"], world.calls["jobs", item["id"].lower()])
    job: Json = {
        "id": f"{vault_id(parse(item['id']))}/backupJobs/{name}",
        "name": name,
        "type": "Microsoft.RecoveryServices/vaults/backupJobs",
        "properties": {
            "jobType": "AzureIaaSVMJob",
            "virtualMachineVersion": "Compute",
            "entityFriendlyName": look(item, "properties.friendlyName"),
            "backupManagementType": "AzureIaasVM",
            "operation": order.operation,
            "status": "InProgress",
            "startTime": stamp(when),
            "activityId": identifier(world.seed, "activity", name),
            "extendedInfo": {
                "tasksList": [{"taskId": task.name, "status": "NotStarted"} for task in order.tasks],
                "propertyBag": {"VM Name": str(look(item, "properties.friendlyName")), **order.bag},
            },
        },
    }
    world.state.put(job)
    behind(world.state, item).jobs.append(job)
    _step(world, job, order, 0, when)
    return job


def _step(world: World, job: Json, order: Order, number: int, when: datetime) -> None:
    if number == len(order.tasks):
        _end(job, order, "Completed", when)
        return
    task, row = order.tasks[number], job["properties"]["extendedInfo"]["tasksList"][number]
    row |= {"status": "InProgress", "startTime": stamp(when)}

    def done(end: datetime) -> None:
        if job["properties"]["status"] != "InProgress" or world.state.find(job["id"]) is not job:
            return
        refusal = task.check(end)
        if refusal is not None:
            _fail(job, order, row, refusal.code, refusal.message, end)
            return
        row.update(status="Completed", endTime=stamp(end))
        task.done(end)
        _step(world, job, order, number + 1, end)

    def failed(end: datetime) -> None:
        error: Any = operation.error
        if job["properties"]["status"] == "InProgress":
            _fail(job, order, row, error["code"], error["message"], end)

    arrival = world.arrive(task.operation, order.item["id"])
    ending, trouble = world.faults.ending(arrival), world.faults.refusal(arrival)
    if isinstance(trouble, Fail):
        ending = replace(ending, failure=trouble)
    operation = world.operations.begin(
        task.operation,
        job["id"],
        now=when,
        outcome=Outcome(done=done, failed=failed, ending=ending),
        protocol=BACKUP,
    )


def _fail(job: Json, order: Order, row: Json, code: str, message: str, when: datetime) -> None:
    row.update(status="Failed", endTime=stamp(when))
    # Codes are shown as the title of an error; their numbers are on no public list.
    job["properties"]["errorDetails"] = [{"errorTitle": code, "errorString": message, "recommendations": []}]
    _end(job, order, "Failed", when)


def _end(job: Json, order: Order, status: str, when: datetime) -> None:
    job["properties"] |= {"status": status, "endTime": stamp(when)}
    order.ended(status, when)


def answer(
    world: World, call: Call, ticket: Ticket, item: Json, order_at: Callable[[datetime], Order]
) -> Response:
    """Accept a write whose operation begins a job, and tells which."""
    begun: list[Json] = []

    def done(when: datetime) -> None:
        # Meanwhile the vault may have been deleted, or its whole group.
        if world.state.find(vault_id(parse(item["id"]))) is not None:
            begun.append(start(world, order_at(when), when))

    def told() -> Json | None:
        return {"objectType": "OperationStatusJobExtendedInfo", "jobId": begun[0]["name"]} if begun else None

    operation = world.begin(call, ticket, done=done, failed=lambda _: None, protocol=BACKUP, output=told)
    return world.accepted(call, ticket, operation, Response(202))


def shown(job: Json, now: datetime, *, is_listed: bool = False) -> Json:
    """Return a job as it is answered."""
    copy: Json = duplicate(job)
    properties = section(copy, "properties")
    began, ended = properties.get("startTime"), properties.get("endTime")
    if isinstance(began, str):
        end = datetime.fromisoformat(ended) if isinstance(ended, str) else now
        properties["duration"] = _duration((end - datetime.fromisoformat(began)).total_seconds())
    if is_listed:
        properties.pop("extendedInfo", None)
    if properties.get("status") == "InProgress":
        properties["actionsInfo"] = ["Cancellable"]
    return copy


def _duration(seconds: float) -> str:
    minutes, rest = divmod(max(seconds, 0.0), 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"PT{hours}H{minutes}M{rest:.3f}S"


def get(world: World, call: Call) -> Response:
    """Answer one job, with its tasks."""
    need_vault(world.state, call.address)
    return Response(200, shown(world.state.need(call.address), call.now))


def listed(world: World, call: Call) -> Response:
    """Answer the jobs of a vault, the newest first."""
    wanted = terms(call)
    found = [job for job in listed_in(world.state, call.address, JOB) if fits(job, wanted, _FILTERS)]
    began = {job["id"]: moment(look(job, "properties.startTime") or _LONG_AGO) for job in found}
    if "starttime" in wanted:
        found = [job for job in found if began[job["id"]] >= moment(wanted["starttime"])]
    if "endtime" in wanted:
        found = [job for job in found if began[job["id"]] <= moment(wanted["endtime"])]
    found.sort(key=lambda job: began[job["id"]], reverse=True)
    return page(call, found, lambda job: shown(job, call.now, is_listed=True))


def cancel(world: World, call: Call) -> Response:
    """Cancel a job that is under way."""
    need_vault(world.state, call.address)
    job = world.state.need(call.address)
    ticket = world.admit(call, "vaults/backupJobs/cancel", job["id"])
    properties = section(job, "properties")
    if properties.get("status") != "InProgress":
        raise ArmError(
            400,
            "BMSUserErrorJobNotCancellable",
            f"Job '{job['name']}' cannot be cancelled as it is in state {properties.get('status')}.",
            unverified=True,
        )
    properties["status"] = "Cancelling"

    def done(when: datetime) -> None:
        for row in look(properties, "extendedInfo.tasksList") or []:
            if row["status"] in ("InProgress", "NotStarted"):
                row["status"] = "Cancelled"
        properties.update(status="Cancelled", endTime=stamp(when))

    def failed(_: datetime) -> None:
        properties["status"] = "InProgress"

    operation = world.begin(call, ticket, done=done, failed=failed, protocol=BACKUP)
    return world.accepted(call, ticket, operation, Response(202))


ROUTES: Routes = {
    ("GET", VAULT, "backupjobs"): listed,
    ("GET", JOB, ""): get,
    ("POST", JOB, "cancel"): cancel,
}
