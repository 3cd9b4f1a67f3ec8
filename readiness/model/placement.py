"""What says that VMs belong together, beside the VMs themselves: clusters of SQL Server, placement groups."""

from readiness.model.fact import Fact
from readiness.model.ids import ResourceId


class SqlMachine(Fact, frozen=True, kw_only=True):
    """SQL Server on one VM (`Microsoft.SqlVirtualMachine/sqlVirtualMachines`)."""

    vm: ResourceId
    group: ResourceId | None = None
    """The group of its cluster; None where it stands alone, or where Azure was not told."""


class PlacementGroup(Fact, frozen=True, kw_only=True):
    """A proximity placement group: its members start in one place, or not at all."""

    vms: tuple[ResourceId, ...] = ()
    availability_sets: tuple[ResourceId, ...] = ()
