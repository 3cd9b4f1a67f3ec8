"""What Azure Backup knows of one protected item: its recovery points, and the jobs under way for it.

Read as plain JSON: for the items of virtual machines the SDK's models lack the fields that matter.
"""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from msgspec import Struct

from readiness.azure.connect import Connection
from readiness.azure.plain import pages
from readiness.azure.wire_values import MalformedError, moment, obj, objects, text
from readiness.model.ids import ResourceId

API = "2025-02-01"
_RUNNING = "backupManagementType eq 'AzureIaasVM' and status eq 'InProgress'"
_SNAPSHOT_TIER = ("InstantRP", "1")
"""As it is called, and by its number in old answers."""


class ItemPlace(Struct, frozen=True, kw_only=True):
    """The names by which an id of a protected item is found."""

    vault: ResourceId
    fabric: str
    container: str
    name: str

    @property
    def arguments(self) -> tuple[str, str, str, str, str]:
        """What methods of the SDK want to know, in their order."""
        return self.vault.name, self.vault.resource_group, self.fabric, self.container, self.name

    @property
    def vm(self) -> tuple[str, str]:
        """Resource group and name of the VM, in lower case, as the item's name ends with them."""
        *_, group, name = ("", "", *self.name.lower().split(";"))
        return group, name


class RecoveryPoint(Struct, frozen=True, kw_only=True):
    """One recovery point that can be restored."""

    name: str
    taken: datetime
    is_in_vault: bool
    """False where it only lives in the snapshot tier, which keeps it for days."""

    def age(self, now: datetime) -> str:
        """Say how old it is."""
        hours = (now - self.taken) / timedelta(hours=1)
        return f"{hours:.0f} hours" if hours < _DAYS_FROM else f"{hours / 24:.0f} days"


_DAYS_FROM = 72


def place_of(item: ResourceId) -> ItemPlace:
    """Return the names in a protected item's id.

    Raises:
        ValueError: It is not the id of a protected item.
    """
    words = item.text.split("/")
    lowered = [word.lower() for word in words]
    try:
        vault, fabric, container, name = (
            lowered.index(word) + 1
            for word in ("vaults", "backupfabrics", "protectioncontainers", "protecteditems")
        )
        return ItemPlace(
            vault=ResourceId("/".join(words[: vault + 1])),
            fabric=words[fabric],
            container=words[container],
            name=words[name],
        )
    except (ValueError, IndexError) as error:
        raise ValueError(f"'{item}' is not the id of a protected item") from error


def newest_point(connection: Connection, item: ResourceId) -> RecoveryPoint | None:
    """Return the newest recovery point that can be restored, or None where there is none."""
    found = [
        point
        for body in pages(connection, item.subscription, f"{item}/recoveryPoints", API)
        if (point := _point(body)) is not None
    ]
    return max(found, key=lambda point: point.taken, default=None)


def _point(body: dict[str, Any]) -> RecoveryPoint | None:
    properties = obj(body, "properties")
    try:
        taken = moment(properties, "recoveryPointTime")
    except MalformedError:
        taken = None
    # Without a time nobody knows what it protects; one that is deleted protects nothing for long.
    if taken is None or obj(properties, "recoveryPointProperties").get("isSoftDeleted") is True:
        return None
    tiers = [str(row.get("type")) for row in objects(properties, "recoveryPointTierDetails")]
    # A point that does not say is in the vault: the snapshot tier came later.
    is_in_vault = not tiers or any(tier not in _SNAPSHOT_TIER for tier in tiers)
    return RecoveryPoint(name=text(body, "name") or "", taken=taken, is_in_vault=is_in_vault)


def jobs_under_way(connection: Connection, vault: ResourceId) -> list[dict[str, Any]]:
    """Return the jobs of a vault that are under way, for virtual machines."""
    path = f"{vault}/backupJobs?$filter={quote(_RUNNING)}"
    return pages(connection, vault.subscription, path, API)


def is_of(job: dict[str, Any], place: ItemPlace) -> bool:
    """Tell whether a job is one of an item's, or cannot be told from one.

    Not every job says which container it works on: then the VM's name has to do.
    """
    properties = obj(job, "properties")
    container = (text(properties, "containerName") or "").lower()
    if container:
        return tuple(container.split(";")[-2:]) == place.vm
    return (text(properties, "entityFriendlyName") or "").lower() == place.vm[1]
