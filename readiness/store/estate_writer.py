"""Writes an estate folder: resources merged by what they are, and `estate.json`, each whole or not at all.

Resources are spooled to disk as they come, because half a million of them do not fit in memory; what stays
in memory is a digest and a place for each. A resource that came once is written as it came. One that came
several times is handed to a merging function. `estate.json` is written last: a folder is an estate only
when its resources are in it.
"""

import gzip
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, cast

import msgspec

from readiness.errors import EstateError, UsageError
from readiness.model.codec import to_builtins
from readiness.model.estate_info import EstateInfo, Gap
from readiness.store.artefacts import write_whole
from readiness.store.estate_files import FORMAT

Resource = dict[str, Any]
Copies = tuple[tuple[bool, Resource], ...]
"""Copies of one resource in the order they came; True for the one that the estate held before."""
_RESOURCES, _INFO = "resources.jsonl", "estate.json"


class Spool:
    """Resources on their way into a folder, on its own disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._where: dict[bytes, int | list[int]] = {}
        self._encode = msgspec.json.Encoder().encode
        self._end = self._held_until = 0
        self._is_new = not folder.exists()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = cast("BinaryIO", tempfile.TemporaryFile(dir=folder))  # noqa: SIM115  closed on exit
        except OSError as error:
            raise _unwritable(folder, error) from error

    def __enter__(self) -> "Spool":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        if self._is_new and error is not None:
            with suppress(OSError):
                self._folder.rmdir()

    def hold(self, key: str, resource: Resource) -> None:
        """Put in what the estate held before; everything held comes before the first addition."""
        self._put(key, resource)
        self._held_until = self._end

    def add(self, key: str, resource: Resource) -> bool:
        """Put in a resource, and tell whether it is the first of its key that was added."""
        newest = self._put(key, resource)
        return newest is None or newest < self._held_until

    def knows(self, key: str) -> bool:
        """Tell whether a resource of that key was put in."""
        return _digest(key) in self._where

    def copies(self) -> Iterator[bytes | Copies]:
        """Yield the line of each resource that came once, and the copies of each that came several times."""
        for where in self._where.values():
            if isinstance(where, int):
                yield self._line(where)
            else:
                yield tuple(
                    (place < self._held_until, msgspec.json.decode(self._line(place))) for place in where
                )

    def _put(self, key: str, resource: Resource) -> int | None:
        """Append a resource, and return the place of the newest earlier copy of it."""
        digest = _digest(key)
        earlier = self._where.get(digest)
        newest = earlier[-1] if isinstance(earlier, list) else earlier
        if isinstance(earlier, list):
            earlier.append(self._end)
        else:
            self._where[digest] = self._end if earlier is None else [earlier, self._end]
        line = self._encode(resource) + b"\n"
        try:
            self._file.write(line)
        except OSError as error:
            raise _unwritable(self._folder, error) from error
        self._end += len(line)
        return newest

    def _line(self, place: int) -> bytes:
        self._file.seek(place)
        return self._file.readline()


def write_resources(folder: Path, spool: Spool, merge: Callable[[Copies], Resource]) -> int:
    """Write what was spooled into the estate's file of resources, and return how many resources it has.

    A folder whose resources are packed gets them packed again.
    """
    packed = folder / f"{_RESOURCES}.gz"
    path = packed if packed.is_file() else folder / _RESOURCES
    count = 0
    try:
        with _replacing(path) as file:
            for found in spool.copies():
                line = found if isinstance(found, bytes) else msgspec.json.encode(merge(found)) + b"\n"
                file.write(line)
                count += 1
    except OSError as error:
        raise _unwritable(folder, error) from error
    return count


def write_info(
    folder: Path, info: EstateInfo, gaps: tuple[Gap, ...], sources: tuple[dict[str, Any], ...]
) -> None:
    """Write `estate.json`: who collected it when, what could not be read, and which files it is made of."""
    document = {
        "format": FORMAT,
        **to_builtins(info),
        "sources": list(sources),
        "gaps": [to_builtins(gap) for gap in gaps],
    }
    write_whole(folder / _INFO, msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")


def read_sources(folder: Path) -> tuple[dict[str, Any], ...]:
    """Return the files that an earlier import was made of."""
    try:
        document = msgspec.json.decode((folder / _INFO).read_bytes(), type=dict[str, Any])
        return tuple(msgspec.convert(document.get("sources") or [], list[dict[str, Any]]))
    except (OSError, msgspec.DecodeError, msgspec.ValidationError) as error:
        brief = f"{_INFO} of '{folder.name}' does not describe an estate."
        raise EstateError(brief, details=f"{error}.", remedy="Restore the file, or import anew.") from error


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a draft beside a file that takes its place when everything was written."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with draft.open("wb") as file:
            if path.suffix == ".gz":
                with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as packed:
                    yield cast("BinaryIO", packed)
            else:
                yield file
        draft.replace(path)
    finally:
        with suppress(OSError):
            draft.unlink()


def _digest(key: str) -> bytes:
    return blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _unwritable(folder: Path, error: OSError) -> UsageError:
    remedy = "Give a folder that can be written to, with room in it."
    return UsageError(f"Nothing can be written to '{folder}'.", details=error.strerror or "", remedy=remedy)
