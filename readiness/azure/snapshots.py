"""The snapshots behind a change: full, closed to the network, and marked with the state from before.

The marks are what a run can be rebuilt from when the machine that carried it out is gone. A tag's value holds
at most 256 characters, so ids are kept relative to the snapshot's own subscription.
"""

from typing import Any

from readiness.azure.marks import BEFORE, LONGEST_TAG, PLAN, STARTED, before_mark, relative
from readiness.model.observation import Before
from readiness.model.steps import TakeSnapshot
from readiness.ports.cloud import StepContext


def snapshot_body(step: TakeSnapshot, disk: dict[str, Any], context: StepContext) -> dict[str, Any]:
    """Return the PUT body of a full snapshot of a disk as it was read just now."""
    return {
        "location": disk["location"],
        "sku": {"name": "Standard_ZRS" if "_ZRS" in _sku(disk).upper() else "Standard_LRS"},
        "tags": tags(step, context),
        "properties": {
            "creationData": {"createOption": "Copy", "sourceResourceId": disk["id"]},
            "incremental": False,
            # Explicit, since whether a snapshot inherits its disk's key is not documented.
            "encryption": disk["properties"].get("encryption", {}),
            "networkAccessPolicy": "DenyAll",
            "publicNetworkAccess": "Disabled",
        },
    }


def tags(step: TakeSnapshot, context: StepContext) -> dict[str, str]:
    """Return the marks of a snapshot."""
    marks = {
        PLAN: context.plan,
        STARTED: context.started,
        "readiness-run": context.run,
        "readiness-expires": context.expires.isoformat(),
        "readiness-vm": relative(step.vm),
        "readiness-disk": relative(step.disk),
    }
    if context.before is not None:
        marks |= _before_marks(step, context.before)
    return {name: value[:LONGEST_TAG] for name, value in marks.items()}


def _before_marks(step: TakeSnapshot, before: Before) -> dict[str, str]:
    marks = {BEFORE: before_mark(before)}
    for disk in before.disks:
        if disk.id == step.disk:
            marks["readiness-before-key"] = disk.encryption.type
            if disk.encryption.disk_encryption_set is not None:
                marks["readiness-before-set"] = relative(disk.encryption.disk_encryption_set)
    return marks


def _sku(disk: dict[str, Any]) -> str:
    return str((disk.get("sku") or {}).get("name") or "")
