"""A small reader of Bicep: which resources and modules a file declares, and where their properties stand.

It knows comments, strings of one line and of several, interpolation, brackets, conditions, loops, decorators
and nested resources. Expressions are passed over whole, never evaluated.
"""

import re
from collections.abc import Iterator

from readiness.store.code_edits import Entry, Scope
from readiness.store.declared_files import Declaration

_DECLARED = re.compile(r"(resource|module)[ \t]+([A-Za-z_]\w*)[ \t]+'")
_WORD = re.compile(r"[A-Za-z_]\w*")
_CLOSING = {"{": "}", "[": "]", "(": ")"}
_DEEPEST = 200


class BicepError(Exception):
    """A file is no Bicep: where, and what is wrong."""

    def __init__(self, place: int, what: str) -> None:
        super().__init__(what)
        self.place = place
        self.what = what


def declarations(text: str) -> list[Declaration]:
    """Return every resource and module of a file, those of `existing` resources aside.

    Raises:
        BicepError: A string, comment or bracket has no end, or a property no name.
    """
    return _Reader(text).file()


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0
        self._found: list[Declaration] = []

    def file(self) -> list[Declaration]:
        while self._blank(lines=True):
            if not self._declaration():
                self._expression(stops="")
        return sorted(self._found, key=lambda found: found.start)

    def _declaration(self) -> bool:
        hit = _DECLARED.match(self._text, self._at)
        if hit is None:
            return False
        start, self._at = self._at, hit.end() - 1
        kind = self._text[self._at + 1 : self._string() - 1]
        self._blank(lines=False)
        is_existing = self._word("existing")
        if not self._take("="):
            raise BicepError(self._at, f"{hit[1]} {hit[2]} has no '='")
        self._blank(lines=True)
        if self._word("if"):
            self._blank(lines=True)
            self._balanced()
            self._blank(lines=True)
        is_loop = self._text.startswith("[", self._at)
        scope = None
        if self._text.startswith("{", self._at):
            scope = self._object()
        elif is_loop:
            self._balanced()
        else:
            raise BicepError(self._at, f"{hit[1]} {hit[2]} has no body")
        if not is_existing:
            resource = kind.partition("@")[0].lower()
            is_module = hit[1] == "module"
            symbol = f"module {hit[2]}" if is_module else hit[2]
            name = None if is_loop else _name(scope)
            self._found.append(Declaration(start, symbol, resource, is_module, is_loop, scope, name))
        return True

    def _object(self) -> Scope:
        """Read from an opening brace to behind its closing one."""
        self._enter()
        opening = self._at
        self._at += 1
        entries: list[Entry] = []
        while True:
            if not self._blank(lines=True, also=","):
                raise BicepError(opening, "this brace is never closed")
            if self._text[self._at] == "}":
                self._at += 1
                self._depth -= 1
                return Scope(opens=opening + 1, closes=self._at - 1, entries=tuple(entries))
            if self._text[self._at] == "@" or self._text.startswith("...", self._at):
                self._expression(stops="},")
            elif not self._declaration():
                entries.append(self._entry())

    def _enter(self) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise BicepError(self._at, f"braces are nested more than {_DEEPEST} deep")

    def _entry(self) -> Entry:
        start = self._at
        word = _WORD.match(self._text, self._at)
        if word is not None:
            name, self._at = word[0], word.end()
        elif self._text[self._at] == "'":
            name = self._text[start + 1 : self._string() - 1]
        else:
            raise BicepError(start, "a property has to begin with its name")
        self._blank(lines=False)
        if not self._take(":"):
            raise BicepError(start, f"property {name[:60]} has no ':'")
        self._blank(lines=True)
        begins = self._at
        scope = self._object() if self._text.startswith("{", begins) else None
        closed = self._at
        ends = self._expression(stops="},")
        if scope is not None and ends > closed:
            scope = None
        value = (begins, ends)
        return Entry(
            name=name, start=start, value=value, scope=scope, literal=_literal(self._text[slice(*value)])
        )

    def _expression(self, stops: str) -> int:
        """Go on to one of `stops` or a line's end; return where the expression itself ends."""
        ends = self._at
        while self._at < len(self._text):
            here = self._text[self._at]
            if here == "\n" and self._goes_on():
                continue
            if here in stops or here == "\n":
                break
            if self._text.startswith(("//", "/*"), self._at):
                self._comment()
                continue
            if here == "'":
                self._string()
            elif here in _CLOSING:
                self._balanced()
            elif here in "}])":
                raise BicepError(self._at, f"'{here}' closes nothing")
            else:
                self._at += 1
            if not here.isspace():
                ends = self._at
        return ends

    def _goes_on(self) -> bool:
        """Go to the next line that says anything, if it goes on with an expression; tell whether it does."""
        kept = self._at
        more = self._blank(lines=True)
        following = self._text[self._at : self._at + 2] if more else ""
        if more and (following[:1] in ("?", ":") or following in ("||", "&&")):
            return True
        self._at = kept
        return False

    def _balanced(self) -> None:
        """Go behind the bracket that closes the one here."""
        self._enter()
        opened: list[int] = []
        while self._blank(lines=True):
            here = self._text[self._at]
            if here == "'":
                self._string()
                continue
            if here in _CLOSING:
                opened.append(self._at)
            elif here in "}])":
                if _CLOSING[self._text[opened.pop()]] != here:
                    raise BicepError(self._at, f"'{here}' closes another bracket")
                if not opened:
                    self._at += 1
                    self._depth -= 1
                    return
            self._at += 1
        raise BicepError(opened[-1], f"'{self._text[opened[-1]]}' is never closed")

    def _string(self) -> int:
        """Go behind a string, and return where that is."""
        start = self._at
        if self._text.startswith("'''", start):
            end = self._text.find("'''", start + 3)
            if end < 0:
                raise BicepError(start, "this string of several lines is never closed")
            self._at = end + 3
            while self._text.startswith("'", self._at):
                self._at += 1
            return self._at
        self._at += 1
        while self._at < len(self._text) and self._text[self._at] not in "\r\n":
            here = self._text[self._at]
            if here == "'":
                self._at += 1
                return self._at
            if here == "$" and self._text.startswith("${", self._at):
                self._at += 1
                self._balanced()
            else:
                self._at += 2 if here == "\\" else 1
        raise BicepError(start, "this string is never closed")

    def _blank(self, *, lines: bool, also: str = "") -> bool:
        """Go on to what is neither space nor comment; tell whether there is any."""
        while self._at < len(self._text):
            here = self._text[self._at]
            if here in " \t" or here in also or (lines and here in "\r\n"):
                self._at += 1
            elif self._text.startswith("/*", self._at) or (lines and self._text.startswith("//", self._at)):
                self._comment()
            else:
                return True
        return False

    def _comment(self) -> str:
        start = self._at
        if self._text.startswith("//", start):
            end = self._text.find("\n", start)
            self._at = len(self._text) if end < 0 else end
        else:
            end = self._text.find("*/", start + 2)
            if end < 0:
                raise BicepError(start, "this comment is never closed")
            self._at = end + 2
        return self._text[start : self._at]

    def _word(self, word: str) -> bool:
        hit = _WORD.match(self._text, self._at)
        if hit is None or hit[0] != word:
            return False
        self._at = hit.end()
        self._blank(lines=False)
        return True

    def _take(self, sign: str) -> bool:
        if not self._text.startswith(sign, self._at):
            return False
        self._at += len(sign)
        return True


def _name(scope: Scope | None) -> str | None:
    entry = scope.entry("name") if scope else None
    return entry.literal if entry is not None and isinstance(entry.literal, str) else None


def _literal(written: str) -> bool | int | str | None:
    if written in ("true", "false"):
        return written == "true"
    if re.fullmatch(r"-?\d{1,18}", written):
        return int(written)
    if re.fullmatch(r"'(?:[^'\\$]|\\.|\$(?!\{))*'", written):
        return "".join(_plain(written[1:-1]))
    return None


def _plain(written: str) -> Iterator[str]:
    """Yield a string without its escapes."""
    named = {"n": "\n", "r": "\r", "t": "\t"}
    for part in re.finditer(r"\\(.)|([^\\])", written, re.DOTALL):
        yield part[2] if part[2] is not None else named.get(part[1], part[1])
