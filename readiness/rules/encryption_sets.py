"""The disk encryption set of a VM: whether one was named, and whether it can serve this VM's disks."""

from functools import partial

from readiness.model.assessment import Source
from readiness.model.disk import DiskEncryptionSet
from readiness.model.estate import Estate
from readiness.model.verdict import Dimension, Evidence, Verdict, met, not_applicable, unknown, unmet
from readiness.model.virtual_machine import VirtualMachine
from readiness.rules.rule import Role, rule

_CUSTOMER_KEYS = Source(
    "Use the Azure portal to enable server-side encryption with customer-managed keys for managed disks",
    "https://learn.microsoft.com/azure/virtual-machines/disks-enable-customer-managed-keys-portal",
    "2026-11",
)

_set_rule = partial(rule, dimension=Dimension.CMK, level=3)


@_set_rule(
    id="EN004",
    title="Has a disk encryption set chosen for it",
    role=Role.WORK,
    remedy="Let the owner name a disk encryption set for this VM under 'targets' in context.yaml.",
    source=_CUSTOMER_KEYS,
)
def encryption_set_named(vm: VirtualMachine, estate: Estate) -> Verdict:
    """Which key protects a VM is its owner's decision; this tool never picks one."""
    chosen = estate.choice_for(vm).disk_encryption_set
    if chosen is None:
        return _confidential_set(vm) or unmet(
            "NoSetNamed", "Nobody has named a disk encryption set for this VM."
        )
    if chosen not in estate.encryption_sets:
        detail = (
            f"The disk encryption set {chosen.name} is not in the estate; collect it, or correct its name."
        )
        return unknown("SetNotRead", detail, Evidence(chosen, "id", None))
    found = estate.encryption_sets[chosen]
    return met("SetNamed", "", Evidence(found.id, "id", found.id.text))


def _confidential_set(vm: VirtualMachine) -> Verdict | None:
    """Return what the set of a confidential OS disk answers; that disk got it when the VM was created."""
    own = vm.os_disk.confidential_set if vm.os_disk else None
    if own is None:
        return None
    path = "properties.storageProfile.osDisk.managedDisk.securityProfile.diskEncryptionSet.id"
    at = Evidence(vm.id, path, own.text)
    if vm.data_disks:
        detail = (
            f"{own.name} serves the confidential OS disk only; nobody has named a set for the data disks."
        )
        return unmet("NoSetNamedForDataDisks", detail, at)
    return met("ConfidentialSetNamed", "The confidential OS disk was created with a set of its own.", at)


@_set_rule(
    id="EN007",
    title="Can use the disk encryption set that was chosen",
    role=Role.BLOCKER,
    remedy="Repair the disk encryption set, or name a fitting one in the VM's subscription and region.",
    source=_CUSTOMER_KEYS,
    requires=("EN004",),
)
def encryption_set_fits(vm: VirtualMachine, estate: Estate) -> Verdict:
    """A disk encryption set serves its own subscription and region only, and only while its key works.

    Unverified: whether Ultra and Premium SSD v2 disks take a set with a user-assigned identity. Microsoft
    calls it a preview, so it counts as no here.
    """
    chosen = estate.choice_for(vm).disk_encryption_set
    found = estate.encryption_sets.get(chosen) if chosen else None
    if found is None:
        return not_applicable("NoSetToCheck", "No disk encryption set that was read is chosen.")
    return _misfit(vm, found, estate) or met("SetFits", "", Evidence(found.id, "location", found.location))


def _misfit(vm: VirtualMachine, found: DiskEncryptionSet, estate: Estate) -> Verdict | None:
    if found.id.subscription != vm.id.subscription:
        return unmet("OtherSubscription", f"{found.id.name} is in another subscription.", _at(found, "id"))
    if found.location != vm.location:
        at = Evidence(found.id, "location", found.location)
        return unmet("OtherRegion", f"{found.id.name} is in {found.location}, the VM in {vm.location}.", at)
    kind = (found.encryption_type or "").lower()
    at = Evidence(found.id, "properties.encryptionType", found.encryption_type)
    if kind.startswith("confidential"):
        return unmet("ConfidentialSet", f"{found.id.name} serves confidential OS disks only.", at)
    disks = [disk for disk in estate.disks_of(vm) if disk is not None]
    if "platform" in kind and any(disk.is_provisioned_performance for disk in disks):
        return unmet(
            "DoubleEncryptionOnUltra", "Ultra and Premium SSD v2 disks take no double encryption.", at
        )
    return _identity_trouble(vm, found, estate) or _unhealthy(found)


def _identity_trouble(vm: VirtualMachine, found: DiskEncryptionSet, estate: Estate) -> Verdict | None:
    kind = (found.identity_type or "").lower()
    at = Evidence(found.id, "identity.type", found.identity_type)
    if not kind:
        detail = f"Azure did not report the identity of {found.id.name}; read the disk encryption set itself."
        return unknown("SetIdentityNotReported", detail, at)
    if kind == "none":
        return unmet("SetWithoutIdentity", f"{found.id.name} has no identity to reach its key with.", at)
    disks = [disk for disk in estate.disks_of(vm) if disk is not None]
    if "systemassigned" not in kind and any(disk.is_provisioned_performance for disk in disks):
        detail = (
            f"{found.id.name} has a user-assigned identity only; with Ultra and Premium SSD v2 disks that is "
            "in preview, and the service has been seen to refuse it."
        )
        return unmet("UserIdentityOnUltra", detail, at)
    return None


def _unhealthy(found: DiskEncryptionSet) -> Verdict | None:
    state = Evidence(found.id, "properties.provisioningState", found.provisioning_state)
    if found.rotation_error is not None:
        error = Evidence(found.id, "properties.autoKeyRotationError.code", found.rotation_error)
        return unmet("KeyRotationFailed", f"{found.id.name} cannot reach its newest key.", error)
    if found.provisioning_state is None:
        return unknown("SetStateNotReported", f"Azure did not report the state of {found.id.name}.", state)
    if found.provisioning_state.lower() != "succeeded":
        return unmet("SetNotReady", f"{found.id.name} is in state {found.provisioning_state}.", state)
    return None


def _at(found: DiskEncryptionSet, path: str) -> Evidence:
    return Evidence(found.id, path, found.id.text)


RULES = (encryption_set_named, encryption_set_fits)
