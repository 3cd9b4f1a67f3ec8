"""Controls of who may do what in a subscription."""

from readiness.model.assessment import Source, Whose
from readiness.model.governance import RoleGrant
from readiness.model.levels import Level
from readiness.model.verdict import Evidence, Verdict, met, unknown, unmet
from readiness.rules.controls.control import EvidenceClass, SubscriptionControl, SubscriptionFacts

_LEARN = "https://learn.microsoft.com"
_PIM = Source(
    "What is Privileged Identity Management?",
    f"{_LEARN}/entra/id-governance/privileged-identity-management/pim-configure",
    "2026-04",
)
_STRENGTH = Source(
    "Conditional Access authentication strengths",
    f"{_LEARN}/entra/identity/authentication/concept-authentication-strengths",
    "2026-04",
)
_WORKLOADS = Source(
    "Securing service principals in Microsoft Entra ID",
    f"{_LEARN}/entra/architecture/service-accounts-principal",
    "2026-04",
)
_LEAST = Source(
    "Best practices for Azure RBAC", f"{_LEARN}/azure/role-based-access-control/best-practices", "2026-04"
)


def no_standing_access(facts: SubscriptionFacts) -> Verdict:
    """Nobody holds a privileged role for good; roles are activated for hours, with a reason.

    Break-glass accounts need an exception for this control. Service principals are asked about elsewhere.
    """
    grants = _grants(facts)
    if not grants:
        return unknown("RolesNotRead", "No role assignment was seen; collect the role assignments.")
    people = [entry for entry in grants if _is_privileged(entry, facts) and not _is_service(entry)]
    scheduled = {entry.key: entry for entry in people if entry.is_scheduled}
    standing = [entry for entry in people if scheduled.get(entry.key, entry).is_standing]
    listed = facts.was_listed(_SCHEDULES)
    # A role that was activated for an hour is an assignment too: only its schedule tells the two apart.
    if any(entry.is_scheduled for entry in standing) or (standing and listed):
        names = ", ".join(sorted({entry.principal for entry in standing}))
        at = [Evidence(entry.id, "properties.principalId", entry.principal) for entry in standing[:_SHOWN]]
        return unmet("StandingAccess", f"Principals with a privileged role for good: {names}.", *at)
    if listed:
        return met("NoStandingAccess")
    return unknown("SchedulesNotRead", f"Nobody asked for all role schedules; collect '{_SCHEDULES}'.")


def strong_authentication(_facts: SubscriptionFacts) -> Verdict:
    """A Conditional Access policy makes administrators use phishing-resistant methods and managed devices."""
    return unknown("DirectoryNotRead", "Conditional Access is kept in Entra and is not collected; attest it.")


def pipelines_hardened(facts: SubscriptionFacts) -> Verdict:
    """No pipeline owns the subscription, and what it deploys is approved by a person."""
    owners = [
        entry
        for entry in _grants(facts)
        if _is_service(entry) and entry.role == _OWNER and _is_wide(entry, facts)
    ]
    if owners:
        at = [Evidence(entry.id, "properties.principalId", entry.principal) for entry in owners[:_SHOWN]]
        return unmet("ServicePrincipalOwns", "A service principal is Owner of the subscription.", *at)
    return unknown("PipelinesNotAttested", "No API shows how pipelines are approved; attest it.")


def narrow_scope(facts: SubscriptionFacts) -> Verdict:
    """People and pipelines get a role where they need it, not on everything."""
    grants = _grants(facts)
    if not grants:
        return unknown("RolesNotRead", "No role assignment was seen; collect the role assignments.")
    wide = [entry for entry in grants if entry.role in (_OWNER, _CONTRIBUTOR) and _is_wide(entry, facts)]
    if wide:
        at = [Evidence(entry.id, "properties.scope", entry.scope) for entry in wide[:_SHOWN]]
        return unmet("BroadRoles", "Owner or Contributor is given for the whole subscription.", *at)
    if not facts.was_listed(_ASSIGNMENTS):
        return unknown("RolesNotListed", f"Nobody asked for all role assignments; collect '{_ASSIGNMENTS}'.")
    return met("NarrowRoles")


def _grants(facts: SubscriptionFacts) -> tuple[RoleGrant, ...]:
    # Those of management groups lie in no subscription, and may hold for any.
    protection = facts.estate.protection
    return (*protection.grants_within(facts.id), *protection.grants_within(""))


def _is_wide(entry: RoleGrant, facts: SubscriptionFacts) -> bool:
    # A management group may hold any subscription; the empty scope is the tenant's root.
    return entry.scope in ("", facts.resource.key) or "/managementgroups/" in entry.scope


def _is_privileged(entry: RoleGrant, facts: SubscriptionFacts) -> bool:
    return entry.role in _PRIVILEGED and _is_wide(entry, facts)


def _is_service(entry: RoleGrant) -> bool:
    return (entry.principal_type or "").lower() == "serviceprincipal"


_OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
_CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
_USER_ACCESS = "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"
_VM_ADMIN_LOGIN = "1c0163c0-47e6-4577-8991-ea5c82e286e4"
_PRIVILEGED = (_OWNER, _CONTRIBUTOR, _USER_ACCESS, _VM_ADMIN_LOGIN)
_ASSIGNMENTS = "Microsoft.Authorization/roleAssignments"
_SCHEDULES = "Microsoft.Authorization/roleAssignmentScheduleInstances"
_SHOWN = 5

CONTROLS = (
    SubscriptionControl(
        id="AC-7",
        title="Nobody has standing access",
        level=Level.FULL,
        evidence=EvidenceClass.REST,
        remedy="Make privileged roles eligible instead of active; except the break-glass accounts.",
        source=_PIM,
        whose=Whose.OTHER_TEAM,
        check=no_standing_access,
    ),
    SubscriptionControl(
        id="AC-8",
        title="Administrators authenticate phishing-resistantly from managed devices",
        level=Level.FULL,
        is_mandatory=False,
        evidence=EvidenceClass.GRAPH,
        remedy="Require an authentication strength and a compliant device for administrators, and attest it.",
        source=_STRENGTH,
        whose=Whose.OTHER_TEAM,
        check=strong_authentication,
    ),
    SubscriptionControl(
        id="AC-10",
        title="Pipelines own nothing and are approved by people",
        level=Level.FULL,
        is_mandatory=False,
        evidence=EvidenceClass.ATTESTED,
        remedy="Take Owner from service principals, add approvals to pipelines, and attest it.",
        source=_WORKLOADS,
        whose=Whose.OTHER_TEAM,
        check=pipelines_hardened,
    ),
    SubscriptionControl(
        id="GV-4",
        title="Roles are given where they are needed",
        level=Level.ADVANCED,
        is_mandatory=False,
        evidence=EvidenceClass.RESOURCE_GRAPH,
        remedy="Replace Owner and Contributor of the subscription by narrower roles on narrower scopes.",
        source=_LEAST,
        whose=Whose.OTHER_TEAM,
        check=narrow_scope,
    ),
)
