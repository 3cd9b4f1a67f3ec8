"""Terraform's configuration in JSON (`.tf.json`, `.tfvars.json`): the blocks that HCL has, with their places.

A block may be an object or a list of one, and what is repeated is a list of objects. A text with a template
in it is an expression. Nothing is evaluated.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import replace

from readiness.store.code_tree import Entry, Scope, Syntax
from readiness.store.json_tree import read_json

_TEMPLATE = re.compile(r"(?<!\$)\$\{|(?<!%)%\{")
_LABELS = {"resource": 2, "data": 2, "module": 1, "variable": 1, "output": 1, "provider": 1}
"""How many names stand above the inside of a block."""


def quoted(text: str) -> str:
    """Return a text as Terraform's JSON writes it: nothing in it is a template."""
    plain = text.replace("${", "$${").replace("%{", "%%{")
    return json.dumps(plain, ensure_ascii=False)


JSON_SYNTAX = Syntax(sign=": ", quoted=quoted, separator=",", expression="${", quotes_names=True)


def json_blocks(text: str) -> Iterator[tuple[int, list[str], Scope]]:
    """Yield every block of a file: where it starts, its type and labels, and what is in it.

    Raises:
        JsonError: It is no object in JSON.
    """
    for entry in read_json(text, _written_out).entries:
        for start, labels, scope in _labelled([entry.name], entry, _LABELS.get(entry.name, 0)):
            yield start, labels, _as_block(scope)


def json_entries(text: str) -> Iterator[Entry]:
    """Yield every value of a file of values.

    Raises:
        JsonError: It is no object in JSON.
    """
    yield from read_json(text, _written_out).entries


def _labelled(labels: list[str], entry: Entry, depth: int) -> Iterator[tuple[int, list[str], Scope]]:
    for start, scope in _objects(entry):
        if depth == 0:
            yield start, labels, scope
            continue
        for inner in scope.entries:
            yield from _labelled([*labels, inner.name], inner, depth - 1)


def _objects(entry: Entry) -> Iterator[tuple[int, Scope]]:
    """Yield the objects that a name stands for."""
    if entry.scope is not None:
        yield entry.start, entry.scope
    for item in entry.items or ():
        if item.scope is not None:
            yield item.value[0], item.scope


def _as_block(scope: Scope) -> Scope:
    """Return the inside of a block: its blocks are objects, its dynamic blocks are no entries."""
    entries: list[Entry] = []
    made: list[Entry] = []
    for entry in scope.entries:
        if entry.name == "dynamic":
            made += [one for _, within in _objects(entry) for one in _made(within)]
        elif entry.items and len(entry.items) == 1 and entry.items[0].scope is not None:
            entries.append(replace(entry, scope=entry.items[0].scope))
        else:
            entries.append(entry)
    return replace(scope, entries=tuple(entries), made=tuple(made))


def _made(dynamic: Scope) -> Iterator[Entry]:
    for entry in dynamic.entries:
        for _, within in _objects(entry):
            fed = within.entry("for_each")
            yield replace(entry, value=fed.value if fed is not None else entry.value, scope=None, items=None)


def _written_out(text: str) -> str | None:
    return None if _TEMPLATE.search(text) else text.replace("$${", "${").replace("%%{", "%{")
