"""The replay itself: two recordings written by hand from Azure's documentation, beside this file."""

from pathlib import Path

from tests.replay import comparing
from tests.replay.recordings import Recording, RecordingError, read, read_folder
from tests.replay.replaying import replay
from tests.replay.report import Report, counts

FOLDER = Path(__file__).parent / "recordings_by_hand"


def test_a_lock_is_made_and_taken_away_as_recorded():
    """Learn, "Management Locks - Create Or Update At Resource Group Level": both agree in everything."""
    result = replay(read(FOLDER / "lock.json"))
    assert (2, 2, 2, 2, 2, 2) == counts(result.compared)


def test_an_operation_is_polled_to_its_end():
    """Learn, "Virtual Machines - Start": in progress while Azure's was, and at its end when Azure's was."""
    result = replay(read(FOLDER / "start.yaml"))
    told = {each.operation: each for each in result.compared if "virtualmachines start" in each.operation}
    assert ["POST microsoft.compute/virtualmachines start"] == list(told)
    polls = [each for each in result.compared if each.operation == "poll microsoft.compute operations"]
    assert (2, 2, 2, 2, 2, 2) == counts(polls)


def test_a_difference_is_found():
    """What a read shows and the seed lacks is told as a difference, with its place."""
    recording = read(FOLDER / "lock.json", name="lock.json")
    first = recording.exchanges[0]
    told = {**first.answer, "managedBy": "somebody", "name": 7}
    changed = type(first)(
        **{name: getattr(first, name) for name in ("method", "target", "body", "status", "headers", "at")},
        answer=told,
    )
    report = Report()
    report.add(Recording("changed.json", (changed,)))
    assert (("missing", "managedBy"), ("kind", "name: number, not string")) == report.compared[0].shape
    assert "missing managedBy   [changed.json #1]" in report.text()


def test_other_hosts_are_no_part_of_a_recording():
    """Only what was said to the management endpoint is read."""
    assert 2 == len(read(FOLDER / "lock.json").exchanges)


def test_a_broken_file_stops_no_other(tmp_path):
    """A file that is no recording is an error of its own."""
    (tmp_path / "a.json").write_text("{")
    (tmp_path / "b.json").write_text((FOLDER / "lock.json").read_text())
    broken, whole = read_folder(tmp_path)
    assert (RecordingError, Recording) == (type(broken), type(whole))


def test_chance_is_no_difference():
    """Values that Azure draws are not compared, others are."""
    assert comparing.same("9a1f7b54-0000-4000-8000-1234567890ab", "other")
    assert not comparing.same("Premium_LRS", "Standard_LRS")
