"""Reads the files that teams have: JSON documents, JSON lines, several documents in a file, packed or not.

Files of JSON lines are streamed. A document is split into the entries of its outermost list without
decoding them, so a large export costs its own size and no more. A file that is not JSON is refused with
the place: skipping what cannot be read could lose a VM without a trace.
"""

import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from readiness.errors import EstateError, ReadinessError
from readiness.store.plain_text import lines, unreadable

_ENVELOPES = ("value", "data")
_AGAIN = "Export it again and let the command finish: the file is not whole JSON."
LARGEST_DOCUMENT = 2 * 1024 * 1024 * 1024
"""Bytes, unpacked; a file of JSON lines may be of any size."""
_LARGE = 1024 * 1024
_NOT_A_NUMBER = re.compile(rb"(?<![\w\"])(NaN|-?Infinity)(?![\w\"])")


def documents(path: Path) -> Iterator[tuple[str, Any]]:
    """Yield the JSON values of a file with their places.

    Yields:
        The place, such as `vms.json[12]` or `rows.jsonl:7`, and the decoded value there.

    Raises:
        EstateError: The file cannot be read, or is not JSON.
    """
    count = 0
    try:
        for place, value in _values(lines(path, longest=LARGEST_DOCUMENT), path):
            count += 1
            yield place, value
    except ReadinessError:
        raise
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise unreadable(path, f"value {count}", error) from error
    if not count:
        raise EstateError(f"{path.name} is empty.", remedy="Export it again; nothing was written to it.")


def broken_json(place: str, content: bytes, error: Exception, first_line: int | None = None) -> EstateError:
    """Return the error that says where JSON ends being JSON, and why.

    Args:
        place: The file, or the file and line of a value that stands on one line.
        content: The bytes that were to be decoded.
        error: What the decoder said.
        first_line: Lines of the file before the content, where it stands on several.
    """
    try:
        content.decode()
    except UnicodeDecodeError as undecodable:
        at = _at(place, content, undecodable.start, first_line)
        remedy = "Save it as UTF-8, or export it again."
        return EstateError(f"{at} is not UTF-8 text.", details=f"{undecodable.reason}.", remedy=remedy)
    found = re.search(r" \(byte (\d+)\)", str(error))
    offset = int(found[1]) if found else len(content.rstrip())
    at = _at(place, content, offset, first_line)
    details = f"{str(error).partition(' (byte')[0]}."
    if not_a_number := _NOT_A_NUMBER.match(content, offset):
        word = not_a_number[0].decode()
        remedy = f"Replace {word} by null: JSON has no such number, so whatever wrote it is not Azure."
        return EstateError(f"{at} is not valid JSON: {word}.", remedy=remedy)
    return EstateError(f"{at} is not valid JSON.", details=details, remedy=_AGAIN)


def _values(source: Iterator[bytes], path: Path) -> Iterator[tuple[str, Any]]:
    """Read line by line as long as each is JSON by itself; the rest is one document, or several."""
    for number, content in enumerate(source, start=1):
        if not content.strip():
            continue
        try:
            value = msgspec.json.decode(content, type=msgspec.Raw if len(content) > _LARGE else Any)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            yield from _document(content + _rest(source, path), path.name, number - 1)
            return
        place = f"{path.name}:{number}"
        if isinstance(value, msgspec.Raw):
            yield from _split(value, place)
        else:
            yield place, value


def _rest(source: Iterator[bytes], path: Path) -> bytes:
    content = bytearray()
    for line in source:
        content += line
        if len(content) > LARGEST_DOCUMENT:
            brief = f"{path.name} is one JSON document of more than 2 GiB."
            raise EstateError(brief, remedy="Write one resource a line: jq -c '.[]' or jq -c '.data[]'.")
    return bytes(content)


def _document(content: bytes, name: str, before: int) -> Iterator[tuple[str, Any]]:
    """Split a file of one document, or of several written one after the other."""
    start, count = 0, 0
    view = content
    while view.strip():
        try:
            raw, end = msgspec.json.decode(view, type=msgspec.Raw), len(view)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            trailing = re.search(r"trailing characters \(byte (\d+)\)", str(error))
            if trailing is None:
                raise broken_json(name, content, _moved(error, start), before) from error
            end = int(trailing[1]) - 1
            raw = msgspec.json.decode(view[:end], type=msgspec.Raw)
        count += 1
        place = name if count == 1 else f"{name}#{count}"
        yield from _split(raw, place)
        start += end
        view = view[end:]


def _moved(error: Exception, start: int) -> Exception:
    """Return the decoder's complaint with its place counted from the beginning of the file."""
    found = re.search(r" \(byte (\d+)\)", str(error))
    if found is None:
        return error
    head = str(error).partition(" (byte")[0]
    return msgspec.DecodeError(f"{head} (byte {start + int(found[1])})")


def _split(raw: msgspec.Raw, place: str) -> Iterator[tuple[str, Any]]:
    """Yield a document's entries one by one where it is a list or an envelope around one."""
    head = bytes(memoryview(raw)[:1])
    if head == b"[":
        for index, entry in enumerate(msgspec.json.decode(raw, type=list[msgspec.Raw])):
            yield f"{place}[{index}]", _entry(entry, f"{place}[{index}]")
        return
    if head == b"{":
        fields = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
        key = next((key for key in _ENVELOPES if _is_list(fields.get(key)) and "id" not in fields), None)
        if key is not None:
            # What is left of the envelope still tells whether pages are missing.
            rest = {name: msgspec.json.decode(value) for name, value in fields.items() if name != key}
            yield place, {**rest, key: []}
            for index, entry in enumerate(msgspec.json.decode(fields[key], type=list[msgspec.Raw])):
                yield f"{place}.{key}[{index}]", _entry(entry, f"{place}.{key}[{index}]")
            return
    yield place, _entry(raw, place)


def _entry(raw: msgspec.Raw, place: str) -> Any:
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise broken_json(place, bytes(memoryview(raw)), error) from error


def _is_list(raw: msgspec.Raw | None) -> bool:
    return raw is not None and bytes(memoryview(raw)[:1]) == b"["


def _at(place: str, content: bytes, offset: int, first_line: int | None) -> str:
    if first_line is None:
        return f"{place}:{offset + 1}"
    line = content.count(b"\n", 0, offset)
    column = offset - (content.rfind(b"\n", 0, offset) + 1)
    return f"{place}:{first_line + line + 1}:{column + 1}"
