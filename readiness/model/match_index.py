"""Finds the entries of a context that speak of a VM without trying every one of them.

A large estate has thousands of applications, most of which name resource groups or VMs. Each entry is
filed under the narrowest criterion of its match; the match itself still has the last word.
"""

from collections.abc import Iterable
from typing import Generic, TypeVar

from readiness.model.context import Match
from readiness.model.virtual_machine import VirtualMachine

Entry = TypeVar("Entry")
_Key = tuple[str, str]


class MatchIndex(Generic[Entry]):
    """Entries filed by id, resource group, name or application; all others are tried for every VM."""

    def __init__(self, entries: Iterable[tuple[Match, Entry]]) -> None:
        self._filed: dict[_Key | None, list[tuple[int, Match, Entry]]] = {}
        for position, (match, entry) in enumerate(entries):
            for key in _keys(match):
                self._filed.setdefault(key, []).append((position, match, entry))

    def hits(self, vm: VirtualMachine, application: str | None = None) -> list[Entry]:
        """Return the entries that speak of the VM, in their order in the context."""
        if not self._filed:
            return []
        keys: tuple[_Key | None, ...] = (
            None,
            ("id", vm.id.key),
            ("group", vm.id.resource_group.lower()),
            ("name", vm.name.lower()),
            ("application", application or ""),
        )
        found = [filed for key in keys for filed in self._filed.get(key, ())]
        found.sort(key=lambda filed: filed[0])
        return [entry for _, match, entry in found if match.hits(vm, application)]


def _keys(match: Match) -> set[_Key | None]:
    if match.ids:
        return {("id", entry.key) for entry in match.ids}
    if match.names and not any(sign in name for name in match.names for sign in "*?["):
        return {("name", name.lower()) for name in match.names}
    if match.resource_groups:
        return {("group", group.lower()) for group in match.resource_groups}
    if match.applications:
        return {("application", name) for name in match.applications}
    return {None}
