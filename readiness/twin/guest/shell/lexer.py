"""The words and operators of a shell script.

Guarantees: quoting is kept with each piece of a word, so that what is quoted is never split or matched; a
here-document belongs to the operator that asked for it. What is not understood is a `ShellSyntaxError`.
"""

import re
from dataclasses import dataclass
from typing import Literal

_OPERATOR = re.compile(r"&&|\|\||;;|&>>|&>|<<-|<<|>>|>&|<&|[;&|()<>\n]")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9?#@*$!-]")
_BLANK = " \t\r"
_ENDS_WORD = set(" \t\r\n;&|()<>")

Kind = Literal["text", "variable", "command", "arithmetic"]


class ShellSyntaxError(Exception):
    """A script that the shell cannot read."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a word: text, or what is put in its place."""

    kind: Kind
    text: str
    is_quoted: bool
    operator: str = ""
    """Of a variable: `:-`, `-`, `:+`, `#`, `%` and the like, with `operand`."""
    operand: str = ""


Word = tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Token:
    """A word or an operator."""

    operator: str
    """Empty for a word."""
    word: Word
    line: int
    number: str = ""
    """Of a redirection: the file descriptor before it."""

    @property
    def plain(self) -> str:
        """Return a word that has nothing quoted and nothing to replace, as reserved words have to be."""
        if len(self.word) == 1 and self.word[0].kind == "text" and not self.word[0].is_quoted:
            return self.word[0].text
        return ""


class Lexer:
    """Reads a script from its start to its end."""

    def __init__(self, text: str) -> None:
        self._text = text.replace("\r\n", "\n")
        self._at = 0
        self._line = 1
        self._waiting: list[tuple[int, bool]] = []
        """Here-documents whose bodies start after this line: the index of their word, and if tabs go."""
        self._tokens: list[Token] = []

    def tokens(self) -> list[Token]:
        """Return all tokens."""
        while self._skip():
            self._next()
        if self._waiting:
            self._read_documents()
        return self._tokens

    def _skip(self) -> bool:
        text = self._text
        while self._at < len(text):
            char = text[self._at]
            if char in _BLANK:
                self._at += 1
            elif text.startswith("\\\n", self._at):
                self._at += 2
                self._line += 1
            elif char == "#":
                end = text.find("\n", self._at)
                self._at = len(text) if end < 0 else end
            else:
                return True
        return False

    def _next(self) -> None:
        found = _OPERATOR.match(self._text, self._at)
        if found is None:
            self._tokens.append(self._word_token())
            return
        operator = found[0]
        self._at = found.end()
        self._tokens.append(Token(operator, (), self._line, self._number(operator)))
        if operator in ("<<", "<<-"):
            self._skip()
            self._tokens.append(self._word_token())
            self._waiting.append((len(self._tokens) - 1, operator == "<<-"))
        if operator == "\n":
            self._line += 1
            self._read_documents()

    def _number(self, operator: str) -> str:
        """Take the digit before a redirection for its file descriptor, as in `2>`."""
        if operator[0] not in "<>" or not self._tokens:
            return ""
        before = self._tokens[-1]
        start = self._at - len(operator)
        if before.plain.isdigit() and self._text[start - 1 : start] == before.plain[-1:]:
            self._tokens.pop()
            return before.plain
        return ""

    def _read_documents(self) -> None:
        for index, strips in self._waiting:
            token = self._tokens[index]
            end = "".join(piece.text for piece in token.word)
            lines = []
            while True:
                if self._at >= len(self._text):
                    break  # a real shell warns and takes what there is
                line, _, _ = self._text[self._at :].partition("\n")
                self._at += len(line) + 1
                self._line += 1
                line = line.lstrip("\t") if strips else line
                if line == end:
                    break
                lines.append(line + "\n")
            is_quoted = any(piece.is_quoted for piece in token.word)
            body = "".join(lines)
            word = (Piece("text", body, is_quoted=True),) if is_quoted else quoted_pieces(body)
            self._tokens[index] = Token("", word, token.line)
        self._waiting.clear()

    def _word_token(self) -> Token:
        line, pieces, text = self._line, [], self._text
        while self._at < len(text) and text[self._at] not in _ENDS_WORD:
            char = text[self._at]
            if char == "'":
                end = text.find("'", self._at + 1)
                if end < 0:
                    raise ShellSyntaxError(f"{line}: Syntax error: Unterminated quoted string")
                pieces.append(Piece("text", text[self._at + 1 : end], is_quoted=True))
                self._advance(end + 1)
            elif char == '"':
                end = _closing_quote(text, self._at + 1, line)
                pieces.extend(quoted_pieces(text[self._at + 1 : end]) or (Piece("text", "", is_quoted=True),))
                self._advance(end + 1)
            elif char == "\\":
                pieces.append(Piece("text", text[self._at + 1 : self._at + 2], is_quoted=True))
                self._advance(self._at + 2)
            elif char in "$`":
                piece, end = _replacement(text, self._at, is_quoted=False, line=line)
                pieces.append(piece)
                self._advance(end)
            else:
                end = self._at
                while end < len(text) and text[end] not in _ENDS_WORD and text[end] not in "'\"\\$`":
                    end += 1
                pieces.append(Piece("text", text[self._at : end], is_quoted=False))
                self._at = end
        return Token("", tuple(pieces), line)

    def _advance(self, end: int) -> None:
        self._line += self._text.count("\n", self._at, end)
        self._at = end


def _closing_quote(text: str, at: int, line: int) -> int:
    while at < len(text):
        if text[at] == "\\":
            at += 2
        elif text.startswith("$(", at):
            at = _closing_parenthesis(text, at + 2, line) + 1
        elif text[at] == '"':
            return at
        else:
            at += 1
    raise ShellSyntaxError(f"{line}: Syntax error: Unterminated quoted string")


def _closing_parenthesis(text: str, at: int, line: int) -> int:
    depth = 1
    while at < len(text):
        char = text[at]
        if char == "\\":
            at += 1
        elif char == "'":
            at = text.find("'", at + 1)
            if at < 0:
                break
        elif char == '"':
            at = _closing_quote(text, at + 1, line)
        elif char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
            if not depth:
                return at
        at += 1
    raise ShellSyntaxError(f'{line}: Syntax error: end of file unexpected (expecting ")")')


def quoted_pieces(text: str) -> Word:
    """Take apart what stands between double quotes, or in a here-document."""
    pieces: list[Piece] = []
    plain, at = "", 0
    while at < len(text):
        char = text[at]
        if char == "\\" and text[at + 1 : at + 2] in ("$", "`", '"', "\\", "\n"):
            plain += "" if text[at + 1] == "\n" else text[at + 1]
            at += 2
        elif char in "$`":
            piece, at = _replacement(text, at, is_quoted=True, line=1)
            if piece.kind == "text":
                plain += piece.text
                continue
            if plain:
                pieces.append(Piece("text", plain, is_quoted=True))
                plain = ""
            pieces.append(piece)
        else:
            plain += char
            at += 1
    if plain:
        pieces.append(Piece("text", plain, is_quoted=True))
    return tuple(pieces)


_BRACED = re.compile(r"(#?)([A-Za-z_][A-Za-z0-9_]*|[0-9?#@*$!-])(:?[-=?+]|##?|%%?)?(.*)", re.DOTALL)


def _replacement(text: str, at: int, *, is_quoted: bool, line: int) -> tuple[Piece, int]:
    """Take a `$` or a backtick and what belongs to it."""
    if text[at] == "`":
        end = text.find("`", at + 1)
        if end < 0:
            raise ShellSyntaxError(f"{line}: Syntax error: EOF in backquote substitution")
        return Piece("command", text[at + 1 : end], is_quoted), end + 1
    if text.startswith("$((", at):
        end = _closing_parenthesis(text, at + 2, line)
        return Piece("arithmetic", text[at + 3 : end - 1], is_quoted), end + 1
    if text.startswith("$(", at):
        end = _closing_parenthesis(text, at + 2, line)
        return Piece("command", text[at + 2 : end], is_quoted), end + 1
    if text.startswith("${", at):
        end = text.find("}", at)
        found = _BRACED.fullmatch(text[at + 2 : end]) if end > 0 else None
        if found is None:
            raise ShellSyntaxError(f"{line}: Bad substitution")
        operator = "length" if found[1] else found[3] or ""
        return Piece("variable", found[2], is_quoted, operator, found[4]), end + 1
    found = _NAME.match(text, at + 1)
    if found is None:
        return Piece("text", "$", is_quoted), at + 1
    return Piece("variable", found[0], is_quoted), found.end()
