"""The commands of the register, and of the findings workbook, as people type them."""

import json
from pathlib import Path

import pytest

from tests.cli.terminal import AS_OF, Terminal, copy_of_starter
from tests.reports.dump import snapshot

ANSWERS = {
    "list": (0, ("list", "bank")),
    "check": (1, ("check", "bank")),
    "expiring": (1, ("expiring", "bank", "--within", "60")),
    "import": (0, ("import", "bank")),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_what_is_printed(terminal: Terminal, name: str) -> None:
    """The register of the bank, for people."""
    code, words = ANSWERS[name]
    ended = terminal.type("exceptions", *words, "--as-of", AS_OF)
    assert code == ended.code, ended.err
    assert snapshot(f"cli-exceptions-{name}.txt", ended.out) == ended.out


@pytest.mark.parametrize("name", ANSWERS)
def test_what_is_printed_for_machines(terminal: Terminal, name: str) -> None:
    """One JSON document that says what it is, and the same exit code."""
    code, words = ANSWERS[name]
    ended = terminal.type("exceptions", *words, "--as-of", AS_OF, "--output", "json")
    told = json.loads(ended.out)
    assert (code, AS_OF, "bank") == (ended.code, told["as_of"], told["estate"])
    assert told["format"].startswith("readiness/exceptions")


def test_an_estate_in_order_ends_well(terminal: Terminal) -> None:
    """Exit code 0 where nothing is refused and nothing ends soon."""
    assert 0 == terminal.type("exceptions", "check", "clean_shop", "--as-of", AS_OF).code
    ended = terminal.type("exceptions", "expiring", "clean_shop", "--as-of", AS_OF)
    assert (0, "clean_shop has no exception that ends within 30 days.\n") == (ended.code, ended.out)


def test_export_tells_what_it_left_out(terminal: Terminal, tmp_path: Path) -> None:
    """Each exception that became no exemption, with the reason and the remedy; no empty folder is made."""
    ended = terminal.type("exceptions", "export", "bank", "--to", tmp_path / "out", "--as-of", AS_OF)
    assert (0, "") == (ended.code, ended.err)
    assert "(OnlyInitiatives)" in ended.out
    assert ended.out.endswith("0 exemptions in 0 files; 6 left out\n")
    assert not (tmp_path / "out").exists()


def test_export_into_a_full_folder_is_refused(terminal: Terminal, tmp_path: Path) -> None:
    """With the folder's name and what to do."""
    (tmp_path / "x").write_text("x", encoding="utf-8")
    assert "is not empty" in terminal.refused(2, "exceptions", "export", "bank", "--to", tmp_path)


def test_import_into_a_file_says_what_is_not_complete(terminal: Terminal, tmp_path: Path) -> None:
    """Nothing is printed that was meant for the file."""
    file = tmp_path / "proposals.yaml"
    ended = terminal.type("exceptions", "import", "bank", "--to", file, "--as-of", AS_OF)
    assert (0, "") == (ended.code, ended.out)
    assert f"Written: {file}" in ended.err
    assert "Not complete: /subscriptions/" in ended.err
    assert file.read_text(encoding="utf-8").startswith("format: readiness/context/1\n")


def test_a_context_that_stops_every_other_command_is_checked(terminal: Terminal, tmp_path: Path) -> None:
    """The place that the others stop at is told, with all the rest."""
    folder = copy_of_starter(tmp_path)
    context = folder / "context.yaml"
    told = context.read_text(encoding="utf-8").replace("    owner: Joren Vasquelle\n    reason", "    reason")
    context.write_text(told, encoding="utf-8")
    assert "'owner' is missing" in terminal.refused(3, "exceptions", "list", folder)
    ended = terminal.type("exceptions", "check", folder, "--as-of", AS_OF)
    assert 1 == ended.code
    assert "Refused context.yaml:101:5: EX-2026-014: 'owner' is missing. (Incomplete)" in ended.out
    assert "The VMs were not looked at" in ended.out


def test_the_findings_workbook_is_written_where_it_is_asked_for(terminal: Terminal, tmp_path: Path) -> None:
    """The assessment alone without --workbook; with it the workbook and the list as well."""
    terminal.type("assess", "starter", "--to", tmp_path / "a", "--as-of", AS_OF)
    assert ["assessment.json"] == [file.name for file in (tmp_path / "a").iterdir()]
    ended = terminal.type("assess", "starter", "--to", tmp_path / "b", "--workbook", "--as-of", AS_OF)
    names = sorted(file.name for file in (tmp_path / "b").iterdir())
    assert ["assessment.json", "findings.csv", "findings.xlsx"] == names
    assert 3 == ended.err.count("Written: ")


def test_a_workbook_without_a_folder_is_refused(terminal: Terminal) -> None:
    """There is nowhere to write it to."""
    assert "Add --to FOLDER." in terminal.refused(2, "assess", "starter", "--workbook")
