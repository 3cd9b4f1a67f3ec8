"""Bicep files: finds the resources of upgraded VMs by their `name`, and says as a diff what has to change.

Nothing is written, nothing is guessed: what a loop, a module, a parameter or an interpolated name makes is
told and left alone. See `bicep_reader` for what is read of a file.
"""

from collections.abc import Iterable
from pathlib import Path

from readiness.model.iac import Patch, Remark
from readiness.model.iac_settings import CodeForm, Setting
from readiness.model.ids import ResourceId
from readiness.store.bicep_reader import BicepError, Declaration, declarations
from readiness.store.code_edits import Syntax, line_of, nested
from readiness.store.code_files import CodeFile, Finds, code_files

_Found = tuple[CodeFile, Declaration]


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
    declared: list[_Found] = []
    for file in code_files(folder, ".bicep", finds, SYNTAX):
        try:
            declared += [(file, found) for found in declarations(file.text)]
        except BicepError as error:
            line = line_of(file.text, error.place)
            finds.error(file, line, error.what, "Correct the line (az bicep build shows it too).")
    targets: dict[ResourceId, list[Setting]] = {}
    for entry in settings:
        if entry.form is CodeForm.BICEP:
            targets.setdefault(entry.target, []).append(entry)
    missed = [target for target in targets if not _place(target, targets, declared, finds)]
    if missed:
        _tell_open(missed, targets, declared, finds)
    return finds.patches(_is_valid), finds.remarks


def _place(
    target: ResourceId, targets: dict[ResourceId, list[Setting]], declared: list[_Found], finds: Finds
) -> bool:
    """Edit the one resource of a target; tell whether there was nothing left to look for."""
    settings = targets[target]
    types = _types(settings)
    hits = [found for found in declared if found[1].type in types and _is_named(found[1], target)]
    twins = [
        other for other in targets if other.type == target.type and other.name.lower() == target.name.lower()
    ]
    if not hits:
        return all(entry.may_be_absent for entry in settings)
    if len(hits) > 1 or len(twins) > 1:
        for file, found in hits:
            what = f"resource {found.symbol} may be {target}: names alone do not tell which resource is meant"
            finds.tell(file, line_of(file.text, found.start), what, "Edit the right one by hand.")
        return True
    file, found = hits[0]
    wanted: dict[str, object] = {}
    for entry in settings:
        if entry.path:
            nested(entry.path, entry.value, wanted)
    if found.scope is None:
        what = f"resource {found.symbol} ({target.name}) has no body that can be read: edit the input"
        finds.tell(file, line_of(file.text, found.start), what, _BY_HAND)
    else:
        finds.revise(file, found.scope, wanted, target.name)
    return True


def _is_named(found: Declaration, target: ResourceId) -> bool:
    return found.name is not None and found.name.lower() in (target.name.lower(), _full_name(target))


def _full_name(target: ResourceId) -> str:
    """Return the name of a child with its parents': `nsg/rule`."""
    return "/".join(target.key.rpartition("/providers/")[2].split("/")[2::2])


def _types(settings: Iterable[Setting]) -> set[str]:
    return {kind.lower() for entry in settings for kind in entry.types}


def _tell_open(
    missed: list[ResourceId],
    targets: dict[ResourceId, list[Setting]],
    declared: list[_Found],
    finds: Finds,
) -> None:
    """Tell which targets were not found, and where they may be."""
    types = _types(entry for target in missed for entry in targets[target])
    named = ", ".join(str(target) for target in missed[:_NAMED])
    more = f" and {len(missed) - _NAMED} more" if len(missed) > _NAMED else ""
    finds.tell(None, 0, f"no resource says the name of {named}{more}", "Look at the loops and modules below.")
    for file, found in declared:
        line = line_of(file.text, found.start)
        if found.is_module:
            finds.tell(file, line, f"module {found.symbol} may make some of them: edit its input", _BY_HAND)
        elif found.type in types and (found.is_loop or found.name is None):
            why = "is made by a loop" if found.is_loop else "has a name that is an expression"
            finds.tell(file, line, f"resource {found.symbol} {why}: edit the input", _BY_HAND)


_NAMED = 20
_BY_HAND = "Set there what the hints of the VM say."


def _is_valid(text: str) -> bool:
    try:
        declarations(text)
    except BicepError:
        return False
    return True
