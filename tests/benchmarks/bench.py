"""Measures what an assessment, a wave and a start cost, and how that grows. Prints a table; asserts nothing.

    python -m tests.benchmarks.bench

Figures depend on the machine; what can be compared are the ratios within one run.
"""

import subprocess
import sys
import tempfile
import time
from contextlib import closing
from datetime import UTC, date, datetime
from datetime import time as clock_time
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from playbooks.catalog import ALL_PLAYBOOKS
from readiness.app.clocks import RehearsalClock
from readiness.app.estates import load
from readiness.app.judging import judge_all
from readiness.azure.connect import Connection, Endpoint
from readiness.azure.perform import AzureCloud
from readiness.engine.run import Ports, WaveRun
from readiness.model.ids import ResourceId
from readiness.model.lifecycle import SUCCEEDED
from readiness.model.plan import Batch, PlannedVm, Wave
from readiness.model.run import RunInfo, StepResult
from readiness.planner.build import Request, build_plan
from readiness.planner.policy import Policy
from readiness.rules.evaluate import evaluate
from readiness.store.journal import SqliteJournal
from readiness.twin.clock import VirtualClock
from readiness.twin.core import Twin
from readiness.twin.credential import TwinCredential
from readiness.twin.seed import load as load_seed
from readiness.twin.transport import TwinTransport
from tests.benchmarks import collect as collecting
from tests.benchmarks import plan as planning
from tests.benchmarks import twin as twins
from tests.benchmarks.assess_large import measure
from tests.benchmarks.estates import write_estate
from tests.engine.rig import Inline, Watcher

AS_OF = date(2026, 11, 22)
RELEASE = "bench"
ASSESSED = (25_000, 100_000)
WAVES = (10, 40, 160)
JOURNALED = 3_000
STARTS = 5


def main() -> None:
    """Run every benchmark and print its table."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), ASSESSED, seed=1)
        _show_waves(Path(folder))
        _show_journal(Path(folder))
        twins.show(Path(folder) / "twin")
        collecting.show(Path(folder) / "collect")
        planning.show(Path(folder))
    _show_start()
    print(f"\nmeasured in {time.perf_counter() - began:.0f} s")


# Waves --------------------------------------------------------------------------------------------------


def _show_waves(folder: Path) -> None:
    print("\nwave in process   VMs    steps     wall    ms/VM  ms/step    done")
    place = folder / "waves"
    write_estate(place, -(-max(WAVES) // 8))
    vms, resources = _plannable(place), load_seed(place)
    costs = []
    for size in WAVES:
        steps, seconds, succeeded = _rehearse(vms[:size], resources)
        costs.append(seconds / size)
        each = f"{1000 * seconds / size:8.1f} {1000 * seconds / steps:8.2f}"
        print(f"            {size:9} {steps:8,} {seconds:7.2f}s {each} {succeeded:7}")
    print(f"  cost of a VM in a wave of {WAVES[-1]} against {WAVES[0]}: {costs[-1] / costs[0]:.2f} x")


def _plannable(folder: Path) -> list[PlannedVm]:
    """Plan an estate, and return the VMs that need an outage, all in one occurrence of their window."""
    estate = load(folder)
    assessment = evaluate(estate, as_of=AS_OF, release=RELEASE, judged=judge_all(estate, AS_OF))
    began = time.perf_counter()
    plan = build_plan(Request(estate=estate, assessment=assessment, playbooks=ALL_PLAYBOOKS, policy=Policy()))
    seconds = time.perf_counter() - began
    print(f"  planned {plan.inventory} VMs into {len(plan.waves)} waves in {seconds:.2f} s")
    vms = [vm for wave in plan.waves for vm in wave.vms if vm.outage is not None]
    vms.sort(key=lambda vm: vm.name[-4:] + vm.name)
    if len(vms) < max(WAVES):
        raise SystemExit(f"only {len(vms)} VMs can be planned: write more copies")
    return [replace(vm, occurrence=vms[0].occurrence) for vm in vms]


def _rehearse(vms: list[PlannedVm], resources: list[dict[str, Any]]) -> tuple[int, float, int]:
    """Carry one batch of VMs out on a new twin; return steps, wall seconds and how many succeeded."""
    virtual = VirtualClock(datetime.combine(AS_OF, clock_time(0), tzinfo=UTC))
    twin = Twin(resources, clock=virtual)
    endpoint = Endpoint(
        base_url="https://twin.invalid",
        credential=TwinCredential(),
        make_transport=lambda: TwinTransport(twin),
    )
    wave = Wave(number=1, name="bench", batches=(Batch(number=1, vms=tuple(vms)),))
    with (
        closing(Connection(endpoint)) as connection,
        closing(SqliteJournal.in_memory(_info())) as journal,
        Inline() as executor,
    ):
        connection.compute(vms[0].id.subscription)  # importing and building clients is no part of a wave
        ports = Ports(
            cloud=AzureCloud(connection),
            journal=journal,
            clock=RehearsalClock(virtual),
            observer=Watcher(),
            executor=executor,
        )
        began = time.perf_counter()
        state = WaveRun(journal.info(), wave, ALL_PLAYBOOKS, ports).execute()
        seconds = time.perf_counter() - began
        return len(journal.records()), seconds, state.count(*SUCCEEDED)


def _info() -> RunInfo:
    return RunInfo(
        id="bench",
        plan="0" * 64,
        wave=1,
        place="twin",
        approved_by="bench",
        release=RELEASE,
        started_at=datetime(2026, 11, 22, tzinfo=UTC),
    )


# Journal and start --------------------------------------------------------------------------------------


def _show_journal(folder: Path) -> None:
    at, result = datetime(2026, 11, 22, tzinfo=UTC), StepResult(ok=True, detail="done")
    rates = {}
    on_disk, in_memory = SqliteJournal.open(folder / "run", _info()), SqliteJournal.in_memory(_info())
    for name, journal in (("file, synchronous=FULL", on_disk), ("memory", in_memory)):
        with closing(journal):
            began = time.perf_counter()
            for number in range(JOURNALED // 3):
                vm = ResourceId(f"/subscriptions/s/vms/{number % 40}")
                journal.intend(vm, f"step-{number}", at)
                journal.begun(vm, f"step-{number}", "t" * 800)
                journal.ended(vm, f"step-{number}", result, at)
            rates[name] = JOURNALED / (time.perf_counter() - began)
    print("\njournal           writes/s")
    for name, rate in rates.items():
        print(f"  {name:24}{rate:9,.0f}")


def _show_start() -> None:
    nothing = _fastest(["-c", "pass"])
    helped = _fastest(["-m", "readiness", "--help"])
    print("\nstart             wall")
    print(f"  python -c pass    {1000 * nothing:5.0f} ms")
    print(f"  readiness --help  {1000 * helped:5.0f} ms   {helped / nothing:.1f} x")


def _fastest(arguments: list[str]) -> float:
    """Return the shortest of a few runs of Python with these arguments, in wall seconds."""
    found = []
    for _ in range(STARTS):
        began = time.perf_counter()
        subprocess.run([sys.executable, *arguments], capture_output=True, check=True)
        found.append(time.perf_counter() - began)
    return min(found)


if __name__ == "__main__":
    main()
