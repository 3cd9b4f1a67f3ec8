"""Before a shared group is written, and at the VMs behind it afterwards: what is looked at, what refuses."""

from typing import Any

import pytest
from azure.core.rest import HttpRequest, HttpResponse

from readiness.model.ids import ResourceId
from readiness.model.steps import ProveClosed, ProveClosedBehind, ProveRules, RuleStates, SetSecurityRule
from readiness.ports.cloud import Done, Failed, Pending
from readiness.twin.messages import Response
from readiness.twin.transport import TwinResponse
from tests.azure.asking import Process
from tests.azure.test_preflight import lock, permitted
from tests.azure.test_preflight_deny_assignments import denial
from tests.azure.test_preflight_policies import assignment, definition
from tests.twin.network_seeds import NETWORK, NIC, NSG, VNET, interface, network, rule, wired
from tests.twin.seeds import SUBSCRIPTION, VM, Wire, estate, vm

GROUP = NSG.partition("/providers/")[0]
SSH, NEW = (ResourceId(f"{NSG}/securityRules/{name}") for name in ("ssh", "readiness-deny-ssh"))
OPEN, SHUT = rule()["properties"], rule(sourceAddressPrefix="10.0.0.0/8")["properties"]
WRITE = "Microsoft.Network/networkSecurityGroups/securityRules/write"
BEHIND = ProveClosedBehind(vm=ResourceId(VM), ports=(22,))
ALONE = ProveClosed(vm=ResourceId(VM), ports=(22,))


def two_interfaces() -> Wire:
    """Return a twin whose VM is open at its first interface, and closed at its second one."""
    first = f"{NETWORK}/networkInterfaces/web-1-other"
    wire = Wire(*estate(machine=vm(networkProfile={"networkInterfaces": [{"id": first}, {"id": NIC}]})))
    wire.do("PUT", VNET, network())
    shut = rule(sourceAddressPrefix="10.0.0.0/8")
    for group, held, card in ((NSG, shut, NIC), (f"{NSG}-other", rule("wide"), first)):
        wire.do("PUT", group, {"location": "westeurope", "properties": {"securityRules": [held]}})
        body = interface()
        body["properties"]["networkSecurityGroup"] = {"id": group}
        wire.do("PUT", card, body)
    return wire


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


class GoesOff:
    """Two interfaces, of which the first is open; the VM goes off before the second one is asked about."""

    def __init__(self, *, forgets: bool = False) -> None:
        self.wire = two_interfaces()
        self.asked = 0
        self.forgets = forgets
        """Whether Azure forgets its first answer about the second interface."""

    def __call__(self, request: HttpRequest) -> HttpResponse | None:
        """Let it go off before the second question, or before the answer to it."""
        is_question = request.url.split("?")[0].endswith("/effectiveNetworkSecurityGroups")
        self.asked += is_question
        if self.asked == 2 and is_question is not self.forgets:
            self.asked += 1
            self.wire.do("POST", f"{VM}/deallocate")
            gone = Response(404, {"error": {"code": "NotFound", "message": "no such operation"}})
            return TwinResponse(request, gone) if self.forgets else None
        return None


@pytest.mark.parametrize("forgets", [False, True], ids=["before it is asked", "before it answers"])
@pytest.mark.parametrize("step", [BEHIND, ALONE], ids=["behind a group", "of a VM alone"])
def test_an_opening_found_before_a_vm_goes_off_is_kept(step: ProveClosed, forgets: bool) -> None:  # noqa: FBT001
    """Whatever Azure does not tell of the other interfaces: the internet was seen to reach this one."""
    goes_off = GoesOff(forgets=forgets)
    answer = Process(goes_off.wire, goes_off).do(step)
    assert isinstance(answer, Failed), answer
    assert "StillOpen" == answer.code
    assert "port 22: let in by wide of web-other (web-1-other)" in answer.detail
    assert "web-1-nic is not proven" in answer.detail


def test_a_vm_that_is_gone_has_nothing_to_prove() -> None:
    """A VM that was deleted since it was planned keeps no group from being tightened."""
    answer = Process(wired()).do(ProveClosedBehind(vm=ResourceId(f"{VM}-gone"), ports=(22,)))
    assert isinstance(answer, Done)
    assert "not there any more" in answer.detail


def test_a_vm_that_runs_is_proven_like_any_other() -> None:
    """An opening at it is a failure all the same."""
    assert isinstance(Process(wired()).do(BEHIND), Failed)


def test_a_deny_assignment_on_the_group_refuses() -> None:
    """What denies the writes whatever roles allow is told before anything is written."""
    process = Process(group_with(denial()))
    wrote = process.writes()
    answer = process.begin(look(OPEN, SHUT))
    assert isinstance(answer, Failed)
    assert ("DenyAssignment", True) == (answer.code, "Deployment Stack" in answer.detail)
    assert wrote == process.writes()


@pytest.mark.parametrize(("wanted", "code"), [(SHUT, ""), (OPEN, "PolicyDenied")])
def test_a_policy_that_denies_the_rule_as_it_is_to_be_refuses(wanted: dict[str, Any], code: str) -> None:
    """Asked is what the rule will say, and not what it says now."""
    field = "Microsoft.Network/networkSecurityGroups/securityRules/sourceAddressPrefix"
    policy = definition({"field": field, "equals": OPEN["sourceAddressPrefix"]})
    answer = Process(group_with(policy, assignment())).begin(look(SHUT, OPEN, wanted))
    assert code == (answer.code if isinstance(answer, Failed) else "")
