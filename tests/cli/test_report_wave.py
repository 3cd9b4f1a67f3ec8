"""`readiness report wave`, typed for a wave that really ran on a twin."""

import json
from pathlib import Path

import pytest

from readiness.model.lifecycle import Stage
from tests.app.carried_waves import PLAN, Carried, run_of
from tests.cli.terminal import Terminal

USAGE = 2


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Carried:
    """A wave that was prepared, and not carried out yet."""
    return Carried(tmp_path_factory.mktemp("prepared"), PLAN.waves[0], after=Stage.PREPARATION)


def test_writes_every_form_and_says_what_matters(
    terminal: Terminal, prepared: Carried, tmp_path: Path
) -> None:
    """All forms lie in the folder; the screen says that it is unfinished, what is left, and the head."""
    run = run_of(prepared.wave, Stage.PREPARATION)
    ended = terminal.type("report", "wave", run, "--to", tmp_path, "--state", prepared.folder)
    assert 0 == ended.code, ended.err
    stem = f"wave-{prepared.wave.number}-report"
    names = {file.name for file in tmp_path.iterdir()}
    assert {f"{stem}.{form}" for form in ("json", "md", "xlsx", "html")} <= names
    assert {f"{stem}-left-to-do.csv", f"{stem}-steps.csv", f"{stem}-audit.csv"} <= names
    document = json.loads((tmp_path / f"{stem}.json").read_text(encoding="utf-8"))
    assert "Unfinished" in ended.out
    assert f"Head of the audit chain, preparation: {document['stages'][0]['audit_head']}" in ended.out
    assert "Left to do, next: Carry the wave out" in ended.out


def test_one_form_alone(terminal: Terminal, prepared: Carried, tmp_path: Path) -> None:
    """--format leaves the others out; beside it stands the list of what was written."""
    words = ("report", "wave", run_of(prepared.wave, Stage.PREPARATION), "--to", tmp_path, "--format", "md")
    assert 0 == terminal.type(*words, "--state", prepared.folder).code
    stem = f"wave-{prepared.wave.number}-report"
    assert {f"{stem}.md", f"{stem}.sha256"} == {file.name for file in tmp_path.iterdir()}


def test_what_is_neither_run_nor_plan(terminal: Terminal, prepared: Carried, tmp_path: Path) -> None:
    """A wrong source is an error of usage that lists the runs there are, and nothing is written."""
    ended = terminal.type("report", "wave", "nothing", "--to", tmp_path / "out", "--state", prepared.folder)
    assert USAGE == ended.code
    assert run_of(prepared.wave, Stage.PREPARATION) in ended.err
    assert not (tmp_path / "out").exists()
