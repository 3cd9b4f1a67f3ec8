"""`plan create --optimal`: what it prints, what it needs, and that nothing else needs it."""

import subprocess
import sys
from pathlib import Path

from tests.cli.terminal import AS_OF, Terminal

USAGE = 2
SCRIPT = """
import sys
if {blocked}:
    sys.modules["ortools"] = None
from readiness.cli.main import main
try:
    main(sys.argv[1:])
finally:
    print("loaded" if sys.modules.get("ortools") else "not loaded")
"""


def carried_out(*arguments: object, blocked: bool = False) -> tuple[int, str]:
    """Return the exit code and the words of a command in a process of its own, with OR-tools or without."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(blocked=blocked), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_a_sample_is_planned_and_proven(terminal: Terminal, tmp_path: Path) -> None:
    """The plan is written as without the solver, and the proof is told."""
    ended = terminal.type(
        "plan", "create", "bank", "--optimal", "--time-limit", 5, "--as-of", AS_OF, "--to", tmp_path
    )

    assert 0 == ended.code
    assert "CP-SAT: proven optimum" in ended.out
    assert b'"solver":"cp-sat"' in (tmp_path / "plan.json").read_bytes().replace(b" ", b"")


def test_without_or_tools(tmp_path: Path) -> None:
    """Where the extra is not installed, the command says how to install it, and writes nothing."""
    to = tmp_path / "out"
    code, words = carried_out("plan", "create", "starter", "--optimal", "--to", to, blocked=True)

    assert USAGE == code
    assert "OR-tools" in words
    assert "pip install 'readiness[optimal]'" in words
    assert "Traceback" not in words
    assert not to.exists()


def test_only_an_optimal_plan_loads_or_tools(tmp_path: Path) -> None:
    """Help and an ordinary plan do without it, also where it is installed."""
    assert carried_out("plan", "create", "--help")[1].endswith("not loaded\n")
    assert carried_out("plan", "create", "starter", "--to", tmp_path)[1].endswith("not loaded\n")


def test_a_time_limit_without_a_solver(terminal: Terminal) -> None:
    """A time limit that limits nothing is refused."""
    words = terminal.refused(USAGE, "plan", "create", "starter", "--time-limit", "5")

    assert "--time-limit is for --optimal alone." in words
