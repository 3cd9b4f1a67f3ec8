"""Redundant peers that lie outside a wave and do not serve: they count against what may be off, too. Pure.

What is known of them is what the runs of the other waves had recorded when this one began. A VM that was
rolled back serves again, as it did before.
"""

from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import asdict

from readiness.model.ids import ResourceId
from readiness.model.lifecycle import UNAVAILABLE, Phase
from readiness.model.plan import ApartGroup
from readiness.model.run import RunState

_NOT_SERVING = UNAVAILABLE | {Phase.CHECKING, Phase.READYING, Phase.RELEASING}
"""One that is let go of may be stranded: how it ends is only shown at its end."""


class GroupAsFound(ApartGroup, frozen=True, kw_only=True):
    """A group of redundant VMs with those members of other waves that were down when a run began."""

    down: tuple[str, ...]
    """Each with its wave and where it stands, in words."""


def down_in(runs: Iterable[RunState]) -> dict[ResourceId, str]:
    """Return the VMs that do not serve after, or in, the outages of other waves, each in words."""
    return {
        unit.vm: f"{unit.name} of wave {run.info.wave} ({unit.phase})"
        for run in runs
        for unit in run.units
        if unit.phase in _NOT_SERVING
    }


def as_found(groups: Sequence[ApartGroup], down: Mapping[ResourceId, str]) -> tuple[ApartGroup, ...]:
    """Return the groups with the members that are known to be down."""
    return tuple(
        GroupAsFound(**asdict(group), down=tuple(down[one] for one in group.members if one in down))
        if any(one in down for one in group.members)
        else group
        for group in groups
    )
