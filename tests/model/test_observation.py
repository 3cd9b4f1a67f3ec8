"""What is compared: fingerprints, the state before, and health."""

from typing import Any

import pytest
from msgspec.structs import replace

from readiness.model.disk import Disk
from readiness.model.observation import (
    Health,
    Observation,
    before_of,
    differences,
    fingerprint,
    judge_health,
)
from readiness.model.virtual_machine import DiskAttachment, Identity, Power, SecurityType
from tests.builders import CUSTOMER_KEY, OS_DISK, PLATFORM_KEY, boot, disk, extension, rid, vm, vm_id

DATA_DISK = rid("Microsoft.Compute/disks", "data")
IGNORED: list[dict[str, Any]] = [
    {"identity": Identity(system_assigned=True)},
    {"etag": "W/7"},
    {"tags": {"a": "b"}},
    {"power": Power.DEALLOCATED},
    {"agent_ready": False},
    {"extensions": (extension("p", "t"),)},
    {"provisioning_state": "Updating"},
    {"size": "standard_d2S_V5"},
    {"boot": boot(secure_boot=False, vtpm=False)},
]
COUNTED: list[dict[str, Any]] = [
    {"id": vm_id("other")},
    {"size": "Standard_D4s_v5"},
    {"boot": boot(generation=1)},
    {"boot": boot(security_type=SecurityType.TRUSTED_LAUNCH)},
    {"boot": boot(secure_boot=True)},
    {"boot": boot(vtpm=True)},
    {"boot": boot(encryption_at_host=True)},
    {"os_disk": DiskAttachment(disk=DATA_DISK)},
    {"os_disk": DiskAttachment(disk=None)},
    {"data_disks": (DiskAttachment(disk=DATA_DISK, lun=0),)},
]
COUNTED_OF_DISK: list[dict[str, Any]] = [
    {"id": DATA_DISK},
    {"encryption": CUSTOMER_KEY},
    {
        "encryption": replace(
            CUSTOMER_KEY, disk_encryption_set=rid("Microsoft.Compute/diskEncryptionSets", "x")
        )
    },
    {"generation": 1},
    {"has_ade_settings": True},
]


@pytest.mark.parametrize("changes", IGNORED, ids=lambda changes: next(iter(changes)))
def test_what_a_fingerprint_ignores(changes: dict[str, Any]) -> None:
    """Etags, tags, power, agent, extensions and identities move all the time, and change no plan."""
    assert fingerprint(vm(), (disk(),)) == fingerprint(vm(**changes), (disk(),))


def test_what_a_fingerprint_counts() -> None:
    """Every fact that a plan rests on gives another fingerprint, each its own."""
    found = [fingerprint(vm(), (disk(),))]
    found += [fingerprint(vm(**changes), (disk(),)) for changes in COUNTED]
    found += [fingerprint(vm(), (disk(**changes),)) for changes in COUNTED_OF_DISK]

    assert len(COUNTED) + len(COUNTED_OF_DISK) + 1 == len(set(found))


def test_a_fingerprint_does_not_depend_on_the_order_of_disks() -> None:
    """Azure may list the disks in any order."""
    one, other = disk(), disk(id=DATA_DISK)

    assert fingerprint(vm(), (one, other)) == fingerprint(vm(), (other, one))


def test_a_fingerprint_does_not_depend_on_spelling() -> None:
    """Azure may shout an id."""
    loud = type(OS_DISK)(OS_DISK.text.upper())

    assert fingerprint(vm(), (disk(),)) == fingerprint(
        vm(os_disk=DiskAttachment(disk=loud)), (disk(id=loud),)
    )


def _seen(*disks: Disk, **changes: Any) -> Observation:
    return Observation(vm=vm(**changes), disks=disks or (disk(),))


DIFFERENT: list[tuple[Observation, str]] = [
    (
        _seen(boot=boot(security_type=SecurityType.TRUSTED_LAUNCH)),
        "security type was Standard, is TrustedLaunch",
    ),
    (_seen(boot=boot(secure_boot=True)), "Secure Boot was False, is True"),
    (_seen(boot=boot(vtpm=True)), "vTPM was False, is True"),
    (_seen(boot=boot(encryption_at_host=True)), "encryption at host was False, is True"),
    (_seen(size="Standard_D4s_v5"), "size was standard_d2s_v5, is standard_d4s_v5"),
    (_seen(power=Power.DEALLOCATED), "power was running, is deallocated"),
]


@pytest.mark.parametrize(
    ("now", "expected"), DIFFERENT, ids=lambda value: value if isinstance(value, str) else ""
)
def test_differences(now: Observation, expected: str) -> None:
    """Each recorded fact that differs is named with both values."""
    assert (expected,) == differences(before_of(_seen()), now)


def test_a_swapped_os_disk_stands_in_the_old_ones_place() -> None:
    """On the way back the OS disk may be another one: what counts is that its key is the same."""
    before = before_of(_seen(disk(), disk(id=DATA_DISK)))
    other = disk(id=rid("Microsoft.Compute/disks", "vm1-os-restored"))

    assert () == differences(before, _seen(other, disk(id=DATA_DISK)))
    assert 1 == len(differences(before, _seen(replace(other, encryption=CUSTOMER_KEY), disk(id=DATA_DISK))))
    assert 1 == len(differences(before, _seen(other)))


def test_differences_of_disks() -> None:
    """A disk under another key, or gone, is a difference; one that came in addition is none."""
    before = before_of(_seen(disk(), disk(id=DATA_DISK)))
    found = differences(before, _seen(disk(encryption=CUSTOMER_KEY)))

    assert 2 == len(found)
    assert found[0].startswith("encryption of vm1-os was")
    assert found[1].endswith("is None")
    assert () == differences(before_of(_seen()), _seen(disk(), disk(id=DATA_DISK)))


def test_what_is_no_difference() -> None:
    """Absent and off are the same, a size is compared without case, and identities may have grown."""
    now = _seen(
        boot=boot(secure_boot=False, vtpm=False),
        size="STANDARD_D2S_V5",
        identity=Identity(system_assigned=True),
        tags={"a": "b"},
    )

    assert () == differences(before_of(_seen()), now)


def test_before_keeps_what_worked() -> None:
    """Only extensions that had succeeded are expected to succeed afterwards, by name and in order."""
    extensions = (extension("p", "b"), extension("p", "a"), extension("p", "c", state="Failed"))
    before = before_of(_seen(extensions=extensions))

    assert ("a", "b") == before.extensions
    assert [(OS_DISK, PLATFORM_KEY)] == [(entry.id, entry.encryption) for entry in before.disks]


@pytest.mark.parametrize(
    ("power", "expected"), [(Power.RUNNING, True), (Power.DEALLOCATED, False), (Power.STOPPED, False)]
)
def test_was_running(power: Power, expected: bool) -> None:  # noqa: FBT001  a table's column
    """Only a VM that ran has to run again."""
    assert expected is before_of(_seen(power=power)).was_running


AGENT, FAILED = extension("p", "monitor"), extension("p", "monitor", state="Failed")
HEALTH: dict[str, tuple[dict[str, Any], dict[str, Any], Health]] = {
    "as before": ({}, {}, Health.HEALTHY),
    "off": ({}, {"power": Power.DEALLOCATED}, Health.PENDING),
    "starting": ({}, {"power": Power.STARTING}, Health.PENDING),
    "power not read": ({}, {"power": Power.UNKNOWN}, Health.PENDING),
    "agent silent": ({}, {"agent_ready": False}, Health.PENDING),
    "agent not read": ({}, {"agent_ready": None}, Health.PENDING),
    "agent was silent before": ({"agent_ready": False}, {"agent_ready": False}, Health.INCONCLUSIVE),
    "agent was not read before": ({"agent_ready": None}, {"agent_ready": None}, Health.INCONCLUSIVE),
    "provisioning failed": ({}, {"provisioning_state": "Failed"}, Health.HEALTHY),
    "provisioning not reported": ({}, {"provisioning_state": None}, Health.HEALTHY),
    "extension fails now": ({"extensions": (AGENT,)}, {"extensions": (FAILED,)}, Health.UNHEALTHY),
    "extension failed before": ({"extensions": (FAILED,)}, {"extensions": (FAILED,)}, Health.HEALTHY),
    "extension is new and fails": ({}, {"extensions": (FAILED,)}, Health.HEALTHY),
}


@pytest.mark.parametrize("case", HEALTH)
def test_health(case: str) -> None:
    """Health is compared with before, not with an ideal; a silent agent is neither good nor bad."""
    before, now, expected = HEALTH[case]
    answer, detail = judge_health(before_of(_seen(**before)), _seen(**now))

    assert expected is answer
    assert detail
