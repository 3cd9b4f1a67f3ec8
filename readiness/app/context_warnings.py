"""What in a context is allowed and yet probably a mistake, as gaps of the estate.

An entry that speaks of no VM does nothing; a VM that several applications claim belongs to the first. Neither
stops an assessment, and neither goes unsaid. A plan is stricter: see `contradictions`.
"""

from collections.abc import Iterator
from fnmatch import fnmatchcase

from readiness.model.context import Context, Match
from readiness.model.estate import Estate
from readiness.model.estate_info import Gap
from readiness.model.ids import ResourceId
from readiness.model.match_index import MatchIndex
from readiness.planner.contradictions import overlaps

CONTEXT = "context.yaml"
_Entry = tuple[str, str]
"""The section of an entry, and what it is told by."""


def warnings_of(estate: Estate) -> tuple[Gap, ...]:
    """Return the entries of the context that hit nothing, and applications that others hide or contradict."""
    entries = [
        (match, entry) for match, entry in _entries(estate.context) if not _is_of_subscription(match, estate)
    ]
    silent = {entry for _, entry in entries}
    idle = {entry.name: entry.match for entry in estate.context.applications if not entry.may_be_empty}
    index = MatchIndex(entries)
    for vm in estate.vms:
        if not (silent or idle):
            break
        application = estate.application_of(vm)
        name = application.name if application else None
        idle.pop(name or "", None)
        if silent:
            silent.difference_update(index.hits(vm, name))
    return (
        *(
            _idle(name, match, estate)
            for name, match in idle.items()
            if not may_speak_of_unread(match, estate)
        ),
        *(
            Gap(CONTEXT, "", "ApplicationsOverlap", f"{entry.sentence}: {entry.first} has them.")
            for entry in overlaps(estate)
            if entry.second not in idle  # all its VMs belong to others, which is said above
        ),
        *(
            _says_nothing(*entry)
            for match, entry in entries
            if entry in silent and not may_speak_of_unread(match, estate)
        ),
    )


def _entries(context: Context) -> Iterator[tuple[Match, _Entry]]:
    """Yield all entries that have a match but the applications."""
    for position, target in enumerate(context.targets, start=1):
        yield target.match, ("target", f"number {position}")
    for exception in context.exceptions:
        yield exception.match, ("exception", exception.id)
    for position, attestation in enumerate(context.attestations, start=1):
        yield attestation.match, ("attestation", f"number {position}, of {attestation.control},")
    for freeze in context.freezes:
        yield freeze.match, ("freeze", freeze.name)
    for position, ownership in enumerate(context.ownership, start=1):
        yield ownership.match, ("iac entry", f"number {position}")
    for position, estimate in enumerate(context.estimates, start=1):
        yield estimate.match, ("estimate", f"number {position}")


def _is_of_subscription(match: Match, estate: Estate) -> bool:
    """Tell whether it speaks of a subscription itself, which needs no VM in it."""
    known = {entry.id.lower() for entry in estate.info.subscriptions}
    return match == Match(ids=match.ids) and any(
        scope.key == f"/subscriptions/{scope.subscription}" and scope.subscription in known
        for scope in match.ids
    )


def may_speak_of_unread(match: Match, estate: Estate) -> bool:
    """Tell whether it may mean a VM that was found and could not be read: its tags are not known."""
    return any(_may_hit(match, ResourceId(gap.resource)) for gap in estate.gaps if gap.is_vm)


def _may_hit(match: Match, vm: ResourceId) -> bool:
    name, group = vm.name.lower(), vm.resource_group.lower()
    return (
        (not match.ids or any(vm.is_within(scope) for scope in match.ids))
        and (not match.names or any(fnmatchcase(name, pattern.lower()) for pattern in match.names))
        and (not match.resource_groups or group in {entry.lower() for entry in match.resource_groups})
    )


def _idle(name: str, match: Match, estate: Estate) -> Gap:
    """Say of an application without VMs whether it hits none, or others above it have them all."""
    if not any(match.hits(vm) for vm in estate.vms):
        return _says_nothing("application", name)
    detail = f"All VMs of the application {name} belong to an application above it, which hits them first."
    return Gap(CONTEXT, "", "ApplicationHidden", detail)


def _says_nothing(section: str, name: str) -> Gap:
    detail = f"The {section} {name} speaks of no VM of the estate. Correct its 'match', or remove it."
    return Gap(CONTEXT, "", "MatchesNoVm", detail)
