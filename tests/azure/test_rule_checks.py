"""Before a shared group is written, and at the VMs behind it afterwards: what is looked at, what refuses."""

from typing import Any

import pytest

from readiness.model.ids import ResourceId
from readiness.model.steps import ProveClosedBehind, ProveRules, RuleStates, SetSecurityRule
from readiness.ports.cloud import Done, Failed, Pending
from tests.azure.asking import Process
from tests.azure.test_preflight import lock, permitted
from tests.twin.network_seeds import NSG, rule, wired
from tests.twin.seeds import SUBSCRIPTION, VM, Wire, estate

GROUP = NSG.partition("/providers/")[0]
SSH, NEW = (ResourceId(f"{NSG}/securityRules/{name}") for name in ("ssh", "readiness-deny-ssh"))
OPEN, SHUT = rule()["properties"], rule(sourceAddressPrefix="10.0.0.0/8")["properties"]
WRITE = "Microsoft.Network/networkSecurityGroups/securityRules/write"
BEHIND = ProveClosedBehind(vm=ResourceId(VM), ports=(22,))


def look(*allowed: dict[str, Any] | None, at: ResourceId = SSH) -> ProveRules:
    """Return the look at one rule, before it is written."""
    states = (RuleStates(rule=at, allowed=allowed),)
    return ProveRules(vm=ResourceId(NSG), rules=states, needed=(WRITE,))


def group_with(*seed: dict[str, Any], faults: list[dict[str, Any]] | None = None) -> Wire:
    """Return a twin with the group, an open rule in it, and something else."""
    # Seeded, and not written: a lock would forbid that.
    group = {
        "id": NSG,
        "name": NSG.rpartition("/")[2],
        "type": "Microsoft.Network/networkSecurityGroups",
        "location": "westeurope",
        "properties": {"securityRules": [rule() | {"id": SSH.text}]},
    }
    return Wire(*estate(group, *seed), faults=faults)


@pytest.mark.parametrize("allowed", [(OPEN, SHUT), (SHUT, OPEN), (OPEN,)])
def test_a_rule_as_planned_is_kept_as_evidence(allowed: tuple[dict[str, Any], ...]) -> None:
    """A rule that says one of what it may say goes on, is told as it was found, and is not written."""
    process = Process(wired())
    wrote = process.writes()
    answer = process.begin(look(*allowed))
    assert isinstance(answer, Done), answer
    assert '"ssh"' in answer.evidence
    assert wrote == process.writes()


@pytest.mark.parametrize(
    "asked",
    [look(SHUT), look(None), look(OPEN, at=NEW), look(OPEN | {"priority": 301})],
    ids=["it says something else", "it is there", "it is not there", "of another priority"],
)
def test_a_rule_that_is_not_as_planned_refuses(asked: ProveRules) -> None:
    """It is named, with what to do."""
    answer = Process(wired()).begin(asked)
    assert isinstance(answer, Failed)
    assert "RuleChangedSincePlanned" == answer.code
    assert asked.rules[0].rule.name in answer.detail


def test_a_rule_for_other_machines_is_another_rule() -> None:
    """Whom an application security group names counts: a rule for others is not the one that was planned."""
    others = [{"id": f"{GROUP}/providers/Microsoft.Network/applicationSecurityGroups/web"}]
    asked = look({key: value for key, value in OPEN.items() if key != "destinationAddressPrefix"})
    named = look(asked.rules[0].allowed[0] | {"destinationApplicationSecurityGroups": others})  # type: ignore[operator]
    assert isinstance(Process(wired()).begin(named), Failed)


def test_a_group_that_is_gone_refuses() -> None:
    """Without the group there is nothing to change."""
    gone = ProveRules(vm=ResourceId(f"{NSG}-gone"), rules=())
    answer = Process(wired()).begin(gone)
    assert isinstance(answer, Failed)
    assert "GroupMissing" == answer.code


def test_a_group_at_work_is_waited_for() -> None:
    """What Azure is still changing is looked at again, and not judged half-way."""
    process = Process(wired())
    process.begin(SetSecurityRule(vm=ResourceId(NSG), rule=SSH, properties=SHUT, earlier=OPEN))
    answer = process.begin(look(OPEN, SHUT))
    assert isinstance(answer, Pending)
    assert answer.token is None
    assert isinstance(process.finish(look(OPEN, SHUT), answer), Done)


@pytest.mark.parametrize(
    ("level", "asked", "code"),
    [
        ("ReadOnly", look(OPEN), "ReadOnlyLock"),
        ("CanNotDelete", look(None, SHUT, at=NEW), "CanNotDeleteLock"),
        ("CanNotDelete", look(OPEN), ""),
    ],
)
@pytest.mark.parametrize("scope", [NSG, GROUP, f"/subscriptions/{SUBSCRIPTION}"])
def test_a_lock_refuses_what_it_would_forbid(level: str, asked: ProveRules, code: str, scope: str) -> None:
    """ReadOnly allows no write; with CanNotDelete a rule that is made anew could not be taken back."""
    answer = Process(group_with(lock(scope, level))).begin(asked)
    assert code == (answer.code if isinstance(answer, Failed) else "")


def test_a_missing_permission_refuses() -> None:
    """What may not be done on the group is told before anything is written."""
    answer = Process(group_with(), permitted({NSG: [{"actions": ["*/read"]}]})).begin(look(OPEN))
    assert isinstance(answer, Failed)
    assert ("PermissionMissing", True) == (answer.code, WRITE in answer.detail)


def test_who_may_not_ask_goes_on() -> None:
    """Where permissions and locks are nobody's business, the write itself is the question."""
    denied = [{"kind": "denied", "operation": f"{what}/read"} for what in ("permissions", "locks")]
    process = Process(group_with(lock(NSG, "ReadOnly"), faults=denied))
    assert isinstance(process.begin(look(OPEN)), Done)


def test_a_vm_that_is_off_keeps_nobody_waiting() -> None:
    """Of one VM among many that does not run it is told that nothing is proven there."""
    wire = wired()
    wire.do("POST", f"{VM}/deallocate")
    answer = Process(wire).do(BEHIND)
    assert isinstance(answer, Done)
    assert "not proven" in answer.detail


def test_a_vm_that_is_gone_has_nothing_to_prove() -> None:
    """A VM that was deleted since it was planned keeps no group from being tightened."""
    answer = Process(wired()).do(ProveClosedBehind(vm=ResourceId(f"{VM}-gone"), ports=(22,)))
    assert isinstance(answer, Done)
    assert "not there any more" in answer.detail


def test_a_vm_that_runs_is_proven_like_any_other() -> None:
    """An opening at it is a failure all the same."""
    assert isinstance(Process(wired()).do(BEHIND), Failed)
