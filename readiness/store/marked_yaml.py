"""YAML in which every value knows where it stands, for files that people write.

Stricter than YAML: no anchors and aliases (a copy that nobody sees), no tags, no duplicate keys. Plain
values are read from their text, so `22:00` is a time and `no` is a text, whatever YAML 1.1 makes of them.
Every complaint is an `EstateError` that names file, line and column, what is wrong, and what to do.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, time, timedelta
from difflib import get_close_matches
from enum import Enum
from typing import Any, TypeVar

import yaml
from msgspec import Struct

from readiness.errors import EstateError

_Kind = TypeVar("_Kind", bound=Enum)
_Value = TypeVar("_Value")
_LOADER: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def compose(text: str, file: str) -> "Entry | None":
    """Parse a YAML document into its root entry; None where the file holds nothing."""
    try:
        _refuse_anchors(text, file)
        node = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(error, text, file) from error
    except yaml.YAMLError as error:
        brief = f"{file} is not a YAML file."
        raise EstateError(brief, details=str(error), remedy="Save it as plain UTF-8 text.") from error
    return None if node is None else Entry(node, file)


def closest(word: str, known: Iterable[str]) -> str:
    """Return a sentence that names the closest known word, or all of them where none is close."""
    words = list(known)
    by_fold = {entry.lower(): entry for entry in words}
    close = get_close_matches(word.lower(), by_fold, n=1)
    if close:
        return f"Did you mean '{by_fold[close[0]]}'?"
    if 0 < len(words) <= _FEW:
        return f"Known here: {', '.join(words)}."
    return ""


class Cell(Struct, frozen=True):
    """The place of a value that came from a workbook."""

    place: str
    """Workbook, sheet and cell: `context.xlsx: Windows!C4`."""


class Entry:
    """One value of a YAML file, or of a workbook read as one, with its place."""

    def __init__(self, node: Any, file: str) -> None:
        self._node = node
        self._file = file

    @property
    def node(self) -> Any:
        """The YAML node that this value is."""
        return self._node

    @property
    def place(self) -> str:
        """File, line and column, counted from one; or the cell."""
        mark = self._node.start_mark
        if isinstance(mark, Cell):
            return mark.place
        return f"{self._file}:{mark.line + 1}:{mark.column + 1}"

    def error(self, problem: str, remedy: str, details: str = "") -> EstateError:
        """Return the error that says what is wrong with this value."""
        return EstateError(f"{self.place}: {problem}", details=details, remedy=remedy)

    def fields(self, *known: str, required: tuple[str, ...] = ()) -> dict[str, "Entry"]:
        """Return the entries of a mapping that may hold these keys; a key without a value is left out."""
        found = self.mapping()
        for key, (at, _) in found.items():
            if key not in known:
                remedy = closest(key, known) or f"Known here: {', '.join(known)}."
                raise at.error(f"'{key}' is not known here.", remedy)
        filled = {key: entry for key, (_, entry) in found.items() if not entry.is_empty}
        for key in required:
            if key not in filled:
                raise self.error(f"'{key}' is missing.", f"Add '{key}: ...' to this entry.")
        return filled

    def mapping(self) -> dict[str, tuple["Entry", "Entry"]]:
        """Return key to (the key's own entry, its value) of a mapping without duplicate keys."""
        if not isinstance(self._node, yaml.MappingNode):
            raise self.error(
                f"{self._kind} stands where keys with values are expected.", "Write 'key: value'."
            )
        found: dict[str, tuple[Entry, Entry]] = {}
        for key_node, value_node in self._node.value:
            key_entry = Entry(key_node, self._file)
            key = key_entry.text()
            if key in found:
                first = found[key][0].place
                raise key_entry.error(f"'{key}' stands here for the second time.", f"Keep one; see {first}.")
            found[key] = (key_entry, Entry(value_node, self._file))
        return found

    def entries(self) -> list["Entry"]:
        """Return the entries of a list."""
        if not isinstance(self._node, yaml.SequenceNode):
            raise self.error(
                f"{self._kind} stands where a list is expected.", "Write '[a, b]', or lines with '- '."
            )
        return [Entry(node, self._file) for node in self._node.value]

    def texts(self) -> tuple[str, ...]:
        """Return a list of texts."""
        return tuple(entry.text() for entry in self.entries())

    @property
    def is_empty(self) -> bool:
        """Whether nothing was written, or `null` or `~`."""
        return isinstance(self._node, yaml.ScalarNode) and self._node.tag.endswith(":null")

    def text(self) -> str:
        """Return the text as it was written."""
        if not isinstance(self._node, yaml.ScalarNode) or self.is_empty:
            raise self.error(f"{self._kind} stands where a text is expected.", "Write one value here.")
        return str(self._node.value).strip()

    def flag(self) -> bool:
        """Return a boolean."""
        value = self.text().lower()
        if value not in ("true", "false"):
            raise self.error(f"'{self.text()}' is neither true nor false.", "Write true or false.")
        return value == "true"

    def kind(self, kinds: type[_Kind]) -> _Kind:
        """Return the member of an enumeration whose value was written."""
        written = self.text()
        members = {str(member.value): member for member in kinds}
        if written not in members:
            known = ", ".join(members)
            raise self.error(
                f"'{written}' is none of {known}.", closest(written, members) or "Use one of them."
            )
        return members[written]

    def date(self) -> date:
        """Return a calendar day."""
        return self._converted(date.fromisoformat, "a date", "Write it as 2027-12-31.")

    def time(self) -> time:
        """Return a time of day without a zone."""
        return self._converted(_time, "a time of day", 'Write it as "22:00".')

    def duration(self) -> timedelta:
        """Return an ISO 8601 duration of days, hours and minutes."""
        return self._converted(_duration, "a duration", "Write it as PT6H, PT1H30M or P1D.")

    def _converted(self, convert: Callable[[str], _Value], kind: str, remedy: str) -> _Value:
        written = self.text()
        try:
            return convert(written)
        except ValueError as error:
            raise self.error(f"'{written}' is not {kind}.", remedy) from error

    @property
    def _kind(self) -> str:
        if self.is_empty:
            return "Nothing"
        names: Mapping[type[Any], str] = {yaml.MappingNode: "A mapping", yaml.SequenceNode: "A list"}
        return names.get(type(self._node), "A single value")


def _refuse_anchors(text: str, file: str) -> None:
    events: Iterable[Any] = yaml.parse(text, Loader=_LOADER)
    for event in events:
        place = f"{file}:{event.start_mark.line + 1}:{event.start_mark.column + 1}"
        if getattr(event, "anchor", None) is not None:
            brief = f"{place}: anchors and aliases (& and *) are not allowed here."
            raise EstateError(brief, remedy="Write the value out at each place where it applies.")
        if getattr(event, "tag", None) is not None:
            raise EstateError(f"{place}: tags ({event.tag}) are not allowed here.", remedy="Remove the tag.")


def _syntax_error(error: yaml.MarkedYAMLError, text: str, file: str) -> EstateError:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line, mark.column) if mark else (0, 0)
    lines = text.splitlines()
    written = lines[line] if line < len(lines) else ""
    brief = f"{file}:{line + 1}:{column + 1}: this is not valid YAML."
    if "\t" in written[: len(written) - len(written.lstrip())]:
        return EstateError(brief, details="The line is indented with a tab.", remedy="Indent with spaces.")
    remedy = "Check indentation, quotes and brackets here and in the line above."
    return EstateError(brief, details=f"The parser says: {error.problem}.", remedy=remedy)


def _time(text: str) -> time:
    found = time.fromisoformat(text)
    if found.tzinfo is not None or ":" not in text:
        raise ValueError(text)
    return found


def _duration(text: str) -> timedelta:
    found = _DURATION.fullmatch(text)
    if found is None or not any(found.groups()):
        raise ValueError(text)
    days, hours, minutes = (int(part or 0) for part in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes)


_DURATION = re.compile(r"P(?:(\d{1,3})D)?(?:T(?=\d)(?:(\d{1,4})H)?(?:(\d{1,5})M)?)?", re.ASCII)
_FEW = 12
