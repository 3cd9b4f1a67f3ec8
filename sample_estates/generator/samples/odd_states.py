"""Machines that are held fast: by locks, by their own state, by copies of disks, by their host."""

from collections.abc import Callable
from typing import Any

from sample_estates.generator import disks, governance, recovery
from sample_estates.generator.catalogue import Json
from sample_estates.generator.dice import Dice
from sample_estates.generator.machine import DataDisk
from sample_estates.generator.samples.oddities import Oddities
from sample_estates.generator.vaults import RECOVERY

_ULTRA: dict[str, Any] = {"data": (DataDisk(gb=256, sku="UltraSSD_LRS", caching="None"),), "zone": "1"}
_HOST = {"keys": "good", "host": "wanted"}


def add(odd: Oddities) -> None:
    """Add the machines."""
    _operations(odd)
    _disks(odd)
    _copies(odd)
    _backups(odd)
    _encrypted(odd)
    _hosts(odd)


def _operations(odd: Oddities) -> None:
    for name, state in (("ew-state-01", "Failed"), ("ew-state-02", "Updating")):
        odd.make(name, "WWSR", f"Its state is {state}.", alter=_properties(provisioningState=state))
    sealed = odd.make("ew-locked-02", "UUSU", "Nobody knows what its lock forbids.")
    odd.sample.add(governance.lock(str(sealed[0]["id"]), "seal", "Sealed", "Who knows?"))
    restricted = odd.make(
        "ew-size-04", "WWSR", "Its size is closed to the subscription.", size="Standard_B2ms"
    )
    for entry in odd.sample.resources:
        if entry.get("name") == restricted[0]["properties"]["hardwareProfile"]["vmSize"]:
            reason = {"type": "Location", "reasonCode": "NotAvailableForSubscription"}
            entry["restrictions"] = [reason | {"values": entry["locations"]}]


def _properties(**values: Any) -> Callable[[Json], object]:
    return lambda vm: vm["properties"].update(values)


def _disks(odd: Oddities) -> None:
    for name, expect, why, changed in (
        ("ew-frozen-01", "WWSR", "It is hibernated: its disks are frozen.", {"diskState": "Frozen"}),
        ("ew-sas-01", "RWSR", "Its disk is being exported.", {"diskState": "ActiveSAS"}),
        ("ew-stateless-01", "RUSR", "Nobody reported its disk's state.", {"diskState": None}),
    ):
        odd.make(name, expect, why)[1]["properties"].update(changed)
    filling = odd.make("ew-filling-01", "RWSR", "Its disk is still filling from a snapshot.", **_ULTRA)
    filling[2]["properties"]["completionPercent"] = 41.5


def _copies(odd: Oddities) -> None:
    odd.make("ew-points-01", "RWSR", "Restore points hold its disks.")
    odd.sample.add(*recovery.restore_points(odd.machine("ew-points-01"), ("2026-10-31", "2026-11-01")))
    odd.make("ew-points-02", "RUSR", "Nobody read its collection's restore points.")
    unlisted = recovery.restore_points(odd.machine("ew-points-02"), ())[0]
    del unlisted["properties"]["restorePoints"]
    odd.sample.add(unlisted)
    odd.make("ew-replica-01", "WWSR", "Site Recovery replicates it.")
    odd.sample.add(recovery.replica(odd.vault, odd.machine("ew-replica-01"), "ukwest"))
    odd.make(
        "ew-replica-02", "WWSR", "Site Recovery's extension is on it.", extensions=("SiteRecovery-Linux",)
    )


def _backups(odd: Oddities) -> None:
    for number, (why, changed) in enumerate(
        (
            ("Its first backup has not run yet.", {"protectionState": "IRPending", "lastBackupStatus": ""}),
            ("Its backup was stopped, and its data kept.", {"protectionState": "ProtectionStopped"}),
            ("A backup of it is running.", {"lastBackupStatus": "InProgress"}),
            ("Its last backup failed.", {"lastBackupStatus": "Failed", "healthStatus": "ActionRequired"}),
        ),
        start=4,
    ):
        made = odd.make(f"ew-backup-{number:02d}", "WWSR", why, backup="V1")
        made[-1]["properties"] |= changed


def _encrypted(odd: Oddities) -> None:
    why = "Encrypted in the guest, as only its instance view says."
    odd.make("ew-ade-04", "BBSR", why, alter=_reports("EncryptionState/encrypted"))
    why = "Encryption is off, and nobody knows whether it was ever on."
    odd.make("ew-ade-05", "UUSR", why, alter=_reports("EncryptionState/notEncrypted"))
    copied = odd.make("ew-ade-06", "BBSR", "An old copy of its disk was encrypted in the guest.")
    dice = Dice("odd", "copied")
    copy = disks.snapshot(odd.machine("ew-ade-06"), copied[1], "ew-ade-06-old", incremental=False, dice=dice)
    copy["properties"] |= {
        "encryptionSettingsCollection": {"enabled": True},
        "timeCreated": "2024-08-02T09:00:00Z",
    }
    odd.sample.add(copy)
    why = "It was encrypted in the guest when it was backed up; whether its OS disk was, nobody can tell."
    kept = odd.make("ew-ade-07", "UBSR", why, backup="V2")
    own = f"{kept[-1]['id']}/recoveryPoints/612800117"
    point = {"objectType": "IaasVMRecoveryPoint", "recoveryPointTime": "2026-10-04T20:31:00Z"}
    kind = f"{RECOVERY}/backupFabrics/protectionContainers/protectedItems/recoveryPoints"
    found: Json = {"id": own, "name": "612800117", "type": kind}
    odd.sample.add(found | {"properties": point | {"isSourceVMEncrypted": True}})


def _reports(code: str) -> Callable[[Json], object]:
    status = {"code": code, "level": "Info", "displayStatus": code.partition("/")[2]}

    def told(vm: Json) -> None:
        name = vm["properties"]["storageProfile"]["osDisk"]["name"]
        vm["properties"]["instanceView"]["disks"] = [{"name": name, "statuses": [status]}]

    return told


def _hosts(odd: Oddities) -> None:
    why = "Its size boots generation 1 only, and its host encrypts nothing."
    odd.make("ew-host-01", "WWSR", why, size="Standard_D2_v2", tags=_HOST)
    odd.make("ew-host-02", "UUSR", "Nobody knows what its host can do.", alter=_unheard, tags=_HOST)
    old = odd.make(
        "ew-host-03", "RWSR", "Its Ultra disk is older than encryption of it.", tags=_HOST, **_ULTRA
    )
    ageless = odd.make("ew-host-04", "RUSR", "Nobody knows how old its Ultra disk is.", tags=_HOST, **_ULTRA)
    for made, age in ((old, "2022-06-01T10:00:00.0000000+00:00"), (ageless, None)):
        made[2]["properties"]["timeCreated"] = age
        made[2]["properties"]["creationData"]["logicalSectorSize"] = 512


def _unheard(vm: Json) -> None:
    vm["properties"]["hardwareProfile"]["vmSize"] = "Standard_Z1_invented"
