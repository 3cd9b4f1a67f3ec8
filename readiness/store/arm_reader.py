"""Which resources an ARM template in JSON declares, those of nested templates among them, and where in it.

Expressions, which are strings in brackets, are passed over whole, never evaluated.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from readiness.store.code_tree import Scope
from readiness.store.declared_files import Declaration
from readiness.store.json_tree import read_json

_SCHEMA = re.compile(r"deploymentTemplate\.json", re.IGNORECASE)
_PARAMETERS = re.compile(r"deploymentParameters\.json", re.IGNORECASE)
_NESTED = "microsoft.resources/deployments"
_LONGEST = 80


def is_template(text: str) -> bool:
    """Tell whether a text names the schema of ARM templates; files of parameters and of others do not."""
    return _SCHEMA.search(text) is not None


def is_parameters(text: str) -> bool:
    """Tell whether a text names the schema of files that set a template's parameters."""
    return _PARAMETERS.search(text) is not None


def template(text: str) -> Scope:
    """Return the object that a template is.

    Raises:
        JsonError: It is no object in JSON.
    """
    return read_json(text, _literal)


def declarations(text: str) -> list[Declaration]:
    """Return every resource of a template, and the nested templates, those of `existing` resources aside.

    Raises:
        JsonError: It is not JSON.
    """
    return sorted(_declared(template(text), text, None), key=lambda found: found.start)


def _declared(scope: Scope, text: str, parent: Declaration | None) -> Iterator[Declaration]:
    """Yield the resources within a template, or within a resource."""
    entry = scope.entry("resources")
    if entry is None:
        return
    # Since language version 2.0 resources have symbolic names.
    named = entry.scope.entries if entry.scope is not None else ()
    listed = [(one.start, one.scope) for one in named]
    listed += [(item.value[0], item.scope) for item in entry.items or ()]
    for start, one in listed:
        if one is None or _is_true(one, "existing"):
            continue
        found = _resource(start, one, parent, text)
        yield found
        inner = one.at("properties", "template") if found.is_module else None
        if inner is not None and inner.scope is not None:
            yield from _within(inner.scope, text, found)
        yield from _declared(one, text, found)


def _within(template: Scope, text: str, nested: Declaration) -> Iterator[Declaration]:
    """Yield the resources of a template within a template: what a loop deploys several times is in a loop."""
    for found in _declared(template, text, None):
        yield replace(found.looped() if nested.is_loop else found, is_nested=True)


def _resource(start: int, scope: Scope, parent: Declaration | None, text: str) -> Declaration:
    kind, name = (scope.text("type") or "").lower(), scope.text("name")
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
        span=(scope.opens - 1, scope.closes + 1),
        name=None if is_loop else name,
    )


def _is_true(scope: Scope, name: str) -> bool:
    entry = scope.entry(name)
    return entry is not None and entry.literal is True


def _literal(text: str) -> str | None:
    """Return a string as it counts: one in brackets is an expression, a doubled bracket stands for one."""
    if text.startswith("[["):
        return text[1:]
    is_expression = text.startswith("[") and text.endswith("]")
    return None if is_expression else text
