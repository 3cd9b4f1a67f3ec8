"""Use case: the custom role that a stage of the work needs, from the ARM actions its steps declare."""

from enum import StrEnum
from pathlib import Path
from typing import Any, get_args

from readiness.model.steps import Change, Look
from readiness.model.steps.kinds import StepBase
from readiness.store.artefacts import read_plan


class Work(StrEnum):
    """What a role is for."""

    ASSESS = "assess"
    RUN = "run"


ASSESS_ACTIONS = ("*/read",)
"""Reading everything, and nothing that Azure counts as an action."""


def role_for(work: Work, scopes: tuple[str, ...]) -> dict[str, Any]:
    """Return a role definition as `az role definition create` takes it.

    Args:
        work: What it is for.
        scopes: Where it may be assigned: subscriptions, or resource groups.
    """
    actions = ASSESS_ACTIONS if work is Work.ASSESS else run_actions()
    return {
        "Name": f"Readiness {work}",
        "IsCustom": True,
        "Description": _WORDS[work],
        "Actions": sorted(actions),
        "NotActions": [],
        "DataActions": [],
        "NotDataActions": [],
        "AssignableScopes": list(scopes),
    }


def scopes_of(plan: Path) -> tuple[str, ...]:
    """Return the subscriptions of a plan as scopes."""
    return tuple(f"/subscriptions/{one}" for one in read_plan(plan).target.subscriptions)


def run_actions() -> frozenset[str]:
    """Return every ARM action that any step declares."""
    kinds: tuple[type[StepBase], ...] = (*get_args(Look), *get_args(Change))
    # Before a run the subscriptions are listed: is this where its plan was made for?
    return frozenset(action for kind in kinds for action in kind.actions) | {
        "Microsoft.Resources/subscriptions/read"
    }


_WORDS = {
    Work.ASSESS: "Reads what 'readiness collect' and 'readiness assess' need, and changes nothing.",
    Work.RUN: "Carries out the steps of 'readiness prepare', 'run', 'close' and 'rollback'.",
}
