"""A shared security group, as an operator tightens it, after the closures, and takes it back."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from readiness.store.runs import shared_run_id
from readiness.twin.core import Twin
from readiness.twin.messages import Request
from readiness.twin.seed import load as load_seed
from readiness.twin.server import TwinServer
from tests.cli.terminal import AS_OF, START, Ended, HurriedClock, Terminal, digest_of_plan
from tests.engine import shared_estate

DONE, USAGE, PLAN, JOURNAL, SOME_ROLLED_BACK, NEEDS_A_PERSON = 0, 2, 4, 6, 7, 8
RATE = 2000.0


class Desk:
    """An operator at a terminal, with a plan and a twin."""

    def __init__(
        self, terminal: Terminal, folder: Path, twin: Twin, url: str, estate: Path | None = None
    ) -> None:
        self._terminal, self.twin = terminal, twin
        self.plan, self.state = folder / "plan", folder / "state"
        self.place = ("--twin", url, "--state", self.state)
        seed = estate or shared_estate.folder()
        self.type(DONE, "plan", "create", seed, "--as-of", AS_OF, "--to", self.plan)
        self.digest = digest_of_plan(self.plan)
        self.words = ("tighten", self.plan, "--approve", self.digest, *self.place)

    def type(self, code: int, *words: object) -> Ended:
        """Type a command that ends with a code."""
        ended = self._terminal.type(*words)
        assert code == ended.code, ended.out + ended.err
        return ended

    def result(self, code: int, *words: object) -> dict[str, Any]:
        """Type a command and return its JSON document."""
        found: dict[str, Any] = json.loads(self.type(code, *words, "--output", "json").out)
        return found

    def closed(self, wave: int) -> list[str]:
        """Prepare and close a wave, and return what is advised then."""
        for command in ("prepare", "close"):
            words = (command, self.plan, "--wave", wave, "--approve", self.digest, *self.place)
            found = self.result(DONE, *words)
        return [str(each) for each in found["next"]]

    def rules(self) -> dict[str, Any]:
        """Return the rules of the group, as the twin has them."""
        (group,) = [one for one in self.twin.resources() if one["name"] == shared_estate.GROUP]
        return {rule["name"]: rule["properties"] for rule in group["properties"]["securityRules"]}


@pytest.fixture
def desk(terminal: Terminal, tmp_path: Path) -> Iterator[Desk]:
    """A desk with a twin of the estate."""
    twin = Twin(load_seed(shared_estate.folder()), clock=HurriedClock(START, rate=RATE))
    with TwinServer(twin, certificate_folder=tmp_path / "state") as server:
        yield Desk(terminal, tmp_path, twin, server.url)


def test_from_the_closures_to_the_way_back(desk: Desk) -> None:
    """Refused while a VM is open, advised once all are closed, then done, told, taken back, and on record."""
    before = desk.rules()
    refused = desk.type(PLAN, *desk.words).err
    assert "2 VMs that hang on it are not closed" in refused
    assert all(name in refused for name in shared_estate.CLOSED)
    dry = desk.result(NEEDS_A_PERSON, *desk.words, "--dry-run")
    assert 2 == len(dry["consent_missing"])
    assert not [each for each in desk.closed(1) if " tighten " in each]
    assert "1 VM that hangs on it is not closed" in desk.type(PLAN, *desk.words).err
    (advised,) = [each for each in desk.closed(2) if " tighten " in each]
    assert f"--action {shared_estate.GROUP} " in advised
    assert [] == desk.result(DONE, *desk.words, "--dry-run")["consent_missing"]
    assert before == desk.rules(), "looking changed something"
    done = desk.result(DONE, *advised.split()[1:])
    assert [("done", shared_estate.GROUP)] == [(one["outcome"], one["name"]) for one in done["vms"]]
    assert done["run"].startswith(f"{desk.digest}-shared-")
    assert "Deny" == desk.rules()["readiness-deny-remote-from-anywhere"]["access"]
    looked = desk.result(DONE, "status", done["run"], "--state", desk.state)
    assert (done["vms"], done["audit_head"]) == (looked["vms"], looked["audit_head"])
    _back_and_again(desk, done["run"], before)
    proofs = desk.result(DONE, "audit", "verify", "--state", desk.state)["proofs"]
    assert done["run"] in {proof["run"] for proof in proofs}
    assert {True} == {proof["broken_at"] is None for proof in proofs}


def _back_and_again(desk: Desk, run: str, before: dict[str, Any]) -> None:
    """One word takes the rules back, another time they are tightened again."""
    back = ("rollback", "--run", run, "--yes", *desk.place)
    assert "rolled-back" in desk.type(SOME_ROLLED_BACK, *back).out
    assert before == desk.rules()
    # What a person took back is not done again by itself.
    desk.type(SOME_ROLLED_BACK, *desk.words, "--quiet")
    assert before == desk.rules()
    again = ("retry", run, "--vm", shared_estate.GROUP, *desk.place, "--quiet")
    closing = ("rollback", "--run", f"{desk.digest}-wave-2-close", "--wave", "--yes", *desk.place, "--quiet")
    desk.type(SOME_ROLLED_BACK, *closing)
    assert "its closure is rolled-back" in desk.type(PLAN, *again).err, "its passwords are open again"
    reclosed = (
        "retry",
        f"{desk.digest}-wave-2-close",
        "--vm",
        shared_estate.CLOSED[1],
        *desk.place,
        "--quiet",
    )
    desk.type(DONE, *reclosed)
    desk.type(DONE, *again)
    assert "readiness-deny-remote-from-anywhere" in desk.rules()


def test_what_is_tightened_is_named(desk: Desk) -> None:
    """A group that the plan does not change is refused, with those it does; so is a group that is none."""
    refused = desk.type(USAGE, *desk.words, "--action", "nsg-web").err
    assert f"one of: {shared_estate.GROUP}" in refused
    words = ("approve", desk.plan, "--action", shared_estate.GROUP, "--wave", 1, "--state", desk.state)
    assert "Say which wave is approved" in desk.type(USAGE, *words).err


def test_an_approval_of_its_own_is_kept(desk: Desk) -> None:
    """It says whose way in goes beside those of the plan, and stands beside the waves' approvals."""
    words = ("approve", desk.plan, "--action", shared_estate.GROUP, "--state", desk.state)
    said = desk.type(DONE, *words, "--owners-agreed", "--note", "CHG-1").out
    assert f"{shared_estate.UNPLANNED} is not closed by this plan" in said.replace("\n", " ")
    kept = json.loads((desk.state / "approvals.jsonl").read_text(encoding="utf-8"))
    assert (0, True, "CHG-1") == (kept["wave"], kept["owners_agreed"], kept["note"])
    assert kept["action"].endswith(f"/{shared_estate.GROUP}")


def test_a_lost_machine_is_no_end_of_it(desk: Desk) -> None:
    """Marked by a run whose journal is gone, the group is taken up again and brought to its end."""
    words = ("recover", desk.plan, "--approve", desk.digest, *desk.place)
    action = ("--action", shared_estate.GROUP)
    assert "Give either --wave NUMBER or --action NAME" in desk.type(USAGE, *words).err
    assert "'readiness tighten' looks at all of it" in desk.type(JOURNAL, *words, *action).err
    run = shared_run_id(shared_estate.plan(), shared_estate.action().key)
    run = f"{desk.digest}{run[len(desk.digest) :]}"
    (group,) = [one for one in desk.twin.resources() if one["name"] == shared_estate.GROUP]
    path, query = f"{group['id']}/providers/Microsoft.Resources/tags/default", {"api-version": "2021-04-01"}
    started = desk.twin.clock.now().isoformat()
    tags = {
        "readiness-lease": f"{run} lost 2100-01-01T00:00:00+00:00",
        "readiness-plan": desk.digest,
        "readiness-started": started,
    }
    body = {"operation": "Merge", "properties": {"tags": tags}}
    assert 200 == desk.twin.handle(Request(method="PATCH", path=path, query=query, body=body)).status
    said = desk.type(DONE, *words, *action).out
    assert f"under way: {shared_estate.GROUP}" in said
    assert " tighten " in said
    assert "is here" in desk.type(JOURNAL, *words, *action).err
    done = desk.result(DONE, *desk.words)
    assert ("done", run) == (done["vms"][0]["outcome"], done["run"])
    (group,) = [one for one in desk.twin.resources() if one["name"] == shared_estate.GROUP]
    assert not [name for name in group.get("tags") or {} if name.startswith("readiness-")]


def test_looking_says_what_has_to_come_first(desk: Desk) -> None:
    """As long as something is missing, nobody reads that the group may go now."""
    said = desk.type(NEEDS_A_PERSON, *desk.words, "--dry-run").out
    assert "Missing: bo-app-01: its closure is not on record here" in said
    assert "1 of 1 shared objects may go once that is there; nothing was changed" in said
