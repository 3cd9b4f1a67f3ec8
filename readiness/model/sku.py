"""What a VM size can do, as the Resource SKUs API reports it, or else as its name says."""

import re

from msgspec import Struct


class Sku(Struct, frozen=True, kw_only=True):
    """Capabilities of one VM size in its locations; `None` where the API did not list a capability."""

    name: str
    hyper_v_generations: tuple[str, ...] = ()
    trusted_launch_disabled: bool = False
    encryption_at_host_supported: bool | None = None
    vcpus: int | None = None
    architecture: str | None = None
    """`CpuArchitectureType`: `x64` or `Arm64`."""
    gpus: int | None = None
    restricted: str | None = None
    """Why the whole location is closed to the subscription, such as `NotAvailableForSubscription`."""
    restricted_zones: tuple[str, ...] = ()
    max_data_disks: int | None = None
    premium_disks: bool | None = None
    temp_disk_mb: int | None = None
    """`MaxResourceVolumeMB`: 0 where the size comes without a temporary disk."""
    zones: tuple[str, ...] | None = None
    """Zones of the location in which it is offered; empty where the location has it in none."""
    family: str | None = None
    """The quota that its cores count for, such as `standardDSv5Family`."""
    max_nics: int | None = None
    accelerated_networking: bool | None = None
    disk_controllers: tuple[str, ...] = ()
    """`SCSI` and `NVMe`, in lower case; empty where it is not listed."""

    @property
    def has_temp_disk(self) -> bool | None:
        """Return whether the size comes with a temporary disk: what was listed, or what its name says."""
        return names_temp_disk(self.name) if self.temp_disk_mb is None else self.temp_disk_mb > 0


_NAMED = re.compile(r"(?i)standard_(d|e|f)\d+(?:-\d+)?(?P<features>[a-z]*)(?:_v(?P<version>\d+))?")
_ALWAYS = 3
"""Up to this version every size of the families D, E and F has one."""
_MIXED = 4
"""In this version those with an AMD processor have one as well, whatever their name says."""


def names_temp_disk(size: str) -> bool | None:
    """Return whether the name of a size says that it comes with a temporary disk; None for other families.

    From version 4 on a `d` among the letters behind the number says so.
    """
    found = _NAMED.fullmatch(size)
    if found is None:
        return None
    version, features = int(found["version"] or 1), found["features"].lower()
    return version <= _ALWAYS or "d" in features or (version == _MIXED and "a" in features)
