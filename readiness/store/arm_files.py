"""ARM templates in JSON: finds the resources of upgraded VMs by `name`, and says as a diff what to change.

Nothing is written, nothing is guessed: what a copy loop, a nested template or an expression makes is told and
left alone. The text is edited, not serialised anew: comments and layout stay. `arm_reader` reads a file.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path

from readiness.errors import UsageError
from readiness.model.iac import Patch, Remark
from readiness.model.iac_settings import Setting
from readiness.store.arm_reader import declarations, is_parameters, is_template, template
from readiness.store.code_files import CodeFile, Finds, code_files
from readiness.store.code_tree import Syntax, line_of
from readiness.store.declared_files import Found, place
from readiness.store.declared_origins import Sources
from readiness.store.json_tree import JsonError

_REFERENCE = re.compile(r"\b(parameters|variables)\(\s*'([^']*)'\s*\)")

_VARIABLE = re.compile(r"\"\[\s*(variables\('[^']*'\))\s*\]\"")


def quoted(text: str) -> str:
    """Return a text as a template writes it: nothing in it is an expression."""
    return json.dumps(f"[{text}" if text.startswith("[") else text, ensure_ascii=False)


SYNTAX = Syntax(sign=": ", quoted=quoted, separator=",", expression='"[', quotes_names=True)


def read_arm(folder: Path, settings: Iterable[Setting]) -> tuple[list[Patch], list[Remark]]:
    """Return what to change in a folder of templates, and what a person has to look at.

    Raises:
        UsageError: There is no such folder, or no template in it.
    """
    sources = Sources(_references, _alone)
    finds = Finds(sources.origins)
    declared: list[Found] = []
    templates = 0
    for file in code_files(folder, {".json": SYNTAX}, finds):
        if not is_template(file.text) and not is_parameters(file.text):
            continue
        templates += is_template(file.text)
        try:
            declared += _read(file, sources)
        except JsonError as error:
            if not is_template(file.text):
                continue
            line = line_of(file.text, error.place)
            finds.error(
                file, line, error.what, "Correct the line (az deployment group validate shows it too)."
            )
    if not templates:
        raise UsageError(
            f"There is no ARM template in {folder}: no .json file names the schema deploymentTemplate.json.",
            remedy="Give the folder that holds the templates.",
        )
    return place(declared, settings, finds, sources, _is_valid)


def _read(file: CodeFile, sources: Sources) -> list[Found]:
    """Return the resources of a file; keep what its parameters and variables are, and what sets them."""
    whole = template(file.text)
    for kind in ("parameters", "variables"):
        entry = whole.entry(kind)
        for one in entry.scope.entries if entry is not None and entry.scope is not None else ():
            if is_template(file.text):
                sources.declare(file, f"{kind}('{one.name}')", one)
            else:
                sources.tell_of(f"{file.folder}/", f"{kind}('{one.name}')", file, one.start)
    return [(file, found) for found in declarations(file.text)] if is_template(file.text) else []


def _references(expression: str) -> Iterable[str]:
    return (f"{hit[1]}('{hit[2]}')" for hit in _REFERENCE.finditer(expression))


def _alone(expression: str) -> str | None:
    hit = _VARIABLE.fullmatch(expression)
    return hit[1] if hit else None


def _is_valid(_: str, text: str) -> bool:
    try:
        declarations(text)
    except JsonError:
        return False
    return True
