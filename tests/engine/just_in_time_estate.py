"""The estate of the tests of just-in-time policies: that of the shared groups, with access on request chosen.

`bo-app-01` and `bo-nightly-01` are to be put into a policy; `bo-app-02` is in it already, where there is one.
"""

import atexit
import json
import shutil
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from playbooks.catalog import ALL_PLAYBOOKS
from readiness.app.estates import load
from readiness.app.judging import judge_all
from readiness.model.plan import Plan, PlanAction
from readiness.planner.build import Request, build_plan
from readiness.planner.policy import Policy
from readiness.rules.evaluate import evaluate
from tests.engine import shared_estate
from tests.engine.shared_estate import AS_OF, CLOSED, RELEASE, UNPLANNED

__all__ = ["CLOSED", "THEIRS", "UNPLANNED", "action", "folder", "plan"]

KIND = "Microsoft.Security/locations/jitNetworkAccessPolicies"
THEIRS = [
    {
        "number": 22,
        "protocol": "TCP",
        "allowedSourceAddressPrefix": "10.1.0.0/16",
        "maxRequestAccessDuration": "PT1H",
    }
]
"""What the policy says of the VM that is in it already."""
_OPENED = ("ssh-from-anywhere", "remote-from-anywhere")


@cache
def folder(*, policy: bool = False, opened: bool = False, plan_two: bool = True) -> Path:
    """Write the estate once for all tests of this process, and return its folder.

    Args:
        policy: Whether there is a policy already, with another VM and a request in it.
        opened: Whether the shared group in front of the VMs is open.
        plan_two: Whether the subscription has Defender for Servers Plan 2, and that was read.
    """
    home = Path(mkdtemp(prefix="readiness-on-request-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    place = home / "on-request"
    shutil.copytree(shared_estate.folder(), place)
    lines = (place / "resources.jsonl").read_text(encoding="utf-8").splitlines()
    resources = [json.loads(line) for line in lines]
    for each in resources:
        if each["name"] == shared_estate.GROUP and not opened:
            rules = each["properties"]["securityRules"]
            each["properties"]["securityRules"] = [one for one in rules if one["name"] not in _OPENED]
    machine = next(one for one in resources if one["name"] == UNPLANNED and "virtualMachines" in one["type"])
    resources += [_pricing(machine)] if plan_two else []
    resources += [_policy(machine)] if policy else []
    text = "".join(f"{json.dumps(each)}\n" for each in resources)
    (place / "resources.jsonl").write_text(text, encoding="utf-8")
    head = json.loads((place / "estate.json").read_text(encoding="utf-8"))
    head["listed_types"].append(KIND)
    (place / "estate.json").write_text(json.dumps(head), encoding="utf-8")
    context = place / "context.yaml"
    told = context.read_text(encoding="utf-8")
    wanted = told.replace("/24]}", "/24], management_access: just-in-time, ports: [22, 3389]}")
    assert wanted != told
    context.write_text(wanted, encoding="utf-8")
    return place


@cache
def plan(**how: bool) -> Plan:
    """Plan the estate once for all tests of this process."""
    estate = load(folder(**how))
    assessment = evaluate(estate, as_of=AS_OF, release=RELEASE, judged=judge_all(estate, AS_OF))
    return build_plan(Request(estate=estate, assessment=assessment, playbooks=ALL_PLAYBOOKS, policy=Policy()))


def action(**how: bool) -> PlanAction:
    """Return the plan's only action on a just-in-time policy."""
    (found,) = [each for each in plan(**how).closure if each.kind == "just-in-time-policy"]
    return found


def _pricing(machine: dict[str, Any]) -> dict[str, Any]:
    subscription = "/".join(machine["id"].split("/")[:3])
    return {
        "id": f"{subscription}/providers/Microsoft.Security/pricings/VirtualMachines",
        "name": "VirtualMachines",
        "type": "Microsoft.Security/pricings",
        "properties": {"pricingTier": "Standard", "subPlan": "P2", "freeTrialRemainingTime": "PT0S"},
    }


def _policy(machine: dict[str, Any]) -> dict[str, Any]:
    # Azure spells resource groups in capitals here.
    group = machine["id"].partition("/providers/")[0]
    named = machine["id"].replace(group.rpartition("/")[2], group.rpartition("/")[2].upper(), 1)
    asked = {
        "id": named,
        "ports": [{"number": 22, "endTimeUtc": "2026-11-01T08:00:00Z", "status": "Revoked"}],
    }
    return {
        "id": f"{group}/providers/Microsoft.Security/locations/{machine['location']}"
        "/jitNetworkAccessPolicies/default",
        "name": "default",
        "type": KIND,
        "kind": "Basic",
        "location": machine["location"],
        "properties": {
            "virtualMachines": [{"id": named, "ports": THEIRS}],
            "requests": [
                {"virtualMachines": [asked], "startTimeUtc": "2026-11-01T05:00:00Z", "requestor": "ann"}
            ],
            "provisioningState": "Succeeded",
        },
    }
