"""Resources that files declare by type and name: those of upgraded VMs are found and edited.

The same for Bicep files and for templates in JSON. Nothing is written, nothing is guessed: what a loop, a
module, a parameter or an expression makes is told and left alone.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from readiness.model.iac import Patch, Remark
from readiness.model.iac_around import GROUP, RULE
from readiness.model.iac_settings import CodeForm, Setting
from readiness.model.ids import ResourceId
from readiness.store.code_files import CodeFile, Finds, advice_of, by_target, wanted_of
from readiness.store.code_tree import Entry, Scope, line_of
from readiness.store.declared_origins import Sources
from readiness.store.rules_in_code import Group, place_rules


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
    span: tuple[int, int]
    """From where to where it goes."""
    name: str | None
    """Where it is written out; of a child in JSON with its parents' names."""
    is_nested: bool = False
    """Whether it is in a template within a template, whose variables are others."""

    def looped(self) -> "Declaration":
        """Return it as one that stands for several."""
        return replace(self, is_loop=True, name=None)


Found = tuple[CodeFile, Declaration]


def place(
    declared: list[Found],
    settings: Iterable[Setting],
    finds: Finds,
    sources: Sources,
    is_valid: Callable[[str, str], bool],
) -> tuple[list[Patch], list[Remark]]:
    """Return what to change in files, and what a person has to look at."""
    targets = by_target(settings, (CodeForm.BICEP,))
    known: dict[tuple[str, str], list[Found]] = {}
    declared = [(file, one.looped() if sources.is_many(file) else one) for file, one in declared]
    for file, one in declared:
        if (name := _certain(file, one, sources)) is not None:
            known.setdefault((one.type, name.lower()), []).append((file, one))
    twins = Counter((target.type, _called(target)) for target in targets)
    missed = []
    rules: dict[ResourceId, list[ResourceId]] = {}
    for target, group in targets.items():
        hits = _hits(target, group, known)
        if not hits and target.type == _RULE:
            rules.setdefault(target.parent, []).append(target)
        elif not hits:
            missed += [] if all(entry.may_be_absent for entry in group) else [target]
        elif len(hits) > 1 or twins[target.type, _called(target)] > 1:
            _tell_several(target, hits, finds)
        else:
            _edit(target, group, hits[0], finds)
    missed += _place_rules(rules, targets, known, finds)
    if missed:
        _tell_open(missed, targets, declared, finds, sources)
    return finds.patches(is_valid), finds.remarks


def _certain(file: CodeFile, found: Declaration, sources: Sources) -> str | None:
    """Return a resource's name where it is written out, or a variable that is."""
    entry = found.scope.entry("name") if found.scope is not None else None
    is_settled = found.name is not None or found.is_loop or found.is_nested or found.is_module
    if is_settled or entry is None or "/" in found.type.partition("/")[2]:
        return found.name
    return sources.certain(file, file.text[slice(*entry.value)])


def _hits(
    target: ResourceId, settings: list[Setting], known: dict[tuple[str, str], list[Found]]
) -> list[Found]:
    """Return the resources of a target's name: a child is called by its own or, with its parents', in full.

    A rule is called in full only: rules of many groups bear the same name.
    """
    names = {_full_name(target)} if target.type == _RULE else {target.name.lower(), _full_name(target)}
    return [found for kind in _types(settings) for name in names for found in known.get((kind, name), ())]


def _called(target: ResourceId) -> str:
    """Return what tells a resource from others of its type: of rules, many groups have one of a name."""
    return _full_name(target) if target.type == _RULE else target.name.lower()


def _place_rules(
    rules: dict[ResourceId, list[ResourceId]],
    targets: dict[ResourceId, list[Setting]],
    known: dict[tuple[str, str], list[Found]],
    finds: Finds,
) -> list[ResourceId]:
    """Edit rules that their group lists, unless several could be the group; return those of no group."""
    missed: list[ResourceId] = []
    groups = Counter(parent.name.lower() for parent in rules)
    for parent, inside in rules.items():
        lists = known.get((GROUP.lower(), parent.name.lower()), [])
        if not lists:
            missed += [one for one in inside if not all(entry.may_be_absent for entry in targets[one])]
        if len(lists) > 1 or groups[parent.name.lower()] > 1:
            _tell_several(parent, lists, finds)
            continue
        for file, found in lists:
            if found.scope is not None:
                place_rules(_group(file, found), [(one, targets[one]) for one in inside], finds)
    return missed


def _group(file: CodeFile, found: Declaration) -> Group:
    path = ("properties", "securityRules")
    label = f"resource {found.symbol}"
    scope = found.scope or Scope(0, 0)
    return Group(file, found.start, label, found.type, scope, path, lambda rule: rule.text("name"))


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
    sources: Sources,
) -> None:
    """Tell which targets were not found, and where they may be."""
    types = _types(entry for target in missed for entry in targets[target])
    if any(target.type == _RULE for target in missed):
        types.add(GROUP.lower())
    named = ", ".join(str(target) for target in missed[:_NAMED])
    more = f" and {len(missed) - _NAMED} more" if len(missed) > _NAMED else ""
    finds.tell(None, 0, f"no resource says the name of {named}{more}", "Look at the loops and modules below.")
    for file, found in declared:
        line = line_of(file.text, found.start)
        if found.is_module:
            finds.tell(file, line, f"{found.symbol} may make some of them: edit its input", _BY_HAND)
        elif found.type in types and (found.is_loop or found.name is None):
            why = "is made by a loop" if found.is_loop else "has a name that is an expression"
            if sources.is_many(file):
                why = "is in a module that is called several times"
            told = finds.origin(file, _named(found), found.scope)
            finds.tell(file, line, f"resource {found.symbol} {why}: edit the input", f"{_BY_HAND}{told}")


def _named(found: Declaration) -> tuple[int, int]:
    """Return from where to where the name of a resource stands; of a loop in Bicep, what it goes over."""
    entry: Entry | None = found.scope.entry("name") if found.scope is not None else None
    return entry.value if entry is not None else found.span


_NAMED = 20
_RULE = RULE.lower()
_BY_HAND = "Set there what the hints of the VM say."
