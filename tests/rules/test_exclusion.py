"""Marks by which a VM is told to belong to a service."""

import pytest

from readiness.model.virtual_machine import VirtualMachine
from readiness.rules.exclusion import exclusion_of
from tests.builders import REGION, estate, extension, vm, vm_id

_POOL = "/subscriptions/s/resourceGroups/r/providers/Microsoft.DesktopVirtualization/hostpools/hp"


@pytest.mark.parametrize(
    ("marked", "word"),
    [
        (vm(id=vm_id(group=f"MC_rg_cluster_{REGION}")), "Kubernetes"),
        (vm(tags={"aks-managed-poolName": "np1"}), "Kubernetes"),
        (vm(tags={"vendor": "Databricks"}), "Databricks"),
        (vm(tags={"databricks-environment": "true"}), "Databricks"),
        (vm(tags={"cm-resource-parent": _POOL}), "Virtual Desktop"),
        (vm(extensions=(extension("Microsoft.Azure.ServiceFabric", "ServiceFabricNode"),)), "Service Fabric"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_marked_vm_is_excluded(marked: VirtualMachine, word: str) -> None:
    """A service that rebuilds a VM is named."""
    assert word in (exclusion_of(marked, estate(marked)) or "")


@pytest.mark.parametrize(
    "free",
    [
        vm(),
        vm(id=vm_id(group="mc_backup")),
        vm(tags={"Vendor": "Contoso"}),
        vm(tags={"cm-resource-parent": "/subscriptions/s"}),
        vm(managed_by=vm_id().text.upper()),
    ],
    ids=["plain", "a group that only begins like it", "another vendor", "another parent", "its own manager"],
)
def test_an_unmarked_vm_is_not(free: VirtualMachine) -> None:
    """What looks alike is not enough, and nobody is managed by himself."""
    assert exclusion_of(free, estate(free)) is None
