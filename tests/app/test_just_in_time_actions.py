"""Just-in-time policies among the actions of a plan: their order, runbook, role and rehearsals."""

import json
from pathlib import Path

import pytest

from readiness.app.estates import load
from readiness.app.permissions import run_actions
from readiness.app.rehearsing import rehearse
from readiness.app.runbook import runbook_of
from readiness.app.shared_actions import (
    GROUP,
    POLICY,
    action_of,
    handle_of,
    not_tightened,
    rests_on,
    tightenings,
)
from readiness.model.lifecycle import Phase
from readiness.model.plan import Plan
from readiness.store.artefacts import write_plan
from reports.runbook import runbook_markdown
from reports.tables.plan_parts import plan_actions
from tests.app.test_run import Silence
from tests.engine import just_in_time_estate

WHERE = "rg-backoffice/default"


@pytest.fixture(scope="module")
def plan() -> Plan:
    """The plan of an estate with an open group and a policy that holds another VM."""
    return just_in_time_estate.plan(policy=True, opened=True)


def test_the_group_comes_first(plan: Plan, tmp_path: Path) -> None:
    """A policy rests on the groups before its VMs, and says which are missing, with the command for each."""
    group, policy = tightenings(plan)
    assert [GROUP, POLICY] == [group.kind, policy.kind]
    assert ((group,), ()) == (rests_on(plan, policy), rests_on(plan, group))
    (sentence,) = not_tightened(plan, policy, tmp_path, "twin")
    assert f"'readiness tighten' with --action {group.name}" in sentence
    assert [] == list(not_tightened(plan, group, tmp_path, "twin"))


def test_it_is_called_by_its_group_and_name(plan: Plan) -> None:
    """Most policies are called the same: people say which by the resource group; its own name does, too."""
    (policy,) = (one for one in plan.closure if one.kind == POLICY)
    assert WHERE == handle_of(plan, policy)
    assert [policy] * 4 == [action_of(plan, word) for word in (WHERE, WHERE.upper(), "default", policy.key)]
    rows = [row for row in plan_actions(plan).rows if POLICY in row]
    assert [True] == [WHERE in row and "readiness" in row for row in rows]


def test_a_rehearsal_has_it_last(plan: Plan, tmp_path: Path) -> None:
    """Once the group was tightened, VMs are put in, and each is proven."""
    write_plan(tmp_path, plan)
    estate = just_in_time_estate.folder(policy=True, opened=True)
    whole = rehearse(tmp_path, str(estate), None, Silence())
    ends = [(one.units[0].name, one.units[0].phase) for one in whole.states if one.info.action]
    assert [("nsg-backoffice", Phase.DONE), (WHERE, Phase.DONE)] == ends


def test_a_rehearsal_leaves_it_out_without_the_group(plan: Plan, tmp_path: Path) -> None:
    """Where the group was not tightened, an older rule would outrank the policy: it waits."""
    write_plan(tmp_path, plan)
    estate = just_in_time_estate.folder(policy=True, opened=True)
    faults = tmp_path / "faults.json"
    denied = {
        "kind": "denied",
        "operation": "networkSecurityGroups/securityRules/write",
        "resource": "*nsg-backoffice*",
    }
    faults.write_text(json.dumps({"format": "readiness/faults/1", "faults": [denied]}), encoding="utf-8")
    whole = rehearse(tmp_path, str(estate), faults, Silence())
    ends = [(one.units[0].name, one.units[0].phase) for one in whole.states if one.info.action]
    assert [("nsg-backoffice", Phase.ROLLED_BACK)] == ends


def test_the_runbook_of_the_last_wave_has_it(plan: Plan) -> None:
    """Each step of the run is in it by its name, after those of the group, and the way back."""
    _, policy = tightenings(plan)
    last = next(wave for wave in plan.waves if wave.number == max(policy.waves))
    book = runbook_of(plan, last, load(just_in_time_estate.folder(policy=True, opened=True)))
    parts = [part for part in book.shared if WHERE in part.title]
    names = [entry.name for part in parts for entry in part.entries]
    back = ["undo.remove-just-in-time", "undo.prove-just-in-time"]
    assert ["check.prove-just-in-time", *(each.name for each in policy.steps), *back] == names
    assert [*book.shared][-len(parts) :] == parts
    text = runbook_markdown(book).decode()
    assert f"Just-in-time policy {WHERE}: its VMs" == parts[0].title
    assert "otherwise stop: nobody switches it on unasked" in text


def test_the_role_allows_it(plan: Plan) -> None:
    """The role that is printed for runs holds every action of its steps, and none that buys a plan."""
    _, policy = tightenings(plan)
    assert {one for each in policy.steps for one in each.step.actions} <= run_actions()
    assert "Microsoft.Security/pricings/read" in run_actions()
    assert "Microsoft.Security/pricings/write" not in run_actions()
