"""Terraform files: finds the blocks of upgraded VMs by name or id, and says as a diff what has to change.

Files in HCL and in JSON. The text itself is edited, so that comments and layout stay. Nothing is written,
nothing is guessed: what a loop, a module or an expression makes is told, with where it comes from, and left
alone.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec.structs import replace

from readiness.model.iac import Patch, Remark
from readiness.model.iac_around import AZURERM_BACKUP, AZURERM_RULE, BACKUP, RULE
from readiness.model.iac_settings import AZURERM_VMS, CodeForm, Setting
from readiness.model.ids import ResourceId
from readiness.store.code_files import Finds, advice_of, by_target, code_files, wanted_of
from readiness.store.code_tree import Scope, line_of
from readiness.store.rules_in_code import KINDS, Group, place_rules
from readiness.store.terraform_code import Block, Code
from readiness.store.terraform_text import SYNTAXES, UnreadableError, is_values, read_blocks, read_values


def read_terraform(folder: Path, settings: Iterable[Setting]) -> tuple[list[Patch], list[Remark]]:
    """Return what to change in a folder of Terraform code, and what a person has to look at.

    Raises:
        UsageError: There is no such folder, or nothing of Terraform in it.
    """
    code = Code()
    finds = Finds(code.origins)
    for file in code_files(folder, SYNTAXES, finds):
        try:
            code.add(file)
        except UnreadableError as error:
            finds.error(file, error.line, error.what, "Correct the line (terraform validate shows it too).")
    _Placing(code, finds, by_target(settings, (CodeForm.AZURERM, CodeForm.AZAPI))).place()
    return finds.patches(_is_valid), finds.remarks


class _Placing:
    """Settings on their way into the blocks that are theirs."""

    def __init__(self, code: Code, finds: Finds, targets: dict[ResourceId, list[Setting]]) -> None:
        self._code = code
        self._finds = finds
        self._targets = targets
        self._named: dict[str, list[Block]] = {}
        for block in code.blocks:
            known = code.id_of(block)
            name = code.text(block, "name") if known is None else known.key
            self._named.setdefault((name or "").lower(), []).append(block)
        self._guarded: dict[tuple[str, str], list[Block]] = {}
        for block in code.blocks:
            if block.kind == AZURERM_BACKUP and (vm := code.vm_of(block, "source_vm_id")) is not None:
                self._guarded.setdefault(vm, []).append(block)

    def place(self) -> None:
        """Edit the block of each target; tell of those that have none, or more than one."""
        hits = {target: self._hits(target, group) for target, group in self._targets.items()}
        inline = self._inline([target for target, found in hits.items() if not found])
        claims = Counter(id(block) for found in hits.values() for block in found)
        missed = []
        for target, group in self._targets.items():
            if target in inline:
                continue
            if not hits[target]:
                missed += [] if all(entry.may_be_absent for entry in group) else [target]
            elif any(claims[id(block)] > 1 for block in hits[target]):
                self._tell_several(target, hits[target])
            else:
                self._place(target, group, hits[target])
        if missed:
            self._tell_open(missed)

    def _hits(self, target: ResourceId, settings: list[Setting]) -> list[Block]:
        """Return the blocks that are for a target, as far as the code says."""
        kinds = _kinds(settings)
        blocks = self._guards_of(target) if target.type == _BACKUP_TYPE else ()
        return [block for block in (*self._blocks_of(target), *blocks) if block.kind in kinds]

    def _guards_of(self, item: ResourceId) -> Iterator[Block]:
        """Yield the blocks that protect the VM of a backup item, whose name ends with its group and name."""
        *_, group, name = ("", "", *item.name.lower().split(";"))
        vault = item.key.partition("/vaults/")[2].partition("/")[0]
        for block in (*self._guarded.get((group, name), ()), *self._guarded.get(("", name), ())):
            named = self._code.text(block, "recovery_vault_name")
            if named is None or named.lower() == vault:
                yield block

    def _blocks_of(self, target: ResourceId) -> Iterator[Block]:
        """Yield the blocks of any kind that say a target's id, or its name and nothing against it."""
        yield from self._named.get(target.key, ())
        for block in self._named.get(target.name.lower(), ()):
            parent = self._code.text(block, "parent_id")
            group = self._code.text(block, "resource_group_name")
            if parent is not None:
                is_it = target.is_within(ResourceId(parent))
            else:
                is_it = group is None or group.lower() == target.resource_group.lower()
            if is_it and (block.kind != AZURERM_RULE or self._is_in_group(block, target)):
                yield block

    def _is_in_group(self, block: Block, target: ResourceId) -> bool:
        """Tell whether a rule may be one of a group: rules of many groups bear the same name."""
        named = self._code.text(block, "network_security_group_name")
        return named is None or named.lower() == target.parent.name.lower()

    def _inline(self, rules: list[ResourceId]) -> set[ResourceId]:
        """Edit rules that their group lists; return those of which there is no more to say."""
        done: set[ResourceId] = set()
        above: dict[ResourceId, list[ResourceId]] = {}
        for rule in rules:
            if rule.type == _RULE_TYPE:
                above.setdefault(rule.parent, []).append(rule)
        hits = {parent: [one for one in self._blocks_of(parent) if one.kind in KINDS] for parent in above}
        claims = Counter(id(block) for found in hits.values() for block in found)
        for parent, inside in above.items():
            found = hits[parent]
            if len(found) > 1 or any(claims[id(block)] > 1 for block in found):
                self._tell_several(parent, found)
            elif found and not self._is_many(found[0], parent):
                group = self._group(found[0])
                place_rules(group, [(rule, self._targets[rule]) for rule in inside], self._finds)
            if found:
                done.update(inside)
        return done

    def _group(self, block: Block) -> Group:
        above = () if block.type == block.kind else ("body", "properties")
        path = (*above, "securityRules" if above else "security_rule")

        def name_of(scope: Scope) -> str | None:
            return self._code.certain(block.file, scope, "name")

        return Group(block.file, block.start, block.address, block.kind, block.scope, path, name_of)

    def _place(self, target: ResourceId, settings: list[Setting], hits: list[Block]) -> None:
        """Edit the one block of a target, and what updates it."""
        whole = [block for block in hits if block.type != "azapi_update_resource"]
        if len(whole) > 1:
            for block in whole:
                what = f"{block.address} is one of {len(whole)} blocks that could be {target}"
                self._finds.tell(block.file, block.line, what, "Edit the right one by hand.")
            return
        for block in hits:
            if not self._is_many(block, target) and not self._is_unsure(block, target):
                self._edit(block, target, settings)

    def _tell_several(self, target: ResourceId, hits: list[Block]) -> None:
        """Tell of blocks that may as well be another target's."""
        for block in hits:
            self._finds.tell(
                block.file,
                block.line,
                f"{block.address} may be {target}, or another of its name",
                "Edit the right one by hand.",
            )

    def _is_many(self, block: Block, target: ResourceId) -> bool:
        """Tell of a block that stands for several resources: an edit would change them all."""
        made = f"is made by a loop ({block.loop})" if block.loop else ""
        if not made and self._code.times(block) > 1:
            made = "is in a module that is called several times"
        if made:
            what = f"{block.address} ({target.name}) {made}: edit the input"
            self._finds.tell(block.file, block.line, what, f"{_BY_HAND}{self._fed(block)}")
        return bool(made)

    def _is_unsure(self, block: Block, target: ResourceId) -> bool:
        """Tell of a rule whose group is an expression, unless its id is known."""
        is_rule = block.kind == AZURERM_RULE and self._code.id_of(block) is None
        if not is_rule or self._code.text(block, "network_security_group_name") is not None:
            return False
        entry = block.scope.entry("network_security_group_name")
        told = self._code.origins(block.file, entry.value, block.scope) if entry is not None else ""
        what = f"{block.address} may be {target}: its group is an expression"
        remedy = f"If it is, set there what the hints say{f' ({told})' if told else ''}."
        self._finds.tell(block.file, block.line, what, remedy)
        return True

    def _edit(self, block: Block, target: ResourceId, settings: list[Setting]) -> None:
        fitting = [entry for entry in settings if block.kind in [kind.lower() for kind in entry.types]]
        asked = [entry for entry in settings if _is_vm_setting(entry)]
        if len(fitting) < len(asked) and block.kind == AZURERM_VMS[-1]:
            what = (
                f"{block.address} ({target.name}) is an azurerm_virtual_machine, which cannot say all of it"
            )
            self._finds.tell(block.file, block.line, what, "See the note on azurerm_virtual_machine.")
        if block.type == "azapi_update_resource":
            fitting = [moved for entry in fitting for moved in _into_body(entry)]
        self._finds.revise(block.file, block.scope, wanted_of(fitting), target.name)
        for advice in advice_of(fitting):
            self._finds.tell(block.file, block.line, f"{block.address} ({target.name}): {advice}", _BY_HAND)
        for name in ("replace_triggers_refs", "replace_triggers_external_values"):
            if trigger := block.scope.entry(name):
                what = f"{block.address}: {name} makes the resource anew when what it names changes"
                line = line_of(block.file.text, trigger.start)
                self._finds.tell(block.file, line, what, "See that it names nothing of the change.")

    def _tell_open(self, missed: list[ResourceId]) -> None:
        """Tell which targets were not found, and where they may be."""
        kinds = {kind for target in missed for kind in _kinds(self._targets[target])}
        if any(target.type == _RULE_TYPE for target in missed):
            kinds |= set(KINDS)
        named = ", ".join(str(target) for target in missed[:_NAMED])
        more = f" and {len(missed) - _NAMED} more" if len(missed) > _NAMED else ""
        what = f"no block says the name or id of {named}{more}"
        self._finds.tell(None, 0, what, "Look at the loops and modules below.")
        for name in dict.fromkeys(target.name for target in missed[:_NAMED]):
            if places := self._code.mentions(name):
                what = f"{name} is named where loops and modules are fed: {', '.join(places[:_NAMED])}"
                self._finds.tell(None, 0, what, "Follow it from there to the block that makes it.")
        for block in self._code.blocks:
            if block.kind in kinds and (why := self._open(block)):
                what = f"{block.address} {why}: edit the input"
                self._finds.tell(block.file, block.line, what, f"{_BY_HAND}{self._fed(block)}")
        for module in self._code.modules:
            known = f" ({module.folder})" if module.folder else ""
            what = f"module.{module.name}{known} may make some of them: edit its input"
            self._finds.tell(module.file, line_of(module.file.text, module.start), what, _BY_HAND)

    def _open(self, block: Block) -> str:
        """Say why nobody can tell from a block alone which resource it is; empty if it can be told."""
        if block.loop:
            return f"is made by a loop ({block.loop})"
        is_named = self._code.text(block, "name") or self._code.id_of(block)
        return "" if is_named else "has a name that is an expression"

    def _fed(self, block: Block) -> str:
        """Say where the name and the loop of a block come from."""
        entries = [entry for name in ("name", "for_each", "count") if (entry := block.scope.entry(name))]
        told = dict.fromkeys(self._code.origins(block.file, one.value, block.scope) for one in entries)
        said = "; ".join(one for one in told if one)
        return f" {said}." if said else ""


def _kinds(settings: Iterable[Setting]) -> set[str]:
    """Return the kinds of blocks that settings are for; a VM may be a block of any resource for VMs."""
    kinds = {kind.lower() for entry in settings for kind in entry.types}
    return kinds | set(AZURERM_VMS) if kinds & set(AZURERM_VMS) else kinds


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


def _is_valid(name: str, text: str) -> bool:
    try:
        (read_values if is_values(name) else read_blocks)(name, text)
    except UnreadableError:
        return False
    return True


_NAMED = 20
_BY_HAND = "Set there what the hints of the VM say."
_RULE_TYPE = RULE.lower()
_BACKUP_TYPE = BACKUP.lower()
