"""Measures what carrying waves out costs: a wave of a thousand VMs rehearsed, and the engine's part of it.

    python -m tests.benchmarks.runs [--vms 1000] [--keep FOLDER]

* A wave in one window of eight hours, through all its stages, in virtual time on one thread; a smaller one
  twice, for the same result.
* Engine and journal alone: what Azure answered is recorded, and answered from memory to a second run.
* How long a VM is away, against the twin's own durations of what has to happen meanwhile.
* How long the wave takes, against what its limits of concurrency and its batches allow at best.

Prints tables; asserts nothing.
"""

import argparse
import hashlib
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import closing
from datetime import UTC, date, datetime
from datetime import time as clock_time
from pathlib import Path
from typing import Any

from playbooks.catalog import ALL_PLAYBOOKS
from readiness.app.clocks import RehearsalClock
from readiness.app.estates import load
from readiness.app.hooks import ToldHooks
from readiness.app.judging import judge_all
from readiness.app.rehearsing import Inline, rehearse
from readiness.app.stages import part_of
from readiness.azure.connect import Connection, Endpoint
from readiness.azure.perform import AzureCloud
from readiness.engine.run import WaveRun
from readiness.engine.work import Ports
from readiness.errors import CloudError
from readiness.model.codec import encode
from readiness.model.ids import ResourceId
from readiness.model.lifecycle import SUCCEEDED, Stage
from readiness.model.observation import Observation
from readiness.model.plan import Plan, Wave
from readiness.model.policy import Limits, Policy
from readiness.model.run import RunInfo, RunState, StepRecord
from readiness.model.steps import Change
from readiness.planner.build import Request, build_plan
from readiness.ports.cloud import Cloud, Progress, StepContext
from readiness.rules.evaluate import evaluate
from readiness.store.artefacts import write_plan
from readiness.store.journal import SqliteJournal
from readiness.twin.clock import VirtualClock
from readiness.twin.core import Twin
from readiness.twin.credential import TwinCredential
from readiness.twin.seed import load as load_seed
from readiness.twin.transport import TwinTransport
from tests.benchmarks.estates import write_estate
from tests.engine.rig import AHEAD, Watcher

AS_OF = date(2026, 11, 22)
EACH_COPY = 11
"""VMs of a copy of the starter estate that are planned."""
SMALL = 110
ONE_WAVE = Policy(limits=Limits(max_vms_per_wave=None), max_vms_per_batch=1000, pilot=None, rings=())


def main() -> None:
    """Measure waves of the size that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--vms", type=int, default=1000, help="VMs in the wave (default 1000)")
    parser.add_argument("--keep", type=Path, help="folder for the estates and plans")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        show(options.keep or Path(scratch), options.vms)


def show(home: Path, vms: int = 1000) -> None:
    """Measure, and print the tables."""
    print("\nrehearsal in process      VMs   steps      CPU   ms/VM   done  same again", flush=True)
    small, whole = _planned(home, SMALL), _planned(home, vms)
    first, _ = _rehearsed(home / str(SMALL), small)
    second, _ = _rehearsed(home / str(SMALL), small)
    _row("a wave, three stages", small, first, same=first[2] == second[2])
    _row("a wave, three stages", whole, _rehearsed(home / str(vms), whole)[0])
    _show_engine(home / str(vms), whole)


def _planned(home: Path, vms: int) -> Plan:
    """Write and plan an estate whose VMs are all in one wave."""
    folder = home / str(vms)
    write_estate(folder / "estate", -(-vms // EACH_COPY))
    estate = load(folder / "estate")
    assessment = evaluate(estate, as_of=AS_OF, release="bench", judged=judge_all(estate, AS_OF))
    request = Request(estate=estate, assessment=assessment, playbooks=ALL_PLAYBOOKS, policy=ONE_WAVE)
    plan = build_plan(request)
    write_plan(folder / "plan", plan)
    return plan


_Cost = tuple[float, int, str, int]


def _rehearsed(folder: Path, plan: Plan) -> tuple[_Cost, tuple[RunState, ...]]:
    """Rehearse a plan; return CPU seconds, steps, a digest of the result, and how many VMs were done."""
    began = time.process_time()
    found = rehearse(folder / "plan", str(folder / "estate"), None, Watcher(), waves=(plan.waves[0].number,))
    seconds = time.process_time() - began
    digest = hashlib.sha256(encode(found.report())).hexdigest()
    outage = next(state for state in found.states if state.info.stage is Stage.OUTAGE)
    steps = sum(len(records) for records in found.records)
    return (seconds, steps, digest, outage.count(*SUCCEEDED)), found.states


def _row(name: str, plan: Plan, cost: _Cost, *, same: bool | None = None) -> None:
    seconds, steps, _, done = cost
    vms = len(plan.waves[0].vms)
    told = "" if same is None else ("yes" if same else "NO")
    print(
        f"  {name:20}{vms:7,} {steps:7,} {seconds:7.1f}s {1000 * seconds / vms:7.1f} {done:6,}  {told}",
        flush=True,
    )


# The engine alone ---------------------------------------------------------------------------------------


class Recording:
    """A cloud port that keeps what it was answered, in order, for each VM."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self.answers: dict[ResourceId, list[Any]] = defaultdict(list)

    def observe(self, vm: ResourceId) -> Observation:
        """Look."""
        return self._kept(vm, lambda: self._cloud.observe(vm))

    def begin(self, change: Change, context: StepContext) -> Progress:
        """Begin."""
        return self._kept(change.vm, lambda: self._cloud.begin(change, context))

    def poll(self, change: Change, token: str) -> Progress:
        """Ask."""
        return self._kept(change.vm, lambda: self._cloud.poll(change, token))

    def _kept(self, vm: ResourceId, ask: Callable[[], Any]) -> Any:
        try:
            answer = ask()
        except CloudError as error:
            self.answers[vm].append(error)
            raise
        self.answers[vm].append(answer)
        return answer


class Remembered:
    """A cloud port that answers at once what another one was answered."""

    def __init__(self, answers: dict[ResourceId, list[Any]]) -> None:
        self._answers = {vm: iter(listed) for vm, listed in answers.items()}

    def observe(self, vm: ResourceId) -> Observation:
        """Look."""
        found: Observation = self._next(vm)
        return found

    def begin(self, change: Change, _context: StepContext) -> Progress:
        """Begin."""
        found: Progress = self._next(change.vm)
        return found

    def poll(self, change: Change, _token: str) -> Progress:
        """Ask."""
        found: Progress = self._next(change.vm)
        return found

    def _next(self, vm: ResourceId) -> Any:
        answer = next(self._answers[vm])
        if isinstance(answer, CloudError):
            raise answer
        return answer


def _show_engine(folder: Path, plan: Plan) -> None:
    wave, start = plan.waves[0], datetime.combine(AS_OF, clock_time(0), tzinfo=UTC)
    virtual = VirtualClock(start)
    twin = Twin(load_seed(folder / "estate"), clock=virtual)
    endpoint = Endpoint(
        base_url="https://twin.invalid",
        credential=TwinCredential(),
        make_transport=lambda: TwinTransport(twin),
    )
    with closing(Connection(endpoint)) as connection, Inline() as executor:
        cloud = AzureCloud(connection)
        opens = min(vm.occurrence.opens for vm in wave.vms)
        virtual.skip_to(opens - AHEAD)
        _carry_out(plan, Stage.PREPARATION, cloud, virtual, executor, SqliteJournal.in_memory)
        virtual.skip_to(opens)
        recording, opened = Recording(cloud), virtual.now()
        state, records, seconds = _carry_out(
            plan, Stage.OUTAGE, recording, virtual, executor, SqliteJournal.in_memory
        )
        print("\nengine and journal        VMs    CPU   ms/VM   of the whole")
        for name, journal in _journals(folder):
            again = VirtualClock(opened)
            remembered = Remembered(recording.answers)
            _, _, alone = _carry_out(plan, Stage.OUTAGE, remembered, again, executor, journal)
            each = 1000 * alone / len(wave.vms)
            print(
                f"  {name:20}{len(wave.vms):7,} {alone:5.1f}s {each:7.1f} {alone / seconds:12.0%}", flush=True
            )
    _show_times(plan, wave, state, records, twin)


def _journals(folder: Path) -> list[tuple[str, Callable[[RunInfo], SqliteJournal]]]:
    return [
        ("journal in memory", SqliteJournal.in_memory),
        ("journal on the disk", lambda info: SqliteJournal.open(folder / "journal", info)),
    ]


def _carry_out(
    plan: Plan,
    stage: Stage,
    cloud: Cloud,
    virtual: VirtualClock,
    executor: Executor,
    make_journal: Callable[[RunInfo], SqliteJournal],
) -> tuple[RunState, Sequence[StepRecord], float]:
    """Carry a stage of the wave out; return where it stands, its records, and CPU seconds."""
    info = RunInfo(
        id=f"bench-{stage}",
        plan=plan.digest,
        wave=plan.waves[0].number,
        place="twin",
        approved_by="bench",
        release="bench",
        started_at=virtual.now(),
        stage=stage,
        instance="bench",
    )
    with closing(make_journal(info)) as journal:
        ports = Ports(
            cloud=cloud,
            journal=journal,
            clock=RehearsalClock(virtual),
            observer=Watcher(),
            executor=executor,
            hooks=ToldHooks(),
        )
        run = WaveRun(info, part_of(plan.waves[0], stage), ALL_PLAYBOOKS, ports, apart=plan.apart)
        began = time.process_time()
        state = run.execute()
        return state, journal.records(), time.process_time() - began


# Times --------------------------------------------------------------------------------------------------


def _show_times(plan: Plan, wave: Wave, state: RunState, records: Sequence[StepRecord], twin: Twin) -> None:
    """Print how long VMs were away, and how long the wave took, against the twin's own durations."""
    spans: dict[ResourceId, list[StepRecord]] = defaultdict(list)
    for record in records:
        spans[record.vm].append(record)
    needed = _needed(wave, twin)
    ratios = sorted(
        _down(spans[unit.vm]) / needed[unit.vm.key]
        for unit in state.units
        if unit.downtime_seconds is not None and unit.vm.key in needed
    )
    if not ratios:
        print("\nno VM was taken down")
        return
    print("\naway, from the intent to deallocate to the answer to start, against the twin's own durations")
    print(f"  median {ratios[len(ratios) // 2]:.3f} x, worst {ratios[-1]:.3f} x of {len(ratios)} VMs")
    took = max(_ends(each) for each in spans.values()) - min(_begins(each) for each in spans.values())
    bound = _bound(plan, wave, spans)
    print("makespan against the lower bound of its limits and batches")
    print(f"  {took / 60:.0f} min against {bound / 60:.0f} min: {took / bound:.3f} x")


def _needed(wave: Wave, twin: Twin) -> dict[str, float]:
    """Return the seconds that the twin took for what has to happen while a VM is away.

    Disks and snapshots of one VM are written one after another, as the safety order wants it.
    """
    owner = {vm.id.key: vm.id.key for vm in wave.vms}
    for vm in wave.vms:
        for each in vm.outage.steps if vm.outage else ():
            disk = getattr(each.step, "disk", None)
            if disk is not None:
                owner[disk.key] = vm.id.key
    found: dict[str, float] = defaultdict(float)
    down: set[str] = set()
    for operation in sorted(twin._world.operations._by_name.values(), key=lambda each: each.started):
        target = operation.target.lower()
        if operation.kind == "snapshots/write":
            target = _source_of(twin, target)
        vm = owner.get(target)
        if vm is None:
            continue
        if operation.kind == "virtualMachines/deallocate":
            down.add(vm)
        if vm in down:
            found[vm] += (operation.ends - operation.started).total_seconds()
        if operation.kind == "virtualMachines/start":
            down.discard(vm)
    return found


def _source_of(twin: Twin, snapshot: str) -> str:
    found = twin._world.state.find(snapshot) or {}
    data = (found.get("properties") or {}).get("creationData") or {}
    return str(data.get("sourceResourceId") or "").lower()


def _down(records: list[StepRecord]) -> float:
    known = {record.name: record for record in records}
    ended = known["outage.start"].ended_at
    assert ended is not None
    return (ended - known["outage.deallocate"].intended_at).total_seconds()


def _begins(records: list[StepRecord]) -> float:
    return min(record.intended_at for record in records).timestamp()


def _ends(records: list[StepRecord]) -> float:
    return max(record.ended_at for record in records if record.ended_at).timestamp()


def _bound(plan: Plan, wave: Wave, spans: dict[ResourceId, list[StepRecord]]) -> float:
    """Return the least time: batch after batch, each as long as its work shared out, or its longest VM."""
    limits, total = plan.policy.execution, 0.0
    for batch in wave.batches:
        work = {vm.id: _ends(spans[vm.id]) - _begins(spans[vm.id]) for vm in batch.vms if spans[vm.id]}
        shared = [sum(work.values()) / limits.max_concurrency, max(work.values(), default=0.0)]
        if limits.max_per_subscription is not None:
            each: dict[str, float] = defaultdict(float)
            for vm, seconds in work.items():
                each[vm.subscription] += seconds
            shared.append(max(each.values(), default=0.0) / limits.max_per_subscription)
        total += max(shared)
    return total


if __name__ == "__main__":
    main()
