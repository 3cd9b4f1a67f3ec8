"""Reads who needs whom: the estate's own `dependencies.csv`, and the exports of tools that watch traffic.

Understands `source,target[,hard]`, the dependency export of Azure Migrate, and flow tables of traffic
analytics (`NTANetAnalytics` and the older `AzureNetworkAnalytics_CL`). An export says who talked to whom by
name or address; nothing is resolved here. The client of a connection needs its server.
"""

import csv
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from readiness.errors import EstateError
from readiness.model.context import Dependency
from readiness.model.ids import ResourceId
from readiness.store.marked_yaml import closest
from readiness.store.plain_text import lines, unreadable

DEPENDENCIES = "dependencies.csv"
_SHOWN = 5
_WORDS = {"": False, "false": False, "no": False, "0": False, "true": True, "yes": True, "1": True}
_KNOWN = (
    "Known are: source,target - the dependency export of Azure Migrate (Source server name, Destination "
    "server name) - traffic analytics (SrcVM, DestVM or VM1_s, VM2_s)."
)


class Endpoint(Struct, frozen=True):
    """One end of a dependency as a file tells it; whatever the file does not tell is empty."""

    name: str = ""
    """A VM's name or full resource id."""
    group: str = ""
    subscription: str = ""
    address: str = ""

    def __str__(self) -> str:
        return "/".join(filter(None, (self.group, self.name))) or self.address


class Edge(Struct, frozen=True):
    """Source needs target, as a file tells it."""

    place: str
    source: Endpoint
    target: Endpoint
    hard: bool = False


_Row = Mapping[str, str]
_Reader = Callable[[_Row, str], Edge | None]


def parse_dependencies(
    text: str, names: Mapping[str, tuple[ResourceId, ...]], file: str = DEPENDENCIES
) -> tuple[Dependency, ...]:
    """Read the estate's own file, in which every name and id has to be one VM of the estate.

    Raises:
        EstateError: Some are not; the first few are named with their lines.
    """
    known = {found for ids in names.values() for found in ids}
    problems: list[str] = []
    found: dict[Dependency, None] = {}
    for edge in _edges(text.removeprefix("\ufeff").splitlines(keepends=True), file, (_OWN,)):
        ends = []
        for end in (edge.source, edge.target):
            ids = (ResourceId(end.name),) if end.name.startswith("/") else names.get(end.name.lower(), ())
            if len(ids) == 1 and ids[0] in known:
                ends.append(ids[0])
            else:
                problems.append(f"{edge.place}: {_unknown(end.name, ids, names)}")
        if len(ends) == len((edge.source, edge.target)) and ends[0] != ends[1]:
            found[Dependency(source=ends[0], target=ends[1], hard=edge.hard)] = None
    if problems:
        more = f" And {len(problems) - _SHOWN} more." if len(problems) > _SHOWN else ""
        remedy = "Correct or remove these lines, or import the dependencies again."
        details = " ".join(problems[1:_SHOWN]) + more
        raise EstateError(problems[0], details=details.strip(), remedy=remedy)
    return tuple(found)


def read_edges(path: Path) -> Iterator[Edge]:
    """Yield what a CSV file says of who needs whom, whichever of the known forms it has."""
    try:
        content = (line.decode() for line in lines(path))
        yield from _edges(content, path.name, (_OWN, _MIGRATE, _FLOWS, _OLD_FLOWS))
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise unreadable(path, "the beginning", error) from error


def as_csv(dependencies: Iterable[Dependency]) -> bytes:
    """Return the content of `dependencies.csv`, with full ids, in an order that depends on nothing else."""
    rows = sorted({(entry.source, entry.target, entry.hard) for entry in dependencies})
    written = [f'"{source}","{target}",{str(hard).lower()}' for source, target, hard in rows]
    return "\n".join(["source,target,hard", *written, ""]).encode()


def _unknown(written: str, ids: tuple[ResourceId, ...], names: Mapping[str, tuple[ResourceId, ...]]) -> str:
    if len(ids) > 1:
        return f"'{written}' is the name of {len(ids)} VMs: write the full resource id."
    hint = closest(written.rpartition("/")[2], sorted(names))
    return f"the estate has no VM '{written}'. {hint}".strip()


# Forms ----------------------------------------------------------------------------------------------


class _Form(Struct, frozen=True):
    """A kind of CSV file: the columns it is known by, and how a row of it is read."""

    columns: frozenset[str]
    read: _Reader


def _edges(content: Iterable[str], file: str, forms: tuple[_Form, ...]) -> Iterator[Edge]:
    source = iter(content)
    head = next((line for line in source if line.strip()), "")
    delimiter = max(",;\t", key=head.count)
    titles = [title.strip().lower() for title in next(csv.reader([head], delimiter=delimiter), [])]
    form = next((entry for entry in forms if entry.columns <= set(titles)), None)
    if form is None:
        brief = f"{file}:1: these columns are of no known form: {', '.join(titles[:8]) or '(none)'}."
        remedy = _KNOWN if len(forms) > 1 else "Its first line has to be source,target."
        raise EstateError(brief, remedy=remedy)
    rows = csv.reader(source, delimiter=delimiter)
    try:
        for row in rows:
            place = f"{file}:{rows.line_num + 1}"
            if any(cell.strip() for cell in row):
                cells = dict(zip(titles, (cell.strip() for cell in row), strict=False))
                edge = form.read(cells, place)
                if edge is not None:
                    yield edge
    except csv.Error as error:
        brief = f"{file}:{rows.line_num + 1} is not CSV."
        raise EstateError(brief, details=f"{error}.", remedy="Export it again as CSV.") from error


def _own(row: _Row, place: str) -> Edge:
    hard = row.get("hard", "").lower()
    if hard not in _WORDS:
        raise EstateError(f"{place}: '{hard}' is neither true nor false.", remedy="Write true or false.")
    source, target = row.get("source", ""), row.get("target", "")
    if not (source and target):
        brief = f"{place}: {'target' if source else 'source'} is missing."
        raise EstateError(brief, remedy="Write two VMs in every line: source,target.")
    return Edge(place, Endpoint(source), Endpoint(target), hard=_WORDS[hard])


def _migrate(row: _Row, place: str) -> Edge:
    target = Endpoint(row["destination server name"], address=row.get("destination ip", ""))
    return Edge(place, Endpoint(row["source server name"]), target)


def _flow(row: _Row, place: str) -> Edge | None:
    if row.get("flowstatus", "").lower() in ("d", "denied"):
        return None
    source = _grouped(row["srcvm"], row.get("srcsubscription", ""), row.get("srcip", ""))
    target = _grouped(row["destvm"], row.get("destsubscription", ""), row.get("destip", ""))
    return Edge(place, source, target)


def _old_flow(row: _Row, place: str) -> Edge | None:
    if row.get("flowstatus_s", "").lower() in ("d", "denied"):
        return None
    source = _grouped(row["vm1_s"], row.get("subscription1_g", ""), row.get("srcip_s", ""))
    target = _grouped(row["vm2_s"], row.get("subscription2_g", ""), row.get("destip_s", ""))
    return Edge(place, source, target)


def _grouped(written: str, subscription: str, address: str) -> Endpoint:
    """Read `group/vm`, as traffic analytics names machines."""
    group, _, name = written.rpartition("/")
    if name.lower() == "unknown":
        group, name = "", ""
    return Endpoint(name, group=group, subscription=subscription.lower(), address=address)


_OWN = _Form(frozenset({"source", "target"}), _own)
_MIGRATE = _Form(frozenset({"source server name", "destination server name"}), _migrate)
_FLOWS = _Form(frozenset({"srcvm", "destvm"}), _flow)
_OLD_FLOWS = _Form(frozenset({"vm1_s", "vm2_s"}), _old_flow)
