"""Use case: what people know of an estate, from YAML or Excel, checked against it and put into its folder."""

from collections import Counter
from pathlib import Path

from msgspec import Struct

from readiness.app.context_warnings import warnings_of
from readiness.app.estates import known_words
from readiness.azure.collection import collect
from readiness.errors import UsageError
from readiness.model.context import Context
from readiness.store.artefacts import write_whole
from readiness.store.context_file import parse_context
from readiness.store.context_template import template
from readiness.store.context_workbook import context_text
from readiness.store.estate_files import read_gaps, read_info, read_resources
from readiness.store.plain_text import read_text

_WORKBOOKS = (".xlsx", ".xlsm")


class ContextReport(Struct, frozen=True, kw_only=True):
    """What a context says, and where an earlier one went."""

    format: str = "readiness/import-context/1"
    estate: str
    file: str
    entries: dict[str, int]
    """Entries in each section."""
    kept: str
    """The file that the earlier context was put into; empty where there was none."""
    warnings: tuple[str, ...]
    """What is allowed and probably a mistake: entries that speak of no VM, applications that others hide."""


def import_context(files: tuple[Path, ...], to: Path) -> ContextReport:
    """Check a context against the estate and put it into its folder; an earlier one is kept beside it.

    Raises:
        UsageError: More than one file is given: contexts are edited, not merged.
        EstateError: The estate or the file cannot be read, or the context is wrong; nothing was written.
    """
    if len(files) != 1:
        raise UsageError(
            f"{len(files)} contexts are given.",
            details="Two contexts may contradict one another, and nobody could tell which is right.",
            remedy="Join them in one file and import that.",
        )
    (file,) = files
    info, words = read_info(to), known_words()
    collection = collect(read_resources(to), read_gaps(to))
    names = collection.names()
    path = to / "context.yaml"
    earlier = read_text(path) if path.exists() else ""
    is_workbook = file.suffix.lower() in _WORKBOOKS
    text = context_text(file, names, words, earlier) if is_workbook else read_text(file)
    context = parse_context(text, names, path.name if is_workbook else file.name, words)
    kept = ""
    if earlier and earlier != text:
        kept = "context.previous.yaml"
        write_whole(to / kept, path.read_bytes())
    write_whole(path, text.encode())
    return ContextReport(
        estate=str(to),
        file=file.name,
        entries=_counts(context),
        kept=kept,
        warnings=tuple(gap.detail for gap in warnings_of(collection.estate(info, context))),
    )


def write_template(path: Path) -> None:
    """Write an empty context workbook.

    Raises:
        UsageError: There is a file already, or nothing can be written there.
    """
    if path.suffix.lower() not in _WORKBOOKS:
        raise UsageError(f"{path} is not named like a workbook.", remedy="Give a name that ends in .xlsx.")
    if path.exists():
        raise UsageError(
            f"{path} is there already.", remedy="Give another name: somebody may have filled it in."
        )
    write_whole(path, template())


def _counts(context: Context) -> dict[str, int]:
    counts: Counter[str] = Counter({name: len(getattr(context, name)) for name in context.__struct_fields__})
    return {name: count for name, count in counts.items() if count}
