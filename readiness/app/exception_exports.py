"""Use case: the exceptions of an estate as Azure Policy exemptions, one folder of files to review and deploy.

An exemption lifts a policy assignment. So only what is assigned can be exempted, and only where it is known
which: an initiative is never exempted as a whole, since that would lift every policy in it. Everything that
does not become an exemption is told, with the reason.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from shlex import quote

from msgspec import Struct

from readiness.app.collector import paused_collector
from readiness.app.estates import load
from readiness.app.exceptions import covers_of, named_vms, rules_of
from readiness.app.release import RELEASE
from readiness.app.ticking import Tick, silent
from readiness.azure.policy_exemptions import (
    DISK,
    EXISTING,
    JUDGES,
    MITIGATED,
    MOST_RESOURCES,
    NIC,
    VM,
    WAIVER,
    Exemption,
    arm_template,
    bicep,
)
from readiness.errors import UsageError
from readiness.model.context import Match, RuleException
from readiness.model.estate import Estate
from readiness.model.exceptions import NO_COMPENSATING_CONTROL, faults_of
from readiness.model.governance import PolicyAssignment
from readiness.model.ids import ResourceId
from readiness.model.virtual_machine import VirtualMachine
from readiness.rules.controls.catalog import ALL_CONTROLS
from readiness.store.artefacts import write_whole

_ASSIGNMENTS = "Microsoft.Authorization/policyAssignments"
_INITIATIVE = "microsoft.authorization/policysetdefinitions"


class Exported(Struct, frozen=True, kw_only=True):
    """One exemption in a file."""

    exception: str
    name: str
    scope: str
    assignment: str
    category: str
    expires: date
    file: str


class NotExported(Struct, frozen=True, kw_only=True):
    """An exception, or a part of one, that became no exemption."""

    exception: str
    what: str
    reason: str
    detail: str
    remedy: str


class ExportReport(Struct, frozen=True, kw_only=True):
    """What became exemptions, what did not, and how the files are deployed."""

    format: str = "readiness/exceptions-export/1"
    estate: str
    as_of: date
    release: str = RELEASE
    exemptions: tuple[Exported, ...]
    left_out: tuple[NotExported, ...]
    files: tuple[str, ...]
    commands: tuple[str, ...]
    """What deploys them, one command a template."""


@paused_collector()
def export(
    folder: Path, to: Path, as_of: date, *, waivers: bool = False, tick: Tick = silent
) -> ExportReport:
    """Write an estate's exceptions as policy exemptions: ARM JSON and Bicep, for each place of deployment.

    Args:
        folder: The estate.
        to: The folder to write to; it has to be empty, or files of withdrawn exceptions would stay in it.
        as_of: The day.
        waivers: Export exceptions without a compensating control, too, as waivers.
        tick: Told how far the reading has come.

    Raises:
        UsageError: The folder is not empty, or nothing can be written there.
    """
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise UsageError(f"{to} is not empty.", remedy="Give a new folder: old exemptions must not stay.")
    estate = load(folder, tick)
    found: list[Exemption] = []
    left: list[NotExported] = []
    named = named_vms(estate)
    for entry in sorted(estate.context.exceptions, key=lambda one: one.id):
        for made in _Exporter(estate, entry, named[entry.id], as_of, waivers=waivers).exempted():
            if isinstance(made, Exemption):
                found.append(made)
            else:
                left.append(made)
    exported, files, commands = _write(found, to, _location(estate))
    return ExportReport(
        estate=estate.info.name,
        as_of=as_of,
        exemptions=exported,
        left_out=tuple(left),
        files=files,
        commands=commands,
    )


class _Exporter:
    """Makes exemptions of one exception."""

    def __init__(
        self, estate: Estate, entry: RuleException, vms: list[VirtualMachine], as_of: date, *, waivers: bool
    ) -> None:
        self._estate = estate
        self._vms = vms
        self._entry = entry
        accepted = (NO_COMPENSATING_CONTROL,) if waivers else ()
        self._faults = [one for one in faults_of(entry, as_of) if one.reason not in accepted]

    def exempted(self) -> Iterator[Exemption | NotExported]:
        """Yield the exemptions, and what cannot be one."""
        if self._faults:
            for fault in self._faults:
                yield self._left("the exception", fault.reason, fault.detail, fault.remedy)
            return
        policies = self._policies()
        if not policies:
            detail = f"No built-in policy is known that asks what {covers_of(self._entry)} asks."
            yield self._left(covers_of(self._entry), "NoPolicy", detail, "Keep it in context.yaml alone.")
            return
        assigned = [one for one in self._assignments() if one.definition in policies]
        if not assigned:
            yield self._not_assigned(policies)
        for assignment in assigned:
            yield from self._from(assignment, policies[assignment.definition])

    def _policies(self) -> dict[str, str]:
        """Return the policies that ask what is permitted, with the control they stand for."""
        permitted = set(rules_of(self._entry))
        found: dict[str, str] = {}
        for control in ALL_CONTROLS:
            if control.id in permitted:
                for policy in control.policies:
                    found.setdefault(policy, control.id)
        return found

    def _assignments(self) -> list[PolicyAssignment]:
        return sorted(self._estate.posture.all(PolicyAssignment), key=lambda one: one.id)

    def _not_assigned(self, policies: dict[str, str]) -> NotExported:
        told = ", ".join(policies)
        sets = [one.id.name for one in self._assignments() if _is_initiative(one)]
        unread = [
            gap
            for one in self._subscriptions()
            if (gap := self._estate.unread(_ASSIGNMENTS, one.subscription))
        ]
        if unread:
            detail = f"The policy assignments were not read ({unread[0].reason}), so none of {told} is known."
            return self._left(covers_of(self._entry), "PoliciesNotRead", detail, f"Collect '{_ASSIGNMENTS}'.")
        if sets:
            detail = (
                f"None of {told} is assigned by itself. These initiatives are, and what they hold is not "
                f"known: {', '.join(sets)}. Exempting one as a whole would lift every policy in it."
            )
            remedy = "Exempt the policy within the initiative by hand, by its policyDefinitionReferenceId."
            return self._left(covers_of(self._entry), "OnlyInitiatives", detail, remedy)
        remedy = "Assign one of them first, or keep the exception in context.yaml alone."
        detail = f"None of these policies is assigned: {told}."
        return self._left(covers_of(self._entry), "NotAssigned", detail, remedy)

    def _from(self, assignment: PolicyAssignment, control: str) -> Iterator[Exemption | NotExported]:
        what = f"{control} by {assignment.id.name}"
        scopes = self._scopes(assignment.definition)
        if not scopes:
            detail = "That policy judges no VM and nothing of one, and the exception names VMs."
            remedy = "Name the subscription or resource group under 'ids' alone, if all of it is meant."
            yield self._left(what, "JudgesSomethingElse", detail, remedy)
            return
        reached = [one for one in scopes if assignment.covers(one)]
        if not reached:
            detail = f"The assignment at {assignment.scope} acts on none of what the exception names."
            yield self._left(what, "NotReached", detail, "Nothing has to be exempted from it.")
        for scope in reached:
            if "/providers/" in scope.key and scope.type not in EXISTING:
                detail = f"An exemption for a resource of type {scope.type} is not written."
                yield self._left(what, "ScopeNotKnown", detail, "Name its resource group, or VMs.")
                continue
            yield self._exemption(assignment, control, scope)

    def _scopes(self, policy: str) -> list[ResourceId]:
        """Return where the exemption has to stand: what is named as a whole, or what is judged of each VM."""
        match = self._entry.match
        if match.is_everything:
            return self._subscriptions()
        if match == Match(ids=match.ids) and not any("/providers/" in one.key for one in match.ids):
            return list(match.ids)
        kinds = JUDGES.get(policy, (VM,))
        return sorted({one for vm in self._vms for one in _resources(vm, kinds)})

    def _subscriptions(self) -> list[ResourceId]:
        ids = {vm.id.subscription for vm in self._estate.vms}
        ids |= {one.id.lower() for one in self._estate.info.subscriptions}
        return [ResourceId(f"/subscriptions/{one}") for one in sorted(ids)]

    def _exemption(self, assignment: PolicyAssignment, control: str, scope: ResourceId) -> Exemption:
        entry = self._entry
        return Exemption(
            exception=entry.id,
            scope=scope,
            assignment=assignment.id,
            category=MITIGATED if entry.compensating_control else WAIVER,
            expires=entry.expires,
            display_name=f"{entry.id}: {control}",
            description=entry.reason,
            metadata={
                "owner": entry.owner,
                "approvedBy": entry.approved_by,
                "compensatingControls": entry.compensating_control,
                "readinessException": entry.id,
                "readinessControl": control,
            },
        )

    def _left(self, what: str, reason: str, detail: str, remedy: str) -> NotExported:
        return NotExported(exception=self._entry.id, what=what, reason=reason, detail=detail, remedy=remedy)


def _is_initiative(assignment: PolicyAssignment) -> bool:
    return _INITIATIVE in (assignment.definition_id or "").lower()


def _resources(vm: VirtualMachine, kinds: tuple[str, ...]) -> Iterator[ResourceId]:
    if VM in kinds:
        yield vm.id
    if DISK in kinds:
        yield from vm.managed_disks
    if NIC in kinds:
        yield from vm.nics


def _write(
    exemptions: list[Exemption], to: Path, location: str
) -> tuple[tuple[Exported, ...], tuple[str, ...], tuple[str, ...]]:
    """Write a template and a Bicep file for each place of deployment; a long one goes on in a next file."""
    places: defaultdict[tuple[str, str], list[Exemption]] = defaultdict(list)
    for one in exemptions:
        places[one.scope.subscription, one.scope.resource_group.lower()].append(one)
    exported: list[Exported] = []
    files: list[str] = []
    commands: list[str] = []
    for (subscription, group), listed in sorted(places.items()):
        for number, start in enumerate(range(0, len(listed), MOST_RESOURCES), start=1):
            part = listed[start : start + MOST_RESOURCES]
            base = f"group-{_file_name(group)}" if group else "subscription"
            name = f"{_file_name(subscription)}/{base}{f'-part{number}' if number > 1 else ''}"
            write_whole(to / f"{name}.json", arm_template(part).encode())
            write_whole(to / f"{name}.bicep", bicep(part).encode())
            files += [f"{name}.json", f"{name}.bicep"]
            commands.append(
                _command(subscription, part[0].scope.resource_group, to / f"{name}.json", location)
            )
            exported += [_exported(one, f"{name}.json") for one in part]
    return tuple(exported), tuple(files), tuple(commands)


def _exported(one: Exemption, file: str) -> Exported:
    return Exported(
        exception=one.exception,
        name=one.name,
        scope=one.scope.text,
        assignment=one.assignment.text,
        category=one.category,
        expires=one.expires,
        file=file,
    )


def _command(subscription: str, group: str, file: Path, location: str) -> str:
    here = f"sub create --location {quote(location)}"
    where = f"group create --resource-group {quote(group)}" if group else here
    return f"az deployment {where} --subscription {quote(subscription)} --template-file {quote(str(file))}"


def _location(estate: Estate) -> str:
    """Return where most VMs are: a deployment to a subscription is kept in a region."""
    counts = Counter(vm.location for vm in estate.vms if vm.location)
    return min(counts, key=lambda one: (-counts[one], one), default="westeurope")


def _file_name(text: str) -> str:
    """Return a name that can stand in any folder, the same for the same text and another for another."""
    legal = re.sub(r"[^a-z0-9_()-]", lambda found: f"~{ord(found[0]):x}", text.lower())
    return legal or "unnamed"
