"""A target that the context names and a VM lacks is work, also where its dimension is satisfied."""

from typing import Any

import pytest

from readiness.model.context import Choice, IdentityChoice, IdentityKind
from readiness.model.ids import ResourceId
from readiness.model.plan import Plan, PlannedVm
from readiness.model.steps import AssignIdentity
from readiness.model.virtual_machine import Identity
from tests.builders import rid, vm_id
from tests.planner.plans import application, context, machine, only_left_out, only_planned, plan

OLD, NEW = (rid("Microsoft.ManagedIdentity/userAssignedIdentities", name) for name in ("old", "new"))


def planned(has: Identity, **choice: Any) -> Plan:
    """Plan a VM that has these identities for a context that names one."""
    wanted = IdentityChoice(user_assigned=(NEW,), **choice)
    given = context(application("shop", "vm-1"), choice=Choice(identity=wanted))
    return plan(machine("vm-1", identity=has), given=given)


def identities(of: PlannedVm) -> list[tuple[bool, tuple[ResourceId, ...]]]:
    """Return which identities the preparation of a VM adds."""
    steps = (planned.step for planned in of.preparation)
    return [(step.system, step.user_assigned) for step in steps if isinstance(step, AssignIdentity)]


@pytest.mark.parametrize(
    ("has", "choice"),
    [
        (Identity(system_assigned=True, user_assigned=()), {}),
        (Identity(system_assigned=True, user_assigned=(OLD,)), {"type": IdentityKind.USER}),
        (Identity(system_assigned=False, user_assigned=(OLD,)), {"accept_new_default": True}),
    ],
    ids=["beside its own", "beside its own and a named one", "beside a named one, by its owner's word"],
)
def test_a_named_identity_is_added_to_a_vm_that_has_another(has: Identity, choice: dict[str, Any]) -> None:
    """It satisfies the dimension, and lacks what was named: that is added."""
    made = only_planned(planned(has, **choice))
    assert ("managed-identity",) == made.actions
    assert [(choice.get("type") is not IdentityKind.USER, (NEW,))] == identities(made)


def test_who_has_the_named_identity_is_left_alone() -> None:
    """A VM that has what was named, among others, lacks nothing: no other upgrade was chosen for it."""
    left = only_left_out(planned(Identity(system_assigned=True, user_assigned=(NEW, OLD))))
    assert (vm_id("vm-1"), "NotChosen") == (left.id, left.reason)


def test_what_is_unsafe_for_others_is_unsafe_here() -> None:
    """A VM whose only identity would cease to be the default one is refused for that, and not changed."""
    left = only_left_out(planned(Identity(system_assigned=False, user_assigned=(OLD,))))
    assert "DefaultWouldChange" == left.reason
