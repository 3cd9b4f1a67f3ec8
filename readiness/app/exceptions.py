"""Use cases: the exceptions of an estate as a register, and everything that is wrong with them.

What an exception covers is what it names; what it permits is what the assessment really let pass on the day.
The register tells both: an exception that permits nothing is one that can go.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

from msgspec import Struct

from readiness.app.collector import paused_collector
from readiness.app.estates import known_words, load
from readiness.app.release import RELEASE
from readiness.app.ticking import Tick, silent
from readiness.errors import UsageError
from readiness.model.assessment import Assessment
from readiness.model.context import RuleException
from readiness.model.estate import Estate
from readiness.model.exceptions import LONGEST, Fault, State, days_left, faults_of, state_of
from readiness.model.ids import ResourceId
from readiness.model.verdict import Dimension
from readiness.model.virtual_machine import VirtualMachine
from readiness.rules.catalog import ALL_RULES
from readiness.rules.controls.catalog import ALL_CONTROLS
from readiness.rules.evaluate import evaluate, judge
from readiness.store.exceptions import FILE, Written, read_exceptions


class CoveredVm(Struct, frozen=True, kw_only=True):
    """A VM that an exception names, and what it lets pass there today."""

    id: ResourceId
    name: str
    permits: tuple[str, ...]
    """Rules and controls that are not met, and need not be."""


class Registered(Struct, frozen=True, kw_only=True):
    """One exception as it stands on a day."""

    id: str
    place: str
    """File, line and column."""
    covers: str
    """The rule, control or dimension it names."""
    rules: tuple[str, ...]
    """Every rule and control that it could permit."""
    state: State
    days_left: int
    """Negative once it has expired."""
    expires: date
    owner: str
    approved_by: str
    reason: str
    compensating_control: str
    vms: tuple[CoveredVm, ...]
    subscriptions: dict[str, tuple[str, ...]] = {}
    """What it lets pass in whole subscriptions, by their id."""
    faults: tuple[Fault, ...] = ()

    @property
    def permits(self) -> tuple[str, ...]:
        """Everything that it lets pass today."""
        found = {one for vm in self.vms for one in vm.permits}
        return tuple(sorted(found.union(*self.subscriptions.values())))


class Register(Struct, frozen=True, kw_only=True):
    """All exceptions of an estate."""

    format: str = "readiness/exceptions/1"
    estate: str
    as_of: date
    release: str = RELEASE
    exceptions: tuple[Registered, ...]


class Problem(Struct, frozen=True, kw_only=True):
    """Something about an exception, where it is written, and what to do."""

    exception: str
    """Its id; empty where it has none."""
    place: str
    reason: str
    detail: str
    remedy: str


class CheckReport(Struct, frozen=True, kw_only=True):
    """What is wrong with the exceptions of an estate."""

    format: str = "readiness/exceptions-check/1"
    estate: str
    as_of: date
    release: str = RELEASE
    longest_days: int
    entries: int
    refused: int
    """Entries with at least one fault."""
    faults: tuple[Problem, ...]
    notes: tuple[Problem, ...]
    """What refuses nothing and is probably a mistake."""
    is_covered: bool
    """Whether the VMs were looked at, too: not while an entry cannot be read."""


@paused_collector()
def register(folder: Path, as_of: date, tick: Tick = silent) -> Register:
    """Return every exception of an estate with what it covers and permits, the next one to end first."""
    estate = load(folder, tick)
    written = {one.id: one for one in read_exceptions(folder, known_words())}
    found = registered(estate, written, as_of)
    return Register(estate=estate.info.name, as_of=as_of, exceptions=found)


def expiring(whole: Register, within: int) -> Register:
    """Return those that have expired, or do within so many days.

    Raises:
        UsageError: The days are negative.
    """
    if within < 0:
        raise UsageError(f"{within} is no number of days.", remedy="Write --within 30.")
    ends = tuple(one for one in whole.exceptions if one.days_left <= within)
    return Register(estate=whole.estate, as_of=whole.as_of, exceptions=ends)


@paused_collector()
def check(folder: Path, as_of: date, longest: int = LONGEST.days, tick: Tick = silent) -> CheckReport:
    """Look for everything that is wrong with the exceptions of an estate, beyond the first mistake."""
    if longest < 1:
        raise UsageError(f"{longest} days are no length.", remedy="Write --longest 180.")
    written = read_exceptions(folder, known_words())
    faults: list[Problem] = []
    for one in written:
        faults += [_problem(one.id, place, fault) for place, fault in one.faults]
        if one.entry is not None:
            faults += [
                _problem(one.id, one.places.get(fault.key, one.place), fault)
                for fault in faults_of(one.entry, as_of, timedelta(days=longest))
            ]
    is_covered = not any(one.faults for one in written)
    notes: tuple[Problem, ...] = ()
    name = folder.name
    if is_covered:
        estate = load(folder, tick)
        name = estate.info.name
        notes = tuple(_notes(registered(estate, {one.id: one for one in written}, as_of)))
    return CheckReport(
        estate=name,
        as_of=as_of,
        longest_days=longest,
        entries=len(written),
        refused=_refused(written, faults),
        faults=tuple(faults),
        notes=notes,
        is_covered=is_covered,
    )


def registered(estate: Estate, written: dict[str, Written], as_of: date) -> tuple[Registered, ...]:
    """Return the exceptions of an estate as they stand on a day, the next one to end first."""
    named = named_vms(estate)
    # Only these are judged: on no other VM an exception permits anything.
    touched = {vm.id: vm for vms in named.values() for vm in vms}
    judged = judge(estate, as_of, tuple(touched.values()))
    permitted, subscriptions = _permitted(evaluate(estate, as_of=as_of, release=RELEASE, judged=judged))
    found = [
        Registered(
            id=entry.id,
            place=written[entry.id].place if entry.id in written else FILE,
            covers=covers_of(entry),
            rules=rules_of(entry),
            state=state_of(entry, as_of),
            days_left=days_left(entry, as_of),
            expires=entry.expires,
            owner=entry.owner,
            approved_by=entry.approved_by,
            reason=entry.reason,
            compensating_control=entry.compensating_control,
            vms=tuple(
                CoveredVm(id=vm.id, name=vm.name, permits=tuple(sorted(permitted[entry.id, vm.id])))
                for vm in sorted(named[entry.id], key=lambda vm: vm.id)
            ),
            subscriptions={key: tuple(sorted(ids)) for key, ids in sorted(subscriptions[entry.id].items())},
            faults=faults_of(entry, as_of),
        )
        for entry in estate.context.exceptions
    ]
    return tuple(sorted(found, key=lambda one: (one.expires, one.id)))


def named_vms(estate: Estate) -> defaultdict[str, list[VirtualMachine]]:
    """Return the VMs that each exception names, by its id."""
    named: defaultdict[str, list[VirtualMachine]] = defaultdict(list)
    for vm in estate.vms if estate.context.exceptions else ():
        for entry in estate.exceptions_for(vm):
            named[entry.id].append(vm)
    return named


def covers_of(entry: RuleException) -> str:
    """Return the rule, control or dimension that an exception names."""
    return entry.rule or (entry.dimension.value if entry.dimension else "")


def rules_of(entry: RuleException) -> tuple[str, ...]:
    """Return every rule and control that an exception could permit."""
    rules = [one.id for one in ALL_RULES if one.id == entry.rule or one.dimension is entry.dimension]
    controls = [
        one.id
        for one in ALL_CONTROLS
        if one.id == entry.rule or entry.rule in one.rests_on or _is_of(one.dimension, entry.dimension)
    ]
    return (*rules, *controls)


def _is_of(dimension: Dimension | None, wanted: Dimension | None) -> bool:
    return wanted is not None and dimension is wanted


def _permitted(
    assessment: Assessment,
) -> tuple[defaultdict[tuple[str, ResourceId], set[str]], defaultdict[str, dict[str, set[str]]]]:
    """Return what each exception let pass: on which VM, and in which whole subscription."""
    vms: defaultdict[tuple[str, ResourceId], set[str]] = defaultdict(set)
    for vm in assessment.vms:
        for standing in vm.dimensions.values():
            for finding in standing.reasons:
                if finding.exception is not None:
                    vms[finding.exception, vm.id].add(finding.rule)
        for control in vm.controls:
            if control.exception is not None:
                vms[control.exception, vm.id].add(control.id)
    subscriptions: defaultdict[str, dict[str, set[str]]] = defaultdict(dict)
    for one in assessment.subscriptions:
        for control in one.controls:
            if control.exception is not None:
                subscriptions[control.exception].setdefault(one.id, set()).add(control.id)
    return vms, subscriptions


def _problem(exception: str, place: str, fault: Fault) -> Problem:
    return Problem(
        exception=exception, place=place, reason=fault.reason, detail=fault.detail, remedy=fault.remedy
    )


def _refused(written: Iterable[Written], faults: list[Problem]) -> int:
    bad = {one.exception for one in faults}
    return sum(bool(one.faults) or one.id in bad for one in written)


def _notes(entries: Iterable[Registered]) -> Iterable[Problem]:
    for one in entries:
        if one.state is State.EXPIRED or one.permits:
            continue
        if one.vms:
            reason = "PermitsNothing"
            detail = (
                f"It names {len(one.vms)} VMs, and on none of them anything is open that it could permit."
            )
            remedy = (
                "Remove it, unless the rule is about to be broken; another exception may permit the same."
            )
        else:
            reason = "NamesNoVm"
            detail = "It names no VM of the estate, and permits nothing in a whole subscription."
            remedy = "Correct its 'match', or remove it."
        yield Problem(exception=one.id, place=one.place, reason=reason, detail=detail, remedy=remedy)
