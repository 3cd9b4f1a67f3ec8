"""Gathers parsed resources, in any order, into an estate.

Every resource ends in exactly one of three places: in the estate, among the gaps with its place and the
reason, or, where its type does not matter to an upgrade, nowhere. One resource never hides another.
Raw JSON is not kept: what stays in memory is the model.
"""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from readiness.azure import wire, wire_controls, wire_gateway, wire_network, wire_storage
from readiness.azure.access_parts import AccessParts
from readiness.azure.protection_parts import ProtectionParts
from readiness.azure.wire_values import Json, MalformedError, own_id, text
from readiness.model.backup import BackupItem
from readiness.model.context import Context
from readiness.model.disk import Disk, DiskEncryptionSet, Snapshot
from readiness.model.estate import Estate
from readiness.model.estate_info import EstateInfo, Gap
from readiness.model.fact import Fact
from readiness.model.ids import ResourceId
from readiness.model.network import LoadBalancer, NetworkSecurityGroup, Nic, PublicIp
from readiness.model.posture import Posture
from readiness.model.reference import Reference
from readiness.model.sku import Sku
from readiness.model.virtual_machine import Extension, VirtualMachine

VM_TYPE = "microsoft.compute/virtualmachines"
_PROTECTED_ITEM = "microsoft.recoveryservices/vaults/backupfabrics/protectioncontainers/protecteditems"
_Kept = TypeVar("_Kept", bound=Struct)


def collect(resources: Iterable[tuple[str, Json]], gaps: Iterable[Gap] = ()) -> "Collection":
    """Parse every (place, resource) and return the collection.

    Args:
        resources: Each resource with the place it was found at, such as `resources.jsonl:12`.
        gaps: What the collector already knows it could not read.
    """
    collection = Collection(gaps)
    for place, resource in resources:
        collection.add(place, resource)
    return collection


class Collection:
    """Resources on their way into an estate."""

    def __init__(self, gaps: Iterable[Gap] = ()) -> None:
        self._gaps = list(gaps)
        self._vms: dict[ResourceId, VirtualMachine] = {}
        self._unread_vms: dict[ResourceId, Gap] = {}
        self._extensions: dict[ResourceId, dict[ResourceId, Extension]] = {}
        self._disks: dict[ResourceId, Disk] = {}
        self._snapshots: dict[ResourceId, Snapshot] = {}
        self._encryption_sets: dict[ResourceId, DiskEncryptionSet] = {}
        self._nics: dict[ResourceId, Nic] = {}
        self._security_groups: dict[ResourceId, NetworkSecurityGroup] = {}
        self._subnets: dict[ResourceId, ResourceId | None] = {}
        self._public_ips: dict[ResourceId, PublicIp] = {}
        self._load_balancers: dict[ResourceId, LoadBalancer] = {}
        self._backup_items: dict[ResourceId, BackupItem] = {}
        self._backup_policies: dict[ResourceId, str] = {}
        self._policy_of_item: dict[ResourceId, ResourceId] = {}
        self._skus: dict[tuple[str, str], Sku] = {}
        self._managed_groups: dict[tuple[str, str], str] = {}
        self._seen: set[tuple[str, str]] = set()
        self._facts: dict[ResourceId, Fact] = {}
        self._access = AccessParts(self._keep)
        self._protection = ProtectionParts(self._keep)
        self._plain: dict[str, tuple[Callable[[Json], Any], dict[ResourceId, Any]]] = {
            VM_TYPE: (wire.virtual_machine, self._vms),
            "microsoft.compute/disks": (wire.disk, self._disks),
            "microsoft.compute/snapshots": (wire_storage.snapshot, self._snapshots),
            "microsoft.compute/diskencryptionsets": (wire_storage.disk_encryption_set, self._encryption_sets),
            "microsoft.network/networkinterfaces": (wire_network.nic, self._nics),
            "microsoft.network/networksecuritygroups": (
                wire_network.network_security_group,
                self._security_groups,
            ),
            "microsoft.network/publicipaddresses": (wire_network.public_ip, self._public_ips),
            "microsoft.network/loadbalancers": (wire_network.load_balancer, self._load_balancers),
            "microsoft.network/applicationgateways": (
                wire_gateway.application_gateway,
                self._load_balancers,
            ),
        }
        self._special: dict[str, Callable[[str, Json], None]] = {
            "microsoft.compute/virtualmachines/extensions": self._add_extension,
            "microsoft.compute/skus": self._add_skus,
            "microsoft.network/virtualnetworks": self._add_network,
            "microsoft.network/virtualnetworks/subnets": self._add_subnet,
            "microsoft.recoveryservices/vaults/backuppolicies": self._add_backup_policy,
            _PROTECTED_ITEM: self._add_backup_item,
            "microsoft.resources/subscriptions/resourcegroups": self._add_group,
            "microsoft.resources/resourcegroups": self._add_group,
            **self._access.readers,
            **self._protection.readers,
        }

    def add(self, place: str, resource: Json) -> None:
        """Parse one resource and keep it, or the gap it leaves."""
        kind = self._kind_of(resource)
        self._note_seen(kind, resource)
        try:
            if kind in self._plain:
                parse, kept = self._plain[kind]
                found = parse(resource)
                self._keep(kept, place, found.id, found)
            elif kind in self._special:
                self._special[kind](place, resource)
            elif kind in wire_controls.READERS:
                self._add_fact(place, kind, resource)
            elif not kind:
                self._gaps.append(Gap(place, "", "NotAResource", "It has neither an id nor a type."))
        except MalformedError as error:
            self._note_malformed(place, resource, str(error), is_vm=kind == VM_TYPE)

    def _kind_of(self, resource: Json) -> str:
        """Return the type to read a resource as; where its type is none we know, its id may still say VM."""
        kind = _type_of(resource)
        if kind in self._plain or kind in self._special or kind in wire_controls.READERS:
            return kind
        own = resource.get("id")
        is_vm = isinstance(own, str) and ResourceId(own).type == VM_TYPE
        return VM_TYPE if is_vm else kind

    def _note_seen(self, kind: str, resource: Json) -> None:
        """Remember that this type was seen in this subscription; what a vault protects proves the vault."""
        own = resource.get("id")
        if isinstance(own, str) and own.lower().startswith("/subscriptions/"):
            subscription = own.lower().split("/", 3)[2]
            self._seen.add((kind, subscription))
            if kind.startswith("microsoft.recoveryservices/vaults/"):
                self._seen.add(("microsoft.recoveryservices/vaults", subscription))

    def names(self) -> dict[str, tuple[ResourceId, ...]]:
        """Return the ids of all VMs by name in lower case, those included that could not be read."""
        unread = (ResourceId(gap.resource) for gap in self._gaps if gap.is_vm)
        found: dict[str, list[ResourceId]] = {}
        for vm in sorted({*self._vms, *self._unread_vms, *(vm for vm in unread if vm.type == VM_TYPE)}):
            found.setdefault(vm.name.lower(), []).append(vm)
        return {name: tuple(ids) for name, ids in found.items()}

    def estate(self, info: EstateInfo, context: Context, reference: Reference | None = None) -> Estate:
        """Join what was gathered: the same resources in any order give the same estate."""
        return Estate(
            info=info,
            context=context,
            vms=tuple(self._completed(vm) for _, vm in sorted(self._vms.items())),
            disks=self._disks,
            snapshots=_sorted(self._snapshots),
            encryption_sets=self._encryption_sets,
            nics=self._nics,
            security_groups=self._security_groups,
            subnet_security_groups=self._subnets,
            public_ips=self._public_ips,
            load_balancers=_sorted(self._load_balancers),
            backup_items=tuple(self._with_policy(item) for item in _sorted(self._backup_items)),
            skus=self._skus,
            managed_groups=self._managed_groups,
            posture=Posture(_sorted(self._facts)),
            access=self._access.access(),
            protection=self._protection.protection(),
            reference=reference,
            gaps=(*self._gaps, *(self._final(gap) for gap in self._unread_vms.values())),
            seen=frozenset(self._seen),
        )

    def _completed(self, vm: VirtualMachine) -> VirtualMachine:
        os_disk = self._disks.get(vm.os_disk.disk) if vm.os_disk and vm.os_disk.disk else None
        extensions = tuple(self._extensions.get(vm.id, {}).values())
        return wire.complete(vm, os_disk=os_disk, extensions=extensions)

    def _with_policy(self, item: BackupItem) -> BackupItem:
        policy = self._policy_of_item.get(item.id)
        if item.policy_type or policy is None:
            return item
        return replace(item, policy_type=self._backup_policies.get(policy))

    def _final(self, gap: Gap) -> Gap:
        # The same VM was understood elsewhere: it is classified, and must not be counted twice.
        return replace(gap, is_vm=False) if ResourceId(gap.resource) in self._vms else gap

    def _note_malformed(self, place: str, resource: Json, detail: str, *, is_vm: bool) -> None:
        name = _printable_id(resource)
        gap = Gap(place, name, "Malformed", f"It cannot be understood: {detail}.", is_vm)
        if is_vm and name:
            self._unread_vms.setdefault(ResourceId(name), gap)
        else:
            self._gaps.append(gap)

    def _keep(self, kept: dict[ResourceId, _Kept], place: str, key: ResourceId, found: _Kept) -> None:
        earlier = kept.get(key)
        if earlier is None:
            kept[key] = found
            return
        kept[key] = max(earlier, found, key=lambda entry: (_richness(entry), repr(entry)))
        detail = "It occurs more than once; the copy with more facts is used."
        self._gaps.append(Gap(place, key.text, "DuplicateResource", detail))

    def _add_fact(self, place: str, kind: str, resource: Json) -> None:
        fact = wire_controls.READERS[kind](resource)
        if fact is not None:
            self._keep(self._facts, place, fact.id, fact)

    def _add_extension(self, place: str, resource: Json) -> None:
        extension_id = own_id(resource)
        kept = self._extensions.setdefault(extension_id.parent, {})
        try:
            self._keep(kept, place, extension_id, wire.extension(resource))
        except MalformedError:
            # The VM has an extension that nobody can name: rules must see that, not its absence.
            kept.setdefault(extension_id, Extension(name=extension_id.name, publisher="", type=""))
            raise

    def _add_network(self, place: str, resource: Json) -> None:
        self._access.add_network(place, resource)
        for subnet, group in wire_network.subnet_security_groups(resource).items():
            self._keep_subnet(subnet, group)

    def _add_subnet(self, _place: str, resource: Json) -> None:
        self._access.add_subnet(resource)
        self._keep_subnet(*wire_network.subnet_security_group(resource))

    def _keep_subnet(self, subnet: ResourceId, group: ResourceId | None) -> None:
        # The virtual network and the subnet itself may both say it; the one that knows a group is right.
        self._subnets[subnet] = group or self._subnets.get(subnet)

    def _add_backup_item(self, place: str, resource: Json) -> None:
        item = wire_storage.backup_item(resource)
        if item is None:
            return
        self._keep(self._backup_items, place, item.id, item)
        policy = wire_storage.policy_of(resource)
        if policy is not None:
            self._policy_of_item[item.id] = policy

    def _add_backup_policy(self, _place: str, resource: Json) -> None:
        kind = wire_storage.backup_policy_type(resource)
        if kind is not None:
            self._backup_policies[own_id(resource)] = kind

    def _add_skus(self, _place: str, resource: Json) -> None:
        if (text(resource, "resourceType") or "virtualMachines").lower() == "virtualmachines":
            self._skus.update(wire_storage.skus(resource))

    def _add_group(self, _place: str, resource: Json) -> None:
        group = own_id(resource)
        manager = text(resource, "managedBy")
        if manager is not None:
            self._managed_groups[group.subscription, group.resource_group.lower()] = manager


def _type_of(resource: Json) -> str:
    declared = resource.get("type")
    if isinstance(declared, str) and declared:
        return declared.lower()
    if isinstance(resource.get("resourceType"), str) and "capabilities" in resource:
        return "microsoft.compute/skus"
    found = resource.get("id")
    return ResourceId(found).type if isinstance(found, str) else ""


def _printable_id(resource: Json) -> str:
    found = resource.get("id")
    return found if isinstance(found, str) else ""


def _sorted(kept: dict[ResourceId, _Kept]) -> tuple[_Kept, ...]:
    return tuple(entry for _, entry in sorted(kept.items(), key=lambda item: item[0]))


def _richness(value: Any) -> int:
    """Count the facts in a model value: everything that is neither missing nor empty."""
    if isinstance(value, Struct):
        return sum(_richness(getattr(value, field)) for field in value.__struct_fields__)
    if isinstance(value, tuple):
        return sum(_richness(entry) for entry in value)
    return 0 if value is None or value in ("", {}) else 1
