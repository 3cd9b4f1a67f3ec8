"""Encryption at host: when a machine may have it, and when it may be switched.

Learn, "Use the Azure CLI to enable end-to-end encryption using encryption at host", restrictions: the feature
is registered, the size supports it, Azure Disk Encryption never touched the machine or its disks, and an
existing machine is deallocated.
"""

from readiness.twin import paths
from readiness.twin.arm import features, sizes
from readiness.twin.documents import Json, look, same
from readiness.twin.machine import Machine, Power
from readiness.twin.messages import invalid_parameter, not_allowed
from readiness.twin.state import State, capability

_PROPERTY = "securityProfile.encryptionAtHost"


def is_on(vm: Json) -> bool:
    """Tell whether a machine has encryption at host."""
    return look(vm, f"properties.{_PROPERTY}") is True


def check_new(state: State, vm: Json) -> None:
    """Refuse encryption at host where a machine cannot have it."""
    if not is_on(vm):
        return
    if (
        features.is_registered(state, paths.parse(vm["id"]).subscription, features.ENCRYPTION_AT_HOST)
        is False
    ):
        raise invalid_parameter(
            f"The property '{_PROPERTY}' is not valid because the 'Microsoft.Compute/EncryptionAtHost' "
            "feature is not enabled for this subscription.",
            _PROPERTY,
        )
    size = state.size(sizes.name_of(vm), vm.get("location"))
    if size is not None and same(capability(size, "EncryptionAtHostSupported"), "False"):
        raise invalid_parameter(
            f"The property '{_PROPERTY}' is not valid because the VM size '{size['name']}' does not support "
            "it.",
            _PROPERTY,
            unverified=True,
        )
    if ever_ade(state, vm):
        raise not_allowed(
            f"Encryption at host cannot be enabled on VM '{vm['name']}' since it was previously encrypted "
            "with Azure Disk Encryption.",
            unverified=True,
        )


def check_change(state: State, before: Json, after: Json, machine: Machine) -> None:
    """Refuse to switch encryption at host on or off, where or while that cannot be."""
    switches = is_on(before) is not is_on(after)
    if switches and machine.power is not Power.DEALLOCATED:
        # Template: Learn, "Understand common error messages"; that it serves here is an assumption.
        raise not_allowed(
            f"Operation 'update {_PROPERTY}' is not allowed on VM '{before['name']}' since the VM is not "
            "deallocated.",
            unverified=True,
        )
    if switches or not same(sizes.name_of(before), sizes.name_of(after)):
        check_new(state, after)


def ever_ade(state: State, vm: Json) -> bool:
    """Tell whether Azure Disk Encryption ever touched a machine or one of its disks."""
    touched = {vm["id"].lower(), *(disk["id"].lower() for disk in state.disks(vm))}
    return not touched.isdisjoint(state.ever_ade)
