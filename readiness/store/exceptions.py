"""The section `exceptions` of a context as people wrote it: every entry with its place, the wrong ones too.

Reading a context stops at its first mistake; a register has to tell all of them. Writing is as careful as
everywhere: text from Azure is quoted, and what comes out is read back before anybody sees it.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

import yaml
from msgspec import Struct
from msgspec.structs import replace

from readiness.errors import EstateError, UsageError
from readiness.model.context import RuleException
from readiness.model.exceptions import Fault
from readiness.store.artefacts import write_whole
from readiness.store.context_entries import exception
from readiness.store.context_file import FORMAT, application_places, check_format
from readiness.store.context_values import Words
from readiness.store.marked_yaml import Entry, compose
from readiness.store.plain_text import read_text

FILE = "context.yaml"
_NEEDED = ("id", "match", "owner", "reason", "approved_by", "expires")


class Written(Struct, frozen=True, kw_only=True):
    """One entry of the section."""

    id: str
    """Empty where it has none."""
    place: str
    """File, line and column."""
    places: Mapping[str, str]
    """The place of each key's value."""
    entry: RuleException | None
    """None where it cannot be read."""
    faults: tuple[tuple[str, Fault], ...] = ()
    """Why it cannot be read, each with its place."""


def read_exceptions(folder: Path, words: Words) -> tuple[Written, ...]:
    """Read the exceptions of an estate folder one by one.

    Raises:
        EstateError: The file is no context, or no list stands where the exceptions are.
    """
    path = folder / FILE
    return parse_exceptions(read_text(path), words) if path.exists() else ()


def parse_exceptions(text: str, words: Words, file: str = FILE) -> tuple[Written, ...]:
    """Read the exceptions of a context's text one by one."""
    root = compose(text, file)
    if root is None:
        return ()
    check_format(root)
    listed = root.mapping().get("exceptions")
    if listed is None or listed[1].is_empty:
        return ()
    words = replace(words, applications=tuple(application_places(text, file)))
    seen: dict[str, str] = {}
    return tuple(_written(entry, words, seen) for entry in listed[1].entries())


def _written(entry: Entry, words: Words, seen: dict[str, str]) -> Written:
    faults: list[tuple[str, Fault]] = []
    places: dict[str, str] = {}
    found, name = None, ""
    try:
        filled = {key: value for key, (_, value) in entry.mapping().items() if not value.is_empty}
        places = {key: value.place for key, value in filled.items()}
        name = filled["id"].text() if "id" in filled else ""
        missing = [key for key in _NEEDED if key not in filled]
        faults += [(entry.place, _missing(key)) for key in missing]
        if not missing:
            found = exception(entry, words)
    except EstateError as error:
        place, _, problem = error.brief.partition(": ")
        fault = Fault(reason="CannotBeRead", key="", detail=problem, remedy=error.remedy)
        faults.append((place, fault))
    if name and name in seen:
        remedy = "Give each its own id, or merge them."
        fault = Fault(reason="SameId", key="id", detail=f"{seen[name]} has the same id.", remedy=remedy)
        faults.append((places["id"], fault))
    seen.setdefault(name, entry.place)
    return Written(id=name, place=entry.place, places=places, entry=found, faults=tuple(faults))


def _missing(key: str) -> Fault:
    return Fault(
        reason="Incomplete",
        key=key,
        detail=f"'{key}' is missing.",
        remedy=f"Add '{key}: ...' to this entry.",
    )


def exceptions_yaml(entries: Iterable[Mapping[str, str | date | tuple[str, ...]]], indent: int = 2) -> str:
    """Return entries as lines of YAML; a tuple holds the ids that the entry's `match` names."""
    pad = " " * indent
    lines = []
    for entry in entries:
        first = True
        for key, value in entry.items():
            if isinstance(value, tuple):
                shown = "{ids: [" + ", ".join(map(_quoted, value)) + "]}"
            else:
                shown = value.isoformat() if isinstance(value, date) else _quoted(value)
            lines.append(f"{pad}{'- ' if first else '  '}{key}: {shown}")
            first = False
    return "".join(f"{line}\n" for line in lines)


def comment(text: str) -> str:
    """Return text from outside as one line that can stand in a comment."""
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())


def put_into(file: Path, text: str, entries: str, words: Words) -> bool:
    """Write proposed exceptions into a file: a new context, or the section of one that is there.

    Args:
        file: Where to. What was in it is kept beside it, as `.previous`.
        text: The proposals as a whole file, for where there is none.
        entries: The proposals as entries, for a file that is there.
        words: What entries may name.

    Returns:
        Whether something was written; there has to be an entry for a file that is there.

    Raises:
        UsageError: The file is there, and nothing can be added to its exceptions.
        EstateError: It is no context, or would not be one afterwards; nothing was written.
    """
    if not file.exists():
        write_whole(file, text.encode())
        return True
    if not entries:
        return False
    before = read_text(file)
    after = _inserted(before, entries, file)
    new = [one for one in parse_exceptions(after, words, file.name) if one.faults]
    if new:
        place, fault = new[0].faults[0]
        raise EstateError(f"{place}: {fault.detail}", remedy=f"{fault.remedy} Nothing was written.")
    write_whole(file.with_name(f"{file.stem}.previous{file.suffix}"), file.read_bytes())
    write_whole(file, after.encode())
    return True


def _inserted(text: str, entries: str, file: Path) -> str:
    root = compose(text, file.name)
    if root is None:
        return f"format: {FORMAT}\n\nexceptions:\n{entries}"
    check_format(root)
    listed = root.mapping().get("exceptions")
    if listed is None:
        return text.rstrip("\n") + f"\n\nexceptions:\n{entries}"
    node = listed[1].node
    if not isinstance(node, yaml.SequenceNode) or node.flow_style:
        remedy = "Write the exceptions as lines that begin with '- ', or paste the proposals by hand."
        raise UsageError(f"{listed[1].place}: nothing can be added to this list.", remedy=remedy)
    # Before the first entry: behind the last one, comments belong to nobody knows whom.
    lines = text.splitlines(keepends=True)
    at, indent = node.start_mark.line, node.start_mark.column
    own = "".join(" " * indent + line[2:] for line in entries.splitlines(keepends=True))
    return "".join([*lines[:at], own, *lines[at:]])


def _quoted(text: str) -> str:
    legal = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    dumped = yaml.safe_dump(legal, default_style='"', allow_unicode=True, width=10**6)
    return str(dumped).rstrip("\n")
