"""Every control against its cases, and the promises that hold for all of them."""

import pytest

from readiness.model.estate import Estate
from readiness.model.verdict import Status, Verdict
from readiness.model.virtual_machine import VirtualMachine
from readiness.rules.controls.catalog import ALL_CONTROLS, SUBSCRIPTION_CONTROLS, VM_CONTROLS
from readiness.rules.controls.control import Control, SubscriptionFacts, VmControl, VmFacts
from tests.builders import SUBSCRIPTION, estate, protection, vm
from tests.rules import (
    control_access_cases,
    control_machine_cases,
    control_service_cases,
    control_subscription_cases,
)
from tests.rules.case import Case
from tests.rules.control_builders import TODAY, best_estate
from tests.rules.control_reasons import reasons_of

CASES = (
    *control_access_cases.CASES,
    *control_machine_cases.CASES,
    *control_service_cases.CASES,
    *control_subscription_cases.CASES,
)
BY_ID = {control.id: control for control in ALL_CONTROLS}


def _answer(control_id: str, machine: VirtualMachine, found: Estate) -> Verdict:
    control = BY_ID[control_id]
    if isinstance(control, VmControl):
        return control.check(VmFacts(machine, found, TODAY))
    granted = found.context.exceptions
    return control.check(SubscriptionFacts(SUBSCRIPTION, found, TODAY, granted))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: Case) -> None:
    """A control answers its case with the expected status and reason, and says why it is not met."""
    verdict = _answer(case.rule, case.vm, best_estate(case.vm, **case.estate))

    assert case.expected == f"{verdict.status} {verdict.reason}"
    assert verdict.detail or verdict.status in (Status.MET, Status.NOT_APPLICABLE)


@pytest.mark.parametrize("control", ALL_CONTROLS, ids=lambda control: control.id)
def test_every_reason_of_a_control_is_reached_by_a_case(control: Control) -> None:
    """A reason without a case could be a reason that nobody ever sees."""
    reached = {case.expected.partition(" ")[2] for case in CASES if case.rule == control.id}

    assert set() == reasons_of(control.check) - reached  # type: ignore[attr-defined]


def test_absence_is_no_fault_where_nothing_was_listed() -> None:
    """Of a VM of which no more than its own resource was read, only what stands there can be unmet."""
    read = vm(size=None, os_family=None, os_profile=None, image=None, os_disk=None, nics=(), agent_ready=None)
    bare = estate(
        read,
        disks=(),
        encryption_sets=(),
        nics=(),
        subnets={},
        skus=(),
        protected=protection(vaults={}, keys={}, grants=(), features={}),
    )
    unmet = {
        control.id: verdict
        for control in VM_CONTROLS
        if (verdict := control.check(VmFacts(read, bare, TODAY))).status is Status.UNMET
    }
    theirs = [
        control.check(SubscriptionFacts(SUBSCRIPTION, bare, TODAY)) for control in SUBSCRIPTION_CONTROLS
    ]

    # Azure leaves these settings out of a VM's own resource where they are off.
    assert {"CP-1", "CP-2", "CP-3", "CP-9", "DP-3"} == set(unmet)
    assert {read.id} == {one.resource for verdict in unmet.values() for one in verdict.evidence}
    assert all(verdict.evidence for verdict in unmet.values())
    assert Status.UNMET not in {verdict.status for verdict in theirs}
