"""The history in numbers: counted by the database, snapshot by snapshot, without any VM in memory."""

from collections.abc import Iterator

from msgspec import Struct

from readiness.model.assessment import Classification
from readiness.model.history import SnapshotInfo
from readiness.model.verdict import Dimension
from readiness.store.history import History

Four = tuple[int, int, int, int]


class SnapshotCounts(Struct, frozen=True, kw_only=True):
    """One snapshot in numbers."""

    vms: int
    """Classified VMs."""
    excluded: int
    raw: Four
    permitted: Four
    satisfied: dict[Dimension, int]
    applicable: dict[Dimension, int]
    score: int | None
    """Added up over the VMs, in hundredths of a percent."""


class Movement(Struct, frozen=True, kw_only=True):
    """What moved from one snapshot to the next."""

    came: int = 0
    went: int = 0
    risen: int = 0
    fallen: int = 0


class Pattern(Struct, frozen=True, kw_only=True):
    """VMs of a group that stand on the same levels for the same reasons, and how many they are."""

    group: str
    raw: int
    permitted: int
    controls: int
    """Number of their set of listed controls."""
    vms: int
    score: int


class Standing(Struct, frozen=True):
    """One VM: where it belongs, where it stands, and the number of its set of listed controls."""

    vm: str
    name: str
    application: str | None
    owner: str | None
    subscription: str
    raw: int
    permitted: int
    score: int | None
    controls: int


def counts_of(history: History, snapshot: SnapshotInfo) -> SnapshotCounts:
    """Count one snapshot.

    Raises:
        HistoryError: It has not as many VMs as were recorded.
    """
    row = history.connection.execute(_COUNTS, (snapshot.number,)).fetchone()
    found, classified, score, *rest = (value or 0 for value in row)
    if found != snapshot.vms:
        raise history.incomplete(snapshot, found)
    dimensions = tuple(Dimension)
    return SnapshotCounts(
        vms=classified,
        excluded=found - classified,
        raw=_four(rest[0:4]),
        permitted=_four(rest[4:8]),
        satisfied=dict(zip(dimensions, rest[8::2], strict=True)),
        applicable={one: classified - none for one, none in zip(dimensions, rest[9::2], strict=True)},
        score=score if classified else None,
    )


def movement(history: History, before: SnapshotInfo, after: SnapshotInfo) -> Movement:
    """Count what moved between two snapshots; VMs that came and went move no level of those that stayed."""
    values = {"before": before.number, "after": after.number}
    came, risen, fallen = history.connection.execute(_MOVED, values).fetchone()
    stayed = after.vms - (came or 0)
    return Movement(came=came or 0, went=before.vms - stayed, risen=risen or 0, fallen=fallen or 0)


def patterns(history: History, snapshot: SnapshotInfo, column: str) -> Iterator[Pattern]:
    """Yield how many VMs of each group stand where, and by which controls they are held.

    Args:
        history: The history.
        snapshot: One snapshot of it.
        column: What they are grouped by: `application`, `owner`, `subscription` or `estate`.
    """
    group = "''" if column == "estate" else f"COALESCE(r.{_COLUMNS[column]}, '')"
    rows = history.connection.execute(_PATTERNS.format(group=group), (snapshot.number,))
    for name, raw, permitted, controls, vms, score in rows:
        yield Pattern(group=name, raw=raw, permitted=permitted, controls=controls, vms=vms, score=score or 0)


def scores(history: History, snapshot: SnapshotInfo, column: str) -> dict[str, tuple[int, int]]:
    """Return for each group its VMs, and their scores added up."""
    rows = history.connection.execute(
        _SCORES.format(group=f"COALESCE(r.{_COLUMNS[column]}, '')"), (snapshot.number,)
    )
    return {name: (vms, score or 0) for name, vms, score in rows}


def classes(history: History, snapshot: SnapshotInfo, dimension: Dimension) -> dict[Classification, int]:
    """Return how many VMs have which classification in a dimension."""
    rows = history.connection.execute(_CLASSES.format(dimension=dimension.value), (snapshot.number,))
    return {Classification(name): vms for name, vms in rows}


def levels(history: History, snapshot: SnapshotInfo) -> Iterator[Standing]:
    """Yield each classified VM of a snapshot by resource id."""
    for row in history.connection.execute(_LEVELS, (snapshot.number,)):
        yield Standing(*row)


def _four(values: list[int]) -> Four:
    none, basic, advanced, full = values
    return none, basic, advanced, full


_COLUMNS = {"application": "application", "owner": "owner", "subscription": "subscription"}
_OF = "FROM member m JOIN result r ON r.id = m.result WHERE m.snapshot = ?"
_SUMS = ", ".join(
    [
        *(f"SUM(r.{column} = {level})" for column in ("raw", "permitted") for level in range(4)),
        *(
            f"SUM(r.{one.value} = '{which.value}')"
            for one in Dimension
            for which in (Classification.SATISFIED, Classification.NOT_APPLICABLE)
        ),
    ]
)
_COUNTS = f"SELECT COUNT(*), COUNT(r.raw), SUM(r.score), {_SUMS} {_OF}"
_PATTERNS = (
    "SELECT {group} AS name, r.raw, r.permitted, r.controls, COUNT(*), SUM(r.score) "
    f"{_OF} AND r.raw IS NOT NULL GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"
)
_SCORES = f"SELECT {{group}}, COUNT(*), SUM(r.score) {_OF} AND r.raw IS NOT NULL GROUP BY 1"
_CLASSES = f"SELECT r.{{dimension}}, COUNT(*) {_OF} AND r.{{dimension}} IS NOT NULL GROUP BY 1"
_LEVELS = (
    "SELECT r.text, r.name, r.application, r.owner, r.subscription, r.raw, r.permitted, r.score, r.controls "
    "FROM member m JOIN result r ON r.id = m.result JOIN vm ON vm.id = m.vm "
    "WHERE m.snapshot = ? AND r.raw IS NOT NULL ORDER BY vm.key"
)
_MOVED = """
SELECT SUM(a.vm IS NULL), SUM(old.raw < new.raw), SUM(old.raw > new.raw)
FROM member b JOIN result new ON new.id = b.result
LEFT JOIN member a ON a.snapshot = :before AND a.vm = b.vm
LEFT JOIN result old ON old.id = a.result
WHERE b.snapshot = :after AND a.result IS NOT b.result
"""
