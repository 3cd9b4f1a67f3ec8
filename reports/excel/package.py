"""A workbook as a file that depends on nothing but its content: no clock, no random order.

openpyxl stamps the time of saving into the file and into every entry of the zip; both are replaced here.
Rows of tables are streamed into the file as they are made, so that its size is no matter of memory.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, BinaryIO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from openpyxl.workbook import Workbook
from openpyxl.writer.excel import ExcelWriter

from reports.excel.cells import plain

_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
_PIECE = 1 << 18
_DIMENSION = re.compile(rb"<dimension [^>]*/>")
_ROWS = re.compile(rb"<sheetData\s*/>|<sheetData>\s*</sheetData>")


class Book:
    """A workbook under construction: openpyxl's part, and the rows that are streamed into it."""

    def __init__(self, *, title: str, release: str, as_of: date) -> None:
        self.workbook = Workbook()
        self._rows: dict[str, tuple[Iterable[bytes], str]] = {}
        properties = self.workbook.properties
        properties.title = plain(title)
        properties.creator = plain(f"readiness {release}")
        properties.created = properties.modified = datetime.combine(as_of, time())

    def stream(self, title: str, rows: Iterable[bytes], area: str) -> None:
        """Let the sheet of that title consist of these rows, which fill the cells of that area."""
        self._rows[title] = rows, area

    def write(self, to: BinaryIO) -> None:
        """Write the file, created and modified on the day it is as of."""
        sheets = self.workbook.worksheets
        bodies = {
            f"xl/worksheets/sheet{number}.xml": self._rows[sheet.title]
            for number, sheet in enumerate(sheets, start=1)
            if sheet.title in self._rows
        }
        with _Archive(to, bodies) as archive:
            # Not `workbook.save`, which sets the time of modification to now.
            ExcelWriter(self.workbook, archive).save()


class _Archive(ZipFile):
    """A zip whose entries bear no date, and which puts the streamed rows into their sheets."""

    def __init__(self, to: BinaryIO, bodies: Mapping[str, tuple[Iterable[bytes], str]]) -> None:
        super().__init__(to, "w")
        self._bodies = bodies

    def writestr(self, zinfo_or_arcname: str | ZipInfo, data: Any, *_: Any, **__: Any) -> None:
        """Write an entry in one piece."""
        super().writestr(_entry(str(zinfo_or_arcname)), data)

    def write(self, filename: Any, arcname: Any = None, *_: Any, **__: Any) -> None:
        """Write an entry from a file; the empty rows of a sheet are replaced with those given for it."""
        shell = Path(filename).read_bytes()
        body = self._bodies.get(arcname)
        if body is None:
            self.writestr(arcname, shell)
            return
        rows, area = body
        # The shell claims one cell, and strict readers believe it.
        claim = f'<dimension ref="{area}"/>'.encode()
        head, tail = _ROWS.split(_DIMENSION.sub(claim, shell, count=1), maxsplit=1)
        with self.open(_entry(arcname), "w", force_zip64=True) as entry:
            buffer = bytearray(head + b"<sheetData>")
            for row in rows:
                buffer += row
                if len(buffer) > _PIECE:
                    entry.write(buffer)
                    buffer.clear()
            entry.write(buffer + b"</sheetData>" + tail)


def _entry(name: str) -> ZipInfo:
    entry = ZipInfo(name, date_time=_ZIP_EPOCH)
    entry.compress_type = ZIP_DEFLATED
    entry.create_system = _UNIX
    entry.external_attr = 0o644 << 16
    return entry
