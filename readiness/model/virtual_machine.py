"""One Azure virtual machine as it was observed. `None` always means *not reported*, never *no*."""

from enum import StrEnum

from msgspec import Struct

from readiness.model.ids import ResourceId
from readiness.model.monitoring import PatchSettings


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
    secure_boot: bool | None = None
    vtpm: bool | None = None
    encryption_at_host: bool = False


class OsProfile(Struct, frozen=True, kw_only=True):
    """Provisioning facts from `osProfile`; a VM from a specialised disk has none."""

    computer_name: str | None = None
    password_disabled: bool | None = None
    """`linuxConfiguration.disablePasswordAuthentication`; None on Windows."""
    extension_operations_allowed: bool = True
    agent_provisioned: bool | None = None
    holds_certificates: bool = False
    """Azure puts certificates from a vault into the VM (`secrets`)."""


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
    hibernation_enabled: bool = False
    availability_set: ResourceId | None = None
    scale_set: ResourceId | None = None
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
    encryption_states: tuple[str, ...] = ()
    """What the instance view says of encryption in the guest, such as `EncryptionState/encrypted`."""

    @property
    def disks(self) -> tuple[DiskAttachment, ...]:
        """The OS disk first, then the data disks in the order of their LUNs."""
        return (*([self.os_disk] if self.os_disk else []), *self.data_disks)

    def tag(self, name: str) -> str | None:
        """Return the value of a tag, whose name is compared without case as Azure does."""
        if name in self.tags:
            return self.tags[name]
        return next((value for key, value in self.tags.items() if key.lower() == name.lower()), None)

    @property
    def managed_disks(self) -> tuple[ResourceId, ...]:
        """Ids of the managed disks, the OS disk first."""
        return tuple(entry.disk for entry in self.disks if entry.disk is not None)
