"""What a command loads: help and mistakes are answered before anything heavy is imported."""

import json
import subprocess
import sys

import pytest

HEAVY = (
    "azure",
    "requests",
    "networkx",
    "openpyxl",
    "dateutil",
    "cryptography",
    "yaml",
    "sqlite3",
    "readiness.app",
    "playbooks",
    "reports",
)
SCRIPT = """
import json, sys
from readiness.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit:
    print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


def loaded(*arguments: str) -> set[str]:
    """Return the modules that a process has loaded once it has carried out a command."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize(
    "command",
    [("--help",), ("--version",), ("run", "--help"), ("assess",), ("no-such-command",)],
    ids=" ".join,
)
def test_nothing_heavy(command: tuple[str, ...]) -> None:
    """Help, the version and mistakes load neither the SDK nor a planner, a workbook or a database."""
    assert [] == [name for name in HEAVY if name in loaded(*command)]


def test_assessing_never_loads_the_sdk() -> None:
    """An estate in files is assessed without the SDK, the planner's graphs or the workbook."""
    found = loaded("assess", "starter", "--output", "csv")
    assert "readiness.app" in found
    assert [] == [name for name in ("azure", "requests", "networkx", "openpyxl") if name in found]


def test_status_never_loads_the_planner() -> None:
    """A second terminal that asks for runs needs neither the planner's graphs nor the workbook."""
    found = loaded("status", "--state", "none-here")
    assert [] == [name for name in ("networkx", "openpyxl") if name in found]
