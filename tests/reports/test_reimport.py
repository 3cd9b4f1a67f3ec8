"""Workbooks read back: what owners wrote is found wherever it stands, and what cannot be meant is named."""

import re
from datetime import date, datetime
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from msgspec.structs import replace
from openpyxl.workbook import Workbook

from readiness.errors import UsageError
from readiness.model.decision import Answer, Decision
from reports.excel.opening import opened
from reports.tables.plan_vms import EDITED
from reports.workbook import plan_workbook
from tests.reports.editing import changed, edited, read, read_with, rewritten
from tests.reports.plans import plan, planned, small_estate, vm_id, wave

PLAN = small_estate()
SIGNED = {
    ("vm-shop-db-01", "Decision"): "Approve",
    ("vm-shop-db-01", "Approver"): " Jonas Okafor ",
    ("vm-shop-db-01", "Decided on"): datetime.fromisoformat("2026-11-25"),
    ("vm-shop-db-01", "Change ticket"): "CHG-4711",
    ("vm-wiki-02", "Go with"): "VM-WIKI-01",
    ("vm-wiki-01", "Pin to wave"): 2,
    ("vm-ledger-app", "Not before"): "2027-01-15",
}
MEANT = {
    vm_id("vm-shop-db-01"): {
        "answer": Answer.APPROVE,
        "approver": "Jonas Okafor",
        "decided_on": date(2026, 11, 25),
        "ticket": "CHG-4711",
    },
    vm_id("vm-wiki-02"): {"goes_with": vm_id("vm-wiki-01")},
    vm_id("vm-wiki-01"): {"wave": 2},
    vm_id("vm-ledger-app"): {"not_before": date(2027, 1, 15)},
}


def _said(reading):
    return {vm: replace(decision, source="") for vm, decision in reading.decisions.items()}


def _meant():
    return {vm: Decision(vm=vm, **fields) for vm, fields in MEANT.items()}


def _rows(book):
    return [[cell.value for cell in row] for row in book["VMs"].iter_rows()]


def test_an_untouched_workbook_says_nothing() -> None:
    """What the plan wrote is read back as no edit at all."""
    reading = read(plan_workbook(PLAN), PLAN)
    assert ({}, [], [], []) == (reading.decisions, reading.edits, reading.violations, reading.ignored)
    assert PLAN.inventory == len(reading.seen)


def test_what_owners_write_is_read() -> None:
    """Answers, dates, names and numbers come back as decisions, in whatever case and form they were typed."""
    reading = read_with(PLAN, SIGNED)
    assert _meant() == _said(reading)
    assert len(SIGNED) == len(reading.edits)
    expected = []
    assert expected == reading.violations


def _sort(book: Workbook) -> None:
    header, *rows = _rows(book)
    rewritten(book["VMs"], [header, *sorted(rows, key=lambda row: str(row[-1]), reverse=True)])


def _reorder(book: Workbook) -> None:
    rewritten(book["VMs"], [row[::-1] for row in _rows(book)])


def _widen(book: Workbook) -> None:
    rewritten(book["VMs"], [["mine", *row[:7], "=1+1", *row[7:], "more"] for row in _rows(book)])


def _push_down(book: Workbook) -> None:
    rewritten(book["VMs"], [["Please answer until Friday"], [], *_rows(book)])


def _drop_rows(book: Workbook) -> None:
    names = {"vm-shop-db-01", "vm-wiki-02", "vm-wiki-01", "vm-ledger-app"}
    header, *rows = _rows(book)
    rewritten(book["VMs"], [header, *(row for row in rows if row[0] in names)])


def _drop_sheets(book: Workbook) -> None:
    for title in ("Waves", "Schedule", "Run", "Summary"):
        del book[title]
    book["VMs"].auto_filter.ref = "A1:Z17"


@pytest.mark.parametrize("change", [_sort, _reorder, _widen, _push_down, _drop_rows, _drop_sheets])
def test_rows_and_columns_may_be_moved(change) -> None:
    """Sorted and missing rows, moved and added columns, lines above, missing sheets change nothing."""
    reading = read(changed(edited(plan_workbook(PLAN), SIGNED), change), PLAN)
    assert _meant() == _said(reading)
    expected = ([], [])
    assert expected == (reading.violations, reading.ignored)


def test_each_edit_names_its_cell() -> None:
    """An edit is known by file, sheet and cell, with what stood there and what stands there now."""
    (edit,) = read_with(PLAN, {("vm-wiki-01", "Pin to wave"): 2}).edits
    assert ("shop.xlsx", "VMs", "F2", None, 2) == (edit.file, edit.sheet, edit.cell, edit.before, edit.after)


def test_an_earlier_decision_can_be_taken_back() -> None:
    """An emptied cell empties that part of the decision; the rest of it stays."""
    said = Decision(
        vm=vm_id("vm-wiki-01"), answer=Answer.EXCLUDE, approver="Mara", decided_on=date(2026, 11, 1)
    )
    plan = replace(PLAN, decisions=(said,))
    reading = read_with(plan, {("vm-wiki-01", "Decision"): None})
    assert replace(said, answer=None) == _said(reading)[said.vm]


@pytest.mark.parametrize("name", ["vm_x000D_", "_x005F_", "vm\x00\x07\x1b", "_x0041_x0042_", "\ud800_x000A_"])
def test_escaped_names_are_no_edits(name) -> None:
    """A name that is escaped in the file says the same when it comes back: as written, and saved again."""
    made = plan(wave(1, name, (replace(planned("vm-1"), name=name, reason=f"{name} goes first"),)))
    data = plan_workbook(made)
    for file in (data, changed(data, lambda _: None)):
        reading = read(file, made)
        assert ({}, [], []) == (reading.decisions, reading.violations, reading.ignored)
        assert 1 == len(reading.seen)


def test_what_office_escaped_is_read_unescaped() -> None:
    """A line break that Excel wrote as an escape is a line break, and a control character has no effect."""
    reading = read_with(PLAN, {("vm-wiki-01", "Note"): "one_x000D_\ntwo_x005F_x000D__x0007_"})
    (decision,) = reading.decisions.values()
    assert "one\ntwo_x000D_\ufffd" == decision.note


SHARED = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
RICH = (
    "<si><r><t>as </t></r><r><rPr><b/></rPr><t>agreed_x005F_x000D_</t></r>"
    '<rPh sb="0" eb="1"><t>spoken</t></rPh></si>'
)


def test_shared_texts_are_read_as_they_are_written() -> None:
    """A shared text in several looks is one text, its escapes are undone once, its phonetics are no part."""
    source, target = BytesIO(edited(plan_workbook(PLAN), {("vm-wiki-01", "Note"): "NOTE"})), BytesIO()
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    with ZipFile(source) as old, ZipFile(target, "w", ZIP_DEFLATED) as new:
        for name in old.namelist():
            data = old.read(name).decode()
            if name == "[Content_Types].xml":
                part = f'<Override PartName="/xl/sharedStrings.xml" ContentType="{SHARED}"/></Types>'
                data = data.replace("</Types>", part)
            note = '<c r="L2" s="\\1" t="s"><v>0</v></c>'
            data = re.sub(r'<c r="L2" s="(\d+)" t="inlineStr"><is><t>NOTE</t></is></c>', note, data)
            new.writestr(name, data)
        new.writestr("xl/sharedStrings.xml", f'<sst xmlns="{main}">{RICH}</sst>')
    (decision,) = read(target.getvalue(), PLAN).decisions.values()
    assert "as agreed_x000D_" == decision.note


def test_a_row_far_below_is_refused() -> None:
    """A row that claims a place beyond what a sheet can have is not waited for."""
    source, target = BytesIO(plan_workbook(PLAN)), BytesIO()
    with ZipFile(source) as old, ZipFile(target, "w", ZIP_DEFLATED) as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "xl/worksheets/sheet4.xml":
                far = b'<row r="2000000000"><c r="A2000000000"/></row></sheetData>'
                data = data.replace(b"</sheetData>", far)
            new.writestr(name, data)
    assert "is damaged" in _refusal(target.getvalue()).brief


def test_rows_beyond_the_claimed_size_are_read() -> None:
    """What a sheet claims about its size hides no row."""
    source, target = BytesIO(edited(plan_workbook(PLAN), SIGNED)), BytesIO()
    with ZipFile(source) as old, ZipFile(target, "w", ZIP_DEFLATED) as new:
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="A1:B3"', data))
    assert PLAN.inventory == len(read(target.getvalue(), PLAN).seen)
    assert _meant() == _said(read(target.getvalue(), PLAN))


@pytest.mark.parametrize("title", ["Wave", "Owner", "Starts", "Why it stands here", "Status"])
def test_edits_elsewhere_are_reported(title) -> None:
    """A cell that nobody is to change is named with both values, and has no effect."""
    reading = read_with(PLAN, {("vm-wiki-01", title): "7"})
    (remark,) = reading.ignored
    assert f"vm-wiki-01: {title} was" in remark.what
    expected = ({}, [])
    assert expected == (reading.decisions, reading.violations)


@pytest.mark.parametrize(
    ("title", "value", "why"),
    [
        ("Decision", "maybe", "not one of approve, exclude, later"),
        ("Decision", '=IF(1=1,"approve","")', "a formula: write the value itself"),
        ("Pin to wave", "=1+1", "a formula: write the value itself"),
        ("Pin to wave", 1.5, "not a whole number from 1 on"),
        ("Pin to wave", 0, "not a whole number from 1 on"),
        ("Pin to wave", "second", "not the number of a wave"),
        ("Not before", "next spring", "not a date: write one such as 2027-03-14"),
        ("Decided on", 3, "not a date: write one such as 2027-03-14"),
        ("Go with", "vm-nowhere", "the plan has no VM of that name or id"),
        ("Go with", "vm-wiki-01", "a VM always goes with itself: name another one"),
        ("Approver", "#REF!", "an error value: write the value itself"),
    ],
)
def test_what_cannot_be_meant_is_named(title, value, why) -> None:
    """A cell that cannot be read is a violation with its place and the reason, and no decision."""
    reading = read_with(PLAN, {("vm-wiki-01", title): value})
    (remark,) = reading.violations
    assert why == remark.why
    assert remark.place.startswith("shop.xlsx VMs!")
    expected = {}
    assert expected == reading.decisions


def _unknown(rows):
    rows[1][-1] = vm_id("vm-invented").key


def _twice(rows):
    rows.append(list(rows[1]))


def _nameless(rows):
    rows[1][-1] = None
    rows[1][4] = "approve"


def _two_titles(rows):
    rows[0].append("Decision")


@pytest.mark.parametrize(
    ("spoil", "cell", "why"),
    [
        (_unknown, "AJ2", "unknown VM: the plan's inventory has no such id"),
        (_twice, "AJ18", "the same VM stands in VMs!AJ2 too"),
        (_nameless, "A2", "it has no resource id, so nobody knows which VM it means"),
        (_two_titles, "AK1", "E1 has the same title"),
    ],
)
def test_rows_that_mean_no_vm_are_named(spoil, cell, why) -> None:
    """Invented ids, doubled rows, rows without an id and doubled titles are violations."""

    def change(book: Workbook) -> None:
        rows = _rows(book)
        spoil(rows)
        rewritten(book["VMs"], rows)

    (remark,) = read(changed(plan_workbook(PLAN), change), PLAN).violations
    assert (cell, why) == (remark.cell, remark.why)


def test_a_missing_column_is_said_and_read_as_unchanged() -> None:
    """An owner who deleted a column has not emptied it."""

    def change(book: Workbook) -> None:
        rewritten(book["VMs"], [row[:4] + row[12:] for row in _rows(book)])

    reading = read(changed(plan_workbook(PLAN), change), PLAN)
    assert [f"column {column.title!r}" for column in EDITED] == [remark.what for remark in reading.ignored]
    expected = ({}, [])
    assert expected == (reading.decisions, reading.violations)


def _refusal(data: bytes, plan=PLAN) -> UsageError:
    with pytest.raises(UsageError) as caught:
        read(data, plan)
    assert "shop.xlsx" in caught.value.brief
    assert caught.value.remedy
    return caught.value


def test_a_workbook_of_another_plan_is_refused() -> None:
    """A workbook of another estate says which; one of an older plan says that it is too old."""
    other = replace(PLAN, digest="0" * 64)
    assert "another plan of the same estate: an older one" in _refusal(plan_workbook(other)).brief
    elsewhere = replace(other, target=replace(PLAN.target, estate="harbour"))
    assert "another plan: it is about the estate 'harbour'" in _refusal(plan_workbook(elsewhere)).brief


def test_a_workbook_without_identity_is_refused() -> None:
    """Without its hidden sheet nobody can tell which plan a workbook shows."""

    def change(book: Workbook) -> None:
        del book["_meta"]

    assert "has no sheet _meta" in _refusal(changed(plan_workbook(PLAN), change)).brief


def test_a_workbook_without_its_rows_is_refused() -> None:
    """Without the sheet VMs, or the titles of its columns, there is nothing to read."""

    def no_sheet(book: Workbook) -> None:
        del book["VMs"]

    def no_titles(book: Workbook) -> None:
        book["VMs"].delete_rows(1)

    assert "has no sheet VMs" in _refusal(changed(plan_workbook(PLAN), no_sheet)).brief
    assert "no row has the title 'Resource id'" in _refusal(changed(plan_workbook(PLAN), no_titles)).brief


def _container(*streams: str) -> bytes:
    names = b"".join(name.encode("utf-16-le").ljust(128, b"\0") for name in streams)
    return bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 504 + names


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"<html>", "is not an Excel workbook"),
        (_container("EncryptionInfo", "EncryptedPackage"), "is protected with a password"),
        (_container("EncryptedPackage", "\x06DataSpaces", "DRMEncryptedDataSpace"), "sensitivity label"),
        (_container("Workbook"), "is in the format of Excel 97 to 2003"),
        (b"PK\x03\x04" + b"\0" * 64, "is damaged"),
    ],
)
def test_files_that_are_no_workbook_are_refused(data, words) -> None:
    """Every other kind of file is refused by what it is, with what to do."""
    assert words in _refusal(data).brief


def _with_entry(data: bytes, name: str, content: bytes) -> bytes:
    file = BytesIO(data)
    with ZipFile(file, "a", ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return file.getvalue()


def test_macros_are_refused() -> None:
    """A workbook with macros is refused, whatever its name ends with."""
    assert "holds macros" in _refusal(_with_entry(plan_workbook(PLAN), "xl/vbaProject.bin", b"x")).brief


def test_a_zip_bomb_is_refused_before_it_is_unpacked() -> None:
    """A workbook that unpacks to 200 MB for sixteen VMs is refused by its directory alone."""
    bomb = _with_entry(plan_workbook(PLAN), "xl/media/big.bin", bytes(200 * 1024 * 1024))
    assert len(bomb) < 1024 * 1024
    assert "unpacks to 200 MiB" in _refusal(bomb).brief


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.99])
def test_a_cut_file_is_refused(share) -> None:
    """A file that was cut off anywhere is refused as damaged."""
    data = plan_workbook(PLAN)
    assert "is damaged" in _refusal(data[: int(len(data) * share)]).brief


def test_a_damaged_sheet_is_refused() -> None:
    """A sheet whose bytes were altered is refused, and not read up to there."""
    data = bytearray(plan_workbook(PLAN))
    with ZipFile(BytesIO(bytes(data))) as archive:
        entry = archive.getinfo("xl/worksheets/sheet4.xml")
    middle = entry.header_offset + entry.compress_size // 2
    data[middle : middle + 40] = bytes(40)
    assert "is damaged" in _refusal(bytes(data)).brief


def test_entities_are_no_bomb() -> None:
    """A workbook whose sheet blows up entities in itself is refused."""
    lol = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    sheet = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "{"x" * 99}">{lol}]><worksheet>&l9;</worksheet>'
    source = BytesIO(plan_workbook(PLAN))
    target = BytesIO()
    with ZipFile(source) as old, ZipFile(target, "w", ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, sheet if name == "xl/worksheets/sheet4.xml" else old.read(name))
    assert "is damaged" in _refusal(target.getvalue()).brief


def test_a_small_limit_is_kept() -> None:
    """The limit is what the caller says, not what the file claims."""
    with pytest.raises(UsageError, match="unpacks to"), opened(BytesIO(plan_workbook(PLAN)), "x", 1000):
        pass
