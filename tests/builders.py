"""Builds model values that are valid by default, so that a test says only what matters to it.

The default VM could not be readier: generation 2 Linux with keys, a size that can do everything, one disk
under a platform key, no backup, no public way in, and no identity.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from readiness.model.access import Access
from readiness.model.backup import BackupItem
from readiness.model.context import Context
from readiness.model.disk import Disk, DiskEncryptionSet, Encryption, EncryptionType, Snapshot
from readiness.model.estate import Estate
from readiness.model.estate_info import EstateInfo, Gap, Origin, Subscription
from readiness.model.fact import Fact
from readiness.model.governance import RoleGrant
from readiness.model.ids import ResourceId
from readiness.model.network import (
    IpConfiguration,
    LoadBalancer,
    NetworkSecurityGroup,
    Nic,
    PublicIp,
    SecurityRule,
)
from readiness.model.posture import Posture
from readiness.model.protection import Protection
from readiness.model.reference import Reference
from readiness.model.sku import Sku
from readiness.model.vault import Vault, VaultKey
from readiness.model.virtual_machine import (
    BootProfile,
    DiskAttachment,
    Extension,
    Image,
    OsFamily,
    OsProfile,
    Power,
    VirtualMachine,
)
from readiness.store.reference import read_reference

SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
REGION = "westeurope"
SIZE = "Standard_D2s_v5"


def rid(kind: str, name: str, *, group: str = "rg-app", subscription: str = SUBSCRIPTION) -> ResourceId:
    """Return the id of a resource: `rid("Microsoft.Compute/disks", "osdisk")`."""
    return ResourceId(f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{kind}/{name}")


def vm_id(name: str = "vm1", *, group: str = "rg-app") -> ResourceId:
    """Return a VM's id."""
    return rid("Microsoft.Compute/virtualMachines", name, group=group)


OS_DISK = rid("Microsoft.Compute/disks", "vm1-os")
NIC = rid("Microsoft.Network/networkInterfaces", "vm1-nic")
SUBNET = rid("Microsoft.Network/virtualNetworks", "vnet1/subnets/default")
PUBLIC_IP = rid("Microsoft.Network/publicIPAddresses", "vm1-ip")
GROUP = rid("Microsoft.Network/networkSecurityGroups", "nsg1")
SUBNET_GROUP = rid("Microsoft.Network/networkSecurityGroups", "nsg-subnet")
VAULT = rid("Microsoft.KeyVault/vaults", "kv1")
KEY = rid("Microsoft.KeyVault/vaults", "kv1/keys/key1")
PRINCIPAL = "33333333-3333-3333-3333-333333333333"
KEY_ROLE = "e147488a-f6f5-4113-8e2d-b22465e65bf6"
REFERENCE = replace(read_reference(), sizes={})
"""The bundled tables without the sizes, which only estates without SKU data fall back to."""
ENCRYPTION_SET = rid("Microsoft.Compute/diskEncryptionSets", "des1")

PLATFORM_KEY = Encryption(type=EncryptionType.PLATFORM_KEY)
CUSTOMER_KEY = Encryption(type=EncryptionType.CUSTOMER_KEY, disk_encryption_set=ENCRYPTION_SET)


def vm(**changes: Any) -> VirtualMachine:
    """Return a VM; `name` also sets its id."""
    name = changes.get("name", "vm1")
    default = VirtualMachine(
        id=vm_id(name),
        name=name,
        location=REGION,
        size=SIZE,
        boot=BootProfile(generation=2),
        os_family=OsFamily.LINUX,
        os_profile=OsProfile(computer_name=name, password_disabled=True, agent_provisioned=True),
        image=Image(publisher="Canonical", offer="0001-com-ubuntu-server-jammy", sku="22_04-lts-gen2"),
        os_disk=DiskAttachment(disk=OS_DISK),
        nics=(NIC,),
        power=Power.RUNNING,
        agent_ready=True,
        provisioning_state="Succeeded",
    )
    return replace(default, **changes)


def boot(**changes: Any) -> BootProfile:
    """Return the boot profile of a generation 2 VM without Trusted Launch."""
    return replace(BootProfile(generation=2), **changes)


def extension(publisher: str, kind: str, *, state: str = "Succeeded") -> Extension:
    """Return an extension that is named after its type."""
    return Extension(name=kind or "nameless", publisher=publisher, type=kind, provisioning_state=state)


def disk(**changes: Any) -> Disk:
    """Return the default VM's OS disk, under a platform key."""
    default = Disk(
        id=OS_DISK,
        location=REGION,
        sku="Premium_LRS",
        size_gb=30,
        encryption=PLATFORM_KEY,
        generation=2,
        state="Attached",
        unique_id="disk-1",
    )
    return replace(default, **changes)


def snapshot(**changes: Any) -> Snapshot:
    """Return an incremental snapshot of the default OS disk."""
    snapshot_id = rid("Microsoft.Compute/snapshots", "snap1")
    default = Snapshot(id=snapshot_id, incremental=True, source=OS_DISK, source_unique_id="disk-1")
    return replace(default, **changes)


def encryption_set(**changes: Any) -> DiskEncryptionSet:
    """Return a healthy disk encryption set beside the default VM."""
    default = DiskEncryptionSet(
        id=ENCRYPTION_SET,
        location=REGION,
        encryption_type="EncryptionAtRestWithCustomerKey",
        provisioning_state="Succeeded",
        identity_type="SystemAssigned",
        principals=(PRINCIPAL,),
        key_url="https://kv1.vault.azure.net/keys/key1/v1",
        source_vault=VAULT,
        rotates=True,
    )
    return replace(default, **changes)


def vault(**changes: Any) -> Vault:
    """Return the default set's vault, which goes by roles and lets trusted services in."""
    default = Vault(
        id=VAULT,
        location=REGION,
        soft_delete=True,
        purge_protection=True,
        uses_roles=True,
        default_action="Deny",
        bypass="AzureServices",
    )
    return replace(default, **changes)


def vault_key(**changes: Any) -> VaultKey:
    """Return the default set's key."""
    default = VaultKey(id=KEY, kind="RSA", size=3072, enabled=True, version="v1")
    return replace(default, **changes)


def key_grant(**changes: Any) -> RoleGrant:
    """Return the role assignment that lets the default set use its key."""
    grant = ResourceId(f"{VAULT}/providers/Microsoft.Authorization/roleAssignments/grant1")
    default = RoleGrant(id=grant, principal=PRINCIPAL, role=KEY_ROLE, scope=VAULT.key)
    return replace(default, **changes)


def protection(**changes: Any) -> Protection:
    """Return vault, key and permission of the default set, and the feature for encryption at host."""
    facts: dict[str, Any] = {
        "vaults": {VAULT: vault()},
        "keys": {KEY: vault_key()},
        "grants": (key_grant(),),
        "features": {(SUBSCRIPTION, "microsoft.compute/encryptionathost"): "Registered"},
    }
    return Protection(**{**facts, **changes})


def sku(**changes: Any) -> Sku:
    """Return the capabilities of the default size, which can do everything."""
    default = Sku(name=SIZE, hyper_v_generations=("V1", "V2"), encryption_at_host_supported=True, vcpus=2)
    return replace(default, **changes)


def backup_item(**changes: Any) -> BackupItem:
    """Return a protected item of the default VM under an Enhanced policy."""
    item = rid(
        "Microsoft.RecoveryServices/vaults",
        "rsv1/backupFabrics/Azure/protectionContainers/c/protectedItems/i",
    )
    return replace(BackupItem(id=item, vm=vm_id(), policy_type="V2"), **changes)


def nic(**changes: Any) -> Nic:
    """Return the default VM's network interface: no security group of its own, one private address."""
    default = Nic(id=NIC, ip_configurations=(ip_configuration(),))
    return replace(default, **changes)


def ip_configuration(**changes: Any) -> IpConfiguration:
    """Return an IP configuration without a public address."""
    own = ResourceId(f"{NIC}/ipConfigurations/primary")
    return replace(IpConfiguration(id=own, private_address="10.0.0.4", subnet=SUBNET), **changes)


def public_ip(*, is_basic: bool = False) -> PublicIp:
    """Return the default VM's public address, which is a Standard one unless said otherwise."""
    return PublicIp(id=PUBLIC_IP, address="203.0.113.7", is_basic=is_basic)


def security_group(*rules: SecurityRule, group: ResourceId = GROUP) -> NetworkSecurityGroup:
    """Return a security group with these rules."""
    return NetworkSecurityGroup(id=group, rules=rules)


def security_rule(priority: int = 100, **changes: Any) -> SecurityRule:
    """Return a rule that lets the whole internet in to SSH."""
    default = SecurityRule(
        name=f"rule-{priority}",
        priority=priority,
        allows=True,
        inbound=True,
        protocol="Tcp",
        sources=("*",),
        destinations=("*",),
        destination_ports=("22",),
    )
    return replace(default, **changes)


def info(**changes: Any) -> EstateInfo:
    """Return what an estate says of itself."""
    default = EstateInfo(
        name="test",
        origin=Origin.SAMPLE,
        collected_at=datetime(2026, 11, 2, 8, tzinfo=UTC),
        subscriptions=(Subscription(SUBSCRIPTION, "test"),),
    )
    return replace(default, **changes)


def estate(  # noqa: PLR0913  one argument for each kind of resource
    *vms: VirtualMachine,
    context: Context | None = None,
    disks: Iterable[Disk] | None = None,
    snapshots: Iterable[Snapshot] = (),
    encryption_sets: Iterable[DiskEncryptionSet] | None = None,
    nics: Iterable[Nic] | None = None,
    security_groups: Iterable[NetworkSecurityGroup] = (),
    subnets: Mapping[ResourceId, ResourceId | None] | None = None,
    public_ips: Iterable[PublicIp] = (),
    load_balancers: Iterable[LoadBalancer] = (),
    backup_items: Iterable[BackupItem] = (),
    skus: Iterable[Sku] | None = None,
    managed_groups: Mapping[tuple[str, str], str] | None = None,
    access: Access | None = None,
    posture: Iterable[Fact] = (),
    listed: Iterable[str] = (),
    protected: Protection | None = None,
    reference: Reference = REFERENCE,
    gaps: Iterable[Gap] = (),
) -> Estate:
    """Return an estate of these VMs, or of the default one, in which everything they need was read."""
    return Estate(
        info=info(listed_types=tuple(listed)),
        context=context or Context(),
        vms=vms or (vm(),),
        disks={entry.id: entry for entry in ([disk()] if disks is None else disks)},
        snapshots=tuple(snapshots),
        encryption_sets={
            entry.id: entry for entry in ([encryption_set()] if encryption_sets is None else encryption_sets)
        },
        nics={entry.id: entry for entry in ([nic()] if nics is None else nics)},
        security_groups={entry.id: entry for entry in security_groups},
        subnet_security_groups={SUBNET: None} if subnets is None else subnets,
        public_ips={entry.id: entry for entry in public_ips},
        load_balancers=tuple(load_balancers),
        backup_items=tuple(backup_items),
        skus={(entry.name.lower(), REGION): entry for entry in ([sku()] if skus is None else skus)},
        managed_groups=managed_groups or {},
        access=access,
        posture=Posture(posture),
        protection=protected or protection(),
        reference=reference,
        gaps=tuple(gaps),
    )
