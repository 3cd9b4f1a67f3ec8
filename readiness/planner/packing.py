"""Move groups of one stage -> waves: one wave after another, filled with whatever may go and fits.

For each wave all move groups are tried whose providers have their place, in the order of a priority; one that
does not fit is tried again for the next. So every earlier gap is filled before a new wave is opened. Limits
are looked at with each group, time after ever more of them: what does not fit in time is taken out again.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush
from typing import Any

from msgspec import Struct

from readiness.planner.drafts import Draft, Placed
from readiness.planner.layout import Layout, Load
from readiness.planner.schedule import Floors, PlacedBatch, arrange

Priority = Callable[[int], tuple[Any, ...]]
_PATIENCE = 400
"""Groups in a row that do not fit, after which a wave counts as full."""
_AHEAD = timedelta(days=7)
"""A group that must not go before a day joins waves that begin at most so long before it."""


class _Busy(Struct, frozen=True):
    """What a wave occupies until it closes."""

    closes: datetime
    applications: frozenset[int]
    redundant: frozenset[int]
    vms: frozenset[int]


def _busy_with(layout: Layout, draft: Draft) -> _Busy:
    vms = frozenset(vm for batch in draft.batches for vm in batch.vms)
    return _Busy(
        draft.closes,
        frozenset(layout.application_of[vm] for vm in vms),
        frozenset(position for vm in vms for position in layout.apart_of[vm]),
        vms,
    )


class Packer:
    """Packs the move groups of one stage on top of what has its place already."""

    def __init__(  # noqa: PLR0913  a stage is told by what it holds and what is before and after it
        self,
        layout: Layout,
        stage: int,
        groups: Iterable[int],
        placed: Placed,
        priority: Priority,
        pinned: Mapping[int, tuple[int, ...]],
        *,
        is_last: bool,
        at_once: int,
    ) -> None:
        self._layout = layout
        self._stage = stage
        self._members = set(groups)
        self.placed = placed
        self._priority = priority
        self._pinned = pinned
        self._is_last = is_last
        self._at_once = at_once
        self._busy: list[_Busy] = []
        """Waves of this stage that may still be under way when the next one begins."""
        self._known = self._members | {group for groups in pinned.values() for group in groups}
        self._waits: dict[int, int] = {}
        self._ready: list[tuple[tuple[Any, ...], int]] = []
        self._wave: list[int] = []
        self._crowded: set[int] = set()
        """Applications of which nothing more is tried in this wave, as one of theirs did not fit in time."""
        self._load = Load(layout)
        for group in self._members:
            self._waits[group] = sum(
                1
                for before in layout.before[group]
                if self._binds(before, group) and before not in placed.wave_of and before not in placed.lost
            )
        self._ready = [(priority(group), group) for group, count in self._waits.items() if not count]
        heapify(self._ready)

    def pack(self) -> set[int]:
        """Fill waves until nothing is left that may go; return the groups that wait for a later stage."""
        while True:
            pinned = self._pinned.get(self.placed.next_number, ())
            if not self._ready and not (pinned and self._is_last):
                break
            if not self._fill(pinned):
                break
        return {
            group
            for group in self._members
            if group not in self.placed.wave_of and group not in self.placed.lost
        }

    def _is_stale(self, group: int) -> bool:
        """Tell whether a group has its place, or waits again since another one was taken out of a wave."""
        return bool(self._waits[group]) or group in self.placed.wave_of or group in self.placed.lost

    def _fill(self, pinned: tuple[int, ...]) -> bool:  # noqa: C901  one loop, told from top to bottom
        """Make one wave; False if nothing of what is ready may go now."""
        self._wave, self._load = [], Load(self._layout)
        self._crowded = set()
        lost = len(self.placed.lost)
        self._floor = self._wave_floor()
        for group in pinned:
            self._join_pinned(group)
        batches = self._check(self._wave)
        if batches is None and self._wave:
            self._refuse_all(pinned)
            return True
        verified, batches = len(self._wave), batches or ()
        step, misses, deferred = 1, 0, []
        while self._ready and misses < self._patience and not self._load.is_full:
            entry = heappop(self._ready)
            group = entry[1]
            if self._is_stale(group):
                continue
            if not self._may_join(group):
                deferred.append(entry)
                misses += not self._is_crowded(group)
                continue
            self._join(group)
            if len(self._wave) - verified < step:
                misses = 0
                continue
            found = self._check(self._wave)
            if found is not None:
                verified, batches, step, misses = len(self._wave), found, step * 2, 0
                continue
            verified, batches, rejected = self._shrink(verified, batches)
            step = 1
            misses += 1
            if not verified:
                batches = self._alone(rejected)
                verified = len(self._wave)
                if verified:
                    break
                continue
            deferred.append((self._priority(rejected), rejected))
            self._crowd(rejected)
        if len(self._wave) > verified:
            verified, batches = self._settle(verified, batches, deferred)
        return self._close(batches, deferred) or len(self.placed.lost) > lost

    # One wave -----------------------------------------------------------------------------------

    @property
    def _patience(self) -> int:
        return len(self._members) if len(self._members) <= 5 * _PATIENCE else _PATIENCE

    def _may_join(self, group: int) -> bool:
        number = self.placed.next_number
        before = self._layout.before[group].items()
        if any(strict and self.placed.wave_of.get(one) == number for one, strict in before):
            return False
        days = [day for vm in self._layout.groups[group] if (day := self._layout.not_before[vm]) is not None]
        if days and max(days) > (self._floor + _AHEAD).date() and not (self._is_last and not self._wave):
            return False
        return not self._is_crowded(group) and self._load.takes(group)

    def _is_crowded(self, group: int) -> bool:
        return (
            bool(self._crowded)
            and self._layout.application_of[self._layout.groups[group][0]] in self._crowded
        )

    def _crowd(self, group: int) -> None:
        """Try nothing more of an application in this wave, where there is plenty of others to try."""
        if len(self._members) > 5 * _PATIENCE:
            self._crowded.add(self._layout.application_of[self._layout.groups[group][0]])

    def _join(self, group: int) -> None:
        self._wave.append(group)
        self._load.add(group)
        self.placed.wave_of[group] = self.placed.next_number
        self._let_go(group)

    def _binds(self, before: int, after: int) -> bool:
        """Tell whether one waits for the other: soft dependencies count within a stage only."""
        return before in self._members or before in self._layout.hard_before[after]

    def _let_go(self, group: int) -> None:
        for follower in self._layout.after[group]:
            if follower in self._waits and self._binds(group, follower):
                self._waits[follower] -= 1
                if not self._waits[follower]:
                    heappush(self._ready, (self._priority(follower), follower))

    def _leave(self, group: int) -> None:
        self._load.remove(group)
        del self.placed.wave_of[group]
        for follower in self._layout.after[group]:
            if follower in self._waits and self._binds(group, follower):
                self._waits[follower] += 1

    def _shrink(
        self, verified: int, batches: tuple[PlacedBatch, ...]
    ) -> tuple[int, tuple[PlacedBatch, ...], int]:
        """Take out from the first group on that does not fit in time; return what is left, and that group."""
        fits, fails, best = verified, len(self._wave), batches
        while fails - fits > 1:
            middle = (fits + fails) // 2
            found = self._check(self._wave[:middle])
            if found is None:
                fails = middle
            else:
                fits, best = middle, found
        taken = self._wave[fits:]
        del self._wave[fits:]
        for group in reversed(taken):
            self._leave(group)
        for group in taken[1:]:
            if not self._waits[group]:
                heappush(self._ready, (self._priority(group), group))
        return fits, best, taken[0]

    def _settle(
        self,
        verified: int,
        batches: tuple[PlacedBatch, ...],
        deferred: list[tuple[tuple[Any, ...], int]],
    ) -> tuple[int, tuple[PlacedBatch, ...]]:
        found = self._check(self._wave)
        if found is not None:
            return len(self._wave), found
        verified, batches, rejected = self._shrink(verified, batches)
        deferred.append((self._priority(rejected), rejected))
        return verified, batches

    def _alone(self, group: int) -> tuple[PlacedBatch, ...]:
        """Give a wave to one group that does not fit into one occurrence of its windows, or none at all."""
        vms = self._layout.groups[group]
        batches = arrange(self._layout, vms, self._floors(vms), spill=True)
        if batches is None:
            self.placed.lost[group] = "WindowEnded"
            self._let_go(group)
            return ()
        self._join(group)
        return batches

    def _close(self, batches: tuple[PlacedBatch, ...], deferred: list[tuple[tuple[Any, ...], int]]) -> bool:
        for entry in deferred:
            heappush(self._ready, entry)
        if not self._wave:
            return False
        self.placed.drafts.append(
            Draft(
                number=self.placed.next_number,
                stage=self._stage,
                groups=tuple(sorted(self._wave)),
                batches=batches,
            )
        )
        self.placed.next_number += 1
        self._busy.append(_busy_with(self._layout, self.placed.drafts[-1]))
        return True

    # Pins ---------------------------------------------------------------------------------------

    def _join_pinned(self, group: int) -> None:
        number, layout = self.placed.next_number, self._layout
        for before in layout.hard_before[group]:
            strict = layout.before[group][before]
            wave = self.placed.wave_of.get(before)
            if before in self.placed.lost or (wave is not None and wave + strict <= number):
                continue
            name = layout.vms[layout.groups[before][0]].vm.name
            later = f"wave {wave}" if wave is not None else "a later wave"
            self.placed.refused[group] = f"it needs {name}, which goes in {later}"
            return
        if not self._load.takes(group):
            self.placed.refused[group] = f"wave {number} is full with what else is pinned to it"
            return
        self._join(group)

    def _refuse_all(self, pinned: Iterable[int]) -> None:
        for group in reversed(self._wave):
            self._leave(group)
        for group in pinned:
            text = f"wave {self.placed.next_number} has no window that holds what is pinned to it"
            self.placed.refused.setdefault(group, text)

    # Time ---------------------------------------------------------------------------------------

    def _check(self, groups: list[int]) -> tuple[PlacedBatch, ...] | None:
        if not groups:
            return None
        vms = sorted(vm for group in groups for vm in self._layout.groups[group])
        return arrange(self._layout, vms, self._floors(vms))

    def _wave_floor(self) -> datetime:
        """Return before when the wave may not begin: no more waves than allowed are under way at a time."""
        closes = sorted((busy.closes for busy in self._busy), reverse=True)
        if len(closes) < self._at_once:
            return self.placed.floor
        floor = max(self.placed.floor, closes[self._at_once - 1])
        self._busy = [busy for busy in self._busy if busy.closes >= floor]
        return floor

    def _floors(self, vms: Iterable[int]) -> Floors:
        """Return before when VMs may not begin: their application, peers and providers are still busy."""
        if self._at_once == 1:
            return Floors(self._floor)
        layout, found = self._layout, dict[int, datetime]()
        others = [busy for busy in self._busy if busy.closes > self._floor]
        for vm in vms:
            for busy in others:
                if (
                    layout.application_of[vm] in busy.applications
                    or not busy.redundant.isdisjoint(layout.apart_of[vm])
                    or not busy.vms.isdisjoint(layout.providers[vm])
                ):
                    found[vm] = max(found.get(vm, busy.closes), busy.closes)
        return Floors(self._floor, found)
