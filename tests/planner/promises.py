"""What every plan promises, looked at from the plan alone: a sentence for each promise that it breaks.

Nothing here asks the planner. Limits, order, peers, windows and freezes are read from the plan and its
policy, and compared with where the VMs stand.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import combinations, pairwise
from zoneinfo import ZoneInfo

import networkx as nx

from readiness.model.context import Environment, Freeze
from readiness.model.estate import Estate
from readiness.model.ids import ResourceId
from readiness.model.plan import Occurrence, Plan, PlannedVm, Strictness, Wave

_MISFITS = ("WindowTooShort", "WindowEnded", "Frozen")
Dimension = tuple[str, str]


def broken(made: Plan, estate: Estate) -> list[str]:
    """Return what is wrong with a plan, a sentence each."""
    promises = (
        conservation,
        limits,
        batches,
        ways_back,
        windows,
        peers,
        order,
        rings,
        overlaps,
        numbers,
        reasons,
    )
    return [f"{one.__name__}: {said}" for one in promises for said in one(made, estate)]


def conservation(made: Plan, _estate: Estate) -> Iterator[str]:
    """Every VM of the inventory is planned or left out, exactly once."""
    seen = Counter([vm.id for vm in made.vms] + [entry.id for entry in made.left_out])
    if len(seen) != made.inventory or any(count > 1 for count in seen.values()):
        yield f"{made.inventory} VMs came in, {sorted(seen.items())} came out"


def limits(made: Plan, _estate: Estate) -> Iterator[str]:
    """No wave exceeds a limit, unless one move group does so alone; more batches than allowed never."""
    component = components(made)
    caps = made.policy.limits
    known = {
        "VMs": caps.max_vms_per_wave,
        "work minutes": caps.max_work_minutes_per_wave,
        "subscription": caps.max_vms_per_subscription,
        "region": caps.max_vms_per_region,
        "application": caps.max_vms_per_application,
        "snapshots": caps.max_snapshots_per_subscription,
        "vCPUs": caps.max_vcpus_per_region,
    }
    for wave in made.waves:
        held: dict[Dimension, Counter[int]] = defaultdict(Counter)
        for vm in wave.vms:
            for dimension, amount in _weights(vm):
                if amount:
                    held[dimension][component[vm.id]] += amount
        for (kind, key), by_group in held.items():
            cap = known[kind]
            total = sum(
                -(-amount // 60) if kind == "work minutes" else amount for amount in by_group.values()
            )
            if cap is not None and total > cap and len(by_group) > 1 and not wave.committed:
                yield f"wave {wave.number} has {total} of {kind} {key}, the limit is {cap}"
            if cap is not None and total > cap and not any(str(cap) in said for said in wave.reasons):
                yield f"wave {wave.number} exceeds {kind} {key} and does not say so"


def _weights(vm: PlannedVm) -> tuple[tuple[Dimension, int], ...]:
    return (
        (("VMs", ""), 1),
        (("work minutes", ""), vm.planned_seconds),
        (("subscription", vm.id.subscription), 1),
        (("region", vm.region), 1),
        (("application", vm.application), 1),
        (("snapshots", vm.id.subscription), vm.snapshot_count),
        (("vCPUs", vm.region), vm.vcpus if vm.outage else 0),
    )


def batches(made: Plan, _estate: Estate) -> Iterator[str]:
    """Batches follow one another, none is too large, and none begins outside its window."""
    lockout = timedelta(minutes=made.policy.lockout_minutes)
    for wave in made.waves:
        free = datetime.min.replace(tzinfo=UTC)
        for batch in wave.batches:
            at = f"wave {wave.number}, batch {batch.number}"
            occurrence = batch.vms[0].occurrence
            start = batch.start or datetime.min.replace(tzinfo=UTC)
            places = {(vm.occurrence, vm.start, vm.wave, vm.batch) for vm in batch.vms}
            if places != {(occurrence, batch.start, wave.number, batch.number)}:
                yield f"{at} is told in several ways"
            if len(batch.vms) > made.policy.max_vms_per_batch and not wave.committed:
                yield f"{at} has {len(batch.vms)} VMs"
            if start < max(free, occurrence.opens):
                yield f"{at} begins before the batch before it is over, or its window is open"
            if lockout and start >= occurrence.closes - lockout:
                yield f"{at} begins in the last minutes of its window"
            free = start + timedelta(seconds=batch.planned_seconds)


def ways_back(made: Plan, _estate: Estate) -> Iterator[str]:
    """Each batch has the time it reserved, and the longest way back fits behind the last of its window."""
    for wave in made.waves:
        spare: dict[Occurrence, int] = defaultdict(int)
        end: dict[Occurrence, datetime] = {}
        for batch in wave.batches:
            occurrence = batch.vms[0].occurrence
            start = batch.start or occurrence.closes
            if start + timedelta(seconds=batch.reserved_seconds) > occurrence.closes:
                yield f"wave {wave.number}, batch {batch.number} has no time for its way back"
            end[occurrence] = start + timedelta(seconds=batch.planned_seconds)
            own = max(vm.reserved_seconds - vm.planned_seconds for vm in batch.vms)
            spare[occurrence] = max(spare[occurrence], own)
        for occurrence, over in end.items():
            if over + timedelta(seconds=spare[occurrence]) > occurrence.closes:
                yield f"wave {wave.number} leaves no time for the longest way back in {occurrence.window}"


def windows(made: Plan, estate: Estate) -> Iterator[str]:
    """A VM goes in a window of its application, open on the wall, on no frozen day and not before its own."""
    described = {window.name: window for window in made.calendar}
    not_before = {
        pin.vm: date.fromisoformat(pin.wish.removeprefix("not before "))
        for pin in made.pins
        if pin.honoured and pin.wish.startswith("not before ")
    }
    for vm in made.vms:
        occurrence = vm.occurrence
        zone = ZoneInfo(occurrence.timezone)
        first = occurrence.opens.astimezone(zone)
        if made.policy.windows:
            window = described[occurrence.window]
            if occurrence.window not in vm.windows:
                yield f"{vm.name} goes in {occurrence.window}, its windows are {vm.windows}"
            if first.time() != window.start and not _is_skipped(first.date(), window.start, zone):
                yield f"{vm.name} goes when {occurrence.window} is not open"
            if occurrence.closes - occurrence.opens > window.duration:
                yield f"{occurrence.window} is longer than it is"
        if first.date() <= made.as_of:
            yield f"{vm.name} goes on the day of the plan or before"
        if vm.id in not_before and first.date() < not_before[vm.id]:
            yield f"{vm.name} goes before {not_before[vm.id]}"
        freezes: tuple[Freeze, ...] = estate.freezes_for(next(one for one in estate.vms if one.id == vm.id))
        last = (occurrence.closes - timedelta(seconds=1)).astimezone(zone).date()
        for freeze in freezes:
            if first.date() <= freeze.ends and freeze.starts <= last:
                yield f"{vm.name} goes in {freeze.name}"


def _is_skipped(day: date, start: object, zone: ZoneInfo) -> bool:
    """Tell whether the clock leaves this time of the day out, or the opening fell on the day after."""
    for candidate in (day, day - timedelta(days=1)):
        local = datetime.combine(candidate, start, tzinfo=zone)  # type: ignore[arg-type]
        if local.astimezone(UTC).astimezone(zone).time() != start:
            return True
    return False


def peers(made: Plan, _estate: Estate) -> Iterator[str]:
    """Of a redundant group no more are off than it can spare, and never in two zones."""
    component = components(made)
    for group in made.apart:
        for wave in made.waves:
            members = {vm.id for vm in wave.vms}.intersection(group.members)
            is_one = len({component[vm] for vm in members}) == 1
            if group.separate_waves and len(members) > group.max_unavailable and not is_one:
                yield f"wave {wave.number} takes {len(members)} of {group.evidence}"
            for batch in wave.batches:
                off = [vm.id for vm in batch.vms if vm.id in group.members]
                if len(off) > group.max_unavailable:
                    yield f"wave {wave.number}, batch {batch.number} takes {len(off)} of {group.evidence}"
                if group.zones and len({group.zones.get(vm.key) for vm in off}) > 1:
                    yield f"wave {wave.number}, batch {batch.number} takes zones of {group.evidence}"


def order(made: Plan, _estate: Estate) -> Iterator[str]:
    """Providers go before consumers: as early a wave, an earlier one if strict, an earlier batch in one."""
    component = components(made)
    where = {vm.id: vm for vm in made.vms}
    waves = defaultdict(set)
    for vm, number in component.items():
        waves[number].add(where[vm].wave if vm in where else 0)
    yield from (f"a move group stands in waves {found}" for found in waves.values() if len(found) > 1)
    for edge in (*made.order, *(edge for edge in made.hints if edge.hard)):
        before, after = where.get(edge.before), where.get(edge.after)
        if before is None or after is None or component[before.id] == component[after.id]:
            continue
        text = (
            f"{after.name} in {after.wave}.{after.batch} needs {before.name} in {before.wave}.{before.batch}"
        )
        if edge.hard and after.wave < before.wave:
            yield f"hard: {text}"
        if edge.strict is Strictness.NEXT_WAVE and after.wave <= before.wave:
            yield f"strict: {text}"
        if after.wave == before.wave and after.batch <= before.batch:
            yield f"batch: {text}"
        if before.wave < after.wave and after.start < before.occurrence.closes:  # type: ignore[operator]
            yield f"time: {text}, which is still under way"


def rings(made: Plan, _estate: Estate) -> Iterator[str]:
    """No VM of a later ring goes before one of an earlier ring, but for pins and hard providers."""
    if not made.policy.rings or made.pins or made.previous:
        return
    component = components(made)
    ring: dict[int, int] = defaultdict(int)
    for vm in made.vms:
        ring[component[vm.id]] = max(ring[component[vm.id]], _ring(made, vm.environment))
    hard: nx.DiGraph[int] = nx.DiGraph()
    hard.add_edges_from(
        (component[edge.before], component[edge.after])
        for edge in made.order
        if edge.hard and edge.before in component and edge.after in component
    )
    hard.remove_edges_from(list(nx.selfloop_edges(hard)))
    lost = {component[one.id] for one in made.left_out if one.id in component}
    for number in nx.topological_sort(hard):
        for follower in hard.successors(number):
            ring[follower] = max(ring[follower], ring[number])
            lost |= {follower} if number in lost else set()  # held back by what went nowhere in the end
    span: dict[int, list[int]] = defaultdict(list)
    for vm in made.vms:
        if component[vm.id] not in lost:
            span[ring[component[vm.id]]].append(vm.wave)
    for (one, first), (other, second) in pairwise(sorted(span.items())):
        if max(first) >= min(second):
            yield f"ring {one} goes until wave {max(first)}, ring {other} from wave {min(second)}"


def _ring(made: Plan, environment: Environment) -> int:
    known = {one: number for number, members in enumerate(made.policy.rings) for one in members}
    return known.get(environment, known.get(Environment.PRODUCTION, len(made.policy.rings)))


def overlaps(made: Plan, _estate: Estate) -> Iterator[str]:
    """No more waves are under way than the policy allows, and those share no application and no peers."""
    allowed = made.policy.waves_at_once or 1
    spans = {wave.number: _span(wave) for wave in made.waves}
    for opens, _ in spans.values():
        under_way = [number for number, (start, end) in spans.items() if start <= opens < end]
        if len(under_way) > allowed:
            yield f"waves {under_way} are under way at {opens}, {allowed} at a time are allowed"
    for one, other in combinations(made.waves, 2):
        if spans[one.number][1] <= spans[other.number][0] or spans[other.number][1] <= spans[one.number][0]:
            continue
        both = f"waves {one.number} and {other.number}, which overlap,"
        shared = {vm.application for vm in one.vms} & {vm.application for vm in other.vms}
        for application in shared:
            if _collide(one, other, application):
                yield f"{both} share {application}"
        for group in made.apart:
            first, second = ([vm for vm in wave.vms if vm.id in group.members] for wave in (one, other))
            if any(
                a.occurrence.opens < b.occurrence.closes and b.occurrence.opens < a.occurrence.closes
                for a in first
                for b in second
            ):
                yield f"{both} take {group.evidence}"


def _collide(one: Wave, other: Wave, application: str) -> bool:
    spans = [[vm.occurrence for vm in wave.vms if vm.application == application] for wave in (one, other)]
    return any(a.opens < b.closes and b.opens < a.closes for a in spans[0] for b in spans[1])


def _span(wave: Wave) -> tuple[datetime, datetime]:
    return min(vm.occurrence.opens for vm in wave.vms), max(vm.occurrence.closes for vm in wave.vms)


def numbers(made: Plan, _estate: Estate) -> Iterator[str]:
    """Waves are numbered without a gap, and there are no fewer than the bound says."""
    found = [wave.number for wave in made.waves]
    if not made.previous and found != [*range(1, len(found) + 1)]:
        yield f"waves are numbered {found}"
    if found != sorted(set(found)):
        yield f"waves stand in the order {found}"
    if made.lower_bound > len(found):
        yield f"{len(found)} waves, and at least {made.lower_bound} are said to be needed"


def dates(made: Plan, _estate: Estate) -> Iterator[str]:
    """Numbers follow the dates of the first windows, but for what goes after a wave that begins later."""
    if any(pin.wish.startswith("wave ") for pin in made.pins):
        return
    where = {vm.id: vm.wave for vm in made.vms}
    bound = {(where.get(edge.before), where.get(edge.after)) for edge in made.order}
    for one, other in pairwise(made.waves):
        is_late = _span(other)[0] < _span(one)[0]
        if is_late and not other.committed and (one.number, other.number) not in bound:
            yield f"wave {other.number} begins before wave {one.number}, after which nothing in it has to go"


def reasons(made: Plan, _estate: Estate) -> Iterator[str]:
    """Every VM says why it stands where it stands, every wish is answered, and so is being left out."""
    yield from (f"{vm.name} says nothing" for vm in made.vms if not vm.reason)
    for entry in made.left_out:
        if not (entry.reason and entry.detail and entry.unblocked_by):
            yield f"{entry.name} is left out without reason, detail or a name"
    places = {vm.id: vm.wave for vm in made.vms}
    for pin in made.pins:
        if not pin.reason:
            yield f"{pin.vm.name}: the wish '{pin.wish}' has no answer"
        wave = places.get(pin.vm)
        if pin.wish.startswith("wave ") and pin.honoured != (pin.wish == f"wave {wave}"):
            yield f"{pin.vm.name}: '{pin.wish}' is answered with {pin.honoured}, it is in {wave}"
    pilots = any(wave.ring == "pilot" for wave in made.waves if not wave.committed)
    if made.policy.pilot is None and pilots:
        yield "there are pilots, although the policy wants none"


def components(made: Plan) -> dict[ResourceId, int]:
    """Return which VMs need one another or go together, by the number of their component."""
    known = {vm.id for vm in made.vms} | {one.id for one in made.left_out if one.reason in _MISFITS}
    graph: nx.DiGraph[ResourceId] = nx.DiGraph()
    graph.add_nodes_from(known)
    graph.add_edges_from(
        (edge.before, edge.after) for edge in made.order if {edge.before, edge.after} <= known
    )
    for group in made.together:
        present = [vm for vm in group.members if vm in known]
        graph.add_edges_from(
            edge for one, other in pairwise(present) for edge in ((one, other), (other, one))
        )
    found = enumerate(nx.strongly_connected_components(graph))
    return {vm: number for number, members in found for vm in members}
