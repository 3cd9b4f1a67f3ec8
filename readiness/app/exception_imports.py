"""Use case: the policy exemptions of an estate as proposals for its exceptions.

A proposal is text to read and to paste. What is complete stands there as an entry; what is not stands there
as a comment that says what is missing, so that the text is right as it is and nothing is accepted unseen.
"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from msgspec import Struct

from readiness.app.collector import paused_collector
from readiness.app.estates import known_words, load
from readiness.app.release import RELEASE
from readiness.app.ticking import Tick, silent
from readiness.azure.policy_exemptions import KIND, Granted, granted
from readiness.azure.wire_values import Json, MalformedError
from readiness.model.context import Match, RuleException
from readiness.model.estate import Estate
from readiness.model.exceptions import faults_of
from readiness.model.governance import PolicyAssignment
from readiness.model.ids import ResourceId
from readiness.rules.controls.catalog import ALL_CONTROLS
from readiness.store.context_file import FORMAT
from readiness.store.estate_files import read_resources
from readiness.store.exceptions import comment, exceptions_yaml, put_into, read_exceptions


class Proposal(Struct, frozen=True, kw_only=True):
    """One policy exemption, and what it is as an exception."""

    exemption: str
    place: str
    """Where it stands in the estate."""
    id: str
    """The exception's id."""
    rule: str
    """The control; empty where it is not known."""
    faults: tuple[str, ...]
    """Why it is no complete exception, and what to do; none where it can be pasted as it is."""


class ImportReport(Struct, frozen=True, kw_only=True):
    """The proposals, as a report and as text."""

    format: str = "readiness/exceptions-import/1"
    estate: str
    as_of: date
    release: str = RELEASE
    exemptions: int
    proposals: tuple[Proposal, ...]
    known: tuple[str, ...]
    """Exemptions that the context has an exception for already."""
    text: str
    """YAML to paste, with what is not complete as comments."""
    written: str = ""
    """The file that the proposals were put into; empty where they were not, or nothing was complete."""


class _Draft(Struct, frozen=True, kw_only=True):
    """A proposal with its entry as it would be written."""

    proposal: Proposal
    entry: dict[str, str | date | tuple[str, ...]]


@paused_collector()
def import_exemptions(folder: Path, as_of: date, to: Path | None = None, tick: Tick = silent) -> ImportReport:
    """Make proposals of an estate's policy exemptions; write them only where a file is named.

    Raises:
        UsageError: Nothing can be added to the file.
        EstateError: The estate cannot be read, or the file is no context.
    """
    estate = load(folder, tick)
    words = known_words()
    taken = {one.id for one in read_exceptions(folder, words)}
    drafts: list[_Draft] = []
    known: list[str] = []
    count = 0
    for place, resource in read_resources(folder):
        if not _is_exemption(resource):
            continue
        count += 1
        try:
            found = granted(resource)
        except MalformedError:
            continue  # It is among the estate's gaps.
        if found.exception in taken or _is_granted(found, estate):
            known.append(found.id.text)
            continue
        draft = _draft(found, place, estate, as_of, taken | {one.proposal.id for one in drafts})
        drafts.append(draft)
    complete = exceptions_yaml(one.entry for one in drafts if not one.proposal.faults)
    text = _text(drafts, complete)
    written = to is not None and put_into(to, text, complete, words)
    return ImportReport(
        estate=estate.info.name,
        as_of=as_of,
        exemptions=count,
        proposals=tuple(one.proposal for one in drafts),
        known=tuple(known),
        text=text,
        written=str(to) if written else "",
    )


def _is_exemption(resource: Json) -> bool:
    kind = resource.get("type") or ResourceId(str(resource.get("id", ""))).type
    return str(kind).lower() == KIND


def _is_granted(found: Granted, estate: Estate) -> bool:
    """Whether the context permits the same in the same place."""
    rule, _ = _rule(found, estate)
    match = Match(ids=(ResourceId(found.scope),))
    return any(one.rule == rule and one.match == match for one in estate.context.exceptions)


def _draft(found: Granted, place: str, estate: Estate, as_of: date, taken: set[str]) -> _Draft:
    rule, faults = _rule(found, estate)
    if "/managementgroups/" in found.scope or not found.scope.startswith("/subscriptions/"):
        faults.append("It stands above the subscriptions: name those that are meant under 'ids'.")
    reason = found.description or found.display_name
    told = RuleException(
        id=_free_id(f"EX-{found.id.name}", taken),
        match=Match(ids=(ResourceId(found.scope),)),
        owner=found.owner,
        reason=reason,
        approved_by=found.approved_by,
        expires=found.expires or date.max,
        rule=rule,
        compensating_control=found.compensating_control,
    )
    if found.expires is None:
        faults.append("It has no end: add 'expires'.")
    faults += [
        f"{one.detail} {one.remedy}"
        for one in faults_of(told, as_of)
        if not (one.key == "expires" and found.expires is None)
    ]
    entry: dict[str, str | date | tuple[str, ...]] = {
        "id": told.id,
        "rule": rule,
        "match": (_scope(found, estate),),
        "owner": told.owner,
        "reason": told.reason,
        "approved_by": told.approved_by,
        "expires": found.expires or "",
        "compensating_control": told.compensating_control,
    }
    proposal = Proposal(exemption=found.id.text, place=place, id=told.id, rule=rule, faults=tuple(faults))
    return _Draft(proposal=proposal, entry=entry)


def _rule(found: Granted, estate: Estate) -> tuple[str, list[str]]:
    """Return the control that the exempted policy asks about, or why it is not known."""
    assignment = None
    if found.assignment is not None:
        assignment = estate.posture.by_id(PolicyAssignment, found.assignment)
    if assignment is None:
        told = found.assignment.name if found.assignment else "none"
        return "", [
            f"Its assignment ({told}) is not in the estate: add 'rule' with the control it stands for."
        ]
    if "/policysetdefinitions/" in (assignment.definition_id or "").lower():
        part = f", only {', '.join(found.references)} of it" if found.references else " as a whole"
        problem = f"It is from the initiative '{assignment.id.name}'{part}, whose policies are not known here"
        return "", [f"{problem}: add 'rule', with one entry for each control that is meant."]
    controls = [one.id for one in ALL_CONTROLS if assignment.definition in one.policies]
    if not controls:
        return "", [f"No control asks what '{assignment.id.name}' asks: nothing has to be permitted here."]
    if len(controls) > 1:
        return controls[0], [f"{', '.join(controls)} ask what it exempts from: keep the one that is meant."]
    return controls[0], []


def _scope(found: Granted, estate: Estate) -> str:
    """Return the scope in the spelling of the VM's own id, where it is one."""
    vm = estate.vm(ResourceId(found.scope))
    return vm.id.text if vm is not None else found.scope


def _free_id(wanted: str, taken: set[str]) -> str:
    if wanted not in taken:
        return wanted
    return next(name for number in range(2, len(taken) + 3) if (name := f"{wanted}-{number}") not in taken)


def _text(drafts: list[_Draft], complete: str) -> str:
    lines = [f"format: {FORMAT}", *(["", "exceptions:", complete.rstrip("\n")] if complete else [])]
    for one in drafts:
        if one.proposal.faults:
            lines += ["", *_commented(one)]
    return "\n".join(lines) + "\n"


def _commented(draft: _Draft) -> Iterator[str]:
    yield f"# {comment(draft.proposal.exemption)} is not complete:"
    for fault in draft.proposal.faults:
        yield f"#   {comment(fault)}"
    for line in exceptions_yaml([draft.entry]).splitlines():
        yield f"# {line}"
