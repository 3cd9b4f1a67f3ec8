"""Bicep files: finds the resources of upgraded VMs by their `name`, and says as a diff what has to change.

Nothing is written, nothing is guessed: what a loop, a module, a parameter or an interpolated name makes is
told and left alone. See `bicep_reader` for what is read of a file.
"""

from collections.abc import Iterable
from pathlib import Path

from readiness.model.iac import Patch, Remark
from readiness.model.iac_settings import Setting
from readiness.store.bicep_reader import BicepError, declarations
from readiness.store.code_edits import Syntax, line_of
from readiness.store.code_files import Finds, code_files
from readiness.store.declared_files import Found, place


def quoted(text: str) -> str:
    """Return a text as Bicep writes it: nothing in it is interpolated."""
    plain = text.replace("\\", "\\\\").replace("'", "\\'").replace("${", "\\${")
    return "'" + plain.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t") + "'"


SYNTAX = Syntax(sign=": ", quoted=quoted)


def read_bicep(folder: Path, settings: Iterable[Setting]) -> tuple[list[Patch], list[Remark]]:
    """Return what to change in a folder of Bicep code, and what a person has to look at.

    Raises:
        UsageError: There is no such folder, or nothing of Bicep in it.
    """
    finds = Finds()
    declared: list[Found] = []
    for file in code_files(folder, ".bicep", finds, SYNTAX):
        try:
            declared += [(file, found) for found in declarations(file.text)]
        except BicepError as error:
            line = line_of(file.text, error.place)
            finds.error(file, line, error.what, "Correct the line (az bicep build shows it too).")
    return place(declared, settings, finds, _is_valid)


def _is_valid(text: str) -> bool:
    try:
        declarations(text)
    except BicepError:
        return False
    return True
