"""What the readers of Terraform, Bicep and JSON say of a text: blocks, objects, values, and their places.

Nothing is evaluated. A value is either written out, or an expression of which only the place is known.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

_WORD = re.compile(r"[A-Za-z_]\w*")
Literal = bool | int | str | None
"""A value as it is written out; None for an expression."""


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a list that is written out."""

    value: tuple[int, int]
    """From where to where it stands in the text."""
    literal: Literal = None
    scope: "Scope | None" = None
    """What is within, where it is an object."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One attribute, property or block within a scope."""

    name: str
    start: int
    value: tuple[int, int]
    """From where to where its value stands in the text."""
    literal: Literal = None
    scope: "Scope | None" = None
    """What is within, where it is a block or a literal object."""
    items: tuple[Item, ...] | None = None
    """Its items, where it is a literal list."""
    is_block: bool = False
    """Whether it is written without a sign, and may stand there several times."""
    is_null: bool = False

    @property
    def is_blank(self) -> bool:
        """Whether it says that there is nothing."""
        return self.is_null or self.literal == "" or self.items == ()

    @property
    def is_expression(self) -> bool:
        """Whether nobody can tell from here what it is."""
        return self.literal is None and self.scope is None and self.items is None and not self.is_null


@dataclass(frozen=True, slots=True)
class Scope:
    """The inside of one pair of braces."""

    opens: int
    """After the opening brace."""
    closes: int
    """At the closing brace."""
    entries: tuple[Entry, ...] = ()
    made: tuple[Entry, ...] = ()
    """Blocks that are made by an expression (`dynamic`), with the place of that."""

    def entry(self, name: str) -> Entry | None:
        """Return the entry of that name, in whatever letter case: Azure takes both for the same."""
        return next((entry for entry in self.entries if entry.name.lower() == name.lower()), None)

    def at(self, *path: str) -> Entry | None:
        """Return the entry at a path of names; None where there is none, or an expression before it."""
        found: Entry | None = None
        scope: Scope | None = self
        for name in path:
            found = scope.entry(name) if scope is not None else None
            scope = found.scope if found is not None else None
        return found

    def text(self, name: str) -> str | None:
        """Return a text that is written out under a name."""
        entry = self.entry(name)
        return entry.literal if entry is not None and isinstance(entry.literal, str) else None

    def maker(self, name: str) -> Entry | None:
        """Return what makes the blocks of a name, if an expression does."""
        return next((entry for entry in self.made if entry.name.lower() == name.lower()), None)


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
    list_separator: str = ","
    """Between items of a list that stand on lines of their own."""
    expression: str = "${"
    """What a name in quotes has in it that is worked out."""
    quotes_names: bool = False
    """Whether every name stands in quotes; otherwise only one that is no word does."""

    def named(self, name: str) -> str:
        """Return a name as the language writes it."""
        return self.quoted(name) if self.quotes_names or not _WORD.fullmatch(name) else name

    def keyword(self, name: str) -> str:
        """Return the name of an attribute as it stands in a list."""
        return self.quoted(name) if self.quotes_names else name


def line_of(text: str, place: int) -> int:
    """Return the number of the line in which a place is."""
    return text.count("\n", 0, place) + 1
