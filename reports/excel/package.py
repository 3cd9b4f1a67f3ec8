"""A workbook as bytes that depend on nothing but its content: no clock, no random order.

openpyxl stamps the time of saving into the file and into every entry of the zip; both are replaced here.
"""

from datetime import date, datetime, time
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from openpyxl.workbook import Workbook
from openpyxl.writer.excel import ExcelWriter

_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
_UNIX = 3


def to_bytes(workbook: Workbook, *, title: str, release: str, as_of: date) -> bytes:
    """Return the file, created and modified on `as_of`."""
    properties = workbook.properties
    properties.title = title
    properties.creator = f"readiness {release}"
    properties.created = properties.modified = datetime.combine(as_of, time())
    buffer = BytesIO()
    with ZipFile(buffer, "w") as archive:
        # Not `workbook.save`, which sets the time of modification to now.
        ExcelWriter(workbook, archive).save()
    return _without_dates(buffer)


def _without_dates(buffer: BytesIO) -> bytes:
    """Write the zip again with its entries sorted by name and dated alike."""
    result = BytesIO()
    with ZipFile(buffer) as source, ZipFile(result, "w") as target:
        for name in sorted(source.namelist()):
            entry = ZipInfo(name, date_time=_ZIP_EPOCH)
            entry.compress_type = ZIP_DEFLATED
            entry.create_system = _UNIX
            entry.external_attr = 0o644 << 16
            target.writestr(entry, source.read(name))
    return result.getvalue()
