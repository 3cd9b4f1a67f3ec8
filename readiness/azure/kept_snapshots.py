"""The snapshots that runs left on Azure, known by their marks alone."""

from datetime import date
from typing import Any

from msgspec import Struct

from readiness.azure.connect import Connection
from readiness.azure.faults import translated
from readiness.azure.marks import PLAN
from readiness.azure.plain import pages
from readiness.model.ids import ResourceId

_VERSION = "2025-01-02"


class KeptSnapshot(Struct, frozen=True, kw_only=True):
    """A snapshot that a run took."""

    id: ResourceId
    plan: str
    run: str
    vm: str
    disk: str
    size_gb: int
    expires: date | None
    """The day after which it may be deleted; None where the mark cannot be read, and then it is kept."""

    def is_expired(self, today: date) -> bool:
        """Tell whether it may be deleted."""
        return self.expires is not None and self.expires < today


def kept_snapshots(connection: Connection, subscription: str) -> list[KeptSnapshot]:
    """Return the snapshots of a subscription that bear our marks."""
    path = f"/subscriptions/{subscription}/providers/Microsoft.Compute/snapshots"
    listed = pages(connection, subscription, path, _VERSION)
    return [_kept(one) for one in listed if PLAN in (one.get("tags") or {})]


def delete(connection: Connection, snapshot: KeptSnapshot) -> None:
    """Delete a snapshot and wait until it is gone.

    Raises:
        CloudError: Azure refused, for a lock for example.
    """
    client = connection.compute(snapshot.id.subscription).snapshots
    with translated():
        client.begin_delete(snapshot.id.resource_group, snapshot.id.name).result()


def _kept(body: dict[str, Any]) -> KeptSnapshot:
    tags: dict[str, str] = body["tags"]
    return KeptSnapshot(
        id=ResourceId(body["id"]),
        plan=tags[PLAN],
        run=tags.get("readiness-run", ""),
        vm=tags.get("readiness-vm", ""),
        disk=tags.get("readiness-disk", ""),
        size_gb=int((body.get("properties") or {}).get("diskSizeGB") or 0),
        expires=_day(tags.get("readiness-expires", "")),
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
