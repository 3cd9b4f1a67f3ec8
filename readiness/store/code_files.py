"""A folder of infrastructure code: its files one by one, and what was found in them. Reads, never writes."""

import codecs
import os
import posixpath
import stat
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from readiness.errors import EstateError, UsageError
from readiness.model.iac import Patch, Remark
from readiness.model.iac_settings import CodeForm, Setting
from readiness.model.ids import ResourceId
from readiness.store.code_diffs import diff
from readiness.store.code_edits import Doubt, Revision
from readiness.store.code_tree import Entry, Scope, Syntax, line_of
from readiness.store.code_wanted import Chosen, Plain, Texts, Wanted, Whole, nested
from readiness.store.plain_text import decoded, encoding_of

_LARGEST = 4 * 1024 * 1024
_MARKS = {"utf-8": "", "utf-8-sig": "\ufeff"}
"""What stands before the text of a file, by its encoding."""
_SKIPPED = frozenset({".terraform", ".git", "node_modules"})


@dataclass(frozen=True, slots=True)
class CodeFile:
    """One file, by its path from the folder."""

    name: str
    text: str
    syntax: Syntax
    encoding: str = "utf-8"

    @property
    def folder(self) -> str:
        """The path of the folder that it is in; empty for the one that was given."""
        return posixpath.dirname(self.name)


Origins = Callable[[CodeFile, tuple[int, int], Scope], str]
"""Says where the values of an expression come from: in a file, from where to where, within a block."""


class Finds:
    """What was found in the files of a folder: edits by file, and remarks."""

    def __init__(self, origins: Origins | None = None) -> None:
        self.remarks: list[Remark] = []
        self._origins = origins
        self._revisions: dict[str, Revision] = {}
        self._encodings: dict[str, str] = {}
        self._vms: dict[str, dict[str, None]] = {}

    def tell(self, file: CodeFile | None, line: int, what: str, remedy: str) -> None:
        """Remark on a place."""
        self.remarks.append(Remark(file=file.name if file else "", line=line, what=what, remedy=remedy))

    def error(self, file: CodeFile, line: int, what: str, remedy: str) -> None:
        """Remark on a file that cannot be read."""
        self.remarks.append(Remark(file=file.name, line=line, what=what, remedy=remedy, is_error=True))

    def revise(self, file: CodeFile, scope: Scope, wanted: Mapping[str, object], vm: str) -> None:
        """Put what is wanted into a scope of a file."""
        self._edit(file, scope, vm, lambda revision: revision.revise(scope, cast("Wanted", wanted)))

    def append(
        self, file: CodeFile, listed: Sequence[Entry], new: Sequence[Mapping[str, object]], vm: str
    ) -> None:
        """Write more blocks or objects behind those that a file lists."""
        wanted = cast("Sequence[Wanted]", new)
        self._edit(file, None, vm, lambda revision: revision.append(listed, wanted))

    def _edit(self, file: CodeFile, scope: Scope | None, vm: str, edit: Callable[[Revision], None]) -> None:
        revision = self._revisions.setdefault(file.name, Revision(file.text, file.syntax))
        self._encodings[file.name] = file.encoding
        before = len(revision.remarks)
        edit(revision)
        self._vms.setdefault(file.name, {})[vm] = None
        for doubt in revision.remarks[before:]:
            self.doubt(file, scope, doubt, vm)

    def doubt(self, file: CodeFile, scope: Scope | None, doubt: Doubt, vm: str) -> None:
        """Remark on an expression that was left alone, with where its values come from."""
        told = self.origin(file, doubt.expression, scope)
        remedy = f"Set it where the value comes from{f':{told}' if told else '.'}"
        self.tell(file, line_of(file.text, doubt.place), f"{vm}: {doubt.what}", remedy)

    def origin(self, file: CodeFile, span: tuple[int, int] | None, scope: Scope | None) -> str:
        """Return a sentence on where the values of an expression come from; empty where nobody knows."""
        if self._origins is None or span is None:
            return ""
        told = self._origins(file, span, scope or Scope(0, 0))
        return f" {told}." if told else ""

    def patches(self, is_valid: Callable[[str, str], bool]) -> list[Patch]:
        """Return the diffs; one that would leave a file unreadable is told instead."""
        found = []
        for name, revision in sorted(self._revisions.items()):
            if not revision.edits:
                continue
            if not is_valid(name, revision.revised):
                what = "the change cannot be put into this file's layout"
                self.remarks.append(
                    Remark(file=name, line=0, what=what, remedy="Edit it by hand, as hinted.")
                )
                continue
            if self._encodings[name] not in _MARKS:
                what = "this file is UTF-16: no tool applies a diff to it"
                self.remarks.append(Remark(file=name, line=0, what=what, remedy="Save it as UTF-8 first."))
                continue
            mark = _MARKS[self._encodings[name]]
            text = diff(name, mark + revision.text, mark + revision.revised)
            found.append(Patch(file=name, vms=tuple(self._vms[name]), diff=text))
        return found


def by_target(settings: Iterable[Setting], forms: Container[CodeForm]) -> dict[ResourceId, list[Setting]]:
    """Return what has to be looked for in code of some forms, by resource: not what is advice alone."""
    found: dict[ResourceId, list[Setting]] = {}
    for entry in settings:
        if entry.form in forms:
            found.setdefault(entry.target, []).append(entry)
    return {
        target: group
        for target, group in found.items()
        if any(entry.path or entry.ignored or entry.adds or not entry.may_be_absent for entry in group)
    }


def wanted_of(settings: Iterable[Setting]) -> dict[str, object]:
    """Return what has to be written into one resource."""
    listed = list(settings)
    wanted: dict[str, object] = {}
    for entry in listed:
        if entry.path:
            nested(entry.path, _plain(entry), wanted)
    if ignored := tuple(dict.fromkeys(entry.ignored for entry in listed if entry.ignored)):
        nested(("lifecycle", "ignore_changes"), ignored, wanted)
    return wanted


def _plain(entry: Setting) -> object:
    if not entry.instead_of:
        return Texts(entry.value) if isinstance(entry.value, tuple) else entry.value
    return chosen(entry.value, entry.instead_of)


def chosen(value: object, others: tuple[str, ...]) -> Plain:
    """Return a value that stands in the place of others; a list of it has to be this and nothing else."""
    plain = Whole(value) if isinstance(value, tuple) else value
    assert isinstance(plain, bool | int | str | Whole)  # noqa: S101  such is a setting of a rule
    return Chosen(plain, others) if others else plain


def advice_of(settings: Iterable[Setting]) -> Iterable[str]:
    """Return what a person has to see to in one resource, each once; not what code may as well leave out."""
    return dict.fromkeys(entry.advice for entry in settings if entry.advice and not entry.may_be_absent)


def code_files(folder: Path, syntaxes: Mapping[str, Syntax], finds: Finds) -> Iterator[CodeFile]:
    """Yield the files of a folder and of those below, in order; links and what tools keep are left out.

    Args:
        folder: The folder.
        syntaxes: How files are written, by the end of their name; the first one is what has to be there.
        finds: Takes what cannot be read.

    Raises:
        UsageError: There is no such folder, or no such file in it.
    """
    if not folder.is_dir():
        raise UsageError(f"There is no folder {folder}.", remedy="Give the folder that holds the code.")
    paths = sorted(_paths(folder, tuple(syntaxes), finds))
    if not paths and not finds.remarks:
        raise UsageError(
            f"There is no {next(iter(syntaxes))} file in {folder}.",
            remedy="Give the folder that holds the code.",
        )
    for path in paths:
        name = path.relative_to(folder).as_posix()
        syntax = next(syntax for end, syntax in syntaxes.items() if name.endswith(end))
        empty = CodeFile(_printable(name), "", syntax)
        try:
            if empty.name != name:
                finds.error(empty, 0, "the name of this file is not UTF-8", "Give it another name.")
                continue
            if path.stat().st_size > _LARGEST:
                finds.error(
                    empty, 0, "this is larger than 4 MiB: nobody wrote that", "Look at what the file is."
                )
                continue
            data = path.read_bytes()
            text = decoded(data, name)
            if "\0" in text:
                finds.error(empty, 0, "this is no text: it holds zeros", "Look at what the file is.")
                continue
        except EstateError as error:
            finds.error(empty, 0, error.brief.rstrip("."), error.remedy)
        except OSError as error:
            finds.error(empty, 0, error.strerror or str(error), "Check the file's permissions.")
        else:
            yield CodeFile(name, text, syntax, _encoding(data))


def _paths(folder: Path, ends: tuple[str, ...], finds: Finds) -> Iterator[Path]:
    def unreadable(error: OSError) -> None:
        name = _printable(os.path.relpath(error.filename or folder, folder))
        what = f"this cannot be read: {error.strerror or error}"
        remark = Remark(file=name, line=0, what=what, remedy="Check its permissions.", is_error=True)
        finds.remarks.append(remark)

    for root, folders, files in os.walk(folder, onerror=unreadable):
        folders[:] = sorted(set(folders) - _SKIPPED)
        for name in files:
            path = Path(root) / name
            try:
                if name.endswith(ends) and stat.S_ISREG(path.lstat().st_mode):
                    yield path
            except OSError as error:
                unreadable(error)


def _printable(name: str) -> str:
    """Return a name with its bytes that are no UTF-8 written out."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _encoding(data: bytes) -> str:
    """Return what a diff of a file has to be written in: UTF-8 with its mark, if it has one, or UTF-16."""
    encoding = encoding_of(data[:4])
    return encoding if encoding != "utf-8-sig" or data.startswith(codecs.BOM_UTF8) else "utf-8"
