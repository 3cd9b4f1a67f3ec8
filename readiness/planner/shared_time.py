"""Which VMs of a wave share one occurrence of a window, whatever the wave, and what surely overfills it.

The VMs of one application always share an occurrence. Those of several applications do if these have the same
windows, and nothing makes one of them pass over an occurrence that another one takes: neither freezes, nor
days, nor an occurrence that is too short for some.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta

from msgspec import Struct

from readiness.planner.layout import Layout

_A_MOMENT = timedelta(seconds=1)


class Shared(Struct, frozen=True):
    """VMs that share one occurrence with those of them that are in the same wave."""

    vms: tuple[int, ...]
    seconds: int
    """How long an occurrence is at most."""


def shared_time(layout: Layout, vms: Iterable[int], *, at_once: int) -> tuple[Shared, ...]:
    """Sort VMs by the occurrences that they share; nothing shares any where no windows are kept."""
    if not layout.calendar.keeps:
        return ()
    by_application: dict[int, list[int]] = defaultdict(list)
    for vm in vms:
        by_application[layout.application_of[vm]].append(vm)
    shortest: dict[tuple[str, ...], int] = {}
    found: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for application, members in by_application.items():
        windows = tuple(sorted(set(layout.vms[members[0]].windows)))
        key = (*windows, "", str(application))
        if at_once == 1 and not any(layout.frozen[vm] or layout.not_before[vm] for vm in members):
            if windows not in shortest:
                shortest[windows] = min((_shortest(layout, window) for window in windows), default=0)
            if max(layout.needed[vm] for vm in members) <= shortest[windows]:
                key = windows
        found[key] += members
    return tuple(
        Shared(
            tuple(sorted(members)),
            max(layout.calendar.seconds(one) for one in layout.vms[members[0]].windows),
        )
        for members in found.values()
    )


def _shortest(layout: Layout, window: str) -> int:
    """Return the length of the shortest occurrence of a window: a clock that is put forward shortens some."""
    least, after = layout.calendar.seconds(window), layout.calendar.begins
    while (occurrence := layout.calendar.earliest((window,), after)) is not None:
        least = min(least, occurrence.seconds)
        after = occurrence.opens + _A_MOMENT
    return least


def steps(layout: Layout, vms: Sequence[int], most: int) -> tuple[int, ...]:
    """Return ascending durations by which VMs are told apart: at most so many, none longer than it is."""
    durations = sorted({layout.planned[vm] for vm in vms if layout.planned[vm]})
    if len(durations) <= most:
        return tuple(durations)
    return tuple(durations[position * len(durations) // most] for position in range(most))


def fewest_batches(layout: Layout, vms: Sequence[int]) -> int:
    """Return how many batches VMs take at least: room in a batch, hubs alone, peers one after another."""
    hubs = sum(1 for vm in vms if vm in layout.hubs)
    best = hubs + -(-(len(vms) - hubs) // layout.policy.max_vms_per_batch)
    peers: dict[int, int] = defaultdict(int)
    for vm in vms:
        for position in layout.apart_of[vm]:
            peers[position] += 1
    return max([best, *(-(-count // layout.apart[one].max_unavailable) for one, count in peers.items())])


def least_seconds(layout: Layout, vms: Sequence[int]) -> int:
    """Return how long an occurrence is at least that holds all these VMs, with the longest way back."""
    total, before = 0, 0
    for step in steps(layout, vms, len(vms)):
        total += (step - before) * fewest_batches(layout, [vm for vm in vms if layout.planned[vm] >= step])
        before = step
    return total + max((layout.reserved[vm] - layout.planned[vm] for vm in vms), default=0)
