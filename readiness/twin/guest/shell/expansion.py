"""What is put in the place of variables, commands, arithmetic and patterns, and how words are split."""

import ast
import operator as operators
import re
from collections.abc import Callable
from fnmatch import translate

from readiness.twin.guest.files import absolute
from readiness.twin.guest.shell.lexer import Piece, ShellSyntaxError, Word, quoted_pieces
from readiness.twin.guest.shell.process import ShellState

_STARS = "*?["


class UnsetVariable(Exception):  # noqa: N818  what `set -u` makes of it
    """A variable that is not set."""


def text_of(shell: ShellState, word: Word) -> str:
    """Return a word as one text, as assignments and redirections take it."""
    first = word[0] if word else None
    values = [value_of(shell, piece) for piece in word]
    if first is not None and first.kind == "text" and not first.is_quoted:
        values[0] = _home(shell, values[0])
    return "".join(values)


def fields_of(shell: ShellState, words: tuple[Word, ...]) -> list[str]:
    """Return the arguments that words make."""
    return [field for word in words for field in _fields(shell, word)]


def _fields(shell: ShellState, word: Word) -> list[str]:
    fields: list[list[tuple[str, bool]]] = []
    is_open = False
    for index, piece in enumerate(word):
        if piece.kind == "variable" and piece.text == "@" and piece.is_quoted:
            fields.extend([(each, True)] for each in shell.positional)
            is_open = bool(shell.positional)
            continue
        value = value_of(shell, piece)
        if piece.kind == "text" and not piece.is_quoted and index == 0:
            value = _home(shell, value)
        if piece.is_quoted or piece.kind == "text":
            if not is_open:
                fields.append([])
            fields[-1].append((value, piece.is_quoted))
            is_open = True
            continue
        parts = value.split()
        if value[:1].isspace():
            is_open = False
        for position, part in enumerate(parts):
            if position or not is_open:
                fields.append([])
            fields[-1].append((part, False))
            is_open = True
        if value[-1:].isspace():
            is_open = False
    return [found for field in fields for found in _matched(shell, field)]


def _matched(shell: ShellState, field: list[tuple[str, bool]]) -> list[str]:
    plain = "".join(text for text, _ in field)
    if not any(not is_quoted and any(star in text for star in _STARS) for text, is_quoted in field):
        return [plain]
    pattern = "".join(re.sub(r"([*?\[])", r"[\1]", text) if is_quoted else text for text, is_quoted in field)
    found = shell.session.guest.files.matching(absolute(pattern, shell.folder))
    return found or [plain]


def _home(shell: ShellState, text: str) -> str:
    found = re.match(r"~([a-z_][a-z0-9_-]*)?(?=/|$)", text)
    if found is None:
        return text
    user = shell.session.guest.users.get(found[1] or "root")
    return text if user is None else user.home + text[found.end() :]


def value_of(shell: ShellState, piece: Piece) -> str:
    """Return what stands for a piece of a word."""
    match piece.kind:
        case "text":
            return piece.text
        case "command":
            return shell.captured(piece.text)
        case "arithmetic":
            return str(_arithmetic(shell, piece.text))
        case "variable":
            return _variable(shell, piece)


def _variable(shell: ShellState, piece: Piece) -> str:
    value, operator = shell.variable(piece.text), piece.operator
    if operator == "length":
        return str(len(value or ""))
    is_missing = value is None or (operator.startswith(":") and not value)
    match operator.lstrip(":"):
        case "-":
            return _operand(shell, piece) if is_missing else str(value)
        case "=":
            if is_missing:
                shell.variables[piece.text] = _operand(shell, piece)
            return shell.variable(piece.text) or ""
        case "+":
            return "" if is_missing else _operand(shell, piece)
        case "?" if is_missing:
            raise UnsetVariable(f"{piece.text}: {_operand(shell, piece) or 'parameter not set'}")
        case "#" | "##" | "%" | "%%":
            return _stripped(value or "", operator, _operand(shell, piece))
        case _:
            pass
    if value is None and shell.is_strict and piece.text not in "@*":
        raise UnsetVariable(f"{piece.text}: parameter not set")
    return value or ""


def _operand(shell: ShellState, piece: Piece) -> str:
    return text_of(shell, quoted_pieces(piece.operand))


def _stripped(value: str, operator: str, pattern: str) -> str:
    matches = re.compile(translate(pattern)).match
    cuts = range(len(value) + 1)
    if operator[0] == "#":
        order = reversed(cuts) if operator == "##" else iter(cuts)
        return next((value[cut:] for cut in order if matches(value[:cut])), value)
    order = iter(cuts) if operator == "%%" else reversed(cuts)
    return next((value[:cut] for cut in order if matches(value[cut:])), value)


_ARITHMETIC: dict[type[ast.AST], Callable[[int, int], int]] = {
    ast.Add: operators.add,
    ast.Sub: operators.sub,
    ast.Mult: operators.mul,
    ast.Div: operators.floordiv,
    ast.Mod: operators.mod,
}


def _arithmetic(shell: ShellState, text: str) -> int:
    plain = "".join(value_of(shell, piece) for piece in quoted_pieces(text)).strip()
    try:
        return _calculated(shell, ast.parse(plain or "0", mode="eval").body)
    except (SyntaxError, ValueError, ZeroDivisionError) as error:
        raise ShellSyntaxError(f"arithmetic expression: expecting primary: {plain!r}") from error


def _calculated(shell: ShellState, node: ast.expr) -> int:
    match node:
        case ast.Constant(value=int(number)):
            return number
        case ast.Name(id=name):
            return int(shell.variable(name) or 0)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            return _ARITHMETIC[type(op)](_calculated(shell, left), _calculated(shell, right))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_calculated(shell, operand)
        case _:
            pass
    raise ValueError(ast.dump(node))
