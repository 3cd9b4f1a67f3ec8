"""Cases of the rules on disks on their way to another key."""

from datetime import UTC, datetime
from typing import Any

from readiness.model.backup import RestorePointCollection
from readiness.model.estate_info import Gap
from readiness.model.ids import ResourceId
from tests.builders import SUBSCRIPTION, boot, disk, protection, rid, vm, vm_id
from tests.rules.case import Case, chosen

_COLLECTION = rid("Microsoft.Compute/restorePointCollections", "rpc1")
_POINT = ResourceId(f"{_COLLECTION}/restorePoints/p1")
_POINTS = Gap(
    "collect",
    f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute/restorePointCollections",
    "Denied",
    "403",
)
_AT_HOST = {"context": chosen(encryption_at_host=True)}
_ULTRA: dict[str, Any] = {"sku": "UltraSSD_LRS", "sector_size": 512}
_ON = vm(boot=boot(encryption_at_host=True))


def _collection(*points: ResourceId, vm: ResourceId | None = None, listed: bool = True) -> dict[str, Any]:
    found = RestorePointCollection(id=_COLLECTION, vm=vm or vm_id(), points=points if listed else None)
    return {"protected": protection(restore_points=(found,))}


def _feature(state: str | None) -> dict[str, Any]:
    features = {(SUBSCRIPTION, "microsoft.compute/encryptionathost"): state} if state else {}
    return {**_AT_HOST, "protected": protection(features=features)}


CASES = (
    Case("EN018", "no collection", "met NoRestorePoints"),
    Case("EN018", "an empty collection", "met NoRestorePoints", vm(), _collection()),
    Case("EN018", "a restore point", "unmet RestorePoints", vm(), _collection(_POINT)),
    Case("EN018", "one of another VM", "met NoRestorePoints", vm(), _collection(_POINT, vm=vm_id("vm2"))),
    Case(
        "EN018",
        "a collection without its points",
        "unknown RestorePointsNotListed",
        vm(),
        _collection(listed=False),
    ),
    Case(
        "EN018",
        "collections that could not be listed",
        "unknown RestorePointsNotRead",
        vm(),
        {"gaps": [_POINTS]},
    ),
    Case("EN019", "an attached disk", "met DisksAtRest"),
    Case("EN019", "a disk of a deallocated VM", "met DisksAtRest", vm(), {"disks": [disk(state="Reserved")]}),
    *(
        Case(
            "EN019", f"a disk in state {state}", "unmet DiskInTransfer", vm(), {"disks": [disk(state=state)]}
        )
        for state in ("ActiveSAS", "ActiveSASFrozen", "ActiveUpload", "ReadyToUpload")
    ),
    Case("EN019", "no state", "unknown DiskStateNotReported", vm(), {"disks": [disk(state=None)]}),
    Case(
        "EN019",
        "an Ultra disk that has just begun to fill",
        "unmet DiskFilling",
        vm(),
        {"disks": [disk(sku="UltraSSD_LRS", completion_percent=0)]},
    ),
    Case(
        "EN019",
        "an Ultra disk that is full",
        "met DisksAtRest",
        vm(),
        {"disks": [disk(sku="UltraSSD_LRS", completion_percent=100)]},
    ),
    Case("EN020", "no shared disk", "met NoSharedDisk"),
    Case(
        "EN020",
        "a disk that is shared",
        "unmet SharedDisk",
        vm(),
        {"disks": [disk(max_shares=2, sharers=(vm_id(), vm_id("vm2")))]},
    ),
    Case("EN020", "a disk that could be shared", "unmet SharedDisk", vm(), {"disks": [disk(max_shares=2)]}),
    Case("EN021", "not chosen", "not-applicable AtHostNotWanted"),
    Case("EN021", "on already", "not-applicable AtHostNotWanted", _ON, _AT_HOST),
    Case("EN021", "registered", "met FeatureRegistered", vm(), _feature("Registered")),
    Case("EN021", "on its way", "unmet FeatureNotRegistered", vm(), _feature("Registering")),
    Case("EN021", "not read", "unknown FeatureNotRead", vm(), _feature(None)),
    Case("EN022", "not chosen", "not-applicable AtHostNotWanted"),
    Case("EN022", "an ordinary disk", "met SectorsFit", vm(), _AT_HOST),
    Case(
        "EN022",
        "an old Ultra disk",
        "unmet OldSmallSectors",
        vm(),
        {**_AT_HOST, "disks": [disk(**_ULTRA, created=datetime(2023, 5, 13, tzinfo=UTC))]},
    ),
    Case(
        "EN022",
        "a younger one",
        "met SectorsFit",
        vm(),
        {**_AT_HOST, "disks": [disk(**_ULTRA, created=datetime(2023, 5, 14, tzinfo=UTC))]},
    ),
    Case(
        "EN022",
        "one of unknown age",
        "unknown DiskAgeNotReported",
        vm(),
        {**_AT_HOST, "disks": [disk(**_ULTRA)]},
    ),
)
