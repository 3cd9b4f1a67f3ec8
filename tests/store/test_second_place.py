"""What a second place holds leads to the same journal, and a place that cannot be written stops nothing."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from readiness.errors import JournalError, UsageError
from readiness.model.ids import ResourceId
from readiness.model.run import Event, EventKind, RunInfo, StepResult, StepState
from readiness.store.journal import SqliteJournal, read_story
from readiness.store.runs import second_state_of
from readiness.store.second_place import SecondPlace, read_back, read_copy

AT = datetime(2026, 11, 22, 1, tzinfo=UTC)
VM = ResourceId("/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/web-1")
OTHER = ResourceId("/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/web-2")
INFO = RunInfo(
    id="r", plan="0" * 64, wave=1, place="twin", approved_by="x", release="1", started_at=AT, instance="i"
)


class Desk:
    """A journal, its second place, and what somebody was told."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.second = folder / "home", folder / "share"
        self.told: list[str] = []
        self.journal = SqliteJournal.open(self.folder, INFO)

    def keep(self) -> None:
        """Write the journal to its second place from now on."""
        self.journal.keep_in(SecondPlace(self.second, INFO, self.told.append))

    @property
    def file(self) -> Path:
        """The file in the second place."""
        return self.second / "runs" / "r" / "journal.jsonl"

    def step(self, name: str, number: int, vm: ResourceId = VM) -> None:
        """Record a step, and tell of it."""
        at = AT + timedelta(minutes=number)
        self.journal.intend(vm, name, at)
        self.journal.begun(vm, name, "https://management.azure.com/operations/1?secret")
        self.journal.ended(vm, name, StepResult(ok=number % 2 == 0, detail=f"detail {number}"), at)
        self.journal.tell(Event(at=at, kind=EventKind.STEP, vm=vm.name, text=name))

    def agrees(self, folder: Path) -> bool:
        """Tell whether what the second place holds leads to the same records, story and head."""
        copy = read_copy(self.second, "r")
        assert copy is not None
        other = SqliteJournal.open(folder, copy.info)
        read_back(copy.lines, other)
        other.close()
        mine, theirs = read_story(self.folder), read_story(folder)
        return mine == theirs


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A new desk."""
    made = Desk(tmp_path)
    yield made
    made.journal.close()


def fill(desk: Desk) -> None:
    """Record steps of two VMs, one of them in two rounds, and one that is asked anew."""
    desk.step("check.take-lease", 1)
    desk.step("outage.start", 2, OTHER)
    desk.journal.intend(OTHER, "outage.start", AT + timedelta(minutes=3))
    desk.journal.begin_again(VM)
    desk.step("check.take-lease", 4)


def test_it_leads_to_the_same_journal(desk: Desk, tmp_path: Path) -> None:
    """Every round, record and event is there, whether the place was named at the beginning or later."""
    desk.keep()
    fill(desk)
    assert desk.agrees(tmp_path / "first")
    desk.file.unlink()
    desk.keep()
    assert desk.agrees(tmp_path / "second")
    assert [] == desk.told


def test_no_address_of_an_operation_leaves_home(desk: Desk) -> None:
    """A step that was begun is in it as one that is to be looked at."""
    desk.keep()
    desk.journal.intend(VM, "outage.start", AT)
    desk.journal.begun(VM, "outage.start", "https://management.azure.com/operations/1?secret")
    assert b"secret" not in desk.file.read_bytes()
    assert 0o600 == desk.file.stat().st_mode & 0o777
    copy = read_copy(desk.second, "r")
    assert copy is not None
    journal = SqliteJournal.in_memory(INFO)
    read_back(copy.lines, journal)
    assert [StepState.INTENT] == [record.state for record in journal.records()]
    journal.close()


def test_a_place_that_is_gone_stops_nothing_and_catches_up(desk: Desk, tmp_path: Path) -> None:
    """Somebody is told once; when it answers again it is written whole, with what it missed."""
    desk.keep()
    desk.step("a", 0)
    gone = desk.second / "runs"
    gone.rename(desk.second / "away")
    gone.write_text("a file in its way")
    for number in range(9):
        desk.step(f"b{number}", number)
    assert ["cannot be written" in told for told in desk.told] == [True]
    gone.unlink()
    for number in range(9):
        desk.step(f"c{number}", number)
    assert ["is written again" in told for told in desk.told] == [False, True]
    assert desk.agrees(tmp_path / "other")


def test_a_line_that_was_cut_off_is_left_out(desk: Desk) -> None:
    """What a crash left of the last line is none; a damaged line before it is told."""
    desk.keep()
    fill(desk)
    whole = read_copy(desk.second, "r")
    data = desk.file.read_bytes()
    desk.file.write_bytes(data[:-7])
    cut = read_copy(desk.second, "r")
    assert whole is not None
    assert cut == replace(whole, lines=whole.lines[:-1])
    desk.file.write_bytes(data.replace(b'"does":"told"', b'"does":told', 1))
    with pytest.raises(JournalError, match="damaged"):
        read_copy(desk.second, "r")
    assert read_copy(desk.second, "another") is None


def test_the_second_place_is_another_one_and_is_remembered(tmp_path: Path) -> None:
    """The state folder itself is refused; what was named once holds for the commands after it."""
    state, folder = tmp_path / "state", tmp_path / "state" / "runs" / "r"
    with pytest.raises(UsageError, match="the state folder itself"):
        second_state_of(folder, state)
    assert second_state_of(folder, None) is None
    share = tmp_path / "share"
    assert share == second_state_of(folder, share) == second_state_of(folder, None)


def test_what_another_machine_knew_is_not_written_over(desk: Desk, tmp_path: Path) -> None:
    """A run that is begun anew elsewhere is refused, and what could be recovered stays as it was."""
    desk.keep()
    fill(desk)
    before = desk.file.read_bytes()
    info = replace(INFO, instance="of another machine")
    journal = SqliteJournal.open(tmp_path / "elsewhere", info)
    with pytest.raises(JournalError, match="another machine") as caught:
        journal.keep_in(SecondPlace(desk.second, info, desk.told.append))
    journal.close()
    assert "recover" in caught.value.remedy
    assert before == desk.file.read_bytes()


def test_a_run_that_has_begun_goes_on_without_its_place(desk: Desk, tmp_path: Path) -> None:
    """A new run is refused where nothing can be written; one whose VMs may be off is told, and goes on."""
    desk.second.write_text("a file in its way")
    with pytest.raises(UsageError, match="cannot be written"):
        desk.keep()
    desk.step("a", 0)
    desk.keep()
    assert ["the run goes on" in told for told in desk.told] == [True]
    desk.second.unlink()
    for number in range(9):
        desk.step(f"b{number}", number)
    assert desk.agrees(tmp_path / "other")


def test_a_share_that_knows_no_rights_is_written_all_the_same(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some file systems refuse to change who may read a file: that is no reason to stop."""

    def refuse(_path: Path, _mode: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "chmod", refuse)
    desk.keep()
    fill(desk)
    monkeypatch.undo()
    assert desk.agrees(tmp_path / "other")


def test_a_place_that_never_answers_holds_nothing_up(desk: Desk) -> None:
    """A share that is gone may let a write wait for ever: that is told, and nobody waits for it again."""
    desk.step("a", 0)
    desk.file.parent.mkdir(parents=True)
    # Whoever opens a pipe that nobody else has open waits.
    os.mkfifo(desk.file)
    desk.journal.keep_in(SecondPlace(desk.second, INFO, desk.told.append, patience=0.01))
    for number in range(20):
        desk.step(f"b{number}", number)
    assert ["no answer" in told for told in desk.told] == [True]
    # Let the one that waits end.
    os.close(os.open(desk.file, os.O_WRONLY | os.O_NONBLOCK))
