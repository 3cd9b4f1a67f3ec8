"""One VM in few words: everything its resources need to know, with the defaults of an ordinary machine."""

from dataclasses import dataclass, field

from sample_estates.generator.catalogue import IMAGES, Image


@dataclass(frozen=True, slots=True)
class Place:
    """Where resources live: subscription, resource group and region."""

    subscription: str
    group: str
    region: str
    tenant: str

    def id(self, kind: str, *names: str) -> str:
        """Return the id of a resource of a type such as `Microsoft.Compute/disks` in this place."""
        provider, *types = kind.split("/")
        tail = "/".join(f"{part}/{name}" for part, name in zip(types, names, strict=True))
        return f"/subscriptions/{self.subscription}/resourceGroups/{self.group}/providers/{provider}/{tail}"

    def group_id(self) -> str:
        """Return the id of the resource group."""
        return f"/subscriptions/{self.subscription}/resourceGroups/{self.group}"

    def beside(self, group: str) -> "Place":
        """Return another resource group in the same subscription and region."""
        return Place(self.subscription, group, self.region, self.tenant)


@dataclass(frozen=True, slots=True, kw_only=True)
class DataDisk:
    """A data disk of a VM."""

    gb: int = 256
    sku: str = "Premium_LRS"
    caching: str = "ReadOnly"
    role: str = "data"


@dataclass(slots=True, kw_only=True)
class Machine:
    """One VM with its disks, its network interface and its extensions."""

    name: str
    place: Place
    subnet: str
    address: str
    image: str | None = "jammy"
    """None for a VM that was built from a specialised disk of nobody knows what."""
    size: str = "Standard_D2s_v5"
    created: str = "2024-06-12"
    os_gb: int = 64
    os_sku: str = "Premium_LRS"
    data: tuple[DataDisk, ...] = ()
    security: str | None = None
    """`TrustedLaunch`, `ConfidentialVM` or, for neither, None."""
    secure_boot: bool | None = True
    vtpm: bool | None = True
    at_host: bool = False
    key_set: str | None = None
    """Id of the disk encryption set all its disks are under."""
    disks_closed: bool = False
    """Whether nobody may export its disks; disks under a key are closed anyway."""
    encryption: str = "EncryptionAtRestWithCustomerKey"
    ade: str | None = None
    """Id of the vault with its secrets, for a VM under Azure Disk Encryption."""
    keys_only: bool = True
    specialised: bool = False
    system_identity: bool = False
    user_identities: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    inline: bool = False
    """Whether extensions come inside the VM, not as resources of their own."""
    power: str = "running"
    agent: str = "Ready"
    zone: str | None = None
    availability_set: str | None = None
    scale_set: str | None = None
    placement_group: str | None = None
    pools: tuple[str, ...] = ()
    nat_rules: tuple[str, ...] = ()
    app_groups: tuple[str, ...] = ()
    public_ip: str | None = None
    """Name of its own public address."""
    basic_ip: bool = False
    nic_group: str | None = None
    """Id of the security group of its network interface."""
    forwarding: bool = False
    hibernation: bool = False
    ephemeral: bool = False
    gallery: str | None = None
    """Id of the version of a gallery's image it was made from, in place of one of the Marketplace."""
    guarded_metadata: bool = False
    own_schedule: bool = False
    """Whether updates wait for a maintenance configuration."""
    patching: str = "AutomaticByPlatform"
    spot: bool = False
    shouting: bool = False
    """Whether references to its disks come with the resource group in capitals, as Azure likes to."""
    graph: bool = False
    """Whether the VM comes as a row of Azure Resource Graph, not as ARM answers it."""
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The VM's own id."""
        return self.place.id("Microsoft.Compute/virtualMachines", self.name)

    @property
    def nic_id(self) -> str:
        """The id of its network interface."""
        return self.place.id("Microsoft.Network/networkInterfaces", f"{self.name}-nic")

    @property
    def source(self) -> Image | None:
        """The image it was made from."""
        return IMAGES[self.image] if self.image else None

    @property
    def windows(self) -> bool:
        """Whether it runs Windows."""
        return bool(self.source and self.source.windows)

    @property
    def generation(self) -> str:
        """`V1` or `V2`."""
        return f"V{self.source.generation}" if self.source else "V2"

    @property
    def off(self) -> bool:
        """Whether it is deallocated."""
        return self.power == "deallocated"
