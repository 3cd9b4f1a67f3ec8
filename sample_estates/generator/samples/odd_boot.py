"""Machines that are odd in how they boot: generation, size, system, security type, or nothing at all."""

from sample_estates.generator.catalogue import Json
from sample_estates.generator.samples.oddities import Oddities

_PLAIN = (  # name, expected, why, words of a machine
    ("ew-gen1-01", "WRSR", "Generation 1.", {"image": "ws2019-g1", "size": "Standard_D2s_v3"}),
    ("ew-ws2016-01", "BRSR", "Windows Server 2016 in generation 1.", {"image": "ws2016-g1"}),
    ("ew-debian-01", "BRSR", "Debian in generation 1.", {"image": "debian11-g1"}),
    ("ew-centos-01", "BRSR", "A system on no list.", {"image": "centos7-g1", "size": "Standard_D2s_v3"}),
    ("ew-size-01", "WRSR", "A size with generation 2 but no Trusted Launch.", {"size": "Standard_M64"}),
    ("ew-arm-01", "WRSR", "An Arm size without Trusted Launch.", {"size": "Standard_D2ps_v5"}),
    ("ew-hibernate-01", "BRSR", "Linux that hibernates.", {"hibernation": True}),
    ("ew-hibernate-02", "RRSR", "Windows may hibernate.", {"image": "ws2022", "hibernation": True}),
    ("ew-half-01", "RRSR", "Secure Boot is off.", {"security": "TrustedLaunch", "secure_boot": False}),
    (
        "ew-flags-01",
        "URSR",
        "Trusted Launch without its flags.",
        {"security": "TrustedLaunch", "secure_boot": None, "vtpm": None},
    ),
    ("ew-flags-02", "URSR", "One flag is missing.", {"security": "TrustedLaunch", "secure_boot": None}),
    ("ew-done-01", "SRSR", "Trusted Launch is on.", {"security": "TrustedLaunch"}),
    ("ew-type-01", "URSR", "A security type that nobody knows.", {"security": "QuantumLaunch"}),
    ("ew-type-02", "RRSR", "Standard means: nothing is set.", {"security": "Standard"}),
    (
        "ew-sealed-01",
        "SBSR",
        "A confidential OS disk keeps the key it was made with.",
        {"security": "ConfidentialVM", "image": "cvm", "size": "Standard_DC4as_v5"},
    ),
    ("ew-spot-01", "RRSR", "It may lose its place in the datacentre.", {"spot": True}),
    ("ew-power-01", "RRSR", "A power state that nobody knows.", {"power": "melting"}),
    ("ew-off-01", "RRSR", "Deallocated: its disks are reserved.", {"power": "deallocated"}),
    ("ew-graph-01", "RRSR", "It comes as a row of Resource Graph.", {"graph": True}),
)


def add(odd: Oddities) -> None:
    """Add the machines."""
    for name, expect, why, words in _PLAIN:
        odd.make(name, expect, why, **words)
    odd.make("ew-size-02", "URSR", "A size that nobody has heard of.", alter=_unheard)
    odd.make("ew-size-03", "URSR", "No size was reported.", alter=_sizeless)
    odd.make("ew-strings-01", "SRSR", "Flags as texts, as policies send them.", alter=_texts)
    odd.make("ew-backup-01", "WRSR", "A Standard backup policy.", backup="V1")
    odd.make("ew-backup-02", "RUSR", "Restore points that may hold its disks.", backup="V2")
    policy = odd.make("ew-backup-03", "UUSR", "Backed up, but nobody read how.", backup="V1")
    policy[-1]["properties"].pop("policyType")
    policy[-1]["properties"]["policyId"] = odd.missing(
        "Microsoft.RecoveryServices/vaults/backupPolicies", "rsv-odd", "gone"
    )
    silent = odd.make("ew-generation-01", "URSR", "No generation was reported.", alter=_viewless)
    silent[1]["properties"].pop("hyperVGeneration")
    stranger = odd.make("ew-image-01", "URSR", "A vendor's image on no list.", alter=_vendor)
    stranger[1]["properties"].pop("supportedCapabilities")
    odd.make("ew-nulls-01", "UUUU", "Null wherever an object is expected.", alter=_nulls)
    odd.make("ew-bare-01", "UUUU", "An id and nothing else.", alter=_bare)


def _unheard(vm: Json) -> None:
    vm["properties"]["hardwareProfile"]["vmSize"] = "Standard_Q9_invented"


def _sizeless(vm: Json) -> None:
    vm["properties"]["hardwareProfile"] = None


def _texts(vm: Json) -> None:
    flags = {"secureBootEnabled": "true", "vTpmEnabled": "True"}
    vm["properties"]["securityProfile"] = {"securityType": "trustedlaunch", "uefiSettings": flags}


def _viewless(vm: Json) -> None:
    vm["properties"].pop("instanceView")


def _vendor(vm: Json) -> None:
    image = {"publisher": "invented-networks", "offer": "edge", "sku": "byol", "version": "7.2.1"}
    vm["properties"]["storageProfile"]["imageReference"] = image
    for name in ("osName", "osVersion"):
        vm["properties"]["instanceView"].pop(name)


def _nulls(vm: Json) -> None:
    vm["properties"] = dict.fromkeys(vm["properties"]) | {"provisioningState": "Succeeded"}
    vm |= {"tags": None, "identity": None, "zones": None}


def _bare(vm: Json) -> None:
    for name in list(vm):
        if name not in ("id", "type"):
            del vm[name]
