"""The generated pages are current, and leave nothing out."""

import click
import pytest

from docs.generate import pages
from playbooks.catalog import ALL_PLAYBOOKS
from readiness.cli.main import readiness
from readiness.errors import Exit
from readiness.rules.catalog import ALL_RULES
from readiness.rules.controls.catalog import ALL_CONTROLS
from tests.docs.pages import text


def commands(path, command):
    """Yield every command with the words that call it."""
    yield path, command
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            yield from commands(f"{path} {name}", child)


COMMANDS = dict(commands("readiness", readiness))


def section(page, heading):
    """Return what stands under a heading of the second or third level, down to the next one."""
    body = text(page).split(f"## {heading}\n", 1)[1]
    return body.split("\n## ", 1)[0].split("\n### ", 1)[0]


@pytest.mark.parametrize("name", ["cli.md", "rules.md", "controls.md", "playbooks.md"])
def test_pages_are_current(name):
    """A generated page says what the code says; if this fails, run `python docs/generate.py`."""
    assert pages()[name] == text(f"docs/{name}")


@pytest.mark.parametrize("path", COMMANDS)
def test_every_option_is_documented(path):
    """Every option of every command stands in the section of that command."""
    options = [option for parameter in COMMANDS[path].params for option in parameter.opts if "-" in option]
    shown = section("docs/cli.md", path)
    assert [] == [option for option in options if option not in shown]


def test_every_exit_code_is_documented():
    """Every exit code has its row."""
    assert [] == [code for code in Exit if f"| {code.value} |" not in section("docs/cli.md", "Exit codes")]


@pytest.mark.parametrize("rule", ALL_RULES, ids=lambda rule: rule.id)
def test_every_rule_is_documented(rule):
    """A rule's section has its title, remedy and source."""
    wanted = (rule.title, rule.remedy, rule.source.address, rule.source.verified)
    assert [] == [part for part in wanted if part not in section("docs/rules.md", rule.id)]


@pytest.mark.parametrize("control", ALL_CONTROLS, ids=lambda control: control.id)
def test_every_control_is_documented(control):
    """A control has its row, and a section with its title, remedy and source."""
    assert f"| [{control.id}](#{control.id.lower()}) |" in text("docs/controls.md")
    wanted = (control.title, control.remedy, control.source.address, control.source.verified)
    assert [] == [part for part in wanted if part not in section("docs/controls.md", control.id)]


@pytest.mark.parametrize("playbook", ALL_PLAYBOOKS, ids=lambda playbook: playbook.spec.id)
def test_every_playbook_is_documented(playbook):
    """A playbook's section names the rules that it needs, and how it is undone."""
    wanted = (*playbook.spec.needs, f"Undo: {playbook.spec.undo}")
    assert [] == [part for part in wanted if part not in section("docs/playbooks.md", playbook.spec.id)]
