"""Finds the entries of a context that speak of a VM without trying every one of them.

A large estate has thousands of applications, most of which name resource groups or VMs. Each entry is
filed under the narrowest criterion of its match; the match itself still has the last word.
"""

from collections.abc import Iterable
from typing import Generic, TypeVar

from readiness.model.context import Match
from readiness.model.virtual_machine import VirtualMachine

Entry = TypeVar("Entry")
_Filed = dict[str, list[tuple[int, Match, Entry]]]


class MatchIndex(Generic[Entry]):
    """Entries filed by id, group, name, application or tag; all others are tried for every VM."""

    def __init__(self, entries: Iterable[tuple[Match, Entry]]) -> None:
        self._filed: dict[str, _Filed[Entry]] = {}
        for position, (match, entry) in enumerate(entries):
            kind, keys = _keys(match)
            filed = self._filed.setdefault(kind, {})
            for key in keys:
                filed.setdefault(key, []).append((position, match, entry))

    @property
    def is_empty(self) -> bool:
        """Whether there is no entry at all."""
        return not self._filed

    def hits(self, vm: VirtualMachine, application: str | None = None) -> list[Entry]:
        """Return the entries that speak of the VM, in their order in the context."""
        # One that names a VM and its subscription is filed under both, and found twice.
        found: dict[int, tuple[Match, Entry]] = {}
        for kind, by_key in self._filed.items():
            for key in _keys_of(kind, vm, application):
                for position, match, entry in by_key.get(key, ()):
                    found[position] = (match, entry)
        ordered = (found[position] for position in sorted(found))
        return [entry for match, entry in ordered if match.hits(vm, application)]


def _keys_of(kind: str, vm: VirtualMachine, application: str | None) -> tuple[str, ...]:
    """Return what an entry of that kind is filed under if it may speak of the VM."""
    match kind:
        case "id":  # its own, its group's and its subscription's
            subscription = f"/subscriptions/{vm.id.subscription}"
            group = f"{subscription}/resourcegroups/{vm.id.resource_group.lower()}"
            return vm.id.key, group, subscription
        case "name":
            return (vm.name.lower(),)
        case "group":
            return (vm.id.resource_group.lower(),)
        case "application":
            return (application or "",)
        case "tag":
            return tuple(_tag(name, value) for name, value in vm.tags.items())
        case _:
            return ("",)


def _keys(match: Match) -> tuple[str, set[str]]:
    """Return the narrowest kind that a match can be filed by, and its keys."""
    if match.ids:
        return "id", {entry.key for entry in match.ids}
    if match.names and not any(sign in name for name in match.names for sign in "*?["):
        return "name", {name.lower() for name in match.names}
    if match.resource_groups:
        return "group", {group.lower() for group in match.resource_groups}
    if match.applications:
        return "application", set(match.applications)
    if match.tags:  # all of them have to hold, so any one will do
        return "tag", {_tag(*min(match.tags.items()))}
    return "any", {""}


def _tag(name: str, value: str) -> str:
    return f"{name.lower()}={value}"
