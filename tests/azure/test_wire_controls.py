"""What the control catalogue looks at, as Azure writes it."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from readiness.azure.access_parts import AccessParts
from readiness.azure.collection import Collection, collect
from readiness.azure.protection_parts import ProtectionParts
from readiness.azure.wire_controls import READERS, metadata_protection, patch_settings
from readiness.azure.wire_values import MalformedError
from readiness.model.context import Context
from readiness.model.estate import Estate
from readiness.model.fact import Fact
from readiness.model.governance import ImageVersion, PolicyAssignment, PolicyExemption, RecommendationOwner
from readiness.model.ids import ResourceId
from readiness.model.monitoring import DefenderPlan, LogHub, PatchSettings, SecuritySetting
from readiness.rules.evaluate import evaluate
from tests.builders import SUBSCRIPTION, info

SUB = f"/subscriptions/{SUBSCRIPTION}"
GROUP = f"{SUB}/resourceGroups/rg/providers"
VM = f"{GROUP}/Microsoft.Compute/virtualMachines/vm1"
ROLE = f"{SUB}/providers/Microsoft.Authorization/roleDefinitions/8e3af657-a8ff-443c-a75c-2fe8c4bcb635"


def _estate(*resources: dict[str, Any]) -> Estate:
    return collect((f"line:{number}", one) for number, one in enumerate(resources)).estate(info(), Context())


def _resource(kind: str, resource_id: str, **properties: Any) -> dict[str, Any]:
    return {"id": resource_id, "type": kind, "properties": properties}


def _read(kind: str, resource_id: str, **properties: Any) -> Fact | None:
    return READERS[kind.lower()](_resource(kind, resource_id, **properties))


def test_a_defender_plan() -> None:
    """The plan for servers is read, the plans for other services are not."""
    kind = "Microsoft.Security/pricings"
    found = _estate(
        _resource(kind, f"{SUB}/providers/{kind}/VirtualMachines", pricingTier="Standard", subPlan="P2"),
        _resource(kind, f"{SUB}/providers/{kind}/SqlServers", pricingTier="Free"),
    )

    assert [("Standard", "P2")] == [(one.tier, one.plan) for one in found.posture.all(DefenderPlan)]


@pytest.mark.parametrize("named", ["Id", "id", None])
def test_an_assessment_of_a_vm(named: str | None) -> None:
    """Where the resource is not named the assessment's own id says what it is about."""
    kind, key = "Microsoft.Security/assessments", "FFFF0522-1e88-47fc-8382-2a80ba848f5d"
    details = {named: VM.upper()} if named else {}
    found = _estate(
        _resource(kind, f"{VM}/providers/{kind}/{key}", resourceDetails=details, status={"code": "Healthy"})
    ).posture.recommendation(ResourceId(VM), (key.lower(),))

    assert found is not None
    assert "Healthy" == found.code


def test_a_guest_assignment() -> None:
    """Its configuration is the one it names, or its own name without the suffix of a second policy."""
    kind = "Microsoft.GuestConfiguration/guestConfigurationAssignments"
    place = f"{VM}/providers/{kind}/AzureLinuxBaseline$pidabc"
    settings = {"assignmentType": "ApplyAndAutoCorrect"}
    found = _estate(_resource(kind, place, guestConfiguration=settings, complianceStatus="Compliant"))
    entry = found.posture.guest_assignments(ResourceId(VM))[0]

    assert ("azurelinuxbaseline", "Compliant", "ApplyAndAutoCorrect") == (
        entry.configuration,
        entry.status,
        entry.kind,
    )


def test_a_patch_result() -> None:
    """Critical and security updates count, others do not."""
    counts = {"critical": 1, "security": 2, "other": 9}
    kind = "Microsoft.Compute/virtualMachines/patchAssessmentResults"
    place = f"{VM}/patchAssessmentResults/latest"
    when = "2026-11-01T03:04:05Z"
    found = _estate(
        _resource(kind, place, availablePatchCountByClassification=counts, lastModifiedDateTime=when)
    ).posture.patch_result(ResourceId(VM.lower()))

    assert found is not None
    assert (3, datetime(2026, 11, 1, 3, 4, 5, tzinfo=UTC)) == (found.missing, found.at)


def test_associations_of_a_vm() -> None:
    """An association that names a rule counts, one that names an endpoint alone does not."""
    kind = "Microsoft.Insights/dataCollectionRuleAssociations"
    rule = f"{GROUP}/Microsoft.Insights/dataCollectionRules/dcr"
    place = f"{VM}/providers/{kind}"
    both = _estate(
        _resource(kind, f"{place}/a", dataCollectionRuleId=rule), _resource(kind, f"{place}/b")
    ).posture

    assert both.linked(kind.lower(), ResourceId(VM)) is not None
    assert _read(kind, f"{place}/b", dataCollectionEndpointId=rule) is None


def test_a_maintenance_assignment() -> None:
    """It names its VM, or hangs on it."""
    kind = "Microsoft.Maintenance/configurationAssignments"
    found = _estate(_resource(kind, f"{VM}/providers/{kind}/weekly")).posture

    assert found.linked(kind.lower(), ResourceId(VM)) is not None


@pytest.mark.parametrize(
    ("properties", "standing"),
    [
        ({}, True),
        ({"assignmentType": "Assigned"}, True),
        ({"assignmentType": "Assigned", "endDateTime": "2026-12-01T00:00:00Z"}, False),
        ({"assignmentType": "Activated"}, False),
    ],
)
def test_a_role_grant(properties: dict[str, Any], *, standing: bool) -> None:
    """A role without an end is standing, one that was activated is not."""
    kind = "Microsoft.Authorization/roleAssignments"
    (found,) = _estate(
        _resource(
            kind,
            f"{SUB}/providers/{kind}/a",
            roleDefinitionId=ROLE,
            principalId="P",
            scope=SUB,
            condition="x",
            **properties,
        )
    ).protection.grants

    assert (standing, bool(properties)) == (found.is_standing, found.is_scheduled)
    assert (SUB.lower(), ROLE.rpartition("/")[2], "p") == found.key
    assert found.is_conditional


def test_a_role_grant_of_a_management_group() -> None:
    """What is granted above all subscriptions lies in none of them."""
    kind = "Microsoft.Authorization/roleAssignments"
    place = f"/providers/Microsoft.Management/managementGroups/mg-top/providers/{kind}/a"
    found = _estate(_resource(kind, place, roleDefinitionId=ROLE, principalId="p")).protection

    assert ["/providers/microsoft.management/managementgroups/mg-top"] == [
        one.scope for one in found.grants_within("")
    ]


@pytest.mark.parametrize("lacking", ["roleDefinitionId", "principalId"])
def test_a_role_grant_that_says_too_little(lacking: str) -> None:
    """A role assignment that does not say who may do what is a gap."""
    kind = "Microsoft.Authorization/roleAssignments"
    properties = {"roleDefinitionId": ROLE, "principalId": "p", lacking: None}
    found = _estate(_resource(kind, f"{SUB}/providers/{kind}/a", **properties))

    assert ["Malformed"] == [gap.reason for gap in found.gaps]


def test_schedules_grant_no_key() -> None:
    """Whether a role is held for good says nothing about keys: only the assignment itself lets one in."""
    base = f"{SUB}/providers/Microsoft.Authorization"
    granted = {"roleDefinitionId": ROLE, "principalId": "p"}
    kind = "Microsoft.Authorization/roleAssignmentScheduleInstances"
    found = _estate(
        _resource(kind, f"{base}/roleAssignmentScheduleInstances/s", assignmentType="Assigned", **granted)
    ).protection

    assert ((), 1) == (found.grants_to(("p",), ResourceId(VM)), len(found.grants))


def test_an_eligibility_gives_no_role() -> None:
    """Who may activate a role does not hold it: it stands apart from what is granted."""
    kind = "Microsoft.Authorization/roleEligibilityScheduleInstances"
    found = _estate(
        _resource(kind, f"{SUB}/providers/{kind}/e", roleDefinitionId=ROLE, principalId="p", scope=SUB)
    ).protection

    assert ((), ["p"], ()) == (
        found.grants,
        [one.principal for one in found.eligible_within(SUBSCRIPTION)],
        found.eligible_within(""),
    )


def test_policies() -> None:
    """Assignments and exemptions are read with what makes them count."""
    base = f"{SUB}/providers/Microsoft.Authorization"
    assigned = _read(
        "Microsoft.Authorization/policyAssignments",
        f"{base}/policyAssignments/a",
        policyDefinitionId="/providers/Microsoft.Authorization/policySetDefinitions/ABC",
        enforcementMode="DoNotEnforce",
        notScopes=[f"{SUB}/resourceGroups/RG-Two/"],
        parameters={"effect": {"value": "Deny"}, "tagNames": {"value": ["a", 1]}, "n": {"value": 7}},
    )
    exempt = _read(
        "Microsoft.Authorization/policyExemptions",
        f"{base}/policyExemptions/e",
        exemptionCategory="Mitigated",
        expiresOn="2026-12-01T00:00:00Z",
        policyAssignmentId=f"{base}/policyAssignments/A",
        metadata={"owner": "Ada", "compensatingControls": ["bastion"]},
    )

    assert isinstance(assigned, PolicyAssignment)
    assert ("abc", False, "Deny") == (assigned.definition, assigned.is_enforced, assigned.effect)
    assert {"effect": ("Deny",), "tagnames": ("a",)} == assigned.parameters
    assert (True, False) == (
        assigned.covers(ResourceId(VM)),
        assigned.covers(ResourceId(f"{SUB}/resourceGroups/rg-two/providers/x/y/z")),
    )
    assert isinstance(exempt, PolicyExemption)
    assert ("Ada", "['bastion']") == (exempt.owner, exempt.compensating_control)
    days = [datetime(2026, month, 1, tzinfo=UTC) for month in (11, 12)]
    assert [True, False] == [exempt.frees(ResourceId(VM), assigned, day) for day in days]


@pytest.mark.parametrize(
    ("kind", "name", "properties", "expected"),
    [
        (
            "Microsoft.Security/settings",
            "WDATP",
            {"enabled": True},
            (SecuritySetting, {"is_enabled": True}),
        ),
        ("Microsoft.OperationsManagement/solutions", "SecurityInsights(ws)", {}, (LogHub, {})),
        (
            "Microsoft.Security/assessments/governanceAssignments",
            "g",
            {"owner": "a@example.com"},
            (RecommendationOwner, {"owner": "a@example.com"}),
        ),
        (
            "Microsoft.Compute/galleries/images/versions",
            "1.0.0",
            {"publishingProfile": {"publishedDate": "2026-10-01T00:00:00.1234567+00:00"}},
            (ImageVersion, {"published": datetime(2026, 10, 1, 0, 0, 0, 123456, tzinfo=UTC)}),
        ),
    ],
)
def test_single_facts(
    kind: str, name: str, properties: dict[str, Any], expected: tuple[type, dict[str, Any]]
) -> None:
    """Each of these says one or two things that a control asks for."""
    found = _read(kind, f"{GROUP}/{kind}/{name}", **properties)

    assert type(found) is expected[0]
    assert expected[1] == {key: getattr(found, key) for key in expected[1]}


def test_settings_of_a_vm() -> None:
    """Patch settings are written alike for both systems; the metadata services must both be enforced."""
    settings = {
        "assessmentMode": "AutomaticByPlatform",
        "patchMode": "AutomaticByPlatform",
        "automaticByPlatformSettings": {"bypassPlatformSafetyChecksOnUserSchedule": True},
    }
    agent = {"enabled": True, "imds": {"mode": "Enforce"}, "wireServer": {"mode": "Audit"}}
    expected = PatchSettings(
        assessment_mode="AutomaticByPlatform", patch_mode="AutomaticByPlatform", own_schedule=True
    )

    for system in ("linuxConfiguration", "windowsConfiguration"):
        assert expected == patch_settings({system: {"patchSettings": settings}})
    assert metadata_protection({"proxyAgentSettings": agent}) is False
    assert metadata_protection({}) is None


@pytest.mark.parametrize("kind", sorted(READERS))
def test_junk_is_a_gap_and_no_traceback(kind: str) -> None:
    """What cannot be understood is a gap, if it matters to any control at all, and stops nothing."""
    broken = {"id": f"{GROUP}/{kind}/x", "type": kind, "properties": 7}
    found = _estate(broken)

    assert {gap.reason for gap in found.gaps} <= {"Malformed"}
    evaluate(found, as_of=date(2026, 11, 2), release="test")


@pytest.mark.parametrize("kind", sorted(READERS))
@pytest.mark.parametrize("place", ["", "junk", SUB, f"{SUB}/providers", "/providers/"])
def test_an_odd_id_is_no_traceback(kind: str, place: str) -> None:
    """An id that names nothing sensible is a gap at worst."""
    kept = _estate({"id": place, "type": kind, "properties": {"roleDefinitionId": ROLE}})

    evaluate(kept, as_of=date(2026, 11, 2), release="test")


def test_a_time_that_is_none() -> None:
    """A text where a time belongs is refused, not guessed."""
    kind = "Microsoft.Authorization/policyExemptions"
    with pytest.raises(MalformedError):
        _read(kind, f"{SUB}/providers/{kind}/e", expiresOn="soon")


def test_what_guards_networks() -> None:
    """What a firewall inspects and who is under DDoS protection is read with the resources themselves."""
    base = f"{GROUP}/Microsoft.Network"
    inspects = {
        "transportSecurity": {"certificateAuthority": {"name": "ca"}},
        "intrusionDetection": {"mode": "Deny"},
    }
    found = _estate(
        _resource("Microsoft.Network/azureFirewalls", f"{base}/azureFirewalls/fw", sku={"tier": "Premium"}),
        _resource("Microsoft.Network/firewallPolicies", f"{base}/firewallPolicies/p", **inspects),
        _resource(
            "Microsoft.Network/virtualNetworks", f"{base}/virtualNetworks/v", enableDdosProtection=True
        ),
        _resource(
            "Microsoft.Network/publicIPAddresses",
            f"{base}/publicIPAddresses/ip",
            ddosSettings={"protectionMode": "Enabled"},
        ),
    )

    assert ["Premium"] == [one.tier for one in found.access.firewalls]
    assert [(True, "Deny")] == [
        (one.inspects_tls, one.intrusion_detection) for one in found.access.firewall_policies.values()
    ]
    assert [True] == [one.has_ddos_plan for one in found.access.networks.values()]
    assert ["Enabled"] == [one.ddos_mode for one in found.public_ips.values()]


def test_each_type_is_read_once() -> None:
    """No resource type has two readers, which might come to disagree."""
    collection = Collection()
    plain, special = set(collection._plain), set(collection._special)
    kinds = [plain, special, set(READERS)]

    assert sum(map(len, kinds)) == len(set().union(*kinds))
    for parts in (AccessParts(lambda *_: None), ProtectionParts(lambda *_: None)):
        assert set(parts.readers) <= special


def test_a_fact_that_occurs_twice() -> None:
    """The copy with more facts is used, whatever the order, and the other is told of."""
    kind = "Microsoft.Security/pricings"
    place = f"{SUB}/providers/{kind}/VirtualMachines"
    copies = [_resource(kind, place), _resource(kind, place, pricingTier="Standard")]
    for order in (copies, copies[::-1]):
        found = _estate(*order)

        assert ["Standard"] == [one.tier for one in found.posture.all(DefenderPlan)]
        assert ["DuplicateResource"] == [gap.reason for gap in found.gaps]
