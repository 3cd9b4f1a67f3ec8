"""The tree that python-hcl2 reads, as scopes with places: nothing is evaluated."""

import re
from collections.abc import Iterator

from lark import Token, Tree

from readiness.store.code_tree import Entry, Item, Literal, Scope

_DIRECTIVE = re.compile(r"(?<!%)%\{")
_DIGITS = 18
"""Of a number that counts; no setting of a VM has more."""
_ESCAPED = re.compile(r"\$\$\{|%%\{|\\.", re.DOTALL)


def top_blocks(tree: "Tree[object]", text: str) -> Iterator[tuple[int, list[str], Scope]]:
    """Yield every block of a file: where it starts, its type and labels, and what is in it."""
    for body in _trees(tree, "body"):
        for block in _trees(body, "block"):
            yield block.meta.start_pos, _labels(block, text), _scope(block, text)


def top_entries(tree: "Tree[object]", text: str) -> Iterator[Entry]:
    """Yield every attribute of a file of values (`.tfvars`)."""
    for body in _trees(tree, "body"):
        yield from (_attribute(found, text) for found in _trees(body, "attribute"))


def _scope(block: "Tree[object]", text: str) -> Scope:
    """Return the inside of a block."""
    entries: list[Entry] = []
    made: list[Entry] = []
    for body in _trees(block, "body"):
        entries += [_attribute(found, text) for found in _trees(body, "attribute")]
        for inner in _trees(body, "block"):
            name, *labels = _labels(inner, text)
            if name == "dynamic" and labels:
                fed = _scope(inner, text).entry("for_each")
                place = fed.value if fed is not None else (inner.meta.start_pos, inner.meta.end_pos)
                made.append(Entry(name=labels[0], start=inner.meta.start_pos, value=place))
                continue
            place = (inner.meta.start_pos, inner.meta.end_pos)
            within = _scope(inner, text)
            entries.append(Entry(name=name, start=place[0], value=place, scope=within, is_block=True))
    # Written as they stand, so that what is put behind the last of them is put behind all.
    entries.sort(key=lambda entry: entry.start)
    opens, closes = _braces(block)
    return Scope(opens=opens, closes=closes, entries=tuple(entries), made=tuple(made))


def _attribute(attribute: "Tree[object]", text: str) -> Entry:
    name, value = attribute.children[0], attribute.children[-1]
    assert isinstance(name, Tree)  # noqa: S101  so says the grammar
    return _entry(text[name.meta.start_pos : name.meta.end_pos], name.meta.start_pos, value, text)


def _entry(name: str, start: int, value: object, text: str) -> Entry:
    assert isinstance(value, Tree)  # noqa: S101  so says the grammar
    place = (value.meta.start_pos, value.meta.end_pos)
    inner = _unwrapped(value)
    if inner.data == "object":
        return Entry(name=name, start=start, value=place, scope=_object(inner, text))
    if inner.data == "tuple":
        items = tuple(
            _item(item, text)
            for item in inner.children
            if isinstance(item, Tree)
            if item.data != "new_line_or_comment"
        )
        return Entry(name=name, start=start, value=place, items=items)
    is_null = text[slice(*place)] == "null"
    return Entry(name=name, start=start, value=place, literal=_literal(inner, text), is_null=is_null)


def _item(item: "Tree[object]", text: str) -> Item:
    place = (item.meta.start_pos, item.meta.end_pos)
    inner = _unwrapped(item)
    if inner.data == "object":
        return Item(place, scope=_object(inner, text))
    return Item(place, literal=_literal(inner, text))


def _object(value: "Tree[object]", text: str) -> Scope:
    entries = []
    for element in _trees(value, "object_elem"):
        key = next(_trees(element, "object_elem_key"))
        name = text[key.meta.start_pos : key.meta.end_pos].strip('"')
        entries.append(_entry(name, key.meta.start_pos, element.children[-1], text))
    opens, closes = _braces(value)
    return Scope(opens=opens, closes=closes, entries=tuple(entries))


def _unwrapped(value: "Tree[object]") -> "Tree[object]":
    """Return what an expression is, if it is one thing only; the one argument of `jsonencode` counts."""
    while True:
        parts = [child for child in value.children if isinstance(child, Tree)]
        if value.data == "expr_term" and len(value.children) == 1 and parts:
            value = parts[0]
        elif value.data == "function_call" and _is_jsonencode(value):
            arguments = next(_trees(value, "arguments"), None)
            inner = list(_trees(arguments, "expr_term")) if arguments is not None else []
            if len(inner) != 1:
                return value
            value = inner[0]
        else:
            return value


def _is_jsonencode(call: "Tree[object]") -> bool:
    names = [str(token) for part in _trees(call, "identifier") for token in part.children]
    return names == ["jsonencode"]


def _literal(value: "Tree[object]", text: str) -> Literal:
    written = text[value.meta.start_pos : value.meta.end_pos]
    if value.data == "literal_value" and written in ("true", "false"):
        return written == "true"
    if value.data == "int_lit" and len(written) <= _DIGITS:
        return int(written)
    if (
        value.data == "string"
        and not any(value.find_data("interpolation"))
        and not _DIRECTIVE.search(written)
    ):
        return _unquoted(written)
    return None


def _unquoted(written: str) -> str:
    named = {"$${": "${", "%%{": "%{", "\\n": "\n", "\\r": "\r", "\\t": "\t"}
    return _ESCAPED.sub(lambda hit: named.get(hit[0], hit[0][1:]), written[1:-1])


def _labels(block: "Tree[object]", text: str) -> list[str]:
    found = []
    for part in block.children:
        if isinstance(part, Tree) and part.data in ("identifier", "string"):
            found.append(text[part.meta.start_pos : part.meta.end_pos].strip('"'))
    return found


def _braces(node: "Tree[object]") -> tuple[int, int]:
    opening = next(part for part in node.children if isinstance(part, Token) and part.type == "LBRACE")
    closing = next(
        part for part in reversed(node.children) if isinstance(part, Token) and part.type == "RBRACE"
    )
    assert opening.end_pos is not None  # noqa: S101  positions are asked for
    assert closing.start_pos is not None  # noqa: S101
    return opening.end_pos, closing.start_pos


def _trees(node: "Tree[object]", kind: str) -> "Iterator[Tree[object]]":
    return (part for part in node.children if isinstance(part, Tree) and part.data == kind)
