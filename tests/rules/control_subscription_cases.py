"""Cases of the controls of a subscription: roles, policies, exceptions and what guards its networks."""

from datetime import UTC, date, datetime
from typing import Any

from msgspec.structs import replace

from readiness.model.access import Access, Firewall, FirewallPolicy
from readiness.model.context import Context, Match, RuleException
from readiness.model.governance import PolicyAssignment, PolicyExemption
from tests.builders import protection, rid
from tests.rules.control_builders import (
    GRANT,
    SUBSCRIPTION_ID,
    also,
    beneath,
    but,
    control_case,
    listed,
)

_ASSIGNMENTS = "Microsoft.Authorization/policyAssignments"
_PART = f"{SUBSCRIPTION_ID.key}/resourcegroups/rg-app"
_ABOVE = "/providers/microsoft.management/managementgroups/mg-top"
_PLAIN = replace(
    GRANT,
    id=beneath("Microsoft.Authorization/roleAssignments", "b", SUBSCRIPTION_ID),
    principal="q",
    is_scheduled=False,
    is_standing=True,
)
_STANDING = replace(GRANT, principal="r", is_standing=True)
_EXEMPTION = PolicyExemption(
    id=beneath("Microsoft.Authorization/policyExemptions", "e", SUBSCRIPTION_ID),
    scope=SUBSCRIPTION_ID.key,
    category="Mitigated",
    expires=datetime(2026, 12, 1, tzinfo=UTC),
    owner="Ada",
    compensating_control="bastion",
)
_FIREWALL = rid("Microsoft.Network/azureFirewalls", "fw")
_POLICY = rid("Microsoft.Network/firewallPolicies", "fwp")


def _exempt(**changes: Any) -> dict[str, Any]:
    return also(replace(_EXEMPTION, **changes))


def _effect(effect: str, **changes: Any) -> dict[str, Any]:
    return but(PolicyAssignment, parameters={"effect": (effect,)}, **changes)


def _exempted() -> dict[str, Any]:
    acting = _effect("Deny")["posture"]
    (assignment,) = (fact for fact in acting if isinstance(fact, PolicyAssignment))
    return {"posture": [*acting, replace(_EXEMPTION, assignment=assignment.id)]}


def _permitted(**changes: Any) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "id": "EX-1",
        "match": Match(),
        "owner": "Ada",
        "reason": "vendor",
        "approved_by": "Bo",
        "rule": "DP-5",
        "expires": date(2026, 12, 1),
        "compensating_control": "a firewall",
        **changes,
    }
    return {"context": Context(exceptions=(RuleException(**facts),))}


def _firewall(policy: dict[str, Any] | None = None, **facts: Any) -> dict[str, Any]:
    policies = {} if policy is None else {_POLICY: FirewallPolicy(id=_POLICY, **policy)}
    found = Firewall(id=_FIREWALL, **{"policy": _POLICY, **facts})
    return {"access": Access(firewalls=(found,), firewall_policies=policies)}


CASES = (
    control_case("AC-7", "met NoStandingAccess"),
    control_case("AC-7", "unmet StandingAccess", grants=(GRANT, _PLAIN)),
    control_case("AC-7", "unmet StandingAccess", grants=(_STANDING,), listed=()),
    control_case("AC-7", "unknown SchedulesNotRead", grants=(_PLAIN,), listed=()),
    control_case("AC-7", "met NoStandingAccess", grants=(GRANT, replace(_PLAIN, principal="p"))),
    control_case(
        "AC-7", "met NoStandingAccess", grants=(replace(_PLAIN, principal_type="ServicePrincipal"),)
    ),
    control_case("AC-7", "unknown RolesNotRead", grants=()),
    control_case(
        "AC-7", "met NoStandingAccess", protected=protection(grants=(GRANT,), eligible=(_STANDING,))
    ),
    control_case("AC-8", "unknown DirectoryNotRead"),
    control_case("AC-10", "unknown PipelinesNotAttested"),
    control_case(
        "AC-10", "unmet ServicePrincipalOwns", grants=(replace(_PLAIN, principal_type="ServicePrincipal"),)
    ),
    control_case("GV-4", "unmet BroadRoles"),
    control_case("GV-4", "unknown RolesNotRead", grants=()),
    control_case("GV-4", "unknown RolesNotListed", grants=(replace(GRANT, role="other"),), listed=()),
    control_case("GV-4", "met NarrowRoles", grants=(replace(GRANT, role="other"),)),
    control_case("GV-4", "met NarrowRoles", grants=(replace(GRANT, scope=f"{SUBSCRIPTION_ID.key}/x"),)),
    control_case("NW-4", "unknown FirewallsNotRead"),
    control_case("NW-4", "unmet NoFirewall", **listed("Microsoft.Network/azureFirewalls")),
    control_case("NW-4", "unknown FirewallNotReported", **_firewall(is_understood=False)),
    control_case("NW-4", "unmet FirewallNotPremium", **_firewall(tier="Standard")),
    control_case("NW-4", "unknown FirewallPolicyNotRead", **_firewall(tier="Premium")),
    control_case("NW-4", "unmet FirewallLooksAway", **_firewall({"inspects_tls": True}, tier="Premium")),
    control_case(
        "NW-4", "unmet FirewallLooksAway", **_firewall({"intrusion_detection": "Deny"}, tier="Premium")
    ),
    control_case(
        "NW-4",
        "met FirewallInspects",
        **_firewall({"inspects_tls": True, "intrusion_detection": "Alert"}, tier="Premium"),
    ),
    control_case("NW-7", "unknown ServicesNotCollected"),
    control_case("NW-11", "not-applicable NotAvailable"),
    control_case("DP-9", "not-applicable OutOfScope"),
    control_case("GV-1", "met ExceptionsKept"),
    control_case("GV-1", "met ExceptionsKept", **_exempt()),
    control_case("GV-1", "unmet ExemptionWithoutEnd", **_exempt(expires=None)),
    control_case("GV-1", "unmet ExemptionWithoutOwner", **_exempt(owner=None)),
    control_case("GV-1", "unmet ExemptionNotMitigated", **_exempt(compensating_control=None)),
    control_case("GV-1", "unmet ExemptionExpired", **_exempt(expires=datetime(2026, 11, 1, tzinfo=UTC))),
    control_case("GV-1", "unmet ExemptionTooLong", **_exempt(expires=datetime(2027, 11, 1, tzinfo=UTC))),
    control_case("GV-1", "unmet ExceptionTooLong", **_permitted(expires=date(2027, 11, 1))),
    control_case("GV-1", "unmet ExceptionIncomplete", **_permitted(compensating_control=None)),
    control_case("GV-1", "unmet ExceptionExpired", **_permitted(expires=date(2026, 11, 1))),
    control_case("GV-1", "unknown ExemptionsNotRead", **_exempt(), listed=()),
    control_case("GV-2", "unknown PoliciesNotRead"),
    control_case("GV-2", "unknown PoliciesNotRead", **but(PolicyAssignment), **listed(_ASSIGNMENTS)),
    control_case("GV-2", "unknown EffectsNotSeen", **listed(_ASSIGNMENTS)),
    control_case("GV-2", "unmet NotEnforced", **but(PolicyAssignment, is_enforced=False)),
    control_case("GV-2", "unmet OnlyAudited", **_effect("Audit"), **listed(_ASSIGNMENTS)),
    control_case("GV-2", "unknown PoliciesNotRead", **_effect("Audit")),
    control_case("GV-2", "met DriftAnswered", **_effect("Deny")),
    control_case("GV-2", "met DriftAnswered", **_effect("Deny", scope=_ABOVE)),
    control_case("GV-2", "unmet OnlyPartAnswered", **_effect("Deny", scope=_PART), **listed(_ASSIGNMENTS)),
    control_case(
        "GV-2",
        "unmet OnlyPartAnswered",
        **_effect("Deny", scope=_ABOVE, excluded=(SUBSCRIPTION_ID.key,)),
        **listed(_ASSIGNMENTS),
    ),
    control_case("GV-2", "unmet OnlyPartAnswered", **_exempted(), **listed(_ASSIGNMENTS)),
    control_case("GV-2", "unmet OnlyAudited", **_effect("Audit", scope=_PART), **listed(_ASSIGNMENTS)),
    control_case("GV-2", "unknown PoliciesNotRead", **_effect("Deny", scope=_PART)),
    control_case("GV-3", "unknown CodeNotAttested"),
    control_case("GV-5", "met BenchmarkAssigned"),
    control_case(
        "GV-5", "unmet NoBenchmark", **but(PolicyAssignment, definition="x"), **listed(_ASSIGNMENTS)
    ),
    control_case("GV-5", "unknown PoliciesNotRead", **but(PolicyAssignment)),
)
