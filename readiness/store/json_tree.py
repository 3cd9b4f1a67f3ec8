"""A reader of JSON with the place of everything: for ARM templates and for Terraform's `.tf.json`.

It knows what Azure Resource Manager takes beside JSON: comments, and strings of several lines. What a string
counts as, where it may be an expression, is the caller's to say.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from readiness.store.code_tree import Entry, Item, Literal, Scope

_BLANK = re.compile(r"(?:[ \t\r\n]+|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_PLAIN = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null")
_DIGITS = 18
"""Of a number that counts; no setting of a VM has more."""
_SURROGATE = re.compile("[\ud800-\udfff]")
_DEEPEST = 200
_LONGEST = 80


class JsonError(Exception):
    """A file is no JSON: where, and what is wrong."""

    def __init__(self, place: int, what: str) -> None:
        super().__init__(what)
        self.place = place
        self.what = what


@dataclass(frozen=True, slots=True)
class _Value:
    """A value with its place; half a character, which no file can hold, is nothing that is written out."""

    value: tuple[int, int]
    literal: Literal = None
    scope: Scope | None = None
    items: tuple[Item, ...] | None = None


def read_json(text: str, written_out: Callable[[str], Literal]) -> Scope:
    """Return the object that a text is.

    Args:
        text: The text of a file.
        written_out: Returns what a string counts as; None where it is an expression.

    Raises:
        JsonError: It is no object in JSON, or a name stands twice in one object.
    """
    return _Reader(text, written_out).file()


class _Reader:
    def __init__(self, text: str, written_out: Callable[[str], Literal]) -> None:
        self.text = text
        self._written_out = written_out
        self._at = 0
        self._depth = 0

    def file(self) -> Scope:
        self._at = 1 if self.text.startswith("\ufeff") else 0
        self._blank()
        if self._here() != "{":
            raise JsonError(self._at, "the file has to be an object in braces")
        scope = self._object()
        self._blank()
        if self._at < len(self.text):
            raise JsonError(self._at, "something stands behind the end of the object")
        return scope

    def _object(self) -> Scope:
        """Read from an opening brace to behind its closing one."""
        opening = self._enter()
        entries: list[Entry] = []
        names: set[str] = set()
        while True:
            self._blank()
            if self._here() == "}" and not entries:
                break
            start = self._at
            name = str(json.loads(self._string(), strict=False))
            if name.lower() in names:
                raise JsonError(start, f"{name[:_LONGEST]!a} stands twice in one object")
            names.add(name.lower())
            self._blank()
            self._take(":")
            self._blank()
            entries.append(self._entry(name, start))
            if not self._goes_on("}", opening):
                break
        self._leave()
        return Scope(opens=opening + 1, closes=self._at - 1, entries=tuple(entries))

    def _entry(self, name: str, start: int) -> Entry:
        one = self._value()
        is_null = self.text.startswith("null", one.value[0])
        return Entry(name, start, one.value, one.literal, one.scope, one.items, is_null=is_null)

    def _value(self) -> "_Value":
        """Read a value, with what is in it."""
        begins, here = self._at, self._here()
        if here == "{":
            scope = self._object()
            return _Value((begins, self._at), scope=scope)
        if here == "[":
            items = tuple(self._array())
            return _Value((begins, self._at), items=items)
        if here == '"':
            text = str(json.loads(self._string(), strict=False))
            return _Value(
                (begins, self._at), literal=None if _SURROGATE.search(text) else self._written_out(text)
            )
        hit = _PLAIN.match(self.text, self._at)
        if hit is None:
            raise JsonError(self._at, "a value has to stand here")
        self._at = hit.end()
        value = json.loads(hit[0]) if len(hit[0]) <= _DIGITS else None
        return _Value((begins, self._at), literal=value if isinstance(value, bool | int) else None)

    def _array(self) -> Iterator[Item]:
        opening = self._enter()
        self._blank()
        if self._here() != "]":
            while True:
                self._blank()
                one = self._value()
                yield Item(one.value, one.literal, one.scope)
                if not self._goes_on("]", opening):
                    break
        self._leave()

    def _goes_on(self, closing: str, opening: int) -> bool:
        """Go on behind a comma; tell whether there is one, and not the closing bracket."""
        self._blank()
        here = self._here()
        if here == ",":
            self._at += 1
            return True
        if here != closing:
            raise JsonError(self._at if here else opening, f"a comma or '{closing}' is missing")
        return False

    def _enter(self) -> int:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise JsonError(self._at, f"brackets are nested more than {_DEEPEST} deep")
        self._at += 1
        return self._at - 1

    def _leave(self) -> None:
        self._depth -= 1
        self._at += 1

    def _string(self) -> str:
        """Return the string that stands here, with its quotes, and go behind it."""
        hit = _STRING.match(self.text, self._at)
        if hit is None:
            raise JsonError(self._at, "a text in double quotes has to stand here, or it is never closed")
        self._at = hit.end()
        try:
            json.loads(hit[0], strict=False)
        except ValueError as error:
            raise JsonError(hit.start(), "this text has an escape that JSON does not know") from error
        return hit[0]

    def _take(self, sign: str) -> None:
        if self._here() != sign:
            raise JsonError(self._at, f"'{sign}' is missing")
        self._at += 1

    def _here(self) -> str:
        return self.text[self._at : self._at + 1]

    def _blank(self) -> None:
        hit = _BLANK.match(self.text, self._at)
        self._at = hit.end() if hit else self._at
