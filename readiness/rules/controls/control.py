"""A control: one demand of a level, with its condition, evidence, remedy and who has to do it.

A control asks about one VM or about one subscription. Where a rule asks the same question, the control takes
the rule's answer. What was not observed is unknown, and unknown is never met; somebody's word can stand in
for evidence that is missing, never against evidence that is there.
"""

import inspect
from collections.abc import Callable
from datetime import date
from enum import StrEnum

from msgspec import Struct

from readiness.model.assessment import Source, Whose
from readiness.model.context import RuleException
from readiness.model.estate import Estate
from readiness.model.ids import ResourceId
from readiness.model.levels import Level
from readiness.model.network import IpConfiguration, Nic
from readiness.model.verdict import Dimension, Evidence, Verdict, met, unmet
from readiness.model.virtual_machine import Extension, VirtualMachine
from readiness.rules.catalog import ALL_RULES
from readiness.rules.controls.references import POLICIES
from readiness.rules.rule import Rule


class EvidenceClass(StrEnum):
    """Where the evidence for a control comes from."""

    RESOURCE_GRAPH = "ARG"
    REST = "REST"
    GUEST = "GUEST"
    GRAPH = "GRAPH"
    ATTESTED = "ATTEST"


class VmFacts:
    """One VM as controls see it: rules are asked once, extensions are found by type."""

    __slots__ = ("_answers", "as_of", "estate", "extensions", "places", "subscription", "unread_nics", "vm")

    def __init__(self, vm: VirtualMachine, estate: Estate, as_of: date) -> None:
        self.vm = vm
        self.estate = estate
        self._answers = estate.answers_about(vm)
        self.as_of = as_of
        self.extensions = {entry.type.lower(): entry for entry in vm.extensions}
        self.subscription = vm.id.subscription
        self.places: list[tuple[IpConfiguration, Nic]] = []
        """The VM's IP configurations with their interfaces."""
        self.unread_nics: list[ResourceId] = [] if vm.nics else [vm.id]
        """Interfaces that were not read, or the VM itself where it names none."""
        for nic_id in vm.nics:
            nic = estate.nics.get(nic_id)
            if nic is None or not nic.ip_configurations:
                self.unread_nics.append(nic_id)
            else:
                self.places += [(entry, nic) for entry in nic.ip_configurations]

    def ask(self, rule: Rule) -> Verdict:
        """Return the rule's answer about this VM."""
        found: Verdict | None = self._answers.get(rule.check)
        if found is None:
            found = self._answers[rule.check] = rule.check(self.vm, self.estate)
        return found

    def rule(self, rule_id: str) -> Verdict:
        """Return the answer of the rule of that id about this VM."""
        return self.ask(_RULES[rule_id])

    def extension(self, *kinds: str) -> Extension | None:
        """Return the first extension of one of these types, in lower case."""
        return next((self.extensions[kind] for kind in kinds if kind in self.extensions), None)

    @property
    def nameless(self) -> list[str]:
        """The names of extensions of which nobody can tell what they are."""
        return [entry.name for entry in self.vm.extensions if not entry.type]

    def was_listed(self, resource_type: str) -> bool:
        """Tell whether a resource of this type would have been seen if it existed."""
        return self.estate.was_listed(resource_type, self.subscription)

    def assessed(self, keys: tuple[str, ...]) -> Verdict | None:
        """Return what Defender for Cloud says of the VM; what is switched off says nothing."""
        found = self.estate.posture.recommendation(self.vm.id, keys)
        if found is None:
            return None
        at = Evidence(found.id, "properties.status.code", found.code)
        match (found.code or "").lower():
            case "healthy":
                return met("AssessedHealthy", "", at)
            case "unhealthy":
                return unmet("AssessedUnhealthy", "Defender for Cloud finds it unhealthy.", at)
            case _:
                return None


class SubscriptionFacts(Struct, frozen=True):
    """One subscription as controls see it."""

    id: str
    estate: Estate
    as_of: date
    permissions: tuple[RuleException, ...] = ()
    """Exceptions that the context grants to anything in the subscription, expired ones included."""

    @property
    def resource(self) -> ResourceId:
        """The subscription's own resource id."""
        return ResourceId(f"/subscriptions/{self.id}")

    def was_listed(self, resource_type: str) -> bool:
        """Tell whether a resource of this type would have been seen if it existed."""
        return self.estate.was_listed(resource_type, self.id)


VmCheck = Callable[[VmFacts], Verdict]
SubscriptionCheck = Callable[[SubscriptionFacts], Verdict]


class Control(Struct, frozen=True, kw_only=True):
    """One demand of a level, without its condition."""

    id: str
    title: str
    level: Level
    evidence: EvidenceClass
    remedy: str
    source: Source
    whose: Whose
    is_mandatory: bool = True
    """Advisory controls are listed, and hold nobody back."""
    dimension: Dimension | None = None
    """An exception for this dimension covers the control."""
    comes_with: Dimension | None = None
    """It applies only once a VM has what this dimension asks for: before, there is nothing to lose."""
    rests_on: tuple[str, ...] = ()
    """Rules whose answers it takes; an exception for one of them covers the control."""
    seed_claim: str = ""
    """What is widely published and does not hold any more, with what is asked for instead."""

    @property
    def policies(self) -> tuple[str, ...]:
        """Built-in Azure Policy definitions that ask about the same thing."""
        return POLICIES.get(self.id, ())


class VmControl(Control, frozen=True, kw_only=True):
    """A demand that each VM meets or not. `rationale` is the docstring of its check, shown to the user."""

    check: VmCheck

    @property
    def rationale(self) -> str:
        """The condition and why it is one."""
        return inspect.cleandoc(self.check.__doc__ or "")


class SubscriptionControl(Control, frozen=True, kw_only=True):
    """A demand that a whole subscription meets or not, with the same `rationale`."""

    check: SubscriptionCheck

    @property
    def rationale(self) -> str:
        """The condition and why it is one."""
        return inspect.cleandoc(self.check.__doc__ or "")


_RULES = {rule.id: rule for rule in ALL_RULES}
