"""Edits of code as text: what has to stand in a block or object is put in, all else stays as it is.

The readers of Terraform and Bicep files say where blocks, objects and values are. A value that is an
expression is never replaced: whoever feeds it has to be asked, so it is remarked on.
"""

import difflib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

Wanted = Mapping[str, "bool | int | str | tuple[str, ...] | Wanted"]
"""What has to be in a block, by name: a value, names to list, or what has to be in a block within."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One attribute, property or block within a scope."""

    name: str
    start: int
    value: tuple[int, int]
    """From where to where its value stands in the text."""
    literal: bool | int | str | None = None
    """Its value where it is written out; None for an expression."""
    scope: "Scope | None" = None
    """What is within, where it is a block or a literal object."""
    items: tuple[str, ...] | None = None
    """The texts of its items, where it is a literal list."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The inside of one pair of braces."""

    opens: int
    """After the opening brace."""
    closes: int
    """At the closing brace."""
    entries: tuple[Entry, ...] = ()
    made: tuple[str, ...] = ()
    """Blocks that are made by an expression (`dynamic`)."""

    def entry(self, name: str) -> Entry | None:
        """Return the entry of that name."""
        return next((entry for entry in self.entries if entry.name == name), None)


@dataclass(frozen=True, slots=True)
class Syntax:
    """How a language writes."""

    sign: str
    """Between a name and its value."""
    quoted: Callable[[str], str]
    blocks: frozenset[str] = frozenset()
    """Names that are written as blocks, without a sign, right within a resource."""


@dataclass(slots=True)
class Revision:
    """Edits of one text, and what a person has to look at, by place."""

    text: str
    syntax: Syntax
    edits: list[tuple[int, int, str]] = field(default_factory=list)
    remarks: list[tuple[int, str]] = field(default_factory=list)

    @property
    def revised(self) -> str:
        """The text with all edits."""
        text = self.text
        for start, end, new in sorted(self.edits, reverse=True):
            text = text[:start] + new + text[end:]
        return text

    def revise(self, scope: Scope, wanted: Wanted, *, is_within: bool = False) -> None:
        """Put what is wanted into a scope: that of a resource, or one within it."""
        missing: dict[str, bool | int | str | tuple[str, ...] | Wanted] = {}
        for name, value in wanted.items():
            entry = scope.entry(name)
            if entry is not None:
                self._change(entry, value)
            elif name in scope.made:
                self._remark(scope.opens, f"{name} is made by a dynamic block: edit its input", value)
            else:
                missing[name] = value
        if missing:
            plain = {name: value for name, value in missing.items() if not isinstance(value, Mapping)}
            self._add(scope, plain | missing, is_within=is_within)

    def _change(self, entry: Entry, value: "bool | int | str | tuple[str, ...] | Wanted") -> None:
        if isinstance(value, Mapping):
            if entry.scope is not None:
                self.revise(entry.scope, value, is_within=True)
            else:
                self._remark(entry.start, f"{entry.name} is an expression: edit its input", value)
        elif isinstance(value, tuple):
            self._list(entry, value)
        elif entry.literal is None:
            self._remark(entry.start, f"{entry.name} is an expression: edit its input", value)
        else:
            new = joined(entry.literal, value) if _is_identity(entry, value) else value
            if not _same(entry.literal, new):
                self.edits.append((*entry.value, self._written(new)))

    def _list(self, entry: Entry, names: tuple[str, ...]) -> None:
        start, end = entry.value
        if self.text[start:end].strip() == "all":
            return
        if entry.items is None:
            self._remark(entry.start, f"{entry.name} is an expression: edit its input", names)
            return
        new = [name for name in names if name not in entry.items]
        if not new:
            return
        inside = self.text[start + 1 : end - 1]
        if "\n" in inside:
            indent = self._indent_of(start) + "  "
            lines = "".join(f"{indent}{name},{self._newline}" for name in new)
            at = start + 1 + inside.index("\n") + 1
        else:
            lines = ", ".join(new) + (", " if entry.items else "")
            at = start + 1 + (len(inside) - len(inside.lstrip()))
        self.edits.append((at, at, lines))

    def _add(self, scope: Scope, missing: Wanted, *, is_within: bool) -> None:
        """Write new entries before the closing brace, on lines of their own."""
        newline = self._newline
        inside = self.text[scope.opens : scope.closes]
        tail = inside.rpartition("\n")[2]
        if "\n" in inside and not tail.strip():
            indent = self._indent_within(scope, tail)
            lines = newline.join(self._lines(missing, indent, is_within=is_within)) + newline
            at = scope.closes - len(tail)
            self.edits.append((at, at, lines))
            return
        base = self._indent_of(scope.opens - 1)
        indent = base + "  "
        lines = newline.join(self._lines(missing, indent, is_within=is_within)) + newline + base
        if inside.strip() and "\n" not in inside:
            lead = len(inside) - len(inside.lstrip())
            self.edits.append((scope.opens, scope.opens + lead, newline + indent))
        trail = len(inside) - len(inside.rstrip())
        start = scope.closes - (trail if inside.strip() else len(inside))
        self.edits.append((start, scope.closes, newline + lines))

    def _lines(self, wanted: Wanted, indent: str, *, is_within: bool) -> Iterator[str]:
        for name, value in wanted.items():
            if isinstance(value, Mapping):
                sign = " " if name in self.syntax.blocks and not is_within else self.syntax.sign
                yield f"{indent}{name}{sign}{{"
                yield from self._lines(value, indent + "  ", is_within=True)
                yield f"{indent}}}"
            else:
                yield f"{indent}{name}{self.syntax.sign}{self._written(value)}"

    def _written(self, value: "bool | int | str | tuple[str, ...]") -> str:
        if isinstance(value, tuple):
            return f"[{', '.join(value)}]"
        if isinstance(value, bool):
            return "true" if value else "false"
        return str(value) if isinstance(value, int) else self.syntax.quoted(value)

    def _remark(self, place: int, what: str, value: object) -> None:
        self.remarks.append((place, f"{what}; it has to say {'; '.join(_told(value))}"))

    @property
    def _newline(self) -> str:
        return "\r\n" if "\r\n" in self.text else "\n"

    def _indent_of(self, place: int) -> str:
        line = self.text[self.text.rfind("\n", 0, place) + 1 : place]
        return line[: len(line) - len(line.lstrip())]

    def _indent_within(self, scope: Scope, base: str) -> str:
        for entry in scope.entries:
            line = self.text[self.text.rfind("\n", 0, entry.start) + 1 : entry.start]
            if not line.strip() and self.text.rfind("\n", 0, entry.start) >= scope.opens - 1:
                return line
        return base + "  "


def nested(path: Sequence[str], value: object, into: dict[str, object]) -> None:
    """Lay a value at a path into nested dictionaries."""
    for name in path[:-1]:
        inner = into.setdefault(name, {})
        assert isinstance(inner, dict)  # noqa: S101  no path of ours is both a value and a block
        into = inner
    into[path[-1]] = value


def joined(literal: object, value: object) -> str:
    """Return the identity type that keeps what the code names and adds the system-assigned one."""
    held = [part.strip() for part in str(literal).split(",") if part.strip().lower() not in ("", "none")]
    if any(part.lower() == str(value).lower() for part in held):
        return str(literal)
    return ", ".join([str(value), *held])


def diff(file: str, before: str, after: str) -> str:
    """Return the unified diff of a file, with paths as `git apply` and `patch -p1` take them."""
    paths = [_path(f"a/{file}"), _path(f"b/{file}")]
    lines = difflib.unified_diff(_lines_of(before), _lines_of(after), paths[0], paths[1])
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def line_of(text: str, place: int) -> int:
    """Return the number of the line in which a place is."""
    return text.count("\n", 0, place) + 1


def _lines_of(text: str) -> list[str]:
    # Not `splitlines`: it ends lines at characters that are none for `patch`.
    pieces = text.split("\n")
    return [f"{piece}\n" for piece in pieces[:-1]] + ([pieces[-1]] if pieces[-1] else [])


def _path(path: str) -> str:
    return path if path.isprintable() and '"' not in path else json.dumps(path)


def _is_identity(entry: Entry, value: object) -> bool:
    return entry.name == "type" and value == "SystemAssigned"


def _same(literal: object, value: object) -> bool:
    if isinstance(literal, str) and isinstance(value, str):
        return literal.lower() == value.lower()
    return type(literal) is type(value) and literal == value


def _told(value: object, path: str = "") -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _told(inner, f"{path}.{name}" if path else str(name))
    else:
        shown = ", ".join(value) if isinstance(value, tuple) else json.dumps(value, ensure_ascii=False)
        yield f"{path} = {shown}" if path else shown
