"""Opens a workbook that came back from people: plain .xlsx files only, and none that would eat the machine.

Every refusal says what the file is instead, and what to do about it. Nothing of it is ever executed.
"""

import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO
from xml.etree.ElementTree import ParseError

from openpyxl.reader.excel import ExcelReader
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.workbook import Workbook
from openpyxl.xml.constants import SHARED_STRINGS, SHEET_MAIN_NS
from openpyxl.xml.functions import iterparse

from readiness.errors import UsageError

_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_LOOKED_AT = 1 << 20
"""Bytes of a container whose directory tells what is in it."""
_MOST_ENTRIES = 10_000
_MEBI = 1024 * 1024
_SAVE = "Open it in Excel or LibreOffice and save it as an Excel workbook (.xlsx)."
_AGAIN = "Ask for the file again, or take the owner's last good copy."
_TEXT, _RUN, _ITEM = (f"{{{SHEET_MAIN_NS}}}{tag}" for tag in ("t", "r", "si"))
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    InvalidFileException,
    ParseError,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    IndexError,
    OverflowError,
    NotImplementedError,
)


@contextmanager
def opened(file: BinaryIO, name: str, largest: int) -> Iterator[Workbook]:
    """Open a workbook to read its cells as they were written: a formula is seen as one, texts are escaped.

    Args:
        file: The file.
        name: What it is called in a complaint.
        largest: Bytes that it may unpack to.

    Raises:
        UsageError: It is not a plain workbook, or it is damaged; also while it is read.
    """
    _refuse_containers(file, name)
    try:
        with zipfile.ZipFile(file) as archive:
            _refuse_contents(archive, name, largest)
        file.seek(0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of features that this reader does not use
            reader = _Reader(file, read_only=True)
            reader.read()
            book = reader.wb
            try:
                yield book
            finally:
                book.close()
    except _DAMAGE as error:
        details = str(error) or type(error).__name__
        raise UsageError(f"{name} is damaged: it cannot be read.", details=details, remedy=_AGAIN) from error


class _Reader(ExcelReader):
    """openpyxl's reader, which would take half of each escape out of shared texts."""

    def read_strings(self) -> None:
        """Keep the shared texts as they are written."""
        part = self.package.find(SHARED_STRINGS)  # type: ignore[no-untyped-call]
        if part is None:
            return
        with self.archive.open(part.PartName[1:]) as source:
            for _, node in iterparse(source):
                if node.tag == _ITEM:
                    # One text, or runs of different looks; how Japanese is spoken stands beside them.
                    shown = (part for part in node if part.tag in (_TEXT, _RUN))
                    runs = (part if part.tag == _TEXT else part.find(_TEXT) for part in shown)
                    self.shared_strings.append("".join(run.text or "" for run in runs if run is not None))
                    node.clear()


def _refuse_containers(file: BinaryIO, name: str) -> None:
    head = file.read(_LOOKED_AT)
    file.seek(0)
    if not head:
        raise UsageError(f"{name} is empty.", remedy=_AGAIN)
    if head.startswith(_OLE):
        if _holds(head, "DRMEncrypted") or _holds(head, "LabelInfo"):
            brief = f"{name} is encrypted by a sensitivity label."
            remedy = "Open it, choose a label without encryption, and save it again as .xlsx."
        elif _holds(head, "EncryptedPackage") or _holds(head, "EncryptionInfo"):
            brief = f"{name} is protected with a password."
            remedy = (
                "Open it, remove the password (File, Info, Protect Workbook), and save it again as .xlsx."
            )
        else:
            brief, remedy = f"{name} is in the format of Excel 97 to 2003, or encrypted.", _SAVE
        raise UsageError(brief, details="It is an OLE container and no .xlsx file.", remedy=remedy)
    if not head.startswith(b"PK"):
        raise UsageError(f"{name} is not an Excel workbook.", remedy=_SAVE)


def _refuse_contents(archive: zipfile.ZipFile, name: str, largest: int) -> None:
    entries = archive.infolist()
    names = {entry.filename for entry in entries}
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > largest or len(entries) > _MOST_ENTRIES:
        raise UsageError(
            f"{name} unpacks to {unpacked // _MEBI} MiB in {len(entries)} parts.",
            details=f"A workbook of this plan unpacks to {largest // _MEBI} MiB at most; it was not opened.",
            remedy="Find out who made this file. Give the workbook that was written for this plan.",
        )
    if any(entry.flag_bits & 1 for entry in entries):
        raise UsageError(f"{name} is an encrypted archive.", remedy=_SAVE)
    types = archive.read("[Content_Types].xml") if "[Content_Types].xml" in names else b""
    if b"macroEnabled" in types or any(entry.lower().endswith("vbaproject.bin") for entry in names):
        remedy = "Save it as an Excel workbook without macros (.xlsx)."
        raise UsageError(f"{name} holds macros.", details="They were not run.", remedy=remedy)
    if "xl/workbook.xml" not in names:
        kind = "an OpenDocument file" if "mimetype" in names else "no Excel workbook (.xlsx)"
        raise UsageError(f"{name} is {kind}.", remedy=_SAVE)


def _holds(head: bytes, stream: str) -> bool:
    """Tell whether a container's directory names a stream."""
    return stream.encode("utf-16-le") in head
