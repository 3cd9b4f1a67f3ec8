"""A report in every form, from one value and its tables: written whole, under names that say what it is.

What an earlier report left in the folder does not stay beside a later one: see `report_leftovers`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from readiness.app.report_leftovers import alone_in, settle
from readiness.model.codec import encode, encode_pretty
from readiness.store.artefacts import write_whole

if TYPE_CHECKING:
    from reports.tables import Table

FORMATS = ("json", "csv", "md", "xlsx", "html")


@dataclass(frozen=True, slots=True)
class Forms:
    """What the forms of a report are made of; a workbook and a page are made only where they are wanted."""

    stem: str
    """What the names of its files begin with."""
    title: str
    value: object
    tables: "Sequence[Table]"
    workbook: Callable[[], bytes]
    page: Callable[[], bytes]


class Written(Struct, frozen=True, kw_only=True):
    """What became of a folder."""

    files: tuple[Path, ...]
    removed: tuple[Path, ...]
    """Files of an earlier report of ours, which nobody had touched since."""
    left: tuple[Path, ...]
    """Files that look like ones of this report and are not."""


def write_forms(forms: Forms, to: Path, formats: Sequence[str] = FORMATS) -> Written:
    """Write a report into a folder, remove what an earlier one left there, and return what was done.

    `.xlsx` and `.html` are for people who open nothing else, `.json` has the values, `.md` the tables for
    people, and `-<table>.csv` one table each. `.sha256` lists them all with their digests.

    Raises:
        UsageError: Nothing can be written there.
    """
    with alone_in(to):
        files = tuple(_written(forms, to, formats))
        kept = settle(to, forms.stem, sha256(encode(forms.value)).hexdigest(), files)
    return Written(files=files, removed=kept.removed, left=kept.left)


def _written(forms: Forms, to: Path, formats: Sequence[str]) -> list[Path]:
    from reports.comma_separated import csv_bytes
    from reports.markdown import markdown_of

    written = []
    if "json" in formats:
        written.append(to / f"{forms.stem}.json")
        write_whole(written[-1], encode_pretty(forms.value))
    if "md" in formats:
        written.append(to / f"{forms.stem}.md")
        write_whole(written[-1], markdown_of(forms.title, forms.tables))
    if "csv" in formats:
        for table in forms.tables:
            written.append(to / f"{forms.stem}-{table.name.lower().replace(' ', '-')}.csv")
            write_whole(written[-1], csv_bytes([column.title for column in table.columns], table.rows))
    for form, make in (("xlsx", forms.workbook), ("html", forms.page)):
        if form in formats:
            written.append(to / f"{forms.stem}.{form}")
            write_whole(written[-1], make())
    return written
