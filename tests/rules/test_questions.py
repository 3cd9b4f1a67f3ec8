"""What several rules ask about one VM is answered once, and never answered for another VM."""

from datetime import date

from readiness.model.estate import Estate
from readiness.model.virtual_machine import VirtualMachine
from readiness.rules.controls.control import VmFacts
from readiness.rules.holds import unlocked_for_boot, unlocked_for_keys
from tests import builders

AS_OF = date(2026, 11, 2)


def test_a_question_is_asked_once_while_it_is_the_vms_turn() -> None:
    """Two rules that ask the same of a VM share one answer."""
    vm = builders.vm()
    facts = VmFacts(vm, builders.estate(vm), AS_OF)
    assert facts.ask(unlocked_for_keys) is facts.ask(unlocked_for_boot)


def test_an_answer_is_never_that_about_the_vm_before() -> None:
    """Asked about VMs in turn, each gets its own answer, and an earlier one the same again."""

    def name_of(vm: VirtualMachine, _estate: Estate) -> str:
        return vm.name

    one, other = builders.vm(name="one"), builders.vm(name="other")
    estate = builders.estate(one, other)
    assert ["one", "other", "one"] == [estate.about(vm, name_of) for vm in (one, other, one)]


def test_the_facts_of_a_vm_stay_its_own_after_another_was_asked_about() -> None:
    """Facts that outlive their VM's turn still answer for their VM."""
    one, other = builders.vm(name="one", provisioning_state="Failed"), builders.vm(name="other")
    estate = builders.estate(one, other)
    facts, later = VmFacts(one, estate, AS_OF), VmFacts(other, estate, AS_OF)
    assert ("LastOperationFailed", "Settled") == (facts.rule("TL012").reason, later.rule("TL012").reason)
