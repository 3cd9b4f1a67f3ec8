"""Managed identity: a system-assigned identity for the VM, online, as preparation.

Source: Microsoft Learn, "What are managed identities for Azure resources?"
(https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/overview).
Does: one additive write; identities the VM already has are kept.
Does not: assign roles, or remove stored credentials.
"""

from readiness.model.context import Choice, IdentityKind
from readiness.model.observation import Before, Observation
from readiness.model.playbook import OutageNeed, Playbook, PlaybookSpec, Target
from readiness.model.steps import AssignIdentity, Change, RemoveIdentity, Undo
from readiness.model.verdict import Dimension, Verdict, met, not_applicable, unmet

SPEC = PlaybookSpec(
    id="managed-identity",
    title="Managed identity",
    dimension=Dimension.MANAGED_IDENTITY,
    level=2,
    outage=OutageNeed.NONE,
    needs=("MI002", "MI006", "MI030"),
    undo=Undo.CONFIG,
)


def is_chosen(choice: Choice) -> bool:
    """Tell whether a system-assigned identity was chosen for the VM."""
    return choice.identity is not None and choice.identity.type is IdentityKind.SYSTEM


def prepare(target: Target) -> tuple[Change, ...]:
    """Add the identity."""
    return (AssignIdentity(vm=target.vm.id),)


def convert(_target: Target) -> tuple[Change, ...]:
    """Do nothing offline: an identity needs no outage."""
    return ()


def verify(choice: Choice, seen: Observation) -> tuple[Verdict, ...]:
    """Prove that the VM has the identity."""
    if not is_chosen(choice):
        return (not_applicable("NotChosen"),)
    if seen.vm.identity.system_assigned:
        return (met("SystemAssigned"),)
    return (unmet("NoSystemIdentity", f"{seen.vm.name} has no system-assigned identity"),)


def undo(before: Before, begun: tuple[Change, ...]) -> tuple[Change, ...]:
    """Take the identity away if the VM had none and this campaign began to add it."""
    if before.identity.system_assigned:
        return ()
    return tuple(RemoveIdentity(vm=step.vm) for step in begun if isinstance(step, AssignIdentity))


PLAYBOOK = Playbook(
    spec=SPEC, is_chosen=is_chosen, prepare=prepare, convert=convert, verify=verify, undo=undo
)
