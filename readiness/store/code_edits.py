"""Edits of code as text: what has to stand in a block or object is put in, all else stays as it is.

The readers of Terraform, Bicep and JSON files say where blocks, objects and values are. A value that is an
expression is never replaced: whoever feeds it has to be asked, so it is remarked on. So is a list or object
in which an expression may stand for the very thing that is looked for.
"""

import difflib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts that have to be in a list."""

    texts: tuple[str, ...]


Plain = bool | int | str | tuple[str, ...] | Texts
"""A value, names to list, or texts to list."""
Wanted = Mapping[str, "Plain | Wanted"]
"""What has to be in a block, by name: a value, or what has to be in a block within."""


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
        """Return the entry of that name, in whatever letter case: Azure takes both for the same."""
        return next((entry for entry in self.entries if entry.name.lower() == name.lower()), None)


@dataclass(frozen=True, slots=True)
class Syntax:
    """How a language writes."""

    sign: str
    """Between a name and its value."""
    quoted: Callable[[str], str]
    blocks: frozenset[str] = frozenset()
    """Names that are written as blocks, without a sign, right within a resource."""
    separator: str = ""
    """Between one entry and the next, where a new line is not enough."""
    expression: str = "${"
    """What a text in quotes has in it that is worked out."""
    quotes_names: bool = False
    """Whether every name stands in quotes; otherwise only one that is no word does."""

    def named(self, name: str) -> str:
        """Return a name as the language writes it."""
        return self.quoted(name) if self.quotes_names or not _WORD.fullmatch(name) else name

    def is_expression(self, text: str) -> bool:
        """Tell whether an item or a name, as it is written, may be something else when the code runs."""
        return self.expression in text or not text.startswith(self.quoted("")[0])


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
        missing: dict[str, Plain | Wanted] = {}
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

    def _change(self, entry: Entry, value: "Plain | Wanted") -> None:
        if isinstance(value, Mapping):
            if entry.scope is None:
                self._remark(entry.start, f"{entry.name} is an expression: edit its input", value)
            elif entry.name == _BY_ID:
                self._by_id(entry, entry.scope, value)
            else:
                self.revise(entry.scope, value, is_within=True)
        elif isinstance(value, Texts):
            self._texts(entry, value)
        elif isinstance(value, tuple):
            self._list(entry, value)
        elif entry.literal is None:
            self._remark(entry.start, f"{entry.name} is an expression: edit its input", value)
        else:
            new = joined(entry.literal, value) if _is_identity(entry, value) else value
            if not _same(entry.literal, new):
                self.edits.append((*entry.value, self._written(new)))

    def _by_id(self, entry: Entry, scope: Scope, value: Wanted) -> None:
        """Put ids into an object whose names are ids, in whatever letter case."""
        named = {one.name.lower() for one in scope.entries}
        missing = {name: inner for name, inner in value.items() if name.lower() not in named}
        if missing and any(self.syntax.expression in self._name_of(one) for one in scope.entries):
            self._remark(
                entry.start, f"{entry.name} has names that are expressions: edit their input", missing
            )
        elif missing:
            self._add(scope, missing, is_within=True)

    def _name_of(self, entry: Entry) -> str:
        return self.text[entry.start : entry.value[0]]

    def _texts(self, entry: Entry, value: Texts) -> None:
        """Put texts into a list, in whatever letter case they are there already."""
        items = [item.lower() for item in entry.items or ()]
        missing = [text for text in value.texts if self.syntax.quoted(text).lower() not in items]
        if entry.items is None or (missing and any(self.syntax.is_expression(item) for item in items)):
            what = f"{entry.name} is an expression, or has one in it: edit its input"
            self._remark(entry.start, what, tuple(missing))
        elif missing:
            self._list(entry, tuple(self.syntax.quoted(text) for text in missing))

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
            indent = self._indent_of(start) + self._step
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
        after = scope.entries[-1].value[1] if scope.entries and self.syntax.separator else None
        if "\n" in inside and not tail.strip():
            indent = self._indent_within(scope, tail)
            at = scope.closes - len(tail)
            if after is not None:
                self.edits.append((after, after, self.syntax.separator))
            self.edits.append((at, at, self._entries(missing, indent, is_within=is_within) + newline))
            return
        base = self._indent_of(scope.opens - 1)
        indent = base + self._step
        lines = self._entries(missing, indent, is_within=is_within) + newline + base
        if inside.strip() and "\n" not in inside:
            lead = len(inside) - len(inside.lstrip())
            self.edits.append((scope.opens, scope.opens + lead, newline + indent))
        trail = len(inside) - len(inside.rstrip())
        start = scope.closes - (trail if inside.strip() else len(inside))
        if after is not None and after < start:
            self.edits.append((after, after, self.syntax.separator))
        elif after is not None:
            lines = f"{self.syntax.separator}{newline}{lines}"
        self.edits.append((start, scope.closes, lines if after == start else newline + lines))

    def _entries(self, wanted: Wanted, indent: str, *, is_within: bool) -> str:
        """Return entries as they are written, one after another."""
        pieces = []
        for name, value in wanted.items():
            here = f"{indent}{self.syntax.named(name)}"
            if not isinstance(value, Mapping):
                pieces.append(f"{here}{self.syntax.sign}{self._written(value)}")
                continue
            sign = " " if name in self.syntax.blocks and not is_within else self.syntax.sign
            if value:
                inner = self._entries(value, indent + self._step, is_within=True)
                pieces.append(f"{here}{sign}{{{self._newline}{inner}{self._newline}{indent}}}")
            else:
                pieces.append(f"{here}{sign}{{}}")
        return f"{self.syntax.separator}{self._newline}".join(pieces)

    def _written(self, value: Plain) -> str:
        if isinstance(value, Texts):
            return f"[{', '.join(self.syntax.quoted(text) for text in value.texts)}]"
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

    @property
    def _step(self) -> str:
        """By how much the text indents: as its first indented line."""
        first = _INDENTED.search(self.text)
        return (first[1] if first[1].startswith(" ") else "\t") if first else "  "

    def _indent_of(self, place: int) -> str:
        line = self.text[self.text.rfind("\n", 0, place) + 1 : place]
        return line[: len(line) - len(line.lstrip())]

    def _indent_within(self, scope: Scope, base: str) -> str:
        for entry in scope.entries:
            line = self.text[self.text.rfind("\n", 0, entry.start) + 1 : entry.start]
            if not line.strip() and self.text.rfind("\n", 0, entry.start) >= scope.opens - 1:
                return line
        return base + self._step


def nested(path: Sequence[str], value: object, into: dict[str, object]) -> None:
    """Lay a value at a path into nested dictionaries."""
    for name in path[:-1]:
        inner = into.setdefault(name, {})
        assert isinstance(inner, dict)  # noqa: S101  no path of ours is both a value and a block
        into = inner
    into[path[-1]] = value


def joined(literal: object, value: object) -> str:
    """Return the identity type that keeps what the code names and adds what is wanted."""
    held = [part for part in _kinds(literal) if part.lower() != "none"]
    wanted = _kinds(value)
    if {part.lower() for part in wanted} <= {part.lower() for part in held}:
        return str(literal)
    every = {part.lower(): part for part in (*held, *wanted)}
    # azurerm takes the two in this order only.
    return ", ".join(sorted(every.values(), key=lambda part: part.lower()))


def _kinds(text: object) -> list[str]:
    return [part.strip() for part in str(text).split(",") if part.strip()]


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
    """Return a path as git and patch read it: in quotes with octal bytes, or with a tab behind blanks."""
    if path.isprintable() and not _QUOTED & set(path):
        return f"{path}\t" if " " in path else path
    plain = (chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}" for byte in path.encode())  # noqa: PLR2004
    return '"' + "".join(f"\\{one}" if one in _QUOTED else one for one in plain) + '"'


def _is_identity(entry: Entry, value: object) -> bool:
    return entry.name == "type" and set(_kinds(value)) <= _IDENTITIES


def _same(literal: object, value: object) -> bool:
    if isinstance(literal, str) and isinstance(value, str):
        return literal.lower() == value.lower()
    return type(literal) is type(value) and literal == value


def _told(value: object, path: str = "") -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from _told(inner, f"{path}.{name}" if path else str(name))
    else:
        texts = value.texts if isinstance(value, Texts) else value
        shown = ", ".join(texts) if isinstance(texts, tuple) else json.dumps(texts, ensure_ascii=False)
        yield f"{path} = {shown}" if path else shown


_INDENTED = re.compile(r"^([ ]{1,8}|\t)(?=\S)", re.MULTILINE)
_QUOTED = frozenset('"\\')
_WORD = re.compile(r"[A-Za-z_]\w*")
_IDENTITIES = {"SystemAssigned", "UserAssigned"}
_BY_ID = "userAssignedIdentities"
