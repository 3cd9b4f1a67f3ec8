"""Machines whose disks are odd: encrypted in the guest, missing, ephemeral, VHDs, unheard-of keys."""

from sample_estates.generator import disks
from sample_estates.generator.catalogue import Json
from sample_estates.generator.dice import Dice
from sample_estates.generator.machine import DataDisk
from sample_estates.generator.samples.oddities import Oddities

_ONE = (DataDisk(gb=128),)


def add(odd: Oddities) -> None:
    """Add the machines."""
    _encrypted(odd)
    _keys(odd)
    _incomplete(odd)


def _encrypted(odd: Oddities) -> None:
    vault = odd.missing("Microsoft.KeyVault/vaults", "kv-long-gone")
    odd.make(
        "ew-ade-01",
        "BBSR",
        "A Linux that is encrypted in the guest: its owner has to build it anew.",
        ade=vault,
        extensions=("AzureDiskEncryptionForLinux",),
        data=_ONE,
    )
    once = odd.make("ew-ade-02", "BBSR", "It was encrypted in the guest once, and stays marked.")
    once[1]["properties"]["encryptionSettingsCollection"] = {"enabled": False, "encryptionSettings": None}
    odd.make("ew-ade-03", "BBSR", "Encrypted in the guest by the oldest method.", alter=_dual_pass)


def _dual_pass(vm: Json) -> None:
    key = {"secretUrl": "https://kv-long-gone.vault.azure.net/secrets/old/0"}
    vm["properties"]["storageProfile"]["osDisk"]["encryptionSettings"] = {"diskEncryptionKey": key}


def _keys(odd: Oddities) -> None:
    held = odd.make("ew-snapshot-01", "RWSR", "An incremental snapshot holds its disk.", data=_ONE)
    vm = odd.machine("ew-snapshot-01", data=_ONE)
    for source, incremental in ((held[2], True), (held[1], False)):
        name = f"{source['name']}-{'incremental' if incremental else 'full'}"
        made = disks.snapshot(vm, source, name, incremental=incremental, dice=Dice("odd", name))
        odd.sample.add(made)
    odd.make("ew-nokeys-01", "RWSR", "Nobody chose its keys.", tags={"keys": "undecided"})
    odd.make("ew-nokeys-02", "RUSR", "The keys that were chosen do not exist.", tags={"keys": "missing"})
    odd.make("ew-nokeys-03", "RBSR", "The keys that were chosen are broken.", tags={"keys": "failed"})
    odd.make("ew-nokeys-04", "RBSR", "The keys are for confidential disks only.", tags={"keys": "sealed"})
    ultra = (DataDisk(gb=1024, sku="UltraSSD_LRS", caching="None"),)
    odd.make(
        "ew-ultra-01",
        "RBSR",
        "Ultra disks take no double encryption.",
        tags={"keys": "double"},
        data=ultra,
        zone="1",
    )
    odd.make("ew-cmk-01", "RSSR", "All its disks are under a key.", key_set=odd.key_set("good"), data=_ONE)
    odd.make(
        "ew-cmk-02",
        "RSSR",
        "Double encryption has a customer's key in it.",
        key_set=odd.key_set("double"),
        encryption="EncryptionAtRestWithPlatformAndCustomerKeys",
    )
    mixed = odd.make(
        "ew-cmk-03", "RRSR", "One of its disks was forgotten.", key_set=odd.key_set("good"), data=_ONE
    )
    mixed[2]["properties"]["encryption"] = {"type": disks.PLATFORM_KEY}
    strange = odd.make("ew-cmk-04", "RUSR", "A kind of encryption that nobody knows.")
    strange[1]["properties"]["encryption"] = {"type": "EncryptionAtRestWithQuantumKey"}
    silent = odd.make("ew-cmk-05", "RUSR", "Its disk's encryption was not reported.")
    silent[1]["properties"]["encryption"] = None


def _incomplete(odd: Oddities) -> None:
    odd.make("ew-ephemeral-01", "BBSR", "An ephemeral OS disk does not survive.", ephemeral=True)
    vhd = odd.make("ew-vhd-01", "BBSR", "Its OS disk is a VHD in a storage account.", alter=_unmanaged)
    odd.sample.resources.remove(vhd[1])
    gone = odd.make("ew-disk-01", "UUSR", "One of its disks was not read.", data=_ONE)
    odd.sample.resources.remove(gone[2])
    odd.sample.dangling.append(str(gone[2]["id"]))
    odd.make("ew-storage-01", "UUSR", "No storageProfile was reported.", alter=_storageless)
    shared = odd.make(
        "ew-shared-01", "RWSR", "It shares a disk: its neighbour has to be off as well.", data=_ONE
    )
    shared[2]["properties"]["maxShares"] = 2
    other = odd.make(
        "ew-shared-02", "RWSR", "It shares a disk: its neighbour has to be off as well.", data=_ONE
    )
    odd.sample.resources.remove(other[2])
    attached = other[0]["properties"]["storageProfile"]["dataDisks"][0]
    attached["managedDisk"]["id"] = shared[2]["id"]
    shared[2]["managedByExtended"] = [shared[0]["id"], other[0]["id"]]


def _unmanaged(vm: Json) -> None:
    os_disk = vm["properties"]["storageProfile"]["osDisk"]
    del os_disk["managedDisk"]
    os_disk["vhd"] = {"uri": "https://oldstorage.blob.core.windows.net/vhds/ew-vhd-01.vhd"}


def _storageless(vm: Json) -> None:
    del vm["properties"]["storageProfile"]
