"""From an estate to its assessment: every VM's standing in every dimension, with the coverage proof.

Precedence where several classifications would hold: not applicable, satisfied, excepted, blocked, unknown,
ready with work, ready. What is unknown is never ready. Prerequisites are asked only of VMs that are not
satisfied. The result depends on nothing but the estate, the day and the rules.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date

from msgspec import Struct

from readiness.model.assessment import (
    Assessment,
    Classification,
    Coverage,
    ExceptionStanding,
    Finding,
    LevelCount,
    OpenControl,
    Standing,
    SubscriptionAssessment,
    Summary,
    VmAssessment,
)
from readiness.model.context import RuleException
from readiness.model.estate import Estate
from readiness.model.ids import ResourceId
from readiness.model.levels import LADDER, LevelReached, lowest
from readiness.model.verdict import Dimension, Status, Verdict
from readiness.model.virtual_machine import VirtualMachine
from readiness.rules.catalog import ALL_RULES
from readiness.rules.controls.control import SubscriptionFacts, VmFacts
from readiness.rules.exclusion import exclusion_of
from readiness.rules.grade import Counts, Grader
from readiness.rules.rule import Role, Rule

Answer = tuple[Rule, Verdict]
Ask = Callable[[Rule], Verdict]


class Judged(Struct, frozen=True):
    """VMs of an estate with their results, and how often each control was answered how."""

    vms: tuple[VmAssessment, ...] = ()
    counts: Counts = Counter()

    @classmethod
    def joined(cls, parts: Iterable["Judged"]) -> "Judged":
        """Return the parts as one, in their order."""
        vms: list[VmAssessment] = []
        counts: Counts = Counter()
        for part in parts:
            vms += part.vms
            counts += part.counts
        return cls(tuple(vms), counts)


def judge(estate: Estate, as_of: date, vms: tuple[VirtualMachine, ...]) -> Judged:
    """Judge some VMs of the estate as of a day: each as it would be among all others."""
    grader = Grader(estate, as_of)
    return Judged(tuple(_assess(vm, estate, as_of, grader) for vm in vms), grader.counts)


def evaluate(estate: Estate, *, as_of: date, release: str, judged: Judged | None = None) -> Assessment:
    """Assess every VM of the estate as of a day; `release` is recorded as the maker of the result.

    Args:
        estate: The estate.
        as_of: The day.
        release: The release of this program.
        judged: All VMs of the estate, where they were judged already.
    """
    judged = judged or judge(estate, as_of, estate.vms)
    vms = judged.vms
    grader = Grader(estate, as_of, judged.counts)
    subscriptions = _subscriptions(estate, as_of, grader, vms)
    return Assessment(
        as_of=as_of,
        release=release,
        estate=estate.info,
        coverage=_coverage(estate, vms),
        vms=vms,
        gaps=estate.gaps,
        summary=_summary(vms, subscriptions, grader),
        subscriptions=subscriptions,
        exceptions=_exceptions(estate, as_of),
    )


def standing(
    vm: VirtualMachine,
    estate: Estate,
    rules: tuple[Rule, ...],
    exceptions: tuple[RuleException, ...] = (),
) -> Standing:
    """Classify a VM in one dimension by that dimension's rules and the unexpired exceptions that name it."""
    return _classified(lambda rule: rule.check(vm, estate), _Questions.of(rules), exceptions)


class _Questions(Struct, frozen=True):
    """The rules of a dimension as they are asked: all goals first, then what has to be so before."""

    goals: tuple[Rule, ...]
    prerequisites: tuple[Rule, ...]

    @classmethod
    def of(cls, rules: Iterable[Rule]) -> "_Questions":
        listed = tuple(rules)
        return cls(
            tuple(rule for rule in listed if rule.role is Role.GOAL),
            tuple(rule for rule in listed if rule.role is not Role.GOAL),
        )


def _classified(ask: Ask, questions: _Questions, exceptions: tuple[RuleException, ...]) -> Standing:
    answers = [(rule, ask(rule)) for rule in questions.goals]
    doubts = _open(answers)
    if not doubts:
        if all(verdict.status is _MET for _, verdict in answers):
            return _SATISFIED
        # Satisfied in part where a goal is not asked of such a VM: that has to be said.
        is_met = any(verdict.status is _MET for _, verdict in answers)
        found = Classification.SATISFIED if is_met else Classification.NOT_APPLICABLE
        return _standing(found, [entry for entry in answers if entry[1].status is Status.NOT_APPLICABLE], {})
    in_doubt = {rule.id for rule, _ in doubts}
    unsettled = [*doubts, *_prerequisites(ask, questions.prerequisites, in_doubt)]
    permitted = _permitted(unsettled, exceptions) if exceptions else {}
    if permitted and _is_excepted(unsettled, permitted):
        return _standing(Classification.EXCEPTED, unsettled, permitted)
    return _standing(_classify(unsettled), unsettled, permitted)


def _open(answers: Iterable[Answer]) -> list[Answer]:
    return [entry for entry in answers if entry[1].status is _UNMET or entry[1].status is _UNKNOWN]


def _assess(vm: VirtualMachine, estate: Estate, as_of: date, grader: Grader) -> VmAssessment:
    application = estate.application_of(vm)
    excluded = exclusion_of(vm, estate)
    dimensions: dict[Dimension, Standing] = {}
    level: LevelReached | None = None
    controls: tuple[OpenControl, ...] = ()
    unasked: dict[str, str] = {}
    if excluded is None:
        facts = VmFacts(vm, estate, as_of)
        valid = tuple(entry for entry in estate.exceptions_for(vm) if entry.expires >= as_of)
        for dimension, questions in _BY_DIMENSION.items():
            dimensions[dimension] = _classified(facts.ask, questions, valid)
        level, controls, unasked = grader.vm(facts, valid)
    return VmAssessment(
        id=vm.id,
        name=vm.name,
        subscription=vm.id.subscription,
        resource_group=vm.id.resource_group,
        location=vm.location,
        application=application.name if application else None,
        owner=application.owner.name if application else None,
        excluded=excluded,
        dimensions=dimensions,
        level=level,
        controls=controls,
        unasked=unasked,
    )


def _subscriptions(
    estate: Estate, as_of: date, grader: Grader, vms: tuple[VmAssessment, ...]
) -> tuple[SubscriptionAssessment, ...]:
    """Grade each subscription: its own controls, and the lowest of its VMs."""
    names = {entry.id.lower(): entry.name for entry in estate.info.subscriptions}
    levels: dict[str, list[LevelReached]] = {name: [] for name in names}
    for assessed in vms:
        parts = levels.setdefault(assessed.subscription, [])
        if assessed.level is not None:
            parts.append(assessed.level)
    permissions: dict[str, dict[str, RuleException]] = {}
    for vm in estate.vms if estate.context.exceptions else ():
        for entry in estate.exceptions_for(vm):
            permissions.setdefault(vm.id.subscription, {})[entry.id] = entry
    found = []
    for subscription, parts in sorted(levels.items()):
        granted = tuple(permissions.get(subscription, {}).values())
        own, controls, _ = grader.subscription(SubscriptionFacts(subscription, estate, as_of, granted))
        found.append(
            SubscriptionAssessment(
                id=subscription,
                name=names.get(subscription, ""),
                level=lowest([own, *parts]),
                controls=controls,
            )
        )
    return tuple(found)


def _summary(
    vms: tuple[VmAssessment, ...], subscriptions: tuple[SubscriptionAssessment, ...], grader: Grader
) -> Summary:
    standings = Counter(
        (dimension, one.classification) for vm in vms for dimension, one in vm.dimensions.items()
    )
    levels = [vm.level for vm in vms if vm.level is not None]
    raw = Counter(one.raw for one in levels)
    permitted = Counter(one.with_exceptions for one in levels)
    return Summary(
        vms=len(vms),
        excluded=len(vms) - len(levels),
        dimensions={
            dimension: {one: standings[dimension, one] for one in Classification} for dimension in Dimension
        },
        level=lowest(one.level for one in subscriptions) if levels else None,
        levels=tuple(
            LevelCount(
                level=rung.level,
                name=rung.name,
                raw=raw[rung.level],
                with_exceptions=permitted[rung.level],
            )
            for rung in LADDER
        ),
        controls=grader.catalogue(),
    )


def _exceptions(estate: Estate, as_of: date) -> tuple[ExceptionStanding, ...]:
    entries = estate.context.exceptions
    named = Counter(entry.id for vm in (estate.vms if entries else ()) for entry in estate.exceptions_for(vm))
    return tuple(
        ExceptionStanding(
            id=entry.id,
            covers=entry.rule or (entry.dimension.value if entry.dimension else ""),
            owner=entry.owner,
            reason=entry.reason,
            approved_by=entry.approved_by,
            expires=entry.expires,
            is_expired=entry.expires < as_of,
            compensating_control=entry.compensating_control,
            vms=named[entry.id],
        )
        for entry in entries
    )


def _prerequisites(ask: Ask, rules: tuple[Rule, ...], in_doubt: set[str]) -> list[Answer]:
    """Return the prerequisites that do not hold, of those that are asked at all."""
    found: list[Answer] = []
    for rule in rules:
        if rule.requires and not in_doubt.isdisjoint(rule.requires):
            continue
        verdict = ask(rule)
        if verdict.status is _UNMET or verdict.status is _UNKNOWN:
            found.append((rule, verdict))
            in_doubt.add(rule.id)
    return found


def _permitted(answers: list[Answer], exceptions: tuple[RuleException, ...]) -> dict[str, str]:
    """Return the exception's id for every rule that need not be met."""
    found: dict[str, str] = {}
    for rule, _ in answers:
        for entry in exceptions:
            if entry.rule == rule.id or entry.dimension is rule.dimension:
                found.setdefault(rule.id, entry.id)
    return found


def _is_excepted(answers: list[Answer], permitted: dict[str, str]) -> bool:
    """Tell whether everything that is not met, and every goal that is unknown, need not be met."""
    open_rules = [rule.id for rule, verdict in answers if verdict.status is _UNMET or rule.role is Role.GOAL]
    return all(rule in permitted for rule in open_rules)


def _classify(answers: list[Answer]) -> Classification:
    found = Classification.READY
    for rule, verdict in answers:
        if verdict.status is _UNMET:
            if rule.role is Role.BLOCKER:
                return Classification.BLOCKED
            if rule.role is Role.WORK and found is Classification.READY:
                found = Classification.READY_WITH_WORK
        elif verdict.status is _UNKNOWN:
            found = Classification.UNKNOWN
    return found


def _standing(classification: Classification, shown: list[Answer], permitted: dict[str, str]) -> Standing:
    reasons = [finding_of(rule, verdict, permitted.get(rule.id)) for rule, verdict in shown]
    work = [
        rule.remedy
        for rule, verdict in shown
        if rule.role is Role.WORK and verdict.status is _UNMET and rule.id not in permitted
    ]
    return Standing(classification=classification, reasons=tuple(reasons), work=tuple(dict.fromkeys(work)))


def finding_of(rule: Rule, verdict: Verdict, exception: str | None = None) -> Finding:
    """Return a rule's verdict on a VM as it is reported."""
    return Finding(
        rule=rule.id,
        title=rule.title,
        status=verdict.status.value,
        reason=verdict.reason,
        detail=verdict.detail,
        remedy=rule.remedy,
        source=rule.source,
        evidence=verdict.evidence,
        exception=exception,
    )


def _coverage(estate: Estate, vms: tuple[VmAssessment, ...]) -> tuple[Coverage, ...]:
    """Count what was found and what became of it, independently of one another."""
    unread = Counter(ResourceId(gap.resource).subscription for gap in estate.gaps if gap.is_vm)
    found = Counter(vm.id.subscription for vm in estate.vms)
    excluded = Counter(vm.subscription for vm in vms if vm.excluded is not None)
    classified = Counter(vm.subscription for vm in vms if vm.excluded is None)
    listed = {entry.id.lower() for entry in estate.info.subscriptions}
    return tuple(
        Coverage(
            subscription=subscription,
            discovered=found[subscription] + unread[subscription],
            classified=classified[subscription],
            excluded=excluded[subscription],
            unknown=unread[subscription],
        )
        for subscription in sorted(listed | set(found) | set(unread))
    )


# Members of an enumeration are slow to find, and these are looked at for every rule and VM.
_MET, _UNMET, _UNKNOWN = Status.MET, Status.UNMET, Status.UNKNOWN
_SATISFIED = Standing(classification=Classification.SATISFIED)
_BY_DIMENSION = {
    dimension: _Questions.of(rule for rule in ALL_RULES if rule.dimension is dimension)
    for dimension in Dimension
}
