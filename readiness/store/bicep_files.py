"""Bicep files: finds the resources of upgraded VMs by their `name`, and says as a diff what has to change.

Nothing is written, nothing is guessed: what a loop, a module, a parameter or an interpolated name makes is
told, with where it comes from, and left alone. See `bicep_reader` for what is read of a file.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from readiness.model.iac import Patch, Remark
from readiness.model.iac_settings import Setting
from readiness.store.bicep_reader import BicepError, read_text, used_file
from readiness.store.code_files import CodeFile, Finds, code_files
from readiness.store.code_tree import Syntax, line_of
from readiness.store.declared_files import Found, place
from readiness.store.declared_origins import Sources, beside

_NAME = re.compile(r"(?<![\w.])[A-Za-z_]\w*")
_PARAMETERS = ".bicepparam"


def quoted(text: str) -> str:
    """Return a text as Bicep writes it: nothing in it is interpolated."""
    plain = text.replace("\\", "\\\\").replace("'", "\\'").replace("${", "\\${")
    return "'" + plain.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t") + "'"


SYNTAX = Syntax(sign=": ", quoted=quoted, list_separator="")


def read_bicep(folder: Path, settings: Iterable[Setting]) -> tuple[list[Patch], list[Remark]]:
    """Return what to change in a folder of Bicep code, and what a person has to look at.

    Raises:
        UsageError: There is no such folder, or nothing of Bicep in it.
    """
    sources = Sources(_NAME.findall, _alone)
    finds = Finds(sources.origins)
    declared: list[Found] = []
    for file in code_files(folder, {".bicep": SYNTAX, _PARAMETERS: SYNTAX}, finds):
        try:
            declared += _read(file, sources)
        except BicepError as error:
            line = line_of(file.text, error.place)
            finds.error(file, line, error.what, "Correct the line (az bicep build shows it too).")
    return place(declared, settings, finds, sources, _is_valid)


def _read(file: CodeFile, sources: Sources) -> list[Found]:
    """Return the resources of a file; keep what its names stand for, and what it sets in others."""
    found = read_text(file.text)
    if file.name.endswith(_PARAMETERS):
        for entry in found.named:
            sources.tell_of(beside(file, used_file(file.text) or ""), entry.name, file, entry.start)
        return []
    for entry in found.named:
        sources.declare(file, entry.name, entry)
    for one in found.declared:
        if one.is_module:
            sources.call(beside(file, one.type), is_loop=one.is_loop)
        params = one.scope.at("params") if one.scope is not None and one.is_module else None
        for entry in params.scope.entries if params is not None and params.scope is not None else ():
            sources.tell_of(beside(file, one.type), entry.name, file, entry.start)
    return [(file, one) for one in found.declared]


def _alone(expression: str) -> str | None:
    return expression if _NAME.fullmatch(expression) else None


def _is_valid(_: str, text: str) -> bool:
    try:
        read_text(text)
    except BicepError:
        return False
    return True
