"""Use cases: list the snapshots that runs took, and delete those that have expired. No other is touched."""

from collections.abc import Iterable
from contextlib import closing
from datetime import date
from pathlib import Path

from msgspec import Struct

from readiness.app.places import Place, check_subscriptions, find_place
from readiness.azure.connect import Connection
from readiness.azure.kept_snapshots import KeptSnapshot, delete, kept_snapshots
from readiness.errors import CloudError
from readiness.store.artefacts import read_plan


class Where(Struct, frozen=True, kw_only=True):
    """Whose snapshots are meant, and where they are."""

    plan: Path
    state: Path
    twin: str | None = None
    certificate: Path | None = None
    live: bool = False


class Found(Struct, frozen=True, kw_only=True):
    """The snapshots of a plan."""

    place: Place
    today: date
    snapshots: tuple[KeptSnapshot, ...]


class Deleted(Struct, frozen=True, kw_only=True):
    """What became of expired snapshots."""

    gone: tuple[KeptSnapshot, ...]
    kept: dict[str, str]
    """Ids of those that could not be deleted, and why."""


def find(where: Where) -> Found:
    """Return the snapshots that bear the marks of a plan, those that expire first at the front."""
    plan = read_plan(where.plan)
    place = find_place(plan, where)
    with closing(Connection(place.endpoint)) as connection:
        check_subscriptions(plan, connection, place)
        found = [
            one
            for subscription in plan.target.subscriptions
            for one in kept_snapshots(connection, subscription)
            if one.plan == plan.approval
        ]
    listed = tuple(sorted(found, key=lambda one: (one.expires or date.max, one.id)))
    return Found(place=place, today=place.clock.now().date(), snapshots=listed)


def delete_expired(found: Found, due: Iterable[KeptSnapshot]) -> Deleted:
    """Delete snapshots whose day has passed; one that cannot be deleted hides no other."""
    gone, kept = [], {}
    with closing(Connection(found.place.endpoint)) as connection:
        for one in due:
            if not one.is_expired(found.today):
                kept[one.id.text] = "it has not expired"
                continue
            try:
                delete(connection, one)
            except CloudError as error:
                kept[one.id.text] = f"{error.code}: {error.brief}"
            else:
                gone.append(one)
    return Deleted(gone=tuple(gone), kept=kept)
