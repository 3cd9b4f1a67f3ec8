"""Managed identity as values: exact steps, and what has to be seen."""

import pytest
from msgspec.structs import replace

from playbooks.managed_identity import PLAYBOOK
from readiness.model.context import Choice, IdentityChoice, IdentityKind, RoleWish
from readiness.model.ids import ResourceId
from readiness.model.observation import Observation, before_of
from readiness.model.playbook import Target
from readiness.model.steps import AssignIdentity, AssignRole, Change
from readiness.model.virtual_machine import Identity
from tests.builders import rid, vm

VM = vm()
NAMED = rid("Microsoft.ManagedIdentity/userAssignedIdentities", "id1")
SCOPE = ResourceId("/subscriptions/s1")
READER = RoleWish(role="Reader", scope=SCOPE)
OWN = IdentityChoice()
BOTH = IdentityChoice(user_assigned=(NAMED,), roles=(READER,), accept_new_default=True)
ALONE = IdentityChoice(type=IdentityKind.USER, user_assigned=(NAMED,))

PREPARE: dict[str, tuple[IdentityChoice | None, tuple[Change, ...]]] = {
    "not chosen": (None, ()),
    "its own": (OWN, (AssignIdentity(vm=VM.id),)),
    "its own, a named one, and a role": (
        BOTH,
        (
            AssignIdentity(vm=VM.id, user_assigned=(NAMED,), accept_new_default=True),
            AssignRole(vm=VM.id, role="Reader", scope=SCOPE),
        ),
    ),
    "a named one alone": (ALONE, (AssignIdentity(vm=VM.id, system=False, user_assigned=(NAMED,)),)),
}


@pytest.mark.parametrize("case", PREPARE)
def test_prepare(case: str) -> None:
    """One write brings every identity; only then its own one gets roles."""
    identity, expected = PREPARE[case]
    assert expected == PLAYBOOK.prepare(Target(vm=VM, disks=(), choice=Choice(identity=identity)))


VERIFY: dict[str, tuple[IdentityChoice | None, Identity, str]] = {
    "not chosen": (None, Identity(), "not-applicable NotChosen"),
    "its own": (OWN, Identity(system_assigned=True), "met IdentityAssigned"),
    "none": (OWN, Identity(), "unmet NoSystemIdentity"),
    "another": (OWN, Identity(user_assigned=(NAMED,)), "unmet NoSystemIdentity"),
    "both": (BOTH, Identity(system_assigned=True, user_assigned=(NAMED,)), "met IdentityAssigned"),
    "one of both": (BOTH, Identity(system_assigned=True), "unmet NoNamedIdentity"),
    "a named one alone": (ALONE, Identity(user_assigned=(NAMED,)), "met IdentityAssigned"),
    "its own where a named one was chosen": (ALONE, Identity(system_assigned=True), "unmet NoNamedIdentity"),
}


@pytest.mark.parametrize("case", VERIFY)
def test_verify(case: str) -> None:
    """Every chosen identity has to be seen, before the outage and after it."""
    choice, identity, expected = VERIFY[case]
    seen = Observation(vm=replace(VM, identity=identity), disks=())
    for ask in (PLAYBOOK.prepared, PLAYBOOK.verify):
        assert [expected] == [f"{one.status} {one.reason}" for one in ask(Choice(identity=choice), seen)]


def test_an_identity_stays() -> None:
    """What was given days before is not taken back with an outage: others may rely on it."""
    before = before_of(Observation(vm=VM, disks=()))
    assert () == PLAYBOOK.undo(before, (AssignIdentity(vm=VM.id),))
