"""Resources that files declare by type and name: those of upgraded VMs are found and edited.

The same for Bicep files and for templates in JSON. Nothing is written, nothing is guessed: what a loop, a
module, a parameter or an expression makes is told and left alone.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from readiness.model.iac import Patch, Remark
from readiness.model.iac_settings import CodeForm, Setting
from readiness.model.ids import ResourceId
from readiness.store.code_edits import Scope, line_of
from readiness.store.code_files import CodeFile, Finds, advice_of, by_target, wanted_of


@dataclass(frozen=True, slots=True)
class Declaration:
    """One resource, or one module or nested template that may make some."""

    start: int
    symbol: str
    """What people know it by."""
    type: str
    """In lower case, without its version."""
    is_module: bool
    is_loop: bool
    scope: Scope | None
    name: str | None
    """Where it is written out; of a child in JSON with its parents' names."""


Found = tuple[CodeFile, Declaration]


def place(
    declared: list[Found], settings: Iterable[Setting], finds: Finds, is_valid: Callable[[str], bool]
) -> tuple[list[Patch], list[Remark]]:
    """Return what to change in files, and what a person has to look at."""
    targets = by_target(settings, (CodeForm.BICEP,))
    known: dict[tuple[str, str], list[Found]] = {}
    for file, one in declared:
        if one.name is not None:
            known.setdefault((one.type, one.name.lower()), []).append((file, one))
    twins = Counter((target.type, target.name.lower()) for target in targets)
    missed = []
    for target, group in targets.items():
        # A child is called by its own name or, with its parents', in full.
        names = {target.name.lower(), _full_name(target)}
        hits = [found for kind in _types(group) for name in names for found in known.get((kind, name), ())]
        if not hits and not all(entry.may_be_absent for entry in group):
            missed.append(target)
        elif len(hits) > 1 or (hits and twins[target.type, target.name.lower()] > 1):
            _tell_several(target, hits, finds)
        elif hits:
            _edit(target, group, hits[0], finds)
    if missed:
        _tell_open(missed, targets, declared, finds)
    return finds.patches(is_valid), finds.remarks


def _tell_several(target: ResourceId, hits: list[Found], finds: Finds) -> None:
    for file, found in hits:
        what = f"resource {found.symbol} may be {target}: names alone do not tell which resource is meant"
        finds.tell(file, line_of(file.text, found.start), what, "Edit the right one by hand.")


def _edit(target: ResourceId, settings: list[Setting], hit: Found, finds: Finds) -> None:
    file, found = hit
    line = line_of(file.text, found.start)
    if found.scope is None:
        what = f"resource {found.symbol} ({target.name}) has no body that can be read: edit the input"
        finds.tell(file, line, what, _BY_HAND)
        return
    finds.revise(file, found.scope, wanted_of(settings), target.name)
    for advice in advice_of(settings):
        finds.tell(file, line, f"resource {found.symbol} ({target.name}): {advice}", _BY_HAND)


def _full_name(target: ResourceId) -> str:
    """Return the name of a child with its parents': `nsg/rule`."""
    return "/".join(target.key.rpartition("/providers/")[2].split("/")[2::2])


def _types(settings: Iterable[Setting]) -> set[str]:
    return {kind.lower() for entry in settings for kind in entry.types}


def _tell_open(
    missed: list[ResourceId],
    targets: dict[ResourceId, list[Setting]],
    declared: list[Found],
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
            finds.tell(file, line, f"{found.symbol} may make some of them: edit its input", _BY_HAND)
        elif found.type in types and (found.is_loop or found.name is None):
            why = "is made by a loop" if found.is_loop else "has a name that is an expression"
            finds.tell(file, line, f"resource {found.symbol} {why}: edit the input", _BY_HAND)


_NAMED = 20
_BY_HAND = "Set there what the hints of the VM say."
