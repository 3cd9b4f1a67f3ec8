"""Workbooks out and back in: previewed by cell, accepted whole or not at all, split by owner, drawn."""

from datetime import date, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace
from openpyxl import load_workbook

from readiness.app.estates import locate
from readiness.app.people import may_be_author, names_its_authors
from readiness.app.plan import compare_plans, create_plan
from readiness.app.plan_edit_checks import objections
from readiness.app.plan_workbooks import accept, draw_graph, preview_import, split_plan
from readiness.errors import PlanError, UsageError
from readiness.model.decision import Answer, Decision
from readiness.model.plan import ApartGroup, OrderEdge, Strictness, TargetKind, digest_of
from readiness.store.artefacts import read_plan, write_plan
from reports.workbook import plan_workbook
from tests.reports.editing import edited
from tests.reports.plans import small_estate, vm_id

DAY = datetime.fromisoformat("2026-11-22")


def answer(name, word, **more):
    """Return the cells of a signed answer."""
    cells = {(name, "Decision"): word, (name, "Approver"): "Jo", (name, "Decided on"): DAY}
    return cells | {(name, title): value for title, value in more.items()}


@pytest.fixture
def sealed(tmp_path):
    """Return a folder with the small plan of the reports, sealed and written."""
    plan = small_estate()
    plan = replace(plan, digest=digest_of(plan))
    write_plan(tmp_path, plan)
    return tmp_path, plan


def book(folder: Path, plan, cells, name="edited.xlsx") -> Path:
    """Write the plan's workbook with some cells edited."""
    path = folder / name
    path.write_bytes(edited(plan_workbook(plan), cells))
    return path


def test_a_sign_off_needs_no_planning(sealed):
    """Approvals alone move nothing: the waves of the plan that comes of them are those of the old one."""
    folder, plan = sealed
    cells = answer("vm-wiki-01", "approve") | answer("vm-shop-db-01", "approve", **{"Change ticket": "CHG-1"})
    preview = preview_import(folder, [book(folder, plan, cells)])
    assert () == preview.violations
    assert [Answer.APPROVE, Answer.APPROVE] == [entry.answer for entry in preview.decisions]
    assert plan.waves == preview.result.waves


def test_a_preview_writes_nothing(sealed):
    """Looking at workbooks leaves every file as it was."""
    folder, plan = sealed
    path = book(folder, plan, answer("vm-wiki-01", "approve"))
    before = {entry.name: entry.read_bytes() for entry in folder.iterdir()}
    preview_import(folder, [path])
    assert before == {entry.name: entry.read_bytes() for entry in folder.iterdir()}


def test_untouched_workbooks_change_nothing(sealed):
    """Where nobody wrote anything there is nothing to accept."""
    folder, plan = sealed
    preview = preview_import(folder, [book(folder, plan, {})])
    expected = ((), (), (), None)
    assert expected == (preview.edits, preview.violations, preview.ignored, preview.result)


def test_answers_of_several_owners_are_laid_together(sealed):
    """Workbooks that speak of different VMs, or of different columns of one, do not disturb each other."""
    folder, plan = sealed
    first = book(folder, plan, answer("vm-wiki-01", "approve"), "mara.xlsx")
    second = book(
        folder, plan, answer("vm-shop-test-db", "approve") | {("vm-wiki-01", "Note"): "ok"}, "jonas.xlsx"
    )
    preview = preview_import(folder, [first, second])
    expected = {("vm-wiki-01", "ok"), ("vm-shop-test-db", "")}
    assert expected == {(entry.vm.name, entry.note) for entry in preview.decisions}
    assert () == preview.violations


def test_conflicts_name_both_cells(sealed):
    """Two workbooks that say different things about one cell are a conflict, with both places."""
    folder, plan = sealed
    first = book(folder, plan, answer("vm-wiki-01", "approve"), "mara.xlsx")
    second = book(folder, plan, answer("vm-wiki-01", "exclude"), "jonas.xlsx")
    preview = preview_import(folder, [first, second])
    (told,) = preview.violations
    assert ("jonas.xlsx VMs!E2", "vm-wiki-01: Decision = exclude") == (told.place, told.what)
    expected = "conflict: mara.xlsx VMs!E2 says approve"
    assert expected == told.why
    assert preview.result is None


@pytest.mark.parametrize(
    ("cells", "place", "why"),
    [
        (answer("vm-wiki-01", "approve") | {("vm-wiki-01", "Approver"): None}, "VMs!2", "only with a name"),
        (
            answer("vm-wiki-01", "approve") | {("vm-wiki-01", "Decided on"): None},
            "VMs!2",
            "only with its day",
        ),
        (answer("vm-shop-db-01", "approve"), "VMs!7", "a production VM does not run without one"),
        (answer("vm-dc-01", "approve"), "VMs!E14", "it is in no wave: goes alone"),
        ({("vm-wiki-01", "Pin to wave"): 9}, "VMs!F2", "the plan has waves 1 to 3"),
        (
            {("vm-shop-db-01", "Pin to wave"): 3},
            "VMs!F7",
            "order broken: vm-shop-web-01 has to go not before",
        ),
        (
            {("vm-wiki-01", "Pin to wave"): 2, ("vm-wiki-02", "Pin to wave"): 3},
            "VMs!F2",
            "vm-wiki-01, vm-wiki-02 have to share one wave",
        ),
        (
            answer("vm-wiki-01", "later") | {("vm-wiki-01", "Pin to wave"): 2},
            "VMs!E2",
            "a VM that does not go has no wave",
        ),
        (
            {("vm-wiki-01", "Pin to wave"): 2, ("vm-wiki-01", "Go with"): "vm-shop-db-01"},
            "VMs!H2",
            "both name a wave",
        ),
    ],
)
def test_what_cannot_stand_is_said_at_its_cell(sealed, cells, place, why):
    """Each violation names the cell that was edited and the reason, and nothing comes of the import."""
    folder, plan = sealed
    preview = preview_import(folder, [book(folder, plan, cells)])
    found = [told for told in preview.violations if why in told.why]
    assert [f"edited.xlsx {place}"] == [told.place for told in found], preview.violations
    assert preview.result is None
    with pytest.raises(PlanError, match="nothing was written"):
        accept(preview, "Jo", folder / "new")
    assert not (folder / "new").exists()


def decisions(*given):
    """Return decisions by VM."""
    return {entry.vm: entry for entry in given}


def test_peers_are_never_down_together():
    """Members of a group that goes in different waves may not be pinned into one."""
    web = (vm_id("vm-shop-web-01"), vm_id("vm-shop-web-02"))
    group = ApartGroup(members=web, max_unavailable=1, evidence="mission-critical", separate_waves=True)
    plan = replace(small_estate(), apart=(group,))
    (found,) = objections(plan, decisions(Decision(vm=web[0], wave=2)))
    assert found.why.startswith("peers down together: at most 1 of vm-shop-web-01, vm-shop-web-02 per wave")


def test_a_strict_order_wants_a_later_wave():
    """An edge that asks for the next wave is broken by the same wave."""
    pair = (vm_id("vm-shop-test-db"), vm_id("vm-shop-web-01"))
    edge = OrderEdge(
        before=pair[0], after=pair[1], hard=True, evidence="declared", strict=Strictness.NEXT_WAVE
    )
    plan = replace(small_estate(), order=(edge,))
    (found,) = objections(plan, decisions(Decision(vm=pair[0], wave=2)))
    assert "has to go in a later wave than vm-shop-test-db" in found.why
    expected = []
    assert expected == objections(plan, decisions(Decision(vm=pair[1], wave=3)))


def test_more_pins_than_a_wave_may_hold():
    """Pins beyond the limit of a wave are refused, with both numbers."""
    plan = small_estate()
    limits = replace(plan.policy.limits, max_vms_per_wave=2)
    plan = replace(plan, policy=replace(plan.policy, limits=limits), together=(), apart=(), order=())
    pins = decisions(*(Decision(vm=vm.id, wave=3) for vm in plan.vms[:3]))
    (found,) = objections(plan, pins)
    expected = "capacity exceeded: 3 VMs are pinned to it, the limit is 2"
    assert expected == found.why


def test_files_that_cannot_be_read_are_named(sealed):
    """A missing file and one that is no workbook are refused by name."""
    folder, _ = sealed
    with pytest.raises(UsageError, match=r"gone\.xlsx cannot be read"):
        preview_import(folder, [folder / "gone.xlsx"])
    with pytest.raises(UsageError, match=r"plan\.json is not an Excel workbook"):
        preview_import(folder, [folder / "plan.json"])


@pytest.fixture(scope="module")
def starter(tmp_path_factory):
    """Return the folder of a plan for the sample estate."""
    folder = tmp_path_factory.mktemp("starter")
    create_plan(locate("starter"), folder, date(2026, 11, 22))
    return folder


def starter_book(folder: Path, to: Path, cells) -> Path:
    """Edit the workbook of the sample's plan; VMs are found by name."""
    workbook = load_workbook(folder / "wave-plan.xlsx")
    sheet = workbook["VMs"]
    titles = {cell.value: cell.column for cell in sheet[1]}
    rows = {sheet.cell(row, 1).value: row for row in range(2, sheet.max_row + 1)}
    for (name, title), value in cells.items():
        sheet.cell(rows[name], titles[title]).value = value
    workbook.save(to)
    return to


def test_a_plan_that_continues_one_shows_what_changed(starter, tmp_path):
    """The workbook of a plan made with a previous one lists on its sheet Changes what `plan diff` says."""
    written = create_plan(locate("starter"), tmp_path, date(2026, 12, 6), previous=starter / "plan.json")
    expected = [
        (change.name, change.kind, change.after)
        for change in compare_plans(starter / "plan.json", written.plan_file)
    ]
    assert expected
    sheet = load_workbook(written.workbook)["Changes"]
    found = [(row[0], row[1], row[3]) for row in sheet.iter_rows(min_row=2, values_only=True)]
    assert expected == found


def test_the_exceptions_of_the_context_stand_in_the_workbook(starter):
    """The exception of the sample names its owner, its approver, its end and what protects the VM."""
    sheet = load_workbook(starter / "wave-plan.xlsx")["Exceptions"]
    header, row = sheet.iter_rows(values_only=True)
    shown = dict(zip(header, row, strict=True))
    assert ("EX-2026-014", "bo-report-01", "Joren Vasquelle") == (
        shown["Exception"],
        shown["VM"],
        shown["Owner"],
    )
    assert (datetime.fromisoformat("2027-04-30"), 159) == (shown["Expires"], shown["Days left"])
    assert "Adaeze Lindqvarn" in shown["Approved by"]
    assert "Guest encryption stays switched on" in shown["Compensating control"]


def test_what_is_accepted_becomes_a_new_plan(starter, tmp_path):
    """An exclusion and a date are planned: a new digest, author and origin; VMs that nobody named stay."""
    cells = answer("sf-app-01", "exclude") | {
        ("bo-app-02", "Not before"): datetime.fromisoformat("2026-12-20")
    }
    old = read_plan(starter)
    preview = preview_import(starter, [starter_book(starter, tmp_path / "edited.xlsx", cells)])
    assert () == preview.violations
    written = accept(preview, "Jo Field", tmp_path / "new")
    new = read_plan(written.plan_file)
    assert (old.digest, "Jo Field") == (new.previous, new.author)
    assert old.digest != new.digest
    left = {entry.name: entry.detail for entry in new.left_out}
    expected = "excluded by Jo"
    assert expected == left["sf-app-01"]
    moved = next(vm for vm in new.vms if vm.name == "bo-app-02")
    assert moved.occurrence.opens.date() >= date(2026, 12, 20)
    before = {vm.id: (vm.start, vm.occurrence) for vm in old.vms}
    named = {"sf-app-01", "bo-app-02"}
    stay = [vm for vm in new.vms if vm.name not in named]
    assert {vm.id: before[vm.id] for vm in stay} == {vm.id: (vm.start, vm.occurrence) for vm in stay}
    assert written.workbook.exists()


def test_whoever_began_a_plan_stays_its_author(sealed, tmp_path):
    """An import by somebody else makes nobody of those before a second person: all of them made the plan."""
    preview = preview_import(sealed[0], [])
    for before, after in (("", "Jo"), ("ben", "ben; Jo"), ("ben; Jo", "ben; Jo")):
        begun = replace(preview, plan=replace(preview.plan, author=before), result=preview.plan)
        assert after == accept(begun, "Jo", tmp_path / "new").plan.author
    made = accept(begun, "Jo", tmp_path / "new").plan.author
    assert may_be_author(made, "ben@example.com", "1")
    assert may_be_author(made, "jo@example.com", "2")
    assert not may_be_author(made, "eve@example.com", "3")


def test_whoever_edits_a_plan_of_nobody_is_not_taken_for_its_maker(sealed, tmp_path):
    """A plan for Azure whose maker nobody knows stays one: an import names who imports, and says so."""
    preview = preview_import(sealed[0], [])
    live = replace(preview.plan, author="", target=replace(preview.plan.target, kind=TargetKind.LIVE))
    made = accept(replace(preview, plan=live, result=live), "Jo", tmp_path / "new").plan
    assert ("(nobody named); Jo", False) == (made.author, names_its_authors(made.author))


def test_a_decision_can_be_taken_back(starter, tmp_path):
    """A VM that was excluded comes back when its owner empties the answer in the next workbook."""
    first = starter_book(starter, tmp_path / "first.xlsx", answer("bo-app-01", "exclude"))
    written = accept(preview_import(starter, [first]), "Jo", tmp_path / "one")
    assert "bo-app-01" not in {vm.name for vm in written.plan.vms}
    second = starter_book(tmp_path / "one", tmp_path / "second.xlsx", {("bo-app-01", "Decision"): None})
    again = accept(preview_import(tmp_path / "one", [second]), "Jo", tmp_path / "two")
    assert "bo-app-01" in {vm.name for vm in again.plan.vms}


def test_wishes_the_planner_refuses_are_violations(starter, tmp_path):
    """What only planning can tell is told at the cell, too."""
    cells = {("sf-sql-01", "Pin to wave"): 1}
    preview = preview_import(starter, [starter_book(starter, tmp_path / "edited.xlsx", cells)])
    (told,) = preview.violations
    assert told.place.startswith("edited.xlsx VMs!F")
    assert told.what.startswith("sf-sql-01: wave 1")


def test_another_estate_is_refused(starter, tmp_path):
    """A plan is made again only from the estate that it was made from."""
    path = starter_book(starter, tmp_path / "edited.xlsx", answer("sf-app-01", "exclude"))
    with pytest.raises(PlanError, match="not the one that the plan was made from"):
        preview_import(starter, [path], "bank")


def test_split_gives_every_vm_to_one_owner(sealed):
    """The workbooks of all owners together hold every VM exactly once, and each can be imported."""
    folder, plan = sealed
    written = split_plan(folder, folder / "owners")
    expected = [("no owner", 4), ("Jonas Okafor", 6), ("Mara Lindqvist", 2), ("Priya Raman", 4)]
    assert expected == [(owner, count) for owner, _, count in written]
    preview = preview_import(folder, [path for _, path, _ in written])
    assert plan.inventory == preview.rows
    expected = ((), (), ())
    assert expected == (preview.edits, preview.violations, preview.ignored)


def test_owners_with_odd_names_get_files_of_their_own(sealed):
    """Names that differ only in what a file's name cannot hold do not overwrite one another."""
    folder, plan = sealed
    names = iter(["../etc/passwd", "a/b", "a:b", "=cmd"])
    waves = []
    for wave in plan.waves:
        owner = next(names)
        batches = tuple(
            replace(batch, vms=tuple(replace(vm, owner=owner, application=owner) for vm in batch.vms))
            for batch in wave.batches
        )
        waves.append(replace(wave, batches=batches))
    odd = replace(plan, waves=tuple(waves))
    write_plan(folder, replace(odd, digest=digest_of(replace(odd, digest=""))))
    written = split_plan(folder, folder / "owners")
    assert len(written) == len({path for _, path, _ in written})
    assert {folder / "owners"} == {path.parent for _, path, _ in written}


@pytest.mark.parametrize("form", ["svg", "html", "dot"])
def test_the_picture_shows_every_vm(sealed, form):
    """Every form names every VM of the plan, planned or not."""
    folder, plan = sealed
    drawn = draw_graph(folder, form, folder / f"graph.{form}")
    for vm in (*plan.vms, *plan.left_out):
        assert vm.name in drawn
    assert drawn == (folder / f"graph.{form}").read_text(encoding="utf-8")
