"""Snapshots: what they are asked to be, and the marks that outlive the machine that ran the upgrade."""

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from readiness.azure.snapshots import snapshot_body, tags
from readiness.model.ids import ResourceId
from readiness.model.observation import Before, Observation, before_of
from readiness.model.steps import TakeSnapshot, snapshot_id
from readiness.model.virtual_machine import Identity, Power, SecurityType
from readiness.ports.cloud import StepContext
from tests.builders import CUSTOMER_KEY, ENCRYPTION_SET, OS_DISK, boot, disk, rid, vm, vm_id

STARTED = "2026-11-28T21:00:00+00:00"
STEP = TakeSnapshot(vm=vm_id(), disk=OS_DISK)
LONG_GROUP, LONG_VM, LONG_DISK = "g" * 90, "v" * 64, "d" * 80


def before(**changes: Any) -> Before:
    """Return the state from before of the default VM, its disk under a customer's key."""
    seen = Observation(vm=vm(boot=boot(secure_boot=None)), disks=(disk(encryption=CUSTOMER_KEY),))
    return replace(before_of(seen), **changes)


def context(state: Before | None = None) -> StepContext:
    """Return what snapshots are marked with."""
    return StepContext(
        plan="0123456789ab",
        run="0123456789ab-wave-2",
        instance="here",
        now=datetime(2026, 11, 28, 21, 5, tzinfo=UTC),
        started=STARTED,
        expires=date(2026, 12, 28),
        before=state,
    )


def body(**changes: Any) -> dict[str, Any]:
    """Return the body of a snapshot of a disk as Azure shows it."""
    shown = {"id": OS_DISK.text, "location": "westeurope", "sku": {"name": "Premium_LRS"}, "properties": {}}
    return snapshot_body(STEP, shown | changes, context())


def test_full_and_closed() -> None:
    """A snapshot is a full copy of its disk that no network reaches."""
    made = body()
    assert {
        "creationData": {"createOption": "Copy", "sourceResourceId": OS_DISK.text},
        "incremental": False,
        "encryption": {},
        "networkAccessPolicy": "DenyAll",
        "publicNetworkAccess": "Disabled",
    } == made["properties"]
    assert "westeurope" == made["location"]


def test_under_the_key_of_its_disk() -> None:
    """A snapshot is asked for under the key its disk has now."""
    key = {"type": "EncryptionAtRestWithCustomerKey", "diskEncryptionSetId": ENCRYPTION_SET.text}
    assert key == body(properties={"encryption": key})["properties"]["encryption"]


@pytest.mark.parametrize(
    ("sku", "expected"),
    [
        ({"name": "Premium_LRS"}, "Standard_LRS"),
        ({"name": "Premium_ZRS"}, "Standard_ZRS"),
        ({"name": "StandardSSD_ZRS"}, "Standard_ZRS"),
        ({}, "Standard_LRS"),
        (None, "Standard_LRS"),
    ],
)
def test_as_redundant_as_its_disk(sku: dict[str, str] | None, expected: str) -> None:
    """A snapshot costs as little as it can, and survives a zone where its disk does."""
    assert {"name": expected} == body(sku=sku)["sku"]


def test_marks_tell_the_state_before() -> None:
    """Plan, run, expiry, VM, disk and the state from before stand in the tags, complete."""
    marks = tags(STEP, context(before()))
    assert {
        "readiness-plan": "0123456789ab",
        "readiness-started": STARTED,
        "readiness-run": "0123456789ab-wave-2",
        "readiness-expires": "2026-12-28",
        "readiness-vm": "rg-app/vm1",
        "readiness-disk": "rg-app/vm1-os",
        "readiness-before-key": "EncryptionAtRestWithCustomerKey",
        "readiness-before-set": f"rg-app/{ENCRYPTION_SET.name}",
    } == {name: value for name, value in marks.items() if name != "readiness-before"}
    assert {
        "power": "running",
        "size": "Standard_D2s_v5",
        "type": "Standard",
        "sb": None,
        "tpm": None,
        "eah": False,
        "id": False,
        "uai": 0,
        "agent": True,
    } == json.loads(marks["readiness-before"])


def test_without_a_state_before_there_are_no_such_marks() -> None:
    """A snapshot without a recorded state claims none."""
    assert not [name for name in tags(STEP, context()) if "before" in name]


def test_marks_fit_into_tags() -> None:
    """The longest names Azure allows still fit: 256 characters a value, and nothing cut in the middle."""
    own = rid("Microsoft.Compute/virtualMachines", LONG_VM, group=LONG_GROUP)
    long_disk = rid("Microsoft.Compute/disks", LONG_DISK, group=LONG_GROUP)
    state = before(
        power=Power.DEALLOCATED,
        size="Standard_" + "M" * 40,
        security_type=SecurityType.CONFIDENTIAL_VM,
        secure_boot=False,
        vtpm=False,
        identity=Identity(system_assigned=False, user_assigned=(ResourceId("/a"),) * 100),
    )
    state = replace(state, disks=tuple(replace(entry, id=long_disk) for entry in state.disks))
    marks = tags(TakeSnapshot(vm=own, disk=long_disk), context(state))
    assert max(len(value) for value in marks.values()) < 256
    assert "deallocated" == json.loads(marks["readiness-before"])["power"]
    assert f"{LONG_GROUP}/{LONG_DISK}" == marks["readiness-disk"]
    assert len(marks) <= 50


def test_names_are_deterministic_and_fit() -> None:
    """The same disk and plan always give the same name, within Azure's 80 characters and its alphabet."""
    names = [snapshot_id(STEP, "0123456789ab", STARTED).name for _ in range(2)]
    long_step = TakeSnapshot(
        vm=vm_id(LONG_VM), disk=rid("Microsoft.Compute/disks", LONG_DISK, group=LONG_GROUP)
    )
    name = snapshot_id(long_step, "0123456789ab", STARTED).name
    assert names[0] == names[1]
    assert 80 == len(name)
    assert name.endswith("-0123456789ab")
