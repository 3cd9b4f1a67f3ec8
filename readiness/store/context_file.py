"""Reads `context.yaml`: applications, windows, freezes, dependencies, targets, exceptions and the rest.

Guarantees that whatever refers to something refers to something that exists: windows, applications, VMs by
name, rules, controls, playbooks, time zones, recurrences. A VM name that two VMs carry is refused, never
guessed. What has expired is read all the same, so that it stays visible.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from msgspec.structs import replace

from readiness.model.context import Context
from readiness.store import context_entries as read
from readiness.store.context_values import Names, Resolver, Words
from readiness.store.marked_yaml import Entry, closest, compose

FORMAT = "readiness/context/1"
SECTIONS = (
    "applications",
    "windows",
    "freezes",
    "dependencies",
    "targets",
    "exceptions",
    "attestations",
    "iac",
    "estimates",
)
_Read = TypeVar("_Read")


def parse_context(text: str, names: Names, file: str = "context.yaml", words: Words | None = None) -> Context:
    """Read the text of a context file.

    Args:
        text: The text.
        names: Ids of the estate's VMs by name in lower case, for the VMs that dependencies speak of.
        file: What its mistakes are told by.
        words: Rules, controls and playbooks that it may name; without them their ids are not checked.
    """
    root = compose(text, file)
    return Context() if root is None else context_of(root, names, words or Words())


def context_of(root: Entry, names: Names, words: Words) -> Context:
    """Read a whole context from its root entry."""
    check_format(root)
    fields = root.fields("format", *SECTIONS)
    windows = _each(fields, "windows", read.window)
    known = {window.name for window in windows}
    applications = _each(fields, "applications", lambda entry: read.application(entry, known, words))
    words = replace(words, applications=tuple(entry.name for entry in applications))
    resolver = Resolver(names, words)
    context = Context(
        applications=applications,
        windows=windows,
        dependencies=_each(fields, "dependencies", lambda entry: read.dependency(entry, resolver)),
        targets=_each(fields, "targets", lambda entry: read.target(entry, words)),
        exceptions=_each(fields, "exceptions", lambda entry: read.exception(entry, words)),
        freezes=_each(fields, "freezes", lambda entry: read.freeze(entry, words)),
        attestations=_each(fields, "attestations", lambda entry: read.attestation(entry, words)),
        ownership=_each(fields, "iac", lambda entry: read.ownership(entry, words)),
        estimates=_each(fields, "estimates", lambda entry: read.estimate(entry, words)),
    )
    _refuse_twins(fields, "applications", [entry.name for entry in context.applications])
    _check_order(fields, [entry.name for entry in context.applications])
    _refuse_twins(fields, "windows", [entry.name for entry in context.windows])
    _refuse_twins(fields, "exceptions", [entry.id for entry in context.exceptions])
    _refuse_twins(fields, "freezes", [entry.name for entry in context.freezes])
    return context


def application_places(text: str, file: str = "context.yaml") -> dict[str, str]:
    """Return where each application of a context stands, by its name."""
    root = compose(text, file)
    listed = root.mapping().get("applications") if root else None
    entries = listed[1].entries() if listed and not listed[1].is_empty else []
    return {entry.mapping()["name"][1].text(): entry.place for entry in entries}


def check_format(root: Entry) -> None:
    """Refuse a file that is no context, or one that a newer release wrote."""
    declared = root.mapping().get("format")
    if declared is None:
        raise root.error("'format' is missing.", f"Begin the file with 'format: {FORMAT}'.")
    written = declared[1].text()
    if written == FORMAT:
        return
    kind, _, major = written.rpartition("/")
    if kind == FORMAT.rpartition("/")[0] and major.isdigit():
        remedy = (
            f"Use the release of readiness that writes {written}, or a newer one. This one reads {FORMAT}."
        )
        raise declared[1].error(f"'{written}' is newer than this release reads.", remedy)
    raise declared[1].error(f"'{written}' is not a format of this file.", f"Write 'format: {FORMAT}'.")


def _each(fields: Mapping[str, Entry], section: str, read: Callable[[Entry], _Read]) -> tuple[_Read, ...]:
    return tuple(read(entry) for entry in fields[section].entries()) if section in fields else ()


def _check_order(fields: Mapping[str, Entry], names: list[str]) -> None:
    """Refuse an application that goes over one that does not stand further down: the first has the VM."""
    for position, entry in enumerate(fields["applications"].entries() if names else ()):
        over = entry.fields(*entry.mapping()).get("over")
        for other in over.entries() if over else ():
            if other.text() in names[position + 1 :]:
                continue
            if other.text() in names:
                problem = (
                    f"'{names[position]}' cannot go over '{other.text()}', which does not stand below it."
                )
                raise other.error(problem, "A VM belongs to the first application that matches it: move one.")
            remedy = closest(other.text(), names[position + 1 :]) or "Describe it under 'applications'."
            raise other.error(f"There is no application '{other.text()}' below this one.", remedy)


def _refuse_twins(fields: Mapping[str, Entry], section: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for position, name in enumerate(names):
        if name in seen:
            entry = fields[section].entries()[position]
            raise entry.error(
                f"'{name}' occurs twice under {section}.", "Give each its own name, or merge them."
            )
        seen.add(name)
