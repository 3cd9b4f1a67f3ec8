"""Use case: everything known of one VM: each rule's answer, what would make it ready, what permits it.

Every rule is shown, those that are met too. A prerequisite that is not asked, because the VM is satisfied or
because another rule comes first, says so.
"""

from collections.abc import Iterable
from datetime import date
from difflib import get_close_matches
from pathlib import Path

from msgspec import Struct

from readiness.app.context_warnings import CONTEXT
from readiness.app.decisions import decided_for
from readiness.app.estates import load
from readiness.app.release import RELEASE
from readiness.errors import EstateError, UsageError
from readiness.model.assessment import Classification, OpenControl, Source
from readiness.model.context import RuleException
from readiness.model.estate import Estate
from readiness.model.estate_info import Gap
from readiness.model.ids import ResourceId
from readiness.model.levels import LevelReached
from readiness.model.verdict import Dimension, Evidence, Status
from readiness.model.virtual_machine import VirtualMachine
from readiness.rules.catalog import ALL_RULES
from readiness.rules.controls.catalog import VM_CONTROLS
from readiness.rules.controls.control import VmFacts
from readiness.rules.evaluate import standing
from readiness.rules.exclusion import exclusion_of
from readiness.rules.grade import Grader
from readiness.rules.rule import Role, Rule

_OPEN = (Status.UNMET, Status.UNKNOWN)


class Answer(Struct, frozen=True, kw_only=True):
    """One rule's answer about the VM."""

    rule: str
    title: str
    role: str
    status: str
    """met, unmet, unknown, not-applicable, or not-asked."""
    reason: str
    detail: str
    evidence: tuple[Evidence, ...]
    remedy: str
    rationale: str
    source: Source
    exception: str | None = None
    """Id of the unexpired exception that permits it."""


class DimensionView(Struct, frozen=True, kw_only=True):
    """The VM in one dimension."""

    classification: Classification | None
    """None for a VM that is not classified at all."""
    answers: tuple[Answer, ...]
    to_be_ready: tuple[str, ...]
    """What would make it ready, in words; nothing where it is ready or better."""


class ControlView(Struct, frozen=True, kw_only=True):
    """One control that is not met."""

    title: str
    remedy: str
    control: OpenControl


class ExceptionView(Struct, frozen=True, kw_only=True):
    """An exception that names the VM."""

    id: str
    covers: str
    owner: str
    reason: str
    approved_by: str
    expires: date
    is_expired: bool
    compensating_control: str


class Explanation(Struct, frozen=True, kw_only=True):
    """Everything that is known of one VM."""

    format: str = "readiness/explanation/1"
    as_of: date
    release: str
    estate: str
    card: dict[str, str]
    """What the VM is, as label and value."""
    excluded: str | None
    dimensions: dict[Dimension, DimensionView]
    level: LevelReached | None
    controls: tuple[ControlView, ...]
    exceptions: tuple[ExceptionView, ...]
    decided: dict[str, tuple[str, ...]]
    """What people decided for it beside exceptions, as label and lines."""
    warnings: tuple[str, ...]
    """What in the estate's context is probably a mistake, whichever VMs it was meant for."""


def explain(folder: Path, wanted: str, as_of: date) -> Explanation:
    """Explain the VM of that name or id.

    Raises:
        UsageError: Several VMs carry the name, or none does; the message names candidates.
        EstateError: The VM was found and could not be read.
    """
    estate = load(folder)
    vm = _find(estate, wanted)
    excluded = exclusion_of(vm, estate)
    facts = VmFacts(vm, estate, as_of)
    granted = estate.exceptions_for(vm)
    valid = tuple(entry for entry in granted if entry.expires >= as_of)
    level, controls, _ = Grader(estate, as_of).vm(facts, valid) if excluded is None else (None, (), {})
    by_id = {control.id: control for control in VM_CONTROLS}
    return Explanation(
        as_of=as_of,
        release=RELEASE,
        estate=estate.info.name,
        card=_card(vm, estate),
        excluded=excluded,
        dimensions={dimension: _view(dimension, facts, granted, as_of, excluded) for dimension in Dimension},
        level=level,
        controls=tuple(
            ControlView(title=by_id[entry.id].title, remedy=by_id[entry.id].remedy, control=entry)
            for entry in controls
        ),
        exceptions=tuple(
            ExceptionView(
                id=entry.id,
                covers=entry.rule or str(entry.dimension),
                owner=entry.owner,
                reason=entry.reason,
                approved_by=entry.approved_by,
                expires=entry.expires,
                is_expired=entry.expires < as_of,
                compensating_control=entry.compensating_control,
            )
            for entry in granted
        ),
        decided=decided_for(vm, estate, as_of),
        warnings=tuple(gap.detail for gap in estate.gaps if gap.place == CONTEXT),
    )


def _view(
    dimension: Dimension,
    facts: VmFacts,
    granted: tuple[RuleException, ...],
    as_of: date,
    excluded: str | None,
) -> DimensionView:
    rules = tuple(rule for rule in ALL_RULES if rule.dimension is dimension)
    valid = tuple(entry for entry in granted if entry.expires >= as_of)
    seen = standing(facts.vm, facts.estate, rules, valid)
    permitted = {entry.rule: entry.exception for entry in seen.reasons if entry.exception}
    answers = tuple(
        _answer(rule, facts, permitted.get(rule.id), because)
        for rule, because in _asked(rules, facts, seen.classification)
    )
    return DimensionView(
        classification=None if excluded else seen.classification,
        answers=answers,
        to_be_ready=() if seen.classification in _GOOD else tuple(_missing(answers)),
    )


def _asked(rules: tuple[Rule, ...], facts: VmFacts, classification: Classification) -> list[tuple[Rule, str]]:
    """Pair each rule with why it is not asked; with nothing where it is."""
    in_doubt = {rule.id for rule in rules if rule.role is Role.GOAL and facts.ask(rule).status in _OPEN}
    found: list[tuple[Rule, str]] = []
    for rule in rules:
        if rule.role is Role.GOAL:
            found.append((rule, ""))
        elif classification in (Classification.SATISFIED, Classification.NOT_APPLICABLE):
            found.append((rule, f"Nothing has to be done: the VM is {classification}."))
        elif blocking := sorted(in_doubt.intersection(rule.requires)):
            found.append((rule, f"{', '.join(blocking)} comes first."))
        else:
            found.append((rule, ""))
            if facts.ask(rule).status in _OPEN:
                in_doubt.add(rule.id)
    return found


def _answer(rule: Rule, facts: VmFacts, exception: str | None, because: str) -> Answer:
    verdict = None if because else facts.ask(rule)
    return Answer(
        rule=rule.id,
        title=rule.title,
        role=rule.role.value,
        status=verdict.status.value if verdict else "not-asked",
        reason=verdict.reason if verdict else "NotAsked",
        detail=verdict.detail if verdict else because,
        evidence=verdict.evidence if verdict else (),
        remedy=rule.remedy,
        rationale=rule.rationale,
        source=rule.source,
        exception=exception,
    )


def _missing(answers: Iterable[Answer]) -> list[str]:
    """Say what stands between the VM and being ready: blockers first, then facts, then work."""
    order = {Status.UNMET: 0, Status.UNKNOWN: 1}
    found: list[tuple[tuple[int, int], str]] = []
    for answer in answers:
        if answer.status not in _OPEN or answer.exception:
            continue
        is_unmet = answer.status == Status.UNMET
        if answer.role == Role.GOAL and is_unmet:
            continue  # the upgrade itself brings it about
        words = answer.remedy if is_unmet else f"find out: {answer.detail or answer.title}"
        rank = (0 if answer.role == Role.BLOCKER else 1, order[Status(answer.status)])
        found.append((rank, f"{answer.rule}: {words}"))
    return [text for _, text in sorted(found, key=lambda entry: entry[0])]


def _find(estate: Estate, wanted: str) -> VirtualMachine:
    if wanted.startswith("/"):
        vm = estate.vm(ResourceId(wanted))
        found: tuple[VirtualMachine, ...] = (vm,) if vm else ()
    else:
        found = estate.vms_named(wanted)
    if len(found) == 1:
        return found[0]
    if found:
        ids = "\n  ".join(vm.id.text for vm in found)
        brief = f"'{wanted}' is the name of {len(found)} VMs."
        raise UsageError(brief, details=ids, remedy="Give the full resource id of one of them.")
    _refuse_unread(estate, wanted)
    names = {vm.name.lower(): vm.name for vm in estate.vms}
    close = get_close_matches(wanted.rpartition("/")[2].lower(), names, n=5)
    closest = ", ".join(names[name] for name in close)
    remedy = f"Did you mean: {closest}?" if close else "List them with: readiness assess ESTATE --output csv"
    raise UsageError(
        f"The estate has no VM '{wanted}'.", details=f"It has {len(names)} names.", remedy=remedy
    )


def _refuse_unread(estate: Estate, wanted: str) -> None:
    def is_meant(gap: Gap) -> bool:
        vm = ResourceId(gap.resource)
        return gap.is_vm and wanted.lower() in (vm.key, vm.name.lower())

    gap = next((entry for entry in estate.gaps if is_meant(entry)), None)
    if gap is not None:
        raise EstateError(
            f"'{wanted}' was found and could not be read ({gap.place}: {gap.reason}).",
            details=gap.detail,
            remedy="Import it again; until then it counts as unknown.",
        )


def _card(vm: VirtualMachine, estate: Estate) -> dict[str, str]:
    subscription = next(
        (entry.name for entry in estate.info.subscriptions if entry.id.lower() == vm.id.subscription), ""
    )
    nics = (estate.nics.get(entry) for entry in vm.nics)
    addresses = [
        entry.private_address
        for nic in nics
        if nic
        for entry in nic.ip_configurations
        if entry.private_address
    ]
    image = vm.image
    told = image and "/".join(part for part in (image.publisher, image.offer, image.sku) if part)
    card = {
        "Id": vm.id.text,
        "Subscription": subscription or vm.id.subscription,
        "Location": " ".join((vm.location, *(f"zone {zone}" for zone in vm.zones))),
        "Size": vm.size or "",
        "System": " ".join(filter(None, (vm.os_family or "", vm.os_name or "", told or ""))),
        "Generation": str(vm.boot.generation or ""),
        "Power": vm.power.value,
        "Disks": ", ".join(disk.name for disk in vm.managed_disks),
        "Addresses": ", ".join(addresses),
        "Tags": ", ".join(f"{name}={value}" for name, value in vm.tags.items()),
    }
    return {label: value or "not known" for label, value in card.items()}


_GOOD = (
    Classification.SATISFIED,
    Classification.READY,
    Classification.EXCEPTED,
    Classification.NOT_APPLICABLE,
)
