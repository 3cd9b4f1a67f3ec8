"""Looks for the fewest waves with CP-SAT, and for the proof that there are no fewer.

Stage by stage: is there a way with as few waves as the lower bound? If that is impossible the bound rises,
and one wave more is tried. If it is possible, the packer packs again in that order, so that whatever binds
the heuristic binds this too. Where the packer finds no time for a wave, what does not fit together is
forbidden from then on; that helps to find a plan, and proves nothing. What the heuristic found stays, unless
a plan with fewer waves places the same VMs and grants the same wishes.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from readiness.errors import UsageError
from readiness.planner.bound import firm_groups, least, stage_bound
from readiness.planner.layout import Layout
from readiness.planner.placing import Placement, misfit, place_again, waves_at_once
from readiness.planner.schedule import Floors, PlacedBatch, arrange

if TYPE_CHECKING:
    from readiness.planner.cp_sat import Answer, WaveModel

SOLVER = "cp-sat"
_LARGEST = 100_000
"""Move groups times waves of a stage: beyond that a model takes longer to write down than to give up."""
_ROUNDS = 60
"""How often the solver is told what does not fit in time before it gives up on so few waves."""
_LEAST_EFFORT = 0.01


def cp_sat_solver(effort: float) -> Callable[[Layout, Placement], Placement]:
    """Return a solver for `Request.solver`.

    Args:
        effort: How much work it may take, in the solver's own units, about a second each. They are counted
            and no clock is read, so that the same input makes the same plan.

    Raises:
        UsageError: OR-tools is not installed.
    """
    try:
        from readiness.planner.cp_sat import WaveModel
    except ImportError as error:
        raise UsageError(
            "An optimal plan needs OR-tools, which cannot be loaded here.",
            details=str(error),
            remedy="Install it: pip install 'readiness[optimal]'. Or plan without --optimal.",
        ) from error

    def solve(layout: Layout, placement: Placement) -> Placement:
        return _Search(layout, placement, WaveModel, effort).run()

    return solve


class _Stage(Struct, frozen=True):
    """Waves of one stage as they are, and what is known of them."""

    number: int
    count: int
    places: dict[int, int]
    """The wave of each move group, counted from the first one of the stage."""
    pinned: dict[int, int]
    firm: frozenset[int]
    """Groups that go in this stage in every plan."""
    cuts: list[tuple[int, ...]]
    """Groups for which there was no time in one wave."""


class _Search:
    """The search for one plan."""

    def __init__(self, layout: Layout, placement: Placement, model: "type[WaveModel]", effort: float) -> None:
        self._layout = layout
        self._model = model
        self._best = placement
        self._budget = effort
        self._firm = firm_groups(layout, placement.stages, placement.refused, placement.lost)
        self._bounds = [least(stage_bound(layout, groups)) for groups in self._firm]
        self._is_sure = all(misfit(layout, group) for group in placement.lost)
        """Whether what is left out fits nowhere at all: no other plan could leave out something else."""
        every = least(stage_bound(layout, range(len(layout.groups))))
        self._at_once = waves_at_once(layout, every)

    def run(self) -> Placement:
        """Return the best plan that was found, with what is proven of it."""
        stages, left = len(self._best.stages), self._budget
        for number in range(stages):
            self._budget = share = left / (stages - number)
            self._improve(self._stage(number))
            left -= share - self._budget
        committed = sum(1 for draft in self._best.drafts if draft.stage < 0)
        lower = max(self._best.lower_bound, committed + sum(self._bounds))
        return replace(self._best, lower_bound=lower, proven=lower == len(self._best.drafts), solver=SOLVER)

    def _stage(self, number: int) -> _Stage:
        drafts = [draft for draft in self._best.drafts if draft.stage == number]
        places = {group: wave for wave, draft in enumerate(drafts) for group in draft.groups}
        staged = {group for stage in self._best.stages for group in stage.groups}
        return _Stage(
            number,
            len(drafts),
            places,
            {group: wave for group, wave in places.items() if group not in staged},
            frozenset(self._firm[number]),
            [],
        )

    def _improve(self, stage: _Stage) -> None:
        """Look for fewer waves of one stage, and prove as far as there are none."""
        is_plain = stage.places.keys() == stage.firm
        for count in range(max(1, self._bounds[stage.number]), stage.count):
            if len(stage.places) * count > _LARGEST or self._budget < _LEAST_EFFORT:
                return
            may_prove = self._is_sure and count == self._bounds[stage.number]
            if may_prove and not is_plain:
                # What could go elsewhere is no reason why there have to be more waves here.
                firm = self._model(self._layout, stage.firm, count, at_once=self._at_once)
                firm.break_symmetry()
                if self._ask(firm, stage, count).is_impossible:
                    self._bounds[stage.number] += 1
                    continue
            if max(stage.pinned.values(), default=0) >= count:
                continue
            answer = self._look(stage, count)
            if answer is None:
                return
            if answer.is_impossible and may_prove and is_plain and not stage.cuts:
                self._bounds[stage.number] += 1

    def _look(self, stage: _Stage, count: int) -> "Answer | None":
        """Look for a plan with so many waves in a stage; None if there is one, and it is the best now."""
        model = self._model(self._layout, stage.places, count, at_once=self._at_once)
        if stage.pinned:
            model.fix(stage.pinned)
        else:
            model.break_symmetry()
        model.hint(stage.places)
        for cut in stage.cuts:
            model.forbid(cut)
        for _ in range(_ROUNDS):
            answer = self._ask(model, stage, count)
            if answer.places is None:
                return answer
            if self._pack(stage, answer.places):
                return None
            found = self._conflicts(stage, answer.places)
            if not found or self._budget < _LEAST_EFFORT:
                return answer
            for cut in found:
                model.forbid(cut)
            stage.cuts.extend(found)
        return answer

    def _ask(self, model: "WaveModel", stage: _Stage, count: int) -> "Answer":
        """Let the solver work; something is kept for more waves, as long as there may be more."""
        answer = model.solve(self._budget if count == stage.count - 1 else self._budget / 2)
        self._budget -= answer.spent
        return answer

    def _pack(self, stage: _Stage, places: Mapping[int, int]) -> bool:
        """Pack again, this stage in the order that was found; True if that is better than the best so far."""
        first = next(draft.number for draft in self._best.drafts if draft.stage == stage.number)
        order = {group: draft.number for draft in self._best.drafts for group in draft.groups}
        order |= {group: first + wave for group, wave in places.items()}
        found = place_again(self._layout, self._best, order)
        if found is None or len(found.drafts) >= len(self._best.drafts):
            return False
        if not found.lost.keys() <= self._best.lost.keys():
            return False
        if not self._granted(self._best) <= self._granted(found):
            return False
        self._best = found
        return True

    def _granted(self, placement: Placement) -> set[int]:
        """Return the VMs that stand in the wave that was wished for them, also where that is chance."""
        layout = self._layout
        return {
            vm
            for draft in placement.drafts
            for group in draft.groups
            for vm in layout.groups[group]
            if vm in layout.pins and layout.pins[vm].wave == draft.number
        }

    def _conflicts(self, stage: _Stage, places: Mapping[int, int]) -> list[tuple[int, ...]]:
        """Return groups that were to share a wave, and for which there is no time in one."""
        waves: dict[int, list[int]] = defaultdict(list)
        for group, wave in sorted(places.items()):
            waves[wave].append(group)
        before = [draft.closes for draft in self._best.drafts if draft.stage < stage.number]
        floor = max([self._layout.calendar.begins, *before])
        found = []
        for _, groups in sorted(waves.items()):
            batches = self._arranged(groups, floor)
            if batches is None and len(groups) > 1:
                found.append(self._least_conflict(groups, floor))
            if batches is not None:
                floor = max(batch.occurrence.closes for batch in batches)
        return [cut for cut in found if len(cut) > 1]

    def _least_conflict(self, groups: Sequence[int], floor: datetime) -> tuple[int, ...]:
        """Leave groups out as long as the rest does not fit either."""
        left = list(groups)
        for group in groups:
            rest = [one for one in left if one != group]
            if rest and self._arranged(rest, floor) is None:
                left = rest
        return tuple(left)

    def _arranged(self, groups: Sequence[int], floor: datetime) -> tuple[PlacedBatch, ...] | None:
        vms = sorted(vm for group in groups for vm in self._layout.groups[group])
        return arrange(self._layout, vms, Floors(floor), spill=len(groups) == 1)
