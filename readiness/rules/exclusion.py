"""Why a VM is not classified at all: somebody else rebuilds it, so that changing it would not last.

A service that says so itself (`managedBy`) decides. Where nothing was said, marks that only a service leaves
do: node resource groups and tags of AKS and Databricks, the session hosts' tag of Azure Virtual Desktop, and
the extension of Service Fabric. Unverified: that each service always leaves its mark.
"""

from collections.abc import Callable

from readiness.model.estate import Estate
from readiness.model.ids import ResourceId
from readiness.model.virtual_machine import VirtualMachine


def exclusion_of(vm: VirtualMachine, estate: Estate) -> str | None:
    """Return the reason and a sentence, or None for a VM that is its own master."""
    if vm.scale_set is not None:
        return f"ScaleSetMember: it belongs to scale set {vm.scale_set.name}, whose model has to be changed."
    manager = estate.manager_of(vm)
    if manager is not None and ResourceId(manager) != vm.id:
        return (
            f"ManagedByService: it is managed by {manager.rstrip('/').rpartition('/')[2]}, which rebuilds it."
        )
    mark = next((sentence for is_marked, sentence in _MARKS if is_marked(vm)), None)
    return f"ManagedByService: {mark}" if mark else None


def _is_of_kubernetes(vm: VirtualMachine) -> bool:
    group = vm.id.resource_group.lower()
    is_node_group = group.startswith("mc_") and group.endswith(f"_{vm.location}")
    return is_node_group or any(name.lower().startswith("aks-managed-") for name in vm.tags)


def _is_of_databricks(vm: VirtualMachine) -> bool:
    return (vm.tag("Vendor") or "").lower() == "databricks" or vm.tag("databricks-environment") is not None


def _is_session_host(vm: VirtualMachine) -> bool:
    parent = (vm.tag("cm-resource-parent") or "").lower()
    return "/microsoft.desktopvirtualization/hostpools/" in parent


def _is_of_service_fabric(vm: VirtualMachine) -> bool:
    return any(entry.publisher.lower() == "microsoft.azure.servicefabric" for entry in vm.extensions)


_MARKS: tuple[tuple[Callable[[VirtualMachine], bool], str], ...] = (
    (_is_of_kubernetes, "it is a node of Azure Kubernetes Service, which rebuilds it from its node pool."),
    (_is_of_databricks, "it is a worker of Azure Databricks, which rebuilds it."),
    (
        _is_session_host,
        "it is a session host of Azure Virtual Desktop, redeployed from its pool's image.",
    ),
    (_is_of_service_fabric, "it is a node of a Service Fabric cluster, whose node type has to be changed."),
)
