"""The waves of one stage as a model for CP-SAT: the only module that knows OR-tools.

The model demands what every plan has to keep, and nothing that depends on the day on which a wave begins. So
when it has no solution, there is no plan; when it has one, the packer has to find time for it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from ortools.sat.python import cp_model

from readiness.planner.layout import Dimension, Layout
from readiness.planner.shared_time import Shared, least_seconds, shared_time, steps

_STEPS = 8
"""Durations that are told apart where batches are counted."""
_SEED = 1


class Answer(Struct, frozen=True, kw_only=True):
    """What the solver found."""

    places: dict[int, int] | None
    """The wave of each group."""
    is_impossible: bool
    """Whether it is proven that there is none."""
    spent: float
    """The effort that it took."""


class WaveModel:
    """Move groups, each in one of so many waves."""

    def __init__(self, layout: Layout, groups: Iterable[int], count: int, *, at_once: int) -> None:
        self._layout = layout
        self._count = count
        self._groups = sorted(groups, key=lambda group: (-self._share(group), group))
        self._known = set(self._groups)
        self._model = cp_model.CpModel()
        self._by: dict[int, list[cp_model.IntVar]] = {}
        """For each group whether it goes in a wave or an earlier one."""
        self._in: dict[int, list[cp_model.IntVar]] = {}
        """For each group whether it goes in a wave."""
        for group in self._groups:
            self._add_group(group)
        self._order()
        self._limits()
        vms = [vm for group in self._groups for vm in layout.groups[group]]
        self._time(shared_time(layout, sorted(vms), at_once=at_once))

    def fix(self, places: Mapping[int, int]) -> None:
        """Demand that groups go in certain waves."""
        for group, wave in places.items():
            self._model.add(self._in[group][wave] == 1)

    def break_symmetry(self) -> None:
        """Look at one only of several solutions that differ in nothing that matters."""
        last: dict[object, int] = {}
        for group in self._groups:
            likeness = self._likeness(group)
            if likeness is None:
                continue
            if likeness in last:
                for earlier, later in zip(self._by[last[likeness]], self._by[group], strict=True):
                    self._model.add_implication(later, earlier)
            last[likeness] = group
        if not any(self._known.intersection(self._layout.before[group]) for group in self._groups):
            for number, group in enumerate(self._groups[: self._count]):
                self._model.add(self._by[group][number] == 1)

    def forbid(self, together: Sequence[int]) -> None:
        """Demand that these groups are not all in one wave."""
        for wave in range(self._count):
            self._model.add_bool_or([self._in[group][wave].negated() for group in together])

    def hint(self, places: Mapping[int, int]) -> None:
        """Tell where groups might go."""
        for group in self._groups:
            if group in places:
                hinted = min(places[group], self._count - 1)
                for wave, variable in enumerate(self._in[group]):
                    self._model.add_hint(variable, wave == hinted)

    def solve(self, effort: float) -> Answer:
        """Look for a wave for each group.

        Effort is the solver's own count of its work, about a second each: unlike a clock it makes the same
        input end the same way everywhere, and so does a single worker with a fixed seed.
        """
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = _SEED
        solver.parameters.max_deterministic_time = effort
        status = solver.solve(self._model)
        if status == cp_model.UNKNOWN and solver.deterministic_time < effort / 2:
            # The solver takes Ctrl-C for itself, and merely stops; nobody asked for half a plan.
            raise KeyboardInterrupt
        places = None
        if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            places = {
                group: next(wave for wave, variable in enumerate(variables) if solver.boolean_value(variable))
                for group, variables in self._in.items()
            }
        return Answer(
            places=places, is_impossible=status == cp_model.INFEASIBLE, spent=solver.deterministic_time
        )

    # What every plan keeps ----------------------------------------------------------------------

    def _add_group(self, group: int) -> None:
        model = self._model
        by = [model.new_bool_var("") for _ in range(self._count)]
        within = [model.new_bool_var("") for _ in range(self._count)]
        model.add_exactly_one(within)
        model.add(by[-1] == 1)
        for wave, variable in enumerate(within):
            model.add(variable == by[wave] - (by[wave - 1] if wave else 0))
        self._by[group], self._in[group] = by, within

    def _order(self) -> None:
        """A provider goes in no later wave, and in an earlier one where the order says so."""
        for group in self._groups:
            for before, strict in self._layout.before[group].items():
                if before not in self._known:
                    continue
                if strict:
                    self._model.add(self._by[group][0] == 0)
                for wave in range(strict, self._count):
                    self._model.add_implication(self._by[group][wave], self._by[before][wave - strict])

    def _limits(self) -> None:
        """What counts on a limit stays within it; one that exceeds it by itself shares it with nothing."""
        amounts: dict[Dimension, list[tuple[int, int]]] = defaultdict(list)
        for group in self._groups:
            for dimension, amount in self._layout.weights[group].items():
                amounts[dimension].append((group, amount))
        for dimension, listed in amounts.items():
            cap = self._layout.caps[dimension]
            if sum(amount for _, amount in listed) > cap:
                for wave in range(self._count):
                    taken = [min(amount, cap) * self._in[group][wave] for group, amount in listed]
                    self._model.add(cp_model.LinearExpr.sum(taken) <= cap)

    def _time(self, shared: Sequence[Shared]) -> None:
        """What shares an occurrence fits into it; a group that no occurrence holds has a wave of its own."""
        alone = {group for one in shared for group in self._too_long(one)}
        for group in alone:
            for other in self._groups:
                if other != group:
                    for wave in range(self._count):
                        self._model.add_at_most_one(self._in[group][wave], self._in[other][wave])
        for one in shared:
            vms = [vm for vm in one.vms if self._layout.group_of[vm] not in alone]
            if least_seconds(self._layout, vms) > one.seconds:
                for wave in range(self._count):
                    self._batches(vms, wave, one.seconds)
            if self._longest_chain(vms) > one.seconds:
                self._chains(vms, one.seconds)

    def _too_long(self, shared: Shared) -> list[int]:
        own: dict[int, list[int]] = defaultdict(list)
        for vm in shared.vms:
            own[self._layout.group_of[vm]].append(vm)
        return [group for group, vms in own.items() if least_seconds(self._layout, vms) > shared.seconds]

    def _batches(self, vms: Sequence[int], wave: int, seconds: int) -> None:
        """Batches follow one another; each lasts as long as its longest VM, and the last way back fits."""
        layout, model = self._layout, self._model
        most = layout.policy.max_vms_per_batch
        spare = model.new_int_var(0, seconds, "")
        for vm in vms:
            model.add(spare >= (layout.reserved[vm] - layout.planned[vm]) * self._of(vm, wave))
        counts, lengths, before = [spare], [1], 0
        for step in steps(layout, vms, _STEPS):
            long = [vm for vm in vms if layout.planned[vm] >= step]
            count = model.new_int_var(0, len(long), "")
            room = [(most if vm in layout.hubs else 1) * self._of(vm, wave) for vm in long]
            model.add(most * count >= cp_model.LinearExpr.sum(room))
            peers: dict[int, list[cp_model.IntVar]] = defaultdict(list)
            for vm in long:
                for position in layout.apart_of[vm]:
                    peers[position].append(self._of(vm, wave))
            for position, found in peers.items():
                model.add(layout.apart[position].max_unavailable * count >= cp_model.LinearExpr.sum(found))
            counts.append(count)
            lengths.append(step - before)
            before = step
        model.add(cp_model.LinearExpr.weighted_sum(counts, lengths) <= seconds)

    def _chains(self, vms: Sequence[int], seconds: int) -> None:
        """Within one wave a VM begins when what it needs is over."""
        layout, model = self._layout, self._model
        begins = {vm: model.new_int_var(0, seconds - layout.reserved[vm], "") for vm in vms}
        for vm in vms:
            for provider in layout.providers[vm]:
                if provider in begins:
                    # In a later wave, time begins anew.
                    earlier, later = self._by[layout.group_of[provider]], self._by[layout.group_of[vm]]
                    weights = [1, -1, *[seconds] * self._count, *[-seconds] * self._count]
                    after = cp_model.LinearExpr.weighted_sum(
                        [begins[vm], begins[provider], *earlier, *later], weights
                    )
                    model.add(after >= layout.planned[provider])

    def _longest_chain(self, vms: Sequence[int]) -> int:
        ends: dict[int, int] = {}
        for vm in sorted(vms):  # providers first
            begins = max((ends[one] for one in self._layout.providers[vm] if one in ends), default=0)
            ends[vm] = begins + self._layout.planned[vm]
        spare = max((self._layout.reserved[vm] - self._layout.planned[vm] for vm in vms), default=0)
        return max(ends.values(), default=0) + spare

    def _share(self, group: int) -> float:
        weights, caps = self._layout.weights[group], self._layout.caps
        return max((amount / caps[dimension] for dimension, amount in weights.items()), default=0.0)

    def _of(self, vm: int, wave: int) -> cp_model.IntVar:
        return self._in[self._layout.group_of[vm]][wave]

    def _likeness(self, group: int) -> object:
        """Return something equal for groups that can change places, or None for one like no other."""
        layout = self._layout
        if len(layout.groups[group]) > 1:
            return None
        vm = layout.groups[group][0]
        before = self._known & layout.before[group].keys()
        after = self._known & layout.after[group]
        consumers = (user for one in after for user in layout.groups[one] if vm in layout.providers[user])
        return (
            layout.application_of[vm],
            layout.planned[vm],
            layout.reserved[vm],
            layout.apart_of[vm],
            vm in layout.hubs,
            tuple(sorted(layout.weights[group].items())),
            tuple(sorted((one, layout.before[group][one]) for one in before)),
            tuple(sorted((one, layout.before[one][group]) for one in after)),
            layout.providers[vm],
            tuple(sorted(consumers)),
        )
