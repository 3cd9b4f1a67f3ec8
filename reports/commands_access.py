"""By hand: who may do what, and who reaches what."""

from readiness.model.ids import ResourceId
from readiness.model.steps import (
    AssignRole,
    ProveClosed,
    ProveRules,
    RemoveRole,
    RemoveSecurityRule,
    SetSecurityRule,
    words_for,
)
from reports.az import NETWORK_API, Check, Instruction, Value, az, fetched, in_query, readable, rest, variable
from reports.subject import Subject

_NEW_RULE = (
    "There is no such rule before; if there is one, stop: it is somebody's. Where the write is refused with "
    "PreconditionFailed although there is none, do it without its --headers."
)


def entitled(step: AssignRole | RemoveRole) -> Instruction:
    """Give a role on a scope, or take it away."""
    own = (
        ()
        if step.principal
        else (fetched("PRINCIPAL", "vm show", ids=step.vm, query="identity.principalId"),)
    )
    who: dict[str, Value] = {"assignee_object_id": step.principal or variable("PRINCIPAL")}
    what: dict[str, Value] = {"role": step.role, "scope": step.scope}
    holder = step.principal or "the VM's own identity"
    if isinstance(step, RemoveRole):
        note = f"Only if {holder} did not hold it before: somebody else's assignment stays."
        command = az("role assignment delete", **who, **what)
        sees = f"none of {holder}"
    else:
        note = (
            "" if step.principal else "A new identity is known everywhere after some minutes: try again then."
        )
        command = az("role assignment create", **who, assignee_principal_type=step.kind, **what)
        sees = f"one of {holder}"
    listed = az("role assignment list", **what, query="[].{who: principalId, role: roleDefinitionName}")
    return Instruction(
        does=words_for(step), note=note, commands=(*own, command), checks=(Check(command=listed, sees=sees),)
    )


def ruled(step: SetSecurityRule | RemoveSecurityRule) -> Instruction:
    """Create, replace or delete one rule of a network security group."""
    show = _shown(step.rule)
    if isinstance(step, RemoveSecurityRule):
        made = readable(step.made)
        return Instruction(
            does=words_for(step),
            note=f"It says this; if it says anything else, leave it to whoever changed it:\n{made}",
            commands=(az("network nsg rule delete", ids=step.rule),),
            checks=(Check(command=show, sees="an empty list"),),
        )
    wanted = {name: value for name, value in step.properties.items() if name != "provisioningState"}
    note, headers = _NEW_RULE, "If-None-Match=*"
    if step.earlier is not None:
        note = f"Before, the rule says this; if it says anything else, stop:\n{readable(step.earlier)}"
        headers = ""
    return Instruction(
        does=words_for(step),
        note=note,
        commands=(
            rest("put", step.rule, NETWORK_API, {"properties": wanted}, headers=headers),
            az("network nsg rule wait", ids=step.rule, created=(), interval="5", timeout="600"),
        ),
        checks=(Check(command=show, sees=f"the rule, with these values among others:\n{readable(wanted)}"),),
    )


def ruled_before(step: ProveRules) -> Instruction:
    """Look at rules of a shared group, before or after they are changed."""
    checks = []
    for each in step.rules:
        # Beside the rule as planned on, a run that goes on accepts the rule as it is to be; a person begins.
        was = each.allowed[0]
        sees = (
            "an empty list" if was is None else f"the rule, with these values among others:\n{readable(was)}"
        )
        checks.append(Check(command=_shown(each.rule), sees=sees))
    return Instruction(
        does=words_for(step),
        note="If any is not as it has to be, stop: it was changed since.",
        checks=tuple(checks),
    )


def closed(step: ProveClosed, subject: Subject) -> Instruction:
    """Ask for the rules in force at every interface."""
    ports = ", ".join(str(port) for port in step.ports)
    query = (
        "value[].effectiveSecurityRules[] | [?direction=='Inbound'].{priority: priority, access: access, "
        "from: sourceAddressPrefix, several: sourceAddressPrefixes, ports: destinationPortRange, "
        "portsToo: destinationPortRanges, name: name}"
    )
    sees = (
        f"for each of the ports {ports}: of the rules that name it and come from Internet, * or 0.0.0.0/0, "
        "the one of the lowest priority says Deny"
    )
    return Instruction(
        does=words_for(step),
        note="Asked of a running VM only.",
        checks=tuple(
            Check(command=az("network nic list-effective-nsg", ids=nic, query=query), sees=sees)
            for nic in subject.seen.vm.nics
        ),
    )


def _shown(rule: ResourceId) -> str:
    group: dict[str, Value] = {
        "subscription": rule.subscription,
        "resource_group": rule.resource_group,
        "nsg_name": rule.parent.name,
    }
    return az("network nsg rule list", **group, query=f"[?name=='{in_query(rule.name)}']")
