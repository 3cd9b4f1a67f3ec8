"""Plan and assessment as rows: what people read."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from readiness.model.assessment import Coverage
from readiness.model.context import Choice, SecureBoot, TrustedLaunchChoice
from readiness.model.plan import Refusal
from readiness.model.steps import Undo
from reports import tables
from reports.tables import Cell, Table
from tests.reports.assessments import small_assessment
from tests.reports.plans import (
    SHOP_TEST,
    SUBSCRIPTION,
    WIKI,
    occurrence,
    outage,
    plan,
    planned,
    small_estate,
    vm_id,
    wave,
)


def _row(table: Table, number: int = 0) -> dict[str, Cell]:
    titles = [column.title for column in table.columns]
    return dict(zip(titles, table.rows[number], strict=True))


@pytest.mark.parametrize(
    "table",
    [
        tables.plan_summary(small_estate()),
        tables.plan_wave_sizes(small_estate()),
        tables.plan_waves(small_estate()),
        tables.plan_vms(small_estate()),
        tables.plan_schedule(small_estate()),
        tables.plan_actions(small_estate()),
        tables.plan_dependencies(small_estate()),
        tables.plan_blocked(small_estate()),
        tables.plan_exceptions(small_estate()),
        tables.plan_unplanned(small_estate()),
        tables.plan_changes(()),
        tables.plan_run(small_estate()),
        tables.plan_identity(small_estate()),
        tables.plan_left_out_reasons(small_estate()),
        tables.plan_undo_kinds(small_estate()),
        tables.findings_facts(small_assessment()),
        tables.classification_counts(small_assessment()),
        tables.level_counts(small_assessment()),
        tables.heaviest_controls(small_assessment(), 3),
        tables.findings_vms(small_assessment()),
        tables.findings_controls(small_assessment()),
        tables.findings_exceptions(small_assessment()),
        tables.findings_gaps(small_assessment()),
        tables.findings_run(small_assessment()),
        tables.coverage(small_assessment()),
    ],
    ids=lambda table: table.name,
)
def test_tables_are_rectangular(table: Table) -> None:
    """Every row has a cell for every column, and no two columns share a title."""
    assert {len(row) for row in table.rows} <= {len(table.columns)}
    assert len(table.columns) == len({column.title for column in table.columns})


def test_a_wave_has_a_row_per_window() -> None:
    """Applications of one wave with windows of their own stand in rows of their own."""
    rows = [_row(tables.plan_waves(small_estate()), number) for number in range(2)]
    expected = [(1, "saturday-night", "wiki", 2), (1, "sunday-early", "shop-test", 3)]
    assert expected == [(row["Wave"], row["Window"], row["Applications"], row["VMs"]) for row in rows]


def test_a_window_holds_its_batches_and_one_way_back() -> None:
    """VMs of a batch run side by side, batches one after another; the longest way back is kept free once."""
    first = (planned("a", SHOP_TEST, outage=outage(4)), planned("b", SHOP_TEST, outage=outage(2)))
    second = (planned("c", SHOP_TEST, outage=outage(2)),)
    row = _row(tables.plan_waves(plan(wave(1, "one", first, second))))
    work = first[0].planned_seconds + second[0].planned_seconds
    undo = first[0].reserved_seconds - first[0].planned_seconds
    assert (-(-work // 60), -(-undo // 60), 75, round((work + undo) / 4500, 4)) == (
        row["Work (min)"],
        row["Kept for undo (min)"],
        row["Window (min)"],
        row["Reserved share"],
    )


def test_minutes_are_rounded_up() -> None:
    """A reservation is never shown shorter than it is."""
    short = replace(outage(), work_seconds=1, verify_seconds=0, undo_seconds=0)
    vm = planned("a", outage=short)
    row = _row(tables.plan_vms(plan(wave(1, "one", (vm,)))))
    assert (1, -(-vm.reserved_seconds // 60)) == (row["Downtime (min)"], row["Reserved (min)"])


def test_online_work_has_no_downtime() -> None:
    """A VM without an outage shows zero minutes of downtime, as a number."""
    row = _row(tables.plan_vms(plan(wave(1, "one", (planned("a", outage=None),)))))
    expected = 0
    assert expected == row["Downtime (min)"]


def test_windows_are_local_time_with_zone() -> None:
    """A window is shown as the clock on the wall shows it, with zone and offset beside it."""
    row = _row(tables.plan_vms(small_estate()))
    assert (datetime.fromisoformat("2026-12-05T22:00"), "Europe/Berlin (UTC+01:00)") == (
        row["Starts"],
        row["Zone"],
    )


def test_clock_change_inside_a_window_is_shown() -> None:
    """When the clock is set back during a window, both offsets stand in the zone."""
    night = occurrence("night", datetime(2026, 10, 24, 22, tzinfo=UTC), hours=5)
    row = _row(tables.plan_vms(plan(wave(1, "one", (planned("a", occurrence=night),)))))
    assert ("Europe/Berlin (UTC+02:00 to UTC+01:00)", datetime.fromisoformat("2026-10-25T04:00")) == (
        row["Zone"],
        row["Window closes"],
    )


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc", ""])
def test_unknown_zone_does_not_hide_the_plan(zone: str) -> None:
    """A zone this machine does not know is shown in UTC, and said so."""
    odd = occurrence("odd", datetime(2026, 12, 5, 21, tzinfo=UTC), timezone=zone)
    row = _row(tables.plan_vms(plan(wave(1, "one", (planned("a", occurrence=odd),)))))
    assert (datetime.fromisoformat("2026-12-05T21:00"), f"UTC ({zone} is not known here)") == (
        row["Starts"],
        row["Zone"],
    )


def test_actions_say_what_was_chosen() -> None:
    """Actions are words with what was chosen; an unlisted playbook is shown by its id."""
    choice = Choice(trusted_launch=TrustedLaunchChoice(secure_boot=SecureBoot.OFF))
    vm = planned("a", choice=choice, actions=("trusted-launch", "disk-encryption", "new-one"))
    row = _row(tables.plan_vms(plan(wave(1, "one", (vm,)))))
    expected = "Trusted Launch, Secure Boot off\nCustomer-managed keys\nnew-one"
    assert expected == row["Actions"]


def test_refusals_say_why() -> None:
    """What is not done stands there with its sentence and its stable word."""
    refusal = Refusal(playbook="trusted-launch", reason="Generation1", detail="boots through BIOS")
    row = _row(tables.plan_vms(plan(wave(1, "one", (planned("a", refusals=(refusal,)),)))))
    expected = "Trusted Launch: boots through BIOS [Generation1]"
    assert expected == row["Not done, and why"]


def test_undo_kinds_are_counted() -> None:
    """Every way back is explained and counted, those of no VM included."""
    rows = tables.plan_undo_kinds(small_estate()).rows
    expected = [(8, "config"), (1, "swap"), (1, "rebuild"), (1, "none")]
    assert expected == [row[:2] for row in rows]
    assert [kind.value for kind in Undo] == [row[1] for row in rows]


def test_left_out_reasons_count_the_most_frequent_first() -> None:
    """Reasons are counted, the most frequent first, with everybody who unblocks them."""
    rows = tables.plan_left_out_reasons(small_estate()).rows
    expected = (2, "NoApplication", "migration team")
    assert expected == rows[0]
    assert len(small_estate().left_out) == sum(count for count, *_ in rows if isinstance(count, int))


def test_wave_sizes_split_by_environment() -> None:
    """A wave's VMs by environment add up to its VMs."""
    made = plan(wave(1, "one", (planned("a", WIKI), planned("b", SHOP_TEST))))
    row = _row(tables.plan_wave_sizes(made))
    expected = (2, 0, 1, 1)
    assert expected == (row["VMs"], row["Production"], row["Test"], row["Development"])


def test_classifications_count_every_vm() -> None:
    """Per dimension, the classifications of all classified VMs add up."""
    rows = tables.classification_counts(small_assessment()).rows
    expected = [4, 4, 4, 4]
    assert expected == [sum(cell for cell in row[1:] if isinstance(cell, int)) for row in rows]


def test_coverage_that_does_not_add_up_says_no() -> None:
    """A lost VM shows in the coverage of its subscription."""
    lost = Coverage(subscription=SUBSCRIPTION.upper(), discovered=7, classified=4, excluded=1, unknown=1)
    table = tables.coverage(replace(small_assessment(), coverage=(lost,)))
    expected = ("Shop production", 7, 4, 1, 1, "no")
    assert expected == table.rows[0]


def test_schedule_shows_local_time_and_utc() -> None:
    """One line per VM and window, on the clock of the wall and in UTC."""
    vm = planned("a", start=datetime(2026, 12, 5, 21, 30, tzinfo=UTC))
    table = tables.plan_schedule(plan(wave(1, "one", (vm,))))
    row = _row(table)
    assert (datetime.fromisoformat("2026-12-05T22:30"), datetime.fromisoformat("2026-12-05T21:30")) == (
        row["Starts (local)"],
        row["Starts (UTC)"],
    )
    expected = 1
    assert expected == len(table.rows)


def test_schedule_is_in_the_order_of_the_clock() -> None:
    """Whatever the wave, what begins first stands first."""
    starts = _starts(tables.plan_schedule(small_estate()))
    assert sorted(starts) == starts


def _starts(table: Table) -> list[datetime]:
    return [cell for cell in table.values("Starts (UTC)") if isinstance(cell, datetime)]


def test_blocked_and_unplanned_are_told_apart() -> None:
    """What somebody could unblock is blocked; what nobody wants done is unplanned; none is in both."""
    blocked = tables.plan_blocked(small_estate()).values("VM")
    rest = tables.plan_unplanned(small_estate()).values("VM")
    expected = (("vm-dc-01", "vm-ledger-old", "vm-lost-01", "vm-lost-02"), ("aks-nodepool1-0",))
    assert expected == (blocked, rest)


def test_dependencies_tell_what_binds() -> None:
    """Orders, hints, groups and hubs stand there, each with what it binds and the waves of its ends."""
    table = tables.plan_dependencies(small_estate())
    rows = [_row(table, number) for number in range(len(table.rows))]
    expected = [
        ("order", 2, 2, "no earlier wave, a later batch"),
        ("hint", 1, 1, "informed only"),
        ("together", 1, None, "one wave"),
        ("apart", 2, None, "1 off at a time"),
        ("hub", 2, None, "cut: it binds nothing"),
    ]
    assert expected == [(row["Relation"], row["Wave"], row["Wave of it"], row["Binding"]) for row in rows]


def test_coverage_of_a_plan_adds_up_per_subscription() -> None:
    """The sheet Run proves that every VM of a subscription is planned, blocked or unplanned."""
    rows = [row for row in tables.plan_run(small_estate()).rows if row[0] == "Coverage"]
    expected = ("Coverage", SUBSCRIPTION, "16 VMs = 11 planned + 4 blocked + 1 unplanned")
    assert expected == rows[0]


def _exceptions(as_of: date, **changes: Any) -> list[dict[str, Any]]:
    (entry,) = small_estate().exceptions
    table = tables.plan_exceptions(
        replace(small_estate(), as_of=as_of, exceptions=(replace(entry, **changes),))
    )
    return [_row(table, number) for number in range(len(table.rows))]


def test_an_exception_says_who_answers_for_it_and_until_when() -> None:
    """Each VM that an exception names has a row with its owner, approver, end and compensating control."""
    first, second = _exceptions(date(2026, 11, 22))
    expected = {
        "Exception": "EX-7",
        "VM": "vm-ledger-legacy",
        "Application": "ledger",
        "In this plan": "planned",
        "Permits": "Customer-managed keys",
        "Owner": "Priya Raman",
        "Approved by": "Security board",
        "Expires": date(2026, 12, 12),
        "Days left": 20,
        "State": "ends soon",
        "Why": "Its successor is ordered",
        "Compensating control": "Reachable from one subnet only",
        "Resource id": vm_id("vm-ledger-legacy").key,
    }
    assert expected == first
    assert ("vm-ledger-old", "blocked") == (second["VM"], second["In this plan"])


@pytest.mark.parametrize(
    ("as_of", "left", "state"),
    [
        (date(2026, 11, 11), 31, "in force"),
        (date(2026, 11, 12), 30, "ends soon"),
        (date(2026, 12, 12), 0, "ends soon"),
        (date(2026, 12, 13), -1, "expired"),
    ],
)
def test_an_exception_holds_through_its_last_day(as_of: date, left: int, state: str) -> None:
    """Days left count down to the last day, on which it still is in force; then it is expired."""
    row = _exceptions(as_of)[0]
    assert (left, state) == (row["Days left"], row["State"])


def test_an_exception_that_names_no_vm_is_listed() -> None:
    """An exception whose match hits nothing stands there once: somebody should know."""
    (row,) = _exceptions(date(2026, 11, 22), vms=())
    assert ("EX-7", None, "names no VM") == (row["Exception"], row["VM"], row["In this plan"])
