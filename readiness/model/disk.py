"""Managed disks, their snapshots, and the disk encryption sets that hold their keys."""

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
    generation: int | None = None
    state: str | None = None
    """`diskState`, such as `Attached`, or `Reserved` on a deallocated VM."""
    unique_id: str | None = None
    has_ade_settings: bool = False
    """`encryptionSettingsCollection` is present: the disk is, or once was, under Azure Disk Encryption."""
    max_shares: int = 1
    security_type: str | None = None
    supported_security: str | None = None
    """`supportedCapabilities.supportedSecurityOption`, which newer disks inherit from their image."""

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


class DiskEncryptionSet(Struct, frozen=True, kw_only=True):
    """A disk encryption set: the key that customer-managed encryption uses."""

    id: ResourceId
    location: str
    encryption_type: str | None = None
    provisioning_state: str | None = None
    rotation_error: str | None = None
