"""Waves of the tests' estate on a twin, stage by stage, with a way to die at any moment."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from playbooks.catalog import ALL_PLAYBOOKS
from readiness.app.clocks import RehearsalClock
from readiness.app.hooks import ToldHooks
from readiness.app.rehearsing import Inline
from readiness.app.stages import part_of
from readiness.azure.connect import Connection, Endpoint
from readiness.azure.perform import AzureCloud
from readiness.engine.run import WaveRun
from readiness.engine.work import Ports
from readiness.model.execution import Execution
from readiness.model.ids import ResourceId
from readiness.model.lifecycle import SUCCEEDED, Stage
from readiness.model.observation import Observation
from readiness.model.plan import ApartGroup, Batch, PlannedVm, Wave
from readiness.model.run import Event, RunInfo, RunState, Signal, StepRecord, StepResult
from readiness.model.steps import Change
from readiness.ports.cloud import Cloud, Progress, StepContext
from readiness.ports.journal import Journal
from readiness.store.journal import SqliteJournal
from readiness.twin.clock import VirtualClock
from readiness.twin.core import Twin
from readiness.twin.credential import TwinCredential
from readiness.twin.faults import Faults
from readiness.twin.seed import load as load_seed
from readiness.twin.transport import TwinTransport
from tests.engine import estates

STARTED = datetime(2026, 11, 22, tzinfo=UTC)
AHEAD = timedelta(hours=26)
"""How long before its first window a wave is prepared."""


def planned(name: str) -> PlannedVm:
    """Return a VM of the plan by its name."""
    return next(vm for wave in estates.plan().waves for vm in wave.vms if vm.name == name)


def wave_of(*names: str) -> Wave:
    """Return a wave with the named VMs, each in a batch of its own."""
    batches = tuple(Batch(number=n, vms=(planned(name),)) for n, name in enumerate(names, start=1))
    return Wave(number=1, name="test", batches=batches)


def info_for(wave: Wave, stage: Stage = Stage.OUTAGE) -> RunInfo:
    """Return what identifies a run of a stage of the wave."""
    return RunInfo(
        id=f"run-{stage}",
        plan=estates.plan().digest,
        wave=wave.number,
        place="twin",
        approved_by="tester",
        release=estates.RELEASE,
        started_at=STARTED,
        stage=stage,
        instance="first",
    )


class KilledError(BaseException):
    """The process is dead: nothing of ours may catch it."""


class Fuse:
    """Counts moments, and blows at one of them."""

    def __init__(self, blow_at: int | None, blow: Callable[[], None] | None = None) -> None:
        self.count = 0
        self._blow_at = blow_at
        self._blow = blow or self._raise

    def burn(self) -> None:
        """Pass one moment; at the appointed one, die."""
        self.count += 1
        if self.count == self._blow_at:
            self._blow()

    def _raise(self) -> None:
        raise KilledError(f"killed at moment {self._blow_at}")


class FusedJournal:
    """A journal port that dies before or after any of its writes."""

    def __init__(self, journal: Journal, fuse: Fuse) -> None:
        self._journal = journal
        self._fuse = fuse

    def records(self) -> Any:
        """Return every step record."""
        return self._journal.records()

    def intend(self, vm: ResourceId, name: str, at: datetime) -> None:
        """Record an intent, between two moments."""
        self._around(lambda: self._journal.intend(vm, name, at))

    def begun(self, vm: ResourceId, name: str, token: str) -> None:
        """Record a token, between two moments."""
        self._around(lambda: self._journal.begun(vm, name, token))

    def ended(self, vm: ResourceId, name: str, result: StepResult, at: datetime) -> None:
        """Record an end, between two moments."""
        self._around(lambda: self._journal.ended(vm, name, result, at))

    def begin_again(self, vm: ResourceId) -> None:
        """Begin a new round, between two moments."""
        self._around(lambda: self._journal.begin_again(vm))

    def tell(self, event: Event) -> None:
        """Append an event."""
        self._journal.tell(event)

    def signals(self) -> Sequence[Signal]:
        """Return what people asked for."""
        return self._journal.signals()

    def taken(self, signal: Signal) -> None:
        """Record that a signal was acted on."""
        self._journal.taken(signal)

    def _around(self, write: Callable[[], None]) -> None:
        self._fuse.burn()
        write()
        self._fuse.burn()


class FusedCloud:
    """A cloud port that dies before or after a change is begun: the journal may not know of it."""

    def __init__(self, cloud: Cloud, fuse: Fuse) -> None:
        self._cloud = cloud
        self._fuse = fuse

    def observe(self, vm: ResourceId) -> Observation:
        """Look."""
        return self._cloud.observe(vm)

    def begin(self, change: Change, context: StepContext) -> Progress:
        """Begin a change, between two moments."""
        self._fuse.burn()
        progress = self._cloud.begin(change, context)
        self._fuse.burn()
        return progress

    def poll(self, change: Change, token: str) -> Progress:
        """Ask."""
        return self._cloud.poll(change, token)


class Watcher:
    """An observer that remembers."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def told(self, event: Event) -> None:
        """Remember an event."""
        self.events.append(event)


class Rig:
    """A twin of the tests' estate, and processes that run a wave on it one after another."""

    def __init__(
        self,
        folder: Path,
        wave: Wave,
        faults: list[dict[str, object]] | None = None,
        *,
        after: Stage | None = None,
        execution: Execution | None = None,
        apart: Sequence[ApartGroup] = (),
    ) -> None:
        """Make a twin.

        Args:
            folder: For the journals.
            wave: What is carried out.
            faults: Scripted trouble; it counts calls from now on.
            after: The stage up to which the wave was carried out already, undisturbed.
            execution: Limits other than the usual.
            apart: Groups of VMs that are not to be off together.
        """
        self.folder = folder
        self.wave = wave
        self.execution = execution
        self.apart = apart
        self.clock = VirtualClock(STARTED)
        self.twin = Twin(_seed(), clock=self.clock)
        self.watcher = Watcher()
        for stage in Stage if after is not None else ():
            left = [unit.name for unit in self.process(stage=stage).units if unit.phase not in SUCCEEDED]
            assert not left, f"{stage} of {left} did not succeed without any trouble"
            if stage is after:
                break
        self.twin.log.clear()
        # Trouble begins now, and counts from now on.
        self.twin._world.calls.clear()
        self.twin._world.faults = Faults.parse({"format": "readiness/faults/1", "faults": faults or []})
        self.watcher = Watcher()

    def process(self, fuse: Fuse | None = None, stage: Stage = Stage.OUTAGE) -> RunState:
        """Carry a stage of the wave out as one process would, from what the journal on disk knows."""
        fuse = fuse or Fuse(None)
        if stage is Stage.PREPARATION:
            # A backup that is taken now has to be young enough in the window.
            self.clock.skip_to(min(vm.occurrence.opens for vm in self.wave.vms) - AHEAD)
        with self._open(stage) as (journal, cloud):
            ports = Ports(
                cloud=FusedCloud(cloud, fuse),
                journal=FusedJournal(journal, fuse),
                clock=RehearsalClock(self.clock),
                observer=self.watcher,
                executor=Inline(),
                hooks=ToldHooks(),
            )
            part = part_of(self.wave, stage)
            run = WaveRun(
                journal.info(), part, ALL_PLAYBOOKS, ports, execution=self.execution, apart=self.apart
            )
            return run.execute()

    def prepare(self) -> "Rig":
        """Carry the wave's preparation out, with whatever trouble is scripted."""
        self.process(stage=Stage.PREPARATION)
        return self

    def records(self, stage: Stage = Stage.OUTAGE) -> dict[str, StepRecord]:
        """Return the records of the journal by step name; for a wave of one VM."""
        with self._open(stage) as (journal, _):
            return {record.name: record for record in journal.records()}

    @contextmanager
    def cloud(self) -> Iterator[AzureCloud]:
        """Connect to the twin as one process would."""
        endpoint = Endpoint(
            base_url="https://twin.invalid",
            credential=TwinCredential(),
            make_transport=lambda: TwinTransport(self.twin),
        )
        connection = Connection(endpoint)
        try:
            yield AzureCloud(connection)
        finally:
            connection.close()

    @contextmanager
    def _open(self, stage: Stage) -> Iterator[tuple[SqliteJournal, AzureCloud]]:
        journal = SqliteJournal.open(self.folder / stage, info_for(self.wave, stage))
        try:
            with self.cloud() as cloud:
                yield journal, cloud
        finally:
            journal.close()


@cache
def _seed() -> list[dict[str, Any]]:
    """Read the resources of the tests' estate once."""
    return load_seed(estates.folder())


class Truth:
    """The twin's ground truth about one VM, read without any code that it rehearses."""

    def __init__(self, resources: list[dict[str, Any]], name: str) -> None:
        self._resources = resources
        self._name = name

    @property
    def vm(self) -> dict[str, Any]:
        """Return the VM's resource."""
        return self._named("microsoft.compute/virtualmachines", self._name)

    @property
    def power(self) -> str:
        """Return the VM's power state."""
        codes = [status["code"] for status in self.vm["properties"]["instanceView"]["statuses"]]
        return next(code.removeprefix("PowerState/") for code in codes if code.startswith("PowerState/"))

    @property
    def security_type(self) -> str:
        """Return the VM's security type; Standard where nothing is set."""
        profile = self.vm["properties"].get("securityProfile") or {}
        return str(profile.get("securityType") or "Standard")

    @property
    def encryption_at_host(self) -> bool:
        """Return whether encryption at host is on."""
        return bool((self.vm["properties"].get("securityProfile") or {}).get("encryptionAtHost"))

    @property
    def disks(self) -> list[dict[str, Any]]:
        """Return the VM's disks."""
        storage = self.vm["properties"]["storageProfile"]
        entries = [storage["osDisk"], *storage.get("dataDisks", [])]
        names = [entry["managedDisk"]["id"].rsplit("/", 1)[1] for entry in entries]
        return [self._named("microsoft.compute/disks", name) for name in names]

    @property
    def keys(self) -> set[str]:
        """Return the kinds of keys the VM's disks are under."""
        return {disk["properties"]["encryption"]["type"] for disk in self.disks}

    @property
    def snapshots(self) -> list[str]:
        """Return the names of the disks of which we took a snapshot, once for each snapshot."""
        return sorted(
            resource["properties"]["creationData"]["sourceResourceId"].rsplit("/", 1)[1]
            for resource in self._resources
            if str(resource.get("type")).lower() == "microsoft.compute/snapshots"
            and "readiness-plan" in (resource.get("tags") or {})
        )

    def _named(self, kind: str, name: str) -> dict[str, Any]:
        return next(
            resource
            for resource in self._resources
            if str(resource.get("type")).lower() == kind and resource["name"].lower() == name.lower()
        )
