"""A security group that several VMs hang on is one unit of work: tightened once, taken back once."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from readiness.app.shared_actions import shared_wave
from readiness.engine.decisions import RECALLED
from readiness.model.ids import ResourceId
from readiness.model.lifecycle import Phase, Stage
from readiness.model.run import Event, RunState, SignalKind, StepRecord
from readiness.model.steps import SetSecurityRule
from readiness.ports.cloud import Done
from readiness.store.journal import leave_signal
from readiness.twin.core import Twin
from readiness.twin.faults import Faults
from readiness.twin.messages import Request
from readiness.twin.seed import load as load_seed
from tests.engine import shared_estate
from tests.engine.lost import lose, marked, recovered
from tests.engine.rig import Fuse, KilledError, Rig

WRITES = ("PUT", "DELETE", "PATCH", "POST")
CLOSED = Stage.CLOSURE
THEIRS = "somebody-elses"


class Group(Rig):
    """The open group on a twin of its estate, and processes that tighten it one after another."""

    def __init__(self, folder: Path, faults: list[dict[str, object]] | None = None) -> None:
        super().__init__(folder, shared_wave(shared_estate.action()))
        trouble = Faults.parse({"format": "readiness/faults/1", "faults": faults or []})
        self.twin = Twin(load_seed(shared_estate.folder()), clock=self.clock, faults=trouble)
        self.before = self.rules()

    def run(self, fuse: Fuse | None = None) -> RunState:
        """Carry the action out as one process would."""
        return self.process(fuse, CLOSED)

    def ends(self) -> tuple[Phase, str]:
        """Carry the action out; return where the group stands, and why."""
        (unit,) = self.run().units
        return unit.phase, unit.reason

    def rules(self) -> dict[str, Any]:
        """Return what each rule of the group says, as the twin has it."""
        (group,) = [one for one in self.twin.resources() if one["name"] == shared_estate.GROUP]
        return {rule["name"]: rule["properties"] for rule in group["properties"]["securityRules"]}

    def tags(self) -> dict[str, str]:
        """Return the tags of the group, as the twin has them."""
        (group,) = [one for one in self.twin.resources() if one["name"] == shared_estate.GROUP]
        return dict(group.get("tags") or {})

    def written(self) -> list[str]:
        """Return the writes that the group got, and that were not refused."""
        found = [each for each in self.twin.log if each.method in WRITES and "/securityRules/" in each.path]
        return [f"{each.method} {each.path.rsplit('/', 1)[1]}" for each in found if each.status < 400]

    def somebody_writes(self, name: str, **changes: object) -> None:
        """Change a rule as somebody else would."""
        (step,) = [one.step for one in self.wave.vms[0].closure if one.name.endswith(f":{name}")]
        assert isinstance(step, SetSecurityRule)
        self._write(step.rule, {**(step.earlier or step.properties), **changes})

    def somebody_opens(self) -> None:
        """Let the internet in by a rule before all others, as somebody else would."""
        (step,) = [one.step for one in self.wave.vms[0].closure if one.name.endswith(":ssh-from-anywhere")]
        assert isinstance(step, SetSecurityRule)
        rule = ResourceId(f"{step.rule.parent}/securityRules/{THEIRS}")
        self._write(rule, {**(step.earlier or {}), "priority": 150})

    def _write(self, rule: ResourceId, properties: dict[str, Any]) -> None:
        now = self.rules().get(rule.name)
        theirs = SetSecurityRule(vm=rule.parent, rule=rule, properties=properties, earlier=now)
        with self.cloud() as cloud:
            while not isinstance(cloud.begin(theirs, context=None), Done):  # type: ignore[arg-type]
                self.clock.sleep(5)

    def take_back(self) -> RunState:
        """Ask for the rules as they were, and carry that out."""
        leave_back(self)
        return self.run()

    def tells(self) -> dict[str, StepRecord]:
        """Return the records of the journal by step name."""
        return self.records(CLOSED)


def test_the_group_is_tightened_and_proven_at_each_vm(tmp_path: Path) -> None:
    """New rules come first, what can be narrowed is narrowed, and each VM's rules in force are asked for."""
    rig = Group(tmp_path)
    state = rig.run()
    assert [(Phase.DONE, shared_estate.GROUP)] == [(unit.phase, unit.name) for unit in state.units]
    assert (state.units[0].done, state.units[0].done) == (state.units[0].done, state.units[0].total)
    assert [
        "PUT readiness-allow-remote-from-anywhere",
        "PUT readiness-deny-remote-from-anywhere",
        "PUT ssh-from-anywhere",
    ] == rig.written()
    rules = rig.rules()
    assert ["10.0.0.0/8", "198.51.100.0/24"] == rules["ssh-from-anywhere"]["sourceAddressPrefixes"]
    assert "Deny" == rules["readiness-deny-remote-from-anywhere"]["access"]
    proofs = {name: record.result for name, record in rig.tells().items() if "prove-closed-behind" in name}
    assert {f"close.prove-closed-behind:{vm}" for vm in shared_estate.CLOSED} == set(proofs)
    assert {True} == {result.ok for result in proofs.values() if result}
    evidence = rig.tells()["check.prove-rules"].result
    assert evidence is not None
    assert "0.0.0.0/1" in evidence.evidence


def test_no_vm_is_touched(tmp_path: Path) -> None:
    """Neither a lease nor anything else is written to a machine: the group alone is."""
    rig = Group(tmp_path)
    rig.run()
    others = [each.path for each in rig.twin.log if each.method in ("PUT", "DELETE", "PATCH")]
    assert all(f"/{shared_estate.GROUP}/" in path for path in others), others


def test_rolled_back_every_rule_is_as_it_was(tmp_path: Path) -> None:
    """What was made is removed and what was narrowed says again what it said, to the last field."""
    rig = Group(tmp_path)
    rig.run()
    assert rig.before != rig.rules()
    assert Phase.ROLLED_BACK is rig.take_back().units[0].phase
    assert rig.before == rig.rules()
    assert rig.tells()["undo.prove-rules"].result is not None
    wrote = len(rig.written())
    assert Phase.ROLLED_BACK is rig.take_back().units[0].phase
    assert wrote == len(rig.written()), "taken back once"


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("ssh-from-anywhere", {"sourceAddressPrefixes": ["0.0.0.0/1", "172.16.0.0/12"]}),
        ("ssh-from-anywhere", {"access": "Deny"}),
        ("readiness-deny-remote-from-anywhere", {"access": "Allow"}),
    ],
)
def test_what_somebody_changed_declines_it(tmp_path: Path, rule: str, changes: dict[str, object]) -> None:
    """A rule that is not as it was planned on, one with our name included: nothing at all is written."""
    rig = Group(tmp_path)
    rig.somebody_writes(rule, **changes)
    theirs, wrote = rig.rules(), len(rig.written())
    phase, reason = rig.ends()
    assert (Phase.DECLINED, theirs, wrote) == (phase, rig.rules(), len(rig.written()))
    assert rule in reason


def test_a_change_between_look_and_write_is_not_overwritten(tmp_path: Path) -> None:
    """Whoever changes a rule after it was looked at keeps theirs, and ours are taken away again."""
    rig = Group(tmp_path)
    moment = "readiness-deny-remote-from-anywhere: done"
    when(rig, moment, lambda: rig.somebody_writes("ssh-from-anywhere", access="Deny"))
    phase, reason = rig.ends()
    assert Phase.ROLLED_BACK is phase, reason
    rules = rig.rules()
    assert "Deny" == rules["ssh-from-anywhere"]["access"]
    assert rules.keys() == rig.before.keys()


def test_a_way_back_does_not_write_over_what_came_after(tmp_path: Path) -> None:
    """A rule that somebody changed after it was tightened stays theirs: a person is told."""
    rig = Group(tmp_path)
    rig.run()
    rig.somebody_writes("ssh-from-anywhere", sourceAddressPrefixes=["10.9.0.0/16"])
    (unit,) = rig.take_back().units
    assert Phase.STRANDED is unit.phase
    assert ["10.9.0.0/16"] == rig.rules()["ssh-from-anywhere"]["sourceAddressPrefixes"]


def test_a_rule_of_ours_that_somebody_edited_is_not_taken_away(tmp_path: Path) -> None:
    """It is theirs by now: it stays, the others go back, and a person is told which."""
    rig = Group(tmp_path)
    rig.run()
    ours = "readiness-deny-remote-from-anywhere"
    rig.somebody_writes(ours, sourceAddressPrefix="198.51.100.9")
    (unit,) = rig.take_back().units
    assert Phase.STRANDED is unit.phase
    assert ours in unit.reason
    rules = rig.rules()
    assert "198.51.100.9" == rules.pop(ours)["sourceAddressPrefix"]
    assert rig.before == rules


@pytest.mark.sweep
def test_killed_at_every_moment_it_ends_the_same(tmp_path: Path) -> None:
    """Wherever the process dies, the next one ends with the same rules, each written once."""
    quiet = Group(tmp_path / "quiet")
    fuse = Fuse(None)
    quiet.run(fuse)
    for moment in range(2, fuse.count + 1, 2):
        rig = Group(tmp_path / f"killed-{moment}")
        with pytest.raises(KilledError):
            rig.run(Fuse(moment))
        assert Phase.DONE is rig.run().units[0].phase, f"killed at moment {moment}"
        assert (quiet.rules(), quiet.written()) == (rig.rules(), rig.written()), f"killed at moment {moment}"


@pytest.mark.sweep
def test_killed_on_the_way_back_it_still_ends_as_it_was(tmp_path: Path) -> None:
    """Wherever the process dies while it takes the rules back, the next one ends with those from before."""
    quiet = Group(tmp_path / "quiet")
    quiet.run()
    leave_back(quiet)
    fuse = Fuse(None)
    quiet.run(fuse)
    for moment in range(2, fuse.count + 1, 2):
        rig = Group(tmp_path / f"killed-{moment}")
        rig.run()
        leave_back(rig)
        with pytest.raises(KilledError):
            rig.run(Fuse(moment))
        assert Phase.ROLLED_BACK is rig.run().units[0].phase, f"killed at moment {moment}"
        assert rig.before == rig.rules(), f"killed at moment {moment}"
        assert RECALLED in rig.tells()


def test_a_vm_that_stays_open_takes_the_group_back(tmp_path: Path) -> None:
    """If the internet still reaches a VM afterwards, the rules are as they were, and the VM is named."""
    rig = Group(tmp_path)
    when(rig, "set the security rule ssh-from-anywhere: done", rig.somebody_opens)
    phase, reason = rig.ends()
    assert Phase.ROLLED_BACK is phase, reason
    assert f"of {shared_estate.CLOSED[0]}: the internet still reaches port 22: let in by {THEIRS}" in reason
    assert rig.before == {name: said for name, said in rig.rules().items() if name != THEIRS}


def leave_back(rig: Group) -> None:
    """Ask for the rules as they were."""
    leave_signal(rig.folder / CLOSED, SignalKind.ROLLBACK, at=datetime.now(UTC), sent_by="x", note="")


def when(rig: Group, words: str, then: Callable[[], None]) -> None:
    """Do something once, as soon as the story says words."""
    told = rig.watcher.told
    left = [then]

    def watch(event: Event) -> None:
        told(event)
        if words in event.text and left:
            left.pop()()

    rig.watcher.told = watch  # type: ignore[method-assign]


def test_it_is_marked_before_its_first_rule_and_until_its_last(tmp_path: Path) -> None:
    """While rules are written the group says whose it is, and what those rules said; afterwards nothing."""
    rig, seen = Group(tmp_path), []
    when(rig, "set the security rule ssh-from-anywhere: done", lambda: seen.append(rig.tags()))
    assert Phase.DONE is rig.ends()[0]
    (during,) = seen
    assert f"run-{CLOSED} first " in during["readiness-lease"]
    told = [said for name, said in sorted(during.items()) if name.startswith("readiness-rule-")]
    assert [
        "readiness-allow-remote-from-anywhere: new",
        "readiness-deny-remote-from-anywhere: new",
        'ssh-from-anywhere: was {"sourceAddressPrefixes":["0.0.0.0/1","10.0.0.0/8"]}',
    ] == told
    assert [] == marked(rig)
    tagged = [index for index, each in enumerate(rig.twin.log) if "/tags/default" in each.path]
    ruled = [index for index, each in enumerate(rig.twin.log) if "/securityRules/" in each.path]
    assert tagged[0] < min(ruled) <= max(ruled) < tagged[-1]


def test_what_another_run_marked_is_left_alone(tmp_path: Path) -> None:
    """A group that another plan is at work on is declined; once that lease has ended it is taken over."""
    rig = Group(tmp_path)
    path, query = (
        f"{rig.wave.vms[0].id}/providers/Microsoft.Resources/tags/default",
        {"api-version": "2021-04-01"},
    )
    until = rig.clock.now() + timedelta(hours=1)
    tags = {
        "readiness-lease": f"theirs second {until.isoformat()}",
        "readiness-rule-09": "x: new",
    }
    owners = rig.tags()
    body = {"operation": "Merge", "properties": {"tags": tags}}
    assert 200 == rig.twin.handle(Request(method="PATCH", path=path, query=query, body=body)).status
    phase, reason = rig.ends()
    assert (Phase.DECLINED, [], owners | tags) == (phase, rig.written(), rig.tags())
    assert "run theirs has the lease on it" in reason
    rig.clock.sleep(7200)
    shutil.rmtree(rig.folder / CLOSED)
    assert (Phase.DONE, owners) == (rig.ends()[0], rig.tags())


@pytest.mark.sweep
def test_lost_at_any_moment_the_rules_end_the_same(tmp_path: Path) -> None:
    """With the state folder gone, too, another machine knows that it was under way, and ends it."""
    quiet, fuse = Group(tmp_path / "quiet"), Fuse(None)
    quiet.run(fuse)
    found = []
    for moment in range(5, fuse.count + 1, 3):
        rig = Group(tmp_path / f"lost-{moment}")
        lose(rig, moment, CLOSED)
        found.append(recovered(rig, CLOSED) is not None)
        assert Phase.DONE is rig.run().units[0].phase, f"lost at moment {moment}"
        assert (quiet.rules(), quiet.written(), []) == (rig.rules(), rig.written(), marked(rig))
    first, last = found.index(True), len(found) - found[::-1].index(True)
    assert all(found[first:last]), "the mark is there from its first write to its last"
    assert last - first > len(found) // 2


@pytest.mark.sweep
def test_lost_on_its_way_back_the_rules_end_as_they_were(tmp_path: Path) -> None:
    """What a person wanted back goes on back: the other machine does not tighten it once more."""
    quiet, fuse = Group(tmp_path / "quiet"), Fuse(None)
    quiet.run()
    leave_back(quiet)
    quiet.run(fuse)
    for moment in range(9, fuse.count - 6, 5):
        rig = Group(tmp_path / f"lost-{moment}")
        rig.run()
        leave_back(rig)
        lose(rig, moment, CLOSED)
        assert recovered(rig, CLOSED) is not None, f"lost at moment {moment}"
        assert Phase.ROLLED_BACK is rig.run().units[0].phase, f"lost at moment {moment}"
        assert (rig.before, []) == (rig.rules(), marked(rig)), f"lost at moment {moment}"


def test_without_its_journal_it_can_still_be_taken_back(tmp_path: Path) -> None:
    """The plan says what every rule said: a recovered run takes back what the lost one wrote."""
    rig = Group(tmp_path)
    with pytest.raises(KilledError):
        rig.run(Fuse(20))
    shutil.rmtree(rig.folder / CLOSED)
    assert rig.before != rig.rules()
    assert recovered(rig, CLOSED) is not None
    assert Phase.DONE is rig.run().units[0].phase
    assert Phase.ROLLED_BACK is rig.take_back().units[0].phase
    assert rig.before == rig.rules()
