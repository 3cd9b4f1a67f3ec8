"""A terminal for every test of a command, in an empty state of mind."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal


@pytest.fixture
def terminal(capsys: pytest.CaptureFixture[str]) -> Iterator[Terminal]:
    """A terminal in an empty state of mind: what a command does to signals ends with its test."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    yield Terminal(capsys)
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(autouse=True)
def state_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test leaves a history in the folder it is run in."""
    monkeypatch.setenv("READINESS_STATE", str(tmp_path / "state-of-its-own"))


@pytest.fixture(scope="session")
def plan_folder(tmp_path_factory: pytest.TempPathFactory) -> object:
    """The plan of the starter estate, made once; tests only read it."""
    from datetime import date

    from readiness.app.estates import locate
    from readiness.app.plan import create_plan

    folder = tmp_path_factory.mktemp("plan")
    create_plan(locate("starter"), folder, date(2026, 11, 22))
    return folder
