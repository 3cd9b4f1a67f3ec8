"""Controls of what guards a subscription's networks as a whole."""

from readiness.model.assessment import Source, Whose
from readiness.model.levels import Level
from readiness.model.verdict import Evidence, Verdict, met, not_applicable, unknown, unmet
from readiness.rules.controls.control import EvidenceClass, SubscriptionControl, SubscriptionFacts

_LEARN = "https://learn.microsoft.com/azure"
_FIREWALL = Source("Azure Firewall Premium features", f"{_LEARN}/firewall/premium-features", "2026-04")
_PRIVATE = Source(
    "What is a private endpoint?", f"{_LEARN}/private-link/private-endpoint-overview", "2026-04"
)
_ADAPTIVE = Source(
    "What's new in Defender for Cloud archive",
    f"{_LEARN}/defender-for-cloud/release-notes-archive",
    "2026-04",
)


def inspecting_firewall(facts: SubscriptionFacts) -> Verdict:
    """A Premium firewall looks into encrypted traffic and for intrusions."""
    access = facts.estate.access
    firewalls = [entry for entry in access.firewalls if entry.id.subscription == facts.id]
    if not firewalls:
        if facts.was_listed("Microsoft.Network/azureFirewalls"):
            return unmet("NoFirewall", "The subscription has no Azure Firewall.")
        return unknown("FirewallsNotRead", "No Azure Firewall was seen; collect them, or attest it.")
    for firewall in firewalls:
        at = Evidence(firewall.id, "properties.sku.tier", firewall.tier)
        if firewall.tier is None:
            return unknown("FirewallNotReported", f"The tier of {firewall.id.name} was not read.", at)
        if firewall.tier.lower() != "premium":
            return unmet("FirewallNotPremium", f"{firewall.id.name} is not a Premium firewall.", at)
        policy = access.firewall_policies.get(firewall.policy) if firewall.policy else None
        if policy is None:
            return unknown("FirewallPolicyNotRead", f"The policy of {firewall.id.name} was not read.", at)
        if not policy.inspects_tls or (policy.intrusion_detection or "").lower() not in ("alert", "deny"):
            return unmet("FirewallLooksAway", f"{policy.id.name} leaves TLS or intrusions alone.", at)
    return met("FirewallInspects")


def private_services(_facts: SubscriptionFacts) -> Verdict:
    """Storage, databases and vaults are reached through private endpoints."""
    return unknown("ServicesNotCollected", "An estate of VMs does not hold other services; attest it.")


def adaptive_hardening(_facts: SubscriptionFacts) -> Verdict:
    """Azure withdrew adaptive network hardening; nothing can be evaluated, and nobody is measured by it."""
    return not_applicable("NotAvailable", "Azure does not offer adaptive network hardening any more.")


CONTROLS = (
    SubscriptionControl(
        id="NW-4",
        title="A firewall inspects what passes",
        level=Level.FULL,
        is_mandatory=False,
        evidence=EvidenceClass.RESOURCE_GRAPH,
        remedy="Use Azure Firewall Premium with TLS inspection and intrusion detection.",
        source=_FIREWALL,
        whose=Whose.OTHER_TEAM,
        seed_claim="Premium with TLS inspection is said to be mandatory everywhere. Azure's own policy only "
        "suggests it, and just-in-time access cannot drive a firewall under a policy.",
        check=inspecting_firewall,
    ),
    SubscriptionControl(
        id="NW-7",
        title="Services are reached through private endpoints",
        level=Level.ADVANCED,
        is_mandatory=False,
        evidence=EvidenceClass.RESOURCE_GRAPH,
        remedy="Give storage, databases and vaults private endpoints, and attest it.",
        source=_PRIVATE,
        whose=Whose.OTHER_TEAM,
        check=private_services,
    ),
    SubscriptionControl(
        id="NW-11",
        title="Networks harden themselves",
        level=Level.FULL,
        is_mandatory=False,
        evidence=EvidenceClass.RESOURCE_GRAPH,
        remedy="Nothing can be done; Azure withdrew the feature.",
        source=_ADAPTIVE,
        whose=Whose.OTHER_TEAM,
        seed_claim="Adaptive network hardening is said to be part of full alignment. Azure has withdrawn it.",
        check=adaptive_hardening,
    ),
)
