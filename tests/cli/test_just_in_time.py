"""A just-in-time policy, as an operator puts VMs into it: after closures and group, and back again."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from readiness.twin.core import Twin
from readiness.twin.seed import load as load_seed
from readiness.twin.server import TwinServer
from tests.cli.terminal import START, HurriedClock, Terminal
from tests.cli.test_shared_group import DONE, PLAN, RATE, SOME_ROLLED_BACK, Desk
from tests.engine import just_in_time_estate, shared_estate

ESTATE = {"policy": True, "opened": True}
POLICY = "rg-backoffice/default"


@pytest.fixture
def desk(terminal: Terminal, tmp_path: Path) -> Iterator[Desk]:
    """A desk with a twin of the estate, whose group is open and whose policy holds another VM."""
    folder = just_in_time_estate.folder(**ESTATE)
    twin = Twin(load_seed(folder), clock=HurriedClock(START, rate=RATE))
    with TwinServer(twin, certificate_folder=tmp_path / "state") as server:
        yield Desk(terminal, tmp_path, twin, server.url, folder)


def policy(desk: Desk) -> dict[str, Any]:
    """Return the policy as the twin has it."""
    kind = just_in_time_estate.KIND.lower()
    (found,) = [one for one in desk.twin.resources() if str(one.get("type")).lower() == kind]
    return found


def test_from_the_group_to_the_way_back(desk: Desk) -> None:
    """Refused until the VMs are closed and the group is tightened, advised then, done, and taken back."""
    before = policy(desk)
    words = (*desk.words, "--action", POLICY)
    assert "2 VMs that hang on it are not closed" in desk.type(PLAN, *words).err
    desk.closed(1)
    (advised,) = [each for each in desk.closed(2) if " tighten " in each]
    assert f"--action {shared_estate.GROUP} " in advised, "the group comes first"
    refused = desk.type(PLAN, *words).err
    assert "1 group before its VMs is not tightened" in refused
    assert shared_estate.GROUP in refused
    assert [True] == [
        shared_estate.GROUP in one for one in desk.result(8, *words, "--dry-run")["consent_missing"]
    ]
    tightened = desk.result(DONE, *advised.split()[1:])
    (advised,) = tightened["next"]
    assert f"tighten {desk.plan} --action {POLICY} " in advised
    assert [] == desk.result(DONE, *words, "--dry-run")["consent_missing"]
    assert before == policy(desk), "looking changed something"
    done = desk.result(DONE, *advised.split()[1:])
    assert [("done", POLICY)] == [(one["outcome"], one["name"]) for one in done["vms"]]
    names = [one["id"].rpartition("/")[2] for one in policy(desk)["properties"]["virtualMachines"]]
    assert [just_in_time_estate.UNPLANNED, *just_in_time_estate.CLOSED] == names
    back = ("rollback", "--run", done["run"], "--yes", *desk.place)
    assert "rolled-back" in desk.type(SOME_ROLLED_BACK, *back).out
    assert before == policy(desk)
    proofs = desk.result(DONE, "audit", "verify", "--state", desk.state)["proofs"]
    assert done["run"] in {proof["run"] for proof in proofs}
    assert {True} == {proof["broken_at"] is None for proof in proofs}


def test_the_workbook_and_the_approval_say_what_it_brings(desk: Desk) -> None:
    """Whoever approves reads what is closed, what may be lost, and who else is in the policy."""
    said = desk.type(DONE, "approve", desk.plan, "--action", POLICY, "--state", desk.state).out
    told = " ".join(said.split())
    assert "Azure has no etag for a policy" in told
    assert f"left as they are: {just_in_time_estate.UNPLANNED}" in told
