"""Openings: which rules let the internet reach a VM's management ports, and which of them are its own."""

import pytest
from msgspec.structs import replace

from readiness.azure.wire_network import network_security_group as read_group
from readiness.model.access import Access, Subnet
from readiness.model.codec import to_builtins
from readiness.model.context import Choice, LoginChoice, LoginMethod, Match, TargetEntry
from readiness.model.estate import Estate
from readiness.model.ids import ResourceId
from readiness.model.network import Nic, SecurityRule
from readiness.model.plan import Plan, PlanAction
from readiness.model.playbook import Opening
from readiness.model.virtual_machine import OsFamily, OsProfile, Power, VirtualMachine
from readiness.planner.openings import openings_of, properties_of
from readiness.rules.not_read import EXTENSIONS
from tests.builders import (
    GROUP,
    PUBLIC_IP,
    SUBNET,
    SUBNET_GROUP,
    estate,
    ip_configuration,
    nic,
    public_ip,
    rid,
    security_group,
    security_rule,
    vm,
)
from tests.planner.plans import application, build, context, only_left_out, only_planned

OTHER = rid("Microsoft.Network/networkInterfaces", "other-nic")
PUBLIC = ip_configuration(public_ip=PUBLIC_IP)
GUARDED = nic(ip_configurations=(PUBLIC,), network_security_group=GROUP)
SSH = {
    "protocol": "Tcp",
    "access": "Allow",
    "priority": 100,
    "direction": "Inbound",
    "sourceAddressPrefix": "*",
    "destinationAddressPrefix": "*",
    "sourcePortRange": "*",
    "destinationPortRange": "22",
}


def exposed(*rules: SecurityRule, nics: tuple[Nic, ...] = (GUARDED,), **more: object) -> Estate:
    """Return an estate whose VM has a public address, and a group of its own with these rules."""
    groups = more.pop("security_groups", [security_group(*rules)])
    return estate(vm(), nics=nics, public_ips=[public_ip()], security_groups=groups, **more)


def rule_id(name: str, group: ResourceId = GROUP) -> ResourceId:
    """Return a rule's id."""
    return ResourceId(f"{group}/securityRules/{name}")


def test_the_rule_that_lets_in_is_the_opening() -> None:
    """It is told with all it says, the ports it opens, and the free priorities before it."""
    found = openings_of(
        vm(), exposed(security_rule(110), security_rule(109, name="web", destination_ports=("443",)))
    )
    properties = SSH | {"priority": 110}
    assert (
        Opening(rule=rule_id("rule-110"), properties=properties, ports=(22,), shared=False, spare=(107, 108)),
    ) == found


def test_what_does_not_let_in_is_none() -> None:
    """Denied before, closed by another group, or open to a few named addresses: nothing has to be closed."""
    deny = security_rule(90, allows=False)
    few = security_rule(100, sources=("203.0.113.0/24",))
    behind = {"subnets": {SUBNET: SUBNET_GROUP}}
    both = [security_group(security_rule()), security_group(group=SUBNET_GROUP)]
    for one in (exposed(deny, security_rule()), exposed(few), exposed(security_groups=both, **behind)):
        assert () == openings_of(vm(), one)
    assert () == openings_of(vm(), estate(vm()))


def test_a_group_of_its_own_is_enough() -> None:
    """Where the interface's group can be tightened, the one before the subnet is left as it is."""
    both = [security_group(security_rule()), security_group(security_rule(200), group=SUBNET_GROUP)]
    found = openings_of(vm(), exposed(security_groups=both, subnets={SUBNET: SUBNET_GROUP}))
    assert [(rule_id("rule-100"), False)] == [(one.rule, one.shared) for one in found]


@pytest.mark.parametrize(
    "shared",
    [
        exposed(
            security_groups=[security_group(security_rule(), group=SUBNET_GROUP)],
            subnets={SUBNET: SUBNET_GROUP},
            nics=(nic(ip_configurations=(PUBLIC,)),),
        ),
        exposed(security_rule(), nics=(GUARDED, replace(GUARDED, id=OTHER, ip_configurations=()))),
    ],
    ids=["before a subnet", "at another VM's interface"],
)
def test_a_group_that_others_hang_on_is_shared(shared: Estate) -> None:
    """It is told apart: tightening it is an action of its own."""
    (found,) = openings_of(vm(), shared)
    assert found.shared


def test_rules_of_one_group_get_priorities_of_their_own() -> None:
    """No two openings are offered the same free priority, and none is offered one below 100."""
    rules = (security_rule(102), security_rule(103, destination_ports=("3389",)))
    found = openings_of(vm(), exposed(*rules))
    assert [(100, 101), ()] == [one.spare for one in found]


def test_one_rule_may_open_several_ports() -> None:
    """Every management port that a rule opens is told."""
    (found,) = openings_of(vm(), exposed(security_rule(destination_ports=("22-3400",))))
    assert (22, 3389) == found.ports


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"description": "for a while"},
        {"sourceAddressPrefix": None, "sourceAddressPrefixes": ["10.0.0.0/8", "203.0.113.7"]},
        {"destinationPortRange": None, "destinationPortRanges": ["22", "3389"]},
        {
            "sourceAddressPrefix": None,
            "sourceApplicationSecurityGroups": [{"id": str(rid("Microsoft.Network/asgs", "a"))}],
        },
        {"access": "Deny", "direction": "Outbound"},
    ],
)
def test_a_rule_is_written_as_it_was_read(changes: dict[str, object]) -> None:
    """Nothing that Azure lets people set of a rule is lost on the way back to it."""
    said = {key: value for key, value in (SSH | changes).items() if value is not None}
    group = read_group(
        {"id": str(GROUP), "properties": {"securityRules": [{"name": "r", "properties": said}]}}
    )
    assert said == properties_of(group.rules[0])


# In a plan ------------------------------------------------------------------------------------------------

KEYS = {
    "context": context(application("shop", "vm1"), choice=Choice(login=LoginChoice(method=LoginMethod.KEY))),
    "listed": [EXTENSIONS],
}
WITH_PASSWORD = vm(os_profile=OsProfile(computer_name="vm1", password_disabled=False, agent_provisioned=True))
ALLOWED = LoginChoice(method=LoginMethod.KEY, allow_from=("203.0.113.0/28",))
WINDOWS = vm(os_family=OsFamily.WINDOWS, os_profile=OsProfile(computer_name="vm1", agent_provisioned=True))
OPEN = {
    "nics": [GUARDED],
    "public_ips": [public_ip()],
    "security_groups": [security_group(security_rule(destination_ports=("3389",), sources=("Internet",)))],
    "context": context(application("shop", "vm1"), choice=Choice(login=ALLOWED)),
    "access": Access(subnets={SUBNET: Subnet(id=SUBNET)}),
}


def test_a_closure_is_planned_with_its_preparation() -> None:
    """A VM that was set up with a password is planned without any outage: proof before, closure after."""
    one = only_planned(build(estate(WITH_PASSWORD, **KEYS)))
    assert (None, ("passwordless",)) == (one.outage, one.actions)
    assert ["prepare.run-in-guest:prove-logins"] == [step.name for step in one.preparation]
    assert ["close.run-in-guest:prove-logins", "close.run-in-guest:close-passwords"] == [
        step.name for step in one.closure
    ]


def test_a_closure_alone_is_planned() -> None:
    """A Windows VM has nothing to prepare: its rule is narrowed, and that is proven."""
    one = only_planned(build(estate(WINDOWS, **OPEN)))
    assert () == one.preparation
    assert ["close.set-security-rule:rule-100", "close.prove-closed:3389"] == [
        step.name for step in one.closure
    ]
    assert ALLOWED == one.choice.login


def test_what_runs_inside_is_not_planned_for_a_vm_that_is_off() -> None:
    """Nobody can be asked inside a VM that is off: its owner starts it."""
    off = replace(WITH_PASSWORD, power=Power.DEALLOCATED)
    assert "NotRunning" == only_left_out(build(estate(off, **KEYS))).reason


# Shared groups --------------------------------------------------------------------------------------------

INTO_SUBNET = security_rule(destination_ports=("3389",), sources=("Internet",))
BEFORE_SUBNET = OPEN | {
    "subnets": {SUBNET: SUBNET_GROUP},
    "security_groups": [security_group(INTO_SUBNET, group=SUBNET_GROUP)],
}


def machine(name: str, *, is_public: bool = True) -> tuple[VirtualMachine, Nic]:
    """Return a VM with an interface of its own in the subnet, with a public address or none."""
    card = rid("Microsoft.Network/networkInterfaces", f"{name}-nic")
    where = ip_configuration(public_ip=PUBLIC_IP) if is_public else ip_configuration()
    profile = OsProfile(computer_name=name, agent_provisioned=True)
    own = vm(name=name, os_family=OsFamily.WINDOWS, os_profile=profile)
    return replace(own, nics=(card,)), nic(id=card, ip_configurations=(where,))


def behind_one_group(*machines: tuple[VirtualMachine, Nic], **more: object) -> Plan:
    """Return the plan of VMs behind one group before their subnet."""
    facts = BEFORE_SUBNET | {"nics": [card for _, card in machines]} | more
    return build(estate(*(one for one, _ in machines), **facts))


def action_of(plan: Plan) -> PlanAction:
    """Return the plan's only action on a shared group."""
    (found,) = (one for one in plan.closure if one.kind == "security-group")
    return found


def test_a_shared_group_alone_is_work_too() -> None:
    """A VM whose only opening is in a shared group is planned: it has no steps, and the group has some."""
    plan = behind_one_group(machine("vm1"))
    one, action = only_planned(plan), action_of(plan)
    assert ((), (), None) == (one.preparation, one.closure, one.outage)
    assert ["close.set-security-rule:rule-100", "close.prove-closed-behind:vm1"] == [
        step.name for step in action.steps
    ]
    assert (True, ("passwordless",), (one.id,), ()) == (
        action.automatic,
        action.actions,
        action.vms,
        action.others,
    )


def test_whoever_loses_the_way_in_is_named() -> None:
    """A VM that nothing was chosen for is named with its owner; one that nobody reaches loses nothing."""
    made = context(application("shop", "vm1", "vm2"), choice=Choice())
    made = replace(made, targets=(TargetEntry(match=Match(names=("vm1",)), choice=Choice(login=ALLOWED)),))
    plan = behind_one_group(machine("vm1"), machine("vm2"), machine("vm3", is_public=False), context=made)
    action = action_of(plan)
    assert ["vm2"] == [one.name for one in action.others]
    assert "vm2 is not closed by this plan, and loses the way in: shop owner" in action.consent[0]
    assert "Whatever else stands in subnet" in action.consent[1]


def test_different_wishes_are_left_to_people() -> None:
    """Where two VMs are to be reached from different addresses, no rule of the group suits both."""
    made = context(application("shop", "vm1", "vm2"), choice=Choice(login=ALLOWED))
    other = replace(ALLOWED, allow_from=("198.51.100.0/28",))
    entry = TargetEntry(match=Match(names=("vm2",)), choice=Choice(login=other))
    plan = behind_one_group(
        machine("vm1"), machine("vm2"), context=replace(made, targets=(*made.targets, entry))
    )
    action = action_of(plan)
    assert (False, ()) == (action.automatic, action.steps)
    assert ["vm1", "vm2"] == [one.name for one in action.vms]


def test_without_room_before_a_rule_it_is_left_to_people() -> None:
    """A rule that opens other ports, too, needs free priorities before it."""
    full = security_group(security_rule(100, destination_ports=("3389-8443",)), group=SUBNET_GROUP)
    assert () == action_of(behind_one_group(machine("vm1"), security_groups=[full])).steps


def test_a_plan_without_shared_groups_keeps_its_digest() -> None:
    """What only an action on a shared group says is left out of others: older plans stay what they are."""
    made = PlanAction(
        key="k",
        kind="backup",
        title="t",
        target=GROUP,
        shared=False,
        vms=(),
        waves=(),
        owner="o",
        due=None,
        automatic=False,
    )
    known = {"key", "kind", "title", "target", "shared", "vms", "waves", "owner", "due", "automatic"}
    assert known == set(to_builtins(made))
