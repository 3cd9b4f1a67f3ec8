"""Policies asked before the first effect: what is refused beforehand is what the write is refused for."""

from datetime import UTC, datetime
from typing import Any

import pytest
from azure.core.rest import HttpRequest, HttpResponse

from readiness.errors import DeniedError
from readiness.model.disk import Encryption, EncryptionType
from readiness.model.ids import ResourceId
from readiness.model.steps import (
    AssignIdentity,
    Deallocate,
    InstallExtension,
    PatchVm,
    Preflight,
    RunInGuest,
    SetDiskEncryption,
    SetSecurityRule,
    Start,
    TakeLease,
    TakeSnapshot,
    TryEncryption,
    Work,
)
from readiness.ports.cloud import Done, Failed, Progress
from readiness.twin.messages import Response
from readiness.twin.transport import TwinResponse
from tests.azure.asking import Before, Process
from tests.twin.seeds import (
    DATA_DISK,
    KEY,
    OS_DISK,
    SUBSCRIPTION,
    VM,
    Wire,
    deallocated,
    disk,
    estate,
    vm,
)

MACHINE, OS, DATA = ResourceId(VM), ResourceId(OS_DISK), ResourceId(DATA_DISK)
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-app"
POLICIES = "providers/Microsoft.Authorization"
CUSTOMER = Encryption(type=EncryptionType.CUSTOMER_KEY, disk_encryption_set=ResourceId(KEY))
LEASE = TakeLease(vm=MACHINE, until=datetime(2026, 11, 29, tzinfo=UTC))
NSG = f"{GROUP}/providers/Microsoft.Network/networkSecurityGroups/nsg"
RULE = ResourceId(f"{NSG}/securityRules/ssh")
TRUSTED = {"securityType": "TrustedLaunch", "uefiSettings": {"secureBootEnabled": True, "vTpmEnabled": True}}
OUTAGE: tuple[Work, ...] = (
    LEASE,
    Deallocate(vm=MACHINE),
    TakeSnapshot(vm=MACHINE, disk=OS),
    TakeSnapshot(vm=MACHINE, disk=DATA),
    PatchVm(vm=MACHINE, properties={"securityProfile": TRUSTED}),
    SetDiskEncryption(vm=MACHINE, disk=OS, encryption=CUSTOMER),
    Start(vm=MACHINE),
)


def definition(rule: dict[str, Any], effect: str = "Deny") -> dict[str, Any]:
    """A seeded custom policy."""
    return {
        "id": f"/subscriptions/{SUBSCRIPTION}/{POLICIES}/policyDefinitions/own",
        "name": "own",
        "properties": {
            "mode": "All",
            "parameters": {"effect": {"type": "String", "defaultValue": effect}},
            "policyRule": {"if": rule, "then": {"effect": "[parameters('effect')]"}},
        },
    }


def assignment(scope: str = GROUP, definition_id: str = "", **properties: Any) -> dict[str, Any]:
    """A seeded assignment of it, or of another."""
    own = f"/subscriptions/{SUBSCRIPTION}/{POLICIES}/policyDefinitions/own"
    return {
        "id": f"{scope}/{POLICIES}/policyAssignments/held",
        "name": "held",
        "properties": {
            "policyDefinitionId": definition_id or own,
            "displayName": "Only ours",
            "scope": scope,
            **properties,
        },
    }


def ruled(rule: dict[str, Any], machine: dict[str, Any] | None = None, **properties: Any) -> Process:
    """A process on a twin where a policy denies."""
    found = (definition(rule), assignment(**properties))
    return Process(Wire(*estate(*found, machine=machine or deallocated())))


def ask(process: Process, *work: Work, spare: tuple[Work, ...] = ()) -> Progress:
    """Ask before this work."""
    return process.begin(Preflight(vm=MACHINE, work=work or OUTAGE, spare=spare))


def refusal_of(process: Process, step: Work) -> str:
    """Return the code for which Azure refuses a write; the throwaway disk's is an answer and no error."""
    try:
        ended = process.do(step)
    except DeniedError as error:
        return error.code
    assert isinstance(ended, Failed)
    return ended.code


OF_TYPE = {
    "machine": {"field": "type", "equals": "Microsoft.Compute/virtualMachines"},
    "disk": {"field": "type", "equals": "Microsoft.Compute/disks"},
    "snapshot": {"field": "type", "equals": "Microsoft.Compute/snapshots"},
}
SECURITY = "Microsoft.Compute/virtualMachines/securityProfile"
RULES: list[tuple[str, dict[str, Any], Work, str]] = [
    (
        "the machine as it is to be",
        {"field": f"{SECURITY}.securityType", "equals": "TrustedLaunch"},
        OUTAGE[4],
        "the VM web-1",
    ),
    ("the tag of the lease", {"field": "tags['readiness-lease']", "exists": True}, LEASE, "the VM web-1"),
    ("snapshots at all", OF_TYPE["snapshot"], OUTAGE[2], "the snapshot of web-1-os"),
    (
        "a tag that ours lack",
        {"allOf": [OF_TYPE["snapshot"], {"field": "tags['owner']", "exists": False}]},
        OUTAGE[3],
        "the snapshot of web-1-data",
    ),
    (
        "another key",
        {"field": "Microsoft.Compute/disks/encryption.diskEncryptionSetId", "equals": KEY},
        OUTAGE[5],
        "the disk web-1-os",
    ),
    (
        "small disks",
        {"field": "Microsoft.Compute/disks/diskSizeGB", "equals": 4},
        TryEncryption(vm=MACHINE, encryption=CUSTOMER),
        "the throwaway disk",
    ),
]


@pytest.mark.parametrize(("rule", "step", "named"), [case[1:] for case in RULES], ids=[c[0] for c in RULES])
def test_what_is_refused_beforehand_is_what_the_write_is_refused_for(
    rule: dict[str, Any], step: Work, named: str
) -> None:
    """The answer to the question and the answer to the write agree: with the policy, and without."""
    process = ruled(rule)
    told = ask(process, step)
    assert isinstance(told, Failed)
    assert "PolicyDenied" == told.code
    assert "policy 'Only ours' (held)" in told.detail
    assert named in told.detail
    assert "exempted" in told.detail
    assert "requestdisallowedbypolicy" == refusal_of(process, step).lower()
    free = Process(Wire(*estate(machine=deallocated())))
    assert isinstance(ask(free, step), Done)
    assert isinstance(free.do(step), Done)


@pytest.mark.parametrize(
    ("rule", "step", "named"),
    [
        (
            {"field": "Microsoft.Compute/virtualMachines/extensions/publisher", "equals": "Contoso"},
            InstallExtension(vm=MACHINE, name="agent", publisher="Contoso", kind="Agent", version="1.0"),
            "the extension agent",
        ),
        (
            {"field": "type", "equals": "Microsoft.Compute/virtualMachines/runCommands"},
            RunInGuest(vm=MACHINE, name="look", script="true"),
            "a run command",
        ),
        (
            {"field": "Microsoft.Network/networkSecurityGroups/securityRules/access", "equals": "Deny"},
            SetSecurityRule(vm=MACHINE, rule=RULE, properties={"access": "Deny"}),
            "the security rule ssh",
        ),
    ],
)
def test_children_are_asked_about_as_well(rule: dict[str, Any], step: Work, named: str) -> None:
    """Extensions, commands and security rules are judged as what they are children of says where they are."""
    told = ask(ruled(rule), step)
    assert isinstance(told, Failed)
    assert named in told.detail


def test_each_state_of_the_machine_is_asked_about() -> None:
    """A staged Secure Boot writes twice: a policy that denies only the first is found."""
    off = {"securityType": "TrustedLaunch", "uefiSettings": {"secureBootEnabled": False}}
    staged = (PatchVm(vm=MACHINE, properties={"securityProfile": off}), OUTAGE[4])
    rule = {"field": f"{SECURITY}.uefiSettings.secureBootEnabled", "equals": "false"}
    assert isinstance(ask(ruled(rule), *staged), Failed)
    assert isinstance(ask(ruled(rule), OUTAGE[4]), Done)


def test_what_is_denied_only_on_the_way_back_is_told() -> None:
    """A weaker setting that a policy denies refuses nothing: it is told, since it may never be tried."""
    off = PatchVm(vm=MACHINE, properties={"securityProfile": {"uefiSettings": {"secureBootEnabled": False}}})
    rule = {"field": f"{SECURITY}.uefiSettings.secureBootEnabled", "equals": "false"}
    told = ask(ruled(rule), OUTAGE[4], spare=(off,))
    assert isinstance(told, Done)
    assert "would deny the weaker setting of the VM web-1" in told.detail


def test_one_policy_is_told_once() -> None:
    """A policy that denies several things is named once, with all of them."""
    told = ask(ruled({"anyOf": [OF_TYPE["snapshot"], OF_TYPE["disk"]]}))
    assert isinstance(told, Failed)
    assert 1 == told.detail.count("Only ours")
    for each in ("the snapshot of web-1-os", "the snapshot of web-1-data", "the disk web-1-os"):
        assert each in told.detail


@pytest.mark.parametrize(
    "properties",
    [
        {"enforcementMode": "DoNotEnforce"},
        {"notScopes": [GROUP]},
        {"parameters": {"effect": {"value": "Audit"}}},
    ],
    ids=["not enforced", "left out", "audit"],
)
def test_what_does_not_deny_refuses_nothing(properties: dict[str, Any]) -> None:
    """An assignment that only watches, or leaves the group out, stands in no way."""
    told = ask(ruled(OF_TYPE["machine"], scope=f"/subscriptions/{SUBSCRIPTION}", **properties))
    assert isinstance(told, Done)
    assert "polic" not in told.detail


def test_nothing_is_written_by_asking() -> None:
    """However many questions there are, Azure hears of no write."""
    process = ruled({"field": "type", "equals": "x"})
    assert isinstance(ask(process), Done)
    assert [] == process.writes()
    # The lease, the change, a snapshot for each disk and the disk that gets another key.
    assert 5 == process.count("checkPolicyRestrictions")


def test_where_nothing_is_assigned_nothing_is_asked() -> None:
    """A subscription without an enforced policy costs one list."""
    process = Process(Wire())
    assert isinstance(ask(process), Done)
    assert (1, 0) == (process.count("policyAssignments"), process.count("checkPolicyRestrictions"))


def refusing(word: str, status: int = 403, code: str = "AuthorizationFailed") -> Before:
    """Refuse what has a word in its address."""

    def answer(request: HttpRequest) -> HttpResponse | None:
        if word.lower() not in request.url.lower():
            return None
        return TwinResponse(request, Response(status, {"error": {"code": code, "message": "no"}}))

    return answer


@pytest.mark.parametrize(
    ("word", "status", "code", "told"),
    [
        ("/policyAssignments", 403, "AuthorizationFailed", "not known: which policies are assigned"),
        (
            "/checkPolicyRestrictions",
            403,
            "AuthorizationFailed",
            "not known: whether policies would deny the VM",
        ),
        (
            "/checkPolicyRestrictions",
            409,
            "MissingSubscriptionRegistration",
            "MissingSubscriptionRegistration",
        ),
    ],
)
def test_what_may_not_be_asked_is_not_known(word: str, status: int, code: str, told: str) -> None:
    """A question that Azure refuses blocks nothing, is told, and registers no provider."""
    seed = estate(definition({"field": "type", "equals": "x"}), assignment())
    process = Process(Wire(*seed), refusing(word, status, code))
    answer = ask(process)
    assert isinstance(answer, Done)
    assert told in answer.detail
    assert [] == process.writes()
    assert 0 == process.count("/register")


def test_a_policy_that_could_not_be_evaluated_is_not_known() -> None:
    """Azure may answer an error for a policy instead of a verdict: that is no refusal, and no pass either."""
    evaluation = {"policyInfo": {"policyAssignmentId": f"{GROUP}/odd"}, "evaluationResult": "Error"}
    body = {"contentEvaluationResult": {"policyEvaluations": [evaluation]}}

    def answer(request: HttpRequest) -> HttpResponse | None:
        is_asked = "checkpolicyrestrictions" in request.url.lower()
        return TwinResponse(request, Response(200, body)) if is_asked else None

    seed = estate(definition({"field": "type", "equals": "x"}), assignment())
    told = ask(Process(Wire(*seed), answer), OUTAGE[2])
    assert isinstance(told, Done)
    assert "not known: whether the policy odd would deny the snapshot of web-1-os" in told.detail


SWITCHES_ON = "/providers/Microsoft.Authorization/policyDefinitions/7cb1b219-61c6-47e0-b80c-4472cadeeb5f"


@pytest.mark.parametrize(
    ("is_on", "effect", "is_told"),
    [
        (False, "DeployIfNotExists", True),
        (True, "DeployIfNotExists", False),
        (False, "Disabled", False),
    ],
)
def test_a_policy_that_switches_secure_boot_on_is_told(is_on: bool, effect: str, is_told: bool) -> None:  # noqa: FBT001
    """A VM that is to be without Secure Boot may get it from a policy at a time of its own."""
    held = assignment(definition_id=SWITCHES_ON, parameters={"effect": {"value": effect}})
    profile = {"securityType": "TrustedLaunch", "uefiSettings": {"secureBootEnabled": is_on}}
    told = ask(Process(Wire(*estate(held))), PatchVm(vm=MACHINE, properties={"securityProfile": profile}))
    assert isinstance(told, Done)
    assert is_told is ("the policy held would switch Secure Boot on" in told.detail)


def test_identities_are_part_of_what_is_asked() -> None:
    """An identity that is added shows in the machine that policies are asked about."""
    rule = {"allOf": [OF_TYPE["machine"], {"field": "tags['app']", "equals": "shop"}]}
    assert isinstance(ask(ruled(rule), AssignIdentity(vm=MACHINE)), Failed)


def test_many_machines_share_the_list_of_policies() -> None:
    """The policies of a subscription are listed once, whoever asks."""
    names = ["web-2", "web-3"]
    disks = [disk(f"{name}-{part}") for name in names for part in ("os", "data")]
    seed = estate(definition({"field": "type", "equals": "x"}), assignment(), *map(vm, names), *disks)
    process = Process(Wire(*seed))
    for name in names:
        own = ResourceId(VM.replace("web-1", name))
        assert isinstance(process.begin(Preflight(vm=own, work=(Deallocate(vm=own),))), Done)
    assert 1 == process.count("policyAssignments")
