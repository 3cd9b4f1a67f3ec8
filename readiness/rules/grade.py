"""Grades VMs and subscriptions by the control catalogue: what is not met, and the level that is reached.

An attestation that holds on the day turns unknown into met, and never touches what was observed. An exception
changes no verdict; it permits one, and counts in the level with exceptions only.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
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

Unasked = dict[str, str]
"""Controls that do not apply, by id, with the reason; those that cannot be had are listed as controls."""
Graded = tuple[LevelReached, tuple[OpenControl, ...], Unasked]
Counts = Counter[tuple[str, str]]
"""Answers by control and what was answered."""


class Grader:
    """Grades one estate as of a day, and counts as it goes."""

    def __init__(self, estate: Estate, as_of: date, counts: Counts | None = None) -> None:
        self._estate = estate
        self._as_of = as_of
        self._open: dict[tuple[str, Status, str, str | None], tuple[OpenControl, Answered]] = {}
        self._unasked: dict[tuple[tuple[str, str], ...], dict[str, str]] = {}
        self._counted: dict[tuple[int, Status, bool], Answered] = {}
        self.counts: Counts = Counter(counts)
        """How often each control was answered how, so far."""

    def vm(self, facts: VmFacts, permissions: tuple[RuleException, ...]) -> Graded:
        """Return the level a VM reaches, the controls it does not meet, and those that do not apply to it."""
        words = _attested(self._estate.attestations_for(facts.vm), self._as_of)
        answers = [control.check(facts) for control in VM_CONTROLS]
        return self._graded(VM_CONTROLS, answers, words, permissions)

    def subscription(self, facts: SubscriptionFacts) -> Graded:
        """Return the same of a subscription's own controls."""
        context = self._estate.context
        words = _attested((entry for entry in context.attestations if _speaks_of(entry, facts)), self._as_of)
        permissions = tuple(
            entry for entry in context.exceptions if entry.expires >= self._as_of and _speaks_of(entry, facts)
        )
        answers = [control.check(facts) for control in SUBSCRIPTION_CONTROLS]
        return self._graded(SUBSCRIPTION_CONTROLS, answers, words, permissions)

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
        controls: Sequence[Control],
        answers: list[Verdict],
        words: dict[str, Attestation],
        permissions: tuple[RuleException, ...],
    ) -> Graded:
        asked = list(zip(controls, answers, strict=True))
        if words:
            asked = [(control, _attested_verdict(control, observed, words)) for control, observed in asked]
        counts = self.counts
        counts.update([(control.id, verdict.status) for control, verdict in asked])
        listed, unasked = [], []
        levels: dict[int, Answered] = {}  # a handful of values that many controls share
        for control, verdict in asked:
            if verdict.status is _MET:
                continue
            is_open = verdict.status is not _NOT_APPLICABLE
            if not is_open and verdict.reason != NOT_ELIGIBLE:
                unasked.append((control.id, verdict.reason))
                continue
            permission = _permission(control, permissions) if is_open and permissions else None
            if permission is not None:
                counts[control.id, _EXCEPTED] += 1
            if not is_open:
                counts[control.id, NOT_ELIGIBLE] += 1
            shown, counted = self._listed(control, verdict, permission)
            listed.append(shown)
            if is_open and control.is_mandatory:
                levels[id(counted)] = counted
        # Most VMs of an estate share these, too.
        key = tuple(unasked)
        return reached(levels.values()), tuple(listed), self._unasked.setdefault(key, dict(key))

    def _listed(
        self, control: Control, verdict: Verdict, permission: str | None
    ) -> tuple[OpenControl, Answered]:
        """Return an answer as it is listed, and as it counts: most VMs of an estate share their answers."""
        key = (control.id, verdict.status, verdict.reason, permission)
        found = self._open.get(key)
        if found is None:
            shown = OpenControl(
                id=control.id,
                verdict=verdict.status,
                reason=verdict.reason,
                whose=control.whose,
                exception=permission,
            )
            counted = (control.level, verdict.status, permission is not None)
            found = self._open[key] = (shown, self._counted.setdefault(counted, Answered(*counted)))
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


_EXCEPTED = "excepted"
_MET, _NOT_APPLICABLE = Status.MET, Status.NOT_APPLICABLE
"""Members of an enumeration are slow to find, and these are looked at for every control and VM."""
