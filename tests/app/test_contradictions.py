"""A plan is refused where applications contradict one another; an assessment says it and goes on."""

import json
from datetime import date
from pathlib import Path

import pytest

from readiness.app.assess import assess
from readiness.app.plan import create_plan
from readiness.errors import EstateError
from tests.builders import SUBSCRIPTION

AS_OF = date(2026, 11, 22)
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-app"
UNREAD = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/gone-01"


def an_estate(folder: Path, *applications: str, gaps: tuple[object, ...] = ()) -> Path:
    """Write an estate of two VMs with these applications, each from its name on."""
    folder.mkdir()
    info = {
        "format": "readiness/estate/1",
        "name": "e",
        "origin": "sample",
        "collected_at": "2026-11-20T08:00:00Z",
        "subscriptions": [{"id": SUBSCRIPTION, "name": "s"}],
        "gaps": gaps,
    }
    vms = [
        {
            "id": f"{GROUP}/providers/Microsoft.Compute/virtualMachines/{name}",
            "name": name,
            "type": "Microsoft.Compute/virtualMachines",
            "location": "westeurope",
            "properties": {"storageProfile": {"osDisk": {"osType": "Linux"}}},
        }
        for name in ("web-01", "db-01")
    ]
    lines = "".join(f"  - {{owner: {{name: Ada}}, {entry}}}\n" for entry in applications)
    (folder / "estate.json").write_text(json.dumps(info), encoding="utf-8")
    (folder / "resources.jsonl").write_text("".join(f"{json.dumps(vm)}\n" for vm in vms), encoding="utf-8")
    text = f"format: readiness/context/1\napplications:\n{lines}"
    (folder / "context.yaml").write_text(text, encoding="utf-8")
    return folder


ALL = "name: Platform, match: {resource_groups: [rg-app]}"
SHOP = "name: Shop, match: {names: [web-*]}"
GHOST = "name: Ghost, match: {names: [gone-*]}"


def reasons(folder: Path) -> list[str]:
    """Return what an assessment of the folder has against its context."""
    return [gap.reason for gap in assess(folder, AS_OF).gaps]


def test_a_vm_of_two_applications_is_refused_with_both_places(tmp_path: Path) -> None:
    """Lines, names, VMs and remedy are told, and nothing is written; an assessment goes on and says it."""
    folder = an_estate(tmp_path / "e", SHOP, ALL)
    with pytest.raises(EstateError) as caught:
        create_plan(folder, tmp_path / "out", AS_OF)
    assert (
        "context.yaml:3:5, context.yaml:4:5: The applications Shop and Platform both match one VM (web-01), "
        "and nothing says whose they are." == caught.value.brief
    )
    assert "'over: [Platform]' under Shop" in caught.value.remedy
    assert not (tmp_path / "out").exists()
    assert ["ApplicationsOverlap"] == reasons(folder)


def test_an_application_without_vms_is_refused_with_its_place(tmp_path: Path) -> None:
    """All contradictions are told at once; an assessment goes on and says it."""
    folder = an_estate(tmp_path / "e", SHOP, ALL, GHOST)
    with pytest.raises(EstateError) as caught:
        create_plan(folder, tmp_path / "out", AS_OF)
    assert "context.yaml:5:5: The application Ghost matches no VM of the estate." == caught.value.details
    assert "may_be_empty: true" in caught.value.remedy
    assert {"ApplicationsOverlap", "MatchesNoVm"} == set(reasons(folder))


def test_a_context_that_says_what_is_meant_is_planned(tmp_path: Path) -> None:
    """With `over` and `may_be_empty` the same applications pass, and there is nothing to warn of."""
    folder = an_estate(tmp_path / "e", f"{SHOP}, over: [Platform]", ALL, f"{GHOST}, may_be_empty: true")
    assert 2 == create_plan(folder, tmp_path / "out", AS_OF).plan.inventory
    assert [] == reasons(folder)


def test_an_application_that_others_hide_is_a_warning_where_it_is_said(tmp_path: Path) -> None:
    """An order that somebody wrote down is no contradiction, even if it leaves an application nothing."""
    folder = an_estate(tmp_path / "e", f"{ALL}, over: [Shop]", SHOP)
    create_plan(folder, tmp_path / "out", AS_OF)
    assert ["ApplicationHidden"] == reasons(folder)


def test_an_application_of_a_vm_that_could_not_be_read_passes(tmp_path: Path) -> None:
    """It may match that VM: a plan is not refused for what a reader could not see."""
    gap = {"place": "collector", "resource": UNREAD, "reason": "Forbidden", "detail": "No.", "is_vm": True}
    folder = an_estate(tmp_path / "e", ALL, GHOST, gaps=(gap,))
    assert create_plan(folder, tmp_path / "out", AS_OF).plan_file.exists()
