"""Bytes of files that people and their tools wrote, as text: UTF-8, or UTF-16 as PowerShell writes it.

Refuses what would eat the machine: a packed file that unpacks to absurd sizes, and lines without an end.
Every complaint names the file and the place in it, and says what to do.
"""

import codecs
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader, TextIOWrapper
from pathlib import Path
from typing import BinaryIO, cast

from readiness.errors import EstateError, ReadinessError

LONGEST_LINE = 64 * 1024 * 1024
"""Bytes; Azure's largest answer has 8 MB."""
LARGEST_TEXT = 64 * 1024 * 1024
"""Bytes of a file that people write."""
_UNPACKS_TO = 400
"""Times its own size; exports of resources unpack to ten or thirty times."""
_HARMLESS = 64 * 1024 * 1024
_MEBI = 1024 * 1024
_SAVE = "Save it as UTF-8."


def decoded(data: bytes, name: str) -> str:
    """Return the text of a whole file.

    Raises:
        EstateError: It is not text; the message names the byte.
    """
    encoding = encoding_of(data[:4])
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        kind = "UTF-8" if encoding.startswith("utf-8") else "UTF-16"
        raise EstateError(f"{name} is not {kind} text (byte {error.start + 1}).", remedy=_SAVE) from error


def read_text(path: Path) -> str:
    """Read a whole file that people wrote."""
    try:
        if path.stat().st_size > LARGEST_TEXT:
            brief = f"{path.name} is larger than {LARGEST_TEXT // _MEBI} MiB."
            raise EstateError(brief, remedy="Give the file that people wrote, not an export.")
        return decoded(path.read_bytes(), path.name)
    except OSError as error:
        brief = f"{path.name} cannot be read."
        remedy = "Check the file's name and permissions."
        raise EstateError(brief, details=error.strerror or str(error), remedy=remedy) from error


def encoding_of(head: bytes) -> str:
    """Tell the encoding by a file's first four bytes: a byte order mark, or the zeros of UTF-16."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if len(head) > 1 and head[1] == 0 and head[0] != 0:
        return "utf-16-le"
    if len(head) > 1 and head[0] == 0 and head[1] != 0:
        return "utf-16-be"
    return "utf-8-sig"


def lines(path: Path, longest: int = LONGEST_LINE) -> Iterator[bytes]:
    """Yield the lines of a file in UTF-8, whatever it was written in and packed or not.

    Raises:
        EstateError: A line has no end, or a packed file unpacks to an absurd size.
        OSError, EOFError, zlib.error, UnicodeDecodeError: The file cannot be read.
    """
    with _source(path) as source:
        encoding = encoding_of(cast("BufferedReader", source).peek(4)[:4])
        guard = _Guard(path, longest)
        longest = guard.longest
        if encoding == "utf-8-sig":
            if cast("BufferedReader", source).peek(3)[:3] == codecs.BOM_UTF8:
                source.read(3)
            while line := source.readline(longest + 1):
                guard.saw(line)
                yield line
            return
        with TextIOWrapper(source, encoding=encoding, newline="\n") as text:
            while written := text.readline(longest + 1):
                line = written.removeprefix("\ufeff").encode()
                guard.saw(line)
                yield line


@contextmanager
def _source(path: Path) -> Iterator[BinaryIO]:
    if path.suffix.lower() == ".gz":
        with gzip.open(path, "rb") as packed, BufferedReader(packed) as source:
            yield source
    else:
        with path.open("rb") as source:
            yield source


class _Guard:
    """Stops the reading of what no export is."""

    def __init__(self, path: Path, longest: int) -> None:
        self._path = path
        self._is_packed = path.suffix.lower() == ".gz"
        self._most = max(_HARMLESS, path.stat().st_size * _UNPACKS_TO)
        self.longest = min(longest, self._most) if self._is_packed else longest
        self._lines = self._bytes = 0

    def saw(self, line: bytes) -> None:
        """Count a line."""
        self._lines += 1
        self._bytes += len(line)
        if self._is_packed and self._bytes > self._most:
            raise EstateError(
                f"{self._path.name} unpacks to more than {_UNPACKS_TO} times its size.",
                details=f"Reading stopped after {self._bytes // _MEBI} MiB: no export of Azure is like that.",
                remedy="Look at what the file is; if it is right, unpack it and give the unpacked file.",
            )
        if len(line) > self.longest:
            brief = f"{self._path.name}:{self._lines} is longer than {self.longest // _MEBI} MiB."
            remedy = "Write one resource a line, or split the export into several files."
            raise EstateError(brief, remedy=remedy)


def unreadable(path: Path, after: str, error: Exception) -> ReadinessError:
    """Return the error for a file whose bytes end or break, and after what."""
    if isinstance(error, UnicodeDecodeError):
        return EstateError(f"{path.name} is not text after {after}.", details=str(error), remedy=_SAVE)
    details = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
    if isinstance(error, gzip.BadGzipFile | EOFError | zlib.error):
        remedy = "The file is damaged or was cut off: export it again, or copy it again."
    else:
        remedy = "Check the file's name and permissions."
    return EstateError(f"{path.name} cannot be read after {after}.", details=details, remedy=remedy)
