"""A small reader of ARM templates in JSON: which resources a template declares, and where in it.

It knows what Azure Resource Manager takes beside JSON: comments, and strings of several lines. Expressions,
which are strings in brackets, are passed over whole, never evaluated.
"""

import json
import re
from collections.abc import Iterator

from readiness.store.code_edits import Entry, Scope
from readiness.store.declared_files import Declaration

_SCHEMA = re.compile(r"deploymentTemplate\.json", re.IGNORECASE)
_BLANK = re.compile(r"(?:[ \t\r\n]+|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_PLAIN = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null")
_NESTED = "microsoft.resources/deployments"
_DIGITS = 18
"""Of a number that counts; no setting of a VM has more."""
_SURROGATE = re.compile("[\ud800-\udfff]")
_DEEPEST = 200
_LONGEST = 80


class ArmError(Exception):
    """A file is no template: where, and what is wrong."""

    def __init__(self, place: int, what: str) -> None:
        super().__init__(what)
        self.place = place
        self.what = what


class _List:
    """The objects of an array, and where each starts."""

    def __init__(self) -> None:
        self.objects: list[tuple[int, Scope]] = []


def is_template(text: str) -> bool:
    """Tell whether a text names the schema of ARM templates; files of parameters and of others do not."""
    return _SCHEMA.search(text) is not None


def declarations(text: str) -> list[Declaration]:
    """Return every resource of a template, and the nested templates, those of `existing` resources aside.

    Raises:
        ArmError: It is not JSON.
    """
    reader = _Reader(text)
    whole = reader.file()
    return sorted(_declared(whole, reader, None), key=lambda found: found.start)


def _declared(scope: Scope, reader: "_Reader", parent: Declaration | None) -> Iterator[Declaration]:
    """Yield the resources within a template, or within a resource."""
    entry = scope.entry("resources")
    if entry is None:
        return
    if entry.scope is not None:
        # Since language version 2.0 resources have symbolic names.
        inside = [(one.start, one.scope) for one in entry.scope.entries if one.scope is not None]
    else:
        inside = reader.lists.get(entry.value[0], _List()).objects
    for start, one in inside:
        found = _resource(start, one, parent, reader.text)
        if _is_true(one, "existing"):
            continue
        yield found
        yield from _declared(one, reader, found)


def _resource(start: int, scope: Scope, parent: Declaration | None, text: str) -> Declaration:
    kind, name = (_text(scope, "type") or "").lower(), _text(scope, "name")
    within = parent is not None and "." not in kind.partition("/")[0]
    if within and parent is not None:
        kind = f"{parent.type}/{kind}"
        name = f"{parent.name}/{name}" if name is not None and parent.name is not None else None
    is_module = kind == _NESTED
    is_loop = scope.entry("copy") is not None or (parent is not None and parent.is_loop)
    written = scope.entry("name")
    symbol = " ".join(text[slice(*written.value)].split())[:_LONGEST] if written else "without a name"
    return Declaration(
        start=start,
        symbol=f"nested template {symbol}" if is_module else symbol,
        type=kind,
        is_module=is_module,
        is_loop=is_loop,
        scope=scope,
        name=None if is_loop else name,
    )


def _text(scope: Scope, name: str) -> str | None:
    entry = scope.entry(name)
    return entry.literal if entry is not None and isinstance(entry.literal, str) else None


def _is_true(scope: Scope, name: str) -> bool:
    entry = scope.entry(name)
    return entry is not None and entry.literal is True


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self._at = 0
        self._depth = 0
        self.lists: dict[int, _List] = {}
        """Arrays of the file, by where they start."""

    def file(self) -> Scope:
        self._at = 1 if self.text.startswith("\ufeff") else 0
        self._blank()
        if self._here() != "{":
            raise ArmError(self._at, "a template is an object in braces")
        scope = self._object()
        self._blank()
        if self._at < len(self.text):
            raise ArmError(self._at, "something stands behind the end of the template")
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
                raise ArmError(start, f"{name[:_LONGEST]!a} stands twice in one object")
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
        begins = self._at
        scope, literal = self._value()
        value = (begins, self._at)
        return Entry(name=name, start=start, value=value, scope=scope, literal=literal)

    def _value(self) -> tuple[Scope | None, bool | int | str | None]:
        """Read a value; return the inside of an object, and what is written out."""
        here = self._here()
        if here == "{":
            return self._object(), None
        if here == "[":
            self._array()
            return None, None
        if here == '"':
            return None, _literal(str(json.loads(self._string(), strict=False)))
        hit = _PLAIN.match(self.text, self._at)
        if hit is None:
            raise ArmError(self._at, "a value has to stand here")
        self._at = hit.end()
        value = json.loads(hit[0]) if len(hit[0]) <= _DIGITS else None
        return None, value if isinstance(value, bool | int) else None

    def _array(self) -> None:
        opening = self._enter()
        found = self.lists[opening] = _List()
        self._blank()
        if self._here() != "]":
            while True:
                self._blank()
                start = self._at
                scope, _ = self._value()
                if scope is not None:
                    found.objects.append((start, scope))
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
            raise ArmError(self._at if here else opening, f"a comma or '{closing}' is missing")
        return False

    def _enter(self) -> int:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ArmError(self._at, f"brackets are nested more than {_DEEPEST} deep")
        self._at += 1
        return self._at - 1

    def _leave(self) -> None:
        self._depth -= 1
        self._at += 1

    def _string(self) -> str:
        """Return the string that stands here, with its quotes, and go behind it."""
        hit = _STRING.match(self.text, self._at)
        if hit is None:
            raise ArmError(self._at, "a text in double quotes has to stand here, or it is never closed")
        self._at = hit.end()
        try:
            json.loads(hit[0], strict=False)
        except ValueError as error:
            raise ArmError(hit.start(), "this text has an escape that JSON does not know") from error
        return hit[0]

    def _take(self, sign: str) -> None:
        if self._here() != sign:
            raise ArmError(self._at, f"'{sign}' is missing")
        self._at += 1

    def _here(self) -> str:
        return self.text[self._at : self._at + 1]

    def _blank(self) -> None:
        hit = _BLANK.match(self.text, self._at)
        self._at = hit.end() if hit else self._at


def _literal(text: str) -> str | None:
    """Return a string as it counts: one in brackets is an expression, a doubled bracket stands for one.

    Half a character, which no file can hold, is nothing that is written out.
    """
    if text.startswith("[["):
        return text[1:]
    is_expression = text.startswith("[") and text.endswith("]")
    return None if is_expression or _SURROGATE.search(text) else text
