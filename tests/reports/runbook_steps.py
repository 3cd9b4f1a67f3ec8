"""One step of every kind, and a VM to take them: names are whatever a test gives."""

from datetime import UTC, datetime

from msgspec.structs import replace

from readiness.model.disk import Disk
from readiness.model.ids import ResourceId
from readiness.model.observation import Observation
from readiness.model.steps import (
    AskGuest,
    AssignIdentity,
    AssignRole,
    BackUp,
    ChangeBackupPolicy,
    Deallocate,
    DropTrial,
    HandOver,
    InstallExtension,
    MarkGroup,
    PatchVm,
    Preflight,
    ProveBackup,
    ProveClosed,
    ProveClosedBehind,
    ProveHealth,
    ProveJustInTime,
    ProveModel,
    ProveOnRequest,
    ProvePrepared,
    ProveRestored,
    ProveRules,
    ProveTime,
    PutBackOff,
    Recheck,
    RecordBefore,
    ReleaseLease,
    RemoveExtension,
    RemoveIdentity,
    RemoveJustInTime,
    RemoveRole,
    RemoveSecurityRule,
    RequestedAccess,
    Resize,
    RuleStates,
    RunHook,
    RunHookAfter,
    RunInGuest,
    SetDiskEncryption,
    SetJustInTime,
    SetSecurityRule,
    Start,
    StartAs,
    Step,
    SwapOsDisk,
    TakeLease,
    TakeSnapshot,
    TryEncryption,
    UnmarkGroup,
)
from reports.subject import Subject
from tests.builders import CUSTOMER_KEY, PLATFORM_KEY, disk, rid, vm
from tests.reports.plans import planned

UNTIL = datetime(2026, 11, 22, 3, tzinfo=UTC)
ITEM = rid(
    "Microsoft.RecoveryServices/vaults",
    "rsv1/backupFabrics/Azure/protectionContainers/IaasVMContainer;iaasvmcontainerv2;rg-app;vm1"
    "/protectedItems/VM;iaasvmcontainerv2;rg-app;vm1",
)
POLICY = rid("Microsoft.RecoveryServices/vaults", "rsv1/backupPolicies/enhanced")
PATCH = {"securityProfile": {"securityType": "TrustedLaunch", "uefiSettings": {"vTpmEnabled": True}}}


def subject_of(name: str = "vm1") -> Subject:
    """Return a VM of that name, whose identity and model are to be changed."""
    machine = vm(name=name)
    return Subject(
        plan="0123456789ab",
        vm=replace(planned("vm1"), id=machine.id, name=name),
        seen=Observation(vm=machine, disks=(disk(),)),
        slug="vm1",
        prepared=(AssignIdentity(vm=machine.id),),
        wanted=(PatchVm(vm=machine.id, properties=PATCH),),
    )


def every_step(name: str = "vm1", thing: str = "thing") -> tuple[Step, ...]:
    """Return a step of each kind for a VM of that name, on things of the other."""
    machine: ResourceId = vm(name=name).id
    os_disk: Disk = disk(id=rid("Microsoft.Compute/disks", thing))
    rule = rid("Microsoft.Network/networkSecurityGroups", f"nsg1/securityRules/{thing}")
    access = rid("Microsoft.Security/locations", f"westeurope/jitNetworkAccessPolicies/{thing}")
    asked = (RequestedAccess(vm=machine, ports=(22, 3389)),)
    role = {"vm": machine, "role": "Reader", "scope": machine}
    return (
        Recheck(vm=machine, fingerprint="0"),
        RecordBefore(vm=machine),
        ProvePrepared(vm=machine),
        ProveHealth(vm=machine, timeout=600),
        ProveModel(vm=machine),
        ProveRestored(vm=machine),
        ProveTime(vm=machine, until=UNTIL),
        HandOver(vm=machine, code="RebuildNeeded", reason="It has to be rebuilt"),
        TakeLease(vm=machine, until=UNTIL),
        ReleaseLease(vm=machine),
        Deallocate(vm=machine),
        PutBackOff(vm=machine),
        Start(vm=machine),
        Resize(vm=machine, size="Standard_D4s_v5"),
        StartAs(vm=machine, size="Standard_D4s_v5"),
        PatchVm(vm=machine, properties=PATCH),
        AssignIdentity(vm=machine, user_assigned=(rid("Microsoft.ManagedIdentity/identities", thing),)),
        RemoveIdentity(vm=machine),
        TakeSnapshot(vm=machine, disk=os_disk.id),
        SetDiskEncryption(vm=machine, disk=os_disk.id, encryption=CUSTOMER_KEY),
        SetDiskEncryption(vm=machine, disk=os_disk.id, encryption=PLATFORM_KEY),
        TryEncryption(vm=machine, encryption=CUSTOMER_KEY),
        DropTrial(vm=machine, encryption=CUSTOMER_KEY),
        SwapOsDisk(vm=machine, disk=os_disk.id, moment="before-conversion"),
        InstallExtension(
            vm=machine, name=thing, publisher="P", kind="K", version="1.0", settings={"a": thing}
        ),
        RemoveExtension(vm=machine, name=thing),
        RunInGuest(vm=machine, name="look", script=f"echo {thing}\n", expects="^a$", refuses="^b$"),
        AskGuest(vm=machine, name="ask", script="true"),
        AssignRole(**role),
        RemoveRole(**role, principal="33333333-3333-3333-3333-333333333333", kind="Group"),
        SetSecurityRule(vm=machine, rule=rule, properties={"access": "Deny"}, earlier={"access": "Allow"}),
        RemoveSecurityRule(vm=machine, rule=rule, made={"access": "Deny"}),
        ProveClosed(vm=machine, ports=(22, 3389)),
        ProveClosedBehind(vm=machine, ports=(22, 3389)),
        SetJustInTime(vm=access, machines=asked, creates=True),
        SetJustInTime(vm=access, machines=asked, creates=False),
        RemoveJustInTime(vm=access, machines=asked, creates=True),
        RemoveJustInTime(vm=access, machines=asked, creates=False),
        ProveJustInTime(vm=access, machines=asked, creates=True),
        ProveJustInTime(vm=access, machines=asked, creates=False, is_back=True),
        ProveOnRequest(vm=machine, ports=(22, 3389)),
        MarkGroup(vm=rule.parent, until=UNTIL, rules=()),
        UnmarkGroup(vm=rule.parent),
        ProveRules(vm=rule.parent, rules=(RuleStates(rule=rule, allowed=({"access": "Allow"}, None)),)),
        Preflight(
            vm=machine,
            work=(SetDiskEncryption(vm=machine, disk=os_disk.id, encryption=CUSTOMER_KEY),),
            item=ITEM,
        ),
        BackUp(vm=machine, item=ITEM),
        ProveBackup(vm=machine, item=ITEM, policy=POLICY),
        ChangeBackupPolicy(vm=machine, item=ITEM, policy=POLICY),
        RunHook(vm=machine, name="silence", command=("silence", thing)),
        RunHookAfter(vm=machine, name="wake", command=("wake", thing)),
    )
