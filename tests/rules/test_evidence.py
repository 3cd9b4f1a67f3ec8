"""What a reason shows as its evidence stands in Azure's JSON: at that id, at that path, with that value."""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from readiness.app.estates import load, locate
from readiness.model.disk import Encryption, EncryptionType
from readiness.model.estate import Estate
from readiness.model.ids import ResourceId
from readiness.model.verdict import Evidence, JsonScalar, Status
from readiness.model.virtual_machine import DiskAttachment
from readiness.rules.catalog import ALL_RULES
from readiness.rules.encryption import customer_key
from readiness.rules.rule import Rule
from tests.builders import CUSTOMER_KEY, OS_DISK, disk, estate, rid, vm

SAMPLES = ("bank", "clean_shop", "everything_wrong", "legacy", "starter")

BOOLEAN_WRITTEN_AS_TEXT = re.compile(r"properties\.securityProfile\.uefiSettings\.\w+")
"""Templates of Azure Policy send these as texts; a VM's switch is shown as the boolean that it means."""
HOSTS_OF_ADDRESSES = "properties.settings.fileUris"
"""An address may carry a signature, a secret: only the hosts in the list of addresses are kept and shown."""
SIZES = "microsoft.compute/skus"
"""Azure's list of sizes gives no ids: the id that is shown is made of subscription and size."""

UNPROVEN = frozenset(
    ("NoSetNamed", "GuestEvidenceMissing", "EntraLoginMissing", "GuestConfigurationSkips", "LoginRoleMissing")
)
"""Reasons that something is nowhere, in no resource and in no choice: there is nothing to point at."""

_STEP = re.compile(r"([^.\[\]]+)|\[([^\]]*)\]")


def at(resource: Any, path: str) -> Any:
    """Follow a path: names, `[3]` and `[-1]` for places, `[key=value]` for the entry that says so."""
    found = resource
    for name, place in (step.groups() for step in _STEP.finditer(path)):
        if name is not None:
            found = found.get(name) if isinstance(found, dict) else None
        elif not isinstance(found, list):
            return None
        elif "=" in place:
            key, _, wanted = place.partition("=")
            found = next((one for one in found if str(one.get(key)).lower() == wanted.lower()), None)
        else:
            number = int(place)
            found = found[number] if -len(found) <= number < len(found) else None
    return found


@cache
def _raw(name: str) -> dict[ResourceId, list[dict[str, Any]]]:
    """Return every resource of a sample by id, child resources inside their parents included."""
    found: dict[ResourceId, list[dict[str, Any]]] = {}
    for line in (locate(name) / "resources.jsonl").read_text(encoding="utf-8").splitlines():
        resource = json.loads(line)
        if isinstance(resource, dict) and isinstance(resource.get("id"), str):
            for entry in (resource, *_children(resource, f"{resource['id']}/".lower())):
                found.setdefault(ResourceId(entry["id"]), []).append(entry)
    return found


def _children(inside: Any, prefix: str) -> Iterator[dict[str, Any]]:
    for value in inside.values() if isinstance(inside, dict) else inside:
        if isinstance(value, dict) and str(value.get("id", "")).lower().startswith(prefix):
            yield value
        if isinstance(value, dict | list):
            yield from _children(value, prefix)


def _copies(name: str, evidence: Evidence) -> list[dict[str, Any]]:
    raw = _raw(name)
    if evidence.resource.type == SIZES:
        return [one for key, found in raw.items() if key.name == evidence.resource.name for one in found]
    return raw.get(evidence.resource, [{}])


def _stands(evidence: Evidence, found: Any) -> bool:
    if evidence.path == HOSTS_OF_ADDRESSES:
        return all(host in " ".join(found).lower() for host in str(evidence.value).split(", "))
    if BOOLEAN_WRITTEN_AS_TEXT.fullmatch(evidence.path) and isinstance(found, str):
        return found.lower() == str(evidence.value).lower()
    return isinstance(found, JsonScalar) and (type(found), found) == (type(evidence.value), evidence.value)


def _is_found(name: str, evidence: Evidence) -> bool:
    return any(_stands(evidence, at(copy, evidence.path)) for copy in _copies(name, evidence))


@cache
def _estate(name: str) -> Estate:
    return load(locate(name))


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("rule", ALL_RULES, ids=lambda rule: rule.id)
def test_evidence_stands_in_the_json(rule: Rule, name: str) -> None:
    """Whoever looks up a reason's evidence in Azure's answer finds that value there."""
    estate = _estate(name)
    shown = {
        (verdict.reason, evidence)
        for verdict in (rule.check(vm, estate) for vm in estate.vms)
        for evidence in verdict.evidence
    }

    assert [] == [(reason, evidence) for reason, evidence in shown if not _is_found(name, evidence)]


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("rule", ALL_RULES, ids=lambda rule: rule.id)
def test_an_open_reason_has_evidence(rule: Rule, name: str) -> None:
    """What holds a VM back can be looked up, unless it is that something is nowhere."""
    estate = _estate(name)
    verdicts = [rule.check(vm, estate) for vm in estate.vms]
    bare = {
        verdict.reason
        for verdict in verdicts
        if verdict.status in (Status.UNMET, Status.UNKNOWN) and not verdict.evidence
    }

    assert set() == bare - UNPROVEN


def test_only_disks_that_fail_are_shown() -> None:
    """Disks under the customer's key are evidence that the rule is met, and none that it is not."""
    data = rid("Microsoft.Compute/disks", "vm1-data")
    machine = vm(data_disks=(DiskAttachment(disk=data, lun=0),))
    unheard = disk(id=data, encryption=Encryption(type=EncryptionType.OTHER))
    keyed = disk(encryption=CUSTOMER_KEY)
    others = (disk(id=data), unheard, disk(id=data, encryption=CUSTOMER_KEY))
    verdicts = [customer_key.check(machine, estate(machine, disks=(keyed, other))) for other in others]

    assert [[data], [data], [OS_DISK, data]] == [
        [shown.resource for shown in verdict.evidence] for verdict in verdicts
    ]


def test_a_path_leads_to_one_place() -> None:
    """Names, places from either end, and entries by what they say; what is absent is nothing."""
    resource = {"a": {"b": [{"name": "x", "v": 1}, {"name": "Y.z", "v": None}]}, "id": "/s"}

    assert [1, None, 1, None, None] == [
        at(resource, path)
        for path in ("a.b[0].v", "a.b[-1].v", "a.b[name=X].v", "a.b[name=y.z].v", "a.c[4].d")
    ]
