"""The history in numbers: snapshot by snapshot, with nothing of a VM in memory but two numbers of its own."""

from collections import Counter
from collections.abc import Iterable, Iterator

from msgspec import Struct

from readiness.model.assessment import Classification
from readiness.model.history import SnapshotInfo
from readiness.model.verdict import Dimension
from readiness.store.history import History

Four = tuple[int, int, int, int]
_Stand = tuple[int | None, int | None, tuple[str | None, ...]] | None
"""Levels, raw and permitted, and the classification in each dimension."""


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


def trend(history: History, snapshots: Iterable[SnapshotInfo]) -> Iterator[tuple[SnapshotCounts, Movement]]:
    """Yield each snapshot in numbers, and what moved since the one before; only that is looked up again.

    Raises:
        HistoryError: A snapshot has not as many VMs as were recorded.
    """
    tally, score = Counter[_Stand](), 0
    before: dict[int, int] = {}
    for position, snapshot in enumerate(snapshots):
        now: dict[int, int] = dict(history.connection.execute(_MEMBERS, (snapshot.number,)))
        left = [result for vm, result in before.items() if vm not in now]
        moved = [(before.get(vm), result) for vm, result in now.items() if before.get(vm) != result]
        came = risen = fallen = 0
        for was, result in (*((result, None) for result in left), *moved):
            old, old_score = _stand(history, was)
            new, new_score = _stand(history, result)
            tally[old] -= 1
            tally[new] += 1
            score += new_score - old_score
            came += was is None
            if old and new and old[0] is not None and new[0] is not None:
                risen += new[0] > old[0]
                fallen += new[0] < old[0]
        tally[None] = 0
        found = tally.total()
        if found != snapshot.vms:
            raise history.incomplete(snapshot, found)
        moves = Movement(came=came, went=len(left), risen=risen, fallen=fallen) if position else Movement()
        yield _counted(tally, score), moves
        before = now


def _stand(history: History, result: int | None) -> tuple[_Stand, int]:
    """Return where a VM stands by the number of its record, and its score; nowhere if there is none."""
    row = history.connection.execute(_STAND, (result,)).fetchone() if result is not None else None
    if row is None:
        return None, 0
    score, raw, permitted, *classes = row
    return (raw, permitted, tuple(classes)), score or 0


def _counted(tally: Counter[_Stand], score: int) -> SnapshotCounts:
    raw, permitted = [0, 0, 0, 0], [0, 0, 0, 0]
    satisfied, applicable = Counter[Dimension](), Counter[Dimension]()
    for stand, vms in tally.items():
        level, with_exceptions, classes = stand or (None, None, ())
        if level is None or with_exceptions is None:
            continue
        raw[level] += vms
        permitted[with_exceptions] += vms
        for dimension, name in zip(Dimension, classes, strict=True):
            satisfied[dimension] += vms * (name == Classification.SATISFIED)
            applicable[dimension] += vms * (name != Classification.NOT_APPLICABLE)
    classified = sum(raw)
    return SnapshotCounts(
        vms=classified,
        excluded=tally.total() - classified,
        raw=_four(raw),
        permitted=_four(permitted),
        satisfied={one: satisfied[one] for one in Dimension},
        applicable={one: applicable[one] for one in Dimension},
        score=score if classified else None,
    )


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
_MEMBERS = "SELECT vm, result FROM member WHERE snapshot = ?"
_CLASSES_OF = ", ".join(one.value for one in Dimension)
_STAND = f"SELECT score, raw, permitted, {_CLASSES_OF} FROM result WHERE id = ?"  # noqa: S608  our own names
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
