"""From an estate to its assessment: every VM's standing in every dimension, with the coverage proof.

Precedence where several classifications would hold: not applicable, satisfied, excepted, blocked, unknown,
ready with work, ready. What is unknown is never ready. Prerequisites are asked only of VMs that are not
satisfied. The result depends on nothing but the estate, the day and the rules.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date

from msgspec import Struct
from msgspec.structs import replace

from readiness.model.assessment import (
    Assessment,
    Classification,
    Coverage,
    ExceptionStanding,
    Finding,
    LevelCount,
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
    return _classified(lambda rule: rule.check(vm, estate), rules, exceptions)


def _classified(ask: Ask, rules: tuple[Rule, ...], exceptions: tuple[RuleException, ...]) -> Standing:
    answers = [(rule, ask(rule)) for rule in rules if rule.role is Role.GOAL]
    doubts = [rule.id for rule, verdict in answers if verdict.status in _OPEN]
    if not doubts:
        if all(verdict.status is Status.MET for _, verdict in answers):
            return _SATISFIED
        if any(verdict.status is Status.MET for _, verdict in answers):
            # Satisfied in part because a goal is not asked of such a VM: that has to be said.
            return _standing(Classification.SATISFIED, answers, {}, listed=_NOT_APPLICABLE)
        return _standing(Classification.NOT_APPLICABLE, answers, {}, listed=_NOT_APPLICABLE)
    answers += _prerequisites(ask, rules, set(doubts))
    permitted = _permitted(answers, exceptions) if exceptions else {}
    if permitted and _is_excepted(answers, permitted):
        return _standing(Classification.EXCEPTED, answers, permitted)
    return _standing(_classify(answers), answers, permitted)


def _assess(vm: VirtualMachine, estate: Estate, as_of: date, grader: Grader) -> VmAssessment:
    application = estate.application_of(vm)
    assessed = VmAssessment(
        id=vm.id,
        name=vm.name,
        subscription=vm.id.subscription,
        resource_group=vm.id.resource_group,
        location=vm.location,
        application=application.name if application else None,
        owner=application.owner.name if application else None,
        excluded=exclusion_of(vm, estate),
    )
    if assessed.excluded is not None:
        return assessed
    facts = VmFacts(vm, estate, as_of)
    valid = tuple(entry for entry in estate.exceptions_for(vm) if entry.expires >= as_of)
    dimensions = {
        dimension: _classified(facts.ask, rules, valid) for dimension, rules in _BY_DIMENSION.items()
    }
    level, controls = grader.vm(facts, valid)
    return replace(assessed, dimensions=dimensions, level=level, controls=controls)


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
        own, controls = grader.subscription(SubscriptionFacts(subscription, estate, as_of, granted))
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
    answers: list[Answer] = []
    for rule in rules:
        if rule.role is not Role.GOAL and in_doubt.isdisjoint(rule.requires):
            verdict = ask(rule)
            answers.append((rule, verdict))
            if verdict.status in _OPEN:
                in_doubt.add(rule.id)
    return answers


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
    open_rules = [
        rule.id
        for rule, verdict in answers
        if verdict.status is Status.UNMET or (verdict.status is Status.UNKNOWN and rule.role is Role.GOAL)
    ]
    return all(rule in permitted for rule in open_rules)


def _classify(answers: list[Answer]) -> Classification:
    found = Classification.READY
    for rule, verdict in answers:
        if verdict.status is Status.UNMET:
            if rule.role is Role.BLOCKER:
                return Classification.BLOCKED
            if rule.role is Role.WORK and found is Classification.READY:
                found = Classification.READY_WITH_WORK
        elif verdict.status is Status.UNKNOWN:
            found = Classification.UNKNOWN
    return found


def _standing(
    classification: Classification,
    answers: list[Answer],
    permitted: dict[str, str],
    listed: tuple[Status, ...] = (),
) -> Standing:
    shown = listed or _OPEN
    reasons, work = [], []
    for rule, verdict in answers:
        if verdict.status in shown:
            reasons.append(finding_of(rule, verdict, permitted.get(rule.id)))
            if rule.role is Role.WORK and verdict.status is Status.UNMET and rule.id not in permitted:
                work.append(rule.remedy)
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


_OPEN = (Status.UNMET, Status.UNKNOWN)
_NOT_APPLICABLE = (Status.NOT_APPLICABLE,)
_SATISFIED = Standing(classification=Classification.SATISFIED)
_BY_DIMENSION = {
    dimension: tuple(rule for rule in ALL_RULES if rule.dimension is dimension) for dimension in Dimension
}
