"""ARM templates in JSON: finds the resources of upgraded VMs by `name`, and says as a diff what to change.

Nothing is written, nothing is guessed: what a copy loop, a nested template or an expression makes is told and
left alone. The text is edited, not serialised anew: comments and layout stay. `arm_reader` reads a file.
"""

import json
from collections.abc import Iterable
from pathlib import Path

from readiness.errors import UsageError
from readiness.model.iac import Patch, Remark
from readiness.model.iac_settings import Setting
from readiness.store.arm_reader import ArmError, declarations, is_template
from readiness.store.code_edits import Syntax, line_of
from readiness.store.code_files import Finds, code_files
from readiness.store.declared_files import Found, place


def quoted(text: str) -> str:
    """Return a text as a template writes it: nothing in it is an expression."""
    return json.dumps(f"[{text}" if text.startswith("[") else text, ensure_ascii=False)


SYNTAX = Syntax(sign=": ", quoted=quoted, separator=",", expression='"[', quotes_names=True)


def read_arm(folder: Path, settings: Iterable[Setting]) -> tuple[list[Patch], list[Remark]]:
    """Return what to change in a folder of templates, and what a person has to look at.

    Raises:
        UsageError: There is no such folder, or no template in it.
    """
    finds = Finds()
    declared: list[Found] = []
    templates = 0
    for file in code_files(folder, ".json", finds, SYNTAX):
        if not is_template(file.text):
            continue
        templates += 1
        try:
            declared += [(file, found) for found in declarations(file.text)]
        except ArmError as error:
            line = line_of(file.text, error.place)
            finds.error(
                file, line, error.what, "Correct the line (az deployment group validate shows it too)."
            )
    if not templates:
        raise UsageError(
            f"There is no ARM template in {folder}: no .json file names the schema deploymentTemplate.json.",
            remedy="Give the folder that holds the templates.",
        )
    return place(declared, settings, finds, _is_valid)


def _is_valid(text: str) -> bool:
    try:
        declarations(text)
    except ArmError:
        return False
    return True
