"""A just-in-time policy is written as a whole and keeps whoever is in it; what is looked at around it."""

from typing import Any

import pytest
from azure.core.rest import HttpRequest, HttpResponse

from readiness.azure.just_in_time import CHANGED
from readiness.model.ids import ResourceId
from readiness.model.steps import (
    ProveJustInTime,
    ProveOnRequest,
    RemoveJustInTime,
    RequestedAccess,
    SetJustInTime,
)
from readiness.ports.cloud import Done, Failed, Pending, Progress
from readiness.twin.messages import Response
from readiness.twin.transport import TwinResponse
from tests.azure.asking import Before, Process
from tests.azure.test_preflight import lock, permitted
from tests.azure.test_preflight_deny_assignments import denial
from tests.twin.network_seeds import NSG, rule, wired
from tests.twin.seeds import SUBSCRIPTION, VM, Wire, estate, vm

GROUP = VM.partition("/providers/")[0]
POLICY = ResourceId(
    f"{GROUP}/providers/Microsoft.Security/locations/westeurope/jitNetworkAccessPolicies/default"
)
PRICING = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Security/pricings/VirtualMachines"
OTHER = f"{VM.rpartition('/')[0].replace('rg-app', 'RG-APP')}/web-2"
"""Azure spells resource groups in capitals here."""
OURS = (RequestedAccess(vm=ResourceId(VM), ports=(22,)),)
THEIRS = {"id": OTHER, "ports": [{"number": 3389, "protocol": "TCP", "maxRequestAccessDuration": "PT1H"}]}
WRITE = "Microsoft.Security/locations/jitNetworkAccessPolicies/write"
LOOK = ProveJustInTime(vm=POLICY, machines=OURS, creates=False, needed=(WRITE,))
PUT_IN = SetJustInTime(vm=POLICY, machines=OURS, creates=False)
TAKE_OUT = RemoveJustInTime(vm=POLICY, machines=OURS, creates=False)


def wire_with(*seed: dict[str, Any], machines: tuple[dict[str, Any], ...] = (THEIRS,), **more: Any) -> Wire:
    """Return a twin with a policy that names these VMs."""
    return Wire(*estate(policy(*machines), vm("web-2"), *(seed or (defender(),))), **more)


def policy(*machines: dict[str, Any], name: str = "default", state: str = "Succeeded") -> dict[str, Any]:
    """Return a policy that names these VMs."""
    return {
        "id": POLICY.text.replace("/default", f"/{name}"),
        "name": name,
        "type": "Microsoft.Security/locations/jitNetworkAccessPolicies",
        "kind": "Basic",
        "location": "westeurope",
        "properties": {"virtualMachines": [*machines], "requests": [], "provisioningState": state},
    }


def defender(tier: str = "Standard", part: str = "P2") -> dict[str, Any]:
    """Return the Defender plan of the subscription."""
    properties = {"pricingTier": tier, "subPlan": part}
    kind = "Microsoft.Security/pricings"
    return {"id": PRICING, "name": "VirtualMachines", "type": kind, "properties": properties}


def ours(**changes: Any) -> dict[str, Any]:
    """Return what we write of our VM, spelled as Azure may answer it; changes are of its port."""
    port = {
        "number": 22,
        "protocol": "*",
        "allowedSourceAddressPrefix": "*",
        "maxRequestAccessDuration": "PT3H",
    }
    return {"id": VM.upper(), "ports": [port | changes]}


def begun(wire: Wire, step: Any, before: Before | None = None) -> Progress:
    """Begin a step on a twin."""
    return Process(wire, before).begin(step)


def code_of(answer: Progress) -> str:
    """Return the code of a refusal, or nothing."""
    return answer.code if isinstance(answer, Failed) else ""


def said(wire: Wire) -> list[dict[str, Any]]:
    """Return what the policy says of VMs, as the twin has it."""
    found = [one for one in wire.twin.resources() if one["id"].lower() == POLICY.key]
    return [each for one in found for each in one["properties"]["virtualMachines"]]


def test_ours_come_beside_theirs_and_go_alone() -> None:
    """Whoever is in the policy stays letter by letter, and asking twice writes once."""
    wire = wire_with()
    for step, wanted in ((PUT_IN, [OTHER, VM]), (TAKE_OUT, [OTHER])):
        wrote = len(wire.twin.log)
        assert [True, True] == [isinstance(begun(wire, step), Done) for _ in range(2)]
        assert wrote + 1 == len(wire.twin.log)
        assert (wanted, THEIRS) == ([each["id"] for each in said(wire)], said(wire)[0])


def test_a_policy_of_our_own_is_made_and_deleted() -> None:
    """Where there was none one is made, and nothing of it is left behind."""
    wire = Wire(*estate(defender()))
    made = SetJustInTime(vm=POLICY, machines=OURS, creates=True)
    assert isinstance(begun(wire, made), Done)
    assert [VM] == [each["id"] for each in said(wire)]
    assert isinstance(begun(wire, RemoveJustInTime(vm=POLICY, machines=OURS, creates=True)), Done)
    assert POLICY.key not in [one["id"].lower() for one in wire.twin.resources()]


def test_a_policy_that_was_there_stays_though_it_is_empty() -> None:
    """It is somebody else's: nobody but its owner deletes it."""
    wire = wire_with(machines=(ours(),))
    assert isinstance(begun(wire, TAKE_OUT), Done)
    assert POLICY.key in [one["id"].lower() for one in wire.twin.resources()]
    assert [] == said(wire)


@pytest.mark.parametrize(
    "changes",
    [
        {"number": 3389},
        {"maxRequestAccessDuration": "PT1H"},
        {"allowedSourceAddressPrefix": "10.0.0.0/8"},
        {"allowedSourceAddressPrefixes": ["10.0.0.0/8"], "allowedSourceAddressPrefix": None},
        {"protocol": "TCP"},
    ],
    ids=["port", "time", "source", "sources", "protocol"],
)
@pytest.mark.parametrize("step", [LOOK, PUT_IN, TAKE_OUT], ids=["look", "put in", "take out"])
def test_what_somebody_made_of_our_vm_stays(step: Any, changes: dict[str, Any]) -> None:
    """An entry that says something else than we write is somebody's: nothing is written."""
    wire = wire_with(machines=(THEIRS, ours(**changes)))
    answer = begun(wire, step)
    assert (CHANGED, []) == (code_of(answer), [*wire.twin.log])
    assert isinstance(answer, Failed)
    assert "web-1" in answer.detail.lower()


def test_what_azure_spells_otherwise_is_ours() -> None:
    """The case of ids, and values that are left out, change nothing of what is meant."""
    same = ours(protocol=None, allowedSourceAddressPrefix=None, maxRequestAccessDuration="pt3h")
    wire = wire_with(machines=(same, THEIRS))
    assert isinstance(begun(wire, LOOK), Done), "a run that goes on finds its own write"
    assert "already so" == getattr(begun(wire, PUT_IN), "detail", "")


def test_a_policy_at_work_is_waited_for() -> None:
    """What Azure is still changing is looked at again, and not judged half-way."""
    wire = Wire(*estate(policy(THEIRS, state="Updating"), vm("web-2"), defender()))
    for step in (LOOK, PUT_IN, TAKE_OUT):
        answer = begun(wire, step)
        assert isinstance(answer, Pending)
        assert answer.token is None


@pytest.mark.parametrize("given", [defender("Free", ""), defender("Standard", "P1")], ids=["Free", "Plan 1"])
def test_without_plan_two_nothing_is_begun(given: dict[str, Any]) -> None:
    """What the subscription has is told, with who has to change it."""
    answer = begun(wire_with(given), LOOK)
    assert isinstance(answer, Failed)
    assert ("DefenderPlanMissing", True) == (answer.code, "no run does" in answer.detail)


def test_a_plan_that_may_not_be_asked_for_refuses() -> None:
    """What is not known is not taken for there."""

    def answer(request: HttpRequest) -> HttpResponse | None:
        denied = {"error": {"code": "AuthorizationFailed", "message": "no"}}
        return TwinResponse(request, Response(403, denied)) if "/pricings/" in request.url else None

    assert "DefenderPlanUnknown" == code_of(begun(wire_with(), LOOK, answer))


def test_a_vm_in_another_policy_refuses() -> None:
    """A VM is managed by one policy; the other one is named."""
    answer = begun(wire_with(defender(), policy(ours(), name="theirs")), LOOK)
    assert isinstance(answer, Failed)
    assert (CHANGED, True) == (answer.code, "/theirs" in answer.detail)


def test_permissions_and_locks_are_asked_for() -> None:
    """What may not be written, or not be taken back, is told before it is."""
    may_read = permitted({GROUP: [{"actions": ["*/read"]}]})
    answer = begun(wire_with(), LOOK, may_read)
    assert isinstance(answer, Failed)
    assert ("PermissionMissing", True) == (answer.code, WRITE in answer.detail)
    for level, creates, code in (
        ("ReadOnly", False, "ReadOnlyLock"),
        ("CanNotDelete", True, "CanNotDeleteLock"),
        ("CanNotDelete", False, ""),
    ):
        look = ProveJustInTime(vm=POLICY, machines=OURS, creates=creates, needed=(WRITE,))
        seed = [lock(GROUP, level), defender()]
        wire = Wire(*estate(*seed)) if creates else wire_with(*seed)
        assert code == code_of(begun(wire, look)), level


def test_after_a_way_back_none_of_ours_may_be_in_it() -> None:
    """The last look proves it, and writes nothing."""
    back = ProveJustInTime(vm=POLICY, machines=OURS, creates=False, is_back=True)
    assert isinstance(begun(wire_with(), back), Done)
    assert CHANGED == code_of(begun(wire_with(machines=(ours(),)), back))
    assert isinstance(begun(Wire(*estate()), back), Done), "without a policy there is none"


def test_an_older_rule_makes_it_ineffective() -> None:
    """The policy's own rule stands behind one from before: the verdict is the assessment's word for it."""
    proof = ProveOnRequest(vm=ResourceId(VM), ports=(22,))
    wire = wired()
    for open_to, code in (("*", "JustInTimeNotEffective"), ("10.0.0.0/8", "")):
        said = rule(sourceAddressPrefix=open_to)["properties"]
        wire.do("PUT", f"{NSG}/securityRules/ssh", {"properties": said})
        process = Process(wire)
        process.do(SetJustInTime(vm=POLICY, machines=OURS, creates=True))
        answer = process.do(proof)
        assert code == code_of(answer), answer


def test_a_deny_assignment_on_the_policy_refuses() -> None:
    """What denies the write whatever roles allow is told before it is tried."""
    permission = {"actions": ["Microsoft.Security/*"], "notActions": ["*/read"]}
    answer = begun(wire_with(defender(), denial(permission=permission)), LOOK)
    assert isinstance(answer, Failed)
    assert "DenyAssignment" == answer.code
