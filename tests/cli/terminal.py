"""A terminal for tests: commands in this process or in one of their own, and twins whose time can be hurried.

To accept what commands print now: `UPDATE_SNAPSHOTS=1 pytest tests/cli`, then read the diff.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from readiness.app.estates import locate
from readiness.cli.main import main
from readiness.twin.clock import ScaledClock
from readiness.twin.core import Twin
from readiness.twin.faults import FORMAT as FAULTS_FORMAT
from readiness.twin.faults import Faults
from readiness.twin.seed import load as load_seed
from readiness.twin.server import TwinServer

AS_OF = "2026-11-22"
START = datetime(2026, 11, 22, tzinfo=UTC)


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str


class Terminal:
    """Types commands, in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def type(self, *arguments: object) -> Ended:
        """Carry a command out in this process."""
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main([str(argument) for argument in arguments])
        out, err = self._capsys.readouterr()
        return Ended(int(left.value.code or 0), out, err)

    def refused(self, code: int, *arguments: object) -> str:
        """Carry out a command that is refused with a code, in clear words; return them."""
        ended = self.type(*arguments)
        assert code == ended.code, ended.out + ended.err
        assert "Traceback" not in ended.err
        assert ended.err.startswith("Error: ")
        assert "Remedy: " in ended.err
        return ended.err


class HurriedClock(ScaledClock):
    """A clock whose pace can be changed while it runs."""

    def hurry(self, rate: float) -> None:
        """Go on at another pace."""
        self._origin, self._started = self.now(), time.monotonic()
        self.rate = rate


class Served:
    """A twin of the starter estate in this process, as others see it."""

    def __init__(self, server: TwinServer, twin: Twin, clock: HurriedClock) -> None:
        self.url = server.url
        self.twin = twin
        self.clock = clock

    def power(self, vm: str) -> str:
        """Return the power state of a VM."""
        found = next(
            each for each in self.twin.resources() if each["id"].lower().endswith(f"/virtualmachines/{vm}")
        )
        codes = [status["code"] for status in found["properties"]["instanceView"]["statuses"]]
        return next(code.removeprefix("PowerState/") for code in codes if code.startswith("PowerState/"))


@contextmanager
def served(state: Path, *, rate: float, faults: Sequence[dict[str, Any]] = ()) -> Iterator[Served]:
    """Serve a twin while the block lasts, its certificate in a state folder."""
    clock = HurriedClock(START, rate=rate)
    trouble = Faults.parse({"format": FAULTS_FORMAT, "faults": list(faults)}) if faults else None
    twin = Twin(load_seed(locate("starter")), clock=clock, faults=trouble)
    with TwinServer(twin, certificate_folder=state) as server:
        yield Served(server, twin, clock)


@contextmanager
def started(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Start a command as a process of its own; it does not outlive the block."""
    command = [sys.executable, "-u", "-m", "readiness", *map(str, arguments)]
    environment = os.environ | {"PYTHONWARNINGS": "error"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def read_until(process: subprocess.Popen[str], *parts: str) -> str:
    """Read a process's output up to the first line that has all of the parts, and return it all."""
    assert process.stdout is not None
    seen = ""
    for line in process.stdout:
        seen += line
        if all(part in line for part in parts):
            return seen
    raise AssertionError(f"{parts} never came; the process said:\n{seen}")


def rest(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Wait for a process to end, and return its exit code and what else it said."""
    assert process.stdout is not None
    said = process.stdout.read()
    return process.wait(timeout=300), said


def copy_of_starter(folder: Path, **info: Any) -> Path:
    """Copy the starter estate, with changes to what it says of itself."""
    source = locate("starter")
    for name in ("resources.jsonl", "context.yaml"):
        (folder / name).write_bytes((source / name).read_bytes())
    document = json.loads((source / "estate.json").read_text(encoding="utf-8"))
    (folder / "estate.json").write_text(json.dumps(document | info), encoding="utf-8")
    return folder


def digest_of_plan(folder: Path) -> str:
    """Return the digest to approve of a plan."""
    return str(json.loads((folder / "plan.json").read_text(encoding="utf-8"))["digest"][:12])
