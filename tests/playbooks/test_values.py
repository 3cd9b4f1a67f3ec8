"""The playbooks as values: exact steps, verdicts, and what they rest on."""

import pytest
from msgspec.structs import replace

from playbooks import backup
from playbooks.catalog import ALL_PLAYBOOKS
from playbooks.disk_encryption import PLAYBOOK as ENCRYPTION
from playbooks.managed_identity import PLAYBOOK as IDENTITY
from playbooks.trusted_launch import PLAYBOOK as TRUSTED_LAUNCH
from readiness.model.context import (
    Choice,
    IdentityChoice,
    LoginChoice,
    LoginMethod,
    SecureBoot,
    TrustedLaunchChoice,
)
from readiness.model.disk import Encryption, EncryptionType
from readiness.model.observation import Before, Observation, before_of
from readiness.model.playbook import OutageNeed, Playbook, Target
from readiness.model.steps import (
    AssignIdentity,
    BackUp,
    Change,
    ChangeBackupPolicy,
    DropTrial,
    PatchVm,
    SetDiskEncryption,
    TryEncryption,
)
from readiness.model.verdict import Status
from readiness.model.virtual_machine import BootProfile, DiskAttachment, Identity, SecurityType
from readiness.rules.catalog import ALL_RULES
from readiness.rules.rule import Role
from tests.builders import (
    CUSTOMER_KEY,
    ENCRYPTION_SET,
    OS_DISK,
    PLATFORM_KEY,
    backup_item,
    boot,
    disk,
    encryption_set,
    rid,
    vm,
    vm_id,
)

DATA_DISK = rid("Microsoft.Compute/disks", "vm1-data")
VM = vm(data_disks=(DiskAttachment(disk=DATA_DISK, lun=0),))
DISKS = (disk(), disk(id=DATA_DISK, unique_id="disk-2"))
EVERYTHING = Choice(
    trusted_launch=TrustedLaunchChoice(),
    disk_encryption_set=ENCRYPTION_SET,
    encryption_at_host=True,
    identity=IdentityChoice(),
    login=LoginChoice(method=LoginMethod.KEY),
)
TRUSTED = boot(security_type=SecurityType.TRUSTED_LAUNCH, secure_boot=True, vtpm=True)
AT_HOST_ON = PatchVm(vm=VM.id, properties={"securityProfile": {"encryptionAtHost": True}})
AT_HOST_OFF = PatchVm(vm=VM.id, properties={"securityProfile": {"encryptionAtHost": False}})


def _profile(*, secure_boot: bool, vtpm: bool = True) -> PatchVm:
    uefi = {"secureBootEnabled": secure_boot, "vTpmEnabled": vtpm}
    return PatchVm(
        vm=VM.id, properties={"securityProfile": {"securityType": "TrustedLaunch", "uefiSettings": uefi}}
    )


STANDARD = PatchVm(
    vm=VM.id, properties={"securityProfile": {"securityType": "Standard", "uefiSettings": None}}
)
OS_UNDER_KEY = SetDiskEncryption(vm=VM.id, disk=OS_DISK, encryption=CUSTOMER_KEY)
DOUBLE = Encryption(type=EncryptionType.PLATFORM_AND_CUSTOMER_KEYS, disk_encryption_set=ENCRYPTION_SET)
ANOTHER_KEY = Encryption(
    type=EncryptionType.CUSTOMER_KEY, disk_encryption_set=rid("Microsoft.Compute/diskEncryptionSets", "des2")
)
CONFIDENTIAL = disk(security_type="ConfidentialVM_DiskEncryptedWithCustomerKey")
DATA_UNDER_KEY = SetDiskEncryption(vm=VM.id, disk=DATA_DISK, encryption=CUSTOMER_KEY)


def _target(profile: BootProfile | None = None, *, choice: Choice = EVERYTHING) -> Target:
    return Target(vm=replace(VM, boot=profile) if profile else VM, disks=DISKS, choice=choice)


def _before(profile: BootProfile | None = None, identity: Identity | None = None) -> Before:
    seen = replace(VM, boot=profile or VM.boot, identity=identity or VM.identity)
    return before_of(Observation(vm=seen, disks=DISKS))


HINDERS_NOTHING = {"MI003", "MI005", "TL021", "PW003", "PW007", "PW008", "PW009"}
"""Work that remains: stored credentials, beside which an identity is added, Secure Boot that its owner chose
to leave off, which the upgrade does, and what passwordless access brings, proves or leaves by itself."""


@pytest.mark.parametrize("playbook", ALL_PLAYBOOKS, ids=lambda playbook: playbook.spec.id)
def test_needs_are_the_prerequisites_of_the_dimension(playbook: Playbook) -> None:
    """A playbook rests on exactly the rules of its dimension that are no goals, and hinder its work."""
    rules = [
        rule.id
        for rule in ALL_RULES
        if rule.dimension is playbook.spec.dimension
        and rule.role is not Role.GOAL
        and rule.id not in HINDERS_NOTHING
    ]

    assert sorted(rules) == sorted(playbook.spec.needs)


@pytest.mark.parametrize("playbook", ALL_PLAYBOOKS, ids=lambda playbook: playbook.spec.id)
def test_an_outage_is_declared(playbook: Playbook) -> None:
    """A playbook has offline steps if and only if it says that it needs an outage; the rest is online."""
    needs_outage = playbook.spec.outage is OutageNeed.DEALLOCATE

    assert needs_outage == bool(playbook.convert(_target()))
    assert needs_outage or playbook.prepare(_target())


def test_ids_are_unique() -> None:
    """No two playbooks share an id or a dimension."""
    assert len(ALL_PLAYBOOKS) == len({playbook.spec.id for playbook in ALL_PLAYBOOKS})
    assert len(ALL_PLAYBOOKS) == len({playbook.spec.dimension for playbook in ALL_PLAYBOOKS})


@pytest.mark.parametrize("playbook", ALL_PLAYBOOKS, ids=lambda playbook: playbook.spec.id)
def test_what_was_not_chosen_is_not_done(playbook: Playbook) -> None:
    """Without a choice a playbook is not chosen, and asks nothing of Azure's answer."""
    verdicts = playbook.verify(Choice(), Observation(vm=VM, disks=DISKS))

    assert playbook.is_chosen(EVERYTHING)
    assert not playbook.is_chosen(Choice())
    assert [Status.NOT_APPLICABLE] == [verdict.status for verdict in verdicts]


CONVERT: dict[str, tuple[Playbook, Target, tuple[Change, ...]]] = {
    "identity": (IDENTITY, _target(), ()),
    "trusted launch": (TRUSTED_LAUNCH, _target(), (_profile(secure_boot=True),)),
    "trusted launch without Secure Boot": (
        TRUSTED_LAUNCH,
        _target(choice=Choice(trusted_launch=TrustedLaunchChoice(secure_boot=SecureBoot.OFF))),
        (_profile(secure_boot=False),),
    ),
    "only Secure Boot is missing": (
        TRUSTED_LAUNCH,
        _target(replace(TRUSTED, secure_boot=False)),
        (_profile(secure_boot=True),),
    ),
    "trusted launch is as chosen": (TRUSTED_LAUNCH, _target(TRUSTED), ()),
    "trusted launch not chosen": (TRUSTED_LAUNCH, _target(choice=Choice()), ()),
    "encryption": (ENCRYPTION, _target(), (AT_HOST_ON, OS_UNDER_KEY, DATA_UNDER_KEY)),
    "at host is on already": (
        ENCRYPTION,
        _target(boot(encryption_at_host=True)),
        (OS_UNDER_KEY, DATA_UNDER_KEY),
    ),
    "at host not chosen": (
        ENCRYPTION,
        _target(choice=Choice(disk_encryption_set=ENCRYPTION_SET)),
        (OS_UNDER_KEY, DATA_UNDER_KEY),
    ),
    "the set encrypts twice": (
        ENCRYPTION,
        replace(
            _target(boot(encryption_at_host=True)),
            encryption_set=encryption_set(encryption_type="EncryptionAtRestWithPlatformAndCustomerKeys"),
        ),
        tuple(replace(step, encryption=DOUBLE) for step in (OS_UNDER_KEY, DATA_UNDER_KEY)),
    ),
    "the set encrypts once": (
        ENCRYPTION,
        replace(_target(boot(encryption_at_host=True)), encryption_set=encryption_set()),
        (OS_UNDER_KEY, DATA_UNDER_KEY),
    ),
    "one disk has a key": (
        ENCRYPTION,
        replace(_target(), disks=(disk(encryption=CUSTOMER_KEY), DISKS[1])),
        (AT_HOST_ON, DATA_UNDER_KEY),
    ),
    "one disk has another key": (
        ENCRYPTION,
        replace(_target(), disks=(disk(encryption=ANOTHER_KEY), DISKS[1])),
        (AT_HOST_ON, OS_UNDER_KEY, DATA_UNDER_KEY),
    ),
    "a confidential OS disk": (
        ENCRYPTION,
        replace(_target(), disks=(CONFIDENTIAL, DISKS[1])),
        (AT_HOST_ON, DATA_UNDER_KEY),
    ),
}


@pytest.mark.parametrize("case", CONVERT)
def test_convert(case: str) -> None:
    """Inside the outage a playbook asks for exactly what is missing."""
    playbook, target, expected = CONVERT[case]

    assert expected == playbook.convert(target)


ITEM = backup_item().id
POLICY = ITEM.parent.parent.parent.parent.sibling(
    "Microsoft.RecoveryServices/vaults", "rsv1/backupPolicies/new"
)
TRIAL = (TryEncryption(vm=VM.id, encryption=CUSTOMER_KEY), DropTrial(vm=VM.id, encryption=CUSTOMER_KEY))
BACK_UP = BackUp(vm=VM.id, item=ITEM, max_age_hours=24)
MOVE = ChangeBackupPolicy(vm=VM.id, item=ITEM, policy=POLICY)
PROTECTED = replace(_target(), backup_item=ITEM)
ALL_SET = replace(PROTECTED, vm=replace(VM, boot=TRUSTED), disks=(disk(encryption=CUSTOMER_KEY),))
PREPARE: dict[str, tuple[Playbook, Target, tuple[Change, ...]]] = {
    "identity": (IDENTITY, _target(), (AssignIdentity(vm=VM.id),)),
    "trusted launch, not backed up": (TRUSTED_LAUNCH, _target(), ()),
    "trusted launch, backed up": (TRUSTED_LAUNCH, PROTECTED, (BACK_UP,)),
    "trusted launch, another policy": (
        TRUSTED_LAUNCH,
        replace(PROTECTED, backup_policy=POLICY),
        (MOVE, BACK_UP),
    ),
    "trusted launch is as chosen": (TRUSTED_LAUNCH, replace(ALL_SET, backup_policy=POLICY), ()),
    "encryption, not backed up": (ENCRYPTION, _target(), TRIAL),
    "encryption, backed up": (ENCRYPTION, PROTECTED, (*TRIAL, BACK_UP)),
    "encryption leaves the policy alone": (
        ENCRYPTION,
        replace(PROTECTED, backup_policy=POLICY),
        (*TRIAL, BACK_UP),
    ),
    "encryption at host alone": (
        ENCRYPTION,
        replace(PROTECTED, disks=(disk(encryption=CUSTOMER_KEY),)),
        (BACK_UP,),
    ),
    "encryption is as chosen": (
        ENCRYPTION,
        replace(ALL_SET, vm=replace(VM, boot=boot(encryption_at_host=True))),
        (),
    ),
}


@pytest.mark.parametrize("case", PREPARE)
def test_prepare(case: str) -> None:
    """Online, days before: the identity, proof of the key, the backup's policy and its recovery point."""
    playbook, target, expected = PREPARE[case]

    assert expected == playbook.prepare(target)


def test_a_policy_is_changed_only_with_consent() -> None:
    """Whoever agrees is told that a backup does not go back to its Standard policy."""
    moved = replace(PROTECTED, backup_policy=POLICY)

    assert (f"its backup moves to policy {POLICY.name}: there is no way back to a Standard one",) == (
        backup.consent(moved)
    )
    assert () == backup.consent(PROTECTED)
    assert backup.consent(moved)[0] in TRUSTED_LAUNCH.consent(moved)
    assert backup.consent(moved)[0] not in TRUSTED_LAUNCH.consent(replace(ALL_SET, backup_policy=POLICY))


def _seen(
    profile: BootProfile | None = None, *, encrypted: int = 0, identity: Identity | None = None
) -> Observation:
    disks = [
        replace(entry, encryption=CUSTOMER_KEY if number < encrypted else PLATFORM_KEY)
        for number, entry in enumerate(DISKS)
    ]
    now = replace(VM, boot=profile or VM.boot, identity=identity or VM.identity)
    return Observation(vm=now, disks=tuple(disks))


WITHOUT_SECURE_BOOT = Choice(trusted_launch=TrustedLaunchChoice(secure_boot=SecureBoot.OFF))
AT_HOST = boot(encryption_at_host=True)
VERIFY: dict[str, tuple[Playbook, Choice, Observation, str]] = {
    "identity": (
        IDENTITY,
        EVERYTHING,
        _seen(identity=Identity(system_assigned=True)),
        "met IdentityAssigned",
    ),
    "no identity": (IDENTITY, EVERYTHING, _seen(), "unmet NoSystemIdentity"),
    "another identity": (
        IDENTITY,
        EVERYTHING,
        _seen(identity=Identity(user_assigned=(vm_id("someone"),))),
        "unmet NoSystemIdentity",
    ),
    "trusted": (TRUSTED_LAUNCH, EVERYTHING, _seen(TRUSTED), "met TrustedLaunch"),
    "standard": (TRUSTED_LAUNCH, EVERYTHING, _seen(), "unmet TrustedLaunchNotShown"),
    "no vTPM": (
        TRUSTED_LAUNCH,
        EVERYTHING,
        _seen(replace(TRUSTED, vtpm=False)),
        "unmet TrustedLaunchNotShown",
    ),
    "no answer on Secure Boot": (
        TRUSTED_LAUNCH,
        EVERYTHING,
        _seen(replace(TRUSTED, secure_boot=None)),
        "unmet TrustedLaunchNotShown",
    ),
    "Secure Boot though not chosen": (
        TRUSTED_LAUNCH,
        WITHOUT_SECURE_BOOT,
        _seen(TRUSTED),
        "unmet TrustedLaunchNotShown",
    ),
    "every disk": (ENCRYPTION, EVERYTHING, _seen(AT_HOST, encrypted=2), "met CustomerKey"),
    "one disk": (ENCRYPTION, EVERYTHING, _seen(AT_HOST, encrypted=1), "unmet NotUnderChosenSet"),
    "a disk under another set": (
        ENCRYPTION,
        EVERYTHING,
        replace(_seen(AT_HOST, encrypted=2), disks=(disk(encryption=ANOTHER_KEY),)),
        "unmet NotUnderChosenSet",
    ),
    "a set that encrypts twice": (
        ENCRYPTION,
        EVERYTHING,
        replace(_seen(AT_HOST), disks=(disk(encryption=DOUBLE),)),
        "met CustomerKey",
    ),
    "a confidential OS disk": (
        ENCRYPTION,
        EVERYTHING,
        replace(_seen(AT_HOST), disks=(CONFIDENTIAL,)),
        "met CustomerKey",
    ),
    "not at host": (ENCRYPTION, EVERYTHING, _seen(encrypted=2), "unmet NoEncryptionAtHost"),
    "at host not chosen": (
        ENCRYPTION,
        Choice(disk_encryption_set=ENCRYPTION_SET),
        _seen(encrypted=2),
        "met CustomerKey",
    ),
}


@pytest.mark.parametrize("case", VERIFY)
def test_verify(case: str) -> None:
    """What Azure shows is compared with what was chosen."""
    playbook, choice, seen, expected = VERIFY[case]

    assert [expected] == [f"{verdict.status} {verdict.reason}" for verdict in playbook.verify(choice, seen)]


MERGED = PatchVm(
    vm=VM.id,
    properties={
        "securityProfile": {
            **_profile(secure_boot=True).properties["securityProfile"],
            "encryptionAtHost": True,
        }
    },
)
UNDO: dict[str, tuple[Playbook, Before, tuple[Change, ...], tuple[Change, ...]]] = {
    "identity is kept": (IDENTITY, _before(), (AssignIdentity(vm=VM.id),), ()),
    "identity not begun": (IDENTITY, _before(), (), ()),
    "identity was there": (
        IDENTITY,
        _before(identity=Identity(system_assigned=True)),
        (AssignIdentity(vm=VM.id),),
        (),
    ),
    "trusted launch": (TRUSTED_LAUNCH, _before(), (MERGED, OS_UNDER_KEY), (STANDARD,)),
    "trusted launch before": (
        TRUSTED_LAUNCH,
        _before(replace(TRUSTED, secure_boot=False)),
        (MERGED,),
        (_profile(secure_boot=False),),
    ),
    "trusted launch not begun": (TRUSTED_LAUNCH, _before(), (AT_HOST_ON, OS_UNDER_KEY), ()),
    "encryption": (
        ENCRYPTION,
        _before(),
        (MERGED, OS_UNDER_KEY, DATA_UNDER_KEY),
        (
            AT_HOST_OFF,
            SetDiskEncryption(vm=VM.id, disk=DATA_DISK, encryption=PLATFORM_KEY),
            SetDiskEncryption(vm=VM.id, disk=OS_DISK, encryption=PLATFORM_KEY),
        ),
    ),
    "one disk begun": (
        ENCRYPTION,
        _before(),
        (OS_UNDER_KEY,),
        (SetDiskEncryption(vm=VM.id, disk=OS_DISK, encryption=PLATFORM_KEY),),
    ),
    "another key before": (
        ENCRYPTION,
        before_of(Observation(vm=VM, disks=(disk(encryption=ANOTHER_KEY),))),
        (OS_UNDER_KEY,),
        (SetDiskEncryption(vm=VM.id, disk=OS_DISK, encryption=ANOTHER_KEY),),
    ),
    "encryption not begun": (ENCRYPTION, _before(), (_profile(secure_boot=True),), ()),
}


@pytest.mark.parametrize("case", UNDO)
def test_undo(case: str) -> None:
    """The way back takes back what was begun, to what was recorded, and nothing else."""
    playbook, before, begun, expected = UNDO[case]

    assert expected == playbook.undo(before, begun)
