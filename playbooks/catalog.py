"""Every playbook, in the order in which one VM's campaign takes them. Nothing registers itself."""

from playbooks import disk_encryption, managed_identity, passwordless, trusted_launch
from readiness.model.playbook import Playbook

ALL_PLAYBOOKS: tuple[Playbook, ...] = (
    managed_identity.PLAYBOOK,
    trusted_launch.PLAYBOOK,
    disk_encryption.PLAYBOOK,
    passwordless.PLAYBOOK,
)
