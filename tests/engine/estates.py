"""The estate of the engine's tests: the starter sample, with a target for every playbook there is."""

import atexit
import shutil
from datetime import date
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from msgspec.structs import replace

from playbooks.catalog import ALL_PLAYBOOKS
from readiness.app.estates import load, locate
from readiness.app.judging import judge_all
from readiness.model.plan import Batch, Plan, digest_of
from readiness.planner.build import Request, build_plan
from readiness.planner.policy import Policy
from readiness.rules.evaluate import evaluate

RELEASE = "test"
AS_OF = date(2026, 11, 22)
_VAULT = (
    "/subscriptions/63610791-8d8b-4b10-b705-26fc2d8bfdf7/resourceGroups/rg-shared"
    "/providers/Microsoft.RecoveryServices/vaults/rsv-contoso"
)
_TARGETS = f"""\
  - match: {{names: [sf-web-02]}}
    trusted_launch: {{secure_boot: staged}}
  - match: {{names: [sf-legacy-01]}}
    trusted_launch: {{generation_1: convert}}
    backup_policy: {_VAULT}/backupPolicies/vm-enhanced-4h
  - match: {{names: [bo-app-01]}}
    login: {{method: key, accepted_password_logins: [svc-export]}}
  - match: {{names: [bo-nightly-01]}}
    login: {{method: entra, admin_groups: [6a6e5d60-5f0b-4a5c-9d2f-0e6b6f6b0c11]}}
"""
_BEFORE = "# ---"
"""What follows the targets in the context."""


@cache
def folder() -> Path:
    """Write the estate once for all tests of this process, and return its folder."""
    home = Path(mkdtemp(prefix="readiness-engine-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    place = home / "starter"
    shutil.copytree(locate("starter"), place)
    context = place / "context.yaml"
    text = context.read_text(encoding="utf-8")
    end = text.index(_BEFORE, text.index("\ntargets:"))
    context.write_text(f"{text[:end].rstrip()}\n{_TARGETS}\n{text[end:]}", encoding="utf-8")
    return place


@cache
def plan() -> Plan:
    """Plan the estate once for all tests of this process."""
    return planned_by(Policy())


def planned_by(policy: Policy) -> Plan:
    """Plan the estate by a policy."""
    estate = load(folder())
    assessment = evaluate(estate, as_of=AS_OF, release=RELEASE, judged=judge_all(estate, AS_OF))
    return build_plan(Request(estate=estate, assessment=assessment, playbooks=ALL_PLAYBOOKS, policy=policy))


def part_of(whole: Plan, *names: str) -> Plan:
    """Return the plan of these VMs alone, in the waves and batches that the whole plan has them in."""
    waves = []
    for wave in whole.waves:
        kept = [[vm for vm in batch.vms if vm.name in names] for batch in wave.batches]
        batches = tuple(Batch(number=n, vms=tuple(vms)) for n, vms in enumerate(filter(None, kept), start=1))
        waves += [replace(wave, batches=batches)] if batches else []
    part = replace(whole, waves=tuple(waves), digest="")
    return replace(part, digest=digest_of(part))
