"""Azure Backup on demand, its freshness, and the policy of a protected item.

A backup counts once its recovery point is in the vault: what only lives in the snapshot tier is gone after
days, while the outage it is to protect may come later. The token of a backup names its operation, and then
its job, so that a job that failed is told with its own words.
"""

from datetime import timedelta
from functools import partial
from typing import Any

import msgspec
from azure.core.rest import HttpResponse
from msgspec import Struct

from readiness.azure import operations
from readiness.azure.accepted import FORGOTTEN, get, place_of
from readiness.azure.connect import Connection
from readiness.azure.faults import innermost, translated
from readiness.azure.plain import read
from readiness.azure.protected_items import (
    API,
    ItemPlace,
    RecoveryPoint,
    is_of,
    jobs_under_way,
    newest_point,
)
from readiness.azure.protected_items import place_of as item_place
from readiness.azure.wire_values import obj, objects, resource_id, text
from readiness.errors import CloudError, MissingError
from readiness.model.codec import encode
from readiness.model.ids import ResourceId
from readiness.model.steps import BackUp, ChangeBackupPolicy, ProveBackup
from readiness.ports.cloud import Done, Failed, Pending, Progress, StepContext

_WAIT = 30.0
"""Wall-clock seconds between two looks at a job that takes an hour."""
_BUSY = ("UserErrorBackupOperationInProgress", "BMSUserErrorConflictingProtectionOperation")
_UNDER_WAY = ("InProgress", "Cancelling")
_ENDED_WELL = ("Completed", "CompletedWithWarnings")

Change = BackUp | ProveBackup | ChangeBackupPolicy


class _Running(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a backup stands: its operation says which job has begun."""

    operation: str = ""
    job: str = ""


def begin(connection: Connection, step: Change, context: StepContext) -> Progress:
    """Look whether it is in place, and begin it if not."""
    try:
        place = item_place(step.item)
    except ValueError as error:
        return Failed("InvalidResourceId", str(error))
    if isinstance(step, ProveBackup):
        return _prove(connection, step, context)
    try:
        with translated():
            if isinstance(step, ChangeBackupPolicy):
                return _change_policy(connection, step, place)
            return _back_up(connection, step, place, context)
    except CloudError as error:
        if error.code in _BUSY:
            return Pending(None, _WAIT, "another job of its backup is under way")
        raise


def poll(connection: Connection, step: BackUp, token: str) -> Progress:
    """Ask how a backup goes, by the token of `begin`."""
    try:
        running = msgspec.json.decode(token, type=_Running)
    except msgspec.DecodeError:
        return FORGOTTEN
    if running.job:
        return _ask_job(connection, step.item, running)
    response = get(connection, step.item.subscription, running.operation)
    if response is None:
        return FORGOTTEN
    body: Any = response.json()
    status = str(body.get("status") or "")
    if status == "InProgress":
        return Pending(token, _WAIT)
    job = (body.get("properties") or {}).get("jobId")
    if status != "Succeeded" or not job:
        code, message = innermost(body)
        return Failed(code or status or "Unclear", message or "Azure Backup began no job")
    return _ask_job(connection, step.item, _Running(job=str(job)))


# Taking one ---------------------------------------------------------------------------------------------


def _back_up(connection: Connection, step: BackUp, place: ItemPlace, context: StepContext) -> Progress:
    point = newest_point(connection, step.item)
    is_young = point is not None and _is_young(point, step.max_age_hours, context)
    if point is not None and is_young and point.is_in_vault:
        return Done(_told(point, context))
    if any(is_of(job, place) for job in jobs_under_way(connection, place.vault)):
        return Pending(None, _WAIT, "a job of its backup is under way")
    if point is not None and is_young:
        return Done(f"{_told(point, context)}, in the snapshot tier only")
    return _trigger(connection, step, place, context)


def _trigger(connection: Connection, step: BackUp, place: ItemPlace, context: StepContext) -> Progress:
    expires = (context.now + timedelta(days=step.retain_days)).strftime("%Y-%m-%dT%H:%M:%SZ")
    request: Any = {
        "properties": {"objectType": "IaasVMBackupRequest", "recoveryPointExpiryTimeInUTC": expires}
    }
    answers: list[HttpResponse] = []
    # It begins an operation and returns nothing: where to follow it is only in the headers.
    connection.backup(step.item.subscription).backups.trigger(
        *place.arguments, request, cls=lambda response, *_: answers.append(response.http_response)
    )
    address = answers[0].headers.get("Azure-AsyncOperation") if answers else None
    if not address:
        return Pending(None, _WAIT)
    return Pending(encode(_Running(operation=place_of(address))).decode(), _WAIT)


def _ask_job(connection: Connection, item: ResourceId, running: _Running) -> Progress:
    vault = item_place(item).vault
    job = read(connection, vault.subscription, f"{vault}/backupJobs/{running.job}", API)
    if job is None:
        return FORGOTTEN
    properties = obj(job, "properties")
    status = text(properties, "status") or ""
    if status in _UNDER_WAY:
        return Pending(encode(_Running(job=running.job)).decode(), _WAIT)
    if status in _ENDED_WELL:
        return Done("backed up", evidence=f"job {running.job}: {status}")
    errors = objects(properties, "errorDetails")
    title, words = (text(errors[0], "errorTitle"), text(errors[0], "errorString")) if errors else (None, None)
    # A title is a code or a sentence: only the former can be counted and compared.
    code = title if title and title.isalnum() else f"Backup{status}"
    return Failed(code, words or title or f"the backup job ended as {status}")


# Proving one --------------------------------------------------------------------------------------------


def _prove(connection: Connection, step: ProveBackup, context: StepContext) -> Progress:
    if step.policy is not None:
        item = read(connection, step.item.subscription, step.item.text, API) or {}
        if resource_id(obj(item, "properties"), "policyId") != step.policy:
            return Failed("PolicyNotChanged", f"its backup is not under {step.policy.name} yet")
    point = newest_point(connection, step.item)
    if point is None:
        return Failed("NoRecoveryPoint", "Azure Backup has no recovery point of it")
    if not _is_young(point, step.max_age_hours, context):
        limit = f"at most {step.max_age_hours} hours are allowed"
        return Failed("BackupTooOld", f"the {_told(point, context)}: {limit}")
    return Done(_told(point, context))


def _is_young(point: RecoveryPoint, max_age_hours: int, context: StepContext) -> bool:
    return context.now - point.taken <= timedelta(hours=max_age_hours)


def _told(point: RecoveryPoint, context: StepContext) -> str:
    age, taken = point.age(context.now), f"{point.taken:%Y-%m-%d %H:%M} UTC"
    return f"newest recovery point is {age} old ({taken})"


# Its policy ---------------------------------------------------------------------------------------------


def _change_policy(connection: Connection, step: ChangeBackupPolicy, place: ItemPlace) -> Progress:
    item = read(connection, step.item.subscription, step.item.text, API)
    if item is None:
        raise MissingError("Azure Backup does not know this item any more", code="ItemNotFound")
    properties = obj(item, "properties")
    if resource_id(properties, "policyId") == step.policy:
        return Done("already under it")
    wanted = {
        "protectedItemType": text(properties, "protectedItemType") or "Microsoft.Compute/virtualMachines",
        "sourceResourceId": text(properties, "sourceResourceId"),
        "policyId": step.policy.text,
    }
    # Without them, disks that were left out of the backup would be in it.
    if properties.get("extendedProperties"):
        wanted["extendedProperties"] = properties["extendedProperties"]
    body: Any = {"properties": wanted}
    items = connection.backup(step.item.subscription).protected_items
    return operations.begin(partial(items.begin_create_or_update, *place.arguments, body))
