"""Use case: invent an estate of any size, the same for the same numbers."""

from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from readiness.errors import UsageError

_VMS_OF_A_SUBSCRIPTION = 3000
_MOST_SUBSCRIPTIONS = 40


class GenerateRequest(Struct, frozen=True, kw_only=True):
    """What estate is wanted."""

    vms: int
    seed: int
    to: Path
    subscriptions: int | None = None
    """None for as many as an estate of this size would have."""


def generate(request: GenerateRequest, progress: Callable[[int, int], None] | None = None) -> int:
    """Write an invented estate into a folder, and return how many resources it has.

    Args:
        request: What estate is wanted.
        progress: Told now and then how many VMs and resources have been written.

    Raises:
        UsageError: The folder holds something already, or cannot be written.
    """
    from sample_estates.generator.estate import Estate
    from sample_estates.generator.writing import write_estate

    usual = min(_MOST_SUBSCRIPTIONS, 2 + request.vms // _VMS_OF_A_SUBSCRIPTION)
    estate = Estate(request.vms, request.seed, request.subscriptions or usual)
    try:
        request.to.mkdir(parents=True, exist_ok=True)
        if any(request.to.iterdir()):
            remedy = "Give a new or empty folder with --to: nothing that is there is replaced."
            raise UsageError(f"The folder '{request.to}' is not empty.", remedy=remedy)
        return write_estate(estate, request.to, progress)
    except OSError as error:
        remedy = "Give a folder that can be written, with room for about 8 MB for every 1,000 VMs."
        details = error.strerror or str(error)
        raise UsageError(f"'{request.to}' cannot be written.", details=details, remedy=remedy) from error
