"""Use case: who needs whom, from files that teams and their tools wrote, into `dependencies.csv`.

What people state is taken as they state it; what tools saw becomes one observed dependency for each pair of
VMs. Every line ends in one place: in a dependency, in the traffic of a VM with itself or with the outside, in
what was refused, or with the machines that are no single VM of the estate. Half a dependency is none.
"""

from collections import Counter
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from readiness.app.importing_ends import Finder, Itself, NoSingleVm, Outside
from readiness.app.importing_traffic import Pair, Traffic
from readiness.azure.collection import collect
from readiness.errors import EstateError
from readiness.model.context import Context, Dependency
from readiness.model.ids import ResourceId
from readiness.store.artefacts import write_whole
from readiness.store.dependency_files import DEPENDENCIES, as_csv, parse_dependencies, read_lines
from readiness.store.dependency_forms import Line, Seen
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
    observed: int
    """Those of them that were seen in traffic, and that nobody stated."""
    new: int
    """Those that the estate did not have in its `dependencies.csv`."""
    own: int
    """Lines on which a VM speaks to itself, or to its link alone."""
    external: int
    """Lines of traffic with the internet or a service of Azure."""
    refused: int
    """Lines of traffic that was denied or failed."""
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
    finder = Finder(collection, collection.estate(info, Context()))
    sorting = _Sorting(finder)
    for file in files:
        for line in read_lines(file):
            sorting.take(line)
    stated, seen = sorting.stated, sorting.traffic.dependencies()
    earlier, kept = _earlier(to, finder)
    write_whole(to / DEPENDENCIES, as_csv(_united(earlier, stated, seen)))
    pairs = {(entry.source, entry.target) for entry in stated} | set(seen)
    known = {(entry.source, entry.target) for entry in earlier}
    vouched = {(entry.source, entry.target) for entry in stated if not entry.observed}
    return DependencyReport(
        estate=str(to),
        lines=sorting.lines,
        dependencies=len(pairs),
        observed=len(pairs - vouched),
        new=len(pairs - known),
        own=sorting.own,
        external=sorting.external,
        refused=sorting.refused,
        unresolved=tuple(
            Unresolved(endpoint=end.endpoint, why=end.why, lines=count)
            for end, count in sorted(
                sorting.unresolved.items(), key=lambda item: (-item[1], item[0].endpoint, item[0].why)
            )
        ),
        kept=kept,
    )


class _Sorting:
    """Puts each line where it belongs, and counts what belongs nowhere."""

    def __init__(self, finder: Finder) -> None:
        self._finder = finder
        self.stated: list[Dependency] = []
        self.traffic = Traffic()
        self.unresolved: Counter[NoSingleVm] = Counter()
        self.lines = self.own = self.external = self.refused = 0

    def take(self, line: Line) -> None:
        self.lines += 1
        if isinstance(line, Seen):
            self.traffic.watched(line)
            if line.refused:
                self.refused += 1
                return
        source, target = ends = self._finder.ends(line)
        if isinstance(source, ResourceId) and isinstance(target, ResourceId):
            self._between(line, source, target)
        elif any(isinstance(end, Itself) for end in ends):
            self.own += 1
        elif any(isinstance(end, Outside) for end in ends):
            self.external += 1
        else:
            self.unresolved.update(end for end in ends if isinstance(end, NoSingleVm))

    def _between(self, line: Line, source: ResourceId, target: ResourceId) -> None:
        if source == target:
            self.own += 1
        elif isinstance(line, Seen):
            self.traffic.add(line, source, target)
        else:
            self.stated.append(line.binding.between(source, target))


def _earlier(to: Path, finder: Finder) -> tuple[tuple[Dependency, ...], str]:
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


def _united(
    earlier: tuple[Dependency, ...], stated: list[Dependency], seen: dict[Pair, Dependency]
) -> list[Dependency]:
    """Return every pair once as stated and once as observed.

    Of what was stated the most binding holds, of what was observed the latest: traffic of other days cannot
    be added to it, as nobody knows which days both files tell of.
    """
    declared: dict[Pair, Dependency] = {}
    observed: dict[Pair, Dependency] = {}
    for entry in (*earlier, *stated):
        pair = (entry.source, entry.target)
        if entry.observed:
            observed[pair] = entry
            continue
        known = declared.get(pair, entry)
        declared[pair] = replace(
            entry,
            hard=known.hard or entry.hard,
            strict=known.strict or entry.strict,
            evidence=entry.evidence or known.evidence,
        )
    return [*declared.values(), *(observed | seen).values()]
