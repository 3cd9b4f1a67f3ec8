"""What a role for this project may do: exactly what the steps declare, from one source."""

import re
from pathlib import Path
from typing import get_args

import pytest

from readiness.app.permissions import ASSESS_ACTIONS, Work, role_for, scopes_of
from readiness.azure.permissions import missing
from readiness.model.steps import Change, Look
from tests.engine import estates

DOCS = Path(__file__).parents[2] / "docs"
SCOPE = "/subscriptions/00000000-0000-0000-0000-000000000000"


def actions(work: Work) -> list[str]:
    """Return what a role allows."""
    found: list[str] = role_for(work, (SCOPE,))["Actions"]
    return found


def test_the_role_of_a_run_is_what_its_steps_declare() -> None:
    """Every action of every step is allowed, and no star allows more."""
    needed = {action for kind in (*get_args(Look), *get_args(Change)) for action in kind.actions}
    role = actions(Work.RUN)
    assert () == missing(sorted(needed), [{"actions": role, "notActions": []}])
    assert [] == [action for action in role if "*" in action]
    assert role == sorted(set(role))


def test_the_page_of_playbooks_names_nothing_else() -> None:
    """What docs/playbooks.md says a step needs, the role allows: both come from the steps."""
    page = (DOCS / "playbooks.md").read_text(encoding="utf-8")
    tables = "\n".join(line for line in page.splitlines() if line.startswith("|"))
    told = set(re.findall(r"`(Microsoft\.[^`]+)`", tables))
    assert told
    assert set() == told - set(actions(Work.RUN))


def test_a_run_never_deletes_what_matters() -> None:
    """No right to delete a VM, a snapshot, a key or a vault; disks only for the throwaway one."""
    deleting = {action for action in actions(Work.RUN) if action.endswith("/delete")}
    assert {"Microsoft.Compute/disks/delete"} == {each for each in deleting if "/disks/" in each}
    for kind in ("virtualMachines/delete", "snapshots/delete", "vaults/delete", "/keys/"):
        assert [] == [each for each in deleting if kind in each]


def test_assessing_changes_nothing() -> None:
    """The role for assessing reads, and nothing else."""
    assert sorted(ASSESS_ACTIONS) == actions(Work.ASSESS)
    assert [] == [action for action in actions(Work.ASSESS) if not action.endswith("/read")]


@pytest.mark.parametrize("work", list(Work))
def test_a_role_is_what_the_azure_cli_takes(work: Work) -> None:
    """Name, description, scopes and the four lists of a custom role, and no right to any data."""
    role = role_for(work, (SCOPE,))
    assert {"Name", "IsCustom", "Description", "AssignableScopes"} < role.keys()
    assert ([], [], []) == (role["NotActions"], role["DataActions"], role["NotDataActions"])
    assert (True, [SCOPE]) == (role["IsCustom"], role["AssignableScopes"])


def test_scopes_of_a_plan(tmp_path: Path) -> None:
    """The subscriptions of a plan are where its role may be assigned."""
    from readiness.store.artefacts import write_plan

    write_plan(tmp_path, estates.plan())
    expected = tuple(f"/subscriptions/{each}" for each in estates.plan().target.subscriptions)
    assert expected == scopes_of(tmp_path)
    assert expected
