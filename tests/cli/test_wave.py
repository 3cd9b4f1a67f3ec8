"""A wave from its preparation to its closure, as an operator types it, and what it leaves behind."""

import json
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cli.terminal import (
    AS_OF,
    Ended,
    Served,
    Terminal,
    digest_of_plan,
    read_until,
    rest,
    served,
    started,
)

DONE, JOURNAL, SOME_ROLLED_BACK, NEEDS_A_PERSON, HELD = 0, 6, 7, 8, 9
FAST = 800.0
SECRET = re.compile(
    rb"eyJ[\w-]{8}|Bearer |[?&;]sig=|AccountKey=|SharedAccess|-----BEGIN|password\s*[=:]\s*\S", re.I
)
"""Tokens, shared access signatures, keys of storage accounts, private keys, passwords."""


class Wave:
    """The first wave of the starter plan on a served twin, and what commands on it come to."""

    def __init__(self, terminal: Terminal, plan: Path, state: Path, twin: Served) -> None:
        self._terminal, self.plan, self.state, self.twin = terminal, plan, state, twin
        self.run = f"{digest_of_plan(plan)}-wave-1"
        self.said: list[str] = []

    @property
    def place(self) -> tuple[object, ...]:
        """The words that lead to the twin."""
        return ("--twin", self.twin.url, "--state", self.state)

    def words(self, command: str) -> tuple[object, ...]:
        """The words that carry a stage out."""
        approved = ("--wave", 1, "--approve", digest_of_plan(self.plan))
        return (command, self.plan, *approved, *self.place)

    def type(self, code: int, *words: object) -> Ended:
        """Type a command that ends with a code."""
        ended = self._terminal.type(*words)
        assert code == ended.code, ended.out + ended.err
        self.said += [ended.out, ended.err]
        return ended

    def result(self, code: int, *words: object) -> dict[str, Any]:
        """Type a command and return its JSON document."""
        found: dict[str, Any] = json.loads(self.type(code, *words, "--output", "json").out)
        return found

    def ends(self) -> dict[str, str]:
        """Return where every VM stands, as any other process sees it."""
        document = json.loads(
            self._terminal.type("status", self.run, *self.place[2:], "--output", "json").out
        )
        return {vm["name"]: vm["outcome"] for vm in document["vms"]}


@contextmanager
def begun(
    terminal: Terminal, plan: Path, state: Path, rate: float = FAST, faults: Sequence[dict[str, Any]] = ()
) -> Iterator[Wave]:
    """A wave that is prepared."""
    with served(state, rate=FAST, faults=faults) as twin:
        wave = Wave(terminal, plan, state, twin)
        wave.type(DONE, *wave.words("prepare"), "--quiet")
        twin.clock.hurry(rate)
        yield wave


def test_the_life_of_a_wave(terminal: Terminal, plan_folder: Path, tmp_path: Path) -> None:
    """Dry run, run, a person's word, a way back, another try, closure, snapshots, audit; and no secrets."""
    with begun(terminal, plan_folder, tmp_path) as wave:
        dry = wave.result(DONE, *wave.words("run"), "--dry-run")
        assert 5 == len(dry["vms"])
        first = wave.result(NEEDS_A_PERSON, *wave.words("run"))
        assert 5 == sum(first["counts"].values())
        assert (4, 1) == (first["counts"]["done"], first["counts"]["failed"])
        looked = wave.result(NEEDS_A_PERSON, "status", *wave.place[2:])
        same = ("run", "plan", "counts", "held", "snapshots", "audit_head")
        assert [first[key] for key in same] == [looked[key] for key in same]
        approve = next(each for each in first["next"] if " approve " in each)
        wave.type(DONE, *approve.split(" ")[1:], "--note", "seen on its console")
        second = wave.result(DONE, *wave.words("run"))
        assert 5 == second["counts"]["done"]
        _back_and_again(wave)
        wave.type(DONE, *wave.words("close"), "--quiet")
        _snapshots(wave, {each["id"].lower() for each in second["snapshots"]})
        wave.type(DONE, "status", wave.run, "--story", "--state", tmp_path)
    audit = wave.result(DONE, "audit", "verify", "--state", tmp_path)
    assert 3 == len(audit["proofs"])
    _no_secrets(wave)


def _back_and_again(wave: Wave) -> None:
    """One VM is taken back as it was, and upgraded again."""
    back = ("rollback", "--run", wave.run, "--vm", "bo-app-01", "--yes", *wave.place)
    wave.type(SOME_ROLLED_BACK, *back, "--quiet")
    assert {"bo-app-01": "rolled_back"} == {name: end for name, end in wave.ends().items() if end != "done"}
    assert "running" == wave.twin.power("bo-app-01")
    wave.type(SOME_ROLLED_BACK, "retry", "--failed", wave.run, *wave.place, "--quiet")
    assert "rolled_back" == wave.ends()["bo-app-01"], "what a person took back stays so"
    wave.type(DONE, "retry", "--vm", "bo-app-01", wave.run, *wave.place, "--quiet")
    assert {"done"} == set(wave.ends().values())


def _snapshots(wave: Wave, known: set[str]) -> None:
    """The snapshots are listed, and go only once they have expired and somebody says so."""
    listed = wave.result(DONE, "snapshots", "list", wave.plan, *wave.place)
    assert known <= {each["id"].lower() for each in listed}
    wave.type(DONE, "snapshots", "delete", wave.plan, "--expired", "--yes", *wave.place)
    assert listed == wave.result(DONE, "snapshots", "list", wave.plan, *wave.place)
    wave.twin.clock.skip_to(wave.twin.clock.now() + timedelta(days=40))
    said = wave.type(DONE, "snapshots", "delete", wave.plan, "--expired", "--yes", *wave.place).out
    assert f"{len(listed)} deleted, 0 kept" in said
    assert [] == wave.result(DONE, "snapshots", "list", wave.plan, *wave.place)


def _no_secrets(wave: Wave) -> None:
    """Nothing that was printed, and no file that was left, holds a secret."""
    files = [file for file in wave.state.rglob("*") if file.is_file()]
    assert {"journal.sqlite", "plan.json"} <= {file.name for file in files}
    found = [file.name for file in files if SECRET.search(file.read_bytes())]
    assert [] == found
    assert [] == [text[:80] for text in wave.said if SECRET.search(text.encode())]


@pytest.mark.parametrize(
    "text", ["eyJhbGciOiJub25lIn0.e30.", "Authorization: Bearer x", "https://x/y?a=b&sig=abc", "Password: x"]
)
def test_the_search_for_secrets_finds_them(text: str) -> None:
    """The pattern above is not blind."""
    assert SECRET.search(text.encode())


def test_a_run_whose_state_folder_is_gone(terminal: Terminal, plan_folder: Path, tmp_path: Path) -> None:
    """Killed in the middle and its memory deleted: the marks on Azure are enough, and no VM stays off."""
    with begun(terminal, plan_folder, tmp_path, rate=20) as wave:
        with started(*wave.words("run"), "--output", "lines") as process:
            read_until(process, "bo-appliance-01", "full snapshot", "done")
            process.kill()
        assert "deallocated" == wave.twin.power("bo-appliance-01")
        shutil.rmtree(tmp_path / "runs")
        wave.twin.clock.hurry(FAST)
        said = wave.type(DONE, *wave.words("recover")).out
        assert "under way: bo-appliance-01" in said
        assert f"readiness run {tmp_path}" in said
        assert "is here" in terminal.refused(JOURNAL, *wave.words("recover"))
        ended = terminal.type(*wave.words("run"), "--quiet")
        assert NEEDS_A_PERSON == ended.code, ended.out
        assert "running" == wave.twin.power("bo-appliance-01")
        taken = wave.result(DONE, "snapshots", "list", plan_folder, *wave.place)
        assert 1 == len([each for each in taken if each["vm"].endswith("bo-appliance-01")])


def test_nothing_to_recover(terminal: Terminal, plan_folder: Path, tmp_path: Path) -> None:
    """Where no VM bears a mark, there was no run: it is said how to begin one."""
    with served(tmp_path, rate=FAST) as twin:
        wave = Wave(terminal, plan_folder, tmp_path, twin)
        assert "begin it with 'readiness run'" in terminal.refused(JOURNAL, *wave.words("recover"))
    assert not (tmp_path / "runs").exists()


def test_a_wave_that_was_not_prepared(terminal: Terminal, plan_folder: Path, tmp_path: Path) -> None:
    """What was not prepared is not taken down: the dry run says so, and the run declines it."""
    with served(tmp_path, rate=FAST) as twin:
        wave = Wave(terminal, plan_folder, tmp_path, twin)
        dry = wave.type(NEEDS_A_PERSON, *wave.words("run"), "--dry-run").out
        assert "'readiness prepare' does it" in dry
        assert "nothing was changed" in dry
        assert not (tmp_path / "runs").exists()
        wave.type(NEEDS_A_PERSON, *wave.words("run"), "--quiet")
        assert "running" == twin.power("bo-app-01")
        assert "skipped" == wave.ends()["bo-app-01"]


def test_pause_and_resume_from_elsewhere(terminal: Terminal, plan_folder: Path, tmp_path: Path) -> None:
    """A paused run finishes what has begun and stays; resumed, it goes on to the end."""
    with begun(terminal, plan_folder, tmp_path, rate=20) as wave:
        with started(*wave.words("run"), "--output", "lines") as process:
            read_until(process, "bo-appliance-01", "deallocate ...")
            wave.type(DONE, "pause", wave.run, "--note", "bridge call", "--state", tmp_path)
            wave.twin.clock.hurry(FAST)
            read_until(process, "nothing more is started: it was paused")
            assert "remaining" == wave.ends()["bo-app-01"]
            assert process.poll() is None
            wave.type(DONE, "resume", "--state", tmp_path)
            assert NEEDS_A_PERSON == process.wait(timeout=300)
        assert "done" == wave.ends()["bo-app-01"]


def test_watching_from_elsewhere(terminal: Terminal, plan_folder: Path, tmp_path: Path) -> None:
    """Whoever watches sees everything that is told, as it is told, and ends with the code of the run."""
    with begun(terminal, plan_folder, tmp_path, rate=20) as wave:
        with started(*wave.words("run"), "--quiet") as process:
            read_until(process, "approved by")
            with started("status", "--watch", "--state", tmp_path) as watching:
                read_until(watching, "bo-appliance-01", "deallocate ...")
                wave.twin.clock.hurry(FAST)
                code, said = rest(watching)
            assert NEEDS_A_PERSON == process.wait(timeout=300) == code, said
        assert "bo-nightly-01" in said
        assert "Head of the audit chain: " in said


def test_a_budget_that_is_raised(terminal: Terminal, tmp_path: Path) -> None:
    """A wave that its failures stopped goes on once somebody accepts one more, and says who did."""
    policy = tmp_path / "policy.yaml"
    policy.write_text("execution: {failure_minimum: 1, failure_percent: 0}\n", encoding="utf-8")
    terminal.type(
        "plan", "create", "starter", "--as-of", AS_OF, "--policy", policy, "--to", tmp_path / "plan"
    )
    fault = {"kind": "agent-silent", "resource": "bo-app-01", "while_security_type": "TrustedLaunch"}
    with begun(terminal, tmp_path / "plan", tmp_path, faults=[fault]) as wave:
        wave.type(NEEDS_A_PERSON, *wave.words("run"), "--quiet")
        assert ("rolled_back", "remaining") == (wave.ends()["bo-app-01"], wave.ends()["bo-nightly-01"])
        held = wave.type(NEEDS_A_PERSON, "status", wave.run, "--state", tmp_path).out
        assert "Held: 2 of 5 VMs failed, and 1 may" in held
        assert f"Next: readiness resume {wave.run} --raise-budget --state {tmp_path}" in held
        wave.type(DONE, "resume", wave.run, "--raise-budget", "--note", "CHG-7", "--state", tmp_path)
        wave.type(NEEDS_A_PERSON, *wave.words("run"), "--quiet")
        assert "done" == wave.ends()["bo-nightly-01"]
        story = wave.type(NEEDS_A_PERSON, "status", wave.run, "--story", "--state", tmp_path).out
        assert "asks to raise-budget" in story
