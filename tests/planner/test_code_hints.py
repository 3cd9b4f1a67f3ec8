"""The plan hints at infrastructure code where there is a sign of it, and says each sentence once."""

import json
import shutil
from datetime import date

import pytest

from readiness.app.estates import locate
from readiness.app.plan import create_plan
from readiness.model.iac import hint_for
from readiness.model.plan import Plan, PlannedVm, as_json, from_json
from readiness.store.artefacts import read_plan
from reports.tables.plan_vms import plan_vms

DAY = date(2026, 11, 22)
CODE = """
iac:
  - match: {names: [sf-web-*]}
    tool: terraform
    repository: git.example/infra
  - match: {names: [bo-app-01]}
    tool: bicep
    repository: git.example/office
    confirmed_by: Ann
"""


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """The plan of the starter estate, with some VMs in code, and one whose tag says so."""
    place = tmp_path_factory.mktemp("estate") / "starter"
    shutil.copytree(locate("starter"), place)
    context = place / "context.yaml"
    context.write_text(context.read_text(encoding="utf-8") + CODE, encoding="utf-8")
    resources = [json.loads(line) for line in (place / "resources.jsonl").read_text("utf-8").splitlines()]
    for resource in resources:
        if resource.get("name") == "sf-app-01" and resource["type"].lower().endswith("/virtualmachines"):
            resource["tags"] = {"managed-by": "Terraform Cloud"}
    (place / "resources.jsonl").write_text("\n".join(json.dumps(one) for one in resources) + "\n", "utf-8")
    create_plan(place, place.parent / "out", DAY)
    return read_plan(place.parent / "out")


def named(plan: Plan, name: str) -> PlannedVm:
    """Return a VM of the plan by its name."""
    return next(vm for vm in plan.vms if vm.name == name)


def test_only_signs_of_code_are_hinted_at(plan: Plan) -> None:
    """A VM that the context or a tag says to be in code is hinted at; of the others nobody knows."""
    hinted = {vm.name for vm in plan.vms if plan.iac_hint(vm)}
    assert (
        {"sf-web-01", "sf-web-02", "sf-app-01", "bo-app-01"}
        == hinted
        == {vm.name for vm in plan.vms if vm.iac}
    )
    assert all(plan.iac_hint(vm) == hint_for(vm) for vm in plan.vms if vm.iac)


def test_each_sentence_is_said_once(plan: Plan) -> None:
    """VMs of the same steps share a sentence, whatever their disks are called."""
    assert len(set(plan.iac_hints)) == len(plan.iac_hints) < 4
    web = named(plan, "sf-web-01")
    assert "secure_boot_enabled, vtpm_enabled would replace it" in plan.iac_hint(web)
    assert web.iac_hint == named(plan, "sf-web-02").iac_hint
    assert plan.iac_hint(web) != plan.iac_hint(named(plan, "bo-app-01"))


def test_templates_are_hinted_at_in_their_words(plan: Plan) -> None:
    """Bicep is told what stands in a template, and that nobody verified what happens without it."""
    hint = plan.iac_hint(named(plan, "bo-app-01"))
    said = "identity, securityProfile, encryption, storageProfile may be undone (not verified)"
    assert f"Code has to follow, or its next run goes wrong: {said}. Details: readiness report iac" == hint


def test_a_tag_is_a_sign_that_waits_for_an_answer(plan: Plan) -> None:
    """What only a tag says has to be confirmed by people, as the context's entries have."""
    said = "terraform, as its tag managed-by says Terraform Cloud: freeze it or merge the change first"
    assert f"{said} (not confirmed yet)" == named(plan, "sf-app-01").iac


def test_the_workbook_says_it_beside_the_vm(plan: Plan) -> None:
    """The column holds what the owner has to do and what code has to follow; it is empty for the others."""
    table = plan_vms(plan)
    titles = [column.title for column in table.columns]
    cells = {row[0]: row[titles.index("Infrastructure code")] for row in table.rows}
    web = named(plan, "sf-web-01")
    assert f"{web.iac}\n{plan.iac_hint(web)}" == cells["sf-web-01"]
    assert not cells["bo-app-02"]


def test_older_plans_are_read(plan: Plan) -> None:
    """A plan that was written before there were hints has none."""
    written = json.loads(b"".join(as_json(plan)))
    del written["iac_hints"]
    for vm in written["vms"]:
        del vm["iac_hint"]
    older = from_json(json.dumps(written).encode())
    assert {""} == {older.iac_hint(vm) for vm in older.vms}
