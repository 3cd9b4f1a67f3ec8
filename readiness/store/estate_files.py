"""Reads an estate folder: `estate.json`, `resources.jsonl` (or `.gz`), `context.yaml`, `dependencies.csv`.

Resources come out one by one, as Azure sent them, each with its place; nothing is interpreted here and
nothing is kept. A line that is not JSON stops the reading: skipping it could lose a VM without a trace.
"""

import re
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from readiness.errors import EstateError
from readiness.model.context import Context
from readiness.model.estate_info import EstateInfo, Gap
from readiness.model.ids import ResourceId
from readiness.store.context_file import parse_context
from readiness.store.context_values import Words
from readiness.store.dependency_files import DEPENDENCIES, parse_dependencies
from readiness.store.plain_text import lines, read_text, unreadable

FORMAT = "readiness/estate/1"
_INFO, _RESOURCES, _CONTEXT = "estate.json", "resources.jsonl", "context.yaml"
_Kind = TypeVar("_Kind")
_RESTORE = "Import the estate again, or restore the file from where it was copied."


def read_info(folder: Path) -> EstateInfo:
    """Read when, from where and by whom the estate was collected."""
    document = _document(folder)
    info = _converted(document, EstateInfo, folder)
    if info.collected_at.tzinfo is None:
        remedy = "Write it in UTC, such as 2026-11-02T08:00:00Z."
        raise EstateError(f"{_INFO}: 'collected_at' has no time zone.", remedy=remedy)
    return info


def read_gaps(folder: Path) -> tuple[Gap, ...]:
    """Read what the collector already knew it could not read."""
    return _converted(_document(folder).get("gaps") or [], tuple[Gap, ...], folder)


def read_resources(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every resource with its place, such as `resources.jsonl:12`."""
    path = resources_path(folder)
    decode = msgspec.json.Decoder(dict[str, Any]).decode
    number = 0
    try:
        for number, line in enumerate(lines(path), start=1):
            if line.isspace():
                continue
            try:
                resource = decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                raise _broken_line(f"{path.name}:{number}", line, error) from error
            yield f"{path.name}:{number}", resource
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise unreadable(path, f"line {number}", error) from error


def read_context(
    folder: Path, names: Mapping[str, tuple[ResourceId, ...]], words: Words | None = None
) -> Context:
    """Read what people added; an estate without `context.yaml` has an empty context.

    The dependencies of `dependencies.csv` come after those of `context.yaml`.

    Args:
        folder: The estate folder.
        names: Ids of the estate's VMs by name in lower case, to resolve the VMs of dependencies.
        words: Rules, controls and playbooks that it may name; without them their ids are not checked.
    """
    path = folder / _CONTEXT
    context = parse_context(read_text(path), names, _CONTEXT, words) if path.exists() else Context()
    listed = folder / DEPENDENCIES
    if not listed.exists():
        return context
    found = parse_dependencies(read_text(listed), names, DEPENDENCIES)
    return replace(context, dependencies=(*context.dependencies, *found))


def _document(folder: Path) -> dict[str, Any]:
    if not folder.is_dir():
        remedy = "Give a folder that 'readiness import' wrote, or sample_estates/starter to look around."
        raise EstateError(f"There is no estate folder '{folder}'.", remedy=remedy)
    path = folder / _INFO
    if not path.is_file():
        raise EstateError(f"'{folder}' is not an estate folder: it has no {_INFO}.", remedy=_RESTORE)
    try:
        document = msgspec.json.decode(read_text(path), type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise EstateError(f"{_INFO} is not a JSON object.", details=f"{error}.", remedy=_RESTORE) from error
    _check_format(document.get("format"))
    return document


def _check_format(written: object) -> None:
    if written == FORMAT:
        return
    kind, _, major = str(written).rpartition("/")
    if kind == FORMAT.rpartition("/")[0] and major.isdigit():
        remedy = (
            f"Use the release of readiness that writes {written}, or a newer one. This one reads {FORMAT}."
        )
        raise EstateError(f"{_INFO}: format '{written}' is newer than this release reads.", remedy=remedy)
    remedy = f'Its first key has to be "format": "{FORMAT}".'
    raise EstateError(f"{_INFO}: '{written}' is not a format of this file.", remedy=remedy)


def _converted(value: Any, kind: type[_Kind], folder: Path) -> _Kind:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        brief = f"{_INFO} of '{folder.name}' does not describe an estate."
        raise EstateError(brief, details=f"{error}.", remedy=_RESTORE) from error


def resources_path(folder: Path) -> Path:
    """Return the file that holds the estate's resources, packed or not."""
    plain, packed = folder / _RESOURCES, folder / f"{_RESOURCES}.gz"
    if plain.is_file() and packed.is_file():
        brief = f"'{folder}' has both {plain.name} and {packed.name}."
        raise EstateError(brief, remedy="Remove the one that is out of date.")
    if not plain.is_file() and not packed.is_file():
        raise EstateError(f"'{folder}' has no {plain.name}.", remedy=_RESTORE)
    return plain if plain.is_file() else packed


def _broken_line(place: str, line: bytes, error: Exception) -> EstateError:
    try:
        line.decode()
    except UnicodeDecodeError as undecodable:
        brief = f"{place}:{undecodable.start + 1} is not UTF-8 text."
        return EstateError(brief, details=f"{undecodable.reason.capitalize()}.", remedy=_RESTORE)
    if isinstance(error, msgspec.ValidationError):
        return EstateError(f"{place} is not a JSON object.", details=f"{error}.", remedy=_RESTORE)
    found = re.search(r" \(byte (\d+)\)", str(error))
    column = int(found[1]) + 1 if found else len(line.rstrip()) + 1
    details = f"{str(error).partition(' (byte')[0]}."
    return EstateError(f"{place}:{column} is not valid JSON.", details=details, remedy=_RESTORE)
