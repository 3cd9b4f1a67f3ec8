"""`readiness collect` at the terminal: the target first, the report, the gaps, and the refusals."""

import json
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal

SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"


def test_the_target_is_said_before_the_report(terminal: Terminal, tmp_path: Path) -> None:
    """Where from, as what and for which scope is on standard error; the report is on standard output."""
    ended = terminal.type("collect", "--twin", "starter", "--to", tmp_path / "to")
    assert 0 == ended.code
    assert "Collects from: a twin of" in ended.err
    assert "https://twin.invalid" in ended.err
    assert "everything that can be seen" in ended.err
    assert "Everything that was asked for was read." in ended.out
    assert (tmp_path / "to" / "resources.jsonl").exists()


def test_gaps_are_shown_and_the_exit_code_is_one(terminal: Terminal, tmp_path: Path) -> None:
    """What could not be read is named with its reason; nobody mistakes the estate for a whole one."""
    faults = tmp_path / "faults.json"
    denied = {"kind": "denied", "operation": "locks/read"}
    faults.write_text(json.dumps({"format": "readiness/faults/1", "faults": [denied]}), encoding="utf-8")
    to = tmp_path / "to"
    ended = terminal.type("collect", "--twin", "starter", "--to", to, "--faults", faults, "--output", "json")
    report = json.loads(ended.out)
    assert (1, "readiness/collect/1") == (ended.code, report["format"])
    assert ["Forbidden"] == [gap["reason"] for gap in report["gaps"]]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "Nobody said what to collect"),
        (("--twin", "starter", "--twin-url", "https://127.0.0.1:1"), "two twins"),
        (("--subscription", SUBSCRIPTION, "--management-group", "mg"), "do not go together"),
        (("--subscription", "production"), "no id of a subscription"),
        (("--subscription", SUBSCRIPTION, "--arm-endpoint", "http://arm.example"), "no https address"),
        (("--twin-url", "https://management.azure.com"), "not the address of a twin"),
        (("--twin", "starter", "--resume"), "no collection to go on with"),
    ],
)
def test_what_cannot_be_collected_is_refused(
    terminal: Terminal, tmp_path: Path, options: tuple[str, ...], words: str
) -> None:
    """A wrong combination is an error with its remedy, and nothing is written."""
    ended = terminal.type("collect", *options, "--to", tmp_path / "to")
    assert 2 == ended.code
    assert words in ended.err
    assert "Remedy" in ended.err
    assert not (tmp_path / "to").exists()
