"""Edits of code as text: what has to stand in a block or object is put in, all else stays as it is.

The readers of Terraform, Bicep and JSON files say where blocks, objects and values are. A value that is an
expression is never replaced: whoever feeds it has to be asked, so it is remarked on. So is a list or object
in which an expression may stand for the very thing that is looked for.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from readiness.store.code_tree import Entry, Scope, Syntax
from readiness.store.code_wanted import Chosen, Plain, Texts, Wanted, Whole, told


@dataclass(frozen=True, slots=True)
class Doubt:
    """A place that a person has to look at."""

    place: int
    what: str
    expression: tuple[int, int] | None = None
    """From where to where an expression stands that was left alone."""


@dataclass(slots=True)
class Revision:
    """Edits of one text, and what a person has to look at, by place."""

    text: str
    syntax: Syntax
    edits: list[tuple[int, int, str]] = field(default_factory=list)
    remarks: list[Doubt] = field(default_factory=list)
    _newline: str = field(init=False)
    _step: str = field(init=False)

    def __post_init__(self) -> None:
        """Look at how the text ends its lines, and by how much it indents."""
        self._newline = "\r\n" if "\r\n" in self.text else "\n"
        self._step = _step_of(self.text)

    @property
    def revised(self) -> str:
        """The text with all edits."""
        pieces, end = [], len(self.text)
        for start, stop, new in sorted(self.edits, reverse=True):
            pieces += [self.text[stop:end], new]
            end = start
        return "".join(reversed([*pieces, self.text[:end]]))

    def revise(self, scope: Scope, wanted: Wanted, *, is_within: bool = False) -> None:
        """Put what is wanted into a scope: that of a resource, or one within it."""
        missing: dict[str, Plain | Wanted] = {}
        for name, value in wanted.items():
            entry, maker = scope.entry(name), scope.maker(name)
            if isinstance(value, Chosen):
                self._choose(scope, name, value, missing)
            elif entry is not None:
                self._change(entry, value)
            elif maker is not None:
                what = f"{name} is made by a dynamic block: edit its input"
                self._doubt(maker.start, what, value, maker.value)
            else:
                missing[name] = value
        if missing:
            plain = {name: value for name, value in missing.items() if not isinstance(value, Mapping)}
            self._add(scope, plain | missing, is_within=is_within)

    def append(self, listed: Sequence[Entry], new: Sequence[Wanted]) -> None:
        """Write more objects behind the last of a list, or more blocks behind the last of a name.

        Args:
            listed: The blocks of that name; or the one entry that is a list, or an object in place of one.
            new: What has to be in each of the new ones.
        """
        last, newline = listed[-1], self._newline
        outer = self._indent_of(last.start)
        if last.is_block:
            texts = (self._entries({last.name: one}, outer, is_within=True, as_blocks=True) for one in new)
            self.edits.append((last.value[1], last.value[1], "".join(f"{newline}{text}" for text in texts)))
            return
        places = [item.value for item in last.items] if last.items is not None else [last.value]
        indent = self._indent_of(places[-1][0]) if places and last.items else outer + self._step
        texts = (self._entries(one, indent + self._step, is_within=True) for one in new)
        objects = [f"{newline}{indent}{{{newline}{text}{newline}{indent}}}" for text in texts]
        separator = self.syntax.list_separator
        if not places:
            self.edits.append((*last.value, f"[{separator.join(objects)}{newline}{outer}]"))
            return
        at = places[-1][1]
        added = "".join(separator + one for one in objects)
        if last.items is None:
            self.edits += [(places[0][0], places[0][0], "["), (at, at, f"{added}{newline}{outer}]")]
        else:
            self.edits.append((at, at, added))

    def _choose(self, scope: Scope, name: str, value: Chosen, missing: dict[str, "Plain | Wanted"]) -> None:
        """Let one of several names speak, in the place of those that speak now."""
        entry = scope.entry(name)
        others = [one for other in value.others if (one := scope.entry(other)) and not one.is_blank]
        told = [one for one in (entry, *others) if one is not None and one.is_expression]
        for one in told:
            what = f"{one.name} is an expression: edit its input"
            self._doubt(one.start, what, {name: value.value}, one.value)
        if told:
            return
        if entry is not None:
            self._change(entry, value.value)
        elif others:
            first, others = others[0], others[1:]
            written = f"{self.syntax.named(name)}{self.syntax.sign}{self._written(value.value)}"
            self.edits.append((first.start, first.value[1], written))
        else:
            missing[name] = value.value
        for other in others:
            self.edits.append((*other.value, "[]" if other.items else self.syntax.quoted("")))

    def _change(self, entry: Entry, value: "Plain | Wanted") -> None:
        if isinstance(value, Mapping):
            if entry.scope is None:
                self._doubt(entry.start, f"{entry.name} is an expression: edit its input", value, entry.value)
            elif entry.name == _BY_ID:
                self._by_id(entry, entry.scope, value)
            else:
                self.revise(entry.scope, value, is_within=True)
        elif isinstance(value, Texts):
            self._texts(entry, value)
        elif isinstance(value, Whole):
            self._whole(entry, value)
        elif isinstance(value, tuple):
            self._list(entry, value)
        elif entry.is_null:
            self.edits.append((*entry.value, self._written(value)))
        elif entry.literal is None:
            self._doubt(entry.start, f"{entry.name} is an expression: edit its input", value, entry.value)
        else:
            new = joined(entry.literal, value) if _is_identity(entry, value) else value
            if not _same(entry.literal, new):
                self.edits.append((*entry.value, self._written(new)))

    def _by_id(self, entry: Entry, scope: Scope, value: Wanted) -> None:
        """Put ids into an object whose names are ids, in whatever letter case."""
        named = {one.name.lower() for one in scope.entries}
        missing = {name: inner for name, inner in value.items() if name.lower() not in named}
        if missing and any(self._is_worked_out(one) for one in scope.entries):
            what = f"{entry.name} has names that are expressions: edit their input"
            self._doubt(entry.start, what, missing, entry.value)
        elif missing:
            self._add(scope, missing, is_within=True)

    def _is_worked_out(self, entry: Entry) -> bool:
        name = self.text[entry.start : entry.value[0]]
        return self.syntax.expression in name or name.startswith("(")

    def _texts(self, entry: Entry, value: Texts) -> None:
        """Put texts into a list, in whatever letter case they are there already."""
        items = [item.literal for item in entry.items or ()]
        held = {item.lower() for item in items if isinstance(item, str)}
        missing = tuple(text for text in value.texts if text.lower() not in held)
        if entry.items is None or (missing and None in items):
            what = f"{entry.name} is an expression, or has one in it: edit its input"
            self._doubt(entry.start, what, missing, entry.value)
        elif missing:
            self._insert(entry, [self.syntax.quoted(text) for text in missing])

    def _whole(self, entry: Entry, value: Whole) -> None:
        items = None if entry.items is None else [item.literal for item in entry.items]
        if items is None or None in items:
            what = f"{entry.name} is an expression, or has one in it: edit its input"
            self._doubt(entry.start, what, value, entry.value)
        elif {str(item).lower() for item in items} != {text.lower() for text in value.texts}:
            self.edits.append((*entry.value, self._written(value)))

    def _list(self, entry: Entry, names: tuple[str, ...]) -> None:
        start, end = entry.value
        if self.text[start:end].strip().strip('"') == "all":
            return
        if entry.items is None:
            self._doubt(entry.start, f"{entry.name} is an expression: edit its input", names, entry.value)
            return
        held = {self.text[slice(*item.value)].strip().strip('"') for item in entry.items}
        if new := [self.syntax.keyword(name) for name in names if name not in held]:
            self._insert(entry, new)

    def _insert(self, entry: Entry, new: list[str]) -> None:
        """Put items before those of a list."""
        start, end = entry.value
        inside = self.text[start + 1 : end - 1]
        if "\n" in inside and not inside.partition("\n")[0].strip() and entry.items:
            indent = self._indent_of(start) + self._step
            lines = "".join(f"{indent}{name},{self._newline}" for name in new)
            at = start + 1 + inside.index("\n") + 1
        else:
            lines = ", ".join(new) + (", " if entry.items else "")
            at = start + 1 + (len(inside) - len(inside.lstrip()) if entry.items else 0)
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

    def _entries(self, wanted: Wanted, indent: str, *, is_within: bool, as_blocks: bool = False) -> str:
        """Return entries as they are written, one after another."""
        pieces = []
        for name, value in wanted.items():
            here = f"{indent}{self.syntax.named(name)}"
            if not isinstance(value, Mapping):
                pieces.append(f"{here}{self.syntax.sign}{self._written(value)}")
                continue
            is_block = as_blocks or (name in self.syntax.blocks and not is_within)
            sign = " " if is_block else self.syntax.sign
            if value:
                inner = self._entries(value, indent + self._step, is_within=True)
                pieces.append(f"{here}{sign}{{{self._newline}{inner}{self._newline}{indent}}}")
            else:
                pieces.append(f"{here}{sign}{{}}")
        return f"{self.syntax.separator}{self._newline}".join(pieces)

    def _written(self, value: Plain) -> str:
        if isinstance(value, Chosen):
            return self._written(value.value)
        if isinstance(value, Texts | Whole):
            return f"[{', '.join(self.syntax.quoted(text) for text in value.texts)}]"
        if isinstance(value, tuple):
            return f"[{', '.join(self.syntax.keyword(name) for name in value)}]"
        if isinstance(value, bool):
            return "true" if value else "false"
        return str(value) if isinstance(value, int) else self.syntax.quoted(value)

    def _doubt(self, place: int, what: str, value: object, expression: tuple[int, int]) -> None:
        said = f"{what}; it has to say {'; '.join(told(value))}"
        self.remarks.append(Doubt(place, said, expression))

    def _indent_of(self, place: int) -> str:
        line = self.text[self.text.rfind("\n", 0, place) + 1 : place]
        return line[: len(line) - len(line.lstrip())]

    def _indent_within(self, scope: Scope, base: str) -> str:
        for entry in scope.entries:
            line = self.text[self.text.rfind("\n", 0, entry.start) + 1 : entry.start]
            if not line.strip() and self.text.rfind("\n", 0, entry.start) >= scope.opens - 1:
                return line
        return base + self._step


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


def _is_identity(entry: Entry, value: object) -> bool:
    return entry.name == "type" and set(_kinds(value)) <= _IDENTITIES


def _same(literal: object, value: object) -> bool:
    if isinstance(literal, str) and isinstance(value, str):
        return literal.lower() == value.lower()
    if isinstance(literal, str) and isinstance(value, bool | int):
        # Terraform takes "true" for true, and "100" for 100.
        return literal.lower() == str(value).lower()
    return type(literal) is type(value) and literal == value


def _step_of(text: str) -> str:
    """Return by how much a text indents: what most of its lines have more than the line before."""
    found: Counter[str] = Counter()
    above = ""
    for hit in _INDENTED.finditer(text):
        here = hit[1]
        if len(here) > len(above) and here.startswith(above):
            found[here[len(above) :]] += 1
        above = here
    return next((step for step, _ in found.most_common(1) if len(step) <= _WIDEST), "  ")


_INDENTED = re.compile(r"^([ \t]*)(?=\S)", re.MULTILINE)
_WIDEST = 8
_IDENTITIES = {"SystemAssigned", "UserAssigned"}
_BY_ID = "userAssignedIdentities"
