"""What is settled before an outage is composed, and what has to wait for a second one."""

from typing import Any

import pytest
from msgspec.structs import replace

from readiness.model.context import Choice, Generation1, IdentityChoice, SecureBoot, TrustedLaunchChoice
from readiness.model.plan import PlannedVm
from readiness.model.steps import BackUp, ChangeBackupPolicy, Undo
from readiness.model.virtual_machine import OsFamily, VirtualMachine
from tests.builders import ENCRYPTION_SET, backup_item, boot, disk, rid
from tests.planner.plans import application, context, disk_id, machine, only_planned, plan

ITEM = backup_item()
STANDARD = {"backup_items": [replace(ITEM, policy_type="V1")]}
POLICY = rid("Microsoft.RecoveryServices/vaults", "rsv1/backupPolicies/enhanced")
BOOT = Choice(trusted_launch=TrustedLaunchChoice())
WINDOWS = {"os_family": OsFamily.WINDOWS, "os_name": "Windows Server 2019 Datacenter"}


def _planned(vm: VirtualMachine, choice: Choice, **facts: Any) -> PlannedVm:
    return only_planned(plan(vm, given=context(application("shop", "*"), choice=choice), **facts))


@pytest.mark.parametrize(
    ("vm", "said", "expected"),
    [
        (machine("vm1"), None, SecureBoot.ON),
        (machine("vm1", **WINDOWS), None, SecureBoot.ON),
        (machine("vm1", plan="vendor"), None, SecureBoot.STAGED),
        (machine("vm1", plan="vendor"), SecureBoot.OFF, SecureBoot.OFF),
        (machine("vm1"), SecureBoot.STAGED, SecureBoot.STAGED),
    ],
    ids=["plain Linux", "Windows", "a vendor's kernel", "said off", "said staged"],
)
def test_secure_boot_is_settled(vm: VirtualMachine, said: SecureBoot | None, expected: SecureBoot) -> None:
    """Where nobody said, what may hold an unsigned kernel proves a first boot without Secure Boot."""
    made = _planned(vm, Choice(trusted_launch=TrustedLaunchChoice(secure_boot=said)))

    assert made.choice.trusted_launch is not None
    assert expected is made.choice.trusted_launch.secure_boot


def test_a_second_restart_is_declared() -> None:
    """A staged VM is restarted in the plan, its time is in the window, and its owner is told."""
    staged = _planned(machine("vm1", plan="vendor"), BOOT)
    at_once = _planned(machine("vm1"), BOOT)

    assert staged.outage is not None
    assert at_once.outage is not None
    assert "restart.patch-vm" in [step.name for step in staged.outage.steps]
    assert staged.reserved_seconds > at_once.reserved_seconds + 900
    assert any("second time" in line for line in staged.consent)
    assert not any("second time" in line for line in at_once.consent)


OLD = {"boot": boot(generation=1), "os_name": "Windows Server 2019 Datacenter", "os_family": OsFamily.WINDOWS}
OLD_DISK = {"disks": [disk(id=disk_id("vm1-os"), unique_id="1", generation=1)]}
EVERYTHING_OLD = Choice(
    trusted_launch=TrustedLaunchChoice(generation_1=Generation1.CONVERT),
    disk_encryption_set=ENCRYPTION_SET,
    identity=IdentityChoice(),
)


def test_a_conversion_goes_alone() -> None:
    """Keys wait for a second outage, in words; what is done online goes along."""
    made = _planned(machine("vm1", **OLD), EVERYTHING_OLD, **OLD_DISK)

    assert ("managed-identity", "trusted-launch") == made.actions
    (refusal,) = [each for each in made.refusals if each.reason != "NotChosen"]
    assert ("disk-encryption", "SecondOutage") == (refusal.playbook, refusal.reason)
    assert "a second outage" in refusal.detail
    assert made.choice.disk_encryption_set is None
    assert Undo.REBUILD is made.undo
    assert any("for good" in line for line in made.consent)


def test_keys_change_once_the_disk_is_converted() -> None:
    """Planned again afterwards, nothing waits any more."""
    made = _planned(machine("vm1"), EVERYTHING_OLD)

    assert ("managed-identity", "trusted-launch", "disk-encryption") == made.actions
    assert {"NotChosen"} >= {each.reason for each in made.refusals}
    assert Undo.CONFIG is made.undo


@pytest.mark.parametrize(
    ("choice", "policy"),
    [(BOOT, "V2"), (Choice(disk_encryption_set=ENCRYPTION_SET), "V1")],
    ids=["trusted launch", "keys"],
)
def test_whoever_is_backed_up_has_a_fresh_backup(choice: Choice, policy: str) -> None:
    """Every upgrade with an outage asks Azure Backup for a young recovery point."""
    made = _planned(machine("vm1"), choice, backup_items=[replace(ITEM, policy_type=policy)])

    assert 1 == [type(step.step) for step in made.preparation].count(BackUp)
    assert ITEM.id == made.backup_item


def test_a_standard_policy_gives_way_where_that_was_chosen() -> None:
    """The policy is changed before the backup, keys wait, and the way back is said to be closed."""
    choice = Choice(
        trusted_launch=TrustedLaunchChoice(), disk_encryption_set=ENCRYPTION_SET, backup_policy=POLICY
    )
    made = _planned(machine("vm1"), choice, **STANDARD)

    assert [ChangeBackupPolicy, BackUp] == [type(step.step) for step in made.preparation]
    assert ("trusted-launch",) == made.actions
    assert ("disk-encryption", "SecondOutage") in [(each.playbook, each.reason) for each in made.refusals]
    assert any("no way back to a Standard one" in line for line in made.consent)
    assert POLICY == made.choice.backup_policy


def test_a_policy_that_may_stay_stays() -> None:
    """A VM under an Enhanced policy keeps it, whatever policy others are to move to."""
    made = _planned(machine("vm1"), replace(BOOT, backup_policy=POLICY), backup_items=[ITEM])

    assert [BackUp] == [type(step.step) for step in made.preparation]
    assert made.choice.backup_policy is None
