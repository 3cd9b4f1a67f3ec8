"""The directory behind a twin, as far as roles need one: whose principals are whose, and how long news takes.

A principal that was made in the twin is unknown to the role service until it has replicated, and a role acts
only some time after it was assigned. Learn, "Troubleshoot Azure RBAC", promises no time and names up to ten
minutes; the two figures here are plausible. People, groups and applications are not held: a principal that
is no managed identity of the twin is taken for one of them.
"""

from datetime import datetime, timedelta

from readiness.twin.documents import Json, look, same
from readiness.twin.state import State

PRINCIPAL_SECONDS = 30.0
"""From the creation of a principal to its being known to the role service."""

ROLE_SECONDS = 120.0
"""From the assignment of a role to its acting."""

USER_ASSIGNED = "microsoft.managedidentity/userassignedidentities"

_PRINCIPALS = "principals"


def stamp(now: datetime) -> str:
    """Write a time as ARM does."""
    return now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def read_time(text: object) -> datetime | None:
    """Read a time ARM wrote, or nothing where there is none."""
    if not isinstance(text, str):
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def bearer(state: State, principal_id: str) -> Json | None:
    """Return the resource whose managed identity a principal is."""
    for identity in state.of_kind(USER_ASSIGNED):
        if same(look(identity, "properties.principalId"), principal_id):
            return identity
    for resource in state.everything():
        if same(look(resource, "identity.principalId"), principal_id):
            return resource
    return None


def is_replicated(state: State, principal_id: str, now: datetime) -> bool:
    """Tell whether the role service knows a principal by now; what was seeded has long been known."""
    made = state.hidden(_PRINCIPALS).get(principal_id.lower())
    return made is None or now >= made + timedelta(seconds=PRINCIPAL_SECONDS)


def announce(state: State, principal_id: str, now: datetime) -> None:
    """Remember when a principal was made."""
    state.hidden(_PRINCIPALS).setdefault(principal_id.lower(), now)


def acts(assignment: Json, now: datetime) -> bool:
    """Tell whether a role assignment has come into effect."""
    made = read_time(look(assignment, "properties.createdOn"))
    return made is None or now >= made + timedelta(seconds=ROLE_SECONDS)
