"""What a context says of applications that no plan can be made of: VMs of two owners, applications of none.

An assessment goes on, with the first application that matches. A plan does not: an outage that the wrong
owner signed is worse than none. Two are no contradiction where the first goes *over* the other, or the
other alone matches every VM and so takes what is left.
"""

from collections import defaultdict

from msgspec import Struct

from readiness.model.estate import Estate
from readiness.model.match_index import MatchIndex

_NAMED = 3


class Overlap(Struct, frozen=True, kw_only=True):
    """Two applications that match the same VMs, neither of which is said to go first."""

    first: str
    """The one further up in the context."""
    second: str
    vms: tuple[str, ...]
    """Names of the VMs."""

    @property
    def sentence(self) -> str:
        """Both names and some VMs, without a full stop."""
        named = ", ".join(self.vms[:_NAMED]) + (", ..." if len(self.vms) > _NAMED else "")
        count = f"{len(self.vms)} VMs" if len(self.vms) > 1 else "one VM"
        return f"The applications {self.first} and {self.second} both match {count} ({named})"


def overlaps(estate: Estate) -> tuple[Overlap, ...]:
    """Return the pairs of applications that contradict one another, in their order in the context."""
    index = MatchIndex((entry.match, entry) for entry in estate.context.applications)
    found: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for vm in estate.vms:
        hits = index.hits(vm)
        for other in hits[1:]:
            takes_the_rest = other.match.is_everything and not hits[0].match.is_everything
            if other.name not in hits[0].over and not takes_the_rest:
                found[hits[0].name, other.name].append(vm.name)
    place = {entry.name: number for number, entry in enumerate(estate.context.applications)}
    ordered = sorted(found, key=lambda pair: (place[pair[0]], place[pair[1]]))
    return tuple(Overlap(first=pair[0], second=pair[1], vms=tuple(found[pair])) for pair in ordered)


def unmatched(estate: Estate) -> tuple[str, ...]:
    """Return the names of the applications that match no VM and are not marked as such."""
    waiting = {entry.name: entry for entry in estate.context.applications if not entry.may_be_empty}
    index = MatchIndex((entry.match, entry.name) for entry in waiting.values())
    for vm in estate.vms:
        if not waiting:
            break
        for name in index.hits(vm):
            waiting.pop(name, None)
    return tuple(waiting)
