"""The store of the history: what is kept once, what is refused, and that two writers lose nothing."""

import signal
import sqlite3
import stat
import subprocess
import sys
import time
from contextlib import closing

import pytest
from msgspec.structs import replace

from readiness.errors import HistoryError
from readiness.model.history import head_of, records_of
from readiness.model.lifecycle import Stage
from readiness.store.history import History, record_run, record_snapshot
from tests.app.histories import AT, assessment, day, run, vm

WRITER = """
import sys
from pathlib import Path
from readiness.app.history import record_assessment
from tests.app.histories import assessment, day, vm
for number in range(int(sys.argv[2]), int(sys.argv[2]) + 15):
    record_assessment(Path(sys.argv[1]), assessment(day(number), *(vm(f"web-{n}") for n in range(40))))
"""


def record(state, made):
    """Record an assessment as the use case does."""
    return record_snapshot(state, head_of(made, made.estate.name), records_of(made), release="1.0", at=AT)


def rows(state, table):
    """Count the rows of a table."""
    with closing(sqlite3.connect(state / "history.sqlite")) as connection:
        return connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]  # noqa: S608


def test_the_same_result_on_the_same_day_is_one_snapshot(tmp_path):
    """Recording again what is known adds nothing, in whatever order the VMs come."""
    one, two = vm("a", "AA-1"), vm("b")
    first, again = (
        record(tmp_path, assessment(day(0), one, two)),
        record(tmp_path, assessment(day(0), two, one)),
    )
    assert (True, False, first[0]) == (first[1], again[1], again[0])
    assert (1, 2) == (rows(tmp_path, "snapshot"), rows(tmp_path, "result"))


def test_what_did_not_change_is_kept_once(tmp_path):
    """A VM that stays as it was takes no new row in the next snapshot; one that changed takes one."""
    record(tmp_path, assessment(day(0), vm("a", "AA-1"), vm("b")))
    record(tmp_path, assessment(day(1), vm("a"), vm("b")))
    assert (2, 3, 4) == (rows(tmp_path, "snapshot"), rows(tmp_path, "result"), rows(tmp_path, "member"))


def test_another_day_result_or_estate_is_another_snapshot(tmp_path):
    """The digest speaks of estate, day and results, and of nothing else."""
    base = record(tmp_path, assessment(day(0), vm("a")))[0]
    others = (
        assessment(day(1), vm("a")),
        assessment(day(0), vm("a", "AA-1")),
        assessment(day(0), vm("a"), name="other"),
        assessment(day(0), vm("a"), unread=("b",)),
    )
    assert 5 == len({base, *(record(tmp_path, one)[0] for one in others)})


def test_a_record_comes_back_as_it_was(tmp_path):
    """What is read is what was recorded, to the last reason."""
    made = assessment(day(0), vm("a", "AA-1", "BB-1"))
    record(tmp_path, made)
    with History.opened(tmp_path) as history:
        (snapshot,) = history.snapshots()
        found = list(history.members(snapshot, [made.vms[0].id.key]))
        assert (list(records_of(made)), head_of(made, "fleet")) == (found, history.head(snapshot.number))


def test_two_writers_lose_nothing(tmp_path):
    """Two processes record at once into a history that neither found: every snapshot is there, and whole."""
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    writers = [subprocess.Popen([*command, str(start)]) for start in (0, 15)]
    assert [0, 0] == [writer.wait(timeout=300) for writer in writers]
    with History.opened(tmp_path) as history:
        found = history.snapshots()
        assert [day(number) for number in range(30)] == [one.as_of for one in found]
        for one in found:
            history.insist_on_whole(one)


def test_a_reader_sees_one_moment(tmp_path):
    """What is recorded while somebody reads is not half in what he reads."""
    record(tmp_path, assessment(day(0), vm("a")))
    with History.opened(tmp_path) as history:
        before = history.snapshots()
        record(tmp_path, assessment(day(1), vm("a")))
        assert before == history.snapshots()
    with History.opened(tmp_path) as history:
        assert 2 == len(history.snapshots())


def test_a_killed_writer_leaves_whole_snapshots(tmp_path):
    """A process that is killed while it records leaves whole snapshots alone, and the next one goes on."""
    with subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), "0"]) as writer:
        deadline = time.monotonic() + 300
        while _recorded(tmp_path) < 3 and time.monotonic() < deadline:
            time.sleep(0.005)
        writer.kill()
    assert -signal.SIGKILL == writer.returncode
    record(tmp_path, assessment(day(99), vm("a")))
    with History.opened(tmp_path) as history:
        found = history.snapshots()
        assert (day(99), True) == (found[-1].as_of, len(found) >= 4)
        for one in found:
            history.insist_on_whole(one)


def test_a_failed_write_leaves_what_was_there(tmp_path):
    """An error in the middle of recording leaves the history as it was before."""
    record(tmp_path, assessment(day(0), vm("a")))
    with closing(sqlite3.connect(tmp_path / "history.sqlite")) as connection:
        connection.execute(
            "CREATE TRIGGER full BEFORE INSERT ON member BEGIN SELECT RAISE(ABORT, 'full'); END"
        )
        connection.commit()
    with pytest.raises(HistoryError):
        record(tmp_path, assessment(day(1), vm("a"), vm("b")))
    assert (1, 1, 1) == tuple(rows(tmp_path, table) for table in ("snapshot", "result", "vm"))


@pytest.mark.parametrize("step", ["read", "write"])
def test_another_format_is_refused_and_left_alone(tmp_path, step):
    """A history of a later release is named with both formats, and not a byte of it changes."""
    record(tmp_path, assessment(day(0), vm("a")))
    with closing(sqlite3.connect(tmp_path / "history.sqlite")) as connection:
        connection.execute("UPDATE meta SET value = 'readiness/history/9'")
        connection.commit()
        connection.execute("PRAGMA journal_mode = DELETE")
    before = (tmp_path / "history.sqlite").read_bytes()
    with pytest.raises(HistoryError, match=r"readiness/history/9; this release reads and writes .*/1"):
        _touch(tmp_path, step)
    assert before == (tmp_path / "history.sqlite").read_bytes()


@pytest.mark.parametrize("step", ["read", "write"])
def test_a_damaged_file_is_refused_and_left_alone(tmp_path, step):
    """What is no database is called damaged, and stays as it is for whoever repairs it."""
    (tmp_path / "history.sqlite").write_bytes(b"no database at all, though long enough" * 200)
    with pytest.raises(HistoryError, match=r"damaged") as refused:
        _touch(tmp_path, step)
    assert "backup" in refused.value.remedy
    assert (tmp_path / "history.sqlite").read_bytes().startswith(b"no database")


@pytest.mark.parametrize("step", ["read", "write"])
def test_another_programs_file_is_refused(tmp_path, step):
    """A database of something else is not laid out anew."""
    with closing(sqlite3.connect(tmp_path / "history.sqlite")) as connection:
        connection.execute("CREATE TABLE theirs (x)")
        connection.commit()
    before = (tmp_path / "history.sqlite").read_bytes()
    with pytest.raises(HistoryError, match="no history"):
        _touch(tmp_path, step)
    assert before == (tmp_path / "history.sqlite").read_bytes()


def test_lost_rows_are_noticed(tmp_path):
    """A snapshot with fewer VMs than were recorded is called damaged, not reported on."""
    record(tmp_path, assessment(day(0), vm("a"), vm("b")))
    with closing(sqlite3.connect(tmp_path / "history.sqlite")) as connection:
        connection.execute("DELETE FROM member WHERE vm = 1")
        connection.commit()
    with History.opened(tmp_path) as history, pytest.raises(HistoryError, match="has 1 of its 2 VMs"):
        history.insist_on_whole(history.snapshots()[0])


def test_no_history_is_said(tmp_path):
    """Where nothing was assessed there is none, and the error says how it comes about."""
    with (
        pytest.raises(HistoryError, match="There is no history") as refused,
        History.opened(tmp_path / "none"),
    ):
        pass
    assert "Assess an estate" in refused.value.remedy
    assert not (tmp_path / "none").exists()


def test_only_the_owner_reads_it(tmp_path):
    """The file names every VM and its weaknesses: nobody else may read it."""
    record(tmp_path / "state", assessment(day(0), vm("a")))
    assert 0o600 == stat.S_IMODE((tmp_path / "state" / "history.sqlite").stat().st_mode)


def test_a_run_that_went_on_is_kept_as_it_stands(tmp_path):
    """The same run again replaces what was known of it; a rehearsal upgrades nobody."""
    record_run(tmp_path, run("a", succeeded=False))
    record_run(tmp_path, run("a", "b"))
    record_run(tmp_path, run("c", is_rehearsal=True, name="twin-run"))
    with History.opened(tmp_path) as history:
        assert [("a", "b"), ("c",)] == [tuple(vm.name for vm in one.vms) for one in history.runs("fleet")]
        assert ["abc-wave-1", "abc-wave-1"] == list(history.upgraded().values())


def test_only_the_stage_that_upgrades_counts(tmp_path):
    """A preparation that went well upgrades nobody; neither does an outage that was taken back later."""
    prepared = run("a", name="abc-wave-1-prepare")
    vms = tuple(replace(vm, decides=False) for vm in prepared.vms)
    record_run(tmp_path, replace(prepared, vms=vms, stage=Stage.PREPARATION))
    record_run(tmp_path, run("a"))
    with History.opened(tmp_path) as history:
        assert [run("a").vms[0].vm.key] == list(history.upgraded())
    record_run(tmp_path, run("a", succeeded=False))
    with History.opened(tmp_path) as history:
        assert {} == history.upgraded()


def test_a_run_is_of_the_estates_that_know_its_vms(tmp_path):
    """The name of a plan's estate decides only where no snapshot has any of the run's VMs."""
    record(tmp_path, assessment(day(0), vm("a"), name="production"))
    record(tmp_path, assessment(day(0), vm("c"), name="fleet"))
    record_run(tmp_path, run("a", "b", name="of-production"))
    record_run(tmp_path, run("x", name="of-nobody"))
    shared = replace(run("group", name="of-what-hangs-on-it"), hanging=(vm("a").id,))
    record_run(tmp_path, shared)
    with History.opened(tmp_path) as history:
        found = {name: [one.id for one in history.runs(name)] for name in ("production", "fleet", None)}
    assert {
        "production": ["of-production", "of-what-hangs-on-it"],
        "fleet": ["of-nobody"],
        None: ["of-nobody", "of-production", "of-what-hangs-on-it"],
    } == found


@pytest.mark.parametrize(
    "text", ["=cmd|' /C calc'!A0", "a\x00b", "\u202eevil", "x" * 32_768, "'); DROP TABLE vm; --"]
)
def test_hostile_names_come_back_whole(tmp_path, text):
    """Text from outside is text: it is kept to the letter and is never a statement."""
    record(tmp_path, assessment(day(0), vm("a", application=text, owner=text)))
    with History.opened(tmp_path) as history:
        snapshot = history.snapshots()[0]
        (found,) = history.members(snapshot, [vm("a").id.key])
        assert (text, text) == (found.application, found.owner)


def _recorded(state):
    """Count the snapshots there are; none while there is no history yet."""
    try:
        with History.opened(state) as history:
            return len(history.snapshots())
    except HistoryError:
        return 0


def _touch(state, step):
    if step == "write":
        record(state, assessment(day(5), vm("z")))
    else:
        with History.opened(state) as history:
            history.snapshots()
