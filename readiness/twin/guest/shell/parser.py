"""The grammar of the shell: lists, pipelines, conditions, loops and groups.

Functions and `case` are not understood, and are syntax errors in the words of the shell.
"""

from dataclasses import dataclass
from typing import TypeAlias

from readiness.twin.guest.shell.lexer import Lexer, ShellSyntaxError, Token, Word

_REDIRECTIONS = {">", ">>", "<", "<<", "<<-", ">&", "<&", "&>", "&>>"}
_CLOSING = {"then", "else", "elif", "fi", "do", "done", "}"}


@dataclass(frozen=True, slots=True)
class Redirection:
    """Where a stream of a command goes, or comes from."""

    stream: int
    operator: str
    target: Word


@dataclass(frozen=True, slots=True)
class Simple:
    """A command with its arguments."""

    words: tuple[Word, ...]
    redirections: tuple[Redirection, ...]
    line: int


@dataclass(frozen=True, slots=True)
class If:
    """Conditions with what follows from each."""

    branches: tuple[tuple["List", "List"], ...]
    otherwise: "List | None"
    redirections: tuple[Redirection, ...] = ()


@dataclass(frozen=True, slots=True)
class While:
    """A loop with a condition, or with its contrary."""

    condition: "List"
    body: "List"
    until: bool
    redirections: tuple[Redirection, ...] = ()


@dataclass(frozen=True, slots=True)
class For:
    """A loop over words."""

    name: str
    words: tuple[Word, ...]
    body: "List"
    redirections: tuple[Redirection, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Commands in braces, or, in a shell of their own, in parentheses."""

    body: "List"
    is_subshell: bool
    redirections: tuple[Redirection, ...] = ()


Command: TypeAlias = Simple | If | While | For | Group


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Commands, each of which reads what the one before it wrote."""

    commands: tuple[Command, ...]
    is_negated: bool


@dataclass(frozen=True, slots=True)
class Chain:
    """Pipelines joined by `&&` and `||`."""

    first: Pipeline
    rest: tuple[tuple[str, Pipeline], ...]


List: TypeAlias = tuple[Chain, ...]


def parse(text: str) -> List:
    """Read a script."""
    parser = _Parser(Lexer(text).tokens())
    parsed = parser.block(set())
    if not parser.is_done:
        raise parser.unexpected()
    return parsed


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0

    @property
    def is_done(self) -> bool:
        return self._at >= len(self._tokens)

    def unexpected(self) -> ShellSyntaxError:
        """Refuse what stands here."""
        if self.is_done:
            line = self._tokens[-1].line if self._tokens else 1
            return ShellSyntaxError(f"{line}: Syntax error: end of file unexpected")
        token = self._tokens[self._at]
        shown = "newline" if token.operator == "\n" else f'"{token.operator or token.plain or "word"}"'
        return ShellSyntaxError(f"{token.line}: Syntax error: {shown} unexpected")

    def block(self, ends: set[str]) -> List:
        """Read commands up to one of these words, which stays."""
        chains: list[Chain] = []
        while True:
            while self._is_operator(";", "\n"):
                self._at += 1
            if self.is_done or self._is_operator(")") or self._plain() in ends:
                return tuple(chains)
            chains.append(self._chain())
            if not self._is_end():
                raise self.unexpected()

    def _is_end(self) -> bool:
        return self.is_done or self._is_operator(";", "\n", ")")

    def _chain(self) -> Chain:
        first, rest = self._pipeline(), []
        while self._is_operator("&&", "||"):
            operator = self._take().operator
            self._skip_lines()
            rest.append((operator, self._pipeline()))
        return Chain(first, tuple(rest))

    def _pipeline(self) -> Pipeline:
        is_negated = self._plain() == "!"
        if is_negated:
            self._at += 1
        commands = [self._command()]
        while self._is_operator("|"):
            self._at += 1
            self._skip_lines()
            commands.append(self._command())
        return Pipeline(tuple(commands), is_negated)

    def _command(self) -> Command:
        match self._plain():
            case "if":
                return self._if()
            case "while" | "until":
                return self._while()
            case "for":
                return self._for()
            case "{":
                self._at += 1
                body = self.block({"}"})
                self._need("}")
                return Group(body, is_subshell=False, redirections=self._redirections())
            case word if word in _CLOSING or word in ("case", "function"):
                raise self.unexpected()
            case _:
                pass
        if self._is_operator("("):
            self._at += 1
            body = self.block(set())
            if not self._is_operator(")"):
                raise self.unexpected()
            self._at += 1
            return Group(body, is_subshell=True, redirections=self._redirections())
        return self._simple()

    def _simple(self) -> Simple:
        words, redirections, start = [], [], self._at
        while not self.is_done:
            token = self._tokens[self._at]
            if token.operator in _REDIRECTIONS:
                redirections.append(self._redirection())
            elif token.operator:
                break
            else:
                words.append(self._take().word)
        if self._at == start or self._is_operator("(", "&", ";;"):
            raise self.unexpected()
        return Simple(tuple(words), tuple(redirections), self._tokens[start].line)

    def _redirection(self) -> Redirection:
        token = self._take()
        if self.is_done or self._tokens[self._at].operator:
            raise self.unexpected()
        usual = "0" if token.operator[0] == "<" else "1"
        return Redirection(int(token.number or usual), token.operator, self._take().word)

    def _redirections(self) -> tuple[Redirection, ...]:
        found = []
        while not self.is_done and self._tokens[self._at].operator in _REDIRECTIONS:
            found.append(self._redirection())
        return tuple(found)

    def _if(self) -> If:
        branches, otherwise = [], None
        while True:
            self._at += 1  # if, or elif
            condition = self.block({"then"})
            self._need("then")
            branches.append((condition, self.block({"elif", "else", "fi"})))
            if self._plain() != "elif":
                break
        if self._plain() == "else":
            self._at += 1
            otherwise = self.block({"fi"})
        self._need("fi")
        return If(tuple(branches), otherwise, self._redirections())

    def _while(self) -> While:
        until = self._take().plain == "until"
        condition = self.block({"do"})
        return While(condition, self._loop_body(), until, self._redirections())

    def _for(self) -> For:
        self._at += 1
        name, words = self._take().plain, []
        self._need("in")
        while not (self.is_done or self._tokens[self._at].operator):
            words.append(self._take().word)
        while self._is_operator(";", "\n"):
            self._at += 1
        return For(name, tuple(words), self._loop_body(), self._redirections())

    def _loop_body(self) -> List:
        self._need("do")
        body = self.block({"done"})
        self._need("done")
        return body

    def _need(self, word: str) -> None:
        if self._plain() != word:
            raise self.unexpected()
        self._at += 1

    def _take(self) -> Token:
        if self.is_done:
            raise self.unexpected()
        self._at += 1
        return self._tokens[self._at - 1]

    def _skip_lines(self) -> None:
        while self._is_operator("\n"):
            self._at += 1

    def _plain(self) -> str:
        return "" if self.is_done else self._tokens[self._at].plain

    def _is_operator(self, *operators: str) -> bool:
        return not self.is_done and self._tokens[self._at].operator in operators
