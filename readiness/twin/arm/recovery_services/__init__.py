"""Microsoft.RecoveryServices: vaults, and Azure Backup of virtual machines in them.

`vaults` and `policies` are what is set up, `items` protects a machine by a policy as far as `protection`
allows, `backups` and `restores` set `jobs` going, `recovery_points` and the `snapshot_tier` are what they
leave, and `discovery` answers where a machine stands. Azure Site Recovery and other workloads than virtual
machines are not modelled.
"""

from readiness.twin.arm.recovery_services import (
    backups,
    discovery,
    items,
    jobs,
    policies,
    recovery_points,
    restores,
    vaults,
)
from readiness.twin.world import Routes

__all__ = ["ROUTES"]

ROUTES: Routes = {
    **vaults.ROUTES,
    **policies.ROUTES,
    **discovery.ROUTES,
    **items.ROUTES,
    **backups.ROUTES,
    **jobs.ROUTES,
    **recovery_points.ROUTES,
    **restores.ROUTES,
}
