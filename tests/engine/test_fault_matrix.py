"""Every playbook, every step, every trouble: a VM ends upgraded, as it was, or in a person's hands, and safe.

The whole product is what `make chaos` tries; here is a part of it that holds every case and every trouble.
"""

import pytest

from playbooks.catalog import ALL_PLAYBOOKS
from readiness.model.lifecycle import Stage
from tests.engine import estates
from tests.engine.cases import CASES
from tests.engine.troubles import AT_BOOT, AT_START, TROUBLES, Trouble, carried_out, troubles_of, violations

EVERY = [trouble for case in CASES if not case.faults for trouble in troubles_of(case)]
TRIED = EVERY[::9]


@pytest.mark.parametrize("trouble", TRIED, ids=str)
def test_whatever_goes_wrong_the_vm_is_safe(trouble: Trouble) -> None:
    """It runs if it ran, is all new or all old, and whoever has to know is told; if it is off, loudly so."""
    rig, unit = carried_out(trouble)
    assert [] == violations(trouble, rig, unit), f"{unit.phase}: {unit.reason}"


def test_the_part_holds_every_kind() -> None:
    """Every trouble is tried in this part, and every case in every stage that is its own."""
    assert set(TROUBLES | AT_START | AT_BOOT) == {trouble.name for trouble in EVERY}
    assert set(TROUBLES) <= {trouble.name for trouble in TRIED}
    assert {case for case in CASES if not case.faults} == {trouble.case for trouble in TRIED}


def test_every_playbook_is_tried() -> None:
    """The cases between them carry out every playbook of the catalogue, and every stage."""
    tried = {case.vm for case in CASES}
    done = {action for vm in estates.plan().vms if vm.name in tried for action in vm.actions}
    assert {book.spec.id for book in ALL_PLAYBOOKS} == done
    assert set(Stage) == {case.stage for case in CASES}
