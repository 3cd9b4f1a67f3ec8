"""What the page about guests lists is what guests know."""

import os
from dataclasses import fields
from pathlib import Path

import pytest

from readiness.twin.guest.commands import COMMANDS, TABLES
from readiness.twin.guest.extension_kinds import HANDLERS
from readiness.twin.guest.powershell.commands import COMMANDS as POWERSHELL
from readiness.twin.guest.settings import CHANCES, Settings

PAGE = Path(__file__).parents[2] / "docs" / "guest.md"


def chances() -> list[str]:
    """The chances of what is drawn."""
    rows = [f"| `{name}` | {chance:g} |" for name, chance in sorted(CHANCES.items())]
    return ["| Drawn | Chance |", "|---|---:|", *rows]


def settings() -> list[str]:
    """What can be said of a guest, by name."""
    return ["Known: " + ", ".join(f"`{each.name}`" for each in fields(Settings)) + "."]


def commands() -> list[str]:
    """The commands of both systems."""
    return [
        "| System | Commands |",
        "|---|---|",
        f"| Linux | {', '.join(f'`{name}`' for name in sorted(COMMANDS))} |",
        f"| Windows | {', '.join(f'`{name}`' for name in sorted(POWERSHELL))} |",
    ]


def handlers() -> list[str]:
    """The types of extensions."""
    rows = sorted(
        f"| `{each.publisher}` | `{each.kind}` | {each.system} | {', '.join(each.versions)} |"
        for each in HANDLERS
    )
    return ["| Publisher | Type | System | Versions |", "|---|---|---|---|", *rows]


@pytest.mark.parametrize("make", [chances, settings, commands, handlers], ids=lambda each: each.__name__)
def test_the_page_is_current(make):
    """A table says what the code says; if this fails, run the tests once with UPDATE_SNAPSHOTS=1."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(start := f"<!-- generated: {make.__name__} -->\n")
    present, _, after = rest.partition(end := "<!-- /generated -->")
    made = "\n".join(make()) + "\n"
    if os.environ.get("UPDATE_SNAPSHOTS") == "1":
        PAGE.write_text(before + start + made + end + after, encoding="utf-8")
        present = made
    assert made == present


def test_no_command_stands_in_two_tables():
    """Each command of Linux has one meaning."""
    assert len(COMMANDS) == sum(len(table.COMMANDS) for table in TABLES)
