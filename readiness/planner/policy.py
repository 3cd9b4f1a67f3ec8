"""The limits a plan keeps."""

from msgspec import Struct


class Policy(Struct, frozen=True, kw_only=True):
    """Limits and preferences of a plan."""

    max_vms_per_wave: int = 20
    max_vms_per_batch: int = 10
    nonproduction_first: bool = True
    """Applications known to be test or development go before everything else."""
