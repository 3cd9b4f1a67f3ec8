"""Reads and writes who needs whom: the estate's own `dependencies.csv`, and the exports of tools.

The estate's file is held to the estate's VMs, line by line. A file to import may have any of the forms of
`dependency_forms`.
"""

import csv
import io
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from readiness.errors import EstateError
from readiness.model.context import Dependency
from readiness.model.ids import ResourceId
from readiness.store.dependency_forms import (
    FORMS,
    KNOWN,
    OWN,
    Form,
    Line,
    Stated,
    form_of,
    title_of,
)
from readiness.store.dependency_values import COLUMNS, strictness_of
from readiness.store.marked_yaml import closest
from readiness.store.plain_text import lines, unreadable

DEPENDENCIES = "dependencies.csv"
_SHOWN = 5


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
    for line in _read(text.removeprefix("\ufeff").splitlines(keepends=True), file, (OWN,)):
        ends = []
        for end in (line.source, line.target):
            ids = (ResourceId(end.name),) if end.name.startswith("/") else names.get(end.name.lower(), ())
            if len(ids) == 1 and ids[0] in known:
                ends.append(ids[0])
            else:
                problems.append(f"{line.place}: {_unknown(end.name, ids, names)}")
        if isinstance(line, Stated) and len(ends) > 1 and ends[0] != ends[1]:
            found[line.binding.between(ends[0], ends[1])] = None
    if problems:
        more = f" And {len(problems) - _SHOWN} more." if len(problems) > _SHOWN else ""
        remedy = "Correct or remove these lines, or import the dependencies again."
        details = " ".join(problems[1:_SHOWN]) + more
        raise EstateError(problems[0], details=details.strip(), remedy=remedy)
    return tuple(found)


def read_lines(path: Path) -> Iterator[Line]:
    """Yield what a CSV file says of who needs whom, whichever of the known forms it has."""
    try:
        content = (line.decode() for line in lines(path))
        yield from _read(content, path.name, FORMS)
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise unreadable(path, "the beginning", error) from error


def as_csv(dependencies: Iterable[Dependency]) -> bytes:
    """Return the content of `dependencies.csv`, with full ids, in an order that depends on nothing else."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(sorted(_row(entry) for entry in set(dependencies)))
    return out.getvalue().encode()


def _row(entry: Dependency) -> tuple[str, ...]:
    strict = strictness_of(entry)
    return (
        str(entry.source),
        str(entry.target),
        str(entry.hard or entry.strict).lower(),
        str(strict),
        str(entry.observed).lower(),
        entry.evidence,
        f"{entry.confidence:g}",
    )


def _unknown(written: str, ids: tuple[ResourceId, ...], names: Mapping[str, tuple[ResourceId, ...]]) -> str:
    if len(ids) > 1:
        return f"'{written}' is the name of {len(ids)} VMs: write the full resource id."
    hint = closest(written.rpartition("/")[2], sorted(names))
    return f"the estate has no VM '{written}'. {hint}".strip()


def _read(content: Iterable[str], file: str, forms: tuple[Form, ...]) -> Iterator[Line]:
    source = iter(content)
    first, head = next(((number, line) for number, line in enumerate(source, 1) if line.strip()), (1, ""))
    delimiter = max(",;\t", key=head.count)
    titles = [title_of(title) for title in next(csv.reader([head], delimiter=delimiter), [])]
    form = form_of(titles, forms)
    if form is None:
        brief = f"{file}:{first}: these columns are of no known form: {', '.join(titles[:8]) or '(none)'}."
        raise EstateError(
            brief, remedy=KNOWN if len(forms) > 1 else "Its first line has to be source,target."
        )
    for title in titles:
        if hint := form.misspelled(title):
            raise EstateError(f"{file}:{first}: there is no column '{title}'.", remedy=hint)
    rows = csv.reader(source, delimiter=delimiter)
    try:
        for row in rows:
            if any(cell.strip() for cell in row):
                cells = dict.fromkeys(titles, "")
                cells.update(zip(titles, (cell.strip() for cell in row), strict=False))
                line = form.read(cells, f"{file}:{rows.line_num + first}")
                if line is not None:
                    yield line
    except csv.Error as error:
        brief = f"{file}:{rows.line_num + first} is not CSV."
        raise EstateError(brief, details=f"{error}.", remedy="Export it again as CSV.") from error
