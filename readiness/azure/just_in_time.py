"""Just-in-time network access policies: VMs put in, taken out, and what is looked at before and after.

A PUT replaces a whole policy, and Azure offers no etag for one. So it is read right before each write,
written with every other VM and every request as it was read, and read again afterwards. What somebody else
writes between that read and that write is lost: nobody can see it, and the plan says so.
Only the Defender plan of a subscription is asked for; it is never switched on. That a policy names a VM
proves nothing: rules from before it stand in front of its own, so those in force are asked for at each VM.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from readiness.azure import rule_checks, security_rules
from readiness.azure.connect import Connection
from readiness.azure.evidence import fit_to_keep
from readiness.azure.operations import DEFAULT_WAIT
from readiness.azure.plain import pages, read, send
from readiness.azure.preflight_deny_assignments import denials
from readiness.azure.preflight_parts import Asker, Refusal, Subject
from readiness.errors import DeniedError
from readiness.model.codec import encode
from readiness.model.ids import ResourceId
from readiness.model.steps import (
    Preflight,
    ProveJustInTime,
    ProveOnRequest,
    RemoveJustInTime,
    RequestedAccess,
    SetJustInTime,
)
from readiness.ports.cloud import Done, Failed, Pending, Progress, StepContext

API = "2020-01-01"
PRICINGS_API = "2024-01-01"
CHANGED = "PolicyChangedSincePlanned"
NOT_EFFECTIVE = "JustInTimeNotEffective"
"""The word of the assessment for the same: a policy is there, and a rule from before it lets everybody in."""

Json = dict[str, Any]


def begin(
    connection: Connection, step: SetJustInTime | RemoveJustInTime | ProveJustInTime, context: StepContext
) -> Progress:
    """Look whether it is in place, and do it if not."""
    policy = read(connection, step.vm.subscription, step.vm.text, API)
    if policy is not None and _is_at_work(policy):
        return Pending(None, DEFAULT_WAIT, f"{step.vm.name} is being changed")
    match step:
        case SetJustInTime():
            return _set(connection, step, policy)
        case RemoveJustInTime():
            return _remove(connection, step, policy)
        case ProveJustInTime():
            return _prove(connection, step, policy, context)


def prove(connection: Connection, step: ProveOnRequest, context: StepContext) -> Progress:
    """Ask whether the internet still reaches a VM of the policy."""
    return _judged(security_rules.begin(connection, step, context))


def prove_again(connection: Connection, step: ProveOnRequest, token: str) -> Progress:
    """Ask how that goes."""
    return _judged(security_rules.poll(connection, step, token))


def _judged(progress: Progress) -> Progress:
    if isinstance(progress, Failed) and progress.code == "StillOpen":
        told = f"{progress.detail}; a rule from before the policy stands in front of its own: close it first"
        return Failed(NOT_EFFECTIVE, told, evidence=progress.evidence)
    return progress


def entry_of(access: RequestedAccess) -> Json:
    """Return a VM of a policy as Azure takes it; from where somebody may come, the request says."""
    ports = [
        {
            "number": port,
            "protocol": "*",
            "allowedSourceAddressPrefix": "*",
            "maxRequestAccessDuration": access.longest,
        }
        for port in access.ports
    ]
    return {"id": access.vm.text, "ports": ports}


# Writing ------------------------------------------------------------------------------------------------


def _set(connection: Connection, step: SetJustInTime, policy: Json | None) -> Progress:
    found = _ours(step.machines, policy)
    if len(found) == len(step.machines) and not _differing(step.machines, found):
        return Done("already so", _evidence(policy))
    refusal = _not_as_planned(step, policy)
    if refusal is not None:
        return refusal
    wanted = [*_machines(policy), *map(entry_of, step.machines)]
    _put(connection, step.vm, policy, wanted)
    after = read(connection, step.vm.subscription, step.vm.text, API)
    found = _ours(step.machines, after)
    if len(found) < len(step.machines) or _differing(step.machines, found):
        return Pending(None, DEFAULT_WAIT, f"{step.vm.name} does not show it yet")
    return Done("they are in the policy", _evidence(after))


def _remove(connection: Connection, step: RemoveJustInTime, policy: Json | None) -> Progress:
    found = _ours(step.machines, policy)
    if policy is None or not found:
        return Done("it names none of them")
    differing = _differing(step.machines, found)
    if differing:
        told = f"somebody has changed what {step.vm.name} says of {', '.join(differing)}: it stays as it is"
        return Failed(CHANGED, told, evidence=_evidence(policy))
    left = [entry for entry in _machines(policy) if _vm_of(entry) not in found]
    if not left and step.creates:
        send(connection, step.vm.subscription, "DELETE", step.vm.text, API)
    else:
        _put(connection, step.vm, policy, left)
    after = read(connection, step.vm.subscription, step.vm.text, API)
    if _ours(step.machines, after):
        return Pending(None, DEFAULT_WAIT, f"{step.vm.name} does not show it yet")
    return Done("they are out of the policy", _evidence(after))


def _put(connection: Connection, policy: ResourceId, before: Json | None, machines: list[Json]) -> None:
    """Write a policy as it was read, with other VMs."""
    kept = {
        name: value
        for name, value in ((before or {}).get("properties") or {}).items()
        if name != "provisioningState"
    }
    body = {"kind": (before or {}).get("kind") or "Basic", "properties": kept | {"virtualMachines": machines}}
    send(connection, policy.subscription, "PUT", policy.text, API, body=body)


# Looking ------------------------------------------------------------------------------------------------


def _prove(
    connection: Connection, step: ProveJustInTime, policy: Json | None, context: StepContext
) -> Progress:
    if step.is_back:
        left = _ours(step.machines, policy)
        names = ", ".join(vm.name for vm in left)
        return (
            Failed(CHANGED, f"{step.vm.name} still names {names}") if left else Done("it names none of them")
        )
    found = _ours(step.machines, policy)
    is_done = len(found) == len(step.machines) and not _differing(step.machines, found)
    refusal = None if is_done else _not_as_planned(step, policy)
    refusal = refusal or next(_elsewhere(connection, step), None)
    if refusal is None and step.needed:
        refusal = next(_refusals(connection, step, context), None)
    return refusal or Done("it is as it was planned on", _evidence(policy))


def _not_as_planned(step: SetJustInTime | ProveJustInTime, policy: Json | None) -> Failed | None:
    """Return what became different of a policy since it was planned on."""
    name, again = step.vm.name, "assess and plan again"
    if step.creates and policy is not None:
        return Failed(CHANGED, f"there is a policy {name} by now: {again}", evidence=_evidence(policy))
    if not step.creates and policy is None:
        return Failed(CHANGED, f"the policy {name} is not there any more: {again}")
    found = _ours(step.machines, policy)
    if found:
        names = ", ".join(vm.name for vm in found)
        return Failed(CHANGED, f"{name} names {names} by now: {again}", evidence=_evidence(policy))
    return None


def _elsewhere(connection: Connection, step: ProveJustInTime) -> Iterator[Failed]:
    """Yield that another policy names one of the VMs by now."""
    path = f"/subscriptions/{step.vm.subscription}/providers/Microsoft.Security/jitNetworkAccessPolicies"
    for policy in pages(connection, step.vm.subscription, path, API):
        own = ResourceId(str(policy.get("id")))
        found = _ours(step.machines, policy) if own != step.vm else {}
        if found:
            names = ", ".join(vm.name for vm in found)
            yield Failed(CHANGED, f"another policy, {own}, names {names} by now: assess and plan again")


def _refusals(connection: Connection, step: ProveJustInTime, context: StepContext) -> Iterator[Failed]:
    """Yield why the policy cannot be had, or not be written."""
    subscription = ResourceId(f"/subscriptions/{step.vm.subscription}")
    path = f"{subscription}/providers/Microsoft.Security/pricings/VirtualMachines"
    try:
        pricing = read(connection, subscription.subscription, path, PRICINGS_API)
    except DeniedError as error:
        told = f"whether {subscription.name} has Defender for Servers Plan 2 may not be asked: {error.brief}"
        yield Failed("DefenderPlanUnknown", told)
        return
    plan = (pricing or {}).get("properties") or {}
    if str(plan.get("pricingTier")).lower() != "standard" or str(plan.get("subPlan")).upper() != "P2":
        shown = (
            " ".join(str(plan[name]) for name in ("pricingTier", "subPlan") if plan.get(name)) or "nothing"
        )
        yield Failed(
            "DefenderPlanMissing",
            f"just-in-time access needs Defender for Servers Plan 2, and subscription {subscription.name} "
            f"has {shown}: whoever answers for its costs switches it on, no run does",
        )
    # A policy that is not there yet has no permissions of its own; its VMs are in the same group.
    group = ResourceId(f"{subscription}/resourceGroups/{step.vm.resource_group}")
    yield from rule_checks.refusals(connection, step.vm, step.needed, creates=step.creates, scope=group)
    write = RemoveJustInTime if step.creates else SetJustInTime
    work = write(vm=step.vm, machines=step.machines, creates=step.creates)
    subject = Subject(Preflight(vm=step.vm, work=(work,)), context, {}, None)
    for finding in denials(Asker(connection), subject):
        if isinstance(finding, Refusal):
            yield Failed(finding.code, finding.words)


def _is_at_work(policy: Json) -> bool:
    state = str((policy.get("properties") or {}).get("provisioningState") or "Succeeded").lower()
    return state in ("creating", "updating", "deleting")


def _machines(policy: Json | None) -> list[Json]:
    return [*((((policy or {}).get("properties") or {}).get("virtualMachines")) or [])]


def _ours(machines: Sequence[RequestedAccess], policy: Json | None) -> dict[ResourceId, Json]:
    """Return what a policy says of those of our VMs that it names; Azure spells their ids in its own case."""
    wanted = {access.vm for access in machines}
    return {_vm_of(entry): entry for entry in _machines(policy) if _vm_of(entry) in wanted}


def _vm_of(entry: Json) -> ResourceId:
    return ResourceId(str(entry.get("id")))


def _differing(machines: Sequence[RequestedAccess], found: dict[ResourceId, Json]) -> list[str]:
    """Return the names of our VMs of which a policy says something else than we wrote."""
    return [
        access.vm.name
        for access in machines
        if access.vm in found and _meaning(found[access.vm]) != _meaning(entry_of(access))
    ]


def _meaning(entry: Json) -> set[tuple[object, ...]]:
    return {
        (
            port.get("number"),
            str(port.get("protocol") or "*").lower(),
            *sorted(
                port.get("allowedSourceAddressPrefixes") or [port.get("allowedSourceAddressPrefix") or "*"]
            ),
            str(port.get("maxRequestAccessDuration")).upper(),
        )
        for port in entry.get("ports") or []
    }


def _evidence(policy: Json | None) -> str:
    """Return which ports of which VMs a policy names; who asked for access is nobody's business here."""
    said = {
        _vm_of(entry).text: sorted(str(port.get("number")) for port in entry.get("ports") or [])
        for entry in _machines(policy)
    }
    return fit_to_keep(encode(said).decode())
