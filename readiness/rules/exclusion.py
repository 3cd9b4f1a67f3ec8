"""Why a VM is not classified at all: somebody else rebuilds it, so that changing it would not last."""

from readiness.model.estate import Estate
from readiness.model.virtual_machine import VirtualMachine


def exclusion_of(vm: VirtualMachine, estate: Estate) -> str | None:
    """Return the reason and a sentence, or None for a VM that is its own master."""
    if vm.scale_set is not None:
        return f"ScaleSetMember: it belongs to scale set {vm.scale_set.name}, whose model has to be changed."
    manager = estate.manager_of(vm)
    if manager is not None:
        return (
            f"ManagedByService: it is managed by {manager.rstrip('/').rpartition('/')[2]}, which rebuilds it."
        )
    return None
