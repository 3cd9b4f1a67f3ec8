"""Just-in-time network access policies: lists, GET, PUT, DELETE, and requests for access.

Learn, "Understanding just-in-time VM access": a policy closes its ports by deny rules, which stand behind
the rules that were there before; a request opens a port by an allow rule in front of everything, until its
time has passed. A PUT replaces a policy. That a policy which is deleted leaves its deny rules is an
assumption.
"""

import re
from datetime import datetime, timedelta

from readiness.twin.arm import immediate, jit_rules
from readiness.twin.arm.directory import read_time, stamp
from readiness.twin.arm.paging import page
from readiness.twin.documents import Json, duplicate, look, same, section
from readiness.twin.messages import ArmError, Response
from readiness.twin.paths import parse
from readiness.twin.state import VM, missing
from readiness.twin.world import Call, Routes, World

POLICY = "microsoft.security/locations/jitnetworkaccesspolicies"
SETTLE_SECONDS = 5.0
"""From a request to the open port."""
REQUESTOR = "twin"
CALLER = "203.0.113.1"
"""The address a request comes from, which is let in where it names none."""

_DURATION = re.compile(r"PT(?:(\d+)H)?(?:(\d+)M)?|P(1)D")


def _invalid(message: str) -> ArmError:
    return ArmError(400, "BadRequest", f"{message}", unverified=True)


def listed(world: World, call: Call) -> Response:
    """Answer the policies of a subscription or a group, of all locations or of one."""
    found = world.state.of_kind(POLICY, call.address.scope)
    if call.address.names:
        found = [each for each in found if same(parse(each["id"]).names[0], call.address.names[0])]
    return page(call, found, duplicate)


def write(world: World, call: Call) -> Response:
    """Set a policy in the place of the one that was there."""
    machines = look(call.body(), "properties.virtualMachines")
    if not isinstance(machines, list):
        raise _invalid("'virtualMachines' is missing.")
    for machine in machines:
        found = world.state.find(machine.get("id"))
        if found is None or parse(found["id"]).kind != VM:
            raise missing(str(machine.get("id")))
        for port in machine.get("ports") or []:
            _check_port(port)
    before = world.state.find(call.address.resource_id)
    ticket = world.admit(call, "jitNetworkAccessPolicies/write", call.address.resource_id)
    after = immediate.fresh(call, "Microsoft.Security/locations/jitNetworkAccessPolicies")
    after |= {"kind": "Basic", "location": call.address.names[0]}
    # Requests that are open go on: their ends are scheduled.
    own = look(before, "properties.requests")
    requests = duplicate(look(call.body(), "properties.requests") or []) if own is None else own
    after["properties"] = {
        "virtualMachines": duplicate(machines),
        "requests": requests,
        "provisioningState": "Succeeded",
    }
    world.state.put(after)
    for machine in machines:
        for port in machine.get("ports") or []:
            jit_rules.close(world.state, machine["id"], port)
    return world.finished(ticket, Response(200, duplicate(after)))


def _check_port(port: Json) -> None:
    if not isinstance(port.get("number"), int):
        raise _invalid("A port has no 'number'.")
    longest = _length(port.get("maxRequestAccessDuration"))
    if longest is None or not timedelta(minutes=5) <= longest <= timedelta(days=1):
        raise _invalid("'maxRequestAccessDuration' lies between PT5M and P1D.")


def _length(text: object) -> timedelta | None:
    matched = _DURATION.fullmatch(str(text))
    if matched is None:
        return None
    hours, minutes, days = (int(each or 0) for each in matched.groups())
    return timedelta(days=days, hours=hours, minutes=minutes)


def initiate(world: World, call: Call) -> Response:
    """Ask for access: the ports open a moment later, and close when their time has passed."""
    policy = world.state.need(call.address)
    wanted = call.body().get("virtualMachines")
    if not isinstance(wanted, list) or not wanted:
        raise _invalid("'virtualMachines' is missing.")
    asked = [_asked(policy, machine, call.now) for machine in wanted]
    ticket = world.admit(call, "jitNetworkAccessPolicies/initiate", policy["id"])
    request: Json = {"virtualMachines": asked, "startTimeUtc": stamp(call.now), "requestor": REQUESTOR}
    if "justification" in call.body():
        request["justification"] = call.body()["justification"]
    requests: list[Json] = section(policy, "properties").setdefault("requests", [])
    for machine in asked:
        for port in machine["ports"]:
            _supersede(requests, machine["id"], port["number"])
            _schedule(world, call.now, machine["id"], port)
    requests.append(request)
    return world.finished(ticket, Response(202, duplicate(request)))


def _asked(policy: Json, machine: Json, now: datetime) -> Json:
    machines = look(policy, "properties.virtualMachines") or []
    own = next(
        (each for each in machines if same(each.get("id"), machine.get("id"))),
        None,
    )
    if own is None:
        raise _invalid(f"The virtual machine '{machine.get('id')}' is not in the policy '{policy['name']}'.")
    return {"id": own["id"], "ports": [_port(own, port, now) for port in machine.get("ports") or []]}


def _port(own: Json, port: Json, now: datetime) -> Json:
    allowed = next(
        (each for each in own.get("ports") or [] if each.get("number") == port.get("number")), None
    )
    if allowed is None:
        raise _invalid(f"The port {port.get('number')} is not in the policy.")
    length = _length(port.get("duration"))
    ends = read_time(port.get("endTimeUtc")) or (now + length if length is not None else None)
    longest = _length(allowed.get("maxRequestAccessDuration")) or timedelta(hours=3)
    if ends is None or not now < ends <= now + longest:
        raise _invalid(
            f"'endTimeUtc' of port {port['number']} is not within {allowed['maxRequestAccessDuration']}."
        )
    return {
        "number": port["number"],
        "allowedSourceAddressPrefix": port.get("allowedSourceAddressPrefix") or CALLER,
        "endTimeUtc": stamp(ends),
        "status": "Initiating",
        "statusReason": "UserRequested",
    }


def _supersede(requests: list[Json], machine_id: str, number: int) -> None:
    for request in requests:
        for machine in request["virtualMachines"]:
            for port in machine["ports"] if same(machine["id"], machine_id) else []:
                if port["number"] == number and port["status"] != "Revoked":
                    port.update(status="Revoked", statusReason="NewerRequestInitiated")


def _schedule(world: World, now: datetime, machine_id: str, port: Json) -> None:
    ends = read_time(port["endTimeUtc"]) or now

    def opened(_: datetime) -> None:
        if port["status"] == "Initiating":
            port["status"] = "Initiated"
            jit_rules.open_port(world.state, machine_id, port)

    def closed(_: datetime) -> None:
        if port["status"] != "Revoked":
            port.update(status="Revoked", statusReason="Expired")
            jit_rules.shut(world.state, machine_id, port["number"])

    world.timeline.add(now + timedelta(seconds=SETTLE_SECONDS), opened)
    world.timeline.add(ends, closed)


ROUTES: Routes = {
    ("GET", "microsoft.security", "jitnetworkaccesspolicies"): listed,
    ("GET", "microsoft.security/locations", "jitnetworkaccesspolicies"): listed,
    ("GET", POLICY, ""): immediate.get,
    ("PUT", POLICY, ""): write,
    ("DELETE", POLICY, ""): immediate.removal("jitNetworkAccessPolicies/delete"),
    ("POST", POLICY, "initiate"): initiate,
}
