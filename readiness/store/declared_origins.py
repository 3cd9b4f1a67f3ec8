"""Where values of Bicep files and templates in JSON come from: parameters, variables, and who sets them.

Nothing is evaluated: each place that may say the value is told with its file and line.
"""

import posixpath
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from readiness.store.code_files import CodeFile
from readiness.store.code_tree import Entry, Scope, line_of

_TOLD = 8
References = Callable[[str], Iterable[str]]
"""Returns what an expression refers to, as names are kept here."""
Alone = Callable[[str], str | None]
"""Returns what an expression refers to, if it is that reference and nothing else."""


class Sources:
    """The named values of all files of a folder, and what sets parameters."""

    def __init__(self, references: References, alone: Alone) -> None:
        self._references = references
        self._alone = alone
        self._named: dict[tuple[str, str], tuple[CodeFile, Entry]] = {}
        self._set: dict[tuple[str, str], list[str]] = {}
        self._calls: dict[str, int] = {}

    def declare(self, file: CodeFile, name: str, entry: Entry) -> None:
        """Keep a parameter or variable of a file."""
        self._named[file.name, name.lower()] = (file, entry)

    def tell_of(self, target: str, name: str, file: CodeFile, start: int) -> None:
        """Keep a place that sets a parameter of a file, or of every file of a folder."""
        self._set.setdefault((target, name.lower()), []).append(f"{file.name}:{line_of(file.text, start)}")

    def call(self, target: str, *, is_loop: bool) -> None:
        """Keep a call of a file as a module."""
        self._calls[target] = self._calls.get(target, 0) + (2 if is_loop else 1)

    def is_many(self, file: CodeFile) -> bool:
        """Tell whether a file is called several times, so that what it declares is several resources."""
        return self._calls.get(file.name, 0) > 1

    def certain(self, file: CodeFile, expression: str) -> str | None:
        """Return the text of a variable that an expression is; of a parameter nobody can be certain."""
        name = self._alone(expression)
        known = self._named.get((file.name, name.lower())) if name is not None else None
        literal = known[1].literal if known is not None else None
        return literal if isinstance(literal, str) else None

    def origins(self, file: CodeFile, span: tuple[int, int], _scope: Scope) -> str:
        """Say where the values of an expression come from."""
        return "; ".join(islice(self._origins(file, file.text[slice(*span)], set()), _TOLD))

    def _origins(self, file: CodeFile, written: str, seen: set[str]) -> Iterator[str]:
        for name in self._references(written):
            known = self._named.get((file.name, name.lower()))
            if known is None or name.lower() in seen:
                continue
            seen.add(name.lower())
            entry = known[1]
            places = [
                place
                for target in (file.name, f"{file.folder}/")
                for place in self._set.get((target, name.lower()), ())
            ]
            said = f"{name} is in {file.name}:{line_of(file.text, entry.start)}"
            yield f"{said}, set in {', '.join(places)}" if places else said
            yield from self._origins(file, file.text[entry.start : entry.value[1]], seen)


def beside(file: CodeFile, path: str) -> str:
    """Return the name of a file that another one names by its path."""
    return posixpath.normpath(posixpath.join(file.folder, path))
