"""Deny assignments asked before the first effect: what is told is what the write is refused for."""

import base64
import json
from typing import Any

import pytest
from azure.core.credentials import AccessToken

from readiness.azure.connect import Connection, Endpoint
from readiness.azure.perform import AzureCloud
from readiness.errors import DeniedError
from readiness.model.ids import ResourceId
from readiness.model.steps import (
    AssignRole,
    Deallocate,
    PatchVm,
    Preflight,
    RunInGuest,
    SwapOsDisk,
    TakeSnapshot,
    Work,
)
from readiness.ports.cloud import Done, Failed, Progress
from readiness.twin.gates import OBJECT
from tests.azure.asking import Before, Listening, Process
from tests.azure.test_preflight_policies import refusing
from tests.twin.seeds import OS_DISK, SUBSCRIPTION, VM, Wire, deallocated, estate

MACHINE, OS = ResourceId(VM), ResourceId(OS_DISK)
SUB = f"/subscriptions/{SUBSCRIPTION}"
GROUP = f"{SUB}/resourceGroups/rg-app"
ABOVE = "/providers/Microsoft.Management/managementGroups/corp"
EVERYBODY = {"id": "00000000-0000-0000-0000-000000000000", "type": "SystemDefined"}
ME = {"id": OBJECT, "type": "ServicePrincipal"}
SOMEBODY = {"id": "44444444-4444-4444-4444-444444444444", "type": "User"}
A_GROUP = {"id": "55555555-5555-5555-5555-555555555555", "type": "Group"}
WRITES = {
    "actions": ["*/delete", "*/write"],
    "notActions": ["*/read", "Microsoft.Authorization/locks/delete"],
}
STACK = f"{GROUP}/providers/Microsoft.Resources/deploymentStacks/shop"
TAG = PatchVm(vm=MACHINE, properties={"licenseType": "None"})


def denial(scope: str = GROUP, permission: dict[str, Any] | None = None, **properties: Any) -> dict[str, Any]:
    """A seeded deny assignment, as a deployment stack makes them."""
    return {
        "id": f"{scope}/providers/Microsoft.Authorization/denyAssignments/6d266d71",
        "name": "6d266d71",
        "properties": {
            "denyAssignmentName": f"Deny assignment '6d266d71' created by Deployment Stack '{STACK}'.",
            "permissions": [permission or WRITES],
            "principals": [EVERYBODY],
            "excludePrincipals": [],
            "doNotApplyToChildScopes": False,
            "isSystemProtected": True,
            **properties,
        },
    }


class Token:
    """A credential whose token says who is logged in, as Entra's do."""

    def get_token(self, *_: str, **__: Any) -> AccessToken:
        """Return the token."""
        claims = base64.urlsafe_b64encode(json.dumps({"oid": OBJECT.upper()}).encode()).decode().rstrip("=")
        return AccessToken(f"e30.{claims}.x", 4_102_444_800)


def process(*seed: dict[str, Any], before: Before | None = None, is_named: bool = True) -> Process:
    """A process on a twin with these; its token may say who it is, as the twin's own does not."""
    found = Process(Wire(*estate(*seed, machine=deallocated())), before)
    if is_named:
        endpoint = Endpoint(
            base_url="https://twin.invalid",
            credential=Token(),
            make_transport=lambda: Listening(found.wire, found.asked, before),
        )
        found.cloud = AzureCloud(Connection(endpoint))
    return found


def ask(asked: Process, *work: Work) -> Progress:
    """Ask before this work."""
    return asked.begin(Preflight(vm=MACHINE, work=work or (TAG,)))


def is_refused(asked: Process) -> bool:
    """Tell whether the twin refuses the write itself, for a deny assignment."""
    try:
        asked.do(TAG)
    except DeniedError as error:
        return error.code.lower() == "denyassignmentauthorizationfailed"
    return False


CASES: dict[str, tuple[dict[str, Any], bool]] = {
    "on the group": (denial(), True),
    "on the VM": (denial(VM), True),
    "in other letters": (denial(VM.upper()), True),
    "on the subscription": (denial(SUB), True),
    "on a management group": (denial(ABOVE), True),
    "for this identity": (denial(principals=[SOMEBODY, ME]), True),
    "this action": (denial(permission={"actions": ["Microsoft.Compute/virtualMachines/write"]}), True),
    "on the VM alone": (denial(VM, doNotApplyToChildScopes=True), True),
    "on the group alone": (denial(doNotApplyToChildScopes=True), False),
    "on another VM": (denial(f"{VM}1"), False),
    "for somebody else": (denial(principals=[SOMEBODY]), False),
    "this identity is excluded": (denial(excludePrincipals=[SOMEBODY, ME]), False),
    "deletions": (denial(permission={"actions": ["*/delete"]}), False),
    "this action is left out": (
        denial(
            permission={"actions": ["*"], "notActions": ["*/read", "Microsoft.Compute/virtualMachines/*"]}
        ),
        False,
    ),
    "data": (denial(permission={"dataActions": ["*"]}), False),
}


@pytest.mark.parametrize(("seed", "expected"), CASES.values(), ids=CASES)
def test_what_is_refused_beforehand_is_what_the_write_is_refused_for(
    seed: dict[str, Any],
    expected: bool,  # noqa: FBT001
) -> None:
    """The look ahead and the write agree on every deny assignment that is certain."""
    asked = process(seed)
    told = ask(asked)
    assert expected is isinstance(told, Failed), told
    assert expected is is_refused(asked)


def test_a_refusal_names_the_assignment_the_action_and_who_can_help() -> None:
    """Who reads it knows what denies what, where, and whom to ask."""
    told = ask(process(denial()))
    assert isinstance(told, Failed)
    assert "DenyAssignment" == told.code
    assert "created by Deployment Stack" in told.detail
    assert "Microsoft.Compute/virtualMachines/write on web-1" in told.detail
    assert "exclude this identity from its deny settings" in told.detail


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("Deny assignment created by managed application /x", "only its publisher may change"),
        ("Deny assignment 'x' created by Blueprint Assignment '/y'.", "lock of the blueprint's assignment"),
        ("something", "only what made it can take it away"),
    ],
)
def test_the_remedy_follows_from_what_made_it(name: str, remedy: str) -> None:
    """Stacks, managed applications and blueprints are undone in different ways."""
    told = ask(process(denial(denyAssignmentName=name)))
    assert isinstance(told, Failed)
    assert remedy in told.detail


OPEN: dict[str, dict[str, Any]] = {
    "for a group": denial(principals=[A_GROUP]),
    "a group is excluded": denial(excludePrincipals=[A_GROUP]),
    "under a condition": denial(permission={**WRITES, "condition": "@Resource[x] StringEquals 'y'"}),
}


@pytest.mark.parametrize("seed", OPEN.values(), ids=OPEN)
def test_what_entra_or_a_condition_decides_is_not_known(seed: dict[str, Any]) -> None:
    """Who is in a group is not asked: such an assignment is told, and refuses nothing."""
    told = ask(process(seed))
    assert isinstance(told, Done)
    assert "not known: whether the deny assignment Deny assignment '6d266d71'" in told.detail


def test_who_does_not_know_who_it_is_refuses_only_what_means_everybody() -> None:
    """Where the token does not say who is logged in, names and exclusions leave it open."""
    assert isinstance(ask(process(denial(), is_named=False)), Failed)
    for seed in (denial(principals=[SOMEBODY]), denial(excludePrincipals=[SOMEBODY])):
        told = ask(process(seed, is_named=False))
        assert isinstance(told, Done)
        assert "it depends on who is logged in" in told.detail


SNAPSHOTS = {"actions": ["Microsoft.Compute/snapshots/write"]}
ELSEWHERE: list[tuple[Work, dict[str, Any], str]] = [
    (TakeSnapshot(vm=MACHINE, disk=OS), denial(GROUP, SNAPSHOTS), "snapshots/write on rg-app"),
    (TakeSnapshot(vm=MACHINE, disk=OS), denial(OS_DISK, {"actions": ["*"]}), "on web-1-os"),
    (
        AssignRole(vm=MACHINE, role="Reader", scope=ResourceId(GROUP)),
        denial(GROUP, {"actions": ["Microsoft.Authorization/*/write"]}),
        "roleAssignments/write on rg-app",
    ),
    (Deallocate(vm=MACHINE), denial(VM, {"actions": ["*/deallocate/action"]}), "deallocate/action on web-1"),
]


@pytest.mark.parametrize(("step", "seed", "words"), ELSEWHERE)
def test_each_action_is_looked_for_where_it_is_needed(step: Work, seed: dict[str, Any], words: str) -> None:
    """Disks, groups and scopes of roles are looked at besides the VM."""
    told = ask(process(seed), step)
    assert isinstance(told, Failed)
    assert words in told.detail


ONLY_HERE: list[tuple[Work, str, bool]] = [
    (TakeSnapshot(vm=MACHINE, disk=OS), GROUP, False),
    (Deallocate(vm=MACHINE), VM, True),
    (RunInGuest(vm=MACHINE, name="look", script="true"), VM, False),
]


@pytest.mark.parametrize(("step", "scope", "expected"), ONLY_HERE)
def test_what_holds_on_a_scope_alone_refuses_nothing_within_it(
    step: Work,
    scope: str,
    expected: bool,  # noqa: FBT001
) -> None:
    """A snapshot in a group and a command in a VM lie below: what spares children lets them pass."""
    seed = denial(scope, {"actions": ["*"], "notActions": ["*/read"]}, doNotApplyToChildScopes=True)
    told = ask(process(seed), step)
    assert expected is isinstance(told, Failed), told


def test_what_comes_back_is_looked_at_too() -> None:
    """A deny assignment that keeps the way back shut blocks the VM before it needs one."""
    seed = denial(GROUP, {"actions": ["Microsoft.Compute/disks/write"]})
    step = Preflight(vm=MACHINE, work=(Deallocate(vm=MACHINE),), spare=(SwapOsDisk(vm=MACHINE, disk=OS),))
    assert isinstance(process(seed).begin(step), Failed)


def test_who_may_not_ask_the_subscription_asks_the_group() -> None:
    """A role on the group alone still shows what is denied there, and the gap is told."""
    asked = process(
        denial(), before=refusing(f"{SUBSCRIPTION}/providers/Microsoft.Authorization/denyAssignments")
    )
    told = ask(asked)
    assert isinstance(told, Failed)
    assert "not known: deny assignments on the subscription" in told.detail
    nothing = ask(process(denial(), before=refusing("/denyAssignments")))
    assert isinstance(nothing, Done)
    assert "not known: deny assignments on rg-app, since asking is not allowed" in nothing.detail
