"""Machines that are odd inside: what boots in them, who gets in and how, and which identity they need."""

from typing import Any

from sample_estates.generator import governance, network, recovery
from sample_estates.generator.catalogue import Json
from sample_estates.generator.machine import DataDisk
from sample_estates.generator.samples.oddities import Oddities

_LOGIN = ("AADSSHLoginForLinux",)


def add(odd: Oddities) -> None:
    """Add the machines."""
    _systems(odd)
    _generation1(odd)
    _logins(odd)
    _evidence(odd)
    _ways_out(odd)
    _identities(odd)
    _services(odd)


def _systems(odd: Oddities) -> None:
    odd.make("ew-vtpm-01", "RRSR", "Its virtual TPM is off.", security="TrustedLaunch", vtpm=False)
    odd.make("ew-gpu-01", "WRSR", "Its GPU's driver is unsigned.", extensions=("NvidiaGpuDriverLinux",))
    odd.make("ew-gpu-02", "WRSR", "It has a GPU.", size="Standard_NC4as_T4_v3")
    odd.make("ew-plan-01", "WRSR", "Its image is a vendor's product.", alter=_plan)
    newer = odd.make("ew-version-01", "URSR", "No list knows this version.", image="rhel9", alter=_version)
    newer[1]["properties"].pop("supportedCapabilities")
    plain = {"supportedSecurityOption": "None", "architecture": "x64"}
    poor = odd.make("ew-image-02", "BRSR", "Its disk says that its image cannot.")
    poor[1]["properties"]["supportedCapabilities"] = plain
    arm: dict[str, Any] = {"size": "Standard_D2ps_v5"}
    odd.make("ew-arm-02", "URSR", "Nobody knows what its Arm image can do.", **arm)[1]["properties"].pop(
        "supportedCapabilities"
    )
    odd.make("ew-arm-03", "BRSR", "Its Arm image cannot.", **arm)[1]["properties"][
        "supportedCapabilities"
    ] = plain | {"architecture": "Arm64"}
    odd.sample.add(*recovery.gallery(odd.place, "gal_odd", "img-odd", ("2026-06-01",), "Standard"))
    image = odd.place.id("Microsoft.Compute/galleries/images", "gal_odd", "img-odd")
    own = recovery.image_version(image, "2026-06-01")
    made = odd.make("ew-image-03", "BRSR", "Its gallery's image cannot, and is old.", gallery=own)
    made[1]["properties"].pop("supportedCapabilities")
    sealed = odd.make(
        "ew-sealed-02",
        "SUSR",
        "Nobody reported how its confidential OS disk is encrypted.",
        security="ConfidentialVM",
        image="cvm",
        size="Standard_DC4as_v5",
    )
    sealed[1]["properties"].pop("securityProfile")


def _plan(vm: Json) -> None:
    vm["plan"] = {"name": "hourly", "product": "edge", "publisher": "invented-networks"}


def _version(vm: Json) -> None:
    vm["properties"]["instanceView"]["osVersion"] = "9.99"
    vm["properties"]["storageProfile"]["imageReference"]["sku"] = "99-gen2"


def _generation1(odd: Oddities) -> None:
    old: dict[str, Any] = {"image": "ws2019-g1", "size": "Standard_D2s_v3"}
    why = "Encrypted in the guest: such a volume cannot be converted."
    vault = odd.missing("Microsoft.KeyVault/vaults", "kv-gone-too")
    odd.make("ew-g1-volume", "BBSR", why, ade=vault, **old)
    lost = odd.make("ew-g1-disk", "UUSR", "One of its disks was not read.", data=(DataDisk(gb=64),), **old)
    odd.sample.resources.remove(lost[2])
    odd.sample.dangling.append(str(lost[2]["id"]))
    odd.make(
        "ew-g1-off", "WRSR", "It is off, and its disk is converted from inside.", power="deallocated", **old
    )
    odd.make("ew-g1-agent", "URSR", "Nobody read what its agent says.", alter=_agentless, **old)
    why = "Its disk could, but nobody knows whether its system survives the way there."
    strange = odd.make("ew-g1-strange", "URSR", why, image="jammy-g1", alter=_stranger)
    strange[1]["properties"]["supportedCapabilities"] = {"supportedSecurityOption": "TrustedLaunchSupported"}
    why = "A vendor's disk of generation 1, whose agent does not answer."
    bios = odd.make("ew-g1-vendor", "BRUR", why, **odd.appliance())
    bios[1]["properties"]["hyperVGeneration"] = bios[0]["properties"]["instanceView"]["hyperVGeneration"] = (
        "V1"
    )
    odd.make(
        "ew-g1-nobody",
        "URUR",
        "Nobody reported which system it runs.",
        image="jammy-g1",
        hibernation=True,
        alter=_systemless,
    )


def _stranger(vm: Json) -> None:
    image = {"publisher": "invented-networks", "offer": "edge", "sku": "byol", "version": "7.2.1"}
    vm["properties"]["storageProfile"]["imageReference"] = image
    for name in ("osName", "osVersion"):
        vm["properties"]["instanceView"].pop(name)


def _agentless(vm: Json) -> None:
    vm["properties"]["instanceView"].pop("vmAgent")


def _systemless(vm: Json) -> None:
    vm["properties"]["storageProfile"]["osDisk"].pop("osType")
    vm["properties"].pop("osProfile")


def _logins(odd: Oddities) -> None:
    known: dict[str, Any] = {"keys_only": False}
    failed = odd.make(
        "ew-login-01",
        "RRWS",
        "Entra login is installed and fails.",
        extensions=_LOGIN,
        system_identity=True,
        **known,
    )
    failed[-2]["properties"]["provisioningState"] = "Failed"
    odd.make("ew-login-02", "RRWR", "Entra login has no identity.", extensions=_LOGIN, **known)
    odd.make("ew-login-03", "RRWR", "Only the oldest Entra login.", extensions=("AADLoginForLinux",), **known)
    why = "Nobody can tell what its extension is, and it has a password."
    nameless = odd.make("ew-login-04", "UUUU", why, extensions=("LinuxDiagnostic",), **known)
    nameless[-2]["properties"] = {"provisioningState": "Succeeded", "publisher": None, "type": None}
    odd.make("ew-login-05", "RRUR", "Nobody reported how people log in.", alter=_unsaid)
    joined = ("AADLoginForWindows", "JsonADDomainExtension")
    way: dict[str, Any] = {"subnet": odd.subnet("open"), "public_ip": "pip-login", "basic_ip": True}
    odd.make("ew-login-06", "RRWR", "In a domain and in Entra.", image="ws2022", extensions=joined, **way)
    why = "Neither Entra login nor guest configuration knows such an old system."
    odd.make("ew-login-07", "BRWR", why, image="centos7-g1", alter=_centos6, **known)
    way |= {"public_ip": "pip-jit", "nic_group": network.group_id(odd.place, "nsg-plural")}
    odd.make("ew-login-08", "RRWR", "Just in time, past an older rule that lets everybody in.", **way)
    odd.sample.add(governance.just_in_time(odd.place, [odd.machine("ew-login-08")]))


def _centos6(vm: Json) -> None:
    vm["properties"]["storageProfile"]["imageReference"]["sku"] = "6.10"
    vm["properties"]["instanceView"]["osVersion"] = "6.10"


def _unsaid(vm: Json) -> None:
    vm["properties"]["osProfile"]["linuxConfiguration"].pop("disablePasswordAuthentication")


def _evidence(odd: Oddities) -> None:
    for name, why, check, status in (
        ("ew-guest-01", "Accounts without a password log in.", "PasswordPolicy_msid110", "NonCompliant"),
        ("ew-guest-02", "Its guest takes passwords after all.", "LinuxNoPasswordForSSH", "NonCompliant"),
        ("ew-guest-03", "Nobody has looked into its guest yet.", "LinuxNoPasswordForSSH", "Pending"),
    ):
        odd.make(name, "RRWR", why, keys_only=status != "Pending")
        odd.sample.add(governance.guest_assignment(odd.machine(name), check, status))


def _ways_out(odd: Oddities) -> None:
    group = network.group_id(odd.place, "nsg-plural")
    for name, expect, why, subnet in (
        ("ew-out-01", "RRWR", "Without its address it could call nobody.", "private"),
        ("ew-out-02", "RRUR", "Nobody read where its routes lead.", "routed"),
    ):
        odd.make(name, expect, why, subnet=odd.subnet(subnet), public_ip=f"pip-{name}", nic_group=group)


def _identities(odd: Oddities) -> None:
    user = odd.place.id("Microsoft.ManagedIdentity/userAssignedIdentities", "id-odd")
    why = "Its extension needs a system identity, which would take the other one's place."
    odd.make("ew-identity-01", "RRSW", why, user_identities=(user,), extensions=_LOGIN)
    odd.make("ew-identity-02", "RRSW", "Azure puts certificates into it.", alter=_certified)
    script = odd.make(
        "ew-identity-03", "RRSW", "A script from a storage account.", extensions=("CustomScript",)
    )
    files = ["https://stodd.blob.core.windows.net/scripts/setup.sh"]
    script[-2]["properties"]["settings"] = {"fileUris": files}


def _certified(vm: Json) -> None:
    vault = {"id": f"{vm['id'].partition('/providers/')[0]}/providers/Invented.Service/things/one"}
    certificate = {"certificateUrl": "https://kv-odd.vault.azure.net/secrets/tls/1", "certificateStore": "My"}
    vm["properties"]["osProfile"]["secrets"] = [{"sourceVault": vault, "vaultCertificates": [certificate]}]


def _services(odd: Oddities) -> None:
    pool = odd.place.id("Microsoft.DesktopVirtualization/hostPools", "hp-odd")
    tags = {"cm-resource-parent": pool}
    odd.make("ew-desktop-01", "AKS", "A session host is made from its pool's image.", tags=tags)
    fabric = odd.make(
        "ew-fabric-01", "AKS", "A node of a Service Fabric cluster.", extensions=("CustomScript",)
    )
    fabric[-2]["properties"] |= {
        "publisher": "Microsoft.Azure.ServiceFabric",
        "type": "ServiceFabricLinuxNode",
    }
