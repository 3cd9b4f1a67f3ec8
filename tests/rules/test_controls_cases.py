"""One step away from the best VM or subscription: each control notices what it is about."""

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from readiness.model.access import Access, JitAccess, Subnet
from readiness.model.governance import (
    FirewallInspection,
    FirewallTier,
    PolicyExemption,
    RoleGrant,
    VaultShield,
)
from readiness.model.monitoring import DefenderPlan, FlowLog, GuestAssignment, PatchResult, PatchSettings
from readiness.model.posture import Fact
from readiness.model.virtual_machine import Identity, SecurityType, VirtualMachine
from readiness.rules.evaluate import evaluate
from tests.builders import (
    GROUP,
    NIC,
    PUBLIC_IP,
    SUBNET,
    backup_item,
    boot,
    disk,
    encryption_set,
    extension,
    ip_configuration,
    nic,
    public_ip,
    rid,
    security_group,
    security_rule,
    vm_id,
)
from tests.rules.control_builders import (
    OWNER,
    SUBSCRIPTION_ID,
    TODAY,
    beneath,
    best_estate,
    best_facts,
    best_vm,
)

_LISTED = ("Microsoft.Authorization/policyExemptions",)
_PUBLIC = nic(ip_configurations=(ip_configuration(public_ip=PUBLIC_IP),), network_security_group=GROUP)
_OPEN = {
    "nics": [_PUBLIC],
    "public_ips": [public_ip()],
    "security_groups": [security_group(security_rule())],
}
_NAMED = _OPEN | {"security_groups": [security_group(security_rule(sources=("198.51.100.7",)))]}
_JIT = {"access": Access(just_in_time=(JitAccess(policy=rid("x/y", "jit"), vm=vm_id(), ports=(22,)),))}
_PRIVATE = Subnet(id=SUBNET, default_outbound=False, nat_gateway=rid("Microsoft.Network/natGateways", "n"))
_FIREWALL = rid("Microsoft.Network/azureFirewalls", "fw")
_POLICY = rid("Microsoft.Network/firewallPolicies", "fwp")


def _but(kind: type, /, **changes: Any) -> list[Fact]:
    """Return the best facts with changes to those of one kind; without changes they are left out."""
    return [
        replace(fact, **changes) if isinstance(fact, kind) else fact
        for fact in best_facts()
        if changes or not isinstance(fact, kind)
    ]


def _and(*facts: Fact) -> dict[str, Any]:
    return {"posture": [*best_facts(), *facts]}


_ON = best_vm().boot
_GRANT = RoleGrant(
    id=beneath("Microsoft.Authorization/roleAssignments", "b", SUBSCRIPTION_ID),
    scope=SUBSCRIPTION_ID.key,
    role=OWNER,
    principal="q",
    principal_type="User",
)
_EXEMPTION = PolicyExemption(
    id=beneath("Microsoft.Authorization/policyExemptions", "e", SUBSCRIPTION_ID),
    category="Mitigated",
    expires=datetime(2026, 12, 1, tzinfo=UTC),
    owner="Ada",
)

CASES: tuple[tuple[str, str, dict[str, Any], dict[str, Any]], ...] = (
    ("AC-1", "unmet NotJustInTime", {}, _OPEN),
    ("AC-1", "unmet NotJustInTime", {}, _NAMED),
    ("AC-2", "unmet ManagementPortOpen", {}, _OPEN),
    ("AC-3", "unknown NetworkNotRead", {"os_profile": None}, {"nics": []}),
    ("AC-4", "unmet EntraLoginMissing", {"extensions": ()}, {}),
    ("AC-4", "unmet EntraLoginWithoutIdentity", {"identity": Identity()}, {}),
    ("AC-4", "unknown ExtensionNotRead", {"extensions": (extension("", ""),)}, {}),
    ("AC-6", "unmet NoIdentity", {"identity": Identity()}, {}),
    ("AC-9", "unmet LocalAccountsEnabled", {}, {"posture": _but(GuestAssignment, compliance="NonCompliant")}),
    ("AC-7", "unmet StandingAccess", {}, _and(_GRANT)),
    ("AC-7", "unknown RolesNotRead", {}, {"posture": _but(RoleGrant)}),
    ("AC-10", "unmet ServicePrincipalOwns", {}, _and(replace(_GRANT, principal_type="ServicePrincipal"))),
    ("NW-1", "unmet NoSecurityGroup", {}, {"nics": [nic()]}),
    ("NW-1", "unknown NetworkNotRead", {}, {"security_groups": []}),
    (
        "NW-1",
        "unmet OpenToInternet",
        {},
        {"security_groups": [security_group(security_rule(destination_ports=("*",)))]},
    ),
    ("NW-2", "unmet PublicAddress", {}, _OPEN),
    ("NW-3", "unmet BasicAddress", {}, {"nics": [_PUBLIC], "public_ips": [public_ip(is_basic=True)]}),
    ("NW-3", "unknown NetworkNotRead", {}, {"nics": [_PUBLIC]}),
    ("NW-4", "unmet FirewallNotPremium", {}, _and(FirewallTier(id=_FIREWALL, tier="Standard"))),
    ("NW-4", "unknown FirewallPolicyNotRead", {}, _and(FirewallTier(id=_FIREWALL, tier="Premium"))),
    (
        "NW-4",
        "unmet FirewallLooksAway",
        {},
        _and(
            FirewallTier(id=_FIREWALL, tier="Premium", policy=_POLICY),
            FirewallInspection(id=_POLICY, inspects_tls=True),
        ),
    ),
    ("NW-5", "unknown NetworkNotRead", {}, _OPEN),
    ("NW-6", "unknown SegmentsNotRead", {}, {"security_groups": [security_group()]}),
    (
        "NW-6",
        "unmet NotSegmented",
        {},
        {
            "security_groups": [security_group()],
            "listed": (*_LISTED, "Microsoft.Network/effectiveSecurityAdminRules"),
        },
    ),
    (
        "NW-8",
        "unmet NoFlowLog",
        {},
        {"listed": (*_LISTED, "Microsoft.Network/networkWatchers/flowLogs")},
    ),
    ("NW-9", "unmet Forwards", {}, {"nics": [nic(network_security_group=GROUP, forwards=True)]}),
    (
        "NW-10",
        "unmet DefaultOutbound",
        {},
        {"access": Access(subnets={SUBNET: Subnet(id=SUBNET)})},
    ),
    ("CP-1", "unmet TrustedLaunchOff", {"boot": boot(encryption_at_host=True)}, {}),
    ("CP-2", "unmet SettingOff", {"boot": replace(_ON, vtpm=False)}, {}),
    ("CP-3", "unknown FirmwareNotReported", {"boot": replace(_ON, secure_boot=None)}, {}),
    ("CP-6", "unmet BaselineDrifted", {}, {"posture": _but(GuestAssignment, compliance="NonCompliant")}),
    ("CP-6", "unknown GuestNotAsked", {}, {"posture": _but(GuestAssignment)}),
    ("CP-7", "unmet DriftOnlyAudited", {}, {"posture": _but(GuestAssignment, kind="Audit")}),
    ("DF-1", "unmet DefenderOff", {}, {"posture": _but(DefenderPlan, tier="Free")}),
    ("DF-1", "unmet DefenderPartly", {}, {"posture": _but(DefenderPlan, coverage="PartiallyCovered")}),
    ("DF-1", "unknown PlanNotRead", {}, {"posture": _but(DefenderPlan)}),
    ("DF-2", "unmet NotPlanTwo", {}, {"posture": _but(DefenderPlan, plan="P1")}),
    ("DF-3", "unmet NoEndpointDetection", {"extensions": ()}, {}),
    ("MN-1", "unmet NoMonitorAgent", {"extensions": ()}, {}),
    (
        "MN-3",
        "unmet RetiredAgent",
        {"extensions": (extension("Microsoft.EnterpriseCloud.Monitoring", "OmsAgentForLinux"),)},
        {},
    ),
    ("UP-1", "unmet DoesNotLook", {"patching": PatchSettings(assessment_mode="ImageDefault")}, {}),
    ("UP-1", "unknown PatchingNotReported", {"patching": PatchSettings(), "os_profile": None}, {}),
    ("UP-2", "unmet PatchedByHand", {"patching": PatchSettings(patch_mode="ImageDefault")}, {}),
    (
        "UP-2",
        "unknown ScheduleNotRead",
        {"patching": PatchSettings(patch_mode="AutomaticByPlatform", own_schedule=True)},
        {},
    ),
    ("UP-3", "unmet UpdatesMissing", {}, {"posture": _but(PatchResult, missing=2)}),
    (
        "UP-3",
        "unknown LookTooOld",
        {},
        {"posture": _but(PatchResult, at=datetime(2026, 9, 1, tzinfo=UTC))},
    ),
    ("DP-3", "unmet AtHostOff", {"boot": replace(_ON, encryption_at_host=False)}, {}),
    ("DP-5", "unmet PlatformKey", {}, {"disks": [disk(network_access="DenyAll")]}),
    ("DP-6", "unmet KeyNotRotated", {}, {"encryption_sets": [encryption_set(rotates=False)]}),
    ("DP-6", "unmet KeyCanBePurged", {}, {"posture": _but(VaultShield, purge_protection=None)}),
    ("DP-6", "unknown VaultNotRead", {}, {"posture": _but(VaultShield)}),
    ("DP-7", "unmet ExportOpen", {}, {"disks": [disk(network_access="AllowAll")]}),
    ("DP-7", "unmet ExportOpen", {}, {"disks": [disk(network_access="AllowPrivate")]}),
    ("DP-7", "unknown DiskNotRead", {}, {"disks": [disk()]}),
    ("DP-8", "unmet BackupUnhealthy", {}, {"backup_items": [backup_item(last_backup_status="Failed")]}),
    ("GV-1", "unmet ExemptionIncomplete", {}, _and(_EXEMPTION)),
    ("GV-1", "unknown ExemptionsNotRead", {}, {"listed": ()}),
)


def _found(vm: VirtualMachine, facts: dict[str, Any]) -> dict[str, str]:
    assessed = evaluate(best_estate(vm, **facts), as_of=TODAY, release="test")
    listed = (*assessed.vms[0].controls, *assessed.subscriptions[0].controls)
    return {entry.id: f"{entry.verdict} {entry.reason}" for entry in listed}


@pytest.mark.parametrize(("control", "expected", "vm", "facts"), CASES, ids=lambda one: str(one)[:40])
def test_case(control: str, expected: str, vm: dict[str, Any], facts: dict[str, Any]) -> None:
    """A control that is not met says which of its reasons it is."""
    assert expected == _found(best_vm(**vm), facts).get(control)


@pytest.mark.parametrize(
    ("control", "vm", "facts"),
    [
        ("AC-1", {}, _NAMED | _JIT),
        ("NW-8", {}, _and(FlowLog(id=rid("x/y", "f"), target=SUBNET.parent, is_enabled=True))),
        ("NW-9", {}, {"nics": [nic(id=NIC, network_security_group=GROUP, forwards=False)]}),
        ("NW-10", {}, {"access": Access(subnets={SUBNET: _PRIVATE})}),
        ("CP-1", {"boot": boot(security_type=SecurityType.CONFIDENTIAL_VM)}, {}),
        ("CP-9", {"metadata_protected": True}, {}),
        ("DP-7", {}, {"disks": [disk(network_access="AllowPrivate", public_access="Disabled")]}),
        ("GV-1", {}, _and(replace(_EXEMPTION, compensating_control="bastion"))),
    ],
    ids=lambda one: str(one)[:40],
)
def test_another_way_to_meet_it(control: str, vm: dict[str, Any], facts: dict[str, Any]) -> None:
    """What is met by another way than the best VM's is not listed."""
    assert control not in _found(best_vm(**vm), facts)
