"""What a VM needs of a size, and what of it another size does not have. Pure.

The plan asks it of the facts that were collected, and each outage once more of what Azure says then. What
would keep a VM from booting has to be known: unknown is never ready.
"""

from collections.abc import Iterator

from msgspec import Struct

from readiness.model.sku import Sku


class Needs(Struct, frozen=True, kw_only=True):
    """What a VM needs of whatever size it runs as, before its change and after it."""

    zones: tuple[str, ...] = ()
    generations: frozenset[int | None] = frozenset()
    """Those of now, and of after the change: the way back leads to the old one."""
    trusted_launch: bool = False
    encryption_at_host: bool = False
    own: Sku | None = None
    """Its own size: the other one has to be like it in what the system inside was set up for."""
    data_disks: int = 0
    premium_disks: bool = False
    nics: int = 0
    accelerated_networking: bool = False
    disk_controller: str = "scsi"
    """What its disks are attached by; Azure takes SCSI where nobody said."""


def misfits(needs: Needs, other: Sku) -> Iterator[str]:
    """Yield everything that keeps a VM from running as another size."""
    yield from _offer(needs, other)
    yield from _boots(needs, other)
    yield from _likeness(needs.own, other)
    yield from _takes(needs, other)


def _offer(needs: Needs, other: Sku) -> Iterator[str]:
    if other.restricted or set(needs.zones) & set(other.restricted_zones):
        yield f"it is closed to the subscription ({other.restricted or 'Zone'})"
    missing = sorted(set(needs.zones) - set(other.zones)) if other.zones is not None else []
    if missing:
        yield f"it is not offered in zone {' and '.join(missing)}"


def _boots(needs: Needs, other: Sku) -> Iterator[str]:
    missing = sorted(str(one) for one in needs.generations if f"V{one}" not in other.hyper_v_generations)
    if missing:
        yield f"it does not run generation {' and '.join(missing)}"
    if needs.trusted_launch and other.trusted_launch_disabled:
        yield "it has no Trusted Launch"
    if needs.encryption_at_host and not other.encryption_at_host_supported:
        yield "it has no encryption at host, or that is not known"
    if other.disk_controllers and needs.disk_controller.lower() not in other.disk_controllers:
        yield f"its disks are attached by {' or '.join(other.disk_controllers)}"


def _likeness(own: Sku | None, other: Sku) -> Iterator[str]:
    if own is None:
        yield "nothing is known of its own size, which it has to be like"
        return
    if _differ(_folded(own.architecture), _folded(other.architecture)):
        yield f"its processor is {other.architecture or 'not known'}"
    if _differ(own.has_temp_disk, other.has_temp_disk):
        yield "only one of the two sizes has a temporary disk, or that is not known"


def _takes(needs: Needs, other: Sku) -> Iterator[str]:
    if other.max_data_disks is not None and needs.data_disks > other.max_data_disks:
        yield f"it takes {other.max_data_disks} data disks of {needs.data_disks}"
    if needs.premium_disks and other.premium_disks is False:
        yield "it takes no Premium disks"
    if other.max_nics is not None and needs.nics > other.max_nics:
        yield f"it takes {other.max_nics} network interfaces of {needs.nics}"
    if needs.accelerated_networking and other.accelerated_networking is False:
        yield "it has no accelerated networking"


def _differ(own: object, other: object) -> bool:
    """Tell whether two facts differ, or one of them is not known."""
    return own is None or other is None or own != other


def _folded(text: str | None) -> str | None:
    return text.lower() if text else None
