"""The Azure CLI as its users have it: a program of its own, led to a twin by the lines the twin prints."""

import json
import os
import re
import shlex
import ssl
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.cli.terminal import read_until, rest, started

CLI = Path(__file__).parent.parent.parent / ".venv-az" / "bin"
SPEED = 600
"""Seconds in the twin in one: the longest operations of a test end in less than two of its own."""
PATIENCE = 300


@dataclass(frozen=True, kw_only=True)
class AzureCli:
    """The Azure CLI, logged in to a served twin."""

    environment: dict[str, str]
    """What the lines that the twin prints left behind in a shell."""

    def ask(self, line: str, **values: object) -> Any:
        """Carry out a command that succeeds; return what it prints, parsed."""
        ended = self._run(line, values)
        assert ended.returncode == 0, f"az {line}: {ended.stderr}"
        return json.loads(ended.stdout) if ended.stdout.strip() else None

    def overheard(self, line: str) -> tuple[Any, str]:
        """Carry out a command that succeeds; return what it prints, parsed, and its talk with Azure."""
        ended = self._run(f"{line} --debug", {})
        assert ended.returncode == 0, f"az {line}: {ended.stderr}"
        return json.loads(ended.stdout), ended.stderr

    def refused(self, line: str, **values: object) -> tuple[int, str]:
        """Carry out a command that fails; return its exit code and Azure's code for the reason."""
        ended = self._run(line, values)
        found = re.search(r"^Code: (\w+)$", ended.stderr, re.MULTILINE)
        return ended.returncode, found[1] if found else ended.stderr

    def _run(self, line: str, values: dict[str, object]) -> subprocess.CompletedProcess[str]:
        words = [word.format(**values) if values else word for word in shlex.split(line)]
        return subprocess.run(
            [CLI / "az", *words, "--output", "json"],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def truth(self, path: str) -> Any:
        """Return a resource of the twin's ground truth by the end of its id, or None where it is gone."""
        found = (each for each in self._resources() if each["id"].lower().endswith(path.lower()))
        return next(found, None)

    def power(self, vm: str) -> str:
        """Return a machine's power state in the twin's ground truth."""
        statuses = self.truth(f"/virtualMachines/{vm}")["properties"]["instanceView"]["statuses"]
        codes = [each["code"] for each in statuses]
        return next(code.partition("/")[2] for code in codes if code.startswith("PowerState/"))

    def wait(self, seconds: float) -> None:
        """Let seconds pass in the twin, at once."""
        now = datetime.fromisoformat(self._own("clock")["now"])
        self._own("clock", {"skip_to": (now + timedelta(seconds=seconds)).isoformat()})

    def _resources(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._own("resources")["value"]
        return found

    def _own(self, path: str, body: dict[str, str] | None = None) -> Any:
        """Ask a path of the twin's own."""
        context = ssl.create_default_context(cafile=self.environment["REQUESTS_CA_BUNDLE"])
        request = urllib.request.Request(  # noqa: S310 - the address is the twin's
            f"{self.environment['AZURE_RESOURCE_MANAGER_ENDPOINT']}/.twin/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, context=context, timeout=PATIENCE) as answer:  # noqa: S310
            return json.load(answer)


@contextmanager
def serving(folder: Path) -> Iterator[AzureCli]:
    """Serve a twin of the starter estate in a process of its own, and log in by the lines that it prints."""
    with started("twin", "serve", "starter", "--state", folder / "state", "--speed", SPEED) as process:
        said = read_until(process, "Ctrl-C")
        yield AzureCli(environment=_logged_in(said, folder))
        process.terminate()
        code, _ = rest(process)
        assert code == 0


def _logged_in(said: str, folder: Path) -> dict[str, str]:
    """Type the printed lines into a shell, as they are, and return the environment that they leave behind."""
    lines = [line.strip() for line in said.splitlines() if re.match(r"  (export|az) ", line)]
    home = folder / "home"
    home.mkdir()
    left = folder / "environment"
    shell = subprocess.run(
        ["bash", "-e", "-c", "\n".join([*lines, f"env -0 > {shlex.quote(str(left))}"])],
        env={"PATH": f"{CLI}{os.pathsep}{os.environ['PATH']}", "HOME": str(home), "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert shell.returncode == 0, shell.stderr
    pairs = (entry.partition("=") for entry in left.read_text(encoding="utf-8").split("\0") if entry)
    return {name: value for name, _, value in pairs}
