"""Expectations are written so that people can read them, and what changes in them is told."""

import json
from pathlib import Path
from typing import Any

from sample_estates.generator.samples.expectation import FORMAT, changes, write


def _made(**vms: dict[str, Any]) -> dict[str, Any]:
    head = {"format": FORMAT, "as_of": "2026-11-02", "level": [1, 1], "subscriptions": {}}
    return {**head, "vms": vms, "unread": [], "dangling": []}


def test_equal_expectations_say_nothing() -> None:
    """What has not changed needs no review."""
    assert [] == list(changes(_made(a={"level": [1, 1]}), _made(a={"level": [1, 1]})))


def test_a_change_is_told_once_with_those_whom_it_concerns() -> None:
    """Controls that come and go are named with their sign, and VMs that change alike share a line."""
    before = _made(a={"level": [1, 1], "unmet": "AC-4 CP-7"}, b={"level": [1, 1], "unmet": "AC-4 CP-7"})
    after = _made(a={"level": [2, 2], "unmet": "CP-7 NW-6"}, b={"level": [1, 1], "unmet": "CP-7 NW-6"})
    wanted = ["level [1, 1] -> [2, 2]: 1, a", "unmet +NW-6 -AC-4: 2, a, b"]
    assert wanted == list(changes(before, after))


def test_a_vm_that_comes_or_goes_is_told() -> None:
    """Nobody leaves an expectation unseen."""
    wanted = ["level [1, 1] -> None: 1, a", "level None -> [2, 2]: 1, b"]
    assert wanted == list(changes(_made(a={"level": [1, 1]}), _made(b={"level": [2, 2]})))


def test_each_vm_has_a_line(tmp_path: Path) -> None:
    """The file is JSON, and a change of one VM is a change of one line."""
    expected = _made(a={"level": [1, 1]}, b={"level": [2, 2], "why": "It is better."})
    write(expected, tmp_path / "expected.json")
    text = (tmp_path / "expected.json").read_text(encoding="utf-8")
    assert expected == json.loads(text)
    assert 2 == sum(line.startswith(('  "a":', '  "b":')) for line in text.splitlines())
