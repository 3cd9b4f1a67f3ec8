"""The role that is printed is what a run uses: no request without its action, and no action without a use.

Each action stands at the step that asks, so that a step which asks for more than it declares is found, too.
"""

from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args
from uuid import UUID

import pytest

from readiness.app.estates import locate
from readiness.app.permissions import ASSESS_ACTIONS, run_actions
from readiness.app.shared_actions import shared_wave
from readiness.azure.kept_snapshots import kept_snapshots
from readiness.azure.perform import AzureCloud
from readiness.azure.permissions import missing
from readiness.azure.subscriptions import visible_subscriptions
from readiness.azure.traces import Snapshots, group_mark_of, released_trace_of, trace_of
from readiness.model.ids import ResourceId
from readiness.model.lifecycle import Stage
from readiness.model.run import SignalKind
from readiness.model.steps import (
    AssignIdentity,
    AssignRole,
    BackUp,
    Change,
    ChangeBackupPolicy,
    Deallocate,
    PatchVm,
    Preflight,
    ProveClosed,
    PutBackOff,
    RemoveIdentity,
    RemoveRole,
    Resize,
    Start,
    StartAs,
    SwapOsDisk,
    TakeSnapshot,
)
from readiness.model.steps.kinds import LOOK
from readiness.store.journal import leave_signal
from readiness.twin.core import Twin
from readiness.twin.seed import load as load_seed
from tests.azure.asking import Process
from tests.azure.test_inventory import Collected
from tests.engine import estates, just_in_time_estate, shared_estate
from tests.engine.cases import CASES
from tests.engine.hearing import Heard, HeardRig, action_of
from tests.engine.rig import wave_of
from tests.twin.backups import ITEM, place, policy_id, protect
from tests.twin.network_seeds import wired
from tests.twin.seeds import OS_DISK, VM, Wire, deallocated, estate

ABOVE = "/providers/Microsoft.Management/managementGroups/corp/providers/Microsoft.Authorization"
MACHINE, PROTECTED = ResourceId(VM), ResourceId(ITEM)
TAKEN_BACK = (
    ("bo-app-01", Stage.CLOSURE),
    ("bo-nightly-01", Stage.CLOSURE),
    ("sf-legacy-01", Stage.OUTAGE),
)
GRANT = AssignRole(vm=MACHINE, role="Reader", scope=MACHINE, principal=str(UUID(int=7)), kind="User")
SIZE = "Standard_D4s_v5"
_ITEMS = "microsoft.recoveryservices/vaults/backupfabrics/protectioncontainers/protecteditems"
LINKED = {
    "microsoft.compute/disks/begingetaccess/action": "a snapshot copies a disk: its data is read",
    "microsoft.compute/diskencryptionsets/read": "a disk that is put under a key names its set",
    "microsoft.managedidentity/userassignedidentities/assign/action": "a write of a VM names its identities",
    "microsoft.compute/virtualmachines/instanceview/read": "a VM is read with its instance view",
    "microsoft.recoveryservices/vaults/backuppolicies/read": "a write of a protected item names its policy",
    f"{_ITEMS}/operationresults/read": "Azure may name this address of an operation, or that of its status",
}
"""Actions that Azure asks for behind another request, so that no request of its own shows them."""


def governed() -> list[dict[str, Any]]:
    """Policies of a management group: an initiative with a policy that depends on more, and an exemption."""
    rule = {"field": "Microsoft.Compute/virtualMachines/imagePublisher", "equals": "nobody"}
    policy = {"mode": "All", "policyRule": {"if": rule, "then": {"effect": "deny"}}}
    member = {"policyDefinitionId": f"{ABOVE}/policyDefinitions/own", "policyDefinitionReferenceId": "own"}
    assigned = {"policyDefinitionId": f"{ABOVE}/policySetDefinitions/all"}
    properties = {
        "policyDefinitions/own": policy,
        "policySetDefinitions/all": {"policyDefinitions": [member]},
        "policyAssignments/guard": assigned,
    }
    return [
        {"id": f"{ABOVE}/{name}", "name": name.rpartition("/")[2], "properties": each}
        for name, each in properties.items()
    ]


def stages(heard: Heard, folder: Path) -> None:
    """Carry out every case there is, and take those back that are done and can be."""
    for number, case in enumerate(CASES):
        earlier = list(Stage)[: list(Stage).index(case.stage)]
        faults = [dict(fault) for fault in case.faults]
        rig = HeardRig(folder / f"{number}", wave_of(case.vm), faults, after=earlier[-1] if earlier else None)
        rig.heard = heard
        rig.process(stage=case.stage)
        if (case.vm, case.stage) in TAKEN_BACK:
            taken_back(rig, case.stage)


def taken_back(rig: HeardRig, stage: Stage) -> None:
    """Take back what was done."""
    leave_signal(rig.folder / stage, SignalKind.ROLLBACK, at=datetime.now(UTC), sent_by="x", note="")
    rig.process(stage=stage)


def shared_actions(heard: Heard, folder: Path) -> None:
    """Tighten a shared security group, put VMs into a just-in-time policy, and take both back."""
    for name, action, seed in (
        ("group", shared_estate.action(), shared_estate.folder()),
        ("policy", just_in_time_estate.action(), just_in_time_estate.folder()),
    ):
        rig = HeardRig(folder / name, shared_wave(action))
        rig.twin = Twin(load_seed(seed), clock=rig.clock)
        rig.heard = heard
        rig.process(stage=Stage.CLOSURE)
        with heard.connection(rig.twin) as connection:
            heard.asking = "recover"
            group_mark_of(connection, rig.wave.vms[0].id, "0123456789ab")
        taken_back(rig, Stage.CLOSURE)


def recovered(heard: Heard, folder: Path) -> None:
    """Look for what a run left, as `recover`, `status` and `snapshots` do."""
    rig = HeardRig(folder / "lost", wave_of("sf-web-02"), after=Stage.OUTAGE)
    vm = rig.wave.vms[0].id
    with heard.connection(rig.twin) as connection:
        heard.asking = "recover"
        visible_subscriptions(connection, vm.subscription)
        kept_snapshots(connection, vm.subscription)
        own = Snapshots(connection, estates.plan().approval)
        cloud = AzureCloud(connection)
        trace_of(connection, cloud, vm, own)
        released_trace_of(cloud, vm, own, "run-outage")


def single_steps(heard: Heard) -> None:
    """Perform what no case needs: a backup, another policy of it, another size, and policies from above."""
    wire = place()
    protect(wire)
    rounds: list[tuple[Wire, tuple[Change, ...]]] = [
        (
            wire,
            (
                BackUp(vm=MACHINE, item=PROTECTED, max_age_hours=24, retain_days=40),
                ChangeBackupPolicy(vm=MACHINE, item=PROTECTED, policy=ResourceId(policy_id("hourly"))),
            ),
        ),
        (
            Wire(*estate(machine=deallocated())),
            (
                Resize(vm=MACHINE, size=SIZE),
                StartAs(vm=MACHINE, size=SIZE),
                PutBackOff(vm=MACHINE),
                Preflight(
                    vm=MACHINE,
                    work=(Deallocate(vm=MACHINE), Start(vm=MACHINE)),
                    spare=(Resize(vm=MACHINE, size=SIZE), StartAs(vm=MACHINE, size=SIZE)),
                ),
            ),
        ),
        (
            Wire(*estate(machine=deallocated())),
            (
                TakeSnapshot(vm=MACHINE, disk=ResourceId(OS_DISK)),
                SwapOsDisk(vm=MACHINE, disk=ResourceId(OS_DISK)),
            ),
        ),
        (
            Wire(*estate()),
            (
                AssignIdentity(vm=MACHINE),
                RemoveIdentity(vm=MACHINE),
                GRANT,
                RemoveRole(vm=MACHINE, role="Reader", scope=MACHINE, principal=GRANT.principal, kind="User"),
            ),
        ),
        (wired(), (ProveClosed(vm=MACHINE, ports=(22,)),)),
        (Wire(*estate(*governed())), (Preflight(vm=MACHINE, work=(PatchVm(vm=MACHINE, properties={}),)),)),
    ]
    for twin, changes in rounds:
        process = Process(twin, heard.hear)
        for change in changes:
            heard.asking = type(change)
            process.do(change)


@pytest.fixture(scope="module")
def heard() -> Heard:
    """Everything that campaigns of every kind ask of Azure, once for all tests of this module."""
    heard = Heard()
    with TemporaryDirectory() as folder:
        stages(heard, Path(folder))
        shared_actions(heard, Path(folder))
        recovered(heard, Path(folder))
    single_steps(heard)
    return heard


def test_every_request_is_covered_by_what_its_step_declares(heard: Heard) -> None:
    """No step asks for anything that it does not declare, and so nothing is refused that was promised."""
    undeclared = []
    for (asking, action), path in heard.needed.items():
        declared = asking.actions if isinstance(asking, type) else run_actions()
        declared = LOOK if asking == "a look at a VM" else declared
        if action not in {each.lower() for each in declared}:
            undeclared.append((asking, action, path))
    assert [] == undeclared


def test_every_request_is_covered_by_the_role(heard: Heard) -> None:
    """Whoever holds the printed role, and no other, carries out and recovers campaigns of every kind."""
    role = {"actions": sorted(run_actions())}
    assert () == missing(sorted({action for _, action in heard.needed}), [role])


def test_no_action_of_the_role_is_without_a_use(heard: Heard) -> None:
    """Each action is used by a request, or is one that Azure asks for behind one."""
    used = {action for _, action in heard.needed} | LINKED.keys()
    assert set() == {action.lower() for action in run_actions()} - used


def test_every_kind_of_step_was_tried(heard: Heard) -> None:
    """The campaigns between them perform each step there is, so that the other tests leave none out."""
    kinds = {asking for asking, _ in heard.needed if isinstance(asking, type)}
    assert set() == {*get_args(Change)} - kinds, "nobody tried these"


def test_assessing_needs_nothing_else_than_its_role() -> None:
    """A collection reads, and does nothing else: not even what Azure counts as an action."""
    wire = Wire()
    wire.twin = Twin(load_seed(locate("everything_wrong")), clock=wire.clock)
    asked = {action_of(*request.split(" ", 1)) for request in _paths(Collected(wire))}
    assert () == missing(sorted(asked), [{"actions": list(ASSESS_ACTIONS)}])
    assert ("*/read",) == ASSESS_ACTIONS


def _paths(found: Collected) -> list[str]:
    return [request.replace("https://twin.invalid", "") for request in found.asked]
