"""The estate of the tests of shared groups: VMs with public addresses behind one open subnet group.

The plan makes `bo-app-01` and `bo-nightly-01` passwordless; `bo-app-02` is not, and is open as they are.
"""

import atexit
import json
import shutil
from datetime import date
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from playbooks.catalog import ALL_PLAYBOOKS
from readiness.app.estates import load, locate
from readiness.app.judging import judge_all
from readiness.model.plan import Plan, PlanAction
from readiness.planner.build import Request, build_plan
from readiness.planner.policy import Policy
from readiness.rules.evaluate import evaluate

RELEASE, AS_OF = "test", date(2026, 11, 22)
CLOSED, UNPLANNED = ("bo-app-01", "bo-nightly-01"), "bo-app-02"
GROUP = "nsg-backoffice"
_TARGETS = """\
targets:
  - match: {names: [bo-app-01, bo-nightly-01]}
    login: {method: key, allow_from: [198.51.100.0/24]}
"""
_NARROWED = {
    "protocol": "Tcp",
    "access": "Allow",
    "priority": 300,
    "direction": "Inbound",
    "sourceAddressPrefixes": ["0.0.0.0/1", "10.0.0.0/8"],
    "destinationAddressPrefix": "*",
    "sourcePortRange": "*",
    "destinationPortRange": "22",
    "provisioningState": "Succeeded",
    **{name: [] for name in ("sourcePortRanges", "destinationPortRanges", "destinationAddressPrefixes")},
}
"""It opens one management port, so that fewer sources are enough."""
_GUARDED = _NARROWED | {
    "priority": 305,
    "sourceAddressPrefix": "Internet",
    "destinationPortRange": "3380-8443",
    "sourceAddressPrefixes": [],
    "description": "remote desktop, and more",
}
"""It opens others, too, so that a rule has to be put before it."""


@cache
def folder() -> Path:
    """Write the estate once for all tests of this process, and return its folder."""
    home = Path(mkdtemp(prefix="readiness-shared-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    place = home / "shared"
    shutil.copytree(locate("starter"), place)
    resources = [json.loads(line) for line in (place / "resources.jsonl").read_text().splitlines()]
    resources += list(filter(None, [_opened(each, resources) for each in resources]))
    text = "".join(f"{json.dumps(each)}\n" for each in resources)
    (place / "resources.jsonl").write_text(text, encoding="utf-8")
    context = place / "context.yaml"
    told = context.read_text(encoding="utf-8")
    start, end = told.index("\ntargets:") + 1, told.index("# ---", told.index("\ntargets:"))
    context.write_text(f"{told[:start]}{_TARGETS}\n{told[end:]}", encoding="utf-8")
    return place


@cache
def plan() -> Plan:
    """Plan the estate once for all tests of this process."""
    estate = load(folder())
    assessment = evaluate(estate, as_of=AS_OF, release=RELEASE, judged=judge_all(estate, AS_OF))
    return build_plan(Request(estate=estate, assessment=assessment, playbooks=ALL_PLAYBOOKS, policy=Policy()))


def action() -> PlanAction:
    """Return the plan's only action on a shared group."""
    (found,) = [each for each in plan().closure if each.kind == "security-group"]
    return found


def _opened(resource: dict[str, Any], all_of_them: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Open a resource to the internet in place, and return what it needs beside itself."""
    if resource["name"] == GROUP:
        rules = [
            one for one in resource["properties"]["securityRules"] if one["properties"]["priority"] > 305
        ]
        added = [("ssh-from-anywhere", _NARROWED), ("remote-from-anywhere", _GUARDED)]
        rules += [
            {"id": f"{resource['id']}/securityRules/{name}", "name": name, "properties": properties}
            for name, properties in added
        ]
        resource["properties"]["securityRules"] = rules
    vm = resource["name"].removesuffix("-nic")
    if not resource["id"].lower().endswith("-nic") or vm not in (*CLOSED, UNPLANNED):
        return None
    pattern = next(one for one in all_of_them if one["name"] == "jump-01-ip")
    address = json.loads(json.dumps(pattern))
    address["name"], address["id"] = f"{vm}-ip", pattern["id"].replace("jump-01-ip", f"{vm}-ip")
    number = 100 + len(resource["name"])
    address["properties"]["ipAddress"] = f"203.0.113.{number}"
    configuration = resource["properties"]["ipConfigurations"][0]
    address["properties"]["ipConfiguration"] = {"id": configuration["id"]}
    configuration["properties"]["publicIPAddress"] = {"id": address["id"]}
    return address
