"""Files of Terraform as text: how each kind is written and read."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from readiness.store.code_tree import Entry, Scope, Syntax, line_of
from readiness.store.json_tree import JsonError
from readiness.store.terraform_json import JSON_SYNTAX, json_blocks, json_entries

if TYPE_CHECKING:
    from lark import Tree


class UnreadableError(Exception):
    """A file is no HCL or JSON."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(what)
        self.line = line
        self.what = what


def is_values(name: str) -> bool:
    """Tell whether a file is one of values for variables."""
    return name.endswith((".tfvars", ".tfvars.json"))


def read_blocks(name: str, text: str) -> list[tuple[int, list[str], Scope]]:
    """Return every block of a file: where it starts, its type and labels, and what is in it.

    Raises:
        UnreadableError: It is no HCL or JSON.
    """
    from readiness.store.hcl_tree import top_blocks

    with _readable(text):
        return list(json_blocks(text) if name.endswith(".json") else top_blocks(_parsed(text), text))


def read_values(name: str, text: str) -> list[Entry]:
    """Return every value of a file of values.

    Raises:
        UnreadableError: It is no HCL or JSON.
    """
    from readiness.store.hcl_tree import top_entries

    with _readable(text):
        return list(json_entries(text) if name.endswith(".json") else top_entries(_parsed(text), text))


@contextmanager
def _readable(text: str) -> Iterator[None]:
    """Let only our own error out, with the line where it is known."""
    try:
        yield
    except JsonError as error:
        raise UnreadableError(line_of(text, error.place), error.what) from error
    except RecursionError as error:
        raise UnreadableError(1, "blocks or objects are nested too deeply") from error


def _parsed(text: str) -> "Tree[object]":
    import hcl2
    from lark.exceptions import LarkError

    try:
        # The parser wants the last line to be a whole one.
        return hcl2.parses_to_tree(text if text.endswith("\n") else f"{text}\n")
    except LarkError as error:
        line = getattr(error, "line", -1)
        last = text.count("\n") + 1
        where = line if isinstance(line, int) and 0 < line <= last else last
        raise UnreadableError(where, "this is not HCL, or a brace or quote is not closed") from error


def quoted(text: str) -> str:
    """Return a text as HCL writes it: nothing in it is a template."""
    plain = text.replace("\\", "\\\\").replace('"', '\\"').replace("${", "$${").replace("%{", "%%{")
    return '"' + plain.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t") + '"'


_BLOCKS = frozenset({"identity", "os_disk", "lifecycle"})
SYNTAX = Syntax(sign=" = ", quoted=quoted, blocks=_BLOCKS)
SYNTAXES = {".tf": SYNTAX, ".tf.json": JSON_SYNTAX, ".tfvars": SYNTAX, ".tfvars.json": JSON_SYNTAX}
"""How the files of Terraform are written, by the ends of their names."""
