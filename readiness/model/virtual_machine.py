"""One Azure virtual machine as it was observed. `None` always means *not reported*, never *no*.

Reasons have to show what stands in Azure, and an estate holds many VMs: where a value is understood as one of
ours, the word that Azure wrote is kept beside it only if the two differ.
"""

from enum import StrEnum

from msgspec import Struct

from readiness.model.ids import ResourceId
from readiness.model.monitoring import PatchSettings
from readiness.model.verdict import JsonScalar


class SecurityType(StrEnum):
    """`securityProfile.securityType`; Azure leaves it out, or says `Standard`, where nothing was set."""

    STANDARD = "Standard"
    TRUSTED_LAUNCH = "TrustedLaunch"
    CONFIDENTIAL_VM = "ConfidentialVM"
    OTHER = "Other"
    """A value this release does not know."""


class Power(StrEnum):
    """Power state as the instance view reports it."""

    RUNNING = "running"
    STOPPED = "stopped"
    """Shut down from inside, still allocated and billed."""
    DEALLOCATED = "deallocated"
    STARTING = "starting"
    STOPPING = "stopping"
    DEALLOCATING = "deallocating"
    UNKNOWN = "unknown"


class OsFamily(StrEnum):
    """`storageProfile.osDisk.osType`."""

    LINUX = "Linux"
    WINDOWS = "Windows"


class Sighting(Struct, frozen=True):
    """A value that is rarely there, with the place in the VM's JSON at which it stands."""

    path: str
    value: JsonScalar


class Image(Struct, frozen=True, kw_only=True):
    """`storageProfile.imageReference`; absent for VMs built from an attached disk."""

    publisher: str | None = None
    offer: str | None = None
    sku: str | None = None
    id: str | None = None


class BootProfile(Struct, frozen=True, kw_only=True):
    """How the VM boots: `securityProfile` and the OS disk's generation."""

    generation: int | None = None
    """1 (BIOS) or 2 (UEFI), from the OS disk, else from the instance view."""
    security_type: SecurityType = SecurityType.STANDARD
    security_word: str | None = None
    """`securityType` as Azure wrote it, where that is not the type's own name; see `written_type`."""
    secure_boot: bool | None = None
    vtpm: bool | None = None
    encryption_at_host: bool | None = None
    """None where it was left out, as Azure does where nobody switched it on or off."""

    @property
    def written_type(self) -> str | None:
        """`securityType` as it stands in Azure; None where it is absent, which means Standard."""
        if self.security_word is None and self.security_type is not SecurityType.STANDARD:
            return self.security_type.value
        return self.security_word


class OsProfile(Struct, frozen=True, kw_only=True):
    """Provisioning facts from `osProfile`; a VM from a specialised disk has none."""

    computer_name: str | None = None
    password_disabled: bool | None = None
    """`linuxConfiguration.disablePasswordAuthentication`; None on Windows."""
    extension_operations_allowed: bool = True
    agent_provisioned: bool | None = None
    certificate: Sighting | None = None
    """The first certificate that Azure puts from a vault into the VM (`secrets`)."""


class Identity(Struct, frozen=True, kw_only=True):
    """Managed identities of the VM."""

    system_assigned: bool = False
    user_assigned: tuple[ResourceId, ...] = ()
    principal_id: str | None = None

    @property
    def is_present(self) -> bool:
        """Whether the VM has any managed identity."""
        return self.system_assigned or bool(self.user_assigned)


class Extension(Struct, frozen=True, kw_only=True):
    """A VM extension, inline or as a child resource."""

    name: str
    publisher: str
    type: str
    provisioning_state: str | None = None
    version: str | None = None
    """`typeHandlerVersion`: which generation of the extension it is."""
    downloads_from: tuple[str, ...] = ()
    """Hosts that its public settings name as places to download from."""

    @property
    def has_succeeded(self) -> bool:
        """Whether Azure reports the extension as installed."""
        return (self.provisioning_state or "").lower() == "succeeded"


class DiskAttachment(Struct, frozen=True, kw_only=True):
    """One entry of `storageProfile`: the OS disk or a data disk."""

    disk: ResourceId | None
    """None where the disk is an unmanaged VHD."""
    lun: int | None = None
    """None for the OS disk."""
    is_ephemeral: bool = False
    has_dual_pass_ade: bool = False
    """`encryptionSettings` on the VM model: Azure Disk Encryption of the old, dual-pass kind."""
    ade_enabled: bool | None = None
    """What `encryptionSettings.enabled` says; the mark counts whatever it is."""
    confidential_set: ResourceId | None = None
    """The disk encryption set of a confidential VM's OS disk (`managedDisk.securityProfile`)."""


class VirtualMachine(Struct, frozen=True, kw_only=True):
    """One VM: model facts, instance view facts where they were read, and references to its neighbours."""

    id: ResourceId
    name: str
    location: str
    size: str | None
    boot: BootProfile
    os_family: OsFamily | None
    os_profile: OsProfile | None
    image: Image | None
    os_disk: DiskAttachment | None
    data_disks: tuple[DiskAttachment, ...] = ()
    nics: tuple[ResourceId, ...] = ()
    identity: Identity = Identity()
    extensions: tuple[Extension, ...] = ()
    power: Power = Power.UNKNOWN
    agent_ready: bool | None = None
    """True or False as the agent's last status says; None where no status was read."""
    agent_word: str | None = None
    """`displayStatus` of that status, where it is not plain `Ready`."""
    identity_word: str | None = None
    """`identity.type` as Azure wrote it, where the order or spelling is not the usual one."""
    hibernation_enabled: bool | None = None
    availability_set: ResourceId | None = None
    scale_set: ResourceId | None = None
    placement_group: ResourceId | None = None
    """Its proximity placement group."""
    capacity_reservation: ResourceId | None = None
    """The capacity reservation group that keeps a place for it."""
    managed_by: str | None = None
    zones: tuple[str, ...] = ()
    tags: dict[str, str] = {}
    os_name: str | None = None
    os_version: str | None = None
    etag: str | None = None
    provisioning_state: str | None = None
    patching: PatchSettings = PatchSettings()
    metadata_protected: bool | None = None
    """Whether the metadata services answer only to who may ask (`proxyAgentSettings`)."""
    priority: str | None = None
    """`Regular` or `Spot`; `Low` is the old word for the latter."""
    is_on_dedicated_host: bool = False
    plan: str | None = None
    """Publisher of the marketplace plan the VM was bought under; None for images of Azure's own partners."""
    encryption_signs: tuple[Sighting, ...] = ()
    """What the instance view says of encryption in the guest, such as `EncryptionState/encrypted`."""

    @property
    def disks(self) -> tuple[DiskAttachment, ...]:
        """The OS disk first, then the data disks in the order of their LUNs."""
        return self.data_disks if self.os_disk is None else (self.os_disk, *self.data_disks)

    def tag(self, name: str) -> str | None:
        """Return the value of a tag, whose name is compared without case as Azure does."""
        if name in self.tags:
            return self.tags[name]
        wanted = name.lower()
        return next((self.tags[key] for key in self.tags if key.lower() == wanted), None)

    @property
    def agent_status(self) -> str | None:
        """The agent's last status as it stands in Azure, such as `Ready`."""
        return self.agent_word or ("Ready" if self.agent_ready else None)

    @property
    def identity_type(self) -> str | None:
        """`identity.type` as it stands in Azure."""
        return self.identity_word or usual_identity_type(self.identity)

    @property
    def managed_disks(self) -> tuple[ResourceId, ...]:
        """Ids of the managed disks, the OS disk first."""
        return tuple([entry.disk for entry in self.disks if entry.disk is not None])


def usual_identity_type(identity: Identity) -> str | None:
    """Return the word that Azure mostly writes for these identities; None where there are none."""
    held = {"SystemAssigned": identity.system_assigned, "UserAssigned": bool(identity.user_assigned)}
    return ", ".join(word for word, has in held.items() if has) or None
