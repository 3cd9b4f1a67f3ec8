"""Use case: make an estate of files that teams have, or add to one.

Every entry of every file ends in exactly one of three places: in the estate, merged into a copy of itself,
or in the report (and among the estate's gaps) with its place and the reason. Nothing is written before all
files were read: a file that is not JSON leaves the folder as it was.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from readiness.azure.export_forms import Found, Incomplete, Piece, Unusable, pieces
from readiness.azure.merging import Conflict, merged, richness
from readiness.azure.wire_values import Json
from readiness.errors import UsageError
from readiness.model.estate_info import EstateInfo, Gap, Origin, Subscription
from readiness.model.ids import ResourceId
from readiness.store.estate_files import read_gaps, read_info, read_resources
from readiness.store.estate_writer import Copies, Spool, read_sources, write_info, write_resources
from readiness.store.import_files import documents

MOST_TOLD = 1000
"""Conflicts that a report lists; all are counted."""


class FileReport(Struct, frozen=True, kw_only=True):
    """What came of one file."""

    file: str
    exported: datetime
    """When the file was last written."""
    taken: int
    unusable: int


class Contradiction(Struct, frozen=True, kw_only=True):
    """Where two copies of one resource say different things, and which stands in the estate."""

    resource: str
    path: str
    kept: str
    dropped: str


class ImportReport(Struct, frozen=True, kw_only=True):
    """What an import took, what it could not use, and what the estate holds now."""

    format: str = "readiness/import/1"
    estate: str
    resources: int
    """Resources that the estate holds now."""
    files: tuple[FileReport, ...]
    types: dict[str, int]
    """Different resources of each type that the files held."""
    merged: int
    """Resources of which there were several copies."""
    contradictions: tuple[Contradiction, ...]
    contradiction_count: int
    unusable: tuple[Unusable, ...]
    incomplete: tuple[Incomplete, ...]
    bare: dict[str, int]
    """Resources of each type that came without their properties."""


def import_resources(files: tuple[Path, ...], to: Path) -> ImportReport:
    """Read resources from files into an estate folder, and tell what became of each entry.

    Raises:
        EstateError: A file cannot be read, or is not JSON; nothing was written.
        UsageError: Nothing in the files can be used, or the folder is not one to import into.
    """
    held = _held(to)
    gathering = _Gathering()
    with Spool(to) as spool:
        if held is not None:
            for _, resource in read_resources(to):
                spool.hold(_key(resource), resource)
        reports = tuple(gathering.file(file, spool) for file in files)
        if not gathering.types:
            raise UsageError(
                "Nothing in these files can be used.",
                details=" ".join(f"{entry.place}: {entry.detail}" for entry in gathering.unusable[:3]),
                remedy="Give what 'az graph query', 'az vm list' or 'az resource list' printed with -o json.",
            )
        merging = _Merging()
        count = write_resources(to, spool, merging.merge)
        earlier = read_gaps(to) if held is not None else ()
        gaps = (*(gap for gap in earlier if not spool.knows(gap.resource.lower())), *gathering.gaps())
    sources = (*(read_sources(to) if held is not None else ()), *(_source(entry) for entry in reports))
    write_info(to, gathering.info(held, to, reports), tuple(dict.fromkeys(gaps)), sources)
    return ImportReport(
        estate=str(to),
        resources=count,
        files=reports,
        types=dict(sorted(gathering.types.items())),
        merged=merging.count,
        contradictions=tuple(merging.told),
        contradiction_count=merging.contradictions,
        unusable=tuple(gathering.unusable),
        incomplete=tuple(gathering.incomplete),
        bare=dict(sorted(Counter(gathering.bare.values()).items())),
    )


def _held(to: Path) -> EstateInfo | None:
    """Return what the folder's estate says of itself; None where there is none yet."""
    if not (to / "estate.json").exists():
        return None
    info = read_info(to)
    if info.origin in (Origin.SAMPLE, Origin.GENERATED):
        raise UsageError(
            f"'{to}' holds an invented estate ({info.origin}).",
            details="Real and invented machines in one estate would make plans that nobody could trust.",
            remedy="Give another folder with --to.",
        )
    return info


class _Gathering:
    """What was found in the files so far."""

    def __init__(self) -> None:
        self.types: Counter[str] = Counter()
        self.unusable: list[Unusable] = []
        self.incomplete: list[Incomplete] = []
        self.bare: dict[str, str] = {}
        self._subscriptions: dict[str, str] = {}
        self._tenants: set[str] = set()

    def file(self, path: Path, spool: Spool) -> FileReport:
        """Read one file into the spool."""
        taken = refused = 0
        for piece in _pieces(path):
            match piece:
                case Found():
                    taken += 1
                    self._take(piece, spool)
                case Unusable():
                    refused += 1
                    self.unusable.append(piece)
                case Incomplete():
                    self.incomplete.append(piece)
        exported = datetime.fromtimestamp(int(path.stat().st_mtime), UTC)
        return FileReport(file=path.name, exported=exported, taken=taken, unusable=refused)

    def gaps(self) -> tuple[Gap, ...]:
        """Return what was not taken as gaps of the estate."""
        unusable = (Gap(entry.place, entry.name, entry.reason, entry.detail) for entry in self.unusable)
        incomplete = (Gap(entry.place, "", "Incomplete", entry.detail) for entry in self.incomplete)
        return (*unusable, *incomplete)

    def info(self, held: EstateInfo | None, to: Path, files: tuple[FileReport, ...]) -> EstateInfo:
        """Say when and from what the estate was made: the newest file is the time it is as of."""
        moments = [entry.exported for entry in files] + ([held.collected_at] if held else [])
        earlier = {entry.id.lower(): entry.name for entry in held.subscriptions} if held else {}
        names = {key: self._subscriptions.get(key) or name for key, name in earlier.items()}
        is_wider = bool(set(self._subscriptions) - set(earlier))
        tenants = self._tenants | ({held.tenant} if held and held.tenant else set())
        return EstateInfo(
            name=held.name if held else to.absolute().name,
            origin=Origin.IMPORTED,
            collected_at=max(moments),
            cloud=held.cloud if held else "AzurePublic",
            tenant=next(iter(tenants)) if len(tenants) == 1 else (held.tenant if held else ""),
            # Of a subscription that came by import nobody knows whether everything was asked for.
            listed_types=() if is_wider or held is None else held.listed_types,
            subscriptions=tuple(
                Subscription(key, name) for key, name in sorted((self._subscriptions | names).items())
            ),
        )

    def _take(self, found: Found, spool: Spool) -> None:
        is_known = spool.knows(found.key)
        if spool.add(found.key, found.resource):
            self.types[found.type] += 1
        if found.has_properties:
            self.bare.pop(found.key, None)
        elif not is_known:
            self.bare[found.key] = found.type
        subscription = ResourceId(found.key).subscription
        if subscription:
            is_itself = found.key == f"/subscriptions/{subscription}"
            name = found.resource.get("name") if is_itself else None
            known = self._subscriptions.get(subscription, "")
            self._subscriptions[subscription] = name if isinstance(name, str) and name else known
        tenant = found.resource.get("tenantId")
        if isinstance(tenant, str) and tenant:
            self._tenants.add(tenant.lower())


class _Merging:
    """Merges the copies of one resource at a time, and remembers where they contradicted one another."""

    def __init__(self) -> None:
        self.count = self.contradictions = 0
        self.told: list[Contradiction] = []

    def merge(self, copies: Copies) -> Json:
        """Return one resource: the richest new copy is preferred, what the estate held comes last."""
        new = [resource for is_held, resource in copies if not is_held]
        # Of two copies that say equally much the later one is preferred.
        ranked = sorted(new, key=richness)[::-1]
        ranked += [resource for is_held, resource in reversed(copies) if is_held]
        result = ranked[0]
        for other in ranked[1:]:
            result, conflicts = merged(result, other)
            self._remember(str(result.get("id") or result.get("name")), conflicts)
        self.count += 1
        return result

    def _remember(self, resource: str, conflicts: tuple[Conflict, ...]) -> None:
        self.contradictions += len(conflicts)
        room = MOST_TOLD - len(self.told)
        self.told += [
            Contradiction(resource=resource, path=entry.path, kept=entry.kept, dropped=entry.dropped)
            for entry in conflicts[:room]
        ]


def _pieces(path: Path) -> Iterator[Piece]:
    for place, value in documents(path):
        yield from pieces(value, place)


def _key(resource: Json) -> str:
    """Return what a resource of the estate is merged by; one without any stands for itself."""
    found = next(iter(pieces(resource, "")), None)
    return found.key if isinstance(found, Found) else repr(resource)


def _source(report: FileReport) -> dict[str, object]:
    return {"file": report.file, "exported": report.exported.isoformat(), "taken": report.taken}
