"""The history: what assessments and runs left, written once and read by anybody.

`record_snapshot` and `record_run` write; `History` reads, all of one reading as of one moment. Recording the
same again adds nothing. Nothing here removes or alters a snapshot.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path

from readiness.errors import HistoryError
from readiness.model.assessment import Classification, OpenControl
from readiness.model.codec import decode, encode
from readiness.model.history import (
    DimensionRecord,
    RunRecord,
    SnapshotHead,
    SnapshotInfo,
    VmRecord,
    digest_of,
)
from readiness.model.ids import ResourceId
from readiness.model.levels import Level, LevelReached
from readiness.model.verdict import Dimension
from readiness.store.history_tables import FILE, damaged, reading, writing

Pair = tuple[VmRecord | None, VmRecord | None]
"""One VM before and after; None where it was not there."""


def record_snapshot(
    state: Path, head: SnapshotHead, vms: Iterable[VmRecord], *, release: str, at: datetime
) -> tuple[str, bool]:
    """Keep an assessment, and return its digest and whether it is new: what is known is not kept twice.

    Raises:
        HistoryError: It cannot be written.
        JournalError: The folder is on a network file system.
    """
    results: dict[str, tuple[object, ...]] = {}
    answers: dict[bytes, bytes] = {}
    for vm in vms:
        results[vm.id.key] = _row(vm, answers)
    whole = sha256(encode(head))
    for digest in sorted(row[0] for row in results.values()):  # type: ignore[type-var]
        whole.update(digest)  # type: ignore[arg-type]
    digest = whole.digest()
    counts = (len(results), len(head.unread))
    with writing(state) as connection:
        if connection.execute("SELECT 1 FROM snapshot WHERE digest = ?", (digest,)).fetchone():
            return digest.hex(), False
        connection.executemany(
            "INSERT INTO answers (digest, body) VALUES (?, ?) ON CONFLICT (digest) DO NOTHING",
            ((key, body.decode()) for key, body in answers.items()),
        )
        connection.executemany(
            "INSERT INTO vm (key) VALUES (?) ON CONFLICT (key) DO NOTHING", ((key,) for key in results)
        )
        connection.executemany(_INSERT_RESULT, results.values())
        number = connection.execute(
            "INSERT INTO snapshot (digest, estate, as_of, recorded_at, release, vms, unread, head) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                digest,
                head.estate,
                head.as_of.isoformat(),
                at.isoformat(),
                release,
                *counts,
                encode(head).decode(),
            ),
        ).lastrowid
        connection.executemany(
            "INSERT INTO member SELECT ?, vm, id FROM result WHERE digest = ?",
            ((number, row[0]) for row in results.values()),
        )
    return digest.hex(), True


def record_run(state: Path, run: RunRecord) -> None:
    """Keep a run; one that went on since is kept as it stands now.

    Raises:
        HistoryError: It cannot be written.
        JournalError: The folder is on a network file system.
    """
    with writing(state) as connection:
        connection.execute(
            "INSERT INTO run VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET estate = excluded.estate, "
            "started_at = excluded.started_at, is_rehearsal = excluded.is_rehearsal, body = excluded.body",
            (run.id, run.estate, run.started_at.isoformat(), run.is_rehearsal, encode(run).decode()),
        )
        connection.execute("DELETE FROM run_vm WHERE run = ?", (run.id,))
        connection.executemany(
            "INSERT INTO run_vm VALUES (?, ?, ?, ?)",
            (
                *((run.id, vm.vm.key, vm.outcome, vm.is_upgraded) for vm in run.vms),
                *((run.id, vm.key, "", False) for vm in run.hanging),
            ),
        )


class History:
    """Reads one history as of one moment; `opened` makes it."""

    def __init__(self, connection: sqlite3.Connection, place: Path) -> None:
        self.connection = connection
        self._place = place
        self._controls: dict[int, tuple[OpenControl, ...]] = {}
        self._dimensions: dict[int, dict[Dimension, DimensionRecord]] = {}

    @classmethod
    @contextmanager
    def opened(cls, state: Path) -> Iterator["History"]:
        """Open the history of a state folder.

        Raises:
            HistoryError: There is none, or it cannot be read.
        """
        with reading(state) as connection:
            yield cls(connection, state / FILE)

    def snapshots(self, estate: str | None = None) -> tuple[SnapshotInfo, ...]:
        """Return the snapshots of an estate, or of all: by day, and on one day as they were recorded."""
        rows = self.connection.execute(
            "SELECT id, digest, estate, as_of, recorded_at, release, vms, unread FROM snapshot "
            "WHERE ?1 IS NULL OR estate = ?1 ORDER BY estate, as_of, id",
            (estate,),
        )
        return tuple(
            SnapshotInfo(
                number=number,
                digest=digest.hex(),
                estate=name,
                as_of=date.fromisoformat(as_of),
                recorded_at=datetime.fromisoformat(recorded),
                release=release,
                vms=vms,
                unread=unread,
            )
            for number, digest, name, as_of, recorded, release, vms, unread in rows
        )

    def head(self, number: int) -> SnapshotHead:
        """Return what a snapshot remembers beside its VMs."""
        row = self.connection.execute("SELECT head FROM snapshot WHERE id = ?", (number,)).fetchone()
        return decode(row[0], SnapshotHead)

    def runs(self, estate: str | None = None) -> tuple[RunRecord, ...]:
        """Return the recorded runs of an estate, or all, the first one first.

        A run is of every estate with a snapshot of one of its VMs. Only where nobody knows its VMs does the
        name decide that its plan gave the estate.
        """
        rows = self.connection.execute(_RUNS, (estate,))
        return tuple(decode(body, RunRecord) for (body,) in rows)

    def insist_on_whole(self, snapshot: SnapshotInfo) -> None:
        """Refuse a snapshot that lacks VMs.

        Raises:
            HistoryError: It does not have as many as were recorded.
        """
        (found,) = self.connection.execute(
            "SELECT COUNT(*) FROM member m JOIN result r ON r.id = m.result WHERE m.snapshot = ?",
            (snapshot.number,),
        ).fetchone()
        if found != snapshot.vms:
            raise self.incomplete(snapshot, found)

    def incomplete(self, snapshot: SnapshotInfo, found: int) -> HistoryError:
        """Return the error for a snapshot that does not have as many VMs as were recorded."""
        return damaged(self._place, f"Snapshot {snapshot.label} has {found} of its {snapshot.vms} VMs.")

    def differences(self, before: int, after: int) -> Iterator[Pair]:
        """Yield every VM of which the two snapshots do not remember the same, by resource id."""
        rows = self.connection.execute(_DIFFERENCES, {"before": before, "after": after})
        for old, new in rows.fetchall():
            yield self.record(old), self.record(new)

    def record(self, result: int | None) -> VmRecord | None:
        """Return a VM's record by its number."""
        if result is None:
            return None
        row = self.connection.execute(f"SELECT {_FIELDS} FROM result WHERE id = ?", (result,)).fetchone()  # noqa: S608
        *place, excluded, raw, permitted, score, controls, dimensions = row
        vm, name, subscription, group, location, application, owner = place
        return VmRecord(
            id=ResourceId(vm),
            name=name,
            subscription=subscription,
            resource_group=group,
            location=location,
            application=application,
            owner=owner,
            excluded=excluded,
            level=None if raw is None else LevelReached(Level(raw), Level(permitted)),
            score=score,
            dimensions=self.dimensions(dimensions),
            controls=self.controls(controls),
        )

    def members(self, snapshot: SnapshotInfo, vms: Iterable[str]) -> Iterator[VmRecord]:
        """Yield the records that a snapshot has of these VMs, given by the keys of their ids."""
        for key in vms:
            row = self.connection.execute(
                "SELECT result FROM member WHERE snapshot = ? AND vm = (SELECT id FROM vm WHERE key = ?)",
                (snapshot.number, key),
            ).fetchone()
            record = self.record(row[0]) if row else None
            if record is not None:
                yield record

    def unsatisfied(self, snapshot: SnapshotInfo, dimension: Dimension) -> frozenset[str]:
        """Return the keys of the VMs of a snapshot that are not satisfied where the dimension applies."""
        rows = self.connection.execute(
            _UNSATISFIED.format(dimension=dimension.value),
            (snapshot.number, Classification.SATISFIED.value, Classification.NOT_APPLICABLE.value),
        )
        return frozenset(key for (key,) in rows)

    def controls(self, number: int) -> tuple[OpenControl, ...]:
        """Return a set of listed controls by its number; most VMs share theirs."""
        if number not in self._controls:
            self._controls[number] = decode(self._answers(number), tuple[OpenControl, ...])
        return self._controls[number]

    def dimensions(self, number: int) -> dict[Dimension, DimensionRecord]:
        """Return the standings in all dimensions by their number."""
        if number not in self._dimensions:
            self._dimensions[number] = decode(self._answers(number), dict[Dimension, DimensionRecord])
        return self._dimensions[number]

    def last_satisfied(self, dimension: Dimension, at: SnapshotInfo, until: SnapshotInfo) -> dict[str, date]:
        """Return the VMs of a snapshot that are not satisfied any more, and the last day on which they were.

        Args:
            dimension: In which dimension.
            at: The snapshot whose VMs are asked for.
            until: The last snapshot that may show them satisfied.
        """
        values = {
            "at": at.number,
            "estate": until.estate,
            "as_of": until.as_of.isoformat(),
            "until": until.number,
            "satisfied": Classification.SATISFIED.value,
            "nothing": Classification.NOT_APPLICABLE.value,
        }
        rows = self.connection.execute(_LAST_SATISFIED.format(dimension=dimension.value), values)
        return {key: date.fromisoformat(day) for key, day in rows}

    def upgraded(self, until: date | None = None) -> dict[str, str]:
        """Return the VMs that runs begun up to a day upgraded in Azure, by key, with the last that did."""
        rows = self.connection.execute(
            "SELECT v.key, r.id FROM run_vm v JOIN run r ON r.id = v.run "
            "WHERE v.succeeded AND NOT r.is_rehearsal AND (?1 IS NULL OR date(r.started_at) <= ?1) "
            "ORDER BY r.started_at, r.id",
            (until.isoformat() if until else None,),
        )
        return dict(rows.fetchall())

    def _answers(self, number: int) -> str:
        row = self.connection.execute("SELECT body FROM answers WHERE id = ?", (number,)).fetchone()
        if row is None:
            raise damaged(self._place, f"The set of answers {number} is missing.")
        body: str = row[0]
        return body


def _row(vm: VmRecord, answers: dict[bytes, bytes]) -> tuple[object, ...]:
    keys = []
    for part in (vm.controls, vm.dimensions):
        body = encode(part)
        key = sha256(body).digest()
        answers.setdefault(key, body)
        keys.append(key)
    classes = (vm.dimensions.get(dimension) for dimension in Dimension)
    return (
        digest_of(vm),
        vm.id.key,
        vm.id.text,
        vm.name,
        vm.subscription,
        vm.resource_group,
        vm.location,
        vm.application,
        vm.owner,
        vm.excluded,
        vm.level.raw if vm.level else None,
        vm.level.with_exceptions if vm.level else None,
        vm.score,
        *(entry.classification.value if entry else None for entry in classes),
        *keys,
    )


_INSERT_RESULT = (
    "INSERT INTO result (digest, vm, text, name, subscription, resource_group, location, application, owner, "
    "excluded, raw, permitted, score, trusted_launch, cmk, password_access, managed_identity, controls, "
    "dimensions) "
    "VALUES (?, (SELECT id FROM vm WHERE key = ?), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
    "(SELECT id FROM answers WHERE digest = ?), (SELECT id FROM answers WHERE digest = ?)) "
    "ON CONFLICT (digest) DO NOTHING"
)
_FIELDS = (
    "text, name, subscription, resource_group, location, application, owner, excluded, raw, permitted, "
    "score, "
    "controls, dimensions"
)
_DIFFERENCES = """
SELECT old, new FROM (
    SELECT a.result AS old, b.result AS new, b.vm AS vm FROM member b
    LEFT JOIN member a ON a.snapshot = :before AND a.vm = b.vm
    WHERE b.snapshot = :after AND a.result IS NOT b.result
    UNION ALL
    SELECT a.result, NULL, a.vm FROM member a LEFT JOIN member b ON b.snapshot = :after AND b.vm = a.vm
    WHERE a.snapshot = :before AND b.vm IS NULL
) AS pair JOIN vm ON vm.id = pair.vm ORDER BY vm.key
"""
_RUNS = """
SELECT body FROM run WHERE ?1 IS NULL
OR EXISTS (
    SELECT 1 FROM run_vm v JOIN vm ON vm.key = v.key JOIN snapshot s ON s.estate = ?1
    JOIN member m ON m.snapshot = s.id AND m.vm = vm.id WHERE v.run = run.id
)
OR estate = ?1 AND NOT EXISTS (SELECT 1 FROM run_vm v JOIN vm ON vm.key = v.key WHERE v.run = run.id)
ORDER BY started_at, id
"""
_LAST_SATISFIED = """
SELECT vm.key, MAX((
    SELECT s.as_of FROM snapshot s
    WHERE s.estate = :estate AND (s.as_of, s.id) <= (:as_of, :until)
    AND EXISTS (SELECT 1 FROM member m WHERE m.snapshot = s.id AND m.vm = now.vm AND m.result = had.id)
    ORDER BY s.as_of DESC, s.id DESC LIMIT 1
)) AS day
FROM member now
CROSS JOIN result lost ON lost.id = now.result AND lost.{dimension} NOT IN (:satisfied, :nothing)
CROSS JOIN result had ON had.vm = now.vm AND had.{dimension} = :satisfied
CROSS JOIN vm ON vm.id = now.vm
WHERE now.snapshot = :at GROUP BY vm.key HAVING day IS NOT NULL
"""
_UNSATISFIED = """
SELECT vm.key FROM member m JOIN result r ON r.id = m.result JOIN vm ON vm.id = m.vm
WHERE m.snapshot = ? AND r.{dimension} NOT IN (?, ?)
"""
