"""Reads a context from an Excel workbook: every wrong cell is told by sheet and cell, all of them at once.

A workbook becomes the same tree that `context.yaml` is composed to, with cells for places, and is read by
the same readers: there is one set of rules for both. What comes out is text for `context.yaml`.
"""

import warnings
import zipfile
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import yaml
from msgspec import Struct

from readiness.errors import EstateError
from readiness.store import context_entries as read
from readiness.store.context_cells import Column, Sheet
from readiness.store.context_columns import README, SHEETS
from readiness.store.context_file import FORMAT, SECTIONS, context_of
from readiness.store.context_values import Names, Resolver, Words
from readiness.store.marked_yaml import Cell, Entry, closest, compose

_LARGEST = 256 * 1024 * 1024
_TEXT, _LIST, _MAP = "tag:yaml.org,2002:str", "tag:yaml.org,2002:seq", "tag:yaml.org,2002:map"
_SHOWN = 200
Node = Any


class _Filled(Struct):
    """What a workbook holds: sections with their entries, and what is wrong with its cells."""

    sections: dict[str, list[Node]]
    problems: list[str]


def context_text(path: Path, names: Names, words: Words, earlier: str = "") -> str:
    """Return the text of `context.yaml` that a workbook makes.

    Args:
        path: The workbook.
        names: Ids of the estate's VMs by name in lower case.
        words: Rules, controls and playbooks that it may name.
        earlier: The text of the context so far; its sections stay where the workbook has none of a kind.

    Raises:
        EstateError: It is no such workbook, or some of its cells are wrong; all of them are named.
    """
    filled = _Filled({}, [])
    resolver = Resolver(names, words)
    for sheet, rows in _sheets(path, filled.problems):
        _read_sheet(path.name, sheet, rows, filled, resolver)
    if filled.problems:
        shown = filled.problems[:_SHOWN]
        more = len(filled.problems) - len(shown)
        raise EstateError(
            f"{path.name}: {len(filled.problems)} things are wrong; nothing was written.",
            details="\n  ".join(shown) + (f"\n  ... and {more} more." if more else ""),
            remedy="Correct these cells and import the workbook again.",
        )
    root = _joined(filled.sections, earlier)
    context_of(Entry(root, path.name), names, words)
    return str(yaml.serialize(root, Dumper=yaml.SafeDumper, allow_unicode=True, width=110))


def _joined(sections: dict[str, list[Node]], earlier: str) -> Node:
    """Return a whole context: the workbook's sections, and of the earlier text those it leaves empty."""
    root = compose(earlier, "context.yaml") if earlier else None
    kept = {} if root is None else {key: value.node for key, (_, value) in root.mapping().items()}
    pairs = [(_scalar("format", None), _scalar(FORMAT, None))]
    for section in SECTIONS:
        if sections.get(section):
            pairs.append((_scalar(section, None), _node(yaml.SequenceNode, _LIST, sections[section])))
        elif section in kept:
            pairs.append((_scalar(section, None), kept[section]))
    return _node(yaml.MappingNode, _MAP, pairs)


def _sheets(path: Path, problems: list[str]) -> Iterator[tuple[Sheet, list[tuple[Any, ...]]]]:
    by_title = {sheet.title.lower(): sheet for sheet in SHEETS}
    found = set()
    for title, rows in _rows(path):
        sheet = by_title.get(title.strip().lower())
        if sheet is not None:
            found.add(sheet.title)
            yield sheet, rows
        elif title != README and (hint := closest(title, [entry.title for entry in SHEETS])).startswith(
            "Did"
        ):
            problems.append(f"{title}: there is no such sheet. {hint}")
    if not found and not problems:
        brief = f"{path.name} has none of the sheets of a context."
        remedy = "Write an empty workbook with: readiness import --kind context --template FILE.xlsx"
        raise EstateError(brief, remedy=remedy)


def _rows(path: Path) -> list[tuple[str, list[tuple[Any, ...]]]]:
    """Return the cells of all sheets; a formula counts with the value that was last computed."""
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > _LARGEST:
                brief = f"{path.name} unpacks to more than {_LARGEST // 1024 // 1024} MiB."
                raise EstateError(brief, remedy="Give the workbook that people filled in.")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of features that this reader does not use
            book = load_workbook(path, read_only=True, data_only=True)
            try:
                return [(sheet.title, list(sheet.iter_rows(values_only=True))) for sheet in book.worksheets]
            finally:
                book.close()
    except OSError as error:
        brief, details = f"{path.name} cannot be read.", error.strerror or str(error)
        raise EstateError(brief, details=details, remedy="Check the file's name and permissions.") from error
    except (zipfile.BadZipFile, InvalidFileException, ParseError, KeyError, ValueError, TypeError) as error:
        brief = f"{path.name} is not an Excel workbook."
        raise EstateError(brief, details=f"{error}.", remedy="Save it as .xlsx.") from error


def _read_sheet(
    file: str, sheet: Sheet, rows: list[tuple[Any, ...]], filled: _Filled, resolver: Resolver
) -> None:
    columns = _columns(sheet, rows[0] if rows else (), filled.problems)
    entries = filled.sections.setdefault(sheet.section, [])
    for number, row in enumerate(rows[1:], start=2):
        cells = {
            column.key: (column, f"{sheet.title}!{_letter(position)}{number}", _written(row[position]))
            for position, column in columns.items()
            if position < len(row) and _written(row[position])
        }
        if not cells:
            continue
        before = len(filled.problems)
        for column, place, written in cells.values():
            _check(column, Cell(place), written, filled.problems, resolver)
        _check_missing(sheet, columns, cells, number, filled.problems)
        node = _entry(cells, Cell(f"{sheet.title}!A{number}"))
        if len(filled.problems) == before:
            _check_row(sheet, Entry(node, file), filled.problems, resolver)
        entries.append(node)


def _columns(sheet: Sheet, titles: tuple[Any, ...], problems: list[str]) -> dict[int, Column]:
    by_title = {column.title.lower(): column for column in sheet.columns}
    found: dict[int, Column] = {}
    for position, title in enumerate(titles):
        written = _written(title)
        column = by_title.get(written.lower())
        if column is not None:
            found[position] = column
        elif written:
            hint = closest(written, [entry.title for entry in sheet.columns])
            place = f"{sheet.title}!{_letter(position)}1"
            problems.append(f"{place}: there is no column '{written}'. {hint}".rstrip())
    listed = {column.title for column in found.values()}
    problems += [
        f"{sheet.title}: the column '{column.title}' is missing."
        for column in sheet.columns
        if column.required and column.title not in listed
    ]
    return found


def _check(column: Column, cell: Cell, written: str, problems: list[str], resolver: Resolver) -> None:
    for value in _values(column, written):
        try:
            column.check(Entry(_scalar(value, cell), ""), resolver)
        except EstateError as error:
            problems.append(_told(error))


def _check_missing(
    sheet: Sheet, columns: dict[int, Column], cells: dict[str, Any], number: int, problems: list[str]
) -> None:
    for position, column in columns.items():
        if column.required and column.key not in cells:
            place = f"{sheet.title}!{_letter(position)}{number}"
            problems.append(f"{place}: {column.title} is missing. Write {column.meaning.lower()}")
    if sheet.needs_match and not any(key.startswith("match.") for key in cells):
        place = next(
            (_letter(position) for position, column in columns.items() if column.key == "match.names"), "A"
        )
        remedy = "Fill in one of the columns that say which; * as VM name is every VM."
        problems.append(f"{sheet.title}!{place}{number}: the line says of no VM. {remedy}")


def _check_row(sheet: Sheet, entry: Entry, problems: list[str], resolver: Resolver) -> None:
    """Try what only a whole line can be wrong in."""
    readers: dict[str, Callable[[], object]] = {
        "exceptions": lambda: read.exception(entry, resolver.words),
        "attestations": lambda: read.attestation(entry, resolver.words),
        "dependencies": lambda: read.dependency(entry, resolver),
    }
    try:
        readers.get(sheet.section, lambda: None)()
    except EstateError as error:
        problems.append(_told(error))


def _entry(cells: dict[str, tuple[Column, str, str]], at: Cell) -> Node:
    """Return the mapping that a line stands for; keys with dots lead into inner mappings."""
    tree: dict[str, Any] = {}
    if any(key.startswith("match.") for key in cells):
        tree["match"] = {}
    for key, (column, place, written) in cells.items():
        *way, last = key.split(".")
        inner = tree
        for step in way:
            inner = inner.setdefault(step, {})
        inner[last] = _value(column, Cell(place), written)
    return _mapping(tree, at)


def _value(column: Column, cell: Cell, written: str) -> Node:
    values = _values(column, written)
    if column.key == "match.tags":
        tags = (value.partition("=") for value in values)
        pairs = [(_scalar(name.strip(), cell), _scalar(value.strip(), cell)) for name, _, value in tags]
        return _node(yaml.MappingNode, _MAP, pairs, cell)
    if column.is_list:
        return _node(yaml.SequenceNode, _LIST, [_scalar(value, cell) for value in values], cell)
    return _scalar(written, cell)


def _mapping(tree: dict[str, Any], at: Cell) -> Node:
    pairs = [
        (_scalar(key, at), _mapping(value, at) if isinstance(value, dict) else value)
        for key, value in tree.items()
    ]
    return _node(yaml.MappingNode, _MAP, pairs, at)


def _scalar(value: str, cell: Cell | None) -> Node:
    scalar: Any = yaml.ScalarNode
    return scalar(_TEXT, value, start_mark=cell, end_mark=cell)


def _node(kind: Any, tag: str, value: list[Any], cell: Cell | None = None) -> Node:
    return kind(tag, value, start_mark=cell, end_mark=cell, flow_style=False)


def _values(column: Column, written: str) -> list[str]:
    if not column.is_list:
        return [written]
    return [part.strip() for part in written.replace("\n", ";").split(";") if part.strip()]


def _written(value: object) -> str:
    """Return a cell's value as it would be written in YAML."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case float() if value.is_integer():
            return str(int(value))
        case datetime():
            return value.date().isoformat() if value.time() == time(0) else value.isoformat()
        case date():
            return value.isoformat()
        case time():
            return value.strftime("%H:%M")
        case timedelta():
            return f"PT{int(value.total_seconds()) // 60}M"
        case _:
            return str(value).strip()


def _told(error: EstateError) -> str:
    return " ".join(part for part in (error.brief, error.details, error.remedy) if part)


def _letter(position: int) -> str:
    from openpyxl.utils import get_column_letter

    return str(get_column_letter(position + 1))
