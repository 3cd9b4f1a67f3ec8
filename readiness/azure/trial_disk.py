"""A small throwaway disk that proves a key: set, vault, key, permission and region, all at once.

Guarantees: only a disk that Azure created under the key in this very run counts as proof; nothing that is not
marked as a trial of this VM is ever deleted.
"""

import hashlib
from functools import partial
from typing import Any

from readiness.azure import wire
from readiness.azure.connect import Connection
from readiness.azure.evidence import fit_to_keep
from readiness.azure.faults import is_passing, translated
from readiness.azure.marks import STARTED, is_for, is_ours, marks_of
from readiness.azure.operations import DEFAULT_WAIT, only_begun
from readiness.azure.operations import begin as begin_operation
from readiness.azure.patches import encryption_patch
from readiness.azure.plain import body_of, vm_body
from readiness.azure.wire_values import Json, obj, text
from readiness.errors import CloudError, MissingError, ThrottledError, UnreachableError
from readiness.model.ids import ResourceId
from readiness.model.steps import DropTrial, TryEncryption
from readiness.ports.cloud import Done, Failed, Pending, Progress, StepContext

TRIAL_PREFIX = "readiness-trial-"
"""How the name of every throwaway disk begins."""
_SIZE_GB = 4
_CAUSES = {
    "keyvaultaccessforbidden": "the disk encryption set may not use its key: its identity needs get, wrap "
    "and unwrap on it, and the vault has to let trusted services in; a new permission takes some minutes",
    "keyvaultaccesstokencannotbeacquired": "the identity of the disk encryption set gets no token: set its "
    "identity to None and back, and grant the new one its permissions",
    "keyvaultkeynotenabled": "the key is disabled: enable it, or give the disk encryption set another",
    "keyvaultkeyexpired": "the key has expired: rotate it",
    "keyvaultkeynotsupported": "only an RSA key of 2048, 3072 or 4096 bits encrypts disks",
    "keyvaultnotrecoverable": "the vault lacks soft delete or purge protection",
    "resourcenotfound": "the disk encryption set does not exist",
    "notfound": "the disk encryption set does not exist",
    "requestdisallowedbypolicy": "a policy forbids the throwaway disk, and may forbid the change, too",
    "authorizationfailed": "the identity of the runner may not create a disk here, or not use the set",
    "linkedauthorizationfailed": "the identity of the runner may not use the disk encryption set",
    "quotaexceeded": "the quota for disks is used up",
}
"""What Azure's codes mean here, by the code in lower case."""


def trial_id(step: TryEncryption | DropTrial) -> ResourceId:
    """Return the deterministic id of the throwaway disk: one for each VM and key, in the VM's group."""
    key = step.encryption.disk_encryption_set
    told = f"{step.vm.key} {step.encryption.type} {key.key if key else ''}"
    name = f"{TRIAL_PREFIX}{hashlib.sha256(told.encode()).hexdigest()[:12]}"
    return step.vm.sibling("Microsoft.Compute/disks", name)


def trial_body(step: TryEncryption, location: str, context: StepContext) -> Json:
    """Return the PUT body of the throwaway disk."""
    return {
        "location": location,
        "sku": {"name": "Standard_LRS"},
        "tags": marks_of(step.vm, context) | {"readiness-expires": context.expires.isoformat()},
        "properties": {
            "creationData": {"createOption": "Empty"},
            "diskSizeGB": _SIZE_GB,
            "encryption": encryption_patch(step.encryption),
            "networkAccessPolicy": "DenyAll",
            "publicNetworkAccess": "Disabled",
        },
    }


def begin(connection: Connection, step: TryEncryption | DropTrial, context: StepContext) -> Progress:
    """Look whether the throwaway disk is there, or gone, and create or delete it if not."""
    trial = trial_id(step)
    disks = connection.compute(trial.subscription).disks
    try:
        found = body_of(partial(disks.get, trial.resource_group, trial.name))
    except MissingError:
        found = None
    if isinstance(step, DropTrial):
        return _drop(connection, step, trial, found)
    return _try(connection, step, trial, found, context)


def explained(failed: Failed) -> Failed:
    """Return a failed trial with its cause in words, and Azure's own as evidence."""
    said = fit_to_keep(failed.detail)
    cause = _CAUSES.get(failed.code.lower())
    return Failed(failed.code, f"{cause}: {said}" if cause else said, failed.is_capacity, evidence=said)


def _try(
    connection: Connection,
    step: TryEncryption,
    trial: ResourceId,
    found: Json | None,
    context: StepContext,
) -> Progress:
    if found is not None and not is_for(found, step.vm):
        return Failed("NameTaken", f"{trial.name} is there, and is no throwaway disk of ours")
    state = _state(found) if found is not None else "missing"
    if state in ("missing", "failed", "canceled"):
        return _create(connection, step, trial, context)
    if found is None or state != "succeeded":
        return Pending(None, DEFAULT_WAIT, f"{trial.name} is {state}")
    if not is_ours(found, context.plan) or (found.get("tags") or {}).get(STARTED) != context.started:
        # It was left behind by an earlier run: the key may have been disabled since.
        return only_begun(_delete(connection, trial))
    shown = wire.disk(found).encryption
    if shown != step.encryption:
        return Failed("NotAsAsked", f"{trial.name} was created under {shown.type} instead")
    return Done(f"Azure created {trial.name} under the key")


def _create(connection: Connection, step: TryEncryption, trial: ResourceId, context: StepContext) -> Progress:
    body: Any = trial_body(step, vm_body(connection, step.vm)["location"], context)
    disks = connection.compute(trial.subscription).disks
    try:
        with translated():
            progress = begin_operation(
                partial(disks.begin_create_or_update, trial.resource_group, trial.name, body)
            )
    except (ThrottledError, UnreachableError):
        raise
    except CloudError as error:
        if is_passing(error):
            raise
        return explained(Failed(error.code, error.brief))
    return explained(progress) if isinstance(progress, Failed) else only_begun(progress)


def _drop(connection: Connection, step: DropTrial, trial: ResourceId, found: Json | None) -> Progress:
    if found is None:
        return Done(f"{trial.name} is not there")
    if not is_for(found, step.vm):
        return Done(f"{trial.name} is not ours, and is kept")
    if _state(found) == "deleting":
        return Pending(None, DEFAULT_WAIT, f"{trial.name} is being deleted")
    return _delete(connection, trial)


def _delete(connection: Connection, trial: ResourceId) -> Progress:
    disks = connection.compute(trial.subscription).disks
    return begin_operation(partial(disks.begin_delete, trial.resource_group, trial.name))


def _state(disk: Json) -> str:
    return (text(obj(disk, "properties"), "provisioningState") or "succeeded").lower()
