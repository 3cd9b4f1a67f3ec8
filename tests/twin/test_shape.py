"""What the twin may import: nothing of the project, the SDK only in its faces, the time in one place."""

import ast
from pathlib import Path

import readiness.twin

ROOT = Path(readiness.twin.__file__).parent
MODULES = sorted(ROOT.rglob("*.py"))
FACES = {"transport.py", "credential.py", "certificate.py"}


def imports(file: Path) -> set[str]:
    """The modules a file imports."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(str(node.module))
    return found


def test_the_twin_is_a_stranger():
    """No module of the twin imports anything of the project outside the twin."""
    ours = {name for file in MODULES for name in imports(file) if name.split(".")[0] == "readiness"}
    assert set() == {name for name in ours if not name.startswith("readiness.twin")}


def test_only_the_faces_know_the_sdk():
    """azure-core and cryptography are imported by the faces alone."""
    users = {
        file.name
        for file in MODULES
        for name in imports(file)
        if name.split(".")[0] in ("azure", "cryptography")
    }
    assert users == FACES


def test_only_the_clock_knows_the_time():
    """No other module reads the wall clock."""
    for file in MODULES:
        text = file.read_text()
        is_clock = file.name == "clock.py"
        assert is_clock == any(word in text for word in ("datetime.now(", "time.monotonic(", "time.time("))


def test_modules_stay_small():
    """No module is longer than 350 lines."""
    assert [] == [file.name for file in MODULES if len(file.read_text().splitlines()) > 350]
