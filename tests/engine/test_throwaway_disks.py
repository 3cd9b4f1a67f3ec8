"""However a preparation ends, the disk that proved its key is gone."""

from pathlib import Path
from typing import Any

import pytest

from readiness.model.lifecycle import Phase, Stage
from readiness.model.run import EventKind
from tests.engine.rig import Fuse, KilledError, Rig, wave_of

VM = "sf-web-01"
TRIAL = "readiness-trial-*"
REFUSED_KEY = {"kind": "fail", "operation": "disks/write", "resource": TRIAL, "at": "end"}
LOCKED = {"kind": "fail", "operation": "disks/delete", "resource": TRIAL, "message": "locked"}
TROUBLES: dict[str, dict[str, Any]] = {
    "the key is refused while the disk is made": REFUSED_KEY,
    "the first deletion is refused": LOCKED,
    "the first deletion fails": LOCKED | {"at": "end"},
}


def left_behind(rig: Rig) -> list[str]:
    """Return the names of the throwaway disks that there are."""
    return [one["name"] for one in rig.twin.resources() if one["name"].startswith("readiness-trial-")]


def tried(rig: Rig) -> int:
    """Count the accepted calls that made a throwaway disk."""
    return sum(one.method == "PUT" and "/readiness-trial-" in one.path for one in rig.twin.log)


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_preparation_that_fails_leaves_no_throwaway_disk(tmp_path: Path, trouble: str) -> None:
    """Whatever step stops it, the disk goes before the VM is let go of."""
    rig = Rig(tmp_path, wave_of(VM), [TROUBLES[trouble]])
    unit = rig.process(stage=Stage.PREPARATION).units[0]
    assert tried(rig), "no throwaway disk was made"
    assert (Phase.BLOCKED, []) == (unit.phase, left_behind(rig)), unit.reason


@pytest.mark.parametrize("trouble", ["the key is refused while the disk is made", "the first deletion fails"])
def test_killed_in_between_it_leaves_none_either(tmp_path: Path, trouble: str) -> None:
    """The next process takes the throwaway disk away, wherever the one before it died."""
    quiet = Fuse(None)
    Rig(tmp_path / "quiet", wave_of(VM), [TROUBLES[trouble]]).process(quiet, Stage.PREPARATION)
    for moment in range(quiet.count, 0, -3):
        rig = Rig(tmp_path / str(moment), wave_of(VM), [TROUBLES[trouble]])
        with pytest.raises(KilledError):
            rig.process(Fuse(moment), Stage.PREPARATION)
        unit = rig.process(stage=Stage.PREPARATION).units[0]
        assert [] == left_behind(rig), f"killed at moment {moment} of {quiet.count}: {unit.reason}"


def test_one_that_cannot_be_deleted_is_told(tmp_path: Path) -> None:
    """Where Azure refuses to the end, the outcome names what is left, and the lease goes all the same."""
    rig = Rig(tmp_path, wave_of(VM), [LOCKED | {"times": 99}])
    unit = rig.process(stage=Stage.PREPARATION).units[0]
    told = [event.text for event in rig.watcher.events if event.kind is EventKind.FAILURE]
    assert (Phase.BLOCKED, 1) == (unit.phase, len(left_behind(rig)))
    assert "its throwaway disk is left behind: delete the throwaway disk: locked" in unit.reason
    assert 2 == sum("locked" in text for text in told)
    assert not [one for one in rig.twin.resources() if "readiness-lease" in (one.get("tags") or {})]


def test_a_preparation_that_goes_well_deletes_it_once(tmp_path: Path) -> None:
    """Where its own step deleted the disk, nothing is asked again."""
    rig = Rig(tmp_path, wave_of(VM))
    assert Phase.DONE is rig.process(stage=Stage.PREPARATION).units[0].phase
    deletions = [one for one in rig.twin.log if one.method == "DELETE" and "/readiness-trial-" in one.path]
    assert (1, []) == (len(deletions), left_behind(rig))
