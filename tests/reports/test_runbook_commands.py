"""Steps as commands: each kind has some, and whatever a name holds reaches the Azure CLI as that name."""

import json
import shutil
import subprocess
from datetime import datetime
from pathlib import Path
from typing import get_args

import pytest
from msgspec.structs import replace

from readiness.azure.marks import lease_of
from readiness.model.steps import PatchVm, Start, Step, TakeLease, TakeSnapshot
from reports.az import Instruction, az, plain
from reports.commands import instruction_for
from tests.builders import disk, vm
from tests.reports.runbook_steps import PATCH, UNTIL, every_step, subject_of

HOSTILE = (
    "it's",
    "$(touch pwned)",
    "`touch pwned`",
    '"; touch pwned; "',
    "two\nlines",
    "turned \u202e round",
    "a \\ b",
    "*",
    "#!~&|<>",
    "\U0001f600",
)
BASH = shutil.which("bash") or "bash"


def lines_of(instruction: Instruction) -> list[str]:
    """Return every command of an instruction."""
    return [*instruction.commands, *(check.command for check in instruction.checks)]


def typed(folder: Path, lines: list[str]) -> list[list[str]]:
    """Type lines into a shell that only notes what `az` is given; return the words of each call."""
    noted = folder / "noted"
    note = 'az() { printf \'%s\\0\' "$@" >>"$NOTED"; printf \'\\1\\0\' >>"$NOTED"; echo told; }'
    ended = subprocess.run(
        [BASH, "-e", "-c", "\n".join([note, "silence() { :; }", "wake() { :; }", *lines])],
        env={"NOTED": str(noted), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == ended.returncode, ended.stderr
    calls = noted.read_text(encoding="utf-8").split("\1\0") if noted.exists() else []
    return [call.split("\0")[:-1] for call in calls if call]


def test_every_kind_of_step_is_among_the_samples() -> None:
    """The samples of these tests leave no kind out."""
    kinds = {kind for part in get_args(Step) for kind in (get_args(part) or (part,))}

    assert kinds == {type(step) for step in every_step()}


@pytest.mark.parametrize("step", every_step(), ids=lambda step: type(step).__name__)
def test_every_step_says_what_to_do(step: Step) -> None:
    """There is no step without a command, a look, or words for a person."""
    found = instruction_for(step, subject_of())

    assert found.does
    assert found.commands or found.checks or found.note


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_name_is_only_a_name(name: str, tmp_path: Path) -> None:
    """The shell carries out nothing that a name holds, and each value arrives letter by letter."""
    subject = subject_of(name)
    (tmp_path / "before-vm1.json").touch()
    for step in every_step(name, name):
        calls = typed(tmp_path, lines_of(instruction_for(step, subject)))
        given = [word for call in calls for word in call]
        if isinstance(step, TakeSnapshot):
            assert step.disk.text in given
        assert not (tmp_path / "pwned").exists()
    assert [["vm", "start", "--ids", name]] == typed(tmp_path, [az("vm start", ids=name)])[-1:]


@pytest.mark.parametrize("name", ["@secret", "--debug"])
def test_a_name_that_az_would_read_otherwise_is_refused(name: str) -> None:
    """What `az` takes for a file or an option is never handed over."""
    with pytest.raises(ValueError, match="cannot be handed to az"):
        az("vm start", name=name)


def test_a_patch_is_the_request_of_the_engine(tmp_path: Path) -> None:
    """The body of the one write holds the step's own properties, and goes to its VM."""
    (call, _wait, _show) = typed(
        tmp_path, lines_of(instruction_for(PatchVm(vm=vm().id, properties=PATCH), subject_of()))
    )

    assert ["rest", "--method", "patch", "--url", f"{vm().id}?api-version=2025-11-01", "--body"] == call[:-1]
    assert {"properties": PATCH} == json.loads(call[-1])


def test_a_lease_by_hand_keeps_the_program_away(tmp_path: Path) -> None:
    """The tag that is written by hand is one that a run reads as somebody else's lease, until its end."""
    (call, _show) = typed(
        tmp_path, lines_of(instruction_for(TakeLease(vm=vm().id, until=UNTIL), subject_of()))
    )
    name, _, value = call[-1].partition("=")
    lease = lease_of({name: value})

    assert lease is not None
    assert ("by-hand-0123456789ab", UNTIL) == (lease.run, lease.until)
    assert lease.until < datetime.max.replace(tzinfo=UNTIL.tzinfo)


def test_a_snapshot_by_hand_is_full_and_named_for_the_plan(tmp_path: Path) -> None:
    """It is never incremental, is closed to the network, and `<vm>-<disk>-manual-<plan>`."""
    step = TakeSnapshot(vm=vm().id, disk=disk().id)
    calls = typed(tmp_path, lines_of(instruction_for(step, subject_of())))
    (create,) = [call for call in calls if call[:2] == ["snapshot", "create"]]
    options = {word: create[place + 1] for place, word in enumerate(create[:-1])}

    assert "vm1-vm1-os-manual-0123456789ab" == options["--name"]
    assert ("false", "DenyAll", "Disabled") == (
        options["--incremental"],
        options["--network-access-policy"],
        options["--public-network-access"],
    )


def test_what_cannot_be_seen_is_made_visible() -> None:
    """Characters that print nothing, or turn a line round, are shown by their code."""
    assert "a\\u202eb\\u0007\nc" == plain("a\u202eb\u0007\nc")


def test_a_start_names_the_sizes_that_were_approved() -> None:
    """Where Azure has no room, the operator finds what may be tried next, in order, and what follows."""
    subject = subject_of()
    choice = replace(subject.vm.choice, alternative_sizes=("Standard_D4s_v5", "Standard_D2as_v5"))
    subject = replace(subject, vm=replace(subject.vm, choice=choice))
    note = instruction_for(Start(vm=subject.seen.vm.id), subject).note
    assert note.index("Standard_D4s_v5") < note.index("Standard_D2as_v5")
    assert 2 == note.count("az vm resize") == note.count("az vm start")
