"""A folder of Terraform code: its resources, and where the values of its expressions come from.

What is certain is followed: locals, and names of other resources that are written out. What somebody may set
otherwise, a variable, is told with every place that sets it, never taken for its value.
"""

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from readiness.model.ids import ResourceId
from readiness.store.code_files import CodeFile
from readiness.store.code_tree import Entry, Scope, line_of
from readiness.store.terraform_text import is_values, read_blocks, read_values

AZAPI = ("azapi_resource", "azapi_update_resource")
_LOOPS = ("count", "for_each")
_OF_LOOPS = {"each": "for_each", "count": "count"}
"""What a loop feeds, by the first word of it."""
_DEEPEST = 8
_TOLD = 8
"""How many places of one kind are named."""
_REFERENCE = re.compile(r"(?<![\w.-])(var|local|each|count)\.([A-Za-z_][\w-]*)")
_CERTAIN = re.compile(r"\s*(?:local\.([\w-]+)|(azurerm_\w+)\.([\w-]+)(?:\[0\])?\.name)\s*")
_VM_ID = re.compile(r"(?:\"\$\{)?\s*(azurerm_\w*virtual_machine)\.([\w-]+)(?:\[0\])?\.id\s*(?:\}\")?")
_PIECES = re.compile(r"(?<!\$)\$\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Place:
    """An entry of a file."""

    file: CodeFile
    entry: Entry

    def __str__(self) -> str:
        return f"{self.file.name}:{line_of(self.file.text, self.entry.start)}"


@dataclass(frozen=True, slots=True)
class Module:
    """One call of a module."""

    file: CodeFile
    start: int
    name: str
    scope: Scope

    @property
    def folder(self) -> str | None:
        """The folder within the code that it calls; None where it comes from elsewhere."""
        source = self.scope.text("source") or ""
        if not source.startswith(("./", "../")):
            return None
        found = posixpath.normpath(posixpath.join(self.file.folder, source))
        return "" if found == "." else found

    @property
    def is_loop(self) -> bool:
        """Whether it stands for several calls."""
        return any(self.scope.entry(name) for name in _LOOPS)


@dataclass(frozen=True, slots=True)
class Block:
    """One `resource` of a file."""

    file: CodeFile
    start: int
    type: str
    label: str
    scope: Scope

    @property
    def address(self) -> str:
        """What Terraform calls it."""
        return f"{self.type}.{self.label}"

    @property
    def line(self) -> int:
        """The number of its first line."""
        return line_of(self.file.text, self.start)

    @property
    def kind(self) -> str:
        """The ARM type of an AzAPI resource without its version, or the resource's own type."""
        declared = self.scope.text("type") if self.type in AZAPI else None
        return declared.partition("@")[0].lower() if declared is not None else self.type

    @property
    def loop(self) -> str:
        """`count` or `for_each`, if it stands for several resources."""
        return next((name for name in _LOOPS if self.scope.entry(name)), "")


@dataclass(slots=True)
class Code:
    """All blocks of a folder, and the values that feed them."""

    blocks: list[Block] = field(default_factory=list)
    modules: list[Module] = field(default_factory=list)
    _calls: dict[str | None, list[Module]] = field(default_factory=dict)
    _imported: dict[str, ResourceId] = field(default_factory=dict)
    _variables: dict[tuple[str, str], Place] = field(default_factory=dict)
    _locals: dict[tuple[str, str], Place] = field(default_factory=dict)
    _values: dict[tuple[str, str], list[Place]] = field(default_factory=dict)
    _resources: dict[tuple[str, str, str], Block] = field(default_factory=dict)

    def add(self, file: CodeFile) -> None:
        """Read one file.

        Raises:
            UnreadableError: It is no HCL or JSON.
        """
        if is_values(file.name):
            for entry in read_values(file.name, file.text):
                self._values.setdefault((file.folder, entry.name), []).append(Place(file, entry))
            return
        for start, labels, scope in read_blocks(file.name, file.text):
            self._add(file, start, labels, scope)

    def _add(self, file: CodeFile, start: int, labels: list[str], scope: Scope) -> None:
        match labels:
            case ["resource", kind, name]:
                block = Block(file, start, kind, name, scope)
                self.blocks.append(block)
                self._resources[file.folder, kind, name] = block
            case ["module", name]:
                self.modules.append(Module(file, start, name, scope))
                self._calls.setdefault(self.modules[-1].folder, []).append(self.modules[-1])
            case ["variable", name]:
                place = (start, scope.closes)
                entry = Entry(name=name, start=start, value=place, scope=scope)
                self._variables[file.folder, name] = Place(file, entry)
            case ["locals"]:
                for entry in scope.entries:
                    self._locals[file.folder, entry.name] = Place(file, entry)
            case ["import"]:
                self._imported |= dict(_import(scope, file))
            case _:
                pass

    def id_of(self, block: Block) -> ResourceId | None:
        """Return the id that code says of a block, by its import or itself."""
        found = block.scope.text("resource_id")
        known = self._imported.get(f"{block.file.folder} {block.address}")
        return known or (ResourceId(found) if found else None)

    def vm_of(self, block: Block, name: str) -> tuple[str, str] | None:
        """Return resource group and name, in lower case, of the VM whose id an attribute certainly is.

        The group is empty where the code does not say it for certain.
        """
        entry = block.scope.entry(name)
        if entry is None:
            return None
        if (known := self._certain(block.file, entry)) is not None:
            found = ResourceId(known)
            return found.resource_group.lower(), found.name.lower()
        hit = _VM_ID.fullmatch(block.file.text[slice(*entry.value)].strip())
        vm = self._resources.get((block.file.folder, hit[1], hit[2])) if hit else None
        called = self.text(vm, "name") if vm is not None and vm.loop != "for_each" else None
        if vm is None or called is None:
            return None
        return (self.text(vm, "resource_group_name") or "").lower(), called.lower()

    def text(self, block: Block, name: str) -> str | None:
        """Return an attribute that is certain: written out, or made of what is."""
        return self.certain(block.file, block.scope, name)

    def certain(self, file: CodeFile, scope: Scope, name: str) -> str | None:
        """Return a text of a scope that is certain."""
        entry = scope.entry(name)
        return self._certain(file, entry) if entry is not None else None

    def _certain(self, file: CodeFile, entry: Entry, depth: int = 0) -> str | None:
        if entry.literal is not None or depth > _DEEPEST:
            return entry.literal if isinstance(entry.literal, str) else None
        written = file.text[slice(*entry.value)].strip()
        if written.startswith('"') and written.endswith('"') and "%{" not in written:
            return self._joined(file, written[1:-1], depth)
        return self._followed(file, written, depth)

    def _joined(self, file: CodeFile, written: str, depth: int) -> str | None:
        """Return a text with its templates filled in, if all of them are certain."""
        pieces = _PIECES.split(written)
        if "\\" in written or any("${" in piece for piece in pieces[::2]):
            return None
        pieces[1::2] = found = [self._followed(file, piece, depth) or "" for piece in pieces[1::2]]
        return "".join(pieces) if all(found) else None

    def _followed(self, file: CodeFile, expression: str, depth: int) -> str | None:
        """Return what a local, or the name of another resource, says."""
        hit = _CERTAIN.fullmatch(expression)
        if hit is None:
            return None
        if hit[1]:
            place = self._locals.get((file.folder, hit[1]))
            return self._certain(place.file, place.entry, depth + 1) if place else None
        block = self._resources.get((file.folder, hit[2], hit[3]))
        entry = block.scope.entry("name") if block is not None and block.loop != "for_each" else None
        return self._certain(file, entry, depth + 1) if entry is not None and block is not None else None

    def times(self, block: Block) -> int:
        """Return how often the module that a block is in is called; 2 stands for any number above one."""
        return self._times(block.file.folder, ())

    def _times(self, folder: str, above: tuple[str, ...]) -> int:
        found = 0
        for one in () if folder in above else self._calls.get(folder, ()):
            found += 2 if one.is_loop else self._times(one.file.folder, (*above, folder))
            if found > 1:
                return 2
        return found or 1

    def origins(self, file: CodeFile, span: tuple[int, int], scope: Scope | None = None) -> str:
        """Say where the values of an expression come from: each variable and local with its places.

        Args:
            file: The file that the expression stands in.
            span: From where to where.
            scope: The block around it, for what its loop feeds.
        """
        return "; ".join(islice(self._origins(file, span, scope, set()), _TOLD))

    def _origins(
        self, file: CodeFile, span: tuple[int, int], scope: Scope | None, seen: set[tuple[object, ...]]
    ) -> Iterator[str]:
        for kind, name in _REFERENCE.findall(file.text[slice(*span)]):
            key = (file.folder, kind, name, id(scope) if kind in _OF_LOOPS else 0)
            if key in seen:
                continue
            seen.add(key)
            if kind == "var":
                yield from self._of_variable(file.folder, name, seen)
            elif kind == "local" and (place := self._locals.get((file.folder, name))):
                yield f"local.{name} is in {place}"
                yield from self._origins(place.file, place.entry.value, None, seen)
            elif kind in _OF_LOOPS and (loop := scope.entry(_OF_LOOPS[kind]) if scope else None):
                yield f"{kind}.{name} is of {loop.name} in {Place(file, loop)}"
                yield from self._origins(file, loop.value, None, seen)

    def _of_variable(self, folder: str, name: str, seen: set[tuple[object, ...]]) -> Iterator[str]:
        declared = self._variables.get((folder, name))
        said = f"var.{name} is declared in {declared}" if declared else f"var.{name} is declared nowhere here"
        default = declared.entry.scope.entry("default") if declared and declared.entry.scope else None
        if declared and default:
            said += f" with a default in line {line_of(declared.file.text, default.start)}"
        places = [f"set in {place}" for place in self._values.get((folder, name), ())]
        calls = self._calls.get(folder, ())
        passed = [(one, entry) for one in calls if (entry := one.scope.entry(name))]
        places += [f"passed by module.{one.name} in {Place(one.file, entry)}" for one, entry in passed]
        more = [f"and {len(places) - _TOLD} more"] if len(places) > _TOLD else []
        yield ", ".join([said, *places[:_TOLD], *more])
        for one, entry in passed:
            yield from self._origins(one.file, entry.value, one.scope, seen)

    def mentions(self, name: str) -> list[str]:
        """Return where a name stands among values, locals, defaults, loops, and what modules are given."""
        feeds: list[Place] = [
            *self._locals.values(),
            *(one for found in self._values.values() for one in found),
        ]
        feeds += self._variables.values()
        feeds += [Place(one.file, entry) for one in self.modules for entry in one.scope.entries]
        for block in self.blocks:
            feeds += [Place(block.file, entry) for loop in _LOOPS if (entry := block.scope.entry(loop))]
        return [*dict.fromkeys(str(place) for feed in feeds for place in _naming(feed, name.lower()))]


def _naming(place: Place, name: str) -> Iterator[Place]:
    """Yield the entries and items within a place that are a name, or are called by it."""
    entry = place.entry
    if entry.name.lower() == name or (isinstance(entry.literal, str) and entry.literal.lower() == name):
        yield place
    inside = list(entry.scope.entries) if entry.scope is not None else []
    inside += [Entry("", item.value[0], item.value, item.literal, item.scope) for item in entry.items or ()]
    for inner in inside:
        yield from _naming(Place(place.file, inner), name)


def _import(scope: Scope, file: CodeFile) -> Iterator[tuple[str, ResourceId]]:
    to, known = scope.entry("to"), scope.text("id")
    if to is not None and known is not None:
        address = to.literal if isinstance(to.literal, str) else file.text[slice(*to.value)]
        yield f"{file.folder} {address.strip()}", ResourceId(known)
