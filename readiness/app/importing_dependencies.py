"""Use case: who needs whom, from files that teams and their tools wrote, into `dependencies.csv`.

A machine that a file speaks of is looked for by id, by group and name, by name, and by private address, in
this order. Whatever is no single VM of the estate is told and left out: half a dependency is none.
"""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct

from readiness.azure.collection import Collection, collect
from readiness.errors import EstateError
from readiness.model.context import Context, Dependency
from readiness.model.estate import Estate
from readiness.model.ids import ResourceId
from readiness.store.artefacts import write_whole
from readiness.store.dependency_files import (
    DEPENDENCIES,
    Edge,
    Endpoint,
    as_csv,
    parse_dependencies,
    read_edges,
)
from readiness.store.estate_files import read_gaps, read_info, read_resources
from readiness.store.plain_text import read_text


class Unresolved(Struct, frozen=True, kw_only=True):
    """A machine that a file speaks of and that is no single VM of the estate."""

    endpoint: str
    why: str
    lines: int
    """Lines of the files that speak of it."""


class DependencyReport(Struct, frozen=True, kw_only=True):
    """What became of the lines of the files."""

    format: str = "readiness/import-dependencies/1"
    estate: str
    lines: int
    dependencies: int
    """Different dependencies between VMs that the files told of."""
    new: int
    """Those that the estate did not have in its `dependencies.csv`."""
    own: int
    """Lines on which a VM speaks to itself."""
    unresolved: tuple[Unresolved, ...]
    kept: str
    """Where an earlier `dependencies.csv` that could not be read was put; empty otherwise."""


def import_dependencies(files: tuple[Path, ...], to: Path) -> DependencyReport:
    """Read dependencies from files and add them to those of the estate.

    Raises:
        EstateError: The estate or a file cannot be read, or a file has no known form; nothing was written.
    """
    info = read_info(to)
    collection = collect(read_resources(to), read_gaps(to))
    finder = _Finder(collection, collection.estate(info, Context()))
    found: set[Dependency] = set()
    unresolved: Counter[tuple[str, str]] = Counter()
    lines = own = 0
    for edge in (edge for file in files for edge in read_edges(file)):
        lines += 1
        ends, problems = finder.ends(edge)
        unresolved.update(problems)
        if len(ends) > 1 and ends[0] == ends[1]:
            own += 1
        elif len(ends) > 1:
            found.add(Dependency(source=ends[0], target=ends[1], hard=edge.hard))
    earlier, kept = _earlier(to, finder)
    write_whole(to / DEPENDENCIES, as_csv(_united(earlier, found)))
    known = {(entry.source, entry.target) for entry in earlier}
    pairs = {(entry.source, entry.target) for entry in found}
    return DependencyReport(
        estate=str(to),
        lines=lines,
        dependencies=len(pairs),
        new=len(pairs - known),
        own=own,
        unresolved=tuple(
            Unresolved(endpoint=endpoint, why=why, lines=count)
            for (endpoint, why), count in sorted(unresolved.items(), key=lambda item: (-item[1], item[0]))
        ),
        kept=kept,
    )


class _Finder:
    """Finds the one VM that an end of a dependency speaks of."""

    def __init__(self, collection: Collection, estate: Estate) -> None:
        self.names = collection.names()
        self._ids = {found for ids in self.names.values() for found in ids}
        self._by_address: dict[str, set[ResourceId]] = {}
        for vm in estate.vms:
            for nic in (estate.nics.get(entry) for entry in vm.nics):
                for configuration in nic.ip_configurations if nic else ():
                    if configuration.private_address:
                        self._by_address.setdefault(configuration.private_address, set()).add(vm.id)

    def ends(self, edge: Edge) -> tuple[list[ResourceId], list[tuple[str, str]]]:
        """Return the VMs of both ends, or what is wrong with the ends that are none."""
        found: list[ResourceId] = []
        problems: list[tuple[str, str]] = []
        for end in (edge.source, edge.target):
            candidates = self._candidates(end)
            if len(candidates) == 1:
                found.append(candidates[0])
            elif candidates:
                problems.append((str(end), f"{len(candidates)} VMs of the estate answer to it"))
            else:
                problems.append((str(end) or "(nothing)", "no VM of the estate answers to it"))
        return found, problems

    def _candidates(self, end: Endpoint) -> tuple[ResourceId, ...]:
        if end.name.startswith("/"):
            found = ResourceId(end.name)
            return (found,) if found in self._ids else ()
        if not end.name:
            return tuple(sorted(self._by_address.get(end.address, ())))
        # Servers are often named in full by their domain; Azure's names have no dots of that kind.
        short = end.name.lower().partition(".")[0]
        named = self.names.get(end.name.lower()) or self.names.get(short, ())
        narrowed = tuple(
            vm
            for vm in named
            if (not end.group or vm.resource_group.lower() == end.group.lower())
            and (not end.subscription or vm.subscription == end.subscription)
        )
        if len(narrowed) > 1 and end.address:
            at_address = self._by_address.get(end.address, set())
            return tuple(vm for vm in narrowed if vm in at_address) or narrowed
        return narrowed


def _earlier(to: Path, finder: _Finder) -> tuple[tuple[Dependency, ...], str]:
    """Return the dependencies that the estate has, or put a file that cannot be read aside."""
    path = to / DEPENDENCIES
    if not path.exists():
        return (), ""
    try:
        return parse_dependencies(read_text(path), finder.names, DEPENDENCIES), ""
    except EstateError:
        aside = path.with_name("dependencies.previous.csv")
        write_whole(aside, path.read_bytes())
        return (), aside.name


def _united(earlier: Iterable[Dependency], found: Iterable[Dependency]) -> list[Dependency]:
    """Return every pair once; one that is hard anywhere is hard."""
    hard: dict[tuple[ResourceId, ResourceId], bool] = {}
    for entry in (*earlier, *found):
        pair = (entry.source, entry.target)
        hard[pair] = hard.get(pair, False) or entry.hard
    return [
        Dependency(source=source, target=target, hard=is_hard) for (source, target), is_hard in hard.items()
    ]
