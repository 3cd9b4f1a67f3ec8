"""Collects, from the source, every reason that a control may answer with."""

import ast
import inspect
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from readiness.model.verdict import Verdict

_ANSWERS = ("met", "unmet", "unknown", "not_applicable")
_ASSESSED = {"AssessedHealthy", "AssessedUnhealthy"}


def reasons_of(check: Callable[..., Any]) -> set[str]:
    """Return the reasons that a check names itself or by functions of its own package.

    What it takes from a rule is not among them: rules have cases of their own.
    """
    return _reasons(check, set())


def _reasons(function: Callable[..., Any], seen: set[str]) -> set[str]:
    if function.__qualname__ in seen:
        return set()
    seen.add(function.__qualname__)
    module = sys.modules[function.__module__]
    tree = ast.parse(inspect.getsource(function))
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == "assessed":
            found |= _ASSESSED
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            found |= _called(node, module, seen)
        elif isinstance(node, ast.Name) and isinstance(value := vars(module).get(node.id), Verdict):
            found.add(value.reason)
    return found


def _called(call: ast.Call, module: ModuleType, seen: set[str]) -> set[str]:
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    texts = {_text(argument, module) for argument in call.args} - {None}
    if name in _ANSWERS:
        first = _text(call.args[0], module) if call.args else None
        return {first} if first else set()
    target = vars(module).get(name)
    if not inspect.isfunction(target) or not target.__module__.startswith("readiness.rules"):
        return set()
    if target.__module__.startswith("readiness.rules.exposure"):
        return set()
    # A function that is handed a reason gives it on.
    handed = {
        text for text in texts if text and text.isalnum() and text[0].isupper() and "reason" in _names(target)
    }
    return handed | _reasons(target, seen)


def _text(node: ast.expr, module: ModuleType) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    value = vars(module).get(node.id) if isinstance(node, ast.Name) else None
    return value if isinstance(value, str) else None


def _names(target: Callable[..., Any]) -> set[str]:
    return set(inspect.signature(target).parameters)
