"""Copies that go on after the resource is there: of Ultra disks and Premium SSD v2, and to other regions.

Learn, "Create an incremental snapshot for managed disks": such a copy tells `completionPercent`, and nothing
can be made from it before that is 100; all other copies are usable at once and say 100. How long a copy takes
is plausible, not measured.
"""

from datetime import datetime, timedelta

from readiness.twin.documents import Json, look
from readiness.twin.operations import draw
from readiness.twin.state import State
from readiness.twin.world import World

SECONDS_PER_GIB = (4.0, 8.0)
SLOW_TYPES = ("ultrassd_lrs", "premiumv2_lrs")
"""Types of disks whose copies are made in the background, in lower case."""

_ALL = 100.0
_COPYING = "copying"


def is_slow(disk: Json | None) -> bool:
    """Tell whether a disk is an Ultra disk or a Premium SSD v2."""
    return str(look(disk, "sku.name") or "").lower() in SLOW_TYPES


def begin(world: World, resource: Json, now: datetime) -> None:
    """Begin a background copy to a resource that is about to be put."""
    size = look(resource, "properties.diskSizeGB")
    low, high = SECONDS_PER_GIB
    each = low + (high - low) * draw(world.seed, resource["id"], "copy")
    ends = now + timedelta(seconds=each * (size if isinstance(size, int) else 1))
    key, mark = resource["id"].lower(), (now, ends)
    world.state.hidden(_COPYING)[key] = mark
    resource["properties"]["completionPercent"] = 0.0

    def arrive(_: datetime) -> None:
        if world.state.hidden(_COPYING).get(key) != mark:
            return
        del world.state.hidden(_COPYING)[key]
        found = world.state.find(key)
        if found is not None:
            found["properties"]["completionPercent"] = 100.0
            if "snapshotAccessState" in found["properties"]:
                found["properties"]["snapshotAccessState"] = "Available"

    world.timeline.add(ends, arrive)


def percent(state: State, resource: Json, now: datetime) -> float | None:
    """Return how far a copy is, or None where nothing is told."""
    mark = state.hidden(_COPYING).get(resource["id"].lower())
    if mark is None:
        told = look(resource, "properties.completionPercent")
        return float(told) if isinstance(told, int | float) else None
    begun, ends = mark
    return float(round(min(99.9, 100 * (now - begun) / (ends - begun)), 1))


def is_complete(state: State, resource: Json, now: datetime) -> bool:
    """Tell whether all of a copy is there."""
    told = percent(state, resource, now)
    return told is None or told >= _ALL


def pending(state: State) -> set[str]:
    """Return the lower-case ids of what is being copied."""
    return set(state.hidden(_COPYING))


def forget(state: State, key: str) -> None:
    """Forget a copy to a resource that is gone."""
    state.hidden(_COPYING).pop(key, None)
