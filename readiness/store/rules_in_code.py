"""Rules of a network security group that its code lists inline: found by name, changed and added there.

The same for blocks of azurerm, bodies of AzAPI, Bicep and templates in JSON. A list that an expression or a
loop makes, and a rule whose name is an expression, is told and left alone.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from readiness.model.iac_around import AZURERM_GROUP, AZURERM_RULE, GROUP, RULE, azurerm_others, others_of
from readiness.model.iac_settings import Setting
from readiness.model.ids import ResourceId
from readiness.store.code_edits import Doubt
from readiness.store.code_files import CodeFile, Finds, chosen, wanted_of
from readiness.store.code_tree import Entry, Scope, line_of
from readiness.store.code_wanted import told

KINDS = {AZURERM_GROUP: AZURERM_RULE, GROUP.lower(): RULE}
"""Kinds of groups, and what a rule of one is as a resource of its own."""


@dataclass(frozen=True, slots=True)
class Group:
    """The code of one group."""

    file: CodeFile
    start: int
    label: str
    """What people know it by."""
    kind: str
    scope: Scope
    path: tuple[str, ...]
    """Where its rules are listed."""
    name_of: Callable[[Scope], str | None]
    """Returns the name of a rule, as far as it is certain."""

    @property
    def is_azurerm(self) -> bool:
        """Whether a rule says its properties right beside its name."""
        return self.kind == AZURERM_GROUP

    @property
    def above(self) -> Scope | None:
        """What the list stands in."""
        if len(self.path) == 1:
            return self.scope
        entry = self.scope.at(*self.path[:-1])
        return entry.scope if entry is not None else None

    @property
    def listed(self) -> list[Entry]:
        """The blocks, or the one list, of its rules."""
        above = self.above
        name = self.path[-1].lower()
        return [one for one in above.entries if one.name.lower() == name] if above is not None else []

    @property
    def rules(self) -> list[Scope]:
        """The inside of each rule."""
        return [scope for entry in self.listed for scope in _inside(entry)]

    @property
    def made(self) -> tuple[int, tuple[int, int]] | None:
        """Where and by what some of its rules are made, if not all are written out."""
        above = self.above
        if above is None:
            entry = next(
                (one for end in range(1, len(self.path)) if (one := self.scope.at(*self.path[:end]))), None
            )
            return (entry.start, entry.value) if entry is not None and entry.is_expression else None
        if maker := above.maker(self.path[-1]) or _copied(above, self.path[-1]):
            return maker.start, maker.value
        for entry in self.listed:
            if entry.is_expression:
                return entry.start, entry.value
            for item in entry.items or ():
                if item.scope is None:
                    return item.value[0], item.value
        return None


def _inside(entry: Entry) -> Iterator[Scope]:
    if entry.items is not None:
        yield from (item.scope for item in entry.items if item.scope is not None)
    elif entry.scope is not None:
        yield entry.scope


def _copied(above: Scope, name: str) -> Entry | None:
    """Return the loop of a template that makes a property."""
    copies = above.entry("copy")
    loops = [item.scope for item in copies.items or () if item.scope is not None] if copies else []
    return copies if any((one.text("name") or "").lower() == name.lower() for one in loops) else None


def place_rules(group: Group, rules: Sequence[tuple[ResourceId, list[Setting]]], finds: Finds) -> None:
    """Change the rules of a group that its code lists, and add what was created beside them."""
    new: list[tuple[ResourceId, dict[str, object]]] = []
    for target, settings in rules:
        fitting = [entry for entry in settings if KINDS[group.kind] in entry.types]
        adds = next((entry.adds for entry in fitting if entry.adds), None)
        wanted = _added(group, adds) if adds else _changed(fitting)
        found = [one for one in group.rules if (group.name_of(one) or "").lower() == target.name.lower()]
        for scope in found[:1]:
            finds.revise(group.file, scope, wanted, _said(target))
        if found:
            continue
        if not _is_left_alone(group, target, wanted, finds, is_new=adds is not None) and adds:
            new.append((target, {"name": target.name, **wanted}))
    if not new:
        return
    if group.listed:
        names = ", ".join(_said(target) for target, _ in new)
        finds.append(group.file, group.listed, [wanted for _, wanted in new], names)
    elif not group.is_azurerm:
        for target, _ in new:
            what = f"{group.label} lists no rules of its own: {_said(target)} is not among them"
            remedy = "See that its next deployment does not remove the rule, as hinted."
            finds.tell(group.file, line_of(group.file.text, group.start), what, remedy)


def _is_left_alone(
    group: Group, target: ResourceId, wanted: dict[str, object], finds: Finds, *, is_new: bool
) -> bool:
    """Tell of a rule that is not among those whose names are certain, where it may be one of the others."""
    if (made := group.made) is not None:
        what = f"the rules of {group.label} are made by an expression: edit its input"
        what += f"; it has to say {_shown(wanted)}"
        finds.doubt(group.file, group.scope, Doubt(made[0], what, made[1]), _said(target))
        return True
    unsure = [one for one in group.rules if group.name_of(one) is None]
    for one in unsure:
        entry = one.entry("name")
        place = entry.start if entry is not None else one.opens
        what = (
            f"this rule of {group.label} may be it: its name is an expression; it has to say {_shown(wanted)}"
        )
        finds.doubt(
            group.file, group.scope, Doubt(place, what, entry.value if entry else None), _said(target)
        )
    if not unsure and not is_new and group.listed:
        line = line_of(group.file.text, group.start)
        what = f"{group.label} lists no rule {_said(target)}, which was changed in Azure"
        finds.tell(group.file, line, what, "See what the code has in its place.")
    return bool(unsure)


def _said(target: ResourceId) -> str:
    return f"{target.parent.name}/{target.name}"


def _shown(wanted: dict[str, object]) -> str:
    return "; ".join(told(wanted))


def _added(group: Group, adds: dict[str, bool | int | str | tuple[str, ...]]) -> dict[str, object]:
    others = azurerm_others if group.is_azurerm else others_of
    inside: dict[str, object] = {name: chosen(value, others(name)) for name, value in adds.items()}
    return inside if group.is_azurerm else {"properties": inside}


def _changed(settings: list[Setting]) -> dict[str, object]:
    """Return what has to be in a rule; AzAPI says it within the body of the group."""
    wanted = wanted_of(settings)
    inside = wanted.get("body", wanted)
    return inside if isinstance(inside, dict) else wanted
