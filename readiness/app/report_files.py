"""A report in every form, from one value and its tables: written whole, under names that say what it is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from readiness.model.codec import encode_pretty
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


def write_forms(forms: Forms, to: Path, formats: Sequence[str] = FORMATS) -> tuple[Path, ...]:
    """Write a report into a folder, and return what was written.

    `.xlsx` and `.html` are for people who open nothing else, `.json` has the values, `.md` the tables for
    people, and `-<table>.csv` one table each.

    Raises:
        UsageError: Nothing can be written there.
    """
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
    return tuple(written)
