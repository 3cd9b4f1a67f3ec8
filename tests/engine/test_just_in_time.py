"""A just-in-time policy that several VMs hang on is one unit of work: written once, taken back once."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from playbooks.catalog import ALL_PLAYBOOKS
from readiness.app.shared_actions import shared_wave
from readiness.azure.connect import Connection, Endpoint
from readiness.azure.plain import send
from readiness.engine.decisions import RECALLED
from readiness.engine.group import GroupCampaign
from readiness.model.lifecycle import Phase, Stage
from readiness.model.run import Event, RunState, SignalKind, StepRecord
from readiness.model.steps import ProveJustInTime
from readiness.store.journal import leave_signal
from readiness.twin.core import Twin
from readiness.twin.credential import TwinCredential
from readiness.twin.faults import Faults
from readiness.twin.seed import load as load_seed
from readiness.twin.transport import TwinTransport
from tests.engine import just_in_time_estate, shared_estate
from tests.engine.just_in_time_estate import CLOSED, THEIRS, UNPLANNED
from tests.engine.rig import Fuse, KilledError, Rig

CLOSING = Stage.CLOSURE
API = "2020-01-01"
OURS = {22: "PT3H", 3389: "PT3H"}
each_kind = pytest.mark.parametrize(
    "policy", [True, False], ids=["a policy with another VM", "no policy yet"]
)


class Policy(Rig):
    """A twin of the estate, and processes that put VMs into its policy one after another."""

    def __init__(self, folder: Path, faults: list[dict[str, object]] | None = None, **how: bool) -> None:
        self.action = just_in_time_estate.action(**{key: how[key] for key in how if key != "plan_two"})
        super().__init__(folder, shared_wave(self.action))
        trouble = Faults.parse({"format": "readiness/faults/1", "faults": faults or []})
        self.twin = Twin(load_seed(just_in_time_estate.folder(**how)), clock=self.clock, faults=trouble)
        self.before = self.policy()

    def run(self, fuse: Fuse | None = None) -> RunState:
        """Carry the action out as one process would."""
        return self.process(fuse, CLOSING)

    def ends(self) -> tuple[Phase, str]:
        """Carry the action out; return where the policy stands, and why."""
        (unit,) = self.run().units
        return unit.phase, unit.reason

    def policy(self) -> dict[str, Any] | None:
        """Return the policy as the twin has it."""
        found = [one for one in self.twin.resources() if one["id"].lower() == self.action.target.key]
        return found[0] if found else None

    def said(self) -> dict[str, dict[int, str]]:
        """Return what the policy says of each VM: ports, and how long they open at most."""
        machines = (self.policy() or {"properties": {"virtualMachines": []}})["properties"]["virtualMachines"]
        return {
            each["id"].rpartition("/")[2]: {
                port["number"]: port["maxRequestAccessDuration"] for port in each["ports"]
            }
            for each in machines
        }

    def written(self) -> list[str]:
        """Return the writes that the policy got, and that were not refused."""
        found = [each for each in self.twin.log if "/jitnetworkaccesspolicies/" in each.path.lower()]
        return [each.method for each in found if each.method != "GET" and each.status < 400]

    def somebody_writes(
        self, method: str, path: str, body: dict[str, Any] | None, version: str = API
    ) -> None:
        """Send a request as somebody else would."""
        endpoint = Endpoint(
            base_url="https://twin.invalid",
            credential=TwinCredential(),
            make_transport=lambda: TwinTransport(self.twin),
        )
        connection = Connection(endpoint)
        try:
            send(connection, self.action.target.subscription, method, path, version, body=body)
        finally:
            connection.close()

    def somebody_says(self, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> None:
        """Change the VMs of the policy as somebody else would."""
        now = self.policy() or {"properties": {"virtualMachines": []}}
        body = {
            "kind": "Basic",
            "properties": {"virtualMachines": change(now["properties"]["virtualMachines"])},
        }
        self.somebody_writes("PUT", self.action.target.text, body)

    def somebody_joins(self, name: str = UNPLANNED) -> None:
        """Put a VM into the policy as somebody else would."""
        other = self.action.vms[0].sibling("Microsoft.Compute/virtualMachines", name)
        self.somebody_says(lambda machines: [*machines, {"id": other.text, "ports": THEIRS}])

    def take_back(self) -> RunState:
        """Ask for the policy as it was, and carry that out."""
        leave_back(self)
        return self.run()

    def tells(self) -> dict[str, StepRecord]:
        """Return the records of the journal by step name."""
        return self.records(CLOSING)


@each_kind
def test_the_vms_are_put_in_and_everybody_else_stays(tmp_path: Path, *, policy: bool) -> None:
    """One PUT has all of them; another VM and its request are as they were, and each VM is proven closed."""
    rig = Policy(tmp_path, policy=policy)
    (unit,) = rig.run().units
    assert (Phase.DONE, "rg-backoffice/default") == (unit.phase, unit.name), unit.reason
    assert ["PUT"] == rig.written()
    assert kept(policy=policy) | dict.fromkeys(CLOSED, OURS) == rig.said()
    if policy:
        assert rig.before is not None
        now = rig.policy()
        assert now is not None
        assert rig.before["properties"]["virtualMachines"] == now["properties"]["virtualMachines"][:1]
        assert rig.before["properties"]["requests"] == now["properties"]["requests"]
    proofs = [record.result for name, record in rig.tells().items() if "prove-on-request" in name]
    assert [True, True] == [result.ok for result in proofs if result]


def test_no_vm_is_touched(tmp_path: Path) -> None:
    """Neither a lease nor anything else is written to a machine: the policy alone is."""
    rig = Policy(tmp_path, policy=True)
    rig.run()
    others = [each.path for each in rig.twin.log if each.method in ("PUT", "DELETE", "PATCH")]
    assert all("/jitNetworkAccessPolicies/" in path for path in others), others


@each_kind
def test_what_is_needed_is_asked_for(*, policy: bool) -> None:
    """Before anything is written; to delete is only needed where the policy is made for these VMs."""
    (unit,) = shared_wave(just_in_time_estate.action(policy=policy)).vms
    (planned,) = GroupCampaign(unit, ALL_PLAYBOOKS, stage=CLOSING).steps(Phase.CHECKING, {})
    assert isinstance(planned.step, ProveJustInTime)
    kind = "Microsoft.Security/locations/jitNetworkAccessPolicies"
    assert f"{kind}/write" in planned.step.needed
    assert policy is not (f"{kind}/delete" in planned.step.needed)


@each_kind
def test_rolled_back_the_policy_is_as_it_was(tmp_path: Path, *, policy: bool) -> None:
    """With another VM in it, it says again what it said, to the last field; made for ours, it is gone."""
    rig = Policy(tmp_path, policy=policy)
    rig.run()
    assert rig.before != rig.policy()
    assert Phase.ROLLED_BACK is rig.take_back().units[0].phase
    assert rig.before == rig.policy()
    assert rig.tells()["undo.prove-just-in-time"].result is not None
    wrote = len(rig.written())
    assert Phase.ROLLED_BACK is rig.take_back().units[0].phase
    assert wrote == len(rig.written()), "taken back once"


@each_kind
def test_a_way_back_keeps_whoever_came_since(tmp_path: Path, *, policy: bool) -> None:
    """A VM that somebody put in meanwhile stays, so that a policy that we made stays, too."""
    rig = Policy(tmp_path, policy=policy)
    rig.run()
    rig.somebody_joins("bo-done-01")
    assert Phase.ROLLED_BACK is rig.take_back().units[0].phase
    assert kept(policy=policy) | {"bo-done-01": {22: "PT1H"}} == rig.said()


def test_a_way_back_does_not_write_over_what_came_after(tmp_path: Path) -> None:
    """What somebody has changed of one of our VMs since stays theirs: a person is told."""
    rig = Policy(tmp_path, policy=True)
    rig.run()

    def narrowed(machines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        machines[-1]["ports"] = machines[-1]["ports"][:1]
        return machines

    rig.somebody_says(narrowed)
    theirs = rig.said()
    (unit,) = rig.take_back().units
    assert Phase.STRANDED is unit.phase
    assert (theirs, True) == (rig.said(), CLOSED[1] in unit.reason), unit.reason


@each_kind
def test_a_policy_that_changed_since_declines_it(tmp_path: Path, *, policy: bool) -> None:
    """One of our VMs in it by now, or a policy where there was none: nothing is written."""
    rig = Policy(tmp_path, policy=policy)
    rig.somebody_joins(CLOSED[0] if policy else "bo-done-01")
    theirs, wrote = rig.said(), len(rig.written())
    phase, reason = rig.ends()
    assert (Phase.DECLINED, theirs, wrote) == (phase, rig.said(), len(rig.written())), reason
    assert "assess and plan again" in reason


def test_a_vm_in_another_policy_by_now_declines_it(tmp_path: Path) -> None:
    """A VM is managed by one policy: whoever put it into another one is not overruled."""
    rig = Policy(tmp_path, policy=True)
    other = rig.action.target.text.replace("/default", "/theirs")
    body = {
        "kind": "Basic",
        "properties": {"virtualMachines": [{"id": rig.action.vms[0].text, "ports": THEIRS}]},
    }
    rig.somebody_writes("PUT", other, body)
    phase, reason = rig.ends()
    assert (Phase.DECLINED, True) == (phase, "another policy" in reason), reason


def test_a_policy_that_is_gone_declines_it(tmp_path: Path) -> None:
    """A policy that somebody deleted is not made anew under its name."""
    rig = Policy(tmp_path, policy=True)
    rig.somebody_writes("DELETE", rig.action.target.text, None)
    phase, reason = rig.ends()
    assert (Phase.DECLINED, None) == (phase, rig.policy()), reason


def test_without_plan_two_it_is_declined_and_nothing_is_switched_on(tmp_path: Path) -> None:
    """The plan is asked for right before, and whoever answers for its costs is told to switch it on."""
    rig = Policy(tmp_path, plan_two=False)
    phase, reason = rig.ends()
    assert (Phase.DECLINED, None) == (phase, rig.policy())
    assert "needs Defender for Servers Plan 2" in reason
    assert not [each for each in rig.twin.log if each.method == "PUT"]


def test_a_change_between_look_and_write_is_not_overwritten(tmp_path: Path) -> None:
    """A policy that somebody made after the look, and before our write, stays as it is."""
    rig = Policy(tmp_path)
    when(rig, "look at just-in-time policy", rig.somebody_joins)
    phase, reason = rig.ends()
    assert Phase.ROLLED_BACK is phase, reason
    assert ({UNPLANNED: {22: "PT1H"}}, ["PUT"]) == (rig.said(), rig.written()), "theirs alone"


def test_a_rule_from_before_makes_it_ineffective(tmp_path: Path) -> None:
    """If an older rule still lets the internet in, the verdict says so, and the policy is as it was."""
    rig = Policy(tmp_path, policy=True)
    group = next(one for one in rig.twin.resources() if one["name"] == shared_estate.GROUP)
    rule = {
        "protocol": "Tcp",
        "access": "Allow",
        "priority": 120,
        "direction": "Inbound",
        "sourceAddressPrefix": "*",
        "sourcePortRange": "*",
        "destinationAddressPrefix": "*",
        "destinationPortRange": "22",
    }
    path = f"{group['id']}/securityRules/somebody-elses"
    rig.somebody_writes("PUT", path, {"properties": rule}, "2024-05-01")
    rig.clock.sleep(600)
    (unit,) = rig.run().units
    assert Phase.ROLLED_BACK is unit.phase, unit.reason
    proof = rig.tells()[f"close.prove-on-request:{CLOSED[0]}"].result
    assert proof is not None
    assert "JustInTimeNotEffective" == proof.code
    assert "still reaches port 22: let in by somebody-elses" in unit.reason
    assert rig.before == rig.policy()


@pytest.mark.sweep
@each_kind
def test_killed_at_every_moment_it_ends_the_same(tmp_path: Path, *, policy: bool) -> None:
    """Wherever the process dies, the next one ends with the same policy, written once."""
    quiet = Policy(tmp_path / "quiet", policy=policy)
    fuse = Fuse(None)
    quiet.run(fuse)
    assert fuse.count > 8
    for moment in range(1, fuse.count + 1):
        rig = Policy(tmp_path / f"killed-{moment}", policy=policy)
        with pytest.raises(KilledError):
            rig.run(Fuse(moment))
        assert Phase.DONE is rig.run().units[0].phase, f"killed at moment {moment}"
        assert (quiet.said(), quiet.written()) == (rig.said(), rig.written()), f"killed at moment {moment}"


@pytest.mark.sweep
@each_kind
def test_killed_on_the_way_back_it_still_ends_as_it_was(tmp_path: Path, *, policy: bool) -> None:
    """Wherever the process dies while it takes the VMs out, the next one ends with the policy from before."""
    quiet = Policy(tmp_path / "quiet", policy=policy)
    quiet.run()
    leave_back(quiet)
    fuse = Fuse(None)
    quiet.run(fuse)
    assert fuse.count > 4
    for moment in range(1, fuse.count + 1):
        rig = Policy(tmp_path / f"killed-{moment}", policy=policy)
        rig.run()
        leave_back(rig)
        with pytest.raises(KilledError):
            rig.run(Fuse(moment))
        assert Phase.ROLLED_BACK is rig.run().units[0].phase, f"killed at moment {moment}"
        assert rig.before == rig.policy(), f"killed at moment {moment}"
        assert RECALLED in rig.tells()


@each_kind
def test_a_lost_machine_costs_nothing(tmp_path: Path, *, policy: bool) -> None:
    """Without its journal the same action finds what is done, writes nothing again, and can be taken back."""
    rig = Policy(tmp_path / "lost", policy=policy)
    with pytest.raises(KilledError):
        rig.run(Fuse(10))
    assert ["PUT"] == rig.written()
    rig.folder = tmp_path / "new"
    assert Phase.DONE is rig.run().units[0].phase
    assert ["PUT"] == rig.written()
    assert Phase.ROLLED_BACK is rig.take_back().units[0].phase
    assert rig.before == rig.policy()


REFUSED: dict[str, dict[str, object]] = {
    "denied": {"kind": "denied"},
    "refused": {"kind": "fail", "status": 400, "code": "BadRequest"},
    "conflict": {"kind": "fail", "status": 409, "code": "Conflict"},
}
PASSING: dict[str, dict[str, object]] = {
    "out of order": {"kind": "server-error", "times": 3},
    "throttled": {"kind": "throttle", "retry_after": 20, "times": 3},
    "hung up": {"kind": "reset", "times": 3},
    "answer lost": {"kind": "lost-answer", "times": 3},
}


@pytest.mark.parametrize("trouble", REFUSED | PASSING)
@each_kind
def test_trouble_with_its_write_leaves_it_whole(tmp_path: Path, *, policy: bool, trouble: str) -> None:
    """Whatever Azure answers to the write, no other VM is lost; refused, ours are out, and otherwise in."""
    fault = (REFUSED | PASSING)[trouble] | {"operation": "jitNetworkAccessPolicies/write"}
    rig = Policy(tmp_path, [fault], policy=policy)
    (unit,) = rig.run().units
    assert (Phase.ROLLED_BACK if trouble in REFUSED else Phase.DONE) is unit.phase, unit
    assert (
        kept(policy=policy) if trouble in REFUSED else kept(policy=policy) | dict.fromkeys(CLOSED, OURS)
    ) == rig.said()


@pytest.mark.parametrize("trouble", REFUSED | PASSING)
@each_kind
def test_trouble_on_the_way_back_leaves_it_whole(tmp_path: Path, *, policy: bool, trouble: str) -> None:
    """The same of the way back, where a refusal strands it, and says so."""
    which = {"operation": "jitNetworkAccessPolicies/write", "nth": 2}
    which = which if policy else {"operation": "jitNetworkAccessPolicies/delete"}
    rig = Policy(tmp_path, [(REFUSED | PASSING)[trouble] | which], policy=policy)
    rig.run()
    (unit,) = rig.take_back().units
    assert (Phase.STRANDED if trouble in REFUSED else Phase.ROLLED_BACK) is unit.phase, unit
    assert (
        kept(policy=policy) | dict.fromkeys(CLOSED, OURS) if trouble in REFUSED else kept(policy=policy)
    ) == rig.said()


def kept(*, policy: bool) -> dict[str, dict[int, str]]:
    """Return what the policy says of VMs that are not ours."""
    return {UNPLANNED: {22: "PT1H"}} if policy else {}


def leave_back(rig: Policy) -> None:
    """Ask for the policy as it was."""
    leave_signal(rig.folder / CLOSING, SignalKind.ROLLBACK, at=datetime.now(UTC), sent_by="x", note="")


def when(rig: Policy, words: str, then: Callable[[], None]) -> None:
    """Do something once, as soon as the story says words."""
    told = rig.watcher.told
    left = [then]

    def watch(event: Event) -> None:
        told(event)
        if words in event.text and left:
            left.pop()()

    rig.watcher.told = watch  # type: ignore[method-assign]
