"""A small reader of Bicep: which resources and modules a file declares, and where their properties stand.

It knows comments, strings of one line and of several, interpolation, brackets, conditions, loops, decorators
and nested resources. Expressions are passed over whole, never evaluated.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from readiness.store.code_tree import Entry, Item, Literal, Scope
from readiness.store.declared_files import Declaration

_DECLARED = re.compile(r"(resource|module)[ \t]+([A-Za-z_]\w*)[ \t]+'")
_NAMED = re.compile(r"(param|var)[ \t]+([A-Za-z_]\w*)")
_USING = re.compile(r"using[ \t]+'([^'\n]*)'")
_LOOP = re.compile(r"\[\s*for\b")
_WORD = re.compile(r"[A-Za-z_]\w*")
_LINES = ("//", "#")
"""What makes the rest of a line a comment, or a word to the linter (`#disable-next-line`)."""
_CLOSING = {"{": "}", "[": "]", "(": ")"}
_DEEPEST = 200


class BicepError(Exception):
    """A file is no Bicep: where, and what is wrong."""

    def __init__(self, place: int, what: str) -> None:
        super().__init__(what)
        self.place = place
        self.what = what


@dataclass(frozen=True, slots=True)
class BicepText:
    """What a file declares, those of `existing` resources aside."""

    declared: tuple[Declaration, ...]
    """Its resources and modules."""
    named: tuple[Entry, ...]
    """Its parameters and variables, under the names that its expressions use."""


def read_text(text: str) -> BicepText:
    """Return what a file declares.

    Raises:
        BicepError: A string, comment or bracket has no end, or a property no name.
    """
    reader = _Reader(text)
    declared = reader.file()
    return BicepText(tuple(declared), tuple(reader.named))


def used_file(text: str) -> str | None:
    """Return the path of the file whose parameters a file of parameters sets."""
    hit = _USING.search(text)
    return hit[1] if hit else None


class _Reader:
    def __init__(self, text: str) -> None:
        self.named: list[Entry] = []
        self._text = text
        self._at = 0
        self._depth = 0
        self._found: list[Declaration] = []

    def file(self) -> list[Declaration]:
        while self._blank(lines=True):
            hit = _NAMED.match(self._text, self._at)
            if not self._declaration():
                start = self._at
                ends = self._expression(stops="")
                if hit is not None:
                    says = self._text[hit.end() : ends].lstrip().removeprefix("=").strip()
                    literal = _literal(says) if hit[1] == "var" else None
                    self.named.append(Entry(name=hit[2], start=start, value=(start, ends), literal=literal))
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
        body = self._at
        is_loop = self._text.startswith("[", body)
        scope = None
        if self._text.startswith("{", self._at):
            scope = self._object()
        elif is_loop:
            self._balanced()
        else:
            raise BicepError(self._at, f"{hit[1]} {hit[2]} has no body")
        if not is_existing:
            is_module = hit[1] == "module"
            resource = kind if is_module else kind.partition("@")[0].lower()
            symbol = f"module {hit[2]}" if is_module else hit[2]
            name = None if is_loop else _name(scope)
            # Of a loop, what it goes over.
            span = (body, self._text.find(":", body)) if is_loop else (start, self._at)
            self._found.append(Declaration(start, symbol, resource, is_module, is_loop, scope, span, name))
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
        begins, items, scope = self._at, None, None
        if self._text.startswith("[", begins) and not _LOOP.match(self._text, begins):
            items = self._list()
        elif self._text.startswith("{", begins):
            scope = self._object()
        closed = self._at
        ends = self._expression(stops="},")
        if ends > closed:
            scope, items = None, None
        written = self._text[begins:ends]
        return Entry(
            name=name,
            start=start,
            value=(begins, ends),
            scope=scope,
            items=items,
            literal=_literal(written),
            is_null=written == "null",
        )

    def _list(self) -> tuple[Item, ...]:
        """Read from an opening bracket to behind its closing one."""
        self._enter()
        opening = self._at
        self._at += 1
        items: list[Item] = []
        while self._blank(lines=True, also=","):
            start = self._at
            if self._text[start] == "]":
                self._at += 1
                self._depth -= 1
                return tuple(items)
            scope = self._object() if self._text[start] == "{" else None
            closed = self._at
            ends = self._expression(stops=",]")
            literal = _literal(self._text[start:ends])
            items.append(Item((start, ends), literal, scope if ends <= closed else None))
        raise BicepError(opening, "'[' is never closed")

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
            elif self._text.startswith("/*", self._at) or (lines and self._text.startswith(_LINES, self._at)):
                self._comment()
            else:
                return True
        return False

    def _comment(self) -> str:
        start = self._at
        if self._text.startswith(_LINES, start):
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


def _literal(written: str) -> Literal:
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
