"""Gathers vaults, locks, restore points and replication on their way into an estate; part of `collection`."""

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from readiness.azure import wire_governance, wire_storage, wire_vault
from readiness.azure.wire_values import Json, flag, obj, own_id
from readiness.model.backup import ReplicatedItem, RestorePointCollection
from readiness.model.governance import RoleGrant
from readiness.model.ids import ResourceId
from readiness.model.protection import Protection
from readiness.model.vault import GalleryImage, Lock, Vault, VaultKey

Keep = Callable[[dict[ResourceId, Any], str, ResourceId, Any], None]
"""Files a parsed resource, and notes a gap where it occurs twice."""

_RECOVERY_POINTS = (
    "microsoft.recoveryservices/vaults/backupfabrics/protectioncontainers/protecteditems/recoverypoints"
)
_REPLICATED = (
    "microsoft.recoveryservices/vaults/replicationfabrics/replicationprotectioncontainers"
    "/replicationprotecteditems"
)


class ProtectionParts:
    """Parsed resources by type, in any order. What is not its business it never sees."""

    def __init__(self, keep: Keep) -> None:
        self._keep = keep
        self._vaults: dict[ResourceId, Vault] = {}
        self._keys: dict[ResourceId, VaultKey] = {}
        self._grants: dict[ResourceId, RoleGrant] = {}
        self._eligible: dict[ResourceId, RoleGrant] = {}
        self._locks: dict[ResourceId, Lock] = {}
        self._collections: dict[ResourceId, RestorePointCollection] = {}
        self._points: dict[ResourceId, set[ResourceId]] = {}
        self._replicated: dict[ResourceId, ReplicatedItem] = {}
        self._images: dict[ResourceId, GalleryImage] = {}
        self._features: dict[tuple[str, str], str] = {}
        self._encrypted_items: dict[ResourceId, ResourceId] = {}
        self.readers: dict[str, Callable[[str, Json], None]] = {
            "microsoft.keyvault/vaults": self._plain(wire_vault.vault, self._vaults),
            "microsoft.keyvault/vaults/keys": self._plain(wire_vault.vault_key, self._keys),
            "microsoft.keyvault/vaults/keys/versions": self._plain(wire_vault.vault_key, self._keys),
            "microsoft.authorization/locks": self._plain(wire_vault.lock, self._locks),
            "microsoft.authorization/roleassignments": self._plain(wire_governance.role_grant, self._grants),
            "microsoft.authorization/roleassignmentscheduleinstances": self._plain(
                wire_governance.role_grant, self._grants
            ),
            "microsoft.authorization/roleeligibilityscheduleinstances": self._plain(
                wire_governance.role_grant, self._eligible
            ),
            "microsoft.compute/restorepointcollections": self._plain(
                wire_storage.restore_point_collection, self._collections
            ),
            "microsoft.compute/restorepointcollections/restorepoints": self._add_point,
            "microsoft.compute/galleries/images": self._plain(wire_storage.gallery_image, self._images),
            "microsoft.features/providers/features": self._add_feature,
            _RECOVERY_POINTS: self._add_recovery_point,
            _REPLICATED: self._plain(wire_storage.replicated_item, self._replicated),
        }
        """What to do with a resource, by its type in lower case."""

    def protection(self) -> Protection:
        """Join what was gathered: the same resources in any order give the same answer."""
        return Protection(
            vaults=self._vaults,
            keys=self._keys,
            grants=tuple(entry for _, entry in sorted(self._grants.items())),
            eligible=tuple(entry for _, entry in sorted(self._eligible.items())),
            locks=tuple(entry for _, entry in sorted(self._locks.items())),
            restore_points=tuple(self._with_points(entry) for _, entry in sorted(self._collections.items())),
            replicated=tuple(entry for _, entry in sorted(self._replicated.items())),
            images=self._images,
            features=self._features,
            encrypted_items=self._encrypted_items,
        )

    def _plain(
        self, parse: Callable[[Json], Any], kept: dict[ResourceId, Any]
    ) -> Callable[[str, Json], None]:
        def add(place: str, resource: Json) -> None:
            found = parse(resource)
            if found is not None:
                self._keep(kept, place, found.id, found)

        return add

    def _add_point(self, _place: str, resource: Json) -> None:
        point = own_id(resource)
        self._points.setdefault(point.parent, set()).add(point)

    def _with_points(self, collection: RestorePointCollection) -> RestorePointCollection:
        found = self._points.get(collection.id)
        if found is None:
            return collection
        return replace(collection, points=tuple(sorted({*found, *(collection.points or ())})))

    def _add_recovery_point(self, _place: str, resource: Json) -> None:
        if flag(obj(resource, "properties"), "isSourceVMEncrypted"):
            point = own_id(resource)
            earlier = self._encrypted_items.get(point.parent, point)
            self._encrypted_items[point.parent] = min(earlier, point)

    def _add_feature(self, _place: str, resource: Json) -> None:
        found = wire_vault.feature(resource)
        if found is not None:
            # Registered wins over any other copy: Azure keeps no older state beside the present one.
            key, state = found
            kept = self._features.get(key, "")
            self._features[key] = max(kept, state, key=lambda one: (one.lower() == "registered", one))
