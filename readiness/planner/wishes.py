"""Wishes for a wave that were not granted: which may be tried again, and the reason of every other one.

A reason is told when everything has its place, so that it speaks of the plan as it is. Each says what stands
in the way and what to wish for instead.
"""

from collections.abc import Mapping, Sequence

from readiness.planner.drafts import Draft
from readiness.planner.layout import Layout
from readiness.planner.stages import Stage


def wanted_wave(layout: Layout, group: int) -> int | None:
    """Return the wave that people want a group in; with parts wanted in different waves the last of them."""
    waves = [
        pin.wave
        for vm in layout.groups[group]
        if (pin := layout.pins.get(vm)) is not None and pin.wave is not None
    ]
    return max(waves, default=None)


class Refusals:
    """The wishes that a placement does not grant."""

    def __init__(
        self, layout: Layout, drafts: Sequence[Draft], stages: Sequence[Stage], refused: Mapping[int, str]
    ) -> None:
        self._layout = layout
        self._stages = stages
        self._refused = refused
        self._draft_of = {group: draft for draft in drafts for group in draft.groups}
        self._last = max((draft.number for draft in drafts), default=0)
        self._kept = max((draft.number for draft in drafts if draft.stage < 0), default=0)

    def hopeful(self) -> set[int]:
        """Return groups that nothing stands in the way of any more, since others were refused."""
        return {group for group, text in self._refused.items() if not text and not self._obstacle(group)}

    def told(self) -> dict[int, str]:
        """Return the reason of each."""
        kept = {
            group: f"it keeps wave {draft.number}, and kept waves take nobody new: "
            f"pin it to wave {self._kept + 1} or later to move it"
            for group, draft in self._draft_of.items()
            if draft.stage < 0 and wanted_wave(self._layout, group) not in (None, draft.number)
        }
        told = {
            group: text
            or self._obstacle(group)
            or self._too_few(self._last - (len(self._draft_of[group].groups) == 1))
            for group, text in self._refused.items()
        }
        return kept | told

    def _obstacle(self, group: int) -> str:
        layout, wave = self._layout, wanted_wave(self._layout, group)
        if wave is None:
            return ""
        if wave <= self._kept:
            return (
                f"waves 1 to {self._kept} are kept from the plan before and take nobody new: "
                f"pin it to wave {self._kept + 1} or later"
            )
        late = [
            (draft.number + layout.before[group][before], before)
            for before in layout.hard_before[group]
            if (draft := self._draft_of.get(before)) is not None
            and draft.number + layout.before[group][before] > wave
        ]
        if late:
            return self._needs(*max(late))
        return self._too_few(self._last) if wave > self._last else ""

    @staticmethod
    def _too_few(count: int) -> str:
        return (
            f"the plan has only {count} wave{'s' if count != 1 else ''} without it: pin it to an earlier one"
        )

    def _needs(self, earliest: int, before: int) -> str:
        name = self._layout.vms[self._layout.groups[before][0]].vm.name
        draft = self._draft_of[before]
        if draft.stage < 0:
            return f"it needs {name}, which keeps wave {draft.number}: pin it to wave {earliest} or later"
        stage = self._stages[draft.stage]
        ring = f" with the ring {stage.name}" if self._layout.policy.rings else ""
        return (
            f"it needs {name}, which goes in wave {draft.number}{ring}: "
            f"pin it to wave {earliest} or later, or {name} to an earlier wave"
        )
