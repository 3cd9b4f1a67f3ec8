"""Terraform files: finds the blocks of upgraded VMs by name or id, and says as a diff what has to change.

python-hcl2 says where things stand; the text itself is edited, so that comments and layout stay. Nothing is
written, nothing is guessed: what a loop, a module or an expression makes is told and left alone.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from readiness.model.iac import Patch, Remark
from readiness.model.iac_settings import AZURERM_VMS, CodeForm, Setting
from readiness.model.ids import ResourceId
from readiness.store.code_edits import Scope, Syntax, line_of
from readiness.store.code_files import CodeFile, Finds, advice_of, by_target, code_files, wanted_of

if TYPE_CHECKING:
    from lark import Tree

_AZAPI = ("azapi_resource", "azapi_update_resource")
_LOOPS = ("count", "for_each")


@dataclass(frozen=True, slots=True)
class Block:
    """One `resource` of a file."""

    file: CodeFile
    start: int
    type: str
    address: str
    scope: Scope
    imported: ResourceId | None = None

    @property
    def kind(self) -> str:
        """The ARM type of an AzAPI resource without its version, or the resource's own type."""
        declared = self.text("type") if self.type in _AZAPI else None
        return declared.partition("@")[0].lower() if declared is not None else self.type

    @property
    def loop(self) -> str:
        """`count` or `for_each`, if it stands for several resources."""
        return next((name for name in _LOOPS if self.scope.entry(name)), "")

    def text(self, name: str) -> str | None:
        """Return an attribute that is written out."""
        entry = self.scope.entry(name)
        return entry.literal if entry is not None and isinstance(entry.literal, str) else None

    def is_for(self, target: ResourceId) -> bool:
        """Tell whether this is the block of a resource, as far as the code says."""
        known = self.imported or (ResourceId(found) if (found := self.text("resource_id")) else None)
        if known is not None:
            return known == target
        if (self.text("name") or "").lower() != target.name.lower():
            return False
        group, parent = self.text("resource_group_name"), self.text("parent_id")
        if parent is not None:
            return target.is_within(ResourceId(parent))
        return group is None or group.lower() == target.resource_group.lower()

    @property
    def is_open(self) -> bool:
        """Whether nobody can tell from the block alone which resource it is."""
        named = self.text("name") or self.text("resource_id") or self.imported
        return bool(self.loop) or not named


def read_terraform(folder: Path, settings: Iterable[Setting]) -> tuple[list[Patch], list[Remark]]:
    """Return what to change in a folder of Terraform code, and what a person has to look at.

    Raises:
        UsageError: There is no such folder, or nothing of Terraform in it.
    """
    finds = Finds()
    blocks: list[Block] = []
    modules: list[tuple[CodeFile, int, str]] = []
    for file in code_files(folder, ".tf", finds, SYNTAX):
        try:
            found = _blocks(file)
        except _UnreadableError as error:
            finds.error(file, error.line, error.what, "Correct the line (terraform validate shows it too).")
            continue
        blocks += found[0]
        modules += found[1]
    targets = by_target(settings, (CodeForm.AZURERM, CodeForm.AZAPI))
    hits = {target: _hits(target, group, blocks) for target, group in targets.items()}
    claims = Counter(id(block) for found in hits.values() for block in found)
    missed = []
    for target, group in targets.items():
        if not hits[target]:
            missed += [] if all(entry.may_be_absent for entry in group) else [target]
        elif any(claims[id(block)] > 1 for block in hits[target]):
            _tell_several(target, hits[target], finds)
        else:
            _place(target, group, hits[target], finds)
    if missed:
        _tell_open(missed, [entry for target in missed for entry in targets[target]], blocks, modules, finds)
    return finds.patches(_is_valid), finds.remarks


def _hits(target: ResourceId, settings: list[Setting], blocks: list[Block]) -> list[Block]:
    """Return the blocks that are for a target, as far as the code says."""
    types = {kind.lower() for entry in settings for kind in entry.types}
    if types & set(AZURERM_VMS):
        types |= set(AZURERM_VMS)
    return [block for block in blocks if block.kind in types and block.is_for(target)]


def _place(target: ResourceId, settings: list[Setting], hits: list[Block], finds: Finds) -> None:
    """Edit the one block of a target, and what updates it."""
    whole = [block for block in hits if block.type != "azapi_update_resource"]
    if len(whole) > 1:
        for block in whole:
            what = f"{block.address} is one of {len(whole)} blocks that could be {target}"
            finds.tell(block.file, line_of(block.file.text, block.start), what, "Edit the right one by hand.")
        return
    for block in hits:
        _edit(block, target, settings, finds)


def _tell_several(target: ResourceId, hits: list[Block], finds: Finds) -> None:
    """Tell of blocks that may as well be another target's."""
    for block in hits:
        what = f"{block.address} may be {target}, or another of its name"
        finds.tell(block.file, line_of(block.file.text, block.start), what, "Edit the right one by hand.")


def _edit(block: Block, target: ResourceId, settings: list[Setting], finds: Finds) -> None:
    line = line_of(block.file.text, block.start)
    if block.loop:
        what = f"{block.address} ({target.name}) is made by a loop ({block.loop}): edit the input"
        finds.tell(block.file, line, what, _BY_HAND)
        return
    fitting = [entry for entry in settings if block.kind in [kind.lower() for kind in entry.types]]
    if (
        len(fitting) < len([entry for entry in settings if _is_vm_setting(entry)])
        and block.kind == AZURERM_VMS[-1]
    ):
        what = f"{block.address} ({target.name}) is an azurerm_virtual_machine, which cannot say all of it"
        finds.tell(block.file, line, what, "See the note on azurerm_virtual_machine.")
    if block.type == "azapi_update_resource":
        fitting = [moved for entry in fitting for moved in _into_body(entry)]
    wanted = wanted_of(fitting)
    finds.revise(block.file, block.scope, wanted, target.name)
    for advice in advice_of(fitting):
        finds.tell(block.file, line, f"{block.address} ({target.name}): {advice}", _BY_HAND)
    for name in ("replace_triggers_refs", "replace_triggers_external_values"):
        if trigger := block.scope.entry(name):
            what = f"{block.address}: {name} makes the resource anew when what it names changes"
            finds.tell(
                block.file,
                line_of(block.file.text, trigger.start),
                what,
                "See that it names nothing of the change.",
            )


def _into_body(entry: Setting) -> Iterator[Setting]:
    """Yield a setting as `azapi_update_resource` says it: it has no block for identities."""
    if entry.path == ("identity", "identity_ids") and isinstance(entry.value, tuple):
        for one in entry.value:
            yield replace(entry, path=("body", "identity", "userAssignedIdentities", one), value={})
    else:
        is_outside = entry.path[:1] == ("identity",)
        yield replace(entry, path=("body", *entry.path)) if is_outside else entry


def _is_vm_setting(entry: Setting) -> bool:
    return bool(set(entry.types) & set(AZURERM_VMS)) and AZURERM_VMS[0] in entry.types


def _tell_open(
    missed: list[ResourceId],
    settings: list[Setting],
    blocks: list[Block],
    modules: list[tuple[CodeFile, int, str]],
    finds: Finds,
) -> None:
    """Tell which targets were not found, and where they may be."""
    types = {kind.lower() for entry in settings for kind in entry.types}
    named = ", ".join(str(target) for target in missed[:_NAMED])
    more = f" and {len(missed) - _NAMED} more" if len(missed) > _NAMED else ""
    finds.tell(
        None, 0, f"no block says the name or id of {named}{more}", "Look at the loops and modules below."
    )
    for block in blocks:
        if block.kind in types and block.is_open:
            why = f"is made by a loop ({block.loop})" if block.loop else "has a name that is an expression"
            line = line_of(block.file.text, block.start)
            finds.tell(block.file, line, f"{block.address} {why}: edit the input", _BY_HAND)
    for file, place, name in modules:
        what = f"module.{name} may make some of them: edit its input"
        finds.tell(file, line_of(file.text, place), what, _BY_HAND)


_NAMED = 20
_BY_HAND = "Set there what the hints of the VM say."


class _UnreadableError(Exception):
    """A file is no HCL."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(what)
        self.line = line
        self.what = what


def _is_valid(text: str) -> bool:
    try:
        _parsed(text)
    except _UnreadableError:
        return False
    return True


def _parsed(text: str) -> "Tree[object]":
    import hcl2
    from lark.exceptions import LarkError

    try:
        # The parser wants the last line to be a whole one.
        return hcl2.parses_to_tree(text if text.endswith("\n") else f"{text}\n")
    except LarkError as error:
        line = getattr(error, "line", -1)
        last = text.count("\n") + 1
        where = line if isinstance(line, int) and 0 < line <= last else last
        raise _UnreadableError(where, "this is not HCL, or a brace or quote is not closed") from error


def _top(text: str) -> list[tuple[int, list[str], Scope]]:
    from readiness.store.hcl_tree import top_blocks

    try:
        return list(top_blocks(_parsed(text), text))
    except RecursionError as error:
        raise _UnreadableError(1, "blocks or objects are nested too deeply") from error


def _blocks(file: CodeFile) -> tuple[list[Block], list[tuple[CodeFile, int, str]]]:
    imported: dict[str, ResourceId] = {}
    found: list[Block] = []
    modules: list[tuple[CodeFile, int, str]] = []
    for start, labels, scope in _top(file.text):
        match labels:
            case ["resource", kind, name]:
                found.append(Block(file=file, start=start, type=kind, address=f"{kind}.{name}", scope=scope))
            case ["module", name]:
                modules.append((file, start, name))
            case ["import"]:
                imported |= dict(_import(scope, file.text))
            case _:
                pass
    return [
        Block(block.file, block.start, block.type, block.address, block.scope, imported.get(block.address))
        for block in found
    ], modules


def _import(scope: Scope, text: str) -> Iterator[tuple[str, ResourceId]]:
    to, known = scope.entry("to"), scope.entry("id")
    if to is not None and known is not None and isinstance(known.literal, str):
        yield text[slice(*to.value)].strip(), ResourceId(known.literal)


def quoted(text: str) -> str:
    """Return a text as HCL writes it: nothing in it is a template."""
    plain = text.replace("\\", "\\\\").replace('"', '\\"').replace("${", "$${").replace("%{", "%%{")
    return '"' + plain.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t") + '"'


SYNTAX = Syntax(sign=" = ", quoted=quoted, blocks=frozenset({"identity", "os_disk", "lifecycle"}))
