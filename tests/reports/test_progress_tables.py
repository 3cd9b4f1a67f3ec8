"""Progress as rows: the same columns in every row, real numbers, and forecasts that are never a bare date."""

from datetime import date, timedelta

import pytest
from msgspec.structs import replace

from readiness.app.history import record_assessment, record_run
from readiness.app.progress import ProgressRequest, progress_of
from readiness.model.assessment import Classification
from reports.tables.progress import in_words, progress_burn_up, progress_tables
from reports.tables.progress_runs import progress_runs
from reports.tables.progress_vms import progress_changes
from reports.tables.table import Kind
from tests.app.histories import assessment, day, opened, permission, run, vm

READY = Classification.READY


@pytest.fixture(scope="module")
def progress(tmp_path_factory):
    """The progress of three VMs over four weeks, in which most things happen that can."""
    state = tmp_path_factory.mktemp("state")
    record_run(state, run("b"))
    permitted = opened("BB-1", exception="EX-1")
    for made in (
        assessment(day(0), vm("a", "AA-1", "AA-2"), vm("b"), vm("c", "BB-1")),
        assessment(day(1), vm("a", "AA-1"), vm("b"), vm("c", "BB-1")),
        assessment(day(2), vm("a"), vm("b"), vm("c", "BB-1", owner="Bo"), vm("d")),
        replace(
            assessment(day(3), vm("a"), vm("b", tl=READY), vm("c", permitted, owner="Bo")),
            exceptions=(permission("EX-1", day(4)),),
        ),
    ):
        record_assessment(state, made)
    return progress_of(ProgressRequest(state=state))


def table(progress, name):
    """Return the rows of a table as dictionaries."""
    found = next(one for one in progress_tables(progress) if one.name == name)
    titles = [column.title for column in found.columns]
    return [dict(zip(titles, row, strict=True)) for row in found.rows]


def test_every_row_fills_its_columns(progress):
    """Each table has rows of its own width, with titles and a name that stand once."""
    tables = progress_tables(progress)
    assert len(tables) == len({one.name for one in tables})
    for one in tables:
        assert len(one.columns) == len({column.title for column in one.columns}), one.name
        assert {len(one.columns)} >= {len(row) for row in one.rows}, one.name


def test_cells_are_what_their_column_says(progress):
    """Counts are whole numbers, shares lie between 0 and 1, days are days: no number is text."""
    fits = {
        Kind.COUNT: lambda cell: isinstance(cell, int),
        Kind.SHARE: lambda cell: isinstance(cell, int | float) and 0 <= cell <= 1,
        Kind.DAY: lambda cell: isinstance(cell, date),
        Kind.MONEY: lambda cell: isinstance(cell, int | float),
        Kind.TEXT: lambda cell: isinstance(cell, str),
        Kind.PROSE: lambda cell: isinstance(cell, str),
    }
    wrong = [
        (one.name, column.title, cell)
        for one in progress_tables(progress)
        if one.name not in ("Summary", "Run")
        for row in one.rows
        for column, cell in zip(one.columns, row, strict=True)
        if cell is not None and column.kind in fits and not fits[column.kind](cell)
    ]
    assert [] == wrong


def test_levels_over_time(progress):
    """One row a snapshot, oldest first, with growth beside the levels."""
    rows = table(progress, "Levels over time")
    assert [day(number) for number in range(4)] == [row["As of"] for row in rows]
    assert [(1, 0, 1), (1, 0, 1), (0, 0, 1), (0, 0, 1)] == [
        (row["Level 0"], row["Level 2"], row["Level 1"]) for row in rows
    ]
    assert [(0, 0, 0), (0, 0, 0), (1, 0, 1), (0, 1, 0)] == [
        (row["Came"], row["Went"], row["Risen"]) for row in rows
    ]


def test_the_targets_run_to_their_ends(progress):
    """The burn-up draws both targets from the first share to all VMs, 12 and 18 months on."""
    rows = progress_burn_up(progress).rows
    ends = [row for row in rows if row[0] > day(3)]
    assert [(day(0) + timedelta(days=365), 1.0), (day(0) + timedelta(days=548), 1.0)] == [
        (ends[0][0], ends[0][4]),
        (ends[1][0], ends[1][5]),
    ]
    assert rows[0][4] == rows[0][5] == rows[0][3]


def test_blockers_tell_what_the_exception_permits(progress):
    """A control that an exception permits still blocks the raw level, and says that it is excepted."""
    (row,) = table(progress, "Blockers")
    assert ("BB-1", 1, 1, 1, "ours") == tuple(
        row[title]
        for title in ("Control", "Held back", "Held back by it alone", "Of these excepted", "Whose work")
    )


def test_exceptions_tell_their_state(progress):
    """One that ends within a month ends soon."""
    (row,) = table(progress, "Exceptions")
    assert ("ends soon", 7) == (row["State"], row["Days left"])


def test_drift_names_the_run(progress):
    """What a run had upgraded and is lost has the run beside it, in the list of drift and of changes."""
    (row,) = table(progress, "Drift")
    assert ("b", "Trusted Launch", "abc-wave-1") == (row["VM"], row["Dimension"], row["Upgraded by run"])
    first = progress_changes(progress.changes).rows[0]
    assert ("drift", "b", "Trusted Launch") == (first[0], first[1], first[4])


def test_runs_have_a_row_a_vm(progress):
    """Time away is rounded up to minutes, and what was done is in words."""
    (row,) = table(progress, "Runs by VM")
    assert ("b", "done", 6, "Trusted Launch") == tuple(
        row[one] for one in ("VM", "Outcome", "Away (minutes)", "Brought")
    )


def test_runs_are_counted():
    """One row a run: its VMs by outcome, which add up, its outages, and what it left behind."""
    ends = ("done", "done", "rolled_back", "stranded", "remaining")
    made = run(*"abcde")
    vms = tuple(
        replace(vm, outcome=end, downtime_seconds=seconds)
        for vm, end, seconds in zip(made.vms, ends, (60, 121, 600, None, None), strict=True)
    )
    found = progress_runs([replace(made, vms=vms, snapshots=4, audit_head="f" * 64)])
    row = dict(zip([column.title for column in found.columns], found.rows[0], strict=True))
    counted = [row[title] for title in ("Done", "Rolled back", "Failed", "Stranded", "Blocked", "Skipped")]
    assert ([2, 1, 0, 1, 0, 0], 1, 5) == (counted, row["Remaining"], row["VMs"])
    titles = ("Plan", "Where", "Longest away (minutes)", "Median away (minutes)", "Snapshots left")
    assert ("d" * 12, "Azure", 10, 3, 4) == tuple(row[title] for title in titles)
    assert "f" * 64 == row["Audit head"]


def test_framework_ids_have_columns(progress):
    """The ids of another catalogue stand under its name."""
    assert ["AC-1", None, None, None] == [row["NIST"] for row in table(progress, "Controls")]


def test_no_forecast_is_a_bare_date(progress):
    """Every forecast is a range or a reason, and says how it was made where it gives days."""
    for forecast in progress.forecasts:
        words = in_words(forecast)
        assert words.startswith("Between") == (forecast.earliest is not None)
        assert forecast.earliest is None or (forecast.method and forecast.latest != forecast.earliest)
        assert words


def test_the_formula_is_shown(progress):
    """The report says how its score is made."""
    (row,) = [row for row in table(progress, "Summary") if row["Fact"] == "How the score is made"]
    assert "weighs 3 on Level 1, 2 on Level 2 and 1 on Level 3" in row["Value"]
