"""Just-in-time policies of a plan: which VMs are put into which, and what is left to people, and why."""

from typing import Any

import pytest
from msgspec.structs import replace

from readiness.model.access import Access, JitAccess, Subnet
from readiness.model.context import Choice, LoginChoice, LoginMethod, ManagementAccess
from readiness.model.ids import ResourceId
from readiness.model.monitoring import DefenderPlan
from readiness.model.plan import Plan, PlanAction
from readiness.model.steps import SetJustInTime
from readiness.planner.just_in_time import POLICIES
from tests.builders import SUBNET, SUBNET_GROUP, estate, rid, security_group, vm_id
from tests.planner.plans import application, build, context
from tests.planner.test_openings import INTO_SUBNET, OPEN, machine

ON_REQUEST = LoginChoice(
    method=LoginMethod.KEY,
    allow_from=("203.0.113.0/28",),
    ports=(3389,),
    management_access=ManagementAccess.JUST_IN_TIME,
)
DEFAULT = rid("Microsoft.Security/locations", "westeurope/jitNetworkAccessPolicies/default")
SUBSCRIPTION = f"/subscriptions/{DEFAULT.subscription}"
PLAN = ResourceId(f"{SUBSCRIPTION}/providers/Microsoft.Security/pricings/VirtualMachines")


def planned(
    *names: str,
    choice: LoginChoice = ON_REQUEST,
    said: tuple[JitAccess, ...] = (),
    policies: tuple[ResourceId, ...] = (),
    **more: Any,
) -> Plan:
    """Return the plan of VMs behind one open group before their subnet."""
    made = [machine(name) for name in names or ("vm1", "vm2")]
    access = Access(subnets={SUBNET: Subnet(id=SUBNET)}, just_in_time=said, just_in_time_policies=policies)
    facts = {
        **OPEN,
        "nics": [card for _, card in made],
        "subnets": {SUBNET: SUBNET_GROUP},
        "security_groups": [security_group(INTO_SUBNET, group=SUBNET_GROUP)],
        "context": context(application("shop", *(one.name for one, _ in made)), choice=Choice(login=choice)),
        "access": access,
        "listed": [POLICIES],
        **more,
    }
    return build(estate(*(one for one, _ in made), **facts))


def policies_of(plan: Plan) -> list[PlanAction]:
    """Return the plan's actions on just-in-time policies."""
    return [one for one in plan.closure if one.kind == "just-in-time-policy"]


def step_of(action: PlanAction) -> SetJustInTime:
    """Return what an action writes."""
    (found,) = (each.step for each in action.steps if isinstance(each.step, SetJustInTime))
    return found


def test_without_the_choice_there_is_none() -> None:
    """What closes ports is the usual, and a plan of it says nothing of policies."""
    usual = LoginChoice(method=LoginMethod.KEY, allow_from=ON_REQUEST.allow_from, ports=ON_REQUEST.ports)
    plan = planned(choice=usual)
    assert [] == policies_of(plan)
    assert ["security-group"] == [one.kind for one in plan.closure if one.shared]


def test_a_policy_is_written_once_for_all_of_its_vms() -> None:
    """The group's own action stands before it; both are for the same VMs, each with its approval."""
    plan = planned()
    (action,) = policies_of(plan)
    assert ["close.set-just-in-time", "close.prove-on-request:vm1", "close.prove-on-request:vm2"] == [
        each.name for each in action.steps
    ]
    assert (DEFAULT, True, ("passwordless",), "rg-app/default") == (
        action.target,
        action.shared and action.automatic,
        action.actions,
        action.name,
    )
    assert (True, ((3389,), (3389,))) == (
        step_of(action).creates,
        tuple(each.ports for each in step_of(action).machines),
    )
    assert ["security-group"] == [one.kind for one in plan.closure if one.shared and one is not action]
    assert any("no etag" in sentence for sentence in action.consent)


def test_the_policy_of_the_place_is_taken() -> None:
    """One that is there is written, the usual one before others; who is in it stays, and is named."""
    other = JitAccess(policy=DEFAULT, vm=vm_id("bystander"), ports=(22,))
    (action,) = policies_of(planned(said=(other,)))
    assert not step_of(action).creates
    assert "In the policy already, and left as they are: bystander" in action.consent
    theirs = ResourceId(DEFAULT.text.replace("/default", "/theirs"))
    for known, wanted in (((theirs,), theirs), ((theirs, DEFAULT), DEFAULT)):
        (action,) = policies_of(planned(policies=known))
        assert (wanted, False) == (action.target, step_of(action).creates), "one without VMs counts, too"
    elsewhere = ResourceId(DEFAULT.text.replace("westeurope", "northeurope"))
    (action,) = policies_of(planned(policies=(elsewhere,)))
    assert (DEFAULT, True) == (action.target, step_of(action).creates)


def test_who_is_in_a_policy_already_is_left_there() -> None:
    """With all ports there is nothing to do; with others a person decides."""
    has_all = JitAccess(policy=DEFAULT, vm=vm_id("vm1"), ports=(22, 3389))
    (action,) = policies_of(planned(said=(has_all,)))
    assert [vm_id("vm2")] == list(action.vms)
    (by_hand, action) = sorted(policies_of(planned(said=(replace(has_all, ports=(22,)),))), key=len_of_steps)
    assert (False, (vm_id("vm1"),), (vm_id("vm2"),)) == (by_hand.automatic, by_hand.vms, action.vms)
    assert "vm1: default names it already, without 3389: its owner adds them" in by_hand.title
    assert by_hand.key != action.key


def len_of_steps(action: PlanAction) -> int:
    """Return how many steps an action has."""
    return len(action.steps)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"listed": []}, "nobody read whether a policy names it"),
        ({"posture": [DefenderPlan(id=PLAN, tier="Free")]}, "lacks Defender for Servers Plan 2"),
        (
            {"posture": [DefenderPlan(id=PLAN, tier="Standard", plan="P1")]},
            "lacks Defender for Servers Plan 2",
        ),
    ],
)
def test_what_stands_in_the_way_is_left_to_people(more: dict[str, Any], words: str) -> None:
    """The action has no steps then, and says of each VM why."""
    (action,) = policies_of(planned(**more))
    assert (False, (), (vm_id("vm1"), vm_id("vm2"))) == (action.automatic, action.steps, action.vms)
    assert 2 == action.title.count(words), action.title


@pytest.mark.parametrize(
    "posture",
    [
        [DefenderPlan(id=PLAN, tier="Standard", plan="P2")],
        [DefenderPlan(id=ResourceId(f"{vm_id('vm1')}/providers/Microsoft.Security/pricings/x"), tier="Free")],
        [],
    ],
    ids=["it has the plan", "of one VM", "nobody read it"],
)
def test_what_is_not_known_is_asked_by_the_run(posture: list[DefenderPlan]) -> None:
    """A Defender plan that was not read is looked for right before the write."""
    assert policies_of(planned(posture=posture))[0].automatic


def test_names_that_are_too_long_are_left_to_people() -> None:
    """Azure allows the names of a policy and of a VM only so many characters together."""
    (by_hand, action) = sorted(policies_of(planned("vm1", "v" * 50)), key=len_of_steps)
    assert (("v" * 50,), ("vm1",)) == tuple(tuple(vm.name for vm in one.vms) for one in (by_hand, action))
