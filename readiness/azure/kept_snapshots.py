"""What runs left on Azure, known by its marks alone: snapshots, and throwaway disks it could not delete."""

from datetime import date
from typing import Any

from msgspec import Struct

from readiness.azure.connect import Connection
from readiness.azure.faults import translated
from readiness.azure.marks import PLAN
from readiness.azure.plain import pages
from readiness.azure.trial_disk import TRIAL_PREFIX
from readiness.model.ids import ResourceId

_VERSION = "2025-01-02"
_THROWAWAY = "throwaway disk"


class KeptSnapshot(Struct, frozen=True, kw_only=True):
    """A snapshot that a run took, or a throwaway disk that it left behind."""

    id: ResourceId
    plan: str
    run: str
    vm: str
    disk: str
    """What it is a snapshot of; for a throwaway disk these words."""
    size_gb: int
    expires: date | None
    """The day after which it may be deleted; None where the mark cannot be read, and then it is kept."""

    def is_expired(self, today: date) -> bool:
        """Tell whether it may be deleted."""
        return self.expires is not None and self.expires < today


def kept_snapshots(connection: Connection, subscription: str) -> list[KeptSnapshot]:
    """Return what bears our marks in a subscription: snapshots, and throwaway disks left behind."""
    compute = f"/subscriptions/{subscription}/providers/Microsoft.Compute"
    snapshots = pages(connection, subscription, f"{compute}/snapshots", _VERSION)
    disks = pages(connection, subscription, f"{compute}/disks", _VERSION)
    listed = [*snapshots, *(disk for disk in disks if _is_throwaway(disk))]
    return [_kept(one) for one in listed if PLAN in (one.get("tags") or {})]


def delete(connection: Connection, snapshot: KeptSnapshot) -> None:
    """Delete a snapshot or a throwaway disk, and wait until it is gone.

    Raises:
        CloudError: Azure refused, for a lock for example.
    """
    compute = connection.compute(snapshot.id.subscription)
    kind = compute.disks if snapshot.disk == _THROWAWAY else compute.snapshots
    with translated():
        kind.begin_delete(snapshot.id.resource_group, snapshot.id.name).result()


def _kept(body: dict[str, Any]) -> KeptSnapshot:
    tags: dict[str, str] = body["tags"]
    return KeptSnapshot(
        id=ResourceId(body["id"]),
        plan=tags[PLAN],
        run=tags.get("readiness-run", ""),
        vm=tags.get("readiness-vm", ""),
        disk=_THROWAWAY if _is_throwaway(body) else tags.get("readiness-disk", ""),
        size_gb=int((body.get("properties") or {}).get("diskSizeGB") or 0),
        expires=_day(tags.get("readiness-expires", "")),
    )


def _is_throwaway(body: dict[str, Any]) -> bool:
    """Tell whether a disk is a throwaway one by its name, and no VM has taken it into use since."""
    is_disk = ResourceId(body["id"]).type.lower() == "microsoft.compute/disks"
    return is_disk and str(body["name"]).startswith(TRIAL_PREFIX) and not body.get("managedBy")


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
