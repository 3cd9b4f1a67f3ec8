"""The history in numbers: counted from one snapshot to the next, it is what each snapshot says by itself."""

import sqlite3
from contextlib import closing

import pytest

from readiness.errors import HistoryError
from readiness.model.assessment import Classification
from readiness.model.history import head_of, records_of
from readiness.store.history import History, record_snapshot
from readiness.store.history_counts import Movement, trend
from tests.app.histories import AT, TL, assessment, day, vm

READY = Classification.READY
SNAPSHOTS = (
    assessment(day(0), vm("a", "AA-1"), vm("b"), vm("goes"), vm("out"), vm("odd", excluded="Databricks")),
    assessment(day(1), vm("a"), vm("b", tl=READY), vm("out", excluded="AKS"), vm("odd"), vm("came", "CC-1")),
    assessment(day(2), vm("a"), vm("b", "BB-1"), vm("goes"), vm("out"), vm("odd"), vm("came", "CC-1")),
)


def record(folder, *made):
    """Keep assessments, and return how their snapshots are called in the history."""
    for one in made:
        record_snapshot(folder, head_of(one, "fleet"), records_of(one), release="1.0", at=AT)
    with History.opened(folder) as history:
        return history.snapshots()


def test_counting_on_is_counting_anew(tmp_path):
    """VMs that change, come, go, come back, or are excluded for a while are counted as they stand."""
    snapshots = record(tmp_path, *SNAPSHOTS)
    with History.opened(tmp_path) as history:
        alone = [next(trend(history, [one]))[0] for one in snapshots]
        assert alone == [counts for counts, _ in trend(history, snapshots)]
    assert [(4, 1), (4, 1), (6, 0)] == [(one.vms, one.excluded) for one in alone]
    assert [(1, 0, 0, 3), (0, 0, 1, 3), (0, 1, 1, 4)] == [one.raw for one in alone]
    assert [(4, 4), (3, 4), (6, 6)] == [(one.satisfied[TL], one.applicable[TL]) for one in alone]


def test_what_is_excluded_moves_no_level(tmp_path):
    """What moved is told from one snapshot to the next; VMs that were or are excluded do not rise or fall."""
    snapshots = record(tmp_path, *SNAPSHOTS)
    with History.opened(tmp_path) as history:
        found = [moved for _, moved in trend(history, snapshots)]
    assert [Movement(), Movement(came=1, went=1, risen=1), Movement(came=1, fallen=1)] == found


@pytest.mark.parametrize("table", ["member WHERE snapshot = 2 AND vm = 1", "result WHERE id = 6"])
def test_a_lost_row_of_a_later_snapshot_is_noticed(tmp_path, table):
    """A snapshot that lacks a VM, or what is known of it, is called damaged; those before it are counted."""
    snapshots = record(tmp_path, *SNAPSHOTS)
    with closing(sqlite3.connect(tmp_path / "history.sqlite")) as connection:
        connection.execute(f"DELETE FROM {table}")  # noqa: S608  a table of this test
        connection.commit()
    with History.opened(tmp_path) as history:
        counted = trend(history, snapshots)
        next(counted)
        with pytest.raises(HistoryError, match="has 4 of its 5 VMs"):
            next(counted)
