"""Just-in-time policies of a plan: which of its VMs are to be put into which, or why a person has to do it.

A VM goes into the policy of its resource group and region, a new one where there is none. One that a policy
names already, with all that was chosen, needs nothing; one that it names with other ports is left to people,
since what a policy says of a VM is somebody's decision. What nobody read is left to people as well.
"""

from collections import defaultdict
from collections.abc import Sequence

from msgspec import Struct

from readiness.model.context import LoginChoice, ManagementAccess
from readiness.model.estate import Estate
from readiness.model.ids import ResourceId
from readiness.model.monitoring import DefenderPlan
from readiness.model.plan import PlannedVm
from readiness.model.virtual_machine import VirtualMachine
from readiness.planner.openings import groups_before

POLICIES = "Microsoft.Security/locations/jitNetworkAccessPolicies"
_USUAL = "default"
"""What Azure's portal calls the policy of a resource group and region."""
_LONGEST = 56
"""Characters that the names of a policy and of a VM in it may have together."""


class PlannedPolicy(Struct, frozen=True, kw_only=True):
    """A policy, and what a plan wants of it."""

    id: ResourceId
    creates: bool
    ports: dict[ResourceId, tuple[int, ...]]
    """By VM that is put into it, the ports that open on request."""
    by_hand: dict[ResourceId, str]
    """By VM that a person has to put into it, why."""
    others: tuple[ResourceId, ...]
    """VMs that are in it already, and stay as they are."""


def planned_policies(vms: Sequence[PlannedVm], estate: Estate) -> tuple[PlannedPolicy, ...]:
    """Return the policies that planned VMs are to be put into, each once."""
    ports: dict[ResourceId, dict[ResourceId, tuple[int, ...]]] = defaultdict(dict)
    by_hand: dict[ResourceId, dict[ResourceId, str]] = defaultdict(dict)
    for planned in vms:
        choice, vm = planned.choice.login, estate.vm(planned.id)
        if choice is None or vm is None:
            continue
        if choice.management_access is not ManagementAccess.JUST_IN_TIME or _has_all(vm, choice, estate):
            continue
        policy = _policy_for(vm, estate)
        obstacle = _obstacle(vm, choice, policy, estate)
        if obstacle:
            by_hand[policy][vm.id] = obstacle
        else:
            ports[policy][vm.id] = tuple(sorted(choice.ports))
    return tuple(
        PlannedPolicy(
            id=policy,
            creates=policy not in estate.access.just_in_time_policies,
            ports=dict(sorted(ports[policy].items())),
            by_hand=dict(sorted(by_hand[policy].items())),
            others=tuple(sorted({one.vm for one in estate.access.just_in_time if one.policy == policy})),
        )
        for policy in sorted({*ports, *by_hand})
    )


def _policy_for(vm: VirtualMachine, estate: Estate) -> ResourceId:
    """Return the policy of a VM's group and region; the usual one where there are several, or none."""
    place = f"/subscriptions/{vm.id.subscription}/resourceGroups/{vm.id.resource_group}/providers/"
    usual = ResourceId(f"{place}Microsoft.Security/locations/{vm.location}/jitNetworkAccessPolicies/{_USUAL}")
    known = sorted(one for one in estate.access.just_in_time_policies if one.parent == usual.parent)
    return usual if usual in known or not known else known[0]


def _managed(vm: VirtualMachine, estate: Estate) -> set[int]:
    return {port for entry in estate.access.just_in_time_for(vm.id) for port in entry.ports}


def _has_all(vm: VirtualMachine, choice: LoginChoice, estate: Estate) -> bool:
    return set(choice.ports) <= _managed(vm, estate)


def _obstacle(vm: VirtualMachine, choice: LoginChoice, policy: ResourceId, estate: Estate) -> str:
    """Return why no run puts a VM into a policy; empty where one does."""
    named = estate.access.just_in_time_for(vm.id)
    if named:
        lacking = ", ".join(str(port) for port in sorted(set(choice.ports) - _managed(vm, estate)))
        return f"{named[0].policy.name} names it already, without {lacking}: its owner adds them"
    if not estate.was_listed(POLICIES, vm.id.subscription):
        return f"nobody read whether a policy names it: collect '{POLICIES}'"
    if not groups_before(vm, estate):
        return "no security group was seen before it, into which the rules would be written"
    if len(policy.name) + len(vm.name) > _LONGEST:
        return f"its name and that of the policy have more than {_LONGEST} characters together"
    return _without_plan_two(vm, estate)


def _without_plan_two(vm: VirtualMachine, estate: Estate) -> str:
    """Return that the subscription is known to lack what a policy needs; the run asks in any case."""
    own = f"/subscriptions/{vm.id.subscription}/providers/"
    for plan in estate.posture.within(DefenderPlan, vm.id.subscription):
        # A VM's own plan may depart from that of its subscription, and is none of these two.
        is_two = plan.is_on and (plan.plan or "").upper() == "P2"
        if plan.tier is not None and not is_two and plan.id.key.startswith(own):
            return "its subscription lacks Defender for Servers Plan 2, which is never switched on unasked"
    return ""
