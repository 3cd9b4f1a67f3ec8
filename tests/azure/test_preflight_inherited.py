"""Policies that management groups assign: read and judged, since Azure does not tell of them beforehand."""

from typing import Any

import pytest

from readiness.model.ids import ResourceId
from readiness.model.steps import PatchVm, Preflight, SetSecurityRule, TakeSnapshot, Work
from readiness.ports.cloud import Done, Failed, Progress
from tests.azure.asking import Process
from tests.azure.test_preflight_policies import (
    DATA,
    GROUP,
    MACHINE,
    OS,
    OUTAGE,
    RULE,
    SWITCHES_ON,
    ask,
    refusal_of,
    refusing,
)
from tests.twin.seeds import SUBSCRIPTION, VM, Wire, deallocated, disk, estate, vm

ABOVE = "/providers/Microsoft.Management/managementGroups/corp"
AUTHORIZATION = "providers/Microsoft.Authorization"
HELD = f"{ABOVE}/{AUTHORIZATION}/policyAssignments/guard"
OWN = f"{ABOVE}/{AUTHORIZATION}/policyDefinitions/own"
OTHER = f"{ABOVE}/{AUTHORIZATION}/policyDefinitions/other"
SET = f"{ABOVE}/{AUTHORIZATION}/policySetDefinitions/all"
TAGS = "/providers/Microsoft.Authorization/policyDefinitions/871b6d14-10aa-478d-b590-94f262ecfa99"
LOCATIONS = "/providers/Microsoft.Authorization/policyDefinitions/e56962a6-4747-49cd-b67b-bf8b01975c4c"
NOT_KEPT = "/providers/Microsoft.Authorization/policyDefinitions/c0e996f8-39cf-4af9-9f45-83fbde810432"
SNAPSHOTS = {"field": "type", "equals": "Microsoft.Compute/snapshots"}
OPEN = "Microsoft.Compute/snapshots/networkAccessPolicy"
DEPENDS = {"allOf": [SNAPSHOTS, {"field": OPEN, "equals": "AllowAll"}]}
SNAPSHOT = TakeSnapshot(vm=MACHINE, disk=OS)
PARAMETERS = {"effect": {"type": "String", "defaultValue": "Deny"}}
Json = dict[str, Any]


def definition(rule: Json, effect: str = "[parameters('effect')]", of: str = OWN, **more: Any) -> Json:
    """A definition of the management group."""
    policy = {"if": rule, "then": {"effect": effect}}
    properties = {"mode": "All", "parameters": PARAMETERS, "policyRule": policy, **more}
    return {"id": of, "name": of.rpartition("/")[2], "properties": properties}


def initiative(*members: Json, **parameters: Any) -> Json:
    """An initiative of the management group."""
    return {
        "id": SET,
        "name": "all",
        "properties": {"parameters": parameters, "policyDefinitions": list(members)},
    }


def member(of: str = OWN, reference: str = "first", **values: Any) -> Json:
    """A policy in it."""
    parameters = {name: {"value": value} for name, value in values.items()}
    return {"policyDefinitionId": of, "policyDefinitionReferenceId": reference, "parameters": parameters}


def held(assigned: str = OWN, **properties: Any) -> Json:
    """The assignment of one of them."""
    named = {"policyDefinitionId": assigned, "displayName": "Guardrails", **properties}
    return {"id": HELD, "name": "guard", "properties": named}


def exemption(scope: str = GROUP, *references: str, **properties: Any) -> Json:
    """An exemption from the assignment."""
    return {
        "id": f"{scope}/{AUTHORIZATION}/policyExemptions/free",
        "name": "free",
        "properties": {
            "policyAssignmentId": HELD.upper(),
            "exemptionCategory": "Waiver",
            "policyDefinitionReferenceIds": list(references),
            **properties,
        },
    }


def asked(*seed: Json, work: tuple[Work, ...] = (SNAPSHOT,), **more: Any) -> Progress:
    """Ask before this work, on a twin with these policies."""
    return ask(Process(Wire(*estate(*seed, machine=deallocated())), **more), *work)


def detail(progress: Progress) -> str:
    """Return what is told, whatever it is."""
    assert isinstance(progress, Done | Failed)
    return progress.detail


DENYING: dict[str, tuple[Json, ...]] = {
    "a policy": (definition(SNAPSHOTS), held()),
    "a fixed effect": (definition(SNAPSHOTS, "deny"), held()),
    "the assignment's effect": (
        definition(SNAPSHOTS, parameters={"effect": {"defaultValue": "Audit"}}),
        held(parameters={"effect": {"value": "Deny"}}),
    ),
    "a built-in policy": (held(TAGS, parameters={"tagName": {"value": "owner"}}),),
    "an initiative": (definition(SNAPSHOTS), initiative(member()), held(SET)),
    "an initiative's parameter": (
        definition(SNAPSHOTS),
        initiative(member(effect="[parameters('how')]"), how={"defaultValue": "Audit"}),
        held(SET, parameters={"how": {"value": "Deny"}}),
    ),
    "an override": (
        definition(SNAPSHOTS, "audit"),
        initiative(member(), member(OTHER, "second")),
        definition({"field": "type", "equals": "x"}, of=OTHER),
        held(
            SET,
            overrides=[
                {
                    "kind": "policyEffect",
                    "value": "Deny",
                    "selectors": [{"kind": "policyDefinitionReferenceId", "in": ["FIRST"]}],
                }
            ],
        ),
    ),
}


@pytest.mark.parametrize("seed", DENYING.values(), ids=DENYING)
def test_a_certain_denial_is_told_before_the_write_meets_it(seed: tuple[Json, ...]) -> None:
    """What surely is denied blocks the VM, naming policy and resource; the write is refused for it, too."""
    process = Process(Wire(*estate(*seed, machine=deallocated())))
    told = ask(process, SNAPSHOT)
    assert isinstance(told, Failed), told
    assert "PolicyDenied" == told.code
    assert "the policy 'Guardrails' (guard) denies the snapshot of web-1-os" in told.detail
    assert "requestdisallowedbypolicy" == refusal_of(process, SNAPSHOT).lower()


PASSING: dict[str, tuple[Json, ...]] = {
    "audit": (definition(SNAPSHOTS), held(parameters={"effect": {"value": "Audit"}})),
    "not enforced": (definition(SNAPSHOTS), held(enforcementMode="DoNotEnforce")),
    "left out": (definition(SNAPSHOTS), held(notScopes=[GROUP])),
    "another type": (definition({"field": "type", "equals": "Microsoft.Storage/storageAccounts"}), held()),
    "another region": (
        held(LOCATIONS, parameters={"listOfAllowedLocations": {"value": ["westeurope", "northeurope"]}}),
    ),
    "overridden": (
        definition(SNAPSHOTS, "deny"),
        held(overrides=[{"kind": "policyEffect", "value": "Disabled", "selectors": []}]),
    ),
    "an initiative that audits": (
        definition(SNAPSHOTS),
        initiative(member(effect="Audit"), member(NOT_KEPT, effect="AuditIfNotExists")),
        held(SET),
    ),
    "other types are selected": (
        definition(SNAPSHOTS),
        held(
            resourceSelectors=[
                {"selectors": [{"kind": "resourceType", "in": ["Microsoft.Compute/virtualMachines"]}]}
            ]
        ),
    ),
    "other regions are selected": (
        definition(SNAPSHOTS),
        held(resourceSelectors=[{"selectors": [{"kind": "resourceLocation", "notIn": ["westeurope"]}]}]),
    ),
}


@pytest.mark.parametrize("seed", PASSING.values(), ids=PASSING)
def test_what_surely_denies_nothing_is_not_told(seed: tuple[Json, ...]) -> None:
    """A policy that was read, and denies nothing of what is written, is no question any more."""
    told = asked(*seed)
    assert isinstance(told, Done)
    assert "polic" not in told.detail


UNCLEAR: dict[str, tuple[tuple[Json, ...], str]] = {
    "an alias": ((definition(DEPENDS), held()), f"that depends on {OPEN}"),
    "an effect that is worked out": (
        (definition(SNAPSHOTS, "[if(true(), 'deny', 'audit')]"), held()),
        "its effect",
    ),
    "a management group that is left out": (
        (definition(SNAPSHOTS), held(notScopes=[f"{ABOVE}-sandbox"])),
        "what the assignment leaves out",
    ),
    "a selector that is not known": (
        (
            definition(SNAPSHOTS),
            held(resourceSelectors=[{"selectors": [{"kind": "userPrincipalId", "in": ["x"]}]}]),
        ),
        "what the assignment leaves out",
    ),
}


@pytest.mark.parametrize(("seed", "words"), UNCLEAR.values(), ids=UNCLEAR)
def test_what_depends_on_more_is_told_with_what_it_depends_on(seed: tuple[Json, ...], words: str) -> None:
    """Neither a refusal nor a pass: the policy, the resources and the open conditions are named."""
    told = asked(*seed)
    assert isinstance(told, Done)
    assert (
        "whether the policy 'Guardrails' (guard) of a management group would deny the snapshot" in told.detail
    )
    assert words in told.detail


def test_a_definition_that_cannot_be_read_is_told() -> None:
    """A built-in policy of which nothing is known leaves it open what it denies."""
    told = asked(held(NOT_KEPT))
    assert isinstance(told, Done)
    assert "not known: what the policy 'Guardrails' (guard) of a management group denies" in told.detail
    assert "1 definition could not be read (PolicyDefinitionNotFound)" in told.detail


@pytest.mark.parametrize("word", ["/policyDefinitions", "/policySetDefinitions"])
def test_definitions_that_may_not_be_read_are_told(word: str) -> None:
    """Without a right to read definitions nothing is known of them, and nothing is refused."""
    seed = (definition(SNAPSHOTS), initiative(member()), held(SET))
    told = asked(*seed, before=refusing(word))
    assert isinstance(told, Done)
    assert "1 definition could not be read (AuthorizationFailed)" in told.detail


def test_a_definition_is_asked_for_on_the_same_host_alone() -> None:
    """An id that is the address of another host is never asked for: a credential goes nowhere else."""
    process = Process(Wire(*estate(held("https://elsewhere.example/policyDefinitions/x"))))
    assert "InvalidPolicyDefinitionId" in detail(ask(process, SNAPSHOT))
    assert 0 == process.count("elsewhere")


def test_what_is_written_on_the_way_back_alone_refuses_nothing() -> None:
    """A weaker setting that a policy denies is told, since it may never be tried."""
    rule = {"allOf": [{"field": "name", "equals": "web-1"}, {"field": "tags['app']", "equals": "shop"}]}
    off = PatchVm(vm=MACHINE, properties={"securityProfile": {"uefiSettings": {"secureBootEnabled": False}}})
    process = Process(Wire(*estate(definition(rule), held())))
    told = process.begin(Preflight(vm=MACHINE, work=(SNAPSHOT,), spare=(off,)))
    assert isinstance(told, Done)
    assert "would deny the weaker setting of the VM web-1" in told.detail


def test_indexed_policies_do_not_look_at_security_rules() -> None:
    """Security rules have neither tags nor a place: only a policy of mode All denies them."""
    rule = {"field": "type", "equals": "Microsoft.Network/networkSecurityGroups/securityRules"}
    closing = SetSecurityRule(vm=MACHINE, rule=RULE, properties={"access": "Deny"})
    assert isinstance(asked(definition(rule), held(), work=(closing,)), Failed)
    assert isinstance(asked(definition(rule, mode="Indexed"), held(), work=(closing,)), Done)


# Exemptions ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scope", [ABOVE, f"/subscriptions/{SUBSCRIPTION}", GROUP.upper()])
@pytest.mark.parametrize("category", ["Waiver", "Mitigated"])
def test_an_exemption_lets_it_pass_and_is_told(scope: str, category: str) -> None:
    """An exempt scope is not refused; which exemption, of which category and until when, is told."""
    free = exemption(scope, exemptionCategory=category, expiresOn="2027-06-01T12:00:00Z")
    told = asked(definition(SNAPSHOTS), held(), free)
    assert isinstance(told, Done)
    assert f"(exemption free, {category}, until 2027-06-01 12:00 UTC)" in told.detail
    assert "not known: whether the policy" not in told.detail


def test_an_exemption_without_an_end_holds_for_good() -> None:
    """That it never ends is said as well."""
    assert "Waiver, for good" in detail(asked(definition(DEPENDS), held(), exemption()))


@pytest.mark.parametrize(
    "free",
    [
        exemption(expiresOn="2026-11-01T19:59:59Z"),
        exemption(f"{GROUP}-2"),
        exemption(VM),
        exemption(policyAssignmentId=f"{HELD}-2"),
        exemption(resourceSelectors=[{"selectors": [{"kind": "resourceLocation", "in": ["eastus"]}]}]),
    ],
    ids=["expired", "another group", "another resource", "another assignment", "another region"],
)
def test_an_exemption_that_does_not_hold_changes_nothing(free: Json) -> None:
    """One that has expired, is for something else or from something else leaves the refusal."""
    assert isinstance(asked(definition(SNAPSHOTS), held(), free), Failed)


def test_an_exemption_from_one_policy_of_an_initiative_frees_from_that_alone() -> None:
    """The other policies of the initiative stay in force."""
    seed = (definition(SNAPSHOTS), initiative(member()), held(SET))
    assert isinstance(asked(*seed, exemption(GROUP, "FIRST")), Done)
    assert isinstance(asked(*seed, exemption(GROUP, "second")), Failed)


def test_where_exemptions_may_not_be_read_a_denial_is_not_certain() -> None:
    """Who may not see exemptions cannot know that there is none: it is told, and refuses nothing."""
    told = asked(definition(SNAPSHOTS), held(), before=refusing("/policyExemptions"))
    assert isinstance(told, Done)
    assert "depends on exemptions, which may not be asked for" in told.detail


@pytest.mark.parametrize(("scope", "is_free"), [(VM, True), (DATA.text, False)])
def test_an_exempt_vm_is_not_warned_of_secure_boot(scope: str, is_free: bool) -> None:  # noqa: FBT001
    """A policy that switches Secure Boot on does not reach a VM that is exempt from it."""
    off = {"securityType": "TrustedLaunch", "uefiSettings": {"secureBootEnabled": False}}
    step = PatchVm(vm=MACHINE, properties={"securityProfile": off})
    told = asked(held(SWITCHES_ON), exemption(scope), work=(step,))
    assert is_free is ("lets the VM pass (exemption free, Waiver, for good)" in detail(told))
    assert is_free is not ("which is to stay off" in detail(told))


# How often is asked --------------------------------------------------------------------------------------


def test_an_exemption_from_something_else_is_not_even_read() -> None:
    """One that cannot be understood, of another assignment, leaves what is known of this one certain."""
    other = exemption(f"{GROUP}-2", policyAssignmentId=f"{HELD}-2", expiresOn="never")
    assert isinstance(asked(definition(SNAPSHOTS), held(), other), Failed)


def test_many_machines_share_what_was_read() -> None:
    """Definitions, initiatives and exemptions are read once for all VMs of a subscription."""
    names = [f"web-{number}" for number in range(2, 8)]
    disks = [disk(f"{name}-{part}") for name in names for part in ("os", "data")]
    seed = (
        definition(DEPENDS),
        initiative(member(), member(TAGS, "tags", tagName="x")),
        held(SET),
        exemption(),
    )
    process = Process(Wire(*estate(*seed, *map(vm, names), *disks)))
    for name in names:
        own = ResourceId(VM.replace("web-1", name))
        work = (TakeSnapshot(vm=own, disk=ResourceId(OS.text.replace("web-1", name))),)
        assert isinstance(process.begin(Preflight(vm=own, work=work)), Done)
    counts = [
        process.count(word)
        for word in ("policyAssignments", "/policyDefinitions", "/policySetDefinitions", "/policyExemptions")
    ]
    assert [1, 2, 1, 1] == counts


def test_policies_that_surely_do_not_deny_are_not_read() -> None:
    """Of an initiative of many audits only the policies that may deny cost a request."""
    audits = [member(f"{NOT_KEPT[:-3]}{number:03}", f"p{number}", effect="Audit") for number in range(300)]
    process = Process(Wire(*estate(definition(SNAPSHOTS), initiative(*audits, member()), held(SET))))
    assert isinstance(ask(process, SNAPSHOT), Failed)
    assert 1 == process.count("/policyDefinitions")


def test_an_initiative_without_end_is_not_read_without_end() -> None:
    """Beyond a hundred policies that may deny the rest is told as not known."""
    many = [member(f"{NOT_KEPT[:-3]}{number:03}", f"p{number}") for number in range(130)]
    process = Process(Wire(*estate(initiative(*many), held(SET))))
    told = detail(ask(process, SNAPSHOT))
    assert "130 definitions could not be read (too many to read, PolicyDefinitionNotFound)" in told
    assert 100 == process.count("/policyDefinitions/")


def test_nothing_more_is_asked_where_no_management_group_assigns_anything() -> None:
    """Policies of the subscription itself are Azure's to judge, and cost nothing here."""
    own = held(TAGS, parameters={"tagName": {"value": "app"}})
    mine = {**own, "id": HELD.replace(ABOVE, f"/subscriptions/{SUBSCRIPTION}")}
    process = Process(Wire(*estate(mine)))
    ask(process, *OUTAGE)
    assert [0, 0] == [process.count("/policyDefinitions"), process.count("/policyExemptions")]
