"""Which policies would deny what a campaign writes, asked of Azure with each resource as it is to be.

Microsoft.PolicyInsights evaluates a resource that does not exist yet (`checkPolicyRestrictions`, 2023-03-01)
and names the assignments that would deny it. Asked are the VM after each of its writes, the lease's included,
and every snapshot, disk, extension, command and security rule that is written. Where nothing is assigned
nothing is asked. The answer does not hold policies that management groups assign (Azure/azure-dev,
cli/azd/docs, on its check of storage accounts): those are read and judged besides (`preflight_inherited`).
"""

from collections.abc import Iterable, Iterator

from azure.core.rest import HttpRequest

from readiness.azure.connect import Connection
from readiness.azure.faults import translated
from readiness.azure.pacing import Traffic
from readiness.azure.preflight_bodies import Written, vm_states, written
from readiness.azure.preflight_definitions import Definitions
from readiness.azure.preflight_inherited import Inherited
from readiness.azure.preflight_parts import (
    Asker,
    Finding,
    Refusal,
    Subject,
    Unknown,
    listing,
    subscription_of,
)
from readiness.azure.preflight_tags import Tagging
from readiness.azure.remembered import Json
from readiness.azure.wire_governance import policy_assignment
from readiness.azure.wire_values import any_id, flag, obj, objects, text
from readiness.errors import CloudError, DeniedError, ThrottledError, UnreachableError
from readiness.model.governance import PolicyAssignment
from readiness.rules.boot_guest import SWITCHES_SECURE_BOOT_ON

_ASSIGNMENTS_API, _CHECK_API = "2022-06-01", "2023-03-01"
_TITLE = 80


class Policies:
    """Asks which policies would deny something."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker
        self._traffic = Traffic()
        self._definitions = Definitions(asker)

    def find(self, subject: Subject) -> Iterator[Finding]:
        """Find what policies would deny, and what else they would do to the VM."""
        if not subject.step.work:
            return
        scope = subscription_of(subject.vm)
        path = f"{scope}/providers/Microsoft.Authorization/policyAssignments"
        found = self._asker.listed(subject, "policies", scope, path, _ASSIGNMENTS_API)
        titles: dict[str, str] = {}
        above: list[Json] = []
        in_force: list[Json] = []
        if isinstance(found, DeniedError):
            yield Unknown("not known: which policies are assigned, since asking is not allowed")
        else:
            titles = {(text(each, "id") or "").lower(): _title(each) for each in found}
            enforced = {one.id: one for one in map(policy_assignment, found) if one.is_enforced}
            held = [one for one in enforced.values() if one.covers(subject.vm)]
            yield from self._switching(held, subject)
            if not enforced:
                return
            in_force = [each for each in found if any_id(each) in enforced]
            above = [each for each in in_force if _is_from_above(enforced[any_id(each)])]
        yield from self._denied(subject, titles, above, Tagging(self._definitions, subject, in_force))

    def _denied(
        self, subject: Subject, titles: dict[str, str], above: list[Json], tagging: Tagging
    ) -> Iterator[Finding]:
        """Ask about each resource, and tell each policy that denies some of them once."""
        denied: dict[str, dict[str, bool]] = {}
        resources = list(written(self._asker.connection, subject))
        for resource in resources:
            try:
                evaluations = evaluated(self._asker.connection, self._traffic, resource)
            except (ThrottledError, UnreachableError):
                raise
            except CloudError as error:
                yield Unknown(f"not known: whether policies would deny {resource.words} ({error.code})")
                continue
            for each in evaluations:
                policy = (text(obj(each, "policyInfo"), "policyAssignmentId") or "").lower()
                if _denies(each):
                    things = denied.setdefault(policy, {})
                    things[resource.words] = things.get(resource.words, True) and resource.is_spare
                elif not _is_judged(each):
                    name = titles.get(policy) or _last(policy)
                    yield Unknown(f"not known: whether the policy {name} would deny {resource.words}")
        for assignment in above:
            policy = any_id(assignment).key
            if policy not in denied:
                inherited = Inherited(self._definitions, subject, assignment, titles[policy], tagging)
                yield from inherited.judge(resources)
                denied[policy] = inherited.denied
        for policy, things in denied.items():
            yield from _refused(titles.get(policy) or _last(policy), things)

    def _switching(self, held: Iterable[PolicyAssignment], subject: Subject) -> Iterator[Finding]:
        """Tell which policies would switch Secure Boot on for a VM that is to be without it."""
        profile = {}
        for state in vm_states(subject):
            if not state.is_spare:
                profile = obj(obj(state.content, "properties"), "securityProfile")
        is_trusted = (text(profile, "securityType") or "").lower() == "trustedlaunch"
        if not is_trusted or flag(obj(profile, "uefiSettings"), "secureBootEnabled"):
            return
        for each in held:
            if each.definition not in SWITCHES_SECURE_BOOT_ON or (each.effect or "").lower() == "disabled":
                continue
            content = {**subject.body, "id": subject.vm.text, "type": subject.vm.type}
            freed = self._definitions.freed(subject, each.id.text, "", content)
            would = f"the policy {each.id.name} would switch Secure Boot on"
            if freed is not None and freed.is_sure:
                yield Unknown(f"{would}, and lets the VM pass ({freed.words})")
            else:
                doubt = f"; that depends on {freed.words}" if freed else ""
                yield Unknown(f"{would}, which is to stay off{doubt}")


def evaluated(connection: Connection, traffic: Traffic, resource: Written) -> list[Json]:
    """Return how Azure Policy judges a resource as it is to be: one entry for each policy it does not meet.

    Raises:
        CloudError: It was refused, or there was no answer.
    """
    details: Json = {"resourceContent": resource.content, "apiVersion": resource.version}
    if resource.parent is not None:
        details["scope"] = resource.parent.text
    # The clients that write would register the provider where it is not, which is a change.
    client = connection.reader(traffic)
    path = f"{resource.group}/providers/Microsoft.PolicyInsights/checkPolicyRestrictions"
    request = HttpRequest(
        "POST",
        client.format_url(path),
        params={"api-version": _CHECK_API},
        json={"resourceDetails": details, "includeAuditEffect": False},
    )
    with translated():
        response = client.send_request(request, retry_on_methods=frozenset({"POST"}))
        response.raise_for_status()
        return objects(obj(response.json(), "contentEvaluationResult"), "policyEvaluations")


def _denies(evaluation: Json) -> bool:
    effect = text(obj(evaluation, "effectDetails"), "policyEffect") or "Deny"
    return effect.lower() == "deny" and _result(evaluation) == "noncompliant"


def _is_judged(evaluation: Json) -> bool:
    """Tell whether the policy was evaluated: other words than these mean that it could not be."""
    return _result(evaluation) in ("noncompliant", "compliant")


def _result(evaluation: Json) -> str:
    return (text(evaluation, "evaluationResult") or "").lower()


def _refused(policy: str, things: dict[str, bool]) -> Iterator[Finding]:
    needed = [words for words, is_spare in things.items() if not is_spare]
    spare = [words for words, is_spare in things.items() if is_spare]
    if needed:
        words = f"the policy {policy} denies {listing(needed)}"
        yield Refusal("PolicyDenied", f"{words}: have that exempted, or choose what the policy allows")
    if spare:
        yield Unknown(f"the policy {policy} would deny the weaker setting of {listing(spare)}")


def _is_from_above(assignment: PolicyAssignment) -> bool:
    return "/managementgroups/" in assignment.scope


def _title(assignment: Json) -> str:
    name = text(assignment, "name") or _last(text(assignment, "id") or "")
    shown = text(obj(assignment, "properties"), "displayName")
    return f"'{shown[:_TITLE]}' ({name})" if shown and shown != name else name


def _last(resource: str) -> str:
    return resource.rpartition("/")[2] or "of an unknown name"
