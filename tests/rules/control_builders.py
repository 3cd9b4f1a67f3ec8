"""Builds a VM and a subscription that meet every control, so that a test takes away only what it is about."""

from datetime import UTC, date, datetime
from typing import Any

from msgspec.structs import replace

from readiness.model.context import Attestation, Context, Match
from readiness.model.disk import Encryption, EncryptionType
from readiness.model.estate import Estate
from readiness.model.fact import Fact
from readiness.model.governance import PolicyAssignment, RoleGrant
from readiness.model.ids import ResourceId
from readiness.model.monitoring import (
    DefenderPlan,
    GuestAssignment,
    PatchResult,
    PatchSettings,
    Recommendation,
    VmLink,
)
from readiness.model.virtual_machine import Identity, SecurityType, VirtualMachine
from tests.builders import (
    ENCRYPTION_SET,
    GROUP,
    SUBSCRIPTION,
    VAULT,
    backup_item,
    boot,
    disk,
    encryption_set,
    estate,
    extension,
    nic,
    protection,
    rid,
    security_group,
    security_rule,
    vm,
    vm_id,
)
from tests.rules.case import Case

TODAY = date(2026, 11, 2)
SUBSCRIPTION_ID = ResourceId(f"/subscriptions/{SUBSCRIPTION}")
OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
LISTED = (
    "Microsoft.Authorization/policyExemptions",
    "Microsoft.Authorization/roleAssignments",
    "Microsoft.Authorization/roleAssignmentScheduleInstances",
    "Microsoft.Compute/virtualMachines/extensions",
)
"""Types that have to have been listed for every mandatory control to be met."""
GRANT = RoleGrant(
    id=ResourceId(f"{SUBSCRIPTION_ID}/providers/Microsoft.Authorization/roleAssignmentScheduleInstances/a"),
    scope=SUBSCRIPTION_ID.key,
    role=OWNER,
    principal="p",
    principal_type="User",
    is_scheduled=True,
    is_standing=False,
)
"""An Owner who is one for a few hours."""


def beneath(provider: str, name: str, parent: ResourceId | None = None) -> ResourceId:
    """Return the id of an extension resource, by default of the default VM."""
    return ResourceId(f"{parent or vm_id()}/providers/{provider}/{name}")


def word(control: str, **changes: Any) -> Attestation:
    """Return an attestation of the control for everything, which holds today."""
    facts: dict[str, Any] = {
        "control": control,
        "match": Match(),
        "owner": "Ada",
        "given": date(2026, 10, 1),
        "expires": date(2027, 1, 1),
        "statement": "Done and tested.",
        **changes,
    }
    return Attestation(**facts)


def best_vm(**changes: Any) -> VirtualMachine:
    """Return a VM that meets every control by itself."""
    facts: dict[str, Any] = {
        "boot": boot(
            security_type=SecurityType.TRUSTED_LAUNCH, secure_boot=True, vtpm=True, encryption_at_host=True
        ),
        "identity": Identity(system_assigned=True),
        "extensions": (
            extension("Microsoft.Azure.ActiveDirectory", "AADSSHLoginForLinux"),
            extension("Microsoft.Azure.Monitor", "AzureMonitorLinuxAgent"),
            extension("Microsoft.Azure.AzureDefenderForServers", "MDE.Linux"),
        ),
        "patching": PatchSettings(assessment_mode="AutomaticByPlatform", patch_mode="AutomaticByPlatform"),
        **changes,
    }
    return vm(**facts)


def best_facts() -> list[Fact]:
    """Return what has to be observed beside the VM for every mandatory control to be met."""
    pricing = "Microsoft.Security/pricings"
    guest = "Microsoft.GuestConfiguration/guestConfigurationAssignments"
    return [
        DefenderPlan(id=beneath(pricing, "VirtualMachines", SUBSCRIPTION_ID), tier="Standard", plan="P2"),
        Recommendation(
            id=beneath("Microsoft.Security/assessments", "ffff0522-1e88-47fc-8382-2a80ba848f5d"),
            key="ffff0522-1e88-47fc-8382-2a80ba848f5d",
            resource=vm_id(),
            code="Healthy",
        ),
        GuestAssignment(
            id=beneath(guest, "AzureLinuxBaseline"),
            vm=vm_id(),
            configuration="azurelinuxbaseline",
            status="Compliant",
            kind="ApplyAndAutoCorrect",
        ),
        GuestAssignment(
            id=beneath(guest, "AADDisableLocalAuth_Linux"),
            vm=vm_id(),
            configuration="aaddisablelocalauth_linux",
            status="Compliant",
        ),
        VmLink(
            id=beneath("Microsoft.Insights/dataCollectionRuleAssociations", "dcr"),
            vm=vm_id(),
            target=rid("Microsoft.Insights/dataCollectionRules", "dcr1"),
        ),
        PatchResult(
            id=ResourceId(f"{vm_id()}/patchAssessmentResults/latest"),
            vm=vm_id(),
            missing=0,
            at=datetime(2026, 11, 1, tzinfo=UTC),
        ),
        PolicyAssignment(
            id=beneath("Microsoft.Authorization/policyAssignments", "asc", SUBSCRIPTION_ID),
            definition="1f3afdf9-d0c9-4c3d-847f-89da613e70a8",
            scope=SUBSCRIPTION_ID.key,
        ),
    ]


def best_estate(*vms: VirtualMachine, **changes: Any) -> Estate:
    """Return an estate in which the best VM stands on the highest level."""
    key = Encryption(type=EncryptionType.CUSTOMER_KEY, disk_encryption_set=ENCRYPTION_SET)
    apart = security_rule(
        4000, allows=False, protocol="*", sources=("VirtualNetwork",), destination_ports=("*",)
    )
    facts: dict[str, Any] = {
        "context": Context(attestations=(word("DP-8"),)),
        "disks": [disk(encryption=key, network_access="DenyAll", public_access="Disabled")],
        "encryption_sets": [encryption_set(rotates=True, source_vault=VAULT)],
        "nics": [nic(network_security_group=GROUP)],
        "security_groups": [security_group(apart)],
        "backup_items": [backup_item(last_backup_status="Completed", protection_state="Protected")],
        "posture": best_facts(),
        "protected": protection(grants=changes.pop("grants", (GRANT,))),
        "listed": LISTED,
        **changes,
    }
    return estate(*(vms or (best_vm(),)), **facts)


def but(kind: type, /, **changes: Any) -> dict[str, Any]:
    """Return the best facts with changes to those of one kind; without changes they are left out."""
    facts = [
        replace(fact, **changes) if isinstance(fact, kind) else fact
        for fact in best_facts()
        if changes or not isinstance(fact, kind)
    ]
    return {"posture": facts}


def also(*facts: Fact) -> dict[str, Any]:
    """Return the best facts and these."""
    return {"posture": [*best_facts(), *facts]}


def listed(*kinds: str) -> dict[str, Any]:
    """Return that these types were listed too."""
    return {"listed": (*LISTED, *kinds)}


def assessment(key: str, code: str) -> Recommendation:
    """Return what Defender for Cloud says of the best VM."""
    kind = "Microsoft.Security/assessments"
    return Recommendation(id=beneath(kind, key), key=key, resource=vm_id(), code=code)


def control_case(control: str, expected: str, vm: dict[str, Any] | None = None, /, **facts: Any) -> Case:
    """Return a case of a control: what differs from the best VM, and from the best estate."""
    return Case(control, expected, expected, best_vm(**(vm or {})), facts)
