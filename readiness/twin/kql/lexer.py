"""Takes the text of a query apart into tokens, each with its place; comments are left out."""

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""
    (?P<space>\s+|//[^\n]*)
  | (?P<number>\d+(?:\.\d+)?)
  | (?P<text>@?'(?:[^'\\\n]|\\.)*'|@?"(?:[^"\\\n]|\\.)*")
  | (?P<word>project-away|project-keep|project-rename|project-reorder|mv-expand|mv-apply
      |[A-Za-z_$][A-Za-z0-9_]*)
  | (?P<sign>==|=~|!=|!~|<=|>=|<|>|=|\||\(|\)|\[|\]|,|\.|!|-|\+|\*|/|%|;|:|\{|\}|~)
    """,
    re.VERBOSE,
)
_ESCAPED = re.compile(r"\\(.)")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


class QueryError(ValueError):
    """A query that is not understood: what of it, and where."""

    def __init__(self, code: str, message: str, token: "Token | None" = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.token = token


@dataclass(frozen=True, slots=True)
class Token:
    """One word of a query."""

    kind: str
    text: str
    line: int
    column: int


def tokens(text: str) -> list[Token]:
    """Return the tokens of a query, with one of kind `end` behind the last."""
    found: list[Token] = []
    place, line, start = 0, 1, 0
    while place < len(text):
        matched = _TOKEN.match(text, place)
        here = Token("", text[place], line, place - start)
        if matched is None:
            raise QueryError("ParserFailure", f"The character '{text[place]}' is not expected.", here)
        kind, piece = str(matched.lastgroup), matched[0]
        if kind != "space":
            found.append(Token(kind, piece, line, place - start))
        if "\n" in piece:
            line += piece.count("\n")
            start = place + piece.rindex("\n") + 1
        place = matched.end()
    found.append(Token("end", "<EOF>", line, place - start))
    return found


def unquoted(token: Token) -> str:
    """Return the text that a literal stands for."""
    if token.text.startswith("@"):
        return token.text[2:-1]
    return _ESCAPED.sub(lambda found: _ESCAPES.get(found[1], found[1]), token.text[1:-1])


class Reader:
    """Tokens that are read one after the other."""

    def __init__(self, text: str) -> None:
        self._tokens = tokens(text)
        self._place = 0

    @property
    def next(self) -> Token:
        """Return the next token without taking it."""
        return self._tokens[self._place]

    def take(self) -> Token:
        """Take the next token."""
        token = self.next
        self._place += token.kind != "end"
        return token

    def takes(self, *texts: str) -> str | None:
        """Take the next token if it is one of these words or signs, and return which one, in lower case."""
        found = self.next.text.lower()
        if self.next.kind in ("word", "sign") and found in texts:
            self.take()
            return found
        return None

    def need(self, *texts: str) -> str:
        """Take one of these words or signs, or refuse the query."""
        found = self.takes(*texts)
        if found is None:
            raise self.unexpected(" or ".join(f"'{text}'" for text in texts))
        return found

    def name(self) -> str:
        """Take the name of a column, or refuse the query."""
        if self.next.kind != "word":
            raise self.unexpected("a column")
        return self.take().text

    def unexpected(self, wanted: str) -> QueryError:
        """Return the refusal of the next token."""
        return QueryError(
            "ParserFailure", f"'{self.next.text}' stands where {wanted} is expected.", self.next
        )
