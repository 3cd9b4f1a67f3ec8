"""Managed identity: an identity of the VM's own, named ones, or both, online, as preparation.

Sources: Microsoft Learn, "What are managed identities for Azure resources?"
(https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/overview), and of the identity
that programs get which name none, "Managed identities frequently asked questions"
(https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/managed-identities-faq).
Does: one additive write; identities the VM already has are kept. Then the roles that the context gives to
the VM's own identity, each an assignment with a name that follows from what it says.
Does not: change which identity programs get that name none, unless the owner answers for it; remove stored
credentials. Point of no return: none; given days before, it is kept when an outage is undone.
"""

from readiness.model.context import Choice, IdentityChoice
from readiness.model.ids import ResourceId
from readiness.model.observation import Before, Observation
from readiness.model.playbook import OutageNeed, Playbook, PlaybookSpec, Target
from readiness.model.steps import AssignIdentity, AssignRole, Change, Step, Undo
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
    """Tell whether an identity was chosen for the VM."""
    return choice.identity is not None


def lacks(target: Target) -> bool:
    """Tell whether the VM, whatever identities it has, is without one that was chosen by name."""
    choice = target.choice.identity
    return choice is not None and not set(choice.user_assigned) <= set(target.vm.identity.user_assigned)


def prepare(target: Target) -> tuple[Change, ...]:
    """Add the identities, then give the VM's own one its roles."""
    vm, choice = target.vm.id, target.choice.identity
    if choice is None:
        return ()
    roles = tuple(AssignRole(vm=vm, role=wish.role, scope=wish.scope) for wish in choice.roles)
    return (assignment(vm, choice), *roles)


def assignment(vm: ResourceId, choice: IdentityChoice) -> AssignIdentity:
    """Return the one write that brings all chosen identities."""
    return AssignIdentity(
        vm=vm,
        system=choice.wants_system,
        user_assigned=choice.user_assigned,
        accept_new_default=choice.accept_new_default,
    )


def verify(choice: Choice, seen: Observation) -> tuple[Verdict, ...]:
    """Prove that the VM has every identity that was chosen; its roles the steps themselves prove."""
    if choice.identity is None:
        return (not_applicable("NotChosen"),)
    identity = seen.vm.identity
    if choice.identity.wants_system and not identity.system_assigned:
        return (unmet("NoSystemIdentity", f"{seen.vm.name} has no system-assigned identity"),)
    missing = [one.name for one in choice.identity.user_assigned if one not in identity.user_assigned]
    if missing:
        return (unmet("NoNamedIdentity", f"{seen.vm.name} lacks the identity {', '.join(missing)}"),)
    return (met("IdentityAssigned"),)


def undo(_before: Before, _begun: tuple[Step, ...]) -> tuple[Step, ...]:
    """Keep the identity: it was given online, days before, and others may rely on it by now."""
    return ()


PLAYBOOK = Playbook(
    spec=SPEC,
    is_chosen=is_chosen,
    lacks=lacks,
    prepare=prepare,
    prepared=verify,
    verify=verify,
    undo=undo,
)
