"""A runner process killed with SIGKILL at a step boundary leaves a twin that the next process finishes."""

import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from readiness.app.estates import locate
from readiness.twin.clock import ScaledClock
from readiness.twin.core import Twin
from readiness.twin.seed import load as load_seed
from readiness.twin.server import TwinServer
from tests.engine import killed_runner
from tests.engine.rig import Truth

VM = "sf-web-01"
SPEED = 1000
BOUNDARIES = 52
"""Moments before and after each journal write of this VM's campaign: an intent, a token, an end."""


def seeded() -> Twin:
    """Return a hurried twin of the starter estate."""
    clock = ScaledClock(datetime(2026, 11, 22, tzinfo=UTC), rate=SPEED)
    return Twin(load_seed(locate("starter")), clock=clock)


def run(folder: Path, server: TwinServer, moment: int) -> subprocess.CompletedProcess[str]:
    """Run the wave in a process of its own that dies at a moment; 0 is never."""
    module = [sys.executable, "-m", "tests.engine.killed_runner"]
    arguments = [str(folder / "run"), VM, server.url, str(server.certificate), str(moment)]
    return subprocess.run([*module, *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("moment", range(2, BOUNDARIES + 1, 2))
def test_killed_after_a_journal_write(tmp_path: Path, moment: int) -> None:
    """Killed right after any journal write, the next process ends with the VM upgraded and running."""
    twin = seeded()
    with TwinServer(twin, certificate_folder=tmp_path) as server:
        killed = run(tmp_path, server, moment)
        assert -signal.SIGKILL == killed.returncode, killed.stderr
        assert 0 == killed_runner.main(tmp_path / "run", VM, server.url, server.certificate, 0)
    truth = Truth(twin.resources(), VM)
    seen = (truth.power, truth.security_type, truth.keys, truth.snapshots)
    assert ("running", "TrustedLaunch", {"EncryptionAtRestWithCustomerKey"}, [f"{VM}-osdisk"]) == seen


def test_every_boundary_is_killed_at(tmp_path: Path) -> None:
    """The boundaries of this test are all there are: a whole run passes exactly as many."""
    with TwinServer(seeded(), certificate_folder=tmp_path) as server:
        whole = run(tmp_path, server, 0)
    assert f"{BOUNDARIES}\n" == whole.stdout, whole.stderr
