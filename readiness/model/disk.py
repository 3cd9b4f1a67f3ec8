"""Managed disks, their snapshots, and the disk encryption sets that hold their keys."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from readiness.model.ids import ResourceId


class EncryptionType(StrEnum):
    """`properties.encryption.type` of a disk or snapshot."""

    PLATFORM_KEY = "EncryptionAtRestWithPlatformKey"
    CUSTOMER_KEY = "EncryptionAtRestWithCustomerKey"
    PLATFORM_AND_CUSTOMER_KEYS = "EncryptionAtRestWithPlatformAndCustomerKeys"
    OTHER = "Other"
    """A value this release does not know, or none at all."""


class Encryption(Struct, frozen=True, kw_only=True):
    """Server-side encryption of a disk or snapshot."""

    type: EncryptionType
    disk_encryption_set: ResourceId | None = None

    @property
    def uses_customer_key(self) -> bool:
        """Whether a customer-managed key protects the data; double encryption counts."""
        return self.type in (EncryptionType.CUSTOMER_KEY, EncryptionType.PLATFORM_AND_CUSTOMER_KEYS)


class Disk(Struct, frozen=True, kw_only=True):
    """One managed disk."""

    id: ResourceId
    location: str
    sku: str | None
    size_gb: int | None
    encryption: Encryption
    encryption_word: str | None = None
    """`encryption.type` as Azure wrote it, where that is not the type's own name."""
    generation: int | None = None
    state: str | None = None
    """`diskState`, such as `Attached`, or `Reserved` on a deallocated VM."""
    unique_id: str | None = None
    has_ade_settings: bool = False
    """`encryptionSettingsCollection` is present: the disk is, or once was, under Azure Disk Encryption."""
    ade_enabled: bool | None = None
    """What `encryptionSettingsCollection.enabled` says; the mark counts whatever it is."""
    max_shares: int = 1
    security_type: str | None = None
    supported_security: str | None = None
    """`supportedCapabilities.supportedSecurityOption`, which newer disks inherit from their image."""
    architecture: str | None = None
    """`supportedCapabilities.architecture`: `x64` or `Arm64`."""
    completion_percent: float | None = None
    """How much of an Ultra disk or Premium SSD v2 has been filled from its source."""
    sector_size: int | None = None
    """`creationData.logicalSectorSize` of an Ultra disk or Premium SSD v2."""
    created: datetime | None = None
    network_access: str | None = None
    """`networkAccessPolicy`: `AllowAll`, `AllowPrivate` or `DenyAll`."""
    public_access: str | None = None
    """`publicNetworkAccess`: `Enabled` or `Disabled`."""
    sharers: tuple[ResourceId, ...] = ()
    """The VMs a shared disk is attached to, as `managedByExtended` and `shareInfo` list them."""

    @property
    def written_encryption(self) -> str | None:
        """`encryption.type` as it stands in Azure; None where it is absent."""
        if self.encryption_word is None and self.encryption.type is not EncryptionType.OTHER:
            return self.encryption.type.value
        return self.encryption_word

    @property
    def is_provisioned_performance(self) -> bool:
        """Whether this is an Ultra disk or a Premium SSD v2, which have snapshot rules of their own."""
        return (self.sku or "").lower() in ("ultrassd_lrs", "premiumv2_lrs")


class Snapshot(Struct, frozen=True, kw_only=True):
    """One snapshot of a managed disk."""

    id: ResourceId
    incremental: bool
    source: ResourceId | None = None
    source_unique_id: str | None = None
    tags: dict[str, str] = {}
    has_ade_settings: bool = False
    ade_enabled: bool | None = None
    """What `encryptionSettingsCollection.enabled` says."""


class DiskEncryptionSet(Struct, frozen=True, kw_only=True):
    """A disk encryption set: the key that customer-managed encryption uses."""

    id: ResourceId
    location: str
    encryption_type: str | None = None
    provisioning_state: str | None = None
    rotation_error: str | None = None
    identity_type: str | None = None
    """`SystemAssigned`, `UserAssigned`, both, or `None`; None where it was not reported."""
    principals: tuple[str, ...] = ()
    """Object ids of the identities that unwrap the key, in lower case."""
    key_url: str | None = None
    """`activeKey.keyUrl`: the vault's host, the key's name and its version."""
    source_vault: ResourceId | None = None
    """Absent where the vault lies in another subscription."""
    rotates: bool | None = None
