"""Grades VMs and subscriptions by the control catalogue: what is not met, and the level that is reached.

An attestation that holds on the day turns unknown into met, and never touches what was observed. An exception
changes no verdict; it permits one, and counts in the level with exceptions only.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import date

from readiness.model.assessment import ControlCount, OpenControl
from readiness.model.context import Attestation, Match, RuleException
from readiness.model.estate import Estate
from readiness.model.levels import Answered, LevelReached, reached
from readiness.model.verdict import Status, Verdict, met
from readiness.rules.controls.catalog import SUBSCRIPTION_CONTROLS, VM_CONTROLS
from readiness.rules.controls.compute import NOT_ELIGIBLE
from readiness.rules.controls.control import Control, SubscriptionFacts, VmControl, VmFacts
from readiness.rules.controls.frameworks import framework_ids

Graded = tuple[LevelReached, tuple[OpenControl, ...]]
Counts = Counter[tuple[str, str]]
"""Answers by control and what was answered."""


class Grader:
    """Grades one estate as of a day, and counts as it goes."""

    def __init__(self, estate: Estate, as_of: date, counts: Counts | None = None) -> None:
        self._estate = estate
        self._as_of = as_of
        self._open: dict[tuple[str, str, str | None], OpenControl] = {}
        self.counts: Counts = Counter(counts)
        """How often each control was answered how, so far."""

    def vm(self, facts: VmFacts, permissions: tuple[RuleException, ...]) -> Graded:
        """Return the level a VM reaches, and the controls it does not meet."""
        words = _attested(self._estate.attestations_for(facts.vm), self._as_of)
        answers = [(control, control.check(facts)) for control in VM_CONTROLS]
        return self._graded(answers, words, permissions)

    def subscription(self, facts: SubscriptionFacts) -> Graded:
        """Return the level a subscription's own controls reach, and those it does not meet."""
        context = self._estate.context
        words = _attested((entry for entry in context.attestations if _speaks_of(entry, facts)), self._as_of)
        permissions = tuple(
            entry for entry in context.exceptions if entry.expires >= self._as_of and _speaks_of(entry, facts)
        )
        answers = [(control, control.check(facts)) for control in SUBSCRIPTION_CONTROLS]
        return self._graded(answers, words, permissions)

    def catalogue(self) -> tuple[ControlCount, ...]:
        """Return the whole catalogue with the answers that were given so far."""
        return tuple(
            ControlCount(
                id=control.id,
                title=control.title,
                level=control.level,
                mandatory=control.is_mandatory,
                scope="vm" if isinstance(control, VmControl) else "subscription",
                evidence=control.evidence.value,
                whose=control.whose,
                remedy=control.remedy,
                frameworks=framework_ids(control, self._estate.reference.frameworks),
                met=self.counts[control.id, Status.MET],
                unmet=self.counts[control.id, Status.UNMET],
                unknown=self.counts[control.id, Status.UNKNOWN],
                not_applicable=self.counts[control.id, Status.NOT_APPLICABLE],
                excepted=self.counts[control.id, _EXCEPTED],
                not_eligible=self.counts[control.id, NOT_ELIGIBLE],
            )
            for control in (*VM_CONTROLS, *SUBSCRIPTION_CONTROLS)
        )

    def _graded(
        self,
        answers: Iterable[tuple[Control, Verdict]],
        words: dict[str, Attestation],
        permissions: tuple[RuleException, ...],
    ) -> Graded:
        levels, listed = [], []
        counts = self.counts
        for control, observed in answers:
            verdict = _attested_verdict(control, observed, words) if words else observed
            status = verdict.status
            counts[control.id, status] += 1
            is_open = status not in _HELD
            if not is_open and verdict.reason != NOT_ELIGIBLE:
                continue
            permission = _permission(control, permissions) if is_open and permissions else None
            if permission is not None:
                counts[control.id, _EXCEPTED] += 1
            if not is_open:
                counts[control.id, NOT_ELIGIBLE] += 1
            listed.append(self._listed(control, verdict, permission))
            if is_open and control.is_mandatory:
                levels.append(Answered(control.level, status, permission is not None))
        return reached(levels), tuple(listed)

    def _listed(self, control: Control, verdict: Verdict, permission: str | None) -> OpenControl:
        # Most VMs of an estate share their answers: one value stands for all of them.
        key = (control.id, verdict.reason, permission)
        found = self._open.get(key)
        if found is None or found.verdict is not verdict.status:
            found = self._open[key] = OpenControl(
                id=control.id,
                verdict=verdict.status,
                reason=verdict.reason,
                whose=control.whose,
                exception=permission,
            )
        return found


def _attested_verdict(control: Control, verdict: Verdict, words: dict[str, Attestation]) -> Verdict:
    if verdict.status is not Status.UNKNOWN or control.id not in words:
        return verdict
    word = words[control.id]
    return met("Attested", f"{word.owner} attests until {word.expires}: {word.statement}")


def _attested(entries: Iterable[Attestation], as_of: date) -> dict[str, Attestation]:
    return {entry.control: entry for entry in entries if entry.is_valid(as_of)}


def _permission(control: Control, permissions: tuple[RuleException, ...]) -> str | None:
    for entry in permissions:
        by_dimension = control.dimension is not None and entry.dimension is control.dimension
        if by_dimension or entry.rule == control.id or entry.rule in control.rests_on:
            return entry.id
    return None


def _speaks_of(entry: Attestation | RuleException, facts: SubscriptionFacts) -> bool:
    """Tell whether an entry speaks of the subscription: by its id alone, or by narrowing nothing down."""
    named = entry.match.ids
    return entry.match == Match(ids=named) and (not named or facts.resource in named)


_HELD = (Status.MET, Status.NOT_APPLICABLE)
_EXCEPTED = "excepted"
