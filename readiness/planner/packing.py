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
        """Fill waves until nothing is left that may go; return the groups that wait for a later stage.

        A wish that cannot be granted ends it at once: everything is placed again without that wish.
        """
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

    def _fill(self, pinned: tuple[int, ...]) -> bool:
        """Make one wave; False if nothing of what is ready may go now."""
        self._wave, self._load = [], Load(self._layout)
        self._crowded = set()
        lost = len(self.placed.lost)
        self._floor = self._wave_floor()
        batches = self._join_pinned(pinned)
        if self.placed.refused:
            return False
        verified = len(self._wave)
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

    def _join_pinned(self, pinned: Iterable[int]) -> tuple[PlacedBatch, ...]:
        """Let join what is wanted in this wave; whatever cannot is refused, and packing ends."""
        refused = self.placed.refused
        for group in pinned:
            if not self._is_in_order(group):
                refused[group] = ""  # told when everything has its place
            elif (dimension := self._load.exceeded_by(group)) is not None:
                named = f"{self._layout.named(dimension)} are limited to {self._layout.caps[dimension]}"
                full = f"wave {self.placed.next_number} is full with what else is pinned to it"
                refused[group] = f"{full}, as its {named}: pin it to another wave"
            else:
                self._join(group)
        batches = self._check(self._wave)
        return self._join_in_time() if batches is None and self._wave else batches or ()

    def _is_in_order(self, group: int) -> bool:
        """Tell whether all that a group has to wait for goes early enough, if the group goes in this wave."""
        before = self._layout.before[group]
        return all(
            one in self.placed.lost
            or (
                one in self.placed.wave_of
                and self.placed.wave_of[one] + before[one] <= self.placed.next_number
            )
            for one in self._layout.hard_before[group]
        )

    def _join_in_time(self) -> tuple[PlacedBatch, ...]:
        """Of what is pinned to this wave keep what its windows hold together, and refuse the rest."""
        wished, self._wave = self._wave, []
        for group in reversed(wished):
            self._leave(group)
        batches: tuple[PlacedBatch, ...] = ()
        for group in wished:
            found = self._check([*self._wave, group])
            vms = self._layout.groups[group]
            if found is None and len(wished) == 1:
                found = arrange(self._layout, vms, self._floors(vms), spill=True)
            if found is None:
                self.placed.refused[group] = self._why_no_time(vms)
                continue
            self._join(group)
            batches = found
        return batches

    def _why_no_time(self, vms: tuple[int, ...]) -> str:
        wave = f"wave {self.placed.next_number}"
        if arrange(self._layout, vms, self._floors(vms)) is not None:
            return (
                f"{wave} has no window that holds it beside what else is pinned to it: pin it to another wave"
            )
        if arrange(self._layout, vms, self._floors(vms), spill=True) is not None:
            return f"it is larger than one window and goes alone: pin nothing else to {wave}"
        return f"none of its windows comes again by the time of {wave}: pin it to an earlier one"

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
