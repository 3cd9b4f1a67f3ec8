"""A folder with a report holds that report: what an earlier one left there is gone, or named."""

import fcntl
import hashlib
import os
from pathlib import Path

import pytest

from readiness.app.report_files import FORMATS, Forms, Written, write_forms
from reports.tables.table import Column, Table


def written(to: Path, says: str, *formats: str, tables: tuple[str, ...] = ("One", "Two")) -> Written:
    """Write a small report that says something, in some forms or in all."""
    forms = Forms(
        stem="small",
        title="Small",
        value={"says": says},
        tables=[Table(name, (Column("Said", 10),), ((says,),)) for name in tables],
        workbook=f"book {says}".encode,
        page=f"page {says}".encode,
    )
    return write_forms(forms, to, formats or FORMATS)


def names(folder: Path) -> list[str]:
    """Return what is in a folder."""
    return sorted(path.name for path in folder.iterdir())


def test_what_an_earlier_report_left_is_removed(tmp_path: Path) -> None:
    """No file of an earlier report stands beside a later one, whatever forms and tables each of them has."""
    written(tmp_path, "old")
    done = written(tmp_path, "new", "csv", "md", tables=("Two",))
    assert ["small-two.csv", "small.md", "small.sha256"] == names(tmp_path)
    removed = ["small-one.csv", "small.html", "small.json", "small.xlsx"]
    assert (removed, ()) == ([path.name for path in done.removed], done.left)


def test_forms_of_the_same_report_stay_together(tmp_path: Path) -> None:
    """Whoever asks for the page after the workbook has both, and after the next report neither."""
    written(tmp_path, "same", "xlsx")
    assert ((), ()) == (written(tmp_path, "same", "html").removed, written(tmp_path, "same", "html").left)
    assert ["small.html", "small.sha256", "small.xlsx"] == names(tmp_path)
    written(tmp_path, "next", "json")
    assert ["small.json", "small.sha256"] == names(tmp_path)


def test_what_somebody_changed_stays_and_is_named(tmp_path: Path) -> None:
    """A workbook with somebody's notes is no longer what was written: it is left, and said to be left."""
    written(tmp_path, "old")
    (tmp_path / "small.xlsx").write_bytes(b"notes")
    done = written(tmp_path, "new", "html")
    assert (b"notes", ("small.xlsx",)) == (
        (tmp_path / "small.xlsx").read_bytes(),
        tuple(path.name for path in done.left),
    )
    assert ["small.html", "small.sha256", "small.xlsx"] == names(tmp_path)


def test_nothing_that_was_not_written_here_is_removed(tmp_path: Path) -> None:
    """Other files stay, even where a list that somebody altered names them; those like ours are named."""
    folder = tmp_path / "report"
    written(folder, "old")
    others = {
        tmp_path / "small.html": b"above",
        folder / "notes.html": b"mine",
        folder / "small-9-report.json": b"of another wave",
        folder / "small-mine.csv": b"mine",
    }
    for path, body in others.items():
        path.write_bytes(body)
    (folder / "small.md").unlink()
    (folder / "small.md").symlink_to(tmp_path / "small.html")
    with (folder / "small.sha256").open("a", encoding="utf-8") as file:
        for name in ("../small.html", "notes.html", "small-9-report.json", "small.md"):
            file.write(f"{hashlib.sha256(b'above').hexdigest()}  {name}\n")
    done = written(folder, "new", "json")
    assert others == {path: path.read_bytes() for path in others}
    assert ["small-mine.csv", "small.md"] == [path.name for path in done.left]


@pytest.mark.parametrize(
    "damage", [b"", b"\xff", b"# something else\n", b"# readiness report x\nnot a line\n"]
)
def test_a_list_that_cannot_be_read_removes_nothing(tmp_path: Path, damage: bytes) -> None:
    """What cannot be told to be ours stays: every file is named instead."""
    written(tmp_path, "old", "json", "html")
    (tmp_path / "small.sha256").write_bytes(damage)
    done = written(tmp_path, "new", "json")
    assert ((), ["small.html"]) == (done.removed, [path.name for path in done.left])


def test_two_reports_are_written_one_after_the_other(tmp_path: Path) -> None:
    """While one is written nobody else writes or clears away there; afterwards the folder is free again."""
    seen = []

    def is_free() -> bool:
        place = os.open(tmp_path, os.O_RDONLY)
        try:
            fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            os.close(place)
        return True

    def page() -> bytes:
        seen.append(is_free())
        return b"page"

    forms = Forms(stem="small", title="Small", value={}, tables=[], workbook=lambda: b"book", page=page)
    write_forms(forms, tmp_path, ("html",))
    assert ([False], True) == (seen, is_free())


def test_the_list_says_what_is_there(tmp_path: Path) -> None:
    """Every file stands in the list with its digest, and the same report gives the same list."""
    done = written(tmp_path, "this")
    first = (tmp_path / "small.sha256").read_bytes()
    head, *lines = first.decode().splitlines()
    assert head.startswith("# readiness report ")
    expected = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}" for path in done.files]
    assert sorted(expected, key=lambda line: line[66:]) == lines
    written(tmp_path, "this")
    written(tmp_path / "elsewhere", "this")
    assert first == (tmp_path / "small.sha256").read_bytes()
    assert first == (tmp_path / "elsewhere" / "small.sha256").read_bytes()
