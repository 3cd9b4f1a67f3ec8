"""Use case: collect an estate from Azure, or from a twin of it.

The folder gets its resources when all of them are there, and `estate.json` last: a collection that breaks off
leaves an estate that was there before as it is, and its own pages in `.collecting`, to go on with.
"""

import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from readiness.app.clocks import RemoteTwinClock
from readiness.app.collector import paused_collector
from readiness.app.endpoints import in_process, over_https
from readiness.app.ticking import Tick, silent
from readiness.azure.connect import Connection, Endpoint, live
from readiness.azure.inventory import Collector, Inventory, Scope, unproven_machines
from readiness.azure.inventory_reader import Reader, Standing
from readiness.azure.inventory_rows import with_view
from readiness.azure.inventory_sources import SKU, VM
from readiness.errors import CloudError, UsageError
from readiness.model.estate_info import EstateInfo, Gap, Origin
from readiness.store.artefacts import write_whole
from readiness.store.estate_files import read_info
from readiness.store.estate_writer import write_info
from readiness.store.work_folder import Job, WorkFolder, is_unfinished

WORKERS = 8
_INVENTED = (Origin.SAMPLE, Origin.GENERATED)
_INFO, _PLAIN = "estate.json", "resources.jsonl"


class CollectRequest(Struct, frozen=True, kw_only=True):
    """What is to be collected, from where, and into which folder."""

    to: Path
    subscriptions: tuple[str, ...] = ()
    management_groups: tuple[str, ...] = ()
    cloud: str = "AzureCloud"
    arm_endpoint: str = ""
    arm_scope: str = ""
    twin: Path | None = None
    """The estate to make a twin of in this process."""
    faults: Path | None = None
    """Scripted trouble of that twin."""
    twin_url: str = ""
    certificate: Path | None = None
    state: Path = Path("runs")
    resume: bool = False


class Target(Struct, frozen=True, kw_only=True):
    """Where a collection goes, for people to see before anything is asked."""

    place: str
    cloud: str
    endpoint: str
    token_scope: str
    tenant: str
    """As the environment names it; empty for that of the login."""
    subscriptions: tuple[str, ...]
    management_groups: tuple[str, ...]


class CollectReport(Struct, frozen=True, kw_only=True):
    """What was collected, and what could not be."""

    format: str = "readiness/collect/1"
    estate: str
    subscriptions: int
    resources: int
    types: dict[str, int]
    requests: int
    seconds: float
    """On the wall."""
    waited_seconds: float
    """Of which the quota of Resource Graph asked for; on a twin in process they cost nothing."""
    gaps: tuple[Gap, ...]
    listed_types: tuple[str, ...]


class _Head(Struct):
    id: str = ""
    type: str = ""


class _View(Struct):
    id: str = ""
    instanceView: dict[str, Any] | None = None  # noqa: N815  Azure's word


class Collection:
    """A collection that was checked and can begin, with its connection."""

    def __init__(self, request: CollectRequest) -> None:
        self._request = request
        self._held = _held(request)
        endpoint, self._cloud, self._now, self._origin = _reached(request)
        self._connection = Connection(endpoint)
        place = "Azure" if self._origin is Origin.COLLECTED else f"a twin of {request.twin or 'an estate'}"
        self.target = Target(
            place=place,
            cloud=self._cloud,
            endpoint=endpoint.base_url,
            token_scope=endpoint.token_scope,
            tenant=os.environ.get("AZURE_TENANT_ID", ""),
            subscriptions=request.subscriptions,
            management_groups=request.management_groups,
        )

    @paused_collector()
    def execute(self, tick: Tick = silent) -> CollectReport:
        """Collect everything and write the estate.

        Raises:
            CloudError: Not even the subscriptions could be read; everything else becomes a gap.
        """
        request, began = self._request, time.monotonic()
        asked = msgspec.json.decode(msgspec.json.encode(self.target))
        job = Job(asked=asked, started_at=self._now)
        work = WorkFolder.open(request.to, job, resume=request.resume)
        reader = Reader(self._connection, _Pages(work))
        inventory = self._inventory(work, reader, tick)
        writer = _Writer(work, inventory)
        gaps = (*inventory.gaps, *writer.gaps())
        info = self._info(inventory, work.job.started_at)
        (request.to / _INFO).unlink(missing_ok=True)
        (request.to / f"{_PLAIN}.gz").unlink(missing_ok=True)
        write_whole(request.to / _PLAIN, writer.lines(tick))
        source = {"collected": self.target.endpoint, "requests": reader.traffic.requests}
        write_info(request.to, info, gaps, (source,))
        work.remove()
        return CollectReport(
            estate=str(request.to),
            subscriptions=len(inventory.subscriptions),
            resources=sum(writer.types.values()),
            types=dict(sorted(writer.types.items())),
            requests=reader.traffic.requests,
            seconds=time.monotonic() - began,
            waited_seconds=reader.traffic.waited,
            gaps=gaps,
            listed_types=info.listed_types,
        )

    def _inventory(self, work: WorkFolder, reader: Reader, tick: Tick) -> Inventory:
        request = self._request
        workers = 1 if request.twin is not None else WORKERS
        scope = Scope(subscriptions=request.subscriptions, management_groups=request.management_groups)
        try:
            with closing(self._connection):
                return Collector(reader, _Pages(work), tick, workers).collect(scope)
        except CloudError:
            work.remove_if_empty()
            raise

    def _info(self, inventory: Inventory, at: datetime) -> EstateInfo:
        return EstateInfo(
            name=self._held.name if self._held else self._request.to.absolute().name,
            origin=self._origin,
            collected_at=at,
            cloud=self._cloud,
            tenant=inventory.tenant,
            subscriptions=inventory.subscriptions,
            listed_types=inventory.listed_types,
        )


def _reached(request: CollectRequest) -> tuple[Endpoint, str, datetime, Origin]:
    """Return the way to Azure or a twin, its cloud, its time, and what a collected estate is.

    What comes from a twin stays invented, whatever the twin was made of: no plan of it ever runs live.
    """
    if request.twin is not None:
        seed = read_info(request.twin)
        endpoint, _ = in_process(request.twin, request.faults, seed.collected_at)
        origin = seed.origin if seed.origin in _INVENTED else Origin.GENERATED
        return endpoint, seed.cloud, seed.collected_at, origin
    if request.twin_url:
        endpoint, certificate = over_https(request.twin_url, request.certificate, request.state)
        return endpoint, "AzurePublic", RemoteTwinClock(request.twin_url, certificate).now(), Origin.GENERATED
    endpoint, cloud = live(request.cloud, base_url=request.arm_endpoint, scope=request.arm_scope)
    return endpoint, cloud, datetime.now(UTC), Origin.COLLECTED


def _held(request: CollectRequest) -> EstateInfo | None:
    """Return what the folder's estate says of itself; real and invented estates do not replace each other."""
    to = request.to
    is_twin = request.twin is not None or bool(request.twin_url)
    if request.twin is not None and to.absolute() == request.twin.absolute():
        raise UsageError(
            f"'{to}' is the estate the twin is made of.", remedy="Give another folder with --to."
        )
    if not (to / _INFO).exists():
        if not is_unfinished(to) and (to / _PLAIN).exists():
            brief = f"'{to}' has resources and no {_INFO}: something else was written there."
            raise UsageError(brief, remedy="Give another folder with --to.")
        return None
    held = read_info(to)
    if (held.origin in _INVENTED) != is_twin:
        raise UsageError(
            f"'{to}' holds an estate of another kind ({held.origin}).",
            details="A real estate and an invented one do not take each other's place.",
            remedy="Give another folder with --to.",
        )
    return held


class _Pages:
    """A work folder as a reader sees it."""

    def __init__(self, work: WorkFolder) -> None:
        self._work = work
        self.save, self.forget, self.rows = work.save, work.forget, work.rows

    def standing(self, key: str) -> Standing:
        heads = self._work.heads(key)
        return Standing(len(heads), sum(head.rows for head in heads), heads[-1].next if heads else None)


class _Writer:
    """Puts the pages together: each resource once, machines with their instance view."""

    def __init__(self, work: WorkFolder, inventory: Inventory) -> None:
        self._work, self._inventory = work, inventory
        self.types: Counter[str] = Counter()
        self._views = {
            view.id.lower(): (view.id, view.instanceView)
            for key in inventory.views
            for view in work.rows(key, _View)
        }
        self._machines = [
            head.id
            for key in inventory.keys
            for head in work.rows(key, _Head)
            if head.type.lower() == VM.lower()
        ]

    def gaps(self) -> tuple[Gap, ...]:
        """Return the machines that only one of the two sources has."""
        views = (own for own, _ in self._views.values())
        return unproven_machines(self._inventory, self._machines, views)

    def lines(self, tick: Tick) -> Iterator[bytes]:
        """Yield the lines of the estate's resources."""
        taken: set[str] = set()
        count = 0
        for key in self._inventory.keys:
            for line in self._work.lines(key):
                head = msgspec.json.decode(line, type=_Head)
                own = head.id.lower() or line.decode()
                if own in taken:
                    continue
                taken.add(own)
                self.types[head.type.lower() or SKU.lower()] += 1
                count += 1
                yield self._completed(own, line) if head.type.lower() == VM.lower() else line
                if count % 5000 == 0:
                    tick("Writing resources", count, None)
        tick("Writing resources", count, count)

    def _completed(self, own: str, line: bytes) -> bytes:
        _, view = self._views.get(own, ("", None))
        if view is None:
            return line
        return msgspec.json.encode(with_view(msgspec.json.decode(line), view)) + b"\n"
