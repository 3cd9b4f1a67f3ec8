"""What is settled for one VM before its campaign is composed, and which upgrades share its outage.

Guarantees: what nobody said of Secure Boot is decided by what the VM shows; an upgrade that cannot share the
outage is refused with the words that it takes a second one.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from readiness.model.context import Choice
from readiness.model.estate import Estate
from readiness.model.plan import Refusal
from readiness.model.playbook import Playbook, Target
from readiness.model.steps import ChangeBackupPolicy, SetDiskEncryption, Undo
from readiness.model.virtual_machine import VirtualMachine
from readiness.rules.boot_guest import secure_boot_for


def settled(vm: VirtualMachine, estate: Estate) -> Choice:
    """Return what was chosen for a VM: Secure Boot decided, and no policy for a backup that may stay."""
    choice, item = estate.choice_for(vm), estate.backup_of(vm)
    boot = choice.trusted_launch and replace(choice.trusted_launch, secure_boot=secure_boot_for(vm, estate))
    has_to_move = item is not None and (item.policy_type or "").upper() == "V1"
    policy = choice.backup_policy if has_to_move else None
    return replace(choice, trusted_launch=boot, backup_policy=policy)


def in_one_outage(chosen: Sequence[Playbook], target: Target) -> tuple[list[Playbook], list[Refusal]]:
    """Return what shares the outage, and a refusal for whatever waits for a second one.

    A conversion from generation 1 goes alone: its way back is another disk, which other changes would not
    fit. Keys wait while the backup moves to an Enhanced policy, whose restore points may hold the disks.
    """
    lone = next((book for book in chosen if undo_of(book, target) is Undo.REBUILD), None)
    waiting: list[Playbook] = []
    why = ""
    if lone is not None:
        waiting = [book for book in chosen if book is not lone and book.convert(target)]
        why = "its disk is converted from generation 1 in this outage, which no other change shares"
    elif any(isinstance(step, ChangeBackupPolicy) for book in chosen for step in book.prepare(target)):
        waiting = [book for book in chosen if _changes_keys(book, target)]
        why = "its backup moves to an Enhanced policy first, whose restore points may hold its disks"
    detail = f"{why}: it takes a second outage, planned once this one is over"
    refusals = [Refusal(playbook=book.spec.id, reason="SecondOutage", detail=detail) for book in waiting]
    return [book for book in chosen if book not in waiting], refusals


def undo_of(playbook: Playbook, target: Target) -> Undo:
    """Return how far a playbook's way back reaches for one VM."""
    return playbook.undo_kind(target) if playbook.undo_kind else playbook.spec.undo


def _changes_keys(playbook: Playbook, target: Target) -> bool:
    return any(isinstance(step, SetDiskEncryption) for step in playbook.convert(target))
