"""Numbers of waves: by the date of their first window, as far as the order of what is in them allows.

Waves that may be under way together are packed without regard to which begins first. Here they are numbered
anew: the earliest first, unless it holds something that goes after a wave that begins later. Kept waves and
waves that somebody pinned something to keep their numbers, and stages follow one another anyhow.
"""

from collections.abc import Collection, Sequence
from heapq import heapify, heappop, heappush
from itertools import groupby

from msgspec.structs import replace

from readiness.planner.drafts import Draft
from readiness.planner.layout import Layout


def by_date(layout: Layout, drafts: Sequence[Draft], pinned: Collection[int]) -> list[Draft]:
    """Return the drafts with numbers in the order of their dates.

    Args:
        layout: What binds.
        drafts: Waves in the order of their numbers.
        pinned: Numbers that people know a wave by.
    """
    found: list[Draft] = []
    # Everything between two waves that keep their numbers is put in order by itself.
    for (is_fixed, _), run in groupby(drafts, key=_Run(pinned)):
        waves = list(run)
        found += waves if is_fixed else _ordered(layout, waves)
    return found


class _Run:
    """Tells which neighbours may change their numbers among one another."""

    def __init__(self, pinned: Collection[int]) -> None:
        self._pinned = pinned
        self._passed = 0

    def __call__(self, draft: Draft) -> tuple[bool, tuple[int, int]]:
        is_fixed = draft.stage < 0 or draft.number in self._pinned
        self._passed += is_fixed
        return is_fixed, (draft.stage, self._passed)


def _ordered(layout: Layout, drafts: list[Draft]) -> list[Draft]:
    numbers = [draft.number for draft in drafts]
    place = {group: position for position, draft in enumerate(drafts) for group in draft.groups}
    followers: list[set[int]] = [set() for _ in drafts]
    waits = [0] * len(drafts)
    for group, after in place.items():
        for one in layout.before[group]:
            before = place.get(one, after)
            if before < after and after not in followers[before]:
                followers[before].add(after)
                waits[after] += 1
    ready = [(draft.opens, position) for position, draft in enumerate(drafts) if not waits[position]]
    heapify(ready)
    found: list[Draft] = []
    while ready:
        _, position = heappop(ready)
        found.append(replace(drafts[position], number=numbers[len(found)]))
        for follower in followers[position]:
            waits[follower] -= 1
            if not waits[follower]:
                heappush(ready, (drafts[follower].opens, follower))
    return found
