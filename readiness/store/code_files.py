"""A folder of infrastructure code: its files one by one, and what was found in them. Reads, never writes."""

import codecs
import os
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from readiness.errors import EstateError, UsageError
from readiness.model.iac import Patch, Remark
from readiness.model.iac_settings import CodeForm, Setting
from readiness.model.ids import ResourceId
from readiness.store.code_edits import Revision, Scope, Syntax, Texts, Wanted, diff, line_of, nested
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


class Finds:
    """What was found in the files of a folder: edits by file, and remarks."""

    def __init__(self) -> None:
        self.remarks: list[Remark] = []
        self._revisions: dict[str, Revision] = {}
        self._encodings: dict[str, str] = {}
        self._vms: dict[str, dict[str, None]] = {}

    def tell(self, file: CodeFile | None, line: int, what: str, remedy: str) -> None:
        """Remark on a place."""
        self.remarks.append(Remark(file=file.name if file else "", line=line, what=what, remedy=remedy))

    def error(self, file: CodeFile, line: int, what: str, remedy: str) -> None:
        """Remark on a file that cannot be read."""
        self.remarks.append(Remark(file=file.name, line=line, what=what, remedy=remedy, is_error=True))

    def revise(self, file: CodeFile, scope: Scope, wanted: dict[str, object], vm: str) -> None:
        """Put what is wanted into a scope of a file."""
        revision = self._revisions.setdefault(file.name, Revision(file.text, file.syntax))
        self._encodings[file.name] = file.encoding
        before = len(revision.remarks)
        revision.revise(scope, cast("Wanted", wanted))
        self._vms.setdefault(file.name, {})[vm] = None
        for place, what in revision.remarks[before:]:
            self.tell(file, line_of(file.text, place), f"{vm}: {what}", "Set it where the value comes from.")

    def patches(self, is_valid: Callable[[str], bool]) -> list[Patch]:
        """Return the diffs; one that would leave a file unreadable is told instead."""
        found = []
        for name, revision in sorted(self._revisions.items()):
            if not revision.edits:
                continue
            if not is_valid(revision.revised):
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
        if any(entry.path or entry.ignored or not entry.may_be_absent for entry in group)
    }


def wanted_of(settings: Iterable[Setting]) -> dict[str, object]:
    """Return what has to be written into one resource."""
    listed = list(settings)
    wanted: dict[str, object] = {}
    for entry in listed:
        if entry.path:
            value = Texts(entry.value) if isinstance(entry.value, tuple) else entry.value
            nested(entry.path, value, wanted)
    if ignored := tuple(dict.fromkeys(entry.ignored for entry in listed if entry.ignored)):
        nested(("lifecycle", "ignore_changes"), ignored, wanted)
    return wanted


def advice_of(settings: Iterable[Setting]) -> Iterable[str]:
    """Return what a person has to see to in one resource, each once; not what code may as well leave out."""
    return dict.fromkeys(entry.advice for entry in settings if entry.advice and not entry.may_be_absent)


def code_files(folder: Path, suffix: str, finds: Finds, syntax: Syntax) -> Iterator[CodeFile]:
    """Yield the files of a folder and of those below, in order; links and what tools keep are left out.

    Raises:
        UsageError: There is no such folder, or no such file in it.
    """
    if not folder.is_dir():
        raise UsageError(f"There is no folder {folder}.", remedy="Give the folder that holds the code.")
    paths = sorted(_paths(folder, suffix))
    if not paths:
        raise UsageError(
            f"There is no {suffix} file in {folder}.", remedy="Give the folder that holds the code."
        )
    for path in paths:
        name = path.relative_to(folder).as_posix()
        empty = CodeFile(name, "", syntax)
        try:
            if path.stat().st_size > _LARGEST:
                finds.error(
                    empty, 0, "this is larger than 4 MiB: nobody wrote that", "Look at what the file is."
                )
                continue
            data = path.read_bytes()
            text = decoded(data, name)
        except EstateError as error:
            finds.error(empty, 0, error.brief, error.remedy)
        except OSError as error:
            finds.error(empty, 0, error.strerror or str(error), "Check the file's permissions.")
        else:
            yield CodeFile(name, text, syntax, _encoding(data))


def _paths(folder: Path, suffix: str) -> Iterator[Path]:
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(set(folders) - _SKIPPED)
        for name in files:
            path = Path(root) / name
            if name.endswith(suffix) and not path.is_symlink() and path.is_file():
                yield path


def _encoding(data: bytes) -> str:
    """Return what a diff of a file has to be written in: UTF-8 with its mark, if it has one, or UTF-16."""
    encoding = encoding_of(data[:4])
    return encoding if encoding != "utf-8-sig" or data.startswith(codecs.BOM_UTF8) else "utf-8"
