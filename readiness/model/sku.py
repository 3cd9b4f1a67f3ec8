"""What a VM size can do, as the Resource SKUs API reports it."""

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
