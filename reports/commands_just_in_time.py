"""By hand: VMs put into a just-in-time policy, taken out of it, and what is looked at before.

A PUT replaces a whole policy, and no command of the Azure CLI changes one. So each write is made of what the
policy says at that moment: whoever is in it already, or has asked for access, stays.
"""

from typing import Any

from readiness.model.steps import ProveJustInTime, RemoveJustInTime, RequestedAccess, SetJustInTime, words_for
from reports.az import (
    PRICINGS_API,
    SECURITY_API,
    Check,
    Instruction,
    Value,
    az,
    compact,
    in_query,
    rest,
    variable,
)

Step = SetJustInTime | RemoveJustInTime | ProveJustInTime


def opened_on_request(step: SetJustInTime) -> Instruction:
    """Put VMs into a policy, beside those that it holds."""
    entries = [_entry(access) for access in step.machines]
    put: tuple[str, ...] = (rest("put", step.vm, SECURITY_API, _policy(entries)),)
    note = "There is no such policy before."
    if not step.creates:
        put = _put(step, f"[properties.virtualMachines, `{_literal(entries)}`][]")
        note = "Whoever is in the policy stays in it. Azure has no etag for one: let nobody else write to it."
    return Instruction(
        does=words_for(step),
        note=note,
        commands=put,
        checks=(Check(command=_shown(step), sees=f"beside any other VM: {_said(step)}"),),
    )


def taken_out(step: RemoveJustInTime) -> Instruction:
    """Take VMs out of a policy; one that was made for them goes with the last."""
    left = f"properties.virtualMachines[?{_none_of(step)}]"
    put = _put(step, left)
    note = "The policy stays, even if no VM is left in it."
    if step.creates:
        note = "The policy was made for these VMs: it goes, unless somebody has put others into it since."
        count = az("rest", method="get", url=_url(step), query=f"length({left})", output="tsv")
        put = (f'if [ "$({count})" = 0 ]; then', rest("delete", step.vm, SECURITY_API), "else", *put, "fi")
    return Instruction(
        does=words_for(step),
        note=f"{note} If it says something else of one of them by now, stop.",
        commands=(
            f"if {az('rest', method='get', url=_url(step), output='none')} 2>/dev/null; then",
            *put,
            "fi",
        ),
        checks=(Check(command=_shown(step), sees="none of these VMs"),),
    )


def looked_at(step: ProveJustInTime) -> Instruction:
    """Look at a policy, before it is written or after the way back."""
    if step.is_back:
        checks = [Check(command=_shown(step), sees="none of these VMs")]
    else:
        what = "an empty list" if step.creates else f"the policy, without any of {_names(step)}"
        plan = f"/subscriptions/{step.vm.subscription}/providers/Microsoft.Security/pricings/VirtualMachines"
        url = f"{plan}?api-version={PRICINGS_API}"
        asked = az("rest", method="get", url=url, query="properties.{tier: pricingTier, plan: subPlan}")
        checks = [
            Check(command=_shown(step), sees=what),
            Check(command=asked, sees="Standard and P2; otherwise stop: nobody switches it on unasked"),
        ]
    return Instruction(
        does=words_for(step),
        note="If any is not as it has to be, stop: it was changed since.",
        checks=tuple(checks),
    )


def _url(step: Step) -> str:
    return f"{step.vm}?api-version={SECURITY_API}"


def _entry(access: RequestedAccess) -> dict[str, Any]:
    port = {"protocol": "*", "allowedSourceAddressPrefix": "*", "maxRequestAccessDuration": access.longest}
    return {"id": access.vm.text, "ports": [{"number": number, **port} for number in access.ports]}


def _policy(entries: list[dict[str, Any]]) -> dict[str, Any]:
    return {"kind": "Basic", "properties": {"virtualMachines": entries}}


def _put(step: Step, machines: str) -> tuple[str, ...]:
    """Return the commands that write a policy as it is, with other VMs."""
    query = (
        f"{{kind: kind, properties: {{virtualMachines: {machines}, "
        "requests: not_null(properties.requests, `[]`)}}"
    )
    body = az("rest", method="get", url=_url(step), query=query, output="json")
    options: dict[str, Value] = {"method": "put", "url": _url(step), "body": variable("BODY")}
    return (f"BODY=$({body})", az("rest", **options))


def _shown(step: Step) -> str:
    """Return the command that shows the VMs of a policy, and an empty list where there is none."""
    url = f"{step.vm.parent}/jitNetworkAccessPolicies?api-version={SECURITY_API}"
    machines = f"value[?name=='{in_query(step.vm.name)}'].properties.virtualMachines[]"
    query = f"{machines}.{{vm: id, ports: ports[].number}}"
    return az("rest", method="get", url=url, query=query)


def _none_of(step: Step) -> str:
    """Return the condition that an entry is of another VM; of an id, Azure keeps only the name's case."""
    ours = (f"ends_with(id, '/{in_query(access.vm.name)}')" for access in step.machines)
    return f"!({' || '.join(ours)})"


def _literal(value: Any) -> str:
    """Return JSON for the inside of a literal of a query."""
    return compact(value).replace("`", "\\`")


def _said(step: Step) -> str:
    return "; ".join(
        f"{access.vm.name} with the ports {', '.join(str(port) for port in access.ports)}"
        for access in step.machines
    )


def _names(step: Step) -> str:
    return ", ".join(access.vm.name for access in step.machines)
