"""Whether decisions can stand together: what is wrong with them before any planning, said about each VM.

Pure. It finds what no placement can mend; what depends on the placement of others is the planner's answer.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping

from msgspec import Struct

from readiness.model.context import Environment
from readiness.model.decision import Answer, Decision
from readiness.model.ids import ResourceId
from readiness.model.plan import ApartGroup, OrderEdge, Plan, PlannedVm, Strictness

Decisions = Mapping[ResourceId, Decision]


class Objection(Struct, frozen=True, kw_only=True):
    """Why a decision about a VM cannot be accepted, and which of its columns says so."""

    vm: ResourceId
    column: str
    what: str
    why: str


def objections(plan: Plan, decisions: Decisions) -> list[Objection]:
    """Return everything that is wrong with some decisions, each under one VM of theirs."""
    planned = {vm.id: vm for vm in plan.vms}
    wished = _wishes(planned, decisions)
    found = [one for decision in decisions.values() for one in _of_one(plan, planned, decision)]
    found += [one for edge in plan.order for one in _of_order(edge, planned, wished, decisions)]
    found += [one for group in plan.together for one in _of_together(group.members, wished, decisions)]
    found += [one for group in plan.apart for one in _of_apart(group, wished, decisions)]
    found += _of_capacity(plan, wished, decisions)
    return found


def refusals(plan: Plan, decisions: Decisions) -> list[Objection]:
    """Return the wishes that the planner refused in the plan it made of these decisions."""
    return [
        Objection(
            vm=pin.vm, column=_WISHED.get(pin.wish.split()[0], "Decision"), what=pin.wish, why=pin.reason
        )
        for pin in plan.pins
        if not pin.honoured and pin.vm in decisions
    ]


_WISHED = {"wave": "Pin to wave", "not": "Not before", "with": "Go with", "left": "Decision"}
"""First word of a wish -> the column that it was written in."""


def _wishes(planned: Mapping[ResourceId, PlannedVm], decisions: Decisions) -> dict[ResourceId, int]:
    """Return the wave of every VM that stays, if every wish were granted and nothing else moved."""
    places = {vm.id: vm.wave for vm in planned.values()}
    for vm, decision in decisions.items():
        if decision.answer in (Answer.EXCLUDE, Answer.LATER):
            places.pop(vm, None)
        elif vm in places and decision.wave is not None:
            places[vm] = decision.wave
    for vm, decision in decisions.items():
        if decision.goes_with is not None and vm in places and decision.goes_with in places:
            places[vm] = places[decision.goes_with]
    return places


def _of_one(plan: Plan, planned: Mapping[ResourceId, PlannedVm], decision: Decision) -> Iterator[Objection]:
    vm = planned.get(decision.vm)
    say = _speaker(decision.vm)
    if vm is None:
        if decision.answer not in (None, Answer.EXCLUDE):
            left = next((entry for entry in plan.left_out if entry.id == decision.vm), None)
            why = f"it is in no wave: {left.detail or left.reason}" if left else "it is in no wave"
            yield say("Decision", f"{decision.answer}", why)
        return
    yield from _of_sign_off(vm, decision)
    last = plan.waves[-1].number if plan.waves else 0
    if decision.wave is not None and decision.wave > last:
        yield say("Pin to wave", f"wave {decision.wave}", f"the plan has waves 1 to {last}")
    if decision.wave is not None and decision.goes_with is not None:
        yield say("Go with", "a wave and a VM to go with", "both name a wave: give one of them")
    if decision.answer in (Answer.EXCLUDE, Answer.LATER) and (decision.wave or decision.goes_with):
        yield say(
            "Decision", f"{decision.answer} and a wave", "a VM that does not go has no wave: give one of them"
        )
    if decision.goes_with is not None and decision.goes_with not in planned:
        yield say("Go with", decision.goes_with.name, "that VM is in no wave")
    yield from _of_windows(plan, vm, decision)


def _of_sign_off(vm: PlannedVm, decision: Decision) -> Iterator[Objection]:
    """An answer counts only with a name and a day; in production also with a change ticket."""
    say = _speaker(vm.id)
    if decision.answer is None:
        return
    if not decision.approver:
        yield say("Approver", f"{decision.answer} without an approver", "an answer counts only with a name")
    if decision.decided_on is None:
        yield say("Decided on", f"{decision.answer} without a day", "an answer counts only with its day")
    if decision.answer is Answer.APPROVE and vm.environment is Environment.PRODUCTION and not decision.ticket:
        yield say(
            "Change ticket", "approve without a change ticket", "a production VM does not run without one"
        )


def _of_windows(plan: Plan, vm: PlannedVm, decision: Decision) -> Iterator[Objection]:
    """A VM that is pinned to a wave has to fit into its application's window there."""
    wave = plan.wave(decision.wave) if decision.wave is not None else None
    if wave is None:
        return
    say = _speaker(vm.id)
    needed = -(-vm.reserved_seconds // 60)
    own = [window for window in wave.windows if window.application == vm.application]
    longest = max((int((one.end - one.start).total_seconds()) // 60 for one in own), default=None)
    if longest is not None and longest < needed:
        why = f"window too short: it needs {needed} minutes with the way back, the window has {longest}"
        yield say("Pin to wave", f"wave {wave.number}", why)
    ends = [one.end.date() for one in own]
    if decision.not_before is not None and ends and max(ends) < decision.not_before:
        why = f"its window there ends on {max(ends)}, before the first day on which it may go"
        yield say("Not before", f"wave {wave.number} and not before {decision.not_before}", why)


def _of_order(
    edge: OrderEdge,
    planned: Mapping[ResourceId, PlannedVm],
    wished: Mapping[ResourceId, int],
    decisions: Decisions,
) -> Iterator[Objection]:
    if not (edge.hard or edge.strict is not Strictness.NONE):
        return
    provider, consumer = wished.get(edge.before), wished.get(edge.after)
    at = edge.before if edge.before in decisions else edge.after if edge.after in decisions else None
    if at is None or provider is None or consumer is None:
        return
    is_late = provider >= consumer if edge.strict is Strictness.NEXT_WAVE else provider > consumer
    moved = any(wished[vm] != planned[vm].wave for vm in (edge.before, edge.after))
    if is_late and moved:
        before, after = planned[edge.before].name, planned[edge.after].name
        needed = "in a later wave than" if edge.strict is Strictness.NEXT_WAVE else "not before"
        why = f"order broken: {after} has to go {needed} {before}, which it needs ({edge.evidence})"
        what = f"{before} in wave {provider}, {after} in wave {consumer}"
        yield _speaker(at)(_column(decisions[at]), what, why)


def _of_together(
    members: tuple[ResourceId, ...], wished: Mapping[ResourceId, int], decisions: Decisions
) -> Iterator[Objection]:
    pinned = [vm for vm in members if vm in wished and _is_pinned(decisions.get(vm))]
    waves = sorted({wished[vm] for vm in pinned})
    if len(waves) > 1:
        what = f"waves {', '.join(map(str, waves))} for VMs that go together"
        why = f"{', '.join(vm.name for vm in pinned)} have to share one wave"
        yield _speaker(pinned[0])(_column(decisions[pinned[0]]), what, why)


def _of_apart(
    group: ApartGroup, wished: Mapping[ResourceId, int], decisions: Decisions
) -> Iterator[Objection]:
    if not group.separate_waves:
        return
    waves: defaultdict[int, list[ResourceId]] = defaultdict(list)
    for vm in group.members:
        if vm in wished:
            waves[wished[vm]].append(vm)
    for wave, members in sorted(waves.items()):
        pinned = [vm for vm in members if _is_pinned(decisions.get(vm))]
        if pinned and len(members) > group.max_unavailable:
            names = ", ".join(sorted(vm.name for vm in members))
            why = (
                f"peers down together: at most {group.max_unavailable} of {names} per wave ({group.evidence})"
            )
            yield _speaker(pinned[0])(_column(decisions[pinned[0]]), f"wave {wave}", why)


def _of_capacity(plan: Plan, wished: Mapping[ResourceId, int], decisions: Decisions) -> Iterator[Objection]:
    limit = plan.policy.limits.max_vms_per_wave
    if limit is None:
        return
    pinned = [vm for vm, decision in decisions.items() if vm in wished and _is_pinned(decision)]
    for wave, count in sorted(Counter(wished[vm] for vm in pinned).items()):
        if count > limit:
            at = next(vm for vm in pinned if wished[vm] == wave)
            why = f"capacity exceeded: {count} VMs are pinned to it, the limit is {limit}"
            yield _speaker(at)(_column(decisions[at]), f"wave {wave}", why)


def _is_pinned(decision: Decision | None) -> bool:
    return decision is not None and (decision.wave is not None or decision.goes_with is not None)


def _column(decision: Decision) -> str:
    """Return the column whose wish led to an objection."""
    if decision.wave is not None:
        return "Pin to wave"
    return "Go with" if decision.goes_with is not None else "Decision"


def _speaker(vm: ResourceId) -> Callable[[str, str, str], Objection]:
    def say(column: str, what: str, why: str) -> Objection:
        return Objection(vm=vm, column=column, what=what, why=why)

    return say
